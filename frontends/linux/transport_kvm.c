// SPDX-License-Identifier: GPL-2.0
/* A guest of KVM, or of what calls like it. */
#include "pvpmu.h"

#include <linux/io.h>
#include <asm/kvm_para.h>

#include "cpuid.h"

static bool kvm_probe(void)
{
	return boot_cpu_has(X86_FEATURE_HYPERVISOR) &&
	       !cpuid_base_hypervisor("XenVMMXenVMM", 2);
}

static void kvm_cpuid_leaf(u32 leaf, u32 regs[4])
{
	cpuid(leaf, &regs[0], &regs[1], &regs[2], &regs[3]);
}

static s64 kvm_call(u32 number, u32 op, u32 a, u32 b, u32 c)
{
	return kvm_hypercall4(number, op, a, b, c);
}

static u64 kvm_frame(void *page)
{
	return virt_to_phys(page) / PVPMU_AREA_SIZE;
}

const struct pvg_transport pvg_transport_kvm = {
	.name = "KVM",
	.probe = kvm_probe,
	.cpuid = kvm_cpuid_leaf,
	.call = kvm_call,
	.frame = kvm_frame,
};
