// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * pvpmu core: whose turn it is
 *
 * Units stand in one order, whoever has waited longest first.  A unit that has
 * used up its turn goes to the end of it; one that is stopped keeps its place
 * and what it has used.  Places that are vacant go to the first in the order
 * that they are enough for.  So whoever waits is overtaken by each other unit
 * once at most, and no place is vacant that somebody could use.
 *
 * Nobody loses a place before its turn is over but to one that waits for
 * longer: one that was stopped meanwhile, or a group, which can do nothing with
 * places that get vacant one by one.  The rest of the turn comes later.
 *
 * A turn is as long as the vCPU runs in 4 ms on the wall, roughly: if it idles
 * most of the time, turns that are short let each event see a part of each
 * second.  What a turn was longer or shorter than it should have been is made
 * up for by the next one.
 */
#include "internal.h"

/* The level of a vCPU that is busy, in turns; idling empties it so much more
 * slowly than running fills it.  It may idle a little before turns get short. */
#define LEVEL_TURNS 8
#define LEVEL_MOST ((LEVEL_TURNS + 2) * (s64)PVPMU_TURN_LONGEST)

static u64 bit(u32 counter)
{
	return 1ull << counter;
}

static u32 lowest(u64 mask)
{
	return (u32)__builtin_ctzll(mask);
}

void pvpmu_turns_init(struct pvpmu_turns *turns, u64 clock)
{
	memset(turns, 0, sizeof(*turns));
	turns->clock = clock;
}

/* No config of version 1 has more than 36 bits, no flags more than 8. */
static u64 key_of(const struct pvpmu_desc *desc)
{
	return desc->config | (u64)desc->sampling << 39 |
	       (u64)desc->flags << 40 | (u64)desc->type << 56;
}

/* One of the same description that was stopped, the first if they are several */
static struct pvpmu_turn *forerunner(struct pvpmu_turns *turns, u64 key)
{
	struct pvpmu_turn *found = NULL;
	u32 i;

	for (i = 0; i < PVPMU_MAX_COUNTERS; i++) {
		struct pvpmu_turn *t = &turns->counter[i];

		if (t->known && t->key == key && !(turns->started & bit(i)) &&
		    (!found || t->stopped < found->stopped))
			found = t;
	}
	return found;
}

void pvpmu_turns_create(struct pvpmu_turns *turns, u32 counter,
			const struct pvpmu_desc *desc, u32 fits)
{
	u64 key = key_of(desc);
	struct pvpmu_turn *before = forerunner(turns, key);
	struct pvpmu_turn t = { .key = key };

	if (before) {
		t = *before;
		before->known = false;
	} else {
		t.order = ++turns->orders;
	}
	t.known = true;
	t.group = desc->group;
	pvpmu_choices(&t, fits);
	turns->counter[counter] = t;
}

/* Counters that are started and count with this one, or not at all; with it */
static u64 unit_of(const struct pvpmu_turns *turns, u32 counter)
{
	u32 group = turns->counter[counter].group;
	u64 unit = bit(counter);
	u64 rest;

	if (!group)
		return unit;
	for (rest = turns->started; rest; rest &= rest - 1)
		if (turns->counter[lowest(rest)].group == group)
			unit |= bit(lowest(rest));
	return unit;
}

/* Tells how much of its turn it has used. */
static void charge(const struct pvpmu_turns *turns, struct pvpmu_turn *t,
		   u64 now)
{
	if (turns->contended)
		t->used += (s64)(now - t->since);
	t->since = now;
}

static void charge_all(struct pvpmu_turns *turns, u64 counters, u64 now)
{
	for (; counters; counters &= counters - 1)
		charge(turns, &turns->counter[lowest(counters)], now);
}

static u32 phys_bit(const struct pvpmu_turn *t)
{
	return t->phys == PVPMU_SCHED_SOFT ? 0 : 1u << t->phys;
}

static void unplace(struct pvpmu_turns *turns, u64 counters)
{
	turns->placed &= ~counters;
	turns->moved &= ~counters;
	for (; counters; counters &= counters - 1)
		turns->busy &= ~phys_bit(&turns->counter[lowest(counters)]);
}

