/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvpmu in Xen: what counts
 *
 * Physical counters, of whatever family the CPU has, and what Xen knows by
 * itself.
 *
 * A PV guest runs in ring 3, kernel and user space alike, and Xen alone in ring
 * 0: its counters count user mode only, and one that is to count only one of
 * the two is switched where the guest goes from one to the other.  An HVM
 * guest's counters count between entry and exit.
 *
 * A physical counter always interrupts before it has gone all the way round, so
 * that nothing is lost of a vCPU that is never scheduled out.
 */
#include <xen/softirq.h>
#include <asm/apic.h>

#include "compat.h"
#include "hw.h"

static bool none_probe(void)
{
	return true;
}

static u64 none_event(const struct pvpmu_desc *desc, u32 *fits)
{
	*fits = 0;
	return 0;
}

static void none_ack(void)
{
}

/* A CPU without counters that are known: nothing is ever placed in one. */
static const struct pvpmu_hw none = {
	.name = "without counters: what Xen knows by itself, and the clock",
	.probe = none_probe,
	.event = none_event,
	.ack = none_ack,
};

static const struct pvpmu_hw *const families[] = {
	&pvpmu_hw_amd,
	&pvpmu_hw_intel,
	&none,
};

static const struct pvpmu_hw *__read_mostly hw;

/* What the CPU has */
const char *__init pvpmu_counters_init(void)
{
	const struct pvpmu_hw *const *family = families;

	while (!(*family)->probe())
		family++;
	hw = *family;
	return hw->name;
}

static bool is_clock(u32 type)
{
	return type == PVPMU_TYPE_CLOCK;
}

static u32 soft_caps(const struct pvpmu_xen *x, const struct pvpmu_desc *desc)
{
	if (is_clock(desc->type))
		return PVPMU_CAP_COUNT | PVPMU_CAP_SAMPLE;
	if (desc->type != PVPMU_TYPE_HYPERVISOR)
		return 0;
	/* A PV guest has a hundred ways into Xen, and nobody counts them. */
	if (desc->config == PVPMU_HV_EXITS && !is_hvm_vcpu(x->v))
		return 0;
	/* Xen does not tell exits by kind. */
	return desc->config <= PVPMU_HV_HALTS ? PVPMU_CAP_COUNT : 0;
}

u32 pvpmu_counters_query(struct pvpmu_vcpu *core, const struct pvpmu_desc *desc)
{
	const struct pvpmu_xen *x = pvpmu_of(core);
	u32 fits;

	if (!hw->event(desc, &fits))
		return soft_caps(x, desc);
	/* Kernel and user space of a 32 bit PV guest look the same to the CPU,
	 * and nobody tells us when it goes from one to the other. */
	if (is_pv_32bit_vcpu(x->v))
		return PVPMU_CAP_COUNT | PVPMU_CAP_SAMPLE;
	return PVPMU_CAP_COUNT | PVPMU_CAP_SAMPLE | PVPMU_CAP_EXCLUDE_USER |
	       PVPMU_CAP_EXCLUDE_KERNEL;
}

static u32 modes_of(const struct pvpmu_xen *x, u32 flags)
{
	u32 modes = 0;

	if (!is_hvm_vcpu(x->v))
		return PVPMU_HW_USER;
	if (!(flags & PVPMU_FLAG_EXCLUDE_USER))
		modes |= PVPMU_HW_USER;
	if (!(flags & PVPMU_FLAG_EXCLUDE_KERNEL))
		modes |= PVPMU_HW_SYSTEM;
	return modes;
}

static bool prepare(struct pvpmu_xen *x)
{
	if (!x->prepared)
		x->prepared = !hw->prepare || hw->prepare(x);
	return x->prepared;
}

