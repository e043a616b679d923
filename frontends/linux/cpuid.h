/* SPDX-License-Identifier: GPL-2.0 */
/* cpuid() and cpuid_base_hypervisor(), wherever the kernel has them */
#ifndef PVG_CPUID_H
#define PVG_CPUID_H

#include <asm/processor.h>

#include <probed.h>

#if PROBE_CPUID_API
#include <asm/cpuid/api.h>
#else
#define cpuid_base_hypervisor hypervisor_cpuid_base
#endif

#endif /* PVG_CPUID_H */
