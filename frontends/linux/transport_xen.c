// SPDX-License-Identifier: GPL-2.0
/*
 * A guest of Xen: PV, PVH or HVM, dom0 as well.
 *
 * cpuid() is what it should be in all of them: in a PV guest, where the bare
 * instruction may show the hardware's leaves, it is the hypervisor's own.
 */
#include "pvpmu.h"

#include <linux/mm.h>
#include <xen/xen.h>
#include <asm/xen/hypercall.h>
#include <asm/xen/page.h>

#include "cpuid.h"

static bool xen_probe(void)
{
	return xen_domain();
}

static void xen_cpuid_leaf(u32 leaf, u32 regs[4])
{
	cpuid(leaf, &regs[0], &regs[1], &regs[2], &regs[3]);
}

/* The host's answers have 32 bits; a 32 bit kernel must not lose the sign. */
static s64 xen_call(u32 number, u32 op, u32 a, u32 b, u32 c)
{
	return xen_single_call(number, op, a, b, c, 0);
}

/* In a PV guest, that of the machine. */
static u64 xen_frame(void *page)
{
	return virt_to_gfn(page);
}

const struct pvg_transport pvg_transport_xen = {
	.name = "Xen",
	.probe = xen_probe,
	.cpuid = xen_cpuid_leaf,
	.call = xen_call,
	.frame = xen_frame,
};
