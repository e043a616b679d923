// SPDX-License-Identifier: GPL-2.0
/* The life of a CPU: on, off, and a timer that looks after its host. */
#include "pvpmu.h"

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/gfp.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/sched/clock.h>

/* How often a CPU looks after its host. */
#define CHECK_NS NSEC_PER_SEC
/* A line older than this is brought up to date then. */
#define STALE_NS (CHECK_NS / 2)
/* A throttled event is armed again after this. */
#define REARM_NS (10 * NSEC_PER_MSEC)

DEFINE_PER_CPU(struct pvg_cpu, pvg_cpus);

static enum cpuhp_state hotplug = CPUHP_INVALID;

/* Goes on in NMIs, and at the rate of perf's own.  Differences only. */
u64 pvg_clock(void)
{
	return sched_clock();
}

static void tell(struct pvg_cpu *cpu)
{
	static DEFINE_RATELIMIT_STATE(rate, 5 * HZ, 6);
	unsigned long notices = xchg(&cpu->notices, 0);
	int number = smp_processor_id();

	if (!notices || !__ratelimit(&rate))
		return;
	if (notices & BIT(PVG_NOTICE_STRANGE))
		pr_warn("CPU %d: the host answered %d to an update\n", number,
			cpu->refusal);
	if (notices & BIT(PVG_NOTICE_GONE))
		pr_info("CPU %d: the host has let go of our events%s\n", number,
			notices & BIT(PVG_NOTICE_BACK) ?
				", opened again" :
				"; they do not count until it is back");
	else if (notices & BIT(PVG_NOTICE_BACK))
		pr_info("CPU %d: the host is back, events opened again\n",
			number);
	if (notices & BIT(PVG_NOTICE_VERSION))
		pr_warn("CPU %d: the host's pvpmu is not of version %u, events do not count there\n",
			number, PVPMU_ABI_MAJOR);
	if (notices & BIT(PVG_NOTICE_REFUSED))
		pr_info("CPU %d: the host refused an event (%d), it does not count\n",
			number, cpu->refusal);
}

/* Where neither the scheduler's locks nor an NMI are in the way. */
static void work(struct irq_work *work)
{
	struct pvg_cpu *cpu = container_of(work, struct pvg_cpu, work);
	bool rearm = false;

	tell(cpu);
	pvg_pinned_resched(cpu);
	for_each_id(id, cpu->used)
		rearm |= cpu->slot[id].rearm;
	if (rearm) {
		cpu->ticking = true;
		hrtimer_start(&cpu->timer, ns_to_ktime(REARM_NS),
			      HRTIMER_MODE_REL_PINNED_HARD);
	}
}

/* Context: any, on @cpu. */
void pvg_notice(struct pvg_cpu *cpu, enum pvg_notice notice)
{
	set_bit(notice, &cpu->notices);
	irq_work_queue(&cpu->work);
}

/* Context: interrupts off, on @cpu; the scheduler's locks may be held. */
void pvg_timer_start(struct pvg_cpu *cpu)
{
	if (cpu->ticking || !cpu->allowed)
		return;
	cpu->ticking = true;
	hrtimer_start(&cpu->timer, ns_to_ktime(CHECK_NS),
		      HRTIMER_MODE_REL_PINNED_HARD);
}

/* Has the host given up on this event for good?  Another OPEN may do better. */
static bool failed(struct pvg_cpu *cpu, u32 id)
{
	struct pvg_line line;

	return cpu->slot[id].on && pvg_line(cpu, id, &line) &&
	       line.state == PVPMU_STATE_FAILED;
}

/*
 * Only while there are events here: arms those again that the host throttled,
 * opens those again that it refused or gave up, and reads those whose lines are
 * old.  An answer that there is no area tells of a host that knows nothing of
 * us; what was counted since a line was written last is lost then, so none may
 * get older than CHECK_NS and STALE_NS together.
 * Those that are pinned are looked at then.
 */
static enum hrtimer_restart check(struct hrtimer *timer)
{
	struct pvg_cpu *cpu = container_of(timer, struct pvg_cpu, timer);
	u64 now = pvg_clock();
	u32 read = 0;

