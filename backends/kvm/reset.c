// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmu on KVM: vCPUs that begin anew
 *
 * A guest that is reset, or replaced by an older state of itself, did not let
 * its area go.  What runs in its memory then has other plans for the page, so
 * not a byte of it may be written any more: the vCPU's area and events end.
 *
 * KVM resets a vCPU by itself (INIT, and on AMD after a triple fault).  A VMM
 * does it by loading registers, which it does for other reasons too; but none
 * sets the multiprocessing state of a vCPU that it does not reset or load
 * whole.  One that does all the same costs its guest a second of counts.
 */
#include "hook.h"
#include "pvpmu_kvm.h"

static void begin_anew(struct kvm_vcpu *kvm_vcpu)
{
	struct pk_vcpu *vcpu = pk_vcpu_find(kvm_vcpu);

	if (vcpu)
		pk_vcpu_detach(vcpu);
}

static bool notrace wanted(const struct kvm_vcpu *vcpu)
{
	return pk_vcpu_find(vcpu);
}

PVPMU_CALLEE(pk_reset, "kvm_vcpu_reset", void(struct kvm_vcpu *, bool));

/*
 * Runs instead of kvm_vcpu_reset() for a vCPU that called.
 *
 * Context: process, the vCPU's thread or one that holds its mutex.
 */
static void replace_reset(struct kvm_vcpu *kvm_vcpu, bool init_event)
{
	pk_hook_enter();
	begin_anew(kvm_vcpu);
	static_call(pk_reset)(kvm_vcpu, init_event);
	pk_hook_leave();
}

PK_HOOK(reset, PK_UNLESS_ZERO, wanted, replace_reset,
	[atomic] "i"(&pk_live_vcpus));

PVPMU_CALLEE(pk_mp_state, "kvm_arch_vcpu_ioctl_set_mpstate",
	  typeof(kvm_arch_vcpu_ioctl_set_mpstate));

/*
 * Runs instead of kvm_arch_vcpu_ioctl_set_mpstate() for a vCPU that called.
 *
 * Context: process, the vCPU's mutex is held.
 */
static int replace_mp_state(struct kvm_vcpu *kvm_vcpu,
			    struct kvm_mp_state *state)
{
	int err;

	pk_hook_enter();
	begin_anew(kvm_vcpu);
	err = static_call(pk_mp_state)(kvm_vcpu, state);
	pk_hook_leave();
	return err;
}

PK_HOOK(mp_state, PK_UNLESS_ZERO, wanted, replace_mp_state,
	[atomic] "i"(&pk_live_vcpus));
