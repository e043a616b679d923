// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmu in Xen: Intel's architectural performance monitoring, version 2 and
 * later
 *
 * Written from Intel's manual (volume 3, performance monitoring); no emulator
 * runs it, so what is known of it is what tests/unit checks on a register file
 * of memory.
 *
 * General counters are numbered from 0 here, fixed ones, each of which counts
 * one event, from FIXED.  One register gates them all: in an HVM guest it is
 * loaded at each entry and cleared at each exit, so that what Xen does for the
 * guest is not counted.
 */
#include <xen/nospec.h>
#include <asm/hvm/vmx/vmcs.h>
#include <asm/msr.h>
#include <asm/processor.h>

#include "hw.h"

#define GENERAL_MOST 16u
#define FIXED 16u
#define FIXED_MOST 3u

#define SELECT(n) (0x186u + (n))
#define COUNT(n) (0xc1u + (n))
#define COUNT_FULL(n) (0x4c1u + (n))
#define FIXED_COUNT(n) (0x309u + (n))
#define TSX_FORCE_ABORT 0x10fu
#define CAPABILITIES 0x345u
#define FIXED_CTRL 0x38du
#define GLOBAL_STATUS 0x38eu
#define GLOBAL_CTRL 0x38fu
#define GLOBAL_RESET 0x390u /* OVF_CTRL before version 4 */

#define CAPABILITIES_FULL_WRITE (1ull << 13)
#define FORCE_ABORT_RTM (1ull << 0)

/* The general counter that microcode uses as long as there are transactions */
#define MICROCODES 3u

#define SELECT_USER (1ull << 16)
#define SELECT_SYSTEM (1ull << 17)
#define SELECT_INTERRUPT (1ull << 20)
#define SELECT_ENABLE (1ull << 22)

/* Four bits for each fixed counter */
#define FIXED_SYSTEM 1ull
#define FIXED_USER 2ull
#define FIXED_INTERRUPT 8ull

/* Version 4: counters stand still while these are set */
#define STATUS_LBR_FROZEN (1ull << 58)
#define STATUS_COUNTERS_FROZEN (1ull << 59)

#define CPUID_PDCM (1u << 15) /* 1 ECX */
#define CPUID_FEATURES 7u
#define CPUID_TSX_FORCE_ABORT (1u << 13) /* 7 EDX */
#define CPUID_PERFMON 0xau

/* The event of the third fixed counter has no number */
#define REFERENCE_CYCLES 0x0300u

/**
 * struct intel_event - an architectural event
 * @select: event select and unit mask
 * @bit: of CPUID leaf 0xa EBX, set if the CPU does not have it
 * @fixed: fixed counter that counts it, plus 1
 * @general: so do all the others
 */
struct intel_event {
	u16 select;
	u8 bit;
	u8 fixed;
	bool general;
};

static const struct intel_event events[PVPMU_HW_END] = {
	[PVPMU_HW_CYCLES] = { 0x003c, 0, 2, true },
	[PVPMU_HW_INSTRUCTIONS] = { 0x00c0, 1, 1, true },
	[PVPMU_HW_CACHE_REFERENCES] = { 0x4f2e, 3, 0, true },
	[PVPMU_HW_CACHE_MISSES] = { 0x412e, 4, 0, true },
	[PVPMU_HW_BRANCHES] = { 0x00c4, 5, 0, true },
	[PVPMU_HW_BRANCH_MISSES] = { 0x00c5, 6, 0, true },
	[PVPMU_HW_BUS_CYCLES] = { 0x013c, 2, 0, true },
	[PVPMU_HW_REF_CYCLES] = { REFERENCE_CYCLES, 2, 3, false },
};

static u32 __read_mostly version;
static u32 __read_mostly general, fixed; /* how many */
static u32 __read_mostly general_usable; /* which of them are ours */
static u32 __read_mostly general_width, fixed_width;
static u32 __read_mostly absent; /* architectural events that are not there */
static bool __read_mostly full_write;

