// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * pvpmu core: which of a vCPU's counters has a physical counter now
 *
 * Counters take turns in a circle.  A turn begins with the first one that had
 * to wait in the turn before, and places as many after it as there is room
 * for.  So each is placed as often as any other that fits the same physical
 * counters, whatever their number.
 *
 * What is placed is a unit: a counter by itself, or those of a group that are
 * started.  All of a unit have physical counters, or none has; it stands in the
 * circle where its lowest counter does.
 */
#include "internal.h"

static u64 bit(u32 counter)
{
	return 1ull << counter;
}

static u32 lowest(u64 mask)
{
	return (u32)__builtin_ctzll(mask);
}

void pvpmu_sched_init(struct pvpmu_sched *sched, struct pvpmu_vcpu *vcpu,
		      const struct pvpmu_sched_ops *ops)
{
	memset(sched, 0, sizeof(*sched));
	sched->vcpu = vcpu;
	sched->ops = ops;
}

u64 pvpmu_sched_time(const struct pvpmu_sched *sched)
{
	if (sched->held)
		return sched->moment;
	if (!sched->in)
		return sched->time;
	return sched->time + sched->vcpu->ops->clock() - sched->since;
}

void pvpmu_sched_hold(struct pvpmu_sched *sched)
{
	sched->moment = pvpmu_sched_time(sched);
	sched->held = true;
}

void pvpmu_sched_release(struct pvpmu_sched *sched)
{
	sched->held = false;
}

void pvpmu_sched_create(struct pvpmu_sched *sched, u32 counter, u32 fits,
			u32 group)
{
	struct pvpmu_sched_counter *c = &sched->counter[counter];

	memset(c, 0, sizeof(*c));
	c->fits = fits;
	c->group = group;
	for (; fits; fits &= fits - 1)
		c->choices++;
}

static u64 waiting(const struct pvpmu_sched *sched)
{
	return sched->started & ~sched->placed;
}

static void load(struct pvpmu_sched *sched, u32 counter)
{
	struct pvpmu_sched_counter *c = &sched->counter[counter];

	sched->ops->program(sched, counter, c->phys, c->left);
}

/* Stops the physical counter; what it counted, which is in the sum then. */
static u64 unload(struct pvpmu_sched *sched, u32 counter)
{
	struct pvpmu_sched_counter *c = &sched->counter[counter];
	u64 more = sched->ops->stop(sched, counter, c->phys);

	c->count += more;
	return more;
}

/* Reports the overflows in @more events, and what is left to the next. */
static void overflows(struct pvpmu_sched *sched, u32 counter, u64 more)
{
	u64 left = sched->counter[counter].left;

	while (left && more >= left) {
		more -= left;
		left = pvpmu_overflow(sched->vcpu, counter);
	}
	sched->counter[counter].left = left ? left - more : 0;
}

/* Takes the physical counter from it, which does not count any more. */
static void unplace(struct pvpmu_sched *sched, u32 counter, u64 now)
{
	struct pvpmu_sched_counter *c = &sched->counter[counter];

	c->running += now - c->placed_at;
	sched->placed &= ~bit(counter);
	if (c->phys != PVPMU_SCHED_SOFT)
		sched->busy &= ~(1u << c->phys);
}

/* Takes them from all of @counters, and reports what overflowed until now. */
static void evict(struct pvpmu_sched *sched, u64 counters, u64 now)
{
	for (; counters; counters &= counters - 1) {
		u32 counter = lowest(counters);

		if (sched->in)
			overflows(sched, counter, unload(sched, counter));
		unplace(sched, counter, now);
	}
}

/* Counters that are started and count with this one, or not at all; with it */
static u64 unit_of(const struct pvpmu_sched *sched, u32 counter)
{
	u32 group = sched->counter[counter].group;
	u64 unit = bit(counter);
	u64 rest;

	if (!group)
		return unit;
	for (rest = sched->started; rest; rest &= rest - 1)
		if (sched->counter[lowest(rest)].group == group)
			unit |= bit(lowest(rest));
	return unit;
}

/* Gives all of @counters physical counters, or none if there are not enough;
 * programs them if the vCPU is in. */
static bool place(struct pvpmu_sched *sched, u64 counters, u64 now)
{
	struct pvpmu_choice choice = { .busy = sched->busy };

	if (!pvpmu_choose(sched, counters, &choice))
		return false;
	sched->busy = choice.busy;
	sched->placed |= counters;
	for (; counters; counters &= counters - 1) {
		u32 counter = lowest(counters);

		sched->counter[counter].phys = choice.phys[counter];
		sched->counter[counter].placed_at = now;
		if (sched->in)
			load(sched, counter);
	}
	return true;
}

/* Units that wait, each by its lowest counter */
static u64 queue(const struct pvpmu_sched *sched)
{
	u64 rest = waiting(sched);
	u64 heads = 0;

	while (rest) {
		heads |= bit(lowest(rest));
		rest &= ~unit_of(sched, lowest(rest));
	}
	return heads;
}

/* The counters of @mask from @first on, and the others after them. */
static u64 from_first(const struct pvpmu_sched *sched, u64 mask)
{
	u64 after = mask & ~(bit(sched->first) - 1);

	return after ? after : mask;
}

