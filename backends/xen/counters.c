/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvpmu in Xen: what counts
 *
 * AMD's core counters, and what Xen knows by itself.
 *
 * A PV guest runs in ring 3, kernel and user space alike, and Xen alone in ring
 * 0: its counters count user mode only, and one that is to count only one of
 * the two is switched where the guest goes from one to the other.  An HVM
 * guest's counters count what is between VMRUN and #VMEXIT.
 */
#include <xen/softirq.h>
#include <asm/apic.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <irq_vectors.h>

#include "pvpmu_xen.h"

#define AMD_SELECT(n) (0xc0010200u + 2 * (n))
#define AMD_COUNT(n) (0xc0010201u + 2 * (n))
#define AMD_COUNTERS 6u
#define AMD_MASK ((1ull << 48) - 1)

#define AMD_USER (1ull << 16)
#define AMD_SYSTEM (1ull << 17)
#define AMD_INTERRUPT (1ull << 20)
#define AMD_ENABLE (1ull << 22)
#define AMD_GUEST_ONLY (1ull << 40)

#define AMD_CPUID_PERFCTR_CORE (1u << 23) /* 0x80000001 ECX */

#define ALL_COUNTERS ((1u << AMD_COUNTERS) - 1)

/* Event select and unit mask for family 17h and later, 0 where there is none */
static const u16 amd_hardware[PVPMU_HW_END] = {
	[PVPMU_HW_CYCLES] = 0x0076,	      [PVPMU_HW_INSTRUCTIONS] = 0x00c0,
	[PVPMU_HW_CACHE_REFERENCES] = 0xff60, [PVPMU_HW_CACHE_MISSES] = 0x0964,
	[PVPMU_HW_BRANCHES] = 0x00c2,	      [PVPMU_HW_BRANCH_MISSES] = 0x00c3,
};

