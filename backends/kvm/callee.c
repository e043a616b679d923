// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmu on KVM: functions of the kernel that are called by their address
 *
 * Linux 7 exports them to KVM's own modules alone.  That none of them goes away
 * while it is called is seen to by the tracepoint that KVM exports and this module
 * uses: because of it, kvm.ko stays as long as this module does.
 */
#include <pvpmu/callee_kernel.h>

#include "callee.h"
#include "compat.h"

PVPMU_CALLEE(pk_cache_init, "kvm_gfn_to_hva_cache_init",
	     typeof(kvm_gfn_to_hva_cache_init));
PVPMU_CALLEE(pk_mark_dirty, "mark_page_dirty_in_slot",
	     typeof(mark_page_dirty_in_slot));
PVPMU_CALLEE(pk_skip_instruction, "kvm_skip_emulated_instruction",
	     int(struct kvm_vcpu *));
PVPMU_CALLEE(pk_kick, PK_KICK, pk_kick_type);
PVPMU_CALLEE(pk_is_kvm, "file_is_kvm", typeof(file_is_kvm));
PVPMU_CALLEE(pk_pmu_capability, "perf_get_x86_pmu_capability",
	     typeof(perf_get_x86_pmu_capability));

static const struct pvpmu_callee *const callees[] = {
	&pk_cache_init_callee, &pk_mark_dirty_callee, &pk_skip_instruction_callee,
	&pk_kick_callee,	    &pk_is_kvm_callee,	&pk_pmu_capability_callee,
};

/**
 * pk_callees_find() - finds all of them
 *
 * Context: Process, sleeps; before any is called.
 * Return: 0, or -ENOENT after a line in the log that says which is missing.
 */
int pk_callees_find(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(callees); i++) {
		if (pvpmu_callee_find(callees[i]))
			continue;
		pr_err("pvpmu: this kernel has no function %s\n",
		       callees[i]->symbol);
		return -ENOENT;
	}
	return 0;
}

int pk_cache_init(struct kvm *kvm, struct gfn_to_hva_cache *cache, gpa_t gpa,
		  unsigned long len)
{
	return static_call(pk_cache_init)(kvm, cache, gpa, len);
}

void pk_mark_dirty(struct kvm *kvm, const struct kvm_memory_slot *slot,
		   gfn_t gfn)
{
	static_call(pk_mark_dirty)(kvm, slot, gfn);
}

int pk_skip_instruction(struct kvm_vcpu *vcpu)
{
	return static_call(pk_skip_instruction)(vcpu);
}

void pk_kick(struct kvm_vcpu *vcpu)
{
	pk_kick_with(static_call(pk_kick), vcpu);
}

bool pk_file_is_kvm(struct file *file)
{
	return static_call(pk_is_kvm)(file);
}

void pk_pmu_capability(struct x86_pmu_capability *capability)
{
	static_call(pk_pmu_capability)(capability);
}
