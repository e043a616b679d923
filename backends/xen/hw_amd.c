// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmu in Xen: AMD's core counters, and Hygon's
 *
 * Four in families before 15h, at the addresses of old; six with the extension
 * that came with it.  Each is switched by a bit of its own, and has a bit that
 * makes it count between VMRUN and #VMEXIT only.
 */
#include <xen/nospec.h>
#include <asm/msr.h>
#include <asm/processor.h>

#include "compat.h"
#include "hw.h"

#define OLD_SELECT 0xc0010000u
#define OLD_COUNT 0xc0010004u
#define OLD_COUNTERS 4u
#define NEW_SELECT 0xc0010200u
#define NEW_COUNT 0xc0010201u
#define NEW_COUNTERS 6u

#define SELECT_USER (1ull << 16)
#define SELECT_SYSTEM (1ull << 17)
#define SELECT_INTERRUPT (1ull << 20)
#define SELECT_ENABLE (1ull << 22)
#define SELECT_GUEST_ONLY (1ull << 40)

#define WIDTH 48

#define CPUID_PERFCTR_CORE (1u << 23) /* 0x80000001 ECX */

/* PerfMonV2, Zen 4 and later: registers for all counters at once */
#define CPUID_PERFMON 0x80000022u
#define PERFMON_V2 (1u << 0) /* EAX */
#define GLOBAL_STATUS 0xc0000300u
#define GLOBAL_CTRL 0xc0000301u
#define GLOBAL_STATUS_CLEAR 0xc0000302u

/* Counters stand still, and branches are not recorded, while these are set */
#define STATUS_LBR_FROZEN (1ull << 58)
#define STATUS_COUNTERS_FROZEN (1ull << 59)

/* Event select and unit mask, 0 where there is none */
struct cache_event {
	u32 config;
	u16 select;
};

/**
 * struct amd_family - what its counters are told
 * @hardware: by PVPMU_HW_*
 * @cache: ends with select 0
 */
struct amd_family {
	u16 hardware[PVPMU_HW_END];
	struct cache_event cache[16];
};