enum pvpmu_answer pvpmu_counters_create(struct pvpmu_vcpu *core, u32 counter,
					const struct pvpmu_desc *desc)
{
	struct pvpmu_xen *x = pvpmu_of(core);
	struct pvpmu_xen_counter *c = &x->counter[counter];
	u32 fits;

	memset(c, 0, sizeof(*c));
	c->type = desc->type;
	c->config = desc->config;
	c->event = hw->event(desc, &fits);
	c->modes = modes_of(x, desc->flags);
	if (!is_hvm_vcpu(x->v))
		c->filter = desc->flags & (PVPMU_FLAG_EXCLUDE_USER |
					   PVPMU_FLAG_EXCLUDE_KERNEL);
	if (fits && !prepare(x))
		return PVPMU_LATER;
	pvpmu_sched_create(&x->sched, counter, desc, fits);
	return PVPMU_DONE;
}

bool pvpmu_counters_fit(struct pvpmu_vcpu *core, const struct pvpmu_desc *desc,
			u64 counters)
{
	u32 fits;

	hw->event(desc, &fits);
	return pvpmu_sched_fit(&pvpmu_of(core)->sched, fits, counters);
}

static u64 soft_value(struct pvpmu_xen *x, u32 counter)
{
	if (is_clock(x->counter[counter].type))
		return pvpmu_sched_time(&x->sched);
	switch (x->counter[counter].config) {
	case PVPMU_HV_EXITS:
		return x->v->arch.pvpmu_exits;
	case PVPMU_HV_STEAL:
		return x->stolen;
	case PVPMU_HV_PREEMPTIONS:
		return x->preempted;
	default:
		return x->halts;
	}
}

/* The clock timer, for the first clock event that overflows. */
static void arm_clock(struct pvpmu_xen *x)
{
	u64 first = ~0ull, rest;

	for (rest = x->clocks; rest; rest &= rest - 1) {
		u64 due = x->counter[__builtin_ctzll(rest)].left;

		if (due < first)
			first = due;
	}
	if (x->clocks)
		set_timer(&x->clock, first);
	else
		stop_timer(&x->clock);
}

static void soft_program(struct pvpmu_xen *x, u32 counter, u64 left)
{
	x->counter[counter].start = soft_value(x, counter);
	if (!left)
		return;
	x->counter[counter].left = NOW() + left;
	x->clocks |= 1ull << counter;
	arm_clock(x);
}

static u64 soft_read(struct pvpmu_xen *x, u32 counter)
{
	return soft_value(x, counter) - x->counter[counter].start;
}

static u64 soft_stop(struct pvpmu_xen *x, u32 counter)
{
	if (x->clocks & 1ull << counter) {
		x->clocks &= ~(1ull << counter);
		arm_clock(x);
	}
	return soft_read(x, counter);
}

/* Physical counters that count in the mode that the guest is in */
static u32 gate_of(const struct pvpmu_xen *x)
{
	u32 excluded = x->v->arch.flags & TF_kernel_mode
			       ? PVPMU_FLAG_EXCLUDE_KERNEL
			       : PVPMU_FLAG_EXCLUDE_USER;
	u32 gate = x->running;
	u32 rest;

	for (rest = x->filtered; rest; rest &= rest - 1) {
		u32 phys = __builtin_ctz(rest);

		if (x->counter[x->phys[phys]].filter & excluded)
			gate &= ~(1u << phys);
	}
	return gate;
}

static void set_gate(struct pvpmu_xen *x, u32 gate)
{
	hw->gate(x, gate);
	x->gate = gate;
}

/* How far it is allowed to go before it interrupts */
static u64 distance(const struct pvpmu_xen_counter *c, u32 phys)
{
	u64 far = hw->far(phys);
	u64 left = c->left - c->sum;

	return c->left && left < far ? left : far;
}

static void arm(struct pvpmu_xen_counter *c, u32 phys)
{
	c->start = -distance(c, phys) & hw->mask(phys);
}

