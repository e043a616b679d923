// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmu on KVM: from an overflow to the guest's interrupt
 *
 * The guest's page can be written in the vCPU's own context only, and it must
 * show the overflow before the interrupt arrives.  So the two are one step,
 * pvpmu_publish(), which happens in that context and nowhere else:
 *
 * - KVM_REQ_PMI has KVM call kvm_pmu_deliver_pmi() before the next entry into
 *   the guest.  That call is diverted to us while the vCPU is kicked.
 *
 * - A vCPU that halts does not enter its guest, and on some kernels does not
 *   look at that request either.  There kvm_vcpu_halt(), which every halting vCPU calls
 *   before it goes to sleep, is diverted too while the vCPU is kicked: it
 *   publishes and returns.  KVM finds the vCPU runnable if that interrupted
 *   its guest, and otherwise calls kvm_vcpu_halt() again.
 *
 * What remains is a vCPU that is kicked when it is already inside
 * kvm_vcpu_halt().  KVM_REQ_UNBLOCK and a wake-up lead it out of there, and it
 * comes by one of the two places above.  No order of events loses a kick:
 *
 *   kick (NMI, interrupt)               vCPU
 *   1. kicked = true                    a. state = HALTED
 *   2. request PMI                      b. enters kvm_vcpu_halt(): kicked?
 *   3. state HALTED: request UNBLOCK    c. before each sleep: UNBLOCK?
 *      and wake up                      d. sleeps
 *
 * 1 before b: published at b.  1 after b: then 3 is after a, so UNBLOCK is
 * seen at c, or wakes from d.  A request that is not needed costs one round of
 * KVM's loop.
 *
 * The interrupt is delivered by KVM's own function, as the guest's LVTPC says,
 * and only when core asks for it, which it does once for each change of the
 * pending word from zero: no kick by itself interrupts a guest.
 */
#include "callee.h"
#include "hook.h"
#include "pvpmu_kvm.h"

/* Leads a halted vCPU out of kvm_vcpu_halt().  Context: hard interrupt. */
static void wake(struct irq_work *work)
{
	struct pk_vcpu *vcpu = container_of(work, struct pk_vcpu, wake);
	struct kvm_vcpu *kvm_vcpu = vcpu->kvm_vcpu;

	if (!READ_ONCE(vcpu->kicked))
		return;
	if (READ_ONCE(kvm_vcpu->arch.mp_state) != KVM_MP_STATE_RUNNABLE)
		kvm_make_request(KVM_REQ_UNBLOCK, kvm_vcpu);
	pk_kick(kvm_vcpu);
}

void pk_wake_init(struct pk_vcpu *vcpu)
{
	init_irq_work(&vcpu->wake, wake);
}

/*
 * Waking is left out where the vCPU cannot be about to halt: in a hypercall,
 * and when the NMI was what made the guest exit.
 *
 * Context: NMI or hard interrupt on the CPU that runs the vCPU's thread, or
 * that thread.
 */
void pk_op_kick(struct pvpmu_vcpu *core)
{
	struct pk_vcpu *vcpu = to_pk(core);
	struct kvm_vcpu *kvm_vcpu = vcpu->kvm_vcpu;

	xchg(&vcpu->kicked, true);
	kvm_make_request(KVM_REQ_PMI, kvm_vcpu);
	if (in_task())
		return;
	if (!in_nmi())
		wake(&vcpu->wake);
	else if (READ_ONCE(kvm_vcpu->arch.handling_intr_from_guest) !=
		 PK_HANDLING_NMI)
		irq_work_queue(&vcpu->wake);
}

/**
 * pk_op_deliver() - LVTPC needs a local APIC, and it must be KVM's
 * @core: the vCPU
 * @delivery: checked by core
 * @port: not used
 *
 * Return: whether it can be done.
 */
bool pk_op_deliver(struct pvpmu_vcpu *core, u32 delivery, u32 port)
{
	return delivery != PVPMU_DELIVER_LVTPC ||
	       to_pk(core)->kvm_vcpu->arch.apic;
}

PVPMU_CALLEE(pk_pmi, "kvm_pmu_deliver_pmi", void(struct kvm_vcpu *));

/* LVTPC is all that is served.  Context: the vCPU's own. */
void pk_op_raise(struct pvpmu_vcpu *core, u32 delivery, u32 port)
{
	struct pk_vcpu *vcpu = to_pk(core);

	if (!vcpu->own)
		return;
	static_call(pk_pmi)(vcpu->kvm_vcpu);
	vcpu->raised = true;
}

