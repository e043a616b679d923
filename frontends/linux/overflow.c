// SPDX-License-Identifier: GPL-2.0
/*
 * Overflows: the host's NMI becomes perf's sample.
 *
 * The pending word says which ids overflowed, their lines how far they have
 * counted, and the period goes on by itself: a sample makes no call.
 */
#include "pvpmu.h"

#include <linux/kernel.h>
#include <linux/sched.h>
#include <xen/xen.h>
#include <asm/apic.h>
#include <asm/nmi.h>
#include <asm/processor.h>

/* An NMI that was raised for an overflow may be this late. */
#define CLAIM_NS (100 * NSEC_PER_MSEC)

static int (*overflow)(struct perf_event *event, struct perf_sample_data *data,
		       struct pt_regs *regs);
static void (*sample_took)(u64 ns);
static bool lvtpc;
static bool pv_nmi; /* there is no local APIC, but Xen's NMI callback */

/*
 * On these CPUs the delivery of an LVTPC interrupt masks the entry.  Where it
 * does not, the write would be an exit for nothing.
 */
static bool lvtpc_masks;

/* What apic_write() does; later kernels do not let modules call that. */
static void write_lvtpc(u32 value)
{
	apic->write(APIC_LVTPC, value);
}

bool pvg_can_sample(void)
{
	return overflow && (lvtpc || pv_nmi);
}

/**
 * pvg_claim() - one NMI that finds nothing pending is ours
 * @cpu: this CPU
 *
 * The host may have raised it for an overflow that something else has taken
 * in the meantime: an NMI before it, or one sent for another reason.
 *
 * Context: any, on @cpu.
 */
void pvg_claim(struct pvg_cpu *cpu)
{
	WRITE_ONCE(cpu->claim_until, pvg_clock() + CLAIM_NS);
}

static bool claim(struct pvg_cpu *cpu)
{
	u64 until = READ_ONCE(cpu->claim_until);

	WRITE_ONCE(cpu->claim_until, 0);
	return until && pvg_clock() < until;
}

/*
 * perf does not expect a sample of an event that it has stopped or taken away,
 * nor, while it changes events, of one that would send a signal.  Nothing is
 * lost then but the place: the next sample's weight includes it.
 */
static bool unexpected(struct pvg_cpu *cpu, struct pvg_slot *slot, u32 id)
{
	return !slot->event || !slot->open || !slot->want ||
	       cpu->closing & BIT(id) || !is_sampling_event(slot->event) ||
	       (slot->event->attr.sigtrap && pvg_pmu_disabled());
}

/*
 * An event of user code can only overflow there, so if the NMI came a moment
 * later, in the kernel, the place is where the task left user code.
 */
static struct pt_regs *place(struct perf_event *event, struct pt_regs *regs,
			     struct pt_regs *room)
{
	if (!event->attr.exclude_kernel || user_mode(regs) ||
	    current->flags & PF_KTHREAD || !current->mm)
		return regs;
	return pvg_user_place(regs, room);
}

static void sample(struct pvg_cpu *cpu, u32 id, struct pt_regs *regs)
{
	struct pvg_slot *slot = &cpu->slot[id];
	struct perf_event *event = slot->event;
	struct perf_sample_data data;
	struct hw_perf_event *hwc;
	struct pvg_line line;
	struct pt_regs room;

	if (unexpected(cpu, slot, id) ||
	    !pvg_harvest(cpu, id, pvg_clock(), &line, false))
		return;
	hwc = &event->hw;
	if (line.throttled) {
		slot->rearm = true;
		irq_work_queue(&cpu->work);
	}
	if (line.overflow_total == slot->total)
		return;

	hwc->last_period = pvg_since(hwc) + line.overflow_total - slot->total;
	pvg_since(hwc) = 0;
	slot->total = line.overflow_total;
	slot->length = slot->reload;
	slot->reload = READ_ONCE(pvg_area_slot(cpu, id)->guest.next_period);
	/* A new period has begun: nothing for perf to start again. */
	local64_set(&hwc->period_left, 0);

	perf_sample_data_init(&data, 0, hwc->last_period);
	if (overflow(event, &data, place(event, regs, &room)))
		event->pmu->stop(event, 0);
	pvg_next_period(cpu, id);
}

