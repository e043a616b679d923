/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * pvpmu core: which of a vCPU's counters has a physical counter now
 *
 * For a hypervisor without a perf subsystem of its own.  The backend calls the
 * functions below from its host ops of the same names, and tells when the vCPU
 * is scheduled in and out; it is told which physical counter to program with
 * what.  A vCPU with more counters than the CPU has gets them in turns, see
 * turns.h, and the times in a reading say so.
 *
 * Time is the vCPU's: it stands still while the vCPU is scheduled out, and may
 * be held during a call, so that all that the call does is done at one moment.
 *
 * What starts and stops of counters mean to others is seen to by
 * pvpmu_sched_arrange(), once for all that a call does.
 *
 * Nothing here allocates, locks, or may interrupt another function of the same
 * scheduler: an overflow interrupt only leads to a later pvpmu_sched_poll().
 */
#ifndef PVPMU_SCHED_H
#define PVPMU_SCHED_H

#include "turns.h"

struct pvpmu_sched;

/**
 * struct pvpmu_sched_ops - what the backend does for it
 * @program: lets the physical counter @phys count for @counter from zero, and
 *           see to it that pvpmu_sched_poll() is called soon after @left more
 *           events, unless that is 0
 * @read: events since @program
 * @stop: the same, and lets @phys stop, with nothing of the guest left in it
 * @wake: has pvpmu_sched_poll() called in @ns of real time, unless the vCPU is
 *        scheduled out before; 0: forget about it
 *
 * All of them are called on the physical CPU that runs the vCPU, between
 * pvpmu_sched_in() and the return of pvpmu_sched_out().
 */
struct pvpmu_sched_ops {
	void (*program)(struct pvpmu_sched *sched, u32 counter, u32 phys,
			u64 left);
	u64 (*read)(struct pvpmu_sched *sched, u32 counter, u32 phys);
	u64 (*stop)(struct pvpmu_sched *sched, u32 counter, u32 phys);
	void (*wake)(struct pvpmu_sched *sched, u64 ns);
};

/**
 * struct pvpmu_sched_counter - a counter; private to core
 * @count: events until it was programmed last
 * @left: events from then to its next overflow, 0 for none
 * @enabled: vCPU time it was started, without the current run
 * @running: vCPU time it had a physical counter, likewise
 * @since: vCPU time when the current run began
 * @placed_at: vCPU time when it got @phys
 * @phys: the physical counter that it has
 */
struct pvpmu_sched_counter {
	u64 count;
	u64 left;
	u64 enabled;
	u64 running;
	u64 since;
	u64 placed_at;
	u32 phys;
};

/**
 * struct pvpmu_sched - the counters of a vCPU; the backend embeds it, core owns
 *                      the contents
 * @ops: the backend
 * @vcpu: whose counters they are
 * @turns: whose turn it is
 * @in: the vCPU is scheduled in
 * @held: time stands still
 * @waking: pvpmu_sched_poll() will be called
 * @moment: the vCPU time at which it does
 * @since: clock when that was
 * @time: vCPU time until then
 * @counting: counters that have a physical one
 * @loaded: those of them for which it is programmed
 * @counter: counters
 */
struct pvpmu_sched {
	const struct pvpmu_sched_ops *ops;
	struct pvpmu_vcpu *vcpu;
	struct pvpmu_turns turns;
	bool in;
	bool held;
	bool waking;
	u64 moment;
	u64 since;
	u64 time;
	u64 counting;
	u64 loaded;
	struct pvpmu_sched_counter counter[PVPMU_MAX_COUNTERS];
};

/**
 * pvpmu_sched_init() - prepares it, the vCPU scheduled out, no counter started
 * @sched: memory of the backend, any contents
 * @vcpu: initialised before, lives as long
 * @ops: lives longer than @sched
 */
void pvpmu_sched_init(struct pvpmu_sched *sched, struct pvpmu_vcpu *vcpu,
		      const struct pvpmu_sched_ops *ops);

/**
 * pvpmu_sched_create() - a counter, stopped
 * @sched: the vCPU's
 * @counter: its index, as in the host op
 * @desc: what it counts
 * @fits: as for pvpmu_turns_create()
 */
void pvpmu_sched_create(struct pvpmu_sched *sched, u32 counter,
			const struct pvpmu_desc *desc, u32 fits);

/**
 * pvpmu_sched_fit() - could these counters and one more be placed at one time?
 * @sched: the vCPU's
 * @fits: of the one more
 * @counters: mask of counters
 */
static inline bool pvpmu_sched_fit(struct pvpmu_sched *sched, u32 fits,
				   u64 counters)
{
	return pvpmu_turns_fit(&sched->turns, fits, counters);
}

/** pvpmu_sched_start() - as the host op @start */
void pvpmu_sched_start(struct pvpmu_sched *sched, u32 counter, u64 left);

/** pvpmu_sched_stop() - as the host op @stop */
void pvpmu_sched_stop(struct pvpmu_sched *sched, u32 counter);

/** pvpmu_sched_read() - as the host op @read */
void pvpmu_sched_read(struct pvpmu_sched *sched, u32 counter,
		      struct pvpmu_reading *reading);

/**
 * pvpmu_sched_arrange() - as the host op @arrange
 * @sched: the vCPU's
 *
 * Return: a counter got its physical one, or lost it.
 */
bool pvpmu_sched_arrange(struct pvpmu_sched *sched);

/**
 * pvpmu_sched_in() - the vCPU is scheduled in
 * @sched: the vCPU's
 *
 * Context: the physical CPU that will run it.
 */
void pvpmu_sched_in(struct pvpmu_sched *sched);

/**
 * pvpmu_sched_out() - the vCPU is scheduled out; reports overflows
 * @sched: the vCPU's
 *
 * Context: the physical CPU that ran it.
 */
void pvpmu_sched_out(struct pvpmu_sched *sched);

/**
 * pvpmu_sched_poll() - reports overflows, ends a turn that is over
 * @sched: the vCPU's; nothing happens if it is scheduled out
 *
 * Context: the physical CPU that runs it.
 */
void pvpmu_sched_poll(struct pvpmu_sched *sched);

/**
 * pvpmu_sched_hold() - holds the vCPU's time
 * @sched: the vCPU's, scheduled in; its guest does not run until the release
 *
 * For a call: events that it starts or stops together have the same times.
 */
void pvpmu_sched_hold(struct pvpmu_sched *sched);

/** pvpmu_sched_release() - lets time go on, from where it is by now */
void pvpmu_sched_release(struct pvpmu_sched *sched);

/**
 * pvpmu_sched_time() - the vCPU's time
 * @sched: the vCPU's
 *
 * Return: ns that it was scheduled in.
 */
u64 pvpmu_sched_time(const struct pvpmu_sched *sched);

#endif /* PVPMU_SCHED_H */
