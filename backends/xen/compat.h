/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between versions of Xen, all of it.  What there is, is found by
 * compiling the file "probes".
 */
#ifndef PVPMU_COMPAT_H
#define PVPMU_COMPAT_H

#include <asm/apic.h>
#include <asm/apicdef.h>
#include <asm/msr.h>

#include <probed.h>

#if PROBE_ASM_IRQ_VECTORS
#include <asm/irq-vectors.h>
#elif PROBE_IRQ_VECTORS
#include <irq_vectors.h>
#else
#error "pvpmu: it is not known where this Xen's interrupt vectors are"
#endif

/* Nobody else uses the counters, and from now on nobody else will. */
#if PROBE_PMU_OWNERSHIP
#include <xen/xenoprof.h>
static inline bool pvpmu_own_counters(void)
{
	return acquire_pmu_ownership(PMU_OWNER_HVM);
}
#else
static inline bool pvpmu_own_counters(void)
{
	return true;
}
#endif

static inline int pvpmu_rdmsr_safe(unsigned int msr, uint64_t *value)
{
#if PROBE_RDMSR_POINTER
	return rdmsr_safe(msr, value);
#else
	return rdmsr_safe(msr, *value);
#endif
}

/* How the guest wants its LVTPC interrupt */
#if PROBE_APIC_MODE
#define PVPMU_LVTPC_MODE(lvtpc) GET_APIC_DELIVERY_MODE(lvtpc)
#define PVPMU_LVTPC_FIXED APIC_MODE_FIXED
#define PVPMU_LVTPC_NMI APIC_MODE_NMI
#else
#define PVPMU_LVTPC_MODE(lvtpc) ((lvtpc) & APIC_DM_MASK)
#define PVPMU_LVTPC_FIXED APIC_DM_FIXED
#define PVPMU_LVTPC_NMI APIC_DM_NMI
#endif

#endif /* PVPMU_COMPAT_H */
