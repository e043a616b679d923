// SPDX-License-Identifier: GPL-2.0
/*
 * The CPU's own event numbers, as tools write them for the PMU in hardware.
 *
 * A number that says the same as an event of perf's is that event: it needs no
 * permission, and goes on counting when the guest moves to another CPU.  Which
 * these are is a matter of the CPU that the guest's CPUID shows, for that is the
 * one that its tools look up.  Numbers are left out that Linux itself has used
 * for different events in different versions, for the host decides what it counts
 * for an event of perf's.
 */
#include "pvpmu.h"

#include <linux/errno.h>
#include <linux/kernel.h>
#include <asm/processor.h>

#include "config.h"

/**
 * struct same_event - an event of the CPU that is one of perf's
 * @number: event and unit mask, without any other bit
 * @hardware: PVPMU_HW_*
 */
struct same_event {
	u16 number;
	u16 hardware;
};

/**
 * struct family - what CPUs of some families have
 * @vendor: X86_VENDOR_*
 * @first: the first family
 * @last: the last family
 * @events: ends with a number of zero
 */
struct family {
	u8 vendor;
	u8 first;
	u8 last;
	const struct same_event *events;
};

/* Intel's architectural events, and its pseudo-code of the third fixed counter */
static const struct same_event architectural[] = {
	{ 0x003c, PVPMU_HW_CYCLES },
	{ 0x00c0, PVPMU_HW_INSTRUCTIONS },
	{ 0x4f2e, PVPMU_HW_CACHE_REFERENCES },
	{ 0x412e, PVPMU_HW_CACHE_MISSES },
	{ 0x00c4, PVPMU_HW_BRANCHES },
	{ 0x00c5, PVPMU_HW_BRANCH_MISSES },
	{ 0x013c, PVPMU_HW_BUS_CYCLES },
	{ 0x0300, PVPMU_HW_REF_CYCLES },
	{}
};

static const struct same_event until_16h[] = {
	{ 0x0076, PVPMU_HW_CYCLES },
	{ 0x00c0, PVPMU_HW_INSTRUCTIONS },
	{ 0x077d, PVPMU_HW_CACHE_REFERENCES },
	{ 0x077e, PVPMU_HW_CACHE_MISSES },
	{ 0x00c2, PVPMU_HW_BRANCHES },
	{ 0x00c3, PVPMU_HW_BRANCH_MISSES },
	{ 0x00d0, PVPMU_HW_STALLED_FRONTEND },
	{ 0x00d1, PVPMU_HW_STALLED_BACKEND },
	{}
};

static const struct same_event since_17h[] = {
	{ 0x0076, PVPMU_HW_CYCLES },
	{ 0x00c0, PVPMU_HW_INSTRUCTIONS },
	{ 0xff60, PVPMU_HW_CACHE_REFERENCES },
	{ 0x0964, PVPMU_HW_CACHE_MISSES },
	{ 0x00c2, PVPMU_HW_BRANCHES },
	{ 0x00c3, PVPMU_HW_BRANCH_MISSES },
	{}
};

static const struct family families[] = {
	{ X86_VENDOR_INTEL, 0x06, 0x06, architectural },
	{ X86_VENDOR_INTEL, 0x12, 0xff, architectural },
	{ X86_VENDOR_AMD, 0x0f, 0x16, until_16h },
	{ X86_VENDOR_AMD, 0x17, 0xff, since_17h },
	{ X86_VENDOR_HYGON, 0x18, 0xff, since_17h },
};

static const struct same_event *events_of_cpu(void)
{
	const struct cpuinfo_x86 *cpu = &boot_cpu_data;
	const struct family *family;

	for (family = families; family < families + ARRAY_SIZE(families);
	     family++)
		if (family->vendor == cpu->x86_vendor &&
		    family->first <= cpu->x86 && cpu->x86 <= family->last)
			return family->events;
	return NULL;
}

/* Do event numbers have twelve bits on this CPU?  Context: any. */
bool pvg_raw_is_wide(void)
{
	return boot_cpu_data.x86_vendor == X86_VENDOR_AMD ||
	       boot_cpu_data.x86_vendor == X86_VENDOR_HYGON;
}

/*
 * Bits that make another event of it.  Of Intel's upper half all: newer CPUs give
 * it a meaning.
 */
static u64 refused(void)
{
	const u64 changed = PVG_RAW_EDGE | PVG_RAW_INVERT | PVG_RAW_THRESHOLD;

	return pvg_raw_is_wide() ? changed :
				   changed | PVG_RAW_ANY | PVG_RAW_UPPER;
}

/**
 * pvg_raw() - what is an event number of the CPU?
 * @number: as in a register of the PMU in hardware
 * @type: PVPMU_TYPE_*
 * @config: according to @type
 *
 * Bits are dropped that the kernel sets by itself, as by perf's own code for x86:
 * tools leave some of them set.
 *
 * Context: any.
 * Return: 0, or -EINVAL: that is more than an event and a unit mask.
 */
int pvg_raw(u64 number, u32 *type, u64 *config)
{
	const struct same_event *same = events_of_cpu();

	if (number & refused())
		return -EINVAL;
	*type = PVPMU_TYPE_RAW;
	*config = number & (pvg_raw_is_wide() ? PVG_RAW_WIDE : PVG_RAW_NARROW);
	for (; same && same->number; same++) {
		if (*config != same->number)
			continue;
		*type = PVPMU_TYPE_HARDWARE;
		*config = same->hardware;
		return 0;
	}
	return 0;
}
