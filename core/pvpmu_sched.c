// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * pvpmu core: physical counters and times, for a hypervisor without a perf
 *
 * Whose turn it is, pvpmu_turns.c decides.  Here its decisions are carried out:
 * who lost a physical counter gives it back, who got one has it programmed
 * while the vCPU is in.
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
	pvpmu_turns_init(&sched->turns, vcpu->ops->clock());
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

void pvpmu_sched_create(struct pvpmu_sched *sched, u32 counter,
			const struct pvpmu_desc *desc, u32 fits)
{
	memset(&sched->counter[counter], 0, sizeof(sched->counter[counter]));
	pvpmu_turns_create(&sched->turns, counter, desc, fits);
}

static void load(struct pvpmu_sched *sched, u32 counter)
{
	struct pvpmu_sched_counter *c = &sched->counter[counter];

	sched->ops->program(sched, counter, c->phys, c->left);
	sched->loaded |= bit(counter);
}

/* Stops the physical counter; what it counted, which is in the sum then. */
static u64 unload(struct pvpmu_sched *sched, u32 counter)
{
	struct pvpmu_sched_counter *c = &sched->counter[counter];
	u64 more = sched->ops->stop(sched, counter, c->phys);

	sched->loaded &= ~bit(counter);
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

/* It does not have a physical counter any more. */
static void lose(struct pvpmu_sched *sched, u32 counter, u64 now)
{
	struct pvpmu_sched_counter *c = &sched->counter[counter];

	c->running += now - c->placed_at;
	sched->counting &= ~bit(counter);
}

/* It has the one that its turn gave it. */
static void gain(struct pvpmu_sched *sched, u32 counter, u64 now)
{
	struct pvpmu_sched_counter *c = &sched->counter[counter];

	c->phys = sched->turns.counter[counter].phys;
	c->placed_at = now;
	sched->counting |= bit(counter);
}

/* Those that begin here are programmed by load_all(). */
static bool follow_turns(struct pvpmu_sched *sched, u64 now)
{
	u64 placed = sched->turns.placed, moved = sched->turns.moved;
	u64 lost = sched->counting & (~placed | moved);
	u64 gained = placed & (~sched->counting | moved);
	u64 rest;

	sched->turns.moved = 0;
	for (rest = lost; rest; rest &= rest - 1) {
		u32 counter = lowest(rest);

		if (sched->loaded & bit(counter))
			overflows(sched, counter, unload(sched, counter));
		lose(sched, counter, now);
	}
	for (rest = gained; rest; rest &= rest - 1)
		gain(sched, lowest(rest), now);
	return lost | gained;
}

static void load_all(struct pvpmu_sched *sched)
{
	u64 rest;

	for (rest = sched->counting & ~sched->loaded; rest; rest &= rest - 1)
		load(sched, lowest(rest));
}

/* Asks to be called when the turn ends, if anyone waits for that. */
static void wake_at_end(struct pvpmu_sched *sched)
{
	u64 ns = pvpmu_turns_left(&sched->turns);

	if (ns || sched->waking)
		sched->ops->wake(sched, ns);
	sched->waking = ns;
}

bool pvpmu_sched_arrange(struct pvpmu_sched *sched)
{
	u64 now = pvpmu_sched_time(sched);
	bool changed;

	pvpmu_turns_arrange(&sched->turns, now, sched->vcpu->ops->clock());
	changed = follow_turns(sched, now);
	if (sched->in) {
		load_all(sched);
		wake_at_end(sched);
	}
	return changed;
}

void pvpmu_sched_start(struct pvpmu_sched *sched, u32 counter, u64 left)
{
	struct pvpmu_sched_counter *c = &sched->counter[counter];
	u64 now = pvpmu_sched_time(sched);

	c->left = left;
	c->since = now;
	pvpmu_turns_start(&sched->turns, counter, now);
	follow_turns(sched, now);
}

void pvpmu_sched_stop(struct pvpmu_sched *sched, u32 counter)
{
	struct pvpmu_sched_counter *c = &sched->counter[counter];
	u64 now = pvpmu_sched_time(sched);

	if (sched->loaded & bit(counter))
		unload(sched, counter);
	if (sched->counting & bit(counter))
		lose(sched, counter, now);
	c->enabled += now - c->since;
	pvpmu_turns_stop(&sched->turns, counter, now);
}

void pvpmu_sched_read(struct pvpmu_sched *sched, u32 counter,
		      struct pvpmu_reading *reading)
{
	struct pvpmu_sched_counter *c = &sched->counter[counter];
	u64 now = pvpmu_sched_time(sched);

	reading->count = c->count;
	reading->enabled = c->enabled;
	reading->running = c->running;
	reading->active = sched->counting & bit(counter);
	reading->failed = false;
	if (sched->turns.started & bit(counter))
		reading->enabled += now - c->since;
	if (reading->active)
		reading->running += now - c->placed_at;
	if (sched->loaded & bit(counter))
		reading->count += sched->ops->read(sched, counter, c->phys);
}

void pvpmu_sched_in(struct pvpmu_sched *sched)
{
	sched->since = sched->vcpu->ops->clock();
	sched->in = true;
	pvpmu_sched_arrange(sched);
}

void pvpmu_sched_out(struct pvpmu_sched *sched)
{
	u64 rest;

	for (rest = sched->loaded; rest; rest &= rest - 1) {
		u32 counter = lowest(rest);

		overflows(sched, counter, unload(sched, counter));
	}
	sched->time = pvpmu_sched_time(sched);
	sched->in = false;
	sched->waking = false;
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
	u64 rest;

	if (!sched->in)
		return;
	for (rest = sched->loaded; rest; rest &= rest - 1)
		poll_one(sched, lowest(rest));
	pvpmu_sched_arrange(sched);
}