/*
 * NMI.  One exchange for each: an overflow that comes later brings an NMI of
 * its own, and would leave it with nothing if it was taken here.
 *
 * perf is told how long it took, as by every PMU's driver: that is how it finds
 * out that samples take more of the CPU than perf_cpu_time_max_percent, and
 * lowers the rate.
 */
static int handler(unsigned int type, struct pt_regs *regs)
{
	struct pvg_cpu *cpu = this_cpu_ptr(&pvg_cpus);
	u32 *word = &pvg_area(cpu)->overflow.pending;
	u32 pending;
	u64 begin;

	if (!cpu->live)
		return claim(cpu) ? NMI_HANDLED : NMI_DONE;
	if (!READ_ONCE(*word) && !claim(cpu))
		return NMI_DONE;
	begin = pvg_clock();

	/* First, or what overflows after the exchange finds it masked. */
	if (lvtpc_masks)
		write_lvtpc(APIC_DM_NMI);
	pending = xchg(word, 0);
	if (!pending)
		return NMI_HANDLED;
	for_each_id(id, pending & GENMASK(cpu->host.slots - 1, 0))
		sample(cpu, id, regs);
	pvg_claim(cpu);
	if (sample_took)
		sample_took(pvg_clock() - begin);
	return NMI_HANDLED;
}

/**
 * pvg_lvtpc_open() - lets the host's interrupts in
 * @host: who is to send them
 *
 * Context: interrupts off, on the CPU that is to get them.
 * Return: the delivery to ask for.
 */
u32 pvg_lvtpc_open(const struct pvg_host *host)
{
	if (!pvg_can_sample())
		return PVPMU_DELIVER_NONE;
	if (pv_nmi && host->features & PVPMU_FEAT_PV_NMI)
		return PVPMU_DELIVER_PV_NMI;
	if (!lvtpc || !(host->features & PVPMU_FEAT_LVTPC))
		return PVPMU_DELIVER_NONE;
	write_lvtpc(APIC_DM_NMI);
	return PVPMU_DELIVER_LVTPC;
}

/* Context: as pvg_lvtpc_open().  A guest's own PMU has the entry as we do. */
void pvg_lvtpc_close(void)
{
	if (pvg_can_sample() && lvtpc &&
	    pvg_pmu.task_ctx_nr == perf_hw_context)
		write_lvtpc(APIC_DM_NMI | APIC_LVT_MASKED);
}

/* Finds out whether samples can be taken here.  Context: process. */
void pvg_overflow_init(void)
{
	pv_nmi = xen_pv_domain();
	lvtpc = !pv_nmi && boot_cpu_has(X86_FEATURE_APIC);
	lvtpc_masks = lvtpc && boot_cpu_data.x86_vendor != X86_VENDOR_AMD &&
		      boot_cpu_data.x86_vendor != X86_VENDOR_HYGON;
	overflow = pvg_resolve("perf_event_overflow");
	sample_took = pvg_resolve("perf_sample_event_took");
	if (!lvtpc && !pv_nmi)
		pr_info("no local APIC: events count, but cannot sample\n");
	if (!overflow)
		pr_info("perf_event_overflow not found: events count, but cannot sample\n");
}

/* Context: process. */
int pvg_overflow_on(void)
{
	if (!pvg_can_sample())
		return 0;
	return register_nmi_handler(NMI_LOCAL, handler, 0, "pvpmu");
}

void pvg_overflow_off(void)
{
	if (pvg_can_sample())
		unregister_nmi_handler(NMI_LOCAL, "pvpmu");
}
