/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of Xen as backends/xen/counters.c and the families of counters need,
 * so that they can be run as a program.  The headers beside this one are what
 * they include; all of them are this one.
 */
#ifndef PVPMU_TESTS_XEN_SHIM_H
#define PVPMU_TESTS_XEN_SHIM_H

#include <pvpmu/env.h>

#define __init
#define __read_mostly
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define container_of(pointer, type, member) \
	((type *)((char *)(pointer) - offsetof(type, member)))
#define array_index_nospec(index, size) env_nospec(index, size)

typedef struct {
	int unused;
} spinlock_t;

typedef struct {
	int counter;
} atomic_t;

static inline void atomic_inc(atomic_t *v)
{
	v->counter++;
}

static inline void atomic_dec(atomic_t *v)
{
	v->counter--;
}

struct domain;
struct page_info;

struct vcpu {
	struct {
		unsigned long flags;
		struct pvpmu_xen *pvpmu;
		uint64_t pvpmu_exits;
		bool pvpmu_filtered;
	} arch;
	bool hvm;
	bool pv_32bit;
	u64 runnable; /* ns */
};

#define TF_kernel_mode 1ul
#define is_hvm_vcpu(v) ((v)->hvm)
#define is_pv_32bit_vcpu(v) ((v)->pv_32bit)

enum { RUNSTATE_running, RUNSTATE_runnable, RUNSTATES };

struct vcpu_runstate_info {
	u64 time[RUNSTATES];
};

void vcpu_runstate_get(const struct vcpu *v, struct vcpu_runstate_info *info);

struct timer {
	u64 at; /* 0: it is not set */
};

u64 shim_now(void);
#define NOW() shim_now()

static inline void set_timer(struct timer *timer, u64 at)
{
	timer->at = at;
}

static inline void stop_timer(struct timer *timer)
{
	timer->at = 0;
}

#define PVPMU_SOFTIRQ 5
void raise_softirq(unsigned int nr);

#define APIC_LVTPC 0x340
#define PMU_APIC_VECTOR 0xf7
void apic_write(unsigned int reg, u32 value);

u64 shim_rdmsr(u32 msr);
void wrmsrl(u32 msr, u64 value);
#define rdmsrl(msr, value) ((value) = shim_rdmsr(msr))
int wrmsr_safe(u32 msr, u64 value);
int shim_rdmsr_safe(u32 msr, u64 *value);
#define rdmsr_safe(msr, value) shim_rdmsr_safe(msr, &(value))

#define X86_VENDOR_INTEL (1 << 0)
#define X86_VENDOR_AMD (1 << 1)
#define X86_VENDOR_HYGON (1 << 5)

struct cpuinfo_x86 {
	u8 x86;
	u8 x86_vendor;
	int cpuid_level;
	u32 extended_cpuid_level;
};

extern struct cpuinfo_x86 boot_cpu_data;

void cpuid(u32 leaf, u32 *a, u32 *b, u32 *c, u32 *d);
u32 cpuid_eax(u32 leaf);
u32 cpuid_ecx(u32 leaf);
u32 cpuid_edx(u32 leaf);

enum vmx_msr_list_type {
	VMX_MSR_HOST,
	VMX_MSR_GUEST,
	VMX_MSR_GUEST_LOADONLY,
};

struct vmx_msr_entry {
	u64 data;
};

int vmx_add_msr(struct vcpu *v, u32 msr, u64 value,
		enum vmx_msr_list_type type);
struct vmx_msr_entry *vmx_find_msr(const struct vcpu *v, u32 msr,
				   enum vmx_msr_list_type type);

#endif /* PVPMU_TESTS_XEN_SHIM_H */
