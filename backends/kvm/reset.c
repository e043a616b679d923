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

static void notrace entered(unsigned long ip, unsigned long caller,
			    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	if (pk_vcpu_find((struct kvm_vcpu *)pk_hook_arg0(fregs)))
		pk_divert(ops, fregs, caller);
}

/*
 * Runs instead of kvm_vcpu_reset() for a vCPU that called.
 *
 * Context: process, the vCPU's thread or one that holds its mutex.
 */
static void replace_reset(struct kvm_vcpu *kvm_vcpu, bool init_event)
{
	void (*original)(struct kvm_vcpu *, bool) = pk_hook_reset.original;

	pk_hook_enter();
	begin_anew(kvm_vcpu);
	original(kvm_vcpu, init_event);
	pk_hook_leave();
}

struct pk_hook pk_hook_reset = {
	.symbol = "kvm_vcpu_reset",
	.entered = entered,
	.replacement = replace_reset,
};

/*
 * Runs instead of kvm_arch_vcpu_ioctl_set_mpstate() for a vCPU that called.
 *
 * Context: process, the vCPU's mutex is held.
 */
static int replace_mp_state(struct kvm_vcpu *kvm_vcpu,
			    struct kvm_mp_state *state)
{
	int (*original)(struct kvm_vcpu *, struct kvm_mp_state *) =
		pk_hook_mp_state.original;
	int err;

	pk_hook_enter();
	begin_anew(kvm_vcpu);
	err = original(kvm_vcpu, state);
	pk_hook_leave();
	return err;
}

struct pk_hook pk_hook_mp_state = {
	.symbol = "kvm_arch_vcpu_ioctl_set_mpstate",
	.entered = entered,
	.replacement = replace_mp_state,
};