static void program(struct pvpmu_sched *sched, u32 counter, u32 phys, u64 left)
{
	struct pvpmu_xen *x = pvpmu_of_sched(sched);
	struct pvpmu_xen_counter *c = &x->counter[counter];

	if (phys == PVPMU_SCHED_SOFT) {
		soft_program(x, counter, left);
		return;
	}
	if (!x->running) {
		hw->begin(x);
		apic_write(APIC_LVTPC, PMU_APIC_VECTOR);
	}
	c->sum = 0;
	c->left = left;
	arm(c, phys);
	hw->program(x, phys, c->event, c->modes, c->start);
	x->phys[phys] = counter;
	x->running |= 1u << phys;
	if (c->filter)
		x->filtered |= 1u << phys;
	x->v->arch.pvpmu_filtered = x->filtered;
	set_gate(x, gate_of(x));
	atomic_inc(&pvpmu_loaded);
}

static u64 read(struct pvpmu_sched *sched, u32 counter, u32 phys)
{
	struct pvpmu_xen *x = pvpmu_of_sched(sched);
	const struct pvpmu_xen_counter *c = &x->counter[counter];

	if (phys == PVPMU_SCHED_SOFT)
		return soft_read(x, counter);
	return c->sum + ((hw->read(phys) - c->start) & hw->mask(phys));
}

static u64 stop(struct pvpmu_sched *sched, u32 counter, u32 phys)
{
	struct pvpmu_xen *x = pvpmu_of_sched(sched);
	u64 more;

	if (phys == PVPMU_SCHED_SOFT)
		return soft_stop(x, counter);
	hw->stop(x, phys);
	more = read(sched, counter, phys);
	hw->write(phys, 0);
	x->running &= ~(1u << phys);
	x->filtered &= ~(1u << phys);
	x->v->arch.pvpmu_filtered = x->filtered;
	set_gate(x, x->gate & ~(1u << phys));
	atomic_dec(&pvpmu_loaded);
	return more;
}

static void wake(struct pvpmu_sched *sched, u64 ns)
{
	struct pvpmu_xen *x = pvpmu_of_sched(sched);

	if (ns)
		set_timer(&x->turn, NOW() + ns);
	else
		stop_timer(&x->turn);
}

const struct pvpmu_sched_ops pvpmu_sched_hw = {
	.program = program,
	.read = read,
	.stop = stop,
	.wake = wake,
};

/* One that has wrapped and is not at its mark goes on from where it is. */
static void go_on(struct pvpmu_xen *x, u32 phys)
{
	struct pvpmu_xen_counter *c = &x->counter[x->phys[phys]];
	u64 mask = hw->mask(phys);
	u64 since = (hw->read(phys) - c->start) & mask;

	if (since < (-c->start & mask))
		return;
	c->sum += since;
	arm(c, phys);
	hw->write(phys, c->start);
}

/* After pvpmu_sched_poll(): a timer that fired a little early is set again. */
void pvpmu_counters_polled(struct pvpmu_xen *x)
{
	u32 rest;

	if (x->clocks)
		arm_clock(x);
	for (rest = x->running; rest; rest &= rest - 1)
		go_on(x, __builtin_ctz(rest));
}

/* The vCPU is scheduled in.  What was stolen from it is seen after its counters
 * have begun to count again: so it is in the events that ran all the while. */
void pvpmu_counters_in(struct pvpmu_xen *x)
{
	struct vcpu_runstate_info runstate;

	pvpmu_sched_in(&x->sched);
	vcpu_runstate_get(x->v, &runstate);
	x->stolen = runstate.time[RUNSTATE_runnable];
}

/* A PV guest went from user to kernel mode, or back. */
void pvpmu_toggled(struct vcpu *v)
{
	struct pvpmu_xen *x = v->arch.pvpmu;

	set_gate(x, gate_of(x));
}

/* Only a hint: what overflowed is found from the counts. */
void pvpmu_interrupt(void)
{
	if (!pvpmu_on)
		return;
	/* Some mask the entry as they deliver; not before the cause is gone. */
	hw->ack();
	apic_write(APIC_LVTPC, PMU_APIC_VECTOR);
	raise_softirq(PVPMU_SOFTIRQ);
}
