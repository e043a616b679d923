/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvpmu: what the rest of Xen sees of it.  Every hook is here; each returns at
 * once where pvpmu is off.
 */
#ifndef ASM_X86_PVPMU_H
#define ASM_X86_PVPMU_H

#include <xen/types.h>

struct cpuid_leaf;
struct domain;
struct vcpu;

/* A hypercall number that Xen leaves to architectures */
#define __HYPERVISOR_pvpmu_op __HYPERVISOR_arch_2

/* Where the discovery leaves are: above Xen's, wherever those are */
#define PVPMU_XEN_LEAVES 0x40000200u

/* The administrator wants it, and the CPU can do it. */
extern bool pvpmu_on;

int pvpmu_create(struct vcpu *v);
void pvpmu_destroy(struct vcpu *v);
void pvpmu_domain_destroy(struct domain *d);
/* Lets the guest's page and all counters go; the vCPU is current or does not
 * run. */
void pvpmu_detach(struct vcpu *v);

void pvpmu_switched_from(struct vcpu *prev);
void pvpmu_switched_to(struct vcpu *next);
void pvpmu_toggled(struct vcpu *v);
void pvpmu_interrupt(void);

void pvpmu_leaf(const struct vcpu *v, uint32_t leaf, struct cpuid_leaf *res);

static inline void pvpmu_switch_from(struct vcpu *prev)
{
	if (pvpmu_on)
		pvpmu_switched_from(prev);
}

static inline void pvpmu_switch_to(struct vcpu *next)
{
	if (pvpmu_on)
		pvpmu_switched_to(next);
}

#endif /* ASM_X86_PVPMU_H */