/* Returns whether the guest was interrupted.  Context: the vCPU's own. */
static bool publish(struct pk_vcpu *vcpu)
{
	bool raised;

	pk_vcpu_lock(vcpu);
	vcpu->raised = false;
	pvpmu_publish(&vcpu->core);
	raised = vcpu->raised;
	pk_vcpu_unlock(vcpu);
	return raised;
}

/* A kicked vCPU that may publish now, without its kick */
static struct pk_vcpu *take_kicked(const struct kvm_vcpu *kvm_vcpu)
{
	struct pk_vcpu *vcpu = pk_vcpu_find(kvm_vcpu);

	if (vcpu)
		xchg(&vcpu->kicked, false);
	return vcpu;
}

static bool notrace is_kicked(const struct kvm_vcpu *kvm_vcpu)
{
	const struct pk_vcpu *vcpu = pk_vcpu_find(kvm_vcpu);

	return vcpu && READ_ONCE(vcpu->kicked);
}

/*
 * KVM's own virtual PMU makes the same request.  Where a guest has both, and
 * both asked at once, one interrupt serves both.  That KVM did is seen in a
 * register that the guest clears; where it has no such register, on AMD before
 * PerfMonV2, KVM never clears it, so it is taken here.
 */
static bool kvm_asked_too(struct kvm_vcpu *vcpu)
{
	struct kvm_pmu *pmu = &vcpu->arch.pmu;

	if (!pmu->version)
		return false;
	return pmu->version < 2 ? xchg(&pmu->global_status, 0) :
				  READ_ONCE(pmu->global_status);
}

/**
 * pk_kick_retract() - takes a kick back that was not published
 * @vcpu: its counters are gone
 *
 * If the vCPU has taken note of the request already it comes by, and finds
 * nothing to be published: so the kick itself stays.
 *
 * Context: foreign, locked, pk_hook_pmi is set.
 */
void pk_kick_retract(struct pk_vcpu *vcpu)
{
	if (READ_ONCE(vcpu->kicked) && !kvm_asked_too(vcpu->kvm_vcpu))
		kvm_clear_request(KVM_REQ_PMI, vcpu->kvm_vcpu);
}

/*
 * Runs instead of kvm_pmu_deliver_pmi() while the vCPU is kicked.
 *
 * Context: the vCPU's own.
 */
static void replace_pmi(struct kvm_vcpu *kvm_vcpu)
{
	struct pk_vcpu *vcpu;
	bool raised = false;

	pk_hook_enter();
	vcpu = take_kicked(kvm_vcpu);
	if (vcpu)
		raised = publish(vcpu);
	if (!raised && (!vcpu || kvm_asked_too(kvm_vcpu)))
		static_call(pk_pmi)(kvm_vcpu);
	pk_hook_leave();
}

/*
 * KVM's virtual PMU calls it in interrupts as well; those are not ours.  What
 * KVM delivers by itself it did not ask for any more afterwards.
 */
static bool notrace pmi_wanted(struct kvm_vcpu *vcpu)
{
	if (!in_task())
		return false;
	if (is_kicked(vcpu))
		return true;
	kvm_asked_too(vcpu);
	return false;
}

PK_HOOK(pmi, PK_UNLESS_ZERO, pmi_wanted, replace_pmi,
	[atomic] "i"(&pk_live_vcpus));

PVPMU_CALLEE(pk_halt, "kvm_vcpu_halt", typeof(kvm_vcpu_halt));

/*
 * Runs instead of kvm_vcpu_halt() while the vCPU is kicked.  The original is
 * not called from here: it may sleep for ever, and this module with it.
 *
 * The kick's request is taken first: left behind, it would have KVM interrupt
 * the guest once more.  A kick that comes in between asks again.
 *
 * Context: the vCPU's own, but without kvm->srcu.
 */
static void replace_halt(struct kvm_vcpu *kvm_vcpu)
{
	struct pk_vcpu *vcpu;
	int idx;

	pk_hook_enter();
	idx = srcu_read_lock(&kvm_vcpu->kvm->srcu);
	if (!kvm_asked_too(kvm_vcpu))
		kvm_clear_request(KVM_REQ_PMI, kvm_vcpu);
	vcpu = take_kicked(kvm_vcpu);
	if (vcpu)
		publish(vcpu);
	srcu_read_unlock(&kvm_vcpu->kvm->srcu, idx);
	pk_hook_leave();
}

static bool notrace halt_wanted(const struct kvm_vcpu *vcpu)
{
	return is_kicked(vcpu);
}

PK_HOOK(halt, PK_UNLESS_ZERO, halt_wanted, replace_halt,
	[atomic] "i"(&pk_live_vcpus));
