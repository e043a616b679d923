/* SPDX-License-Identifier: GPL-2.0 */
/* What KVM and perf keep to themselves: functions that are called by address */
#ifndef PK_CALLEE_H
#define PK_CALLEE_H

#include <linux/kvm_host.h>
#include <asm/perf_event.h>

int pk_callees_find(void);

/* KVM's or perf's function of a similar name each; not before the above */
int pk_cache_init(struct kvm *kvm, struct gfn_to_hva_cache *cache, gpa_t gpa,
		  unsigned long len);
void pk_mark_dirty(struct kvm *kvm, const struct kvm_memory_slot *slot,
		   gfn_t gfn);
int pk_skip_instruction(struct kvm_vcpu *vcpu);
void pk_kick(struct kvm_vcpu *vcpu);
bool pk_file_is_kvm(struct file *file);
void pk_pmu_capability(struct x86_pmu_capability *capability);

#endif /* PK_CALLEE_H */