/* Gives all of @counters physical counters, or none if there are not enough. */
static bool place(struct pvpmu_turns *turns, u64 counters, u64 now)
{
	struct pvpmu_choice choice = { .busy = turns->busy };

	if (!pvpmu_choose(turns, counters, &choice))
		return false;
	turns->busy = choice.busy;
	turns->placed |= counters;
	turns->moved |= counters;
	for (; counters; counters &= counters - 1) {
		struct pvpmu_turn *t = &turns->counter[lowest(counters)];

		t->phys = choice.phys[lowest(counters)];
		t->since = now;
	}
	return true;
}

/* Leaves @counters where they are, if that is vacant. */
static bool keep(struct pvpmu_turns *turns, u64 counters)
{
	u32 wanted = 0;
	u64 rest;

	for (rest = counters; rest; rest &= rest - 1)
		wanted |= phys_bit(&turns->counter[lowest(rest)]);
	if (wanted & turns->busy)
		return false;
	turns->busy |= wanted;
	turns->placed |= counters;
	return true;
}

void pvpmu_turns_start(struct pvpmu_turns *turns, u32 counter, u64 now)
{
	struct pvpmu_turn *t = &turns->counter[counter];
	u64 mates;

	if (!t->known) {
		t->known = true;
		t->order = ++turns->orders;
		t->used = 0;
		t->began = 0;
	}
	turns->started |= bit(counter);
	mates = unit_of(turns, counter) & ~bit(counter);
	if (mates & pvpmu_turns_waiting(turns))
		return;
	if (place(turns, bit(counter), now))
		return;
	/* With the others placed anew there may be room for it. */
	charge_all(turns, mates, now);
	unplace(turns, mates);
}

void pvpmu_turns_stop(struct pvpmu_turns *turns, u32 counter, u64 now)
{
	struct pvpmu_turn *t = &turns->counter[counter];

	if (turns->placed & bit(counter)) {
		charge(turns, t, now);
		unplace(turns, bit(counter));
	}
	t->stopped = ++turns->stops;
	turns->started &= ~bit(counter);
}

/* Follows how busy the vCPU is. */
static void follow(struct pvpmu_turns *turns, u64 now, u64 clock)
{
	s64 ran = (s64)(now - turns->ran);
	s64 idle = (s64)(clock - turns->clock) - ran;
	s64 level = (s64)turns->level + ran;

	if (idle > 0)
		level -= idle / LEVEL_TURNS;
	if (level < 0)
		level = 0;
	if (level > LEVEL_MOST)
		level = LEVEL_MOST;
	turns->level = (u64)level;
	turns->ran = now;
	turns->clock = clock;
}

static u64 length(const struct pvpmu_turns *turns)
{
	u64 ns = turns->level / LEVEL_TURNS;

	if (ns < PVPMU_TURN_SHORTEST)
		return PVPMU_TURN_SHORTEST;
	return ns < PVPMU_TURN_LONGEST ? ns : PVPMU_TURN_LONGEST;
}

/* Those of @mask that stand for their units */
static u64 heads_of(const struct pvpmu_turns *turns, u64 mask)
{
	u64 heads = 0;

	while (mask) {
		heads |= bit(lowest(mask));
		mask &= ~unit_of(turns, lowest(mask));
	}
	return heads;
}

static bool needs_physical(const struct pvpmu_turns *turns, u64 unit)
{
	u32 fits = 0;

	for (; unit; unit &= unit - 1)
		fits |= turns->counter[lowest(unit)].fits;
	return fits;
}

static u64 order_of(const struct pvpmu_turns *turns, u64 unit)
{
	u64 order = ~0ull;

	for (; unit; unit &= unit - 1)
		if (turns->counter[lowest(unit)].order < order)
			order = turns->counter[lowest(unit)].order;
	return order;
}

