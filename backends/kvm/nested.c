// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmu on KVM: guests of guests
 *
 * What a vCPU executes, the guest and a guest of its own in turns, is all
 * "guest" to the host's counters.  The two are told apart by differences: a
 * counter that leaves one of them out goes on counting all of it, and is read
 * each time that the other's turn begins.  Nothing is read, and nothing costs
 * more, where the guest has no guests.
 *
 * The turn is seen at kvm_init_mmu().  KVM switches between the address spaces
 * of the two there, on all processors and on all ways in and out, after it has
 * taken note of who is next and before that one runs.  It also calls it for
 * other reasons, and then nobody's turn ends.  Where KVM gives a guest's guest up
 * by force it does not come by; that is seen when the guest calls next.
 *
 * A counter that samples is parked while what runs is left out.
 */
#include "hook.h"
#include "pvpmu_kvm.h"

#define LEAVES_ONE_OUT (PVPMU_FLAG_EXCLUDE_GUEST | PVPMU_FLAG_EXCLUDE_HOST)

/**
 * pk_counts_now() - is it to count what the vCPU runs?
 * @counter: any
 *
 * Context: any; while the vCPU's lock is not held, its thread or an NMI there.
 */
bool pk_counts_now(const struct pk_counter *counter)
{
	u32 left_out = READ_ONCE(counter->vcpu->nested) ?
			       PVPMU_FLAG_EXCLUDE_GUEST :
			       PVPMU_FLAG_EXCLUDE_HOST;

	return !(counter->desc.flags & left_out);
}

/**
 * pk_count_of() - what a counter has counted of what it is to count
 * @counter: any
 * @count: event->count, not older than the last turn
 *
 * Context: as pk_counts_now().
 */
u64 pk_count_of(const struct pk_counter *counter, u64 count)
{
	u64 since = pk_counts_now(counter) ? count - counter->turned : 0;

	return READ_ONCE(counter->counted) + since;
}

/* Between its two writes an NMI finds too little counted, never too much. */
static void turn_counter(struct pk_counter *counter)
{
	u64 count, counted;

	pk_counter_update(counter);
	count = local64_read(&counter->event->count);
	counted = pk_count_of(counter, count);
	WRITE_ONCE(counter->turned, count);
	barrier();
	WRITE_ONCE(counter->counted, counted);
	if (counter->armed)
		pk_sampling_ask_adjust(counter);
}

/**
 * pk_turns_check() - sees whether a turn has ended
 * @vcpu: its guest has not run since
 *
 * Context: process, the vCPU's lock is held.
 */
void pk_turns_check(struct pk_vcpu *vcpu)
{
	bool nested = pk_runs_nested(vcpu->kvm_vcpu);
	unsigned long flags;
	u64 rest;

	if (likely(vcpu->nested == nested))
		return;
	local_irq_save(flags);
	for (rest = vcpu->core.made; rest; rest &= rest - 1) {
		struct pk_counter *counter = &vcpu->counter[__ffs(rest)];

		if (counter->event && counter->desc.flags & LEAVES_ONE_OUT)
			turn_counter(counter);
	}
	WRITE_ONCE(vcpu->nested, nested);
	local_irq_restore(flags);
}

PVPMU_CALLEE(pk_mmu, "kvm_init_mmu", void(struct kvm_vcpu *));

/*
 * Runs before kvm_init_mmu() where a turn ends.
 *
 * Context: process, the vCPU's mutex is held; nearly always its own thread.
 */
static void replace_mmu(struct kvm_vcpu *kvm_vcpu)
{
	struct pk_vcpu *vcpu;

	pk_hook_enter();
	vcpu = pk_vcpu_find(kvm_vcpu);
	if (vcpu) {
		pk_vcpu_lock_foreign(vcpu);
		pk_turns_check(vcpu);
		pk_vcpu_unlock_foreign(vcpu);
	}
	static_call(pk_mmu)(kvm_vcpu);
	pk_hook_leave();
}

static bool notrace mmu_wanted(const struct kvm_vcpu *kvm_vcpu)
{
	const struct pk_vcpu *vcpu = pk_vcpu_find(kvm_vcpu);

	return vcpu && READ_ONCE(vcpu->nested) != pk_runs_nested(kvm_vcpu);
}

PK_HOOK(mmu, PK_UNLESS_ZERO, mmu_wanted, replace_mmu,
	[atomic] "i"(&pk_live_vcpus));
