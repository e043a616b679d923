// SPDX-License-Identifier: GPL-2.0
/* Is there a host that serves us, and how? */
#include "pvpmu.h"

#include <linux/errno.h>

/**
 * enum answer - what is at a base
 * @NOTHING: not pvpmu
 * @STRANGER: pvpmu, of a major version that is not ours
 * @OURS: a host for us
 */
enum answer { NOTHING, STRANGER, OURS };

static enum answer ask(u32 base)
{
	u32 regs[4];

	pvg_transport->cpuid(base, regs);
	if (regs[1] != PVPMU_SIGNATURE_EBX || regs[2] != PVPMU_SIGNATURE_ECX ||
	    regs[3] != PVPMU_SIGNATURE_EDX ||
	    regs[0] < base + PVPMU_CPUID_LEAVES || regs[0] >= base + 0x100)
		return NOTHING;
	pvg_transport->cpuid(base + 1, regs);
	return regs[0] >> 16 == PVPMU_ABI_MAJOR ? OURS : STRANGER;
}

/*
 * Where the leaves are: the first base with our major version, for a host may
 * serve others beside it.  @hint is where they were, or 0.
 */
static int find_base(u32 hint, bool all, u32 *base)
{
	enum answer answer = hint ? ask(hint) : NOTHING;
	bool strange = answer == STRANGER;

	*base = hint;
	if (answer == OURS)
		return 0;
	for (*base = PVPMU_CPUID_FIRST; all && *base <= PVPMU_CPUID_LAST;
	     *base += PVPMU_CPUID_STEP) {
		answer = ask(*base);
		if (answer == OURS)
			return 0;
		strange |= answer == STRANGER;
	}
	return strange ? -EPROTO : -ENODEV;
}

/*
 * A host of our major version may have more slots, and longer ones, but not
 * more than one page: SETUP registers one.
 */
static bool sane(const struct pvg_host *host, u32 pages)
{
	return host->header >= PVPMU_HEADER_SIZE &&
	       host->stride >= PVPMU_SLOT_SIZE &&
	       host->header % PVPMU_LINE_SIZE == 0 &&
	       host->stride % PVPMU_LINE_SIZE == 0 && pages == PVPMU_AREA_PAGES &&
	       host->slots > 0 &&
	       host->header + host->slots * host->stride <= PVPMU_AREA_SIZE;
}

/**
 * pvg_discover() - reads the host's leaves on this CPU
 * @host: what they say; unchanged on error
 * @hint: where they were last time, or 0
 * @all: look everywhere if they are not there; each place costs an exit
 *
 * Context: any.
 * Return: 0, -ENODEV (nobody there), -EPROTO (not a version for us).
 */
int pvg_discover(struct pvg_host *host, u32 hint, bool all)
{
	struct pvg_host found = {};
	u32 regs[4];
	int error = find_base(hint, all, &found.base);

	if (error)
		return error;

	pvg_transport->cpuid(found.base + 1, regs);
	found.version = regs[0];
	found.slots = regs[1] & 0xffff;
	found.stride = regs[1] >> 16;
	found.features = regs[2] & PVG_FEATURES;
	found.number = regs[3];
	pvg_transport->cpuid(found.base + 2, regs);
	found.op_base = regs[0];
	found.header = regs[1] & 0xffff;
	found.period_min = max(regs[2], 1U);
	found.clock_period_min = max(regs[3], 1U);

	if (!sane(&found, regs[1] >> 16))
		return -EPROTO;
	found.slots = min(found.slots, PVPMU_MAX_SLOTS);
	*host = found;
	return 0;
}