	if (cpu != this_cpu_ptr(&pvg_cpus) || !cpu->used || !cpu->allowed) {
		cpu->ticking = false;
		return HRTIMER_NORESTART;
	}
	for_each_id(id, cpu->used & ~cpu->closing) {
		struct pvg_slot *slot = &cpu->slot[id];

		if (failed(cpu, id))
			pvg_restart_period(cpu, id, 0);
		if (slot->want && (!slot->on || slot->rearm))
			cpu->dirty |= BIT(id);
		if (slot->on && now - slot->seen >= STALE_NS)
			read |= BIT(id);
	}
	pvg_flush(cpu, read);
	pvg_room_check(cpu, now);
	for_each_id(id, cpu->used & ~cpu->closing)
		pvg_pinned_look(cpu, id);
	hrtimer_forward_now(timer, ns_to_ktime(CHECK_NS));
	return HRTIMER_RESTART;
}

static void start(struct pvg_cpu *cpu)
{
	unsigned long flags;

	local_irq_save(flags);
	cpu->allowed = true;
	cpu->retry_at = 0;
	cpu->retries = 0;
	pvg_switch_cpu(cpu, true);
	if (pvg_setup(cpu) == PVPMU_OK)
		cpu->dirty |= cpu->used;
	pvg_flush(cpu, 0);
	local_irq_restore(flags);
}

/* Context: interrupts off, on the CPU.  The signature is smp_call's. */
void pvg_cpu_stop(void *unused)
{
	struct pvg_cpu *cpu = this_cpu_ptr(&pvg_cpus);

	if (!cpu->allowed)
		return;
	pvg_suspend(cpu);
	cpu->allowed = false;
	pvg_lvtpc_close();
	pvg_switch_cpu(cpu, false);
}

static int online(unsigned int number)
{
	start(this_cpu_ptr(&pvg_cpus));
	return 0;
}

static int offline(unsigned int number)
{
	struct pvg_cpu *cpu = this_cpu_ptr(&pvg_cpus);
	unsigned long flags;

	local_irq_save(flags);
	pvg_cpu_stop(NULL);
	local_irq_restore(flags);
	hrtimer_cancel(&cpu->timer);
	cpu->ticking = false;
	irq_work_sync(&cpu->work);
	return 0;
}

/*
 * The machine goes to sleep, or gives way to one that slept: what runs next in
 * our memory does not know that the host writes there.  Context: as
 * pvg_cpu_resume().
 */
int pvg_cpu_suspend(void)
{
	struct pvg_cpu *cpu = this_cpu_ptr(&pvg_cpus);

	if (cpu->allowed)
		pvg_suspend(cpu);
	return 0;
}

/*
 * The machine slept, or was another one.  Context: interrupts off, on the only
 * CPU that is on.
 */
void pvg_cpu_resume(void)
{
	struct pvg_cpu *cpu = this_cpu_ptr(&pvg_cpus);

	if (!cpu->allowed)
		return;
	pvg_suspend(cpu);
	start(cpu);
	/* Nothing is tried while there are no events: say it now. */
	if (!cpu->live)
		pvg_notice(cpu, PVG_NOTICE_GONE);
}

/* Context: process. */
int pvg_cpus_alloc(void)
{
	int number;

	for_each_possible_cpu(number) {
		struct pvg_cpu *cpu = per_cpu_ptr(&pvg_cpus, number);

		cpu->area = (void *)get_zeroed_page(GFP_KERNEL);
		if (!cpu->area) {
			pvg_cpus_free();
			return -ENOMEM;
		}
		pvg_timer_init(&cpu->timer, check, CLOCK_MONOTONIC,
			       HRTIMER_MODE_REL_PINNED_HARD);
		cpu->work = IRQ_WORK_INIT_HARD(work);
		cpu->host.slots = PVPMU_MAX_SLOTS;
		cpu->host.header = PVPMU_HEADER_SIZE;
		cpu->host.stride = PVPMU_SLOT_SIZE;
	}
	return 0;
}

void pvg_cpus_free(void)
{
	int number;

	for_each_possible_cpu(number)
		free_page((unsigned long)per_cpu(pvg_cpus, number).area);
}

/* Context: process. */
int pvg_cpus_on(void)
{
	int result = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "perf/pvpmu:online",
				       online, offline);

	if (result < 0)
		return result;
	hotplug = result;
	return 0;
}

void pvg_cpus_off(void)
{
	cpuhp_remove_state(hotplug);
}
