// SPDX-License-Identifier: GPL-2.0
/* pvpmu on KVM: what the guest asks for, by hypercall and by CPUID */
#include <linux/kvm_para.h>

#include "hook.h"
#include "pvpmu_kvm.h"

/*
 * A guest that speaks Xen's or Hyper-V's language cannot reach us, so it does not
 * see us either.
 */
static __always_inline bool takes_kvm_hypercalls(const struct kvm_vcpu *vcpu)
{
	return !pk_speaks_hyperv(vcpu) && !pk_speaks_xen(vcpu);
}

/**
 * struct caller - what KVM's answer to an unknown hypercall tells of the caller
 * @wide: it is in 64 bit mode, all of its registers count
 * @kernel: it is in the most privileged mode
 */
struct caller {
	bool wide;
	bool kernel;
};

/*
 * KVM answers "unknown" to our number if the caller is in ring 0, otherwise
 * "not permitted"; 64 bits of it to a caller in 64 bit mode, otherwise 32.  If
 * there is another answer, KVM did not take the call for one of its own.
 */
static bool caller_of(const struct kvm_vcpu *vcpu, u64 number,
		      struct caller *caller)
{
	u64 answer = vcpu->arch.regs[VCPU_REGS_RAX];

	switch (answer) {
	case (u64)-KVM_ENOSYS:
	case (u32)-KVM_ENOSYS:
		caller->kernel = true;
		break;
	case (u64)-KVM_EPERM:
	case (u32)-KVM_EPERM:
		caller->kernel = false;
		break;
	default:
		return false;
	}
	if (pk_runs_nested(vcpu))
		caller->kernel = false;
	caller->wide = answer >> 32;
	return !caller->wide || number == PK_HYPERCALL;
}

static s32 serve(struct pk_vcpu *vcpu, const struct pvpmu_call *call)
{
	s32 result = -KVM_ENOSYS;

	pk_vcpu_lock(vcpu);
	if (READ_ONCE(pk_enabled) && !vcpu->gone)
		result = pvpmu_call(&vcpu->core, call);
	pk_vcpu_unlock(vcpu);
	return result;
}

PVPMU_CALLEE(pk_hypercall, "kvm_emulate_hypercall", int(struct kvm_vcpu *));

/*
 * Runs instead of kvm_emulate_hypercall() for our number.  The original runs
 * first all the same: it does what KVM does for each hypercall (tracepoint,
 * statistics, skipping the instruction, single-stepping), and checks who
 * called.  Only its answer is replaced.
 *
 * Context: the vCPU's own.
 */
static int replace_hypercall(struct kvm_vcpu *kvm_vcpu)
{
	unsigned long *regs = kvm_vcpu->arch.regs;
	struct pvpmu_call call = {
		.op = regs[VCPU_REGS_RBX],
		.arg = { regs[VCPU_REGS_RCX], regs[VCPU_REGS_RDX],
			 regs[VCPU_REGS_RSI] },
	};
	u64 number = regs[VCPU_REGS_RAX];
	struct pk_vcpu *vcpu;
	struct caller caller;
	s32 result;
	int ret;

	pk_hook_enter();
	ret = static_call(pk_hypercall)(kvm_vcpu);
	if (!caller_of(kvm_vcpu, number, &caller))
		goto out;
	/* Without memory for it, the vCPU has no pvpmu: KVM's answer holds. */
	vcpu = pk_vcpu_get(kvm_vcpu);
	if (!vcpu)
		goto out;
	call.kernel = caller.kernel;
	result = serve(vcpu, &call);
	regs[VCPU_REGS_RAX] = caller.wide ? (u64)result : (u32)result;
out:
	pk_hook_leave();
	return ret;
}

static bool notrace hypercall_wanted(const struct kvm_vcpu *vcpu)
{
	return READ_ONCE(pk_enabled) && takes_kvm_hypercalls(vcpu);
}

PK_HOOK(hypercall,
	"cmpl %[number], %c[rax](%%rdi)\n"
	"jne 9f\n",
	hypercall_wanted, replace_hypercall, [number] "i"(PK_HYPERCALL),
	[rax] "i"(offsetof(struct kvm_vcpu, arch.regs[VCPU_REGS_RAX])));

PVPMU_CALLEE(pk_cpuid, "kvm_cpuid",
	  bool(struct kvm_vcpu *, u32 *, u32 *, u32 *, u32 *, bool));

/*
 * Runs instead of kvm_cpuid() for our leaves.
 *
 * Context: the vCPU's own.
 */
static bool replace_cpuid(struct kvm_vcpu *kvm_vcpu, u32 *eax, u32 *ebx,
			  u32 *ecx, u32 *edx, bool exact_only)
{
	struct pvpmu_limits limits;
	struct pvpmu_vm to_come;
	struct pk_vcpu *vcpu;
	u32 regs[4];
	bool exact;

	pk_hook_enter();
	vcpu = pk_vcpu_find(kvm_vcpu);
	if (!vcpu) {
		limits = pk_limits();
		pvpmu_vm_init(&to_come, &limits);
	}
	if (pvpmu_cpuid(vcpu ? &vcpu->vm->core : &to_come, &pk_ops,
			PK_CPUID_BASE, *eax, regs)) {
		*eax = regs[0];
		*ebx = regs[1];
		*ecx = regs[2];
		*edx = regs[3];
		exact = true;
	} else {
		exact = static_call(pk_cpuid)(kvm_vcpu, eax, ebx, ecx, edx,
					      exact_only);
	}
	pk_hook_leave();
	return exact;
}

static bool notrace cpuid_wanted(const struct kvm_vcpu *vcpu)
{
	return READ_ONCE(pk_enabled) && takes_kvm_hypercalls(vcpu);
}

PK_HOOK_CALLED_BY("kvm_emulate_cpuid", cpuid,
	"movl (%%rsi), %%eax\n"
	"subl %[base], %%eax\n"
	"cmpl %[leaves], %%eax\n"
	"ja 9f\n",
	cpuid_wanted, replace_cpuid, [base] "i"(PK_CPUID_BASE),
	[leaves] "i"(PVPMU_CPUID_LEAVES));
