// SPDX-License-Identifier: GPL-2.0
/*
 * The struct pmu: what perf calls.
 *
 * perf brackets what it does to events with pmu_disable and pmu_enable; add,
 * del, start and stop in between only note what is wanted, and pmu_enable
 * makes one call of it.  All callbacks but event_init run with interrupts off
 * on the CPU of the event; stop and read in NMIs as well.
 */
#include "pvpmu.h"

#include <linux/bitops.h>
#include <linux/module.h>
#include <linux/perf_event.h>

static struct pvg_slot *slot_of(struct pvg_cpu *cpu, struct perf_event *event)
{
	int id = pvg_id(&event->hw);

	if (id < 0 || cpu->slot[id].event != event)
		return NULL;
	return &cpu->slot[id];
}

/* Is perf in the middle of something on this CPU?  Context: any. */
bool pvg_pmu_disabled(void)
{
	return READ_ONCE(this_cpu_ptr(&pvg_cpus)->depth) > 0;
}

/*
 * perf calls this for the first of its own brackets and pvg_enable() for the last,
 * and those of transactions may be in one of perf's.
 *
 * Events go on counting: the guest's kernel is part of the guest.
 */
static void pvg_disable(struct pmu *pmu)
{
	struct pvg_cpu *cpu = this_cpu_ptr(&pvg_cpus);

	WRITE_ONCE(cpu->depth, cpu->depth + 1);
}

static void pvg_enable(struct pmu *pmu)
{
	struct pvg_cpu *cpu = this_cpu_ptr(&pvg_cpus);

	WRITE_ONCE(cpu->depth, cpu->depth - 1);
	if (cpu->depth)
		return;
	if ((cpu->dirty | cpu->freq) && !pvg_switch_defers(cpu)) {
		pvg_flush(cpu, cpu->freq);
		cpu->freq = 0;
	}
}

/* perf calls some callbacks without a bracket; then there is no later. */
static void flush_unless_bracketed(struct pvg_cpu *cpu)
{
	if (!pvg_pmu_disabled())
		pvg_flush(cpu, 0);
}

/* NMI: the event's handler said stop. */
static void stop_now(struct pvg_cpu *cpu, struct pvg_slot *slot, u32 id)
{
	struct pvg_line line;

	if (!slot->on || !cpu->live)
		return;
	if (pvg_absent(pvg_call(cpu, PVPMU_OP_DISABLE, id, 0, 0)))
		cpu->lost = true;
	else
		pvg_harvest(cpu, id, pvg_clock(), &line, false);
	slot->on = false;
}

/* NMI */
static void start_now(struct pvg_cpu *cpu, struct pvg_slot *slot, u32 id)
{
	s64 result;

	if (slot->on || !slot->open || !cpu->live)
		return;
	result = pvg_call(cpu, PVPMU_OP_ENABLE, id, 0, 0);
	if (pvg_absent(result))
		cpu->lost = true;
	slot->on = result >= 0;
}

static void pvg_start(struct perf_event *event, int flags)
{
	struct pvg_cpu *cpu = this_cpu_ptr(&pvg_cpus);
	struct pvg_slot *slot = slot_of(cpu, event);
	struct hw_perf_event *hwc = &event->hw;
	u32 id = pvg_id(hwc);

	if (pvg_counts_nothing(hwc) || WARN_ON_ONCE(!slot))
		return;
	hwc->state = 0;
	slot->want = true;
	if (in_nmi()) {
		start_now(cpu, slot, id);
		return;
	}
	cpu->dirty |= BIT(id);
	if (slot->open && is_sampling_event(event)) {
		s64 left = local64_read(&hwc->period_left);

		/*
		 * perf says with zero that a new period is to begin; KVM, for
		 * guests of ours, says how long it is.
		 */
		if (flags & PERF_EF_RELOAD && (left <= 0 || left != slot->left))
			pvg_restart_period(cpu, id, left);
		else
			pvg_next_period(cpu, id);
	}
	flush_unless_bracketed(cpu);
}

static void pvg_stop(struct perf_event *event, int flags)
{
	struct pvg_cpu *cpu = this_cpu_ptr(&pvg_cpus);
	struct pvg_slot *slot = slot_of(cpu, event);
	struct hw_perf_event *hwc = &event->hw;
	u32 id = pvg_id(hwc);

	if (!slot || hwc->state & PERF_HES_STOPPED)
		return;
	hwc->state |= PERF_HES_STOPPED | PERF_HES_UPTODATE;
	slot->want = false;
	if (in_nmi()) {
		stop_now(cpu, slot, id);
		return;
	}
	cpu->dirty |= BIT(id);
	if (flags & PERF_EF_UPDATE && is_sampling_event(event) && slot->open) {
		slot->left = pvg_period_left(slot);
		local64_set(&hwc->period_left, slot->left);
		if (event->attr.freq && pvg_freq_tick(cpu, event, slot))
			cpu->freq |= BIT(id);
	}
	flush_unless_bracketed(cpu);
}

static int pvg_add(struct perf_event *event, int flags)
{
	struct pvg_cpu *cpu = this_cpu_ptr(&pvg_cpus);
	int id;

	if (pvg_counts_nothing(&event->hw))
		return 0;
	if (pvg_pinned_refused(event))
		return -EAGAIN;
	id = pvg_take(cpu, event);
	if (id < 0)
		return id;
	event->hw.state = PERF_HES_STOPPED | PERF_HES_UPTODATE;
	/* In a slot that it never left, it goes on in its period. */
	if (flags & PERF_EF_START)
		pvg_start(event, 0);
	return 0;
}