static s64 used_of(const struct pvpmu_turns *turns, u64 unit)
{
	s64 used = turns->counter[lowest(unit)].used;

	for (; unit; unit &= unit - 1)
		if (turns->counter[lowest(unit)].used > used)
			used = turns->counter[lowest(unit)].used;
	return used;
}

/* The one of @heads whose unit has waited longest */
static u32 first(const struct pvpmu_turns *turns, u64 heads)
{
	u32 found = lowest(heads);
	u64 least = ~0ull;

	for (; heads; heads &= heads - 1) {
		u64 order = order_of(turns, unit_of(turns, lowest(heads)));

		if (order < least) {
			least = order;
			found = lowest(heads);
		}
	}
	return found;
}

/* Does the turn of a unit that is placed end now? */
static bool is_over(const struct pvpmu_turns *turns, u64 unit, u64 clock,
		    s64 most)
{
	const struct pvpmu_turn *t = &turns->counter[lowest(unit)];
	s64 used = used_of(turns, unit);

	/* One that makes up for another goes on until it has. */
	return used >= most ||
	       (used > 0 && clock - t->began >= PVPMU_TURN_STALE);
}

/* Its turn has been one; the next comes after all that wait. */
static void end(struct pvpmu_turns *turns, u64 unit, s64 most)
{
	for (; unit; unit &= unit - 1) {
		struct pvpmu_turn *t = &turns->counter[lowest(unit)];

		t->order = ++turns->orders;
		t->began = 0;
		t->used -= most;
		if (t->used > most)
			t->used = most;
		if (t->used < -most)
			t->used = -most;
	}
}

/* Turns go on from here on; one that did not begin does so now. */
static void go_on(struct pvpmu_turns *turns, u64 now, u64 clock)
{
	u64 rest;

	charge_all(turns, turns->placed, now);
	for (rest = turns->placed; rest; rest &= rest - 1)
		if (!turns->counter[lowest(rest)].began)
			turns->counter[lowest(rest)].began = clock;
}

static void end_turns(struct pvpmu_turns *turns, u64 clock, s64 most)
{
	u64 rest = heads_of(turns, turns->placed);
	u64 over = 0;

	for (; rest; rest &= rest - 1) {
		u64 unit = unit_of(turns, lowest(rest));

		if (needs_physical(turns, unit) &&
		    is_over(turns, unit, clock, most))
			over |= bit(lowest(rest));
	}
	/* Those that end together stay in their order. */
	while (over) {
		u32 head = first(turns, over);

		over &= ~bit(head);
		end(turns, unit_of(turns, head), most);
	}
}

/* In their order, all that there is room for */
static void fill(struct pvpmu_turns *turns, u64 now)
{
	u64 rest = heads_of(turns, turns->started);
	u64 before = turns->placed;

	turns->placed = 0;
	turns->busy = 0;
	while (rest) {
		u32 head = first(turns, rest);
		u64 unit = unit_of(turns, head);

		rest &= ~bit(head);
		if ((unit & before) != unit || !keep(turns, unit))
			place(turns, unit, now);
	}
	turns->moved &= turns->placed;
}

void pvpmu_turns_arrange(struct pvpmu_turns *turns, u64 now, u64 clock)
{
	if (pvpmu_turns_waiting(turns)) {
		u64 most = length(turns);

		go_on(turns, now, clock);
		follow(turns, now, clock);
		/* No longer than they were to be when the timer was set. */
		if (length(turns) < most)
			most = length(turns);
		end_turns(turns, clock, (s64)most);
		fill(turns, now);
	}
	turns->contended = pvpmu_turns_waiting(turns);
	if (turns->contended)
		go_on(turns, now, clock);
}

u64 pvpmu_turns_left(const struct pvpmu_turns *turns)
{
	s64 most = (s64)length(turns), left = 2 * most;
	u64 rest;

	if (!pvpmu_turns_waiting(turns))
		return 0;
	for (rest = turns->placed; rest; rest &= rest - 1) {
		const struct pvpmu_turn *t = &turns->counter[lowest(rest)];

		if (t->fits && most - t->used < left)
			left = most - t->used;
	}
	return left > 0 ? (u64)left : 1;
}
