// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * pvpmu core: which physical counter for which counter
 *
 * Not every physical counter can count every event.  The masks of those that
 * can are simple on processors: equal, or without a common counter, or one in
 * the other; or, of an event that has a counter of its own and may have a
 * general one as well, with nothing but the general ones in common.  For such
 * masks the order below finds a place for all where there is one.
 */
#include "internal.h"

static u32 lowest(u64 mask)
{
	return (u32)__builtin_ctzll(mask);
}

static u32 highest(u32 mask)
{
	return 31 - (u32)__builtin_clz(mask);
}

/* The one of @counters that can have the fewest physical counters */
static u32 choosiest(const struct pvpmu_turns *turns, u64 counters)
{
	u32 found = lowest(counters);

	for (; counters; counters &= counters - 1) {
		u32 i = lowest(counters);

		if (turns->counter[i].choices < turns->counter[found].choices)
			found = i;
	}
	return found;
}

/*
 * One for each of @counters; false if there are not enough.  Who has little
 * choice goes first, and each takes what the fewest others can have.
 */
bool pvpmu_choose(const struct pvpmu_turns *turns, u64 counters,
		  struct pvpmu_choice *choice)
{
	while (counters) {
		u32 counter = choosiest(turns, counters);
		u32 fits = turns->counter[counter].fits;
		u32 vacant = fits & ~choice->busy;

		counters &= ~(1ull << counter);
		choice->phys[counter] = PVPMU_SCHED_SOFT;
		if (!fits)
			continue;
		if (!vacant)
			return false;
		choice->phys[counter] = (u8)highest(vacant);
		choice->busy |= 1u << highest(vacant);
	}
	return true;
}

/* It can be counted in the physical counters @fits. */
void pvpmu_choices(struct pvpmu_turn *turn, u32 fits)
{
	turn->fits = fits;
	turn->choices = 0;
	for (; fits; fits &= fits - 1)
		turn->choices++;
}

bool pvpmu_turns_fit(struct pvpmu_turns *turns, u32 fits, u64 counters)
{
	struct pvpmu_choice choice = { .busy = 0 };

	pvpmu_choices(&turns->counter[PVPMU_MAX_COUNTERS], fits);
	return pvpmu_choose(turns, counters | 1ull << PVPMU_MAX_COUNTERS,
			    &choice);
}
