/* SPDX-License-Identifier: GPL-2.0 */
/* What the Xen of this shim offers, see backends/xen/probes: as Xen 4.17 */
#define PROBE_ASM_IRQ_VECTORS 0
#define PROBE_IRQ_VECTORS 1
#define PROBE_PMU_OWNERSHIP 0
#define PROBE_APIC_MODE 0
#define PROBE_RDMSR_POINTER 0