static const struct {
	u32 config;
	u16 select;
} amd_cache[] = {
#define CACHE(cache, op, result)                              \
	PVPMU_CACHE(PVPMU_CACHE_##cache, PVPMU_CACHE_OP_##op, \
		    PVPMU_CACHE_##result)
	{ CACHE(L1D, READ, ACCESS), 0x0040 },
	{ CACHE(L1D, READ, MISS), 0xc860 },
	{ CACHE(L1D, PREFETCH, ACCESS), 0xff5a },
	{ CACHE(L1I, READ, ACCESS), 0x0080 },
	{ CACHE(L1I, READ, MISS), 0x0081 },
	{ CACHE(DTLB, READ, ACCESS), 0xff45 },
	{ CACHE(DTLB, READ, MISS), 0xf045 },
	{ CACHE(ITLB, READ, ACCESS), 0x0084 },
	{ CACHE(ITLB, READ, MISS), 0xff85 },
	{ CACHE(BPU, READ, ACCESS), 0x00c2 },
	{ CACHE(BPU, READ, MISS), 0x00c3 },
#undef CACHE
};

bool __init pvpmu_counters_init(void)
{
	if (!(boot_cpu_data.x86_vendor & (X86_VENDOR_AMD | X86_VENDOR_HYGON)) ||
	    boot_cpu_data.x86 < 0x17)
		return false;
	return cpuid_ecx(0x80000001) & AMD_CPUID_PERFCTR_CORE;
}

/* The event select of what a physical counter counts, 0 for anything else. */
static u64 amd_event(const struct pvpmu_desc *desc)
{
	unsigned int i;

	switch (desc->type) {
	case PVPMU_TYPE_HARDWARE:
		return amd_hardware[desc->config];
	case PVPMU_TYPE_CACHE:
		for (i = 0; i < ARRAY_SIZE(amd_cache); i++)
			if (amd_cache[i].config == desc->config)
				return amd_cache[i].select;
		return 0;
	default:
		return 0;
	}
}

static bool is_clock(u32 type)
{
	return type == PVPMU_TYPE_CLOCK;
}

static u32 soft_caps(const struct pvpmu_desc *desc)
{
	if (is_clock(desc->type))
		return PVPMU_CAP_COUNT | PVPMU_CAP_SAMPLE;
	if (desc->type == PVPMU_TYPE_HYPERVISOR &&
	    desc->config != PVPMU_HV_EXITS)
		return PVPMU_CAP_COUNT;
	return 0;
}

u32 pvpmu_counters_query(struct pvpmu_vcpu *core, const struct pvpmu_desc *desc)
{
	if (!amd_event(desc))
		return soft_caps(desc);
	/* Kernel and user space of a 32 bit PV guest look the same to the CPU,
	 * and nobody tells us when it goes from one to the other. */
	if (is_pv_32bit_vcpu(pvpmu_of(core)->v))
		return PVPMU_CAP_COUNT | PVPMU_CAP_SAMPLE;
	return PVPMU_CAP_COUNT | PVPMU_CAP_SAMPLE | PVPMU_CAP_EXCLUDE_USER |
	       PVPMU_CAP_EXCLUDE_KERNEL;
}

enum pvpmu_answer pvpmu_counters_create(struct pvpmu_vcpu *core, u32 counter,
					const struct pvpmu_desc *desc)
{
	struct pvpmu_xen *x = pvpmu_of(core);
	u64 select = amd_event(desc);

	x->counter[counter].type = desc->type;
	x->counter[counter].config = desc->config;
	x->counter[counter].flags = 0;
	x->counter[counter].due = 0;
	pvpmu_sched_create(&x->sched, counter, select ? ALL_COUNTERS : 0,
			   desc->group);
	if (is_hvm_vcpu(x->v)) {
		select |= AMD_GUEST_ONLY;
		if (!(desc->flags & PVPMU_FLAG_EXCLUDE_USER))
			select |= AMD_USER;
		if (!(desc->flags & PVPMU_FLAG_EXCLUDE_KERNEL))
			select |= AMD_SYSTEM;
	} else {
		select |= AMD_USER;
		x->counter[counter].flags = desc->flags;
	}
	x->counter[counter].select = select;
	return PVPMU_DONE;
}

bool pvpmu_counters_fit(struct pvpmu_vcpu *core, const struct pvpmu_desc *desc,
			u64 counters)
{
	return pvpmu_sched_fit(&pvpmu_of(core)->sched,
			       amd_event(desc) ? ALL_COUNTERS : 0, counters);
}

/* Does it count in the mode that its PV guest is in? */
static u64 enable_bit(const struct pvpmu_xen *x, u32 counter)
{
	u32 excluded = x->v->arch.flags & TF_kernel_mode
			       ? PVPMU_FLAG_EXCLUDE_KERNEL
			       : PVPMU_FLAG_EXCLUDE_USER;

	return x->counter[counter].flags & excluded ? 0 : AMD_ENABLE;
}

static u64 soft_value(struct pvpmu_xen *x, u32 counter)
{
	struct vcpu_runstate_info runstate;

	if (is_clock(x->counter[counter].type))
		return pvpmu_sched_time(&x->sched);
	switch (x->counter[counter].config) {
	case PVPMU_HV_STEAL:
		vcpu_runstate_get(x->v, &runstate);
		return runstate.time[RUNSTATE_runnable];
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
		u64 due = x->counter[__builtin_ctzll(rest)].due;

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
	x->counter[counter].base = soft_value(x, counter);
	if (!left)
		return;
	x->counter[counter].due = NOW() + left;
	x->clocks |= 1ull << counter;
	arm_clock(x);
}

static u64 soft_read(struct pvpmu_xen *x, u32 counter)
{
	return soft_value(x, counter) - x->counter[counter].base;
}

static u64 soft_stop(struct pvpmu_xen *x, u32 counter)
{
	if (x->clocks & 1ull << counter) {
		x->clocks &= ~(1ull << counter);
		arm_clock(x);
	}
	return soft_read(x, counter);
}

static void program(struct pvpmu_sched *sched, u32 counter, u32 phys, u64 left)
{
	struct pvpmu_xen *x = pvpmu_of_sched(sched);
	u64 select = x->counter[counter].select;

	if (phys == PVPMU_SCHED_SOFT) {
		soft_program(x, counter, left);
		return;
	}
	if (left) {
		select |= AMD_INTERRUPT;
		apic_write(APIC_LVTPC, PMU_APIC_VECTOR);
	}
	x->counter[counter].base = -left & AMD_MASK;
	x->phys[phys] = counter;
	x->armed[phys] = select;
	if (x->counter[counter].flags)
		x->filtered |= 1u << phys;
	x->v->arch.pvpmu_filtered = x->filtered;
	wrmsrl(AMD_SELECT(phys), 0);
	wrmsrl(AMD_COUNT(phys), x->counter[counter].base);
	wrmsrl(AMD_SELECT(phys), select | enable_bit(x, counter));
	atomic_inc(&pvpmu_loaded);
}

static u64 read(struct pvpmu_sched *sched, u32 counter, u32 phys)
{
	struct pvpmu_xen *x = pvpmu_of_sched(sched);
	u64 value;

	if (phys == PVPMU_SCHED_SOFT)
		return soft_read(x, counter);
	rdmsrl(AMD_COUNT(phys), value);
	return (value - x->counter[counter].base) & AMD_MASK;
}

static u64 stop(struct pvpmu_sched *sched, u32 counter, u32 phys)
{
	struct pvpmu_xen *x = pvpmu_of_sched(sched);
	u64 more;

	if (phys == PVPMU_SCHED_SOFT)
		return soft_stop(x, counter);
	wrmsrl(AMD_SELECT(phys), 0);
	more = read(sched, counter, phys);
	wrmsrl(AMD_COUNT(phys), 0);
	x->filtered &= ~(1u << phys);
	x->v->arch.pvpmu_filtered = x->filtered;
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

/* A timer that fired a little early is set again. */
void pvpmu_counters_polled(struct pvpmu_xen *x)
{
	if (x->clocks)
		arm_clock(x);
}

/* A PV guest went from user to kernel mode, or back. */
void pvpmu_toggled(struct vcpu *v)
{
	const struct pvpmu_xen *x = v->arch.pvpmu;
	u32 rest;

	for (rest = x->filtered; rest; rest &= rest - 1) {
		u32 phys = __builtin_ctz(rest);

		wrmsrl(AMD_SELECT(phys),
		       x->armed[phys] | enable_bit(x, x->phys[phys]));
	}
}

/* Only a hint: what overflowed is found from the counts. */
void pvpmu_interrupt(void)
{
	if (!pvpmu_on)
		return;
	apic_write(APIC_LVTPC, PMU_APIC_VECTOR);
	raise_softirq(PVPMU_SOFTIRQ);
}