static void pvg_del(struct perf_event *event, int flags)
{
	struct pvg_cpu *cpu = this_cpu_ptr(&pvg_cpus);
	struct pvg_slot *slot = slot_of(cpu, event);

	if (pvg_counts_nothing(&event->hw) || WARN_ON_ONCE(!slot))
		return;
	event->hw.state |= PERF_HES_STOPPED | PERF_HES_UPTODATE;
	slot->want = false;
	slot->end = pvg_context_time(event);
	cpu->closing |= BIT(pvg_id(&event->hw));
	cpu->dirty |= BIT(pvg_id(&event->hw));
	flush_unless_bracketed(cpu);
}

static void read_now(struct pvg_cpu *cpu, struct pvg_slot *slot, u32 id)
{
	struct pvg_line line;

	/* A host that is gone wrote this line before it was seen last. */
	if (slot->on && cpu->live &&
	    pvg_absent(pvg_call(cpu, PVPMU_OP_READ, id, 0, 0)))
		cpu->lost = true;
	else
		pvg_harvest(cpu, id, pvg_clock(), &line, false);
}

static void pvg_read(struct perf_event *event)
{
	struct pvg_cpu *cpu = this_cpu_ptr(&pvg_cpus);
	struct pvg_slot *slot = slot_of(cpu, event);
	u32 id = pvg_id(&event->hw);
	u32 group;

	if (!slot || cpu->closing & BIT(id))
		return;
	/* From an NMI, or from a probe in the middle of a flush. */
	if (in_nmi() || cpu->busy) {
		read_now(cpu, slot, id);
		return;
	}
	if (cpu->txn & PERF_PMU_TXN_READ) {
		cpu->reading |= BIT(id);
		return;
	}
	/* All of a group have the same times, see times.c. */
	group = pvg_group(cpu, cpu->used & ~cpu->closing, event);
	pvg_flush(cpu, group);
	pvg_times_publish(cpu, group);
}

static void pvg_start_txn(struct pmu *pmu, unsigned int flags)
{
	struct pvg_cpu *cpu = this_cpu_ptr(&pvg_cpus);

	cpu->txn = flags;
	cpu->reading = 0;
	if (flags & PERF_PMU_TXN_ADD)
		pvg_disable(pmu);
}

static void pvg_cancel_txn(struct pmu *pmu)
{
	struct pvg_cpu *cpu = this_cpu_ptr(&pvg_cpus);
	unsigned int flags = cpu->txn;

	cpu->txn = 0;
	if (flags & PERF_PMU_TXN_ADD)
		pvg_enable(pmu);
}

static int pvg_commit_txn(struct pmu *pmu)
{
	struct pvg_cpu *cpu = this_cpu_ptr(&pvg_cpus);

	if (cpu->txn & PERF_PMU_TXN_READ) {
		cpu->txn = 0;
		if (cpu->reading) {
			pvg_flush(cpu, cpu->reading);
			pvg_times_publish(cpu, cpu->reading);
		}
		return 0;
	}
	/* Each add has seen to it by itself that it fits. */
	pvg_cancel_txn(pmu);
	return 0;
}

struct pmu pvg_pmu = {
	.module = THIS_MODULE,
	.attr_groups = pvg_groups,
	.pmu_enable = pvg_enable,
	.pmu_disable = pvg_disable,
	.event_init = pvg_event_init,
	.add = pvg_add,
	.del = pvg_del,
	.start = pvg_start,
	.stop = pvg_stop,
	.read = pvg_read,
	.start_txn = pvg_start_txn,
	.cancel_txn = pvg_cancel_txn,
	.commit_txn = pvg_commit_txn,
	.sched_task = pvg_sched_task,
	.event_idx = pvg_rdpmc_index,
	.event_mapped = pvg_rdpmc_mapped,
	.event_unmapped = pvg_rdpmc_unmapped,
};

/* Can an event of this type be had without us? */
static bool served(u32 type)
{
	struct perf_event_attr attr = {
		.type = type,
		.size = sizeof(attr),
		.disabled = 1,
	};
	struct perf_event *event;

	event = perf_event_create_kernel_counter(&attr, cpumask_first(cpu_online_mask),
						 NULL, NULL, NULL);
	if (!IS_ERR(event))
		perf_event_release_kernel(event);
	return !IS_ERR(event) || PTR_ERR(event) != -ENOENT;
}

/**
 * pvg_pmu_register() - offers the PMU to perf
 *
 * perf looks for its own generic events in the PMU of type PERF_TYPE_RAW.  If
 * nobody is that yet, we are, with the name that tools look for on x86.
 * Otherwise the guest has hardware counters: we come beside them under our own
 * name, for whole CPUs only, for perf has one hardware context per task.
 */
int pvg_pmu_register(void)
{
	if (served(PERF_TYPE_HARDWARE) || served(PERF_TYPE_RAW)) {
		pvg_pmu.task_ctx_nr = perf_invalid_context;
		return perf_pmu_register(&pvg_pmu, "pvpmu", -1);
	}
	pvg_pmu.capabilities |= PVG_PMU_CAPS;
	pvg_pmu.task_ctx_nr = perf_hw_context;
	return perf_pmu_register(&pvg_pmu, "cpu", PERF_TYPE_RAW);
}

/* All events are gone; see pvg_hold() for what else must not be there. */
void pvg_pmu_unregister(void)
{
	pvg_pmu_forget(&pvg_pmu);
}
