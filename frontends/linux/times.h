/* SPDX-License-Identifier: GPL-2.0 */
/* Arithmetic of times.c; needs no kernel but for its types. */
#ifndef PVG_TIMES_H
#define PVG_TIMES_H

#include <linux/math64.h>

/**
 * pvg_share() - the part of a time that was lost
 * @span: ns
 * @lost: ns, not more than @of
 * @of: ns, on a clock that may run slower than that of @span
 *
 * Return: @span * @lost / @of, correct to 2^-30 of @span, never above it.
 */
static inline u64 pvg_share(u64 span, u64 lost, u64 of)
{
	u64 part;

	if (!lost || !of)
		return 0;
	if (lost >= of)
		return span;
	while (of >> 32) {
		of >>= 1;
		lost >>= 1;
	}
	part = div64_u64(lost << 32, of); /* 2^32 at most */
	return (span >> 32) * part + ((span & 0xffffffff) * part >> 32);
}

/**
 * pvg_lost() - how much of a time an event did not run
 * @span: the time, ns
 * @gap: of it, ns without any host; may exceed @span
 * @enabled: ns that the host had it enabled, while it ran this CPU
 * @running: ns of @enabled in which it counted
 *
 * Clocks that are not read at the same moment leave a rest.  Where the host
 * has shown no time at all, there is none: nothing is known, and nothing is
 * said, or else it was all gap.
 */
static inline u64 pvg_lost(u64 span, u64 gap, u64 enabled, u64 running)
{
	if (!enabled)
		return gap ? span : 0;
	if (gap >= span)
		return span;
	if (running > enabled)
		running = enabled;
	return gap + pvg_share(span - gap, enabled - running, enabled);
}

#endif /* PVG_TIMES_H */