#define CACHE(cache, op, result)                              \
	PVPMU_CACHE(PVPMU_CACHE_##cache, PVPMU_CACHE_OP_##op, \
		    PVPMU_CACHE_##result)

/* 10h to 16h */
static const struct amd_family family_10h = {
	.hardware = {
		[PVPMU_HW_CYCLES] = 0x0076,
		[PVPMU_HW_INSTRUCTIONS] = 0x00c0,
		[PVPMU_HW_CACHE_REFERENCES] = 0x077d,
		[PVPMU_HW_CACHE_MISSES] = 0x077e,
		[PVPMU_HW_BRANCHES] = 0x00c2,
		[PVPMU_HW_BRANCH_MISSES] = 0x00c3,
		[PVPMU_HW_STALLED_FRONTEND] = 0x00d0,
		[PVPMU_HW_STALLED_BACKEND] = 0x00d1,
	},
	.cache = {
		{ CACHE(L1D, READ, ACCESS), 0x0040 },
		{ CACHE(L1D, READ, MISS), 0x0141 },
		{ CACHE(L1I, READ, ACCESS), 0x0080 },
		{ CACHE(L1I, READ, MISS), 0x0081 },
		{ CACHE(ITLB, READ, ACCESS), 0x0080 },
		{ CACHE(ITLB, READ, MISS), 0x0385 },
		{ CACHE(BPU, READ, ACCESS), 0x00c2 },
		{ CACHE(BPU, READ, MISS), 0x00c3 },
	},
};

/* 17h and later */
static const struct amd_family family_17h = {
	.hardware = {
		[PVPMU_HW_CYCLES] = 0x0076,
		[PVPMU_HW_INSTRUCTIONS] = 0x00c0,
		[PVPMU_HW_CACHE_REFERENCES] = 0xff60,
		[PVPMU_HW_CACHE_MISSES] = 0x0964,
		[PVPMU_HW_BRANCHES] = 0x00c2,
		[PVPMU_HW_BRANCH_MISSES] = 0x00c3,
	},
	.cache = {
		{ CACHE(L1D, READ, ACCESS), 0x0040 },
		{ CACHE(L1D, READ, MISS), 0xc860 },
		{ CACHE(L1D, PREFETCH, ACCESS), 0xff5a },
		{ CACHE(L1I, READ, ACCESS), 0x0080 },
		{ CACHE(L1I, READ, MISS), 0x0081 },
		{ CACHE(DTLB, READ, ACCESS), 0xff45 },
		{ CACHE(DTLB, READ, MISS), 0xf045 },
		{ CACHE(ITLB, READ, ACCESS), 0x0084 },
		{ CACHE(ITLB, READ, MISS), 0xff85 },
		{ CACHE(BPU, READ, ACCESS), 0x00c2 },
		{ CACHE(BPU, READ, MISS), 0x00c3 },
	},
};

static const struct amd_family *__read_mostly family;
static u32 __read_mostly counters;
static bool __read_mostly perfmon_v2;

static u32 select_of(u32 phys)
{
	return counters == NEW_COUNTERS ? NEW_SELECT + 2 * phys
					: OLD_SELECT + phys;
}

static u32 count_of(u32 phys)
{
	return counters == NEW_COUNTERS ? NEW_COUNT + 2 * phys
					: OLD_COUNT + phys;
}

/*
 * A hypervisor below this one may show the family without its counters: what is
 * written to them faults, or is gone.
 */
static bool keeps_what_is_written(void)
{
	const u64 trial = 0x123456;
	u64 value;

	if (wrmsr_safe(select_of(0), 0) || wrmsr_safe(count_of(0), trial) ||
	    pvpmu_rdmsr_safe(count_of(0), &value) || value != trial)
		return false;
	return !wrmsr_safe(count_of(0), 0);
}

static bool amd_probe(void)
{
	if (!(boot_cpu_data.x86_vendor & (X86_VENDOR_AMD | X86_VENDOR_HYGON)) ||
	    boot_cpu_data.x86 < 0x10)
		return false;
	family = boot_cpu_data.x86 < 0x17 ? &family_10h : &family_17h;
	counters = cpuid_ecx(0x80000001) & CPUID_PERFCTR_CORE ? NEW_COUNTERS
							      : OLD_COUNTERS;
	perfmon_v2 = boot_cpu_data.extended_cpuid_level >= CPUID_PERFMON &&
		     cpuid_eax(CPUID_PERFMON) & PERFMON_V2;
	return keeps_what_is_written();
}

/*
 * In family 15h the units of the core have counters of their own: the load and
 * store unit, the data cache and the execution units have all six, those that
 * a pair of cores shares, among them fetch and decode, the first three.
 */
static u32 fits_15h(u64 event)
{
	switch (event >> 4 & 0xf) {
	case 0x4:
	case 0xc:
		return 0x3f;
	default:
		return 0x07;
	}
}

static u64 event_of(const struct pvpmu_desc *desc)
{
	const struct cache_event *cache;

	if (desc->type == PVPMU_TYPE_HARDWARE)
		return family->hardware[array_index_nospec(desc->config,
							   PVPMU_HW_END)];
	if (desc->type != PVPMU_TYPE_CACHE)
		return 0;
	for (cache = family->cache; cache->select; cache++)
		if (cache->config == desc->config)
			return cache->select;
	return 0;
}

static u64 amd_event(const struct pvpmu_desc *desc, u32 *fits)
{
	u64 event = event_of(desc);

	*fits = 0;
	if (!event)
		return 0;
	*fits = boot_cpu_data.x86 == 0x15 ? fits_15h(event)
					  : (1u << counters) - 1;
	return event;
}

static void amd_stop(struct pvpmu_xen *x, u32 phys)
{
	wrmsrl(select_of(phys), 0);
}

static u64 amd_read(u32 phys)
{
	u64 value;

	rdmsrl(count_of(phys), value);
	return value;
}

static void amd_write(u32 phys, u64 value)
{
	wrmsrl(count_of(phys), value);
}

static u64 global_bits(void)
{
	return ((1ull << counters) - 1) | STATUS_LBR_FROZEN |
	       STATUS_COUNTERS_FROZEN;
}

/*
 * Each counter is switched by itself: nobody left one on.  But a kernel before
 * us may have left all of them off, and a guest whose DebugCtl has an overflow
 * freeze them may have left them frozen.
 */
static void amd_begin(struct pvpmu_xen *x)
{
	if (!perfmon_v2)
		return;
	wrmsrl(GLOBAL_STATUS_CLEAR, global_bits());
	wrmsrl(GLOBAL_CTRL, (1ull << counters) - 1);
}

static void amd_program(struct pvpmu_xen *x, u32 phys, u64 event, u32 modes,
			u64 value)
{
	u64 select = event | SELECT_INTERRUPT;

	if (modes & PVPMU_HW_USER)
		select |= SELECT_USER;
	if (modes & PVPMU_HW_SYSTEM)
		select |= SELECT_SYSTEM;
	if (is_hvm_vcpu(x->v))
		select |= SELECT_GUEST_ONLY;
	x->select[phys] = select;
	amd_write(phys, value);
}

static void amd_gate(struct pvpmu_xen *x, u32 phys)
{
	u32 rest;

	for (rest = (x->gate ^ phys) & x->running; rest; rest &= rest - 1) {
		u32 i = __builtin_ctz(rest);

		wrmsrl(select_of(i),
		       x->select[i] | (phys & 1u << i ? SELECT_ENABLE : 0));
	}
}

static u64 amd_mask(u32 phys)
{
	return (1ull << WIDTH) - 1;
}

static u64 amd_far(u32 phys)
{
	return 1ull << (WIDTH - 1);
}

/* A counter that wrapped goes on, and may do so again, unless that froze it. */
static void amd_ack(void)
{
	u64 status;

	if (!perfmon_v2)
		return;
	rdmsrl(GLOBAL_STATUS, status);
	if (status & global_bits())
		wrmsrl(GLOBAL_STATUS_CLEAR, status & global_bits());
}

const struct pvpmu_hw pvpmu_hw_amd = {
	.name = "AMD core counters",
	.probe = amd_probe,
	.event = amd_event,
	.begin = amd_begin,
	.program = amd_program,
	.gate = amd_gate,
	.stop = amd_stop,
	.read = amd_read,
	.write = amd_write,
	.mask = amd_mask,
	.far = amd_far,
	.ack = amd_ack,
};