static bool is_fixed(u32 phys)
{
	return phys >= FIXED;
}

static u32 least(u32 a, u32 b)
{
	return a < b ? a : b;
}

static bool is_width(u32 width)
{
	return width >= 32 && width < 64;
}

/* CPUs with TSX_FORCE_ABORT: Xen has chosen at boot. */
static bool microcode_has_one(void)
{
	u64 chosen;

	if (boot_cpu_data.cpuid_level < (int)CPUID_FEATURES ||
	    !(cpuid_edx(CPUID_FEATURES) & CPUID_TSX_FORCE_ABORT))
		return false;
	rdmsrl(TSX_FORCE_ABORT, chosen);
	return !(chosen & FORCE_ABORT_RTM);
}

static bool intel_probe(void)
{
	u32 eax, ebx, ecx, edx;
	u64 capabilities = 0;

	if (boot_cpu_data.x86_vendor != X86_VENDOR_INTEL ||
	    boot_cpu_data.cpuid_level < (int)CPUID_PERFMON)
		return false;
	cpuid(CPUID_PERFMON, &eax, &ebx, &ecx, &edx);
	version = eax & 0xff;
	general = least(eax >> 8 & 0xff, GENERAL_MOST);
	general_usable = (1u << general) - 1;
	if (microcode_has_one())
		general_usable &= ~(1u << MICROCODES);
	general_width = eax >> 16 & 0xff;
	absent = ebx | ~0u << least(eax >> 24, 7);
	fixed = least(edx & 0x1f, FIXED_MOST);
	fixed_width = edx >> 5 & 0xff;
	if (cpuid_ecx(1) & CPUID_PDCM)
		rdmsrl(CAPABILITIES, capabilities);
	full_write = capabilities & CAPABILITIES_FULL_WRITE;
	return version >= 2 && general && is_width(general_width) &&
	       (!fixed || is_width(fixed_width));
}

static u64 intel_event(const struct pvpmu_desc *desc, u32 *fits)
{
	const struct intel_event *event;

	*fits = 0;
	if (desc->type != PVPMU_TYPE_HARDWARE)
		return 0;
	event = &events[array_index_nospec(desc->config, PVPMU_HW_END)];
	if (!event->select || absent & 1u << event->bit)
		return 0;
	if (event->general)
		*fits = general_usable;
	if (event->fixed && event->fixed <= fixed)
		*fits |= 1u << (FIXED + event->fixed - 1);
	return *fits ? event->select : 0;
}

/* Before the first counter: an entry of the list that is loaded at each entry */
static bool intel_prepare(struct pvpmu_xen *x)
{
	if (!is_hvm_vcpu(x->v))
		return true;
	return !vmx_add_msr(x->v, GLOBAL_CTRL, 0, VMX_MSR_HOST) &&
	       !vmx_add_msr(x->v, GLOBAL_CTRL, 0, VMX_MSR_GUEST_LOADONLY);
}

/* As the gating register and the status have them */
static u64 global_bits(u32 phys)
{
	return (phys & ((1u << FIXED) - 1)) | (u64)(phys >> FIXED) << 32;
}

static u64 all_bits(void)
{
	return ((1ull << general) - 1) | ((1ull << fixed) - 1) << 32;
}

/* Firmware leaves the general counters gated on, others their overflows. */
static void intel_begin(struct pvpmu_xen *x)
{
	u64 reset = all_bits();

	if (version >= 4)
		reset |= STATUS_LBR_FROZEN | STATUS_COUNTERS_FROZEN;
	wrmsrl(GLOBAL_CTRL, 0);
	wrmsrl(GLOBAL_RESET, reset);
}

static void intel_write(u32 phys, u64 value)
{
	if (is_fixed(phys))
		wrmsrl(FIXED_COUNT(phys - FIXED), value);
	else
		wrmsrl(full_write ? COUNT_FULL(phys) : COUNT(phys), value);
}