static void fill(struct pvpmu_sched *sched, u64 now)
{
	u64 todo = queue(sched);

	while (todo) {
		u32 counter = lowest(from_first(sched, todo));

		todo &= ~bit(counter);
		place(sched, unit_of(sched, counter), now);
	}
}

/* Asks to be called when the turn ends, if anyone waits for that. */
static void wake_at_end(struct pvpmu_sched *sched, u64 now)
{
	u64 spent = now - sched->turn;
	u64 ns = 0;

	if (!sched->in)
		return;
	if (waiting(sched))
		ns = spent < PVPMU_SCHED_SLICE ? PVPMU_SCHED_SLICE - spent : 1;
	sched->ops->wake(sched, ns);
}

void pvpmu_sched_start(struct pvpmu_sched *sched, u32 counter, u64 left)
{
	struct pvpmu_sched_counter *c = &sched->counter[counter];
	u64 now = pvpmu_sched_time(sched);
	u64 mates;

	c->left = left;
	c->since = now;
	/* The first one that has to wait begins no turn that is over already. */
	if (!waiting(sched))
		sched->turn = now;
	sched->started |= bit(counter);
	mates = unit_of(sched, counter) & ~bit(counter);
	if (!(mates & waiting(sched)) && !place(sched, bit(counter), now)) {
		/* With the others placed anew there may be room for it. */
		evict(sched, mates, now);
		fill(sched, now);
	}
	wake_at_end(sched, now);
}

void pvpmu_sched_stop(struct pvpmu_sched *sched, u32 counter)
{
	struct pvpmu_sched_counter *c = &sched->counter[counter];
	u64 now = pvpmu_sched_time(sched);

	if (sched->placed & bit(counter)) {
		if (sched->in)
			unload(sched, counter);
		unplace(sched, counter, now);
	}
	c->enabled += now - c->since;
	sched->started &= ~bit(counter);
	fill(sched, now);
	wake_at_end(sched, now);
}

void pvpmu_sched_read(struct pvpmu_sched *sched, u32 counter,
		      struct pvpmu_reading *reading)
{
	struct pvpmu_sched_counter *c = &sched->counter[counter];
	u64 now = pvpmu_sched_time(sched);

	reading->count = c->count;
	reading->enabled = c->enabled;
	reading->running = c->running;
	reading->active = sched->placed & bit(counter);
	reading->failed = false;
	if (sched->started & bit(counter))
		reading->enabled += now - c->since;
	if (!reading->active)
		return;
	reading->running += now - c->placed_at;
	if (sched->in)
		reading->count += sched->ops->read(sched, counter, c->phys);
}

static bool turn_is_over(const struct pvpmu_sched *sched, u64 now)
{
	return waiting(sched) && now - sched->turn >= PVPMU_SCHED_SLICE;
}

static bool needs_physical(const struct pvpmu_sched *sched, u64 unit)
{
	u32 fits = 0;

	for (; unit; unit &= unit - 1)
		fits |= sched->counter[lowest(unit)].fits;
	return fits;
}

/* All that need physical counters give them back; those that waited are first
 * to get them. */
static void end_turn(struct pvpmu_sched *sched, u64 now)
{
	u64 rest = sched->placed;

	sched->first = lowest(from_first(sched, queue(sched)));
	while (rest) {
		u64 unit = unit_of(sched, lowest(rest));

		rest &= ~unit;
		if (needs_physical(sched, unit))
			evict(sched, unit, now);
	}
	sched->turn = now;
	fill(sched, now);
}

void pvpmu_sched_in(struct pvpmu_sched *sched)
{
	u64 rest;

	if (turn_is_over(sched, sched->time))
		end_turn(sched, sched->time);
	sched->since = sched->vcpu->ops->clock();
	sched->in = true;
	for (rest = sched->placed; rest; rest &= rest - 1)
		load(sched, lowest(rest));
	wake_at_end(sched, sched->time);
}

void pvpmu_sched_out(struct pvpmu_sched *sched)
{
	u64 rest;

	for (rest = sched->placed; rest; rest &= rest - 1) {
		u32 counter = lowest(rest);

		overflows(sched, counter, unload(sched, counter));
	}
	sched->time = pvpmu_sched_time(sched);
	sched->in = false;
	sched->ops->wake(sched, 0);
}

/* One whose mark is passed begins its next period. */
static void poll_one(struct pvpmu_sched *sched, u32 counter)
{
	struct pvpmu_sched_counter *c = &sched->counter[counter];

	if (!c->left || sched->ops->read(sched, counter, c->phys) < c->left)
		return;
	overflows(sched, counter, unload(sched, counter));
	load(sched, counter);
}

void pvpmu_sched_poll(struct pvpmu_sched *sched)
{
	u64 now = pvpmu_sched_time(sched);
	u64 rest;

	if (!sched->in)
		return;
	for (rest = sched->placed; rest; rest &= rest - 1)
		poll_one(sched, lowest(rest));
	if (turn_is_over(sched, now))
		end_turn(sched, now);
	wake_at_end(sched, now);
}
