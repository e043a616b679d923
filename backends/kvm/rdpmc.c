// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmu on KVM: the guest's RDPMC
 *
 * KVM intercepts every RDPMC of a guest.  The processor looks at CR4.PCE and
 * the privilege level before it looks at the intercept, so what gets here is
 * allowed to execute it; which events it may read is core's to say.
 */
#include "callee.h"
#include "hook.h"
#include "pvpmu_kvm.h"

static u64 serve(struct kvm_vcpu *kvm_vcpu, u32 index)
{
	struct pk_vcpu *vcpu = pk_vcpu_find(kvm_vcpu);
	u64 value;

	if (!vcpu)
		return 0;
	pk_vcpu_lock(vcpu);
	value = pvpmu_rdpmc(&vcpu->core, index);
	pk_vcpu_unlock(vcpu);
	return value;
}

PVPMU_CALLEE(pk_rdpmc, "kvm_emulate_rdpmc", int(struct kvm_vcpu *));

/*
 * Runs instead of kvm_emulate_rdpmc() for our indices.
 *
 * Context: the vCPU's own.
 */
static int replace_rdpmc(struct kvm_vcpu *kvm_vcpu)
{
	unsigned long *regs = kvm_vcpu->arch.regs;
	u64 value;
	int ret;

	pk_hook_enter();
	value = serve(kvm_vcpu, regs[VCPU_REGS_RCX]);
	regs[VCPU_REGS_RAX] = (u32)value;
	regs[VCPU_REGS_RDX] = value >> 32;
	ret = pk_skip_instruction(kvm_vcpu);
	pk_hook_leave();
	return ret;
}

static bool notrace rdpmc_wanted(const struct kvm_vcpu *vcpu)
{
	return READ_ONCE(pk_enabled) && !pk_runs_nested(vcpu);
}

PK_HOOK(rdpmc,
	"movl %c[rcx](%%rdi), %%eax\n"
	"subl %[base], %%eax\n"
	"cmpl %[slots], %%eax\n"
	"jae 9f\n",
	rdpmc_wanted, replace_rdpmc, [base] "i"(PVPMU_RDPMC_BASE),
	[slots] "i"(PVPMU_MAX_SLOTS),
	[rcx] "i"(offsetof(struct kvm_vcpu, arch.regs[VCPU_REGS_RCX])));