static u64 intel_read(u32 phys)
{
	u64 value;

	if (is_fixed(phys))
		rdmsrl(FIXED_COUNT(phys - FIXED), value);
	else
		rdmsrl(COUNT(phys), value);
	return value;
}

static void program_fixed(struct pvpmu_xen *x, u32 n, u32 modes)
{
	u64 bits = FIXED_INTERRUPT;

	if (modes & PVPMU_HW_USER)
		bits |= FIXED_USER;
	if (modes & PVPMU_HW_SYSTEM)
		bits |= FIXED_SYSTEM;
	x->fixed |= bits << 4 * n;
	wrmsrl(FIXED_CTRL, x->fixed);
}

static void intel_program(struct pvpmu_xen *x, u32 phys, u64 event, u32 modes,
			  u64 value)
{
	u64 select = event | SELECT_INTERRUPT | SELECT_ENABLE;

	intel_write(phys, value);
	if (is_fixed(phys)) {
		program_fixed(x, phys - FIXED, modes);
		return;
	}
	if (modes & PVPMU_HW_USER)
		select |= SELECT_USER;
	if (modes & PVPMU_HW_SYSTEM)
		select |= SELECT_SYSTEM;
	wrmsrl(SELECT(phys), select);
}

static void intel_gate(struct pvpmu_xen *x, u32 phys)
{
	u64 bits = global_bits(phys);

	if (is_hvm_vcpu(x->v))
		vmx_find_msr(x->v, GLOBAL_CTRL, VMX_MSR_GUEST_LOADONLY)->data =
			bits;
	else
		wrmsrl(GLOBAL_CTRL, bits);
}

static void intel_stop(struct pvpmu_xen *x, u32 phys)
{
	if (is_fixed(phys)) {
		x->fixed &= ~(0xfull << 4 * (phys - FIXED));
		wrmsrl(FIXED_CTRL, x->fixed);
	} else {
		wrmsrl(SELECT(phys), 0);
	}
}

static u64 intel_mask(u32 phys)
{
	return (1ull << (is_fixed(phys) ? fixed_width : general_width)) - 1;
}

/* Without the full write, bit 31 is copied into all above it. */
static u64 intel_far(u32 phys)
{
	if (is_fixed(phys))
		return 1ull << (fixed_width - 1);
	return full_write ? 1ull << (general_width - 1) : 1ull << 31;
}

/*
 * On some CPUs of family 6 a counter that is exactly 0 when its overflow is
 * reset interrupts again, and again.  An HVM guest's stands still at its exit, so
 * that is not rare.  It is moved by one, as Xen's own vPMU does it.
 */
static void move_from_zero(u64 status)
{
	u32 phys, n;

	for (n = 0; n < general + fixed; n++) {
		phys = n < general ? n : FIXED + n - general;
		if (status & global_bits(1u << phys) && !intel_read(phys))
			intel_write(phys, 1);
	}
}

/* An overflow that is not reset does not interrupt again.  What is frozen then,
 * where someone had switched that on, would stay so. */
static void intel_ack(void)
{
	u64 mine = all_bits();
	u64 status;

	if (version >= 4)
		mine |= STATUS_LBR_FROZEN | STATUS_COUNTERS_FROZEN;
	rdmsrl(GLOBAL_STATUS, status);
	if (boot_cpu_data.x86 == 6)
		move_from_zero(status);
	if (status & mine)
		wrmsrl(GLOBAL_RESET, status & mine);
}

const struct pvpmu_hw pvpmu_hw_intel = {
	.name = "Intel architectural counters",
	.probe = intel_probe,
	.event = intel_event,
	.prepare = intel_prepare,
	.begin = intel_begin,
	.program = intel_program,
	.gate = intel_gate,
	.stop = intel_stop,
	.read = intel_read,
	.write = intel_write,
	.mask = intel_mask,
	.far = intel_far,
	.ack = intel_ack,
};
