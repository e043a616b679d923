/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * pvpmu core: whose turn it is
 *
 * A vCPU with more counters than the CPU has gets them in turns.  Who has one
 * is decided here, for all hypervisors, from two clocks: the time that the vCPU
 * ran, and the time on the wall.
 *
 * What has a turn is a unit: a counter by itself, or those of a group that are
 * started.  All of a unit have physical counters, or none has.
 *
 * A turn belongs to what is counted, not to who opened it.  It goes on where it
 * was when the unit is stopped and started again, and when a counter of the
 * same description is made instead, by another task or a child.  Whoever had a
 * turn goes behind all that wait; whoever waits longest comes first.
 *
 * Nothing here allocates, locks, or may interrupt another function on the same
 * struct pvpmu_turns.
 */
#ifndef PVPMU_TURNS_H
#define PVPMU_TURNS_H

#include "core.h"

/* The longest and the shortest turn, in ns that the vCPU ran */
#define PVPMU_TURN_LONGEST 4000000ull
#define PVPMU_TURN_SHORTEST 100000ull

/* A turn of this age, in ns on the wall, is over when the vCPU wakes or calls. */
#define PVPMU_TURN_STALE 64000000ull

/* What is not counted in a physical counter: always has its own, never waits */
#define PVPMU_SCHED_SOFT 32u

/**
 * struct pvpmu_turn - the turn of a counter; private to core
 * @key: of its description, without the number of a group
 * @order: who has less waits for longer
 * @stopped: who has less was stopped before
 * @used: ns that the vCPU ran in its turn; less than 0 if the last one was cut
 *        short
 * @since: vCPU time up to which @used is told
 * @began: when the turn began on the wall, 0 if it did not
 * @fits: the physical counters that can count it, 0 if it needs none
 * @group: not 0: it is placed with all others of this number, or not at all
 * @choices: how many @fits are
 * @phys: the one it has
 * @known: it was made, and its turn was not passed on
 */
struct pvpmu_turn {
	u64 key;
	u64 order;
	u64 stopped;
	s64 used;
	u64 since;
	u64 began;
	u32 fits;
	u32 group;
	u8 choices;
	u8 phys;
	bool known;
};

/**
 * struct pvpmu_turns - whose turn it is; the backend embeds it, core owns the
 *                      contents
 * @started: counters that are started
 * @placed: those of them that have a turn, or need none
 * @moved: those of them that were given a physical counter since the backend
 *         looked
 * @busy: physical counters in use
 * @contended: somebody waits, since then
 * @orders: the last one given
 * @stops: likewise
 * @ran: vCPU time when @level was true
 * @clock: the wall's time then
 * @level: ns that the vCPU ran of late
 * @counter: counters; the last is what pvpmu_turns_fit() is asked about
 */
struct pvpmu_turns {
	u64 started;
	u64 placed;
	u64 moved;
	u32 busy;
	bool contended;
	u64 orders;
	u64 stops;
	u64 ran;
	u64 clock;
	u64 level;
	struct pvpmu_turn counter[PVPMU_MAX_COUNTERS + 1];
};

/**
 * pvpmu_turns_init() - prepares it, no counter started
 * @turns: memory of the backend, any contents
 * @clock: the wall's, ns; the vCPU's time is 0 now
 */
void pvpmu_turns_init(struct pvpmu_turns *turns, u64 clock);

/**
 * pvpmu_turns_create() - a counter, stopped
 * @turns: the vCPU's
 * @counter: its index, as in the host op
 * @desc: what it counts
 * @fits: mask of the physical counters that can count it, numbered from 0 and
 *        below PVPMU_SCHED_SOFT, those that fewer events can have last; 0 if it
 *        is counted without one
 *
 * It comes after all others, unless one of the same description was stopped
 * before: then it goes on with the turn of that one.
 */
void pvpmu_turns_create(struct pvpmu_turns *turns, u32 counter,
			const struct pvpmu_desc *desc, u32 fits);

/**
 * pvpmu_turns_fit() - could these counters and one more be placed at one time?
 * @turns: the vCPU's
 * @fits: of the one more, as in pvpmu_turns_create()
 * @counters: mask of counters
 *
 * What is said here, a turn that begins with them keeps.
 */
bool pvpmu_turns_fit(struct pvpmu_turns *turns, u32 fits, u64 counters);

/**
 * pvpmu_turns_start() - a counter is to count
 * @turns: the vCPU's
 * @counter: stopped
 * @now: vCPU time, ns
 *
 * It is placed if there is room for it; who comes first where there is not, the
 * next pvpmu_turns_arrange() says.
 */
void pvpmu_turns_start(struct pvpmu_turns *turns, u32 counter, u64 now);

/**
 * pvpmu_turns_stop() - a counter is not to count any more
 * @turns: the vCPU's
 * @counter: started
 * @now: vCPU time, ns
 */
void pvpmu_turns_stop(struct pvpmu_turns *turns, u32 counter, u64 now);

/**
 * pvpmu_turns_arrange() - ends turns that are over, and begins others
 * @turns: the vCPU's
 * @now: vCPU time, ns
 * @clock: the wall's, ns
 *
 * To be called after counters were started and stopped, when the vCPU is
 * scheduled in, and when pvpmu_turns_left() says.
 */
void pvpmu_turns_arrange(struct pvpmu_turns *turns, u64 now, u64 clock);

/**
 * pvpmu_turns_left() - when it is to be called again
 * @turns: the vCPU's, just arranged
 *
 * Return: ns that the vCPU may run until a turn is over, 0 if nobody waits.
 */
u64 pvpmu_turns_left(const struct pvpmu_turns *turns);

/** pvpmu_turns_waiting() - the counters that are started and have no turn */
static inline u64 pvpmu_turns_waiting(const struct pvpmu_turns *turns)
{
	return turns->started & ~turns->placed;
}

#endif /* PVPMU_TURNS_H */
