// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmu on KVM: more events than the CPU has counters
 *
 * Core decides whose turn it is, as on any hypervisor; only those that have
 * one are enabled in perf.  So perf's own rotation, which knows nothing of what
 * a guest's events have in common over its switches of tasks, and begins anew
 * each time the vCPU's thread does, is left to what the host itself counts.
 *
 * To enable an event makes perf schedule all of the thread's anew.  So a
 * counter that a guest stops stays enabled, as long as it takes none from
 * those that are started, and where all fit nothing is ever done here.
 *
 * A turn ends in the vCPU's own context.  A timer asks for that as an overflow
 * does, but a vCPU that sleeps is left alone: its turn ends when it wakes.
 */
#include <linux/bitops.h>
#include <linux/ktime.h>

#include "compat.h"
#include "pvpmu_kvm.h"

static bool is_physical(const struct pvpmu_desc *desc)
{
	return pk_event_fits(desc);
}

/**
 * pk_mux_enabled() - is its event to count in perf, as far as it depends on us?
 * @counter: any
 *
 * Context: the vCPU's lock is held.
 */
bool pk_mux_enabled(const struct pk_counter *counter)
{
	const struct pk_mux *mux = &counter->vcpu->mux;
	u64 bit = BIT_ULL(counter->index);

	return !(mux->physical & bit) || mux->enabled & bit;
}

/**
 * pk_mux_begins() - has it a turn that begins with the end of this call?
 * @counter: any
 *
 * Context: the vCPU's lock is held.
 */
bool pk_mux_begins(const struct pk_counter *counter)
{
	const struct pk_mux *mux = &counter->vcpu->mux;

	return mux->turns.placed & ~mux->enabled & BIT_ULL(counter->index);
}

/* Brings the time that the vCPU ran up to date: that of its thread's context. */
static u64 ran(struct pk_vcpu *vcpu)
{
	struct pk_mux *mux = &vcpu->mux;
	u64 rest;

	if (vcpu->task != current)
		return mux->ran;
	for (rest = mux->physical; rest; rest &= rest - 1) {
		const struct perf_event *event =
			vcpu->counter[__ffs(rest)].event;
		u64 now;

		if (!event)
			continue;
		now = pk_context_time(vcpu, event->ctx);
		/* Another thread's may be at the address of one that ended. */
		if (mux->ctx == event->ctx && now > mux->ctx_time)
			mux->ran += now - mux->ctx_time;
		mux->ctx = event->ctx;
		mux->ctx_time = now;
		break;
	}
	return mux->ran;
}

/**
 * pk_mux_create() - a counter is about to be made
 * @counter: described
 *
 * Context: as pk_op_create().
 */
void pk_mux_create(struct pk_counter *counter)
{
	struct pk_mux *mux = &counter->vcpu->mux;
	u64 bit = BIT_ULL(counter->index);

	if (!is_physical(&counter->desc))
		return;
	pvpmu_turns_create(&mux->turns, counter->index, &counter->desc,
			   pk_event_fits(&counter->desc));
	mux->physical |= bit;
	if (hweight64(mux->enabled) < pk_events_room())
		mux->enabled |= bit;
}

/* Context: as pk_op_destroy(). */
void pk_mux_destroy(struct pk_counter *counter)
{
	struct pk_mux *mux = &counter->vcpu->mux;

	mux->physical &= ~BIT_ULL(counter->index);
	mux->enabled &= ~BIT_ULL(counter->index);
}

/* Context: as pk_op_start(). */
void pk_mux_start(struct pk_counter *counter)
{
	struct pk_vcpu *vcpu = counter->vcpu;

	if (is_physical(&counter->desc))
		pvpmu_turns_start(&vcpu->mux.turns, counter->index, ran(vcpu));
}

/* Context: as pk_op_stop(). */
void pk_mux_stop(struct pk_counter *counter)
{
	struct pk_vcpu *vcpu = counter->vcpu;

	if (is_physical(&counter->desc))
		pvpmu_turns_stop(&vcpu->mux.turns, counter->index, ran(vcpu));
}

static void disable(struct pk_vcpu *vcpu, u64 counters)
{
	vcpu->mux.enabled &= ~counters;
	for (; counters; counters &= counters - 1) {
		struct pk_counter *counter = &vcpu->counter[__ffs(counters)];

		if (counter->event)
			perf_event_disable(counter->event);
	}
}

static void enable(struct pk_vcpu *vcpu, u64 counters)
{
	vcpu->mux.enabled |= counters;
	for (; counters; counters &= counters - 1) {
		struct pk_counter *counter = &vcpu->counter[__ffs(counters)];

		if (!counter->event)
			continue;
		pk_sampling_prepare(counter);
		perf_event_enable(counter->event);
	}
}

/* Has perf do what was decided.  Returns what changed. */
static u64 carry_out(struct pk_vcpu *vcpu)
{
	struct pk_mux *mux = &vcpu->mux;
	u64 started = mux->turns.started;
	u64 wanted = mux->turns.placed;
	u64 idle = mux->enabled & ~started;
	u64 changed = (mux->enabled ^ wanted) & started;

	if (mux->starved || hweight64(wanted | idle) > pk_events_room())
		disable(vcpu, idle);
	mux->starved = false;
	disable(vcpu, mux->enabled & started & ~wanted);
	enable(vcpu, wanted & ~mux->enabled);
	return changed;
}

/* A fresh look at the time of the context that all of them are in */
static u64 time_now(struct pk_vcpu *vcpu)
{
	vcpu->now = 0;
	ran(vcpu);
	return vcpu->mux.ctx_time;
}

/*
 * To change turns takes longer than a short turn, and the guest does not run
 * meanwhile.  So that time is in nobody's: neither in those of the events, nor in
 * what they have used of their turns.
 */
static u64 change_turns(struct pk_vcpu *vcpu)
{
	u64 ran_before = vcpu->mux.ran, begin = time_now(vcpu);
	u64 changed, end, rest;

	for (rest = vcpu->mux.physical; rest; rest &= rest - 1) {
		struct pk_counter *counter = &vcpu->counter[__ffs(rest)];

		if (counter->event)
			counter->skipped -= pk_counter_running(counter, begin);
	}
	changed = carry_out(vcpu);
	end = time_now(vcpu);
	for (rest = vcpu->mux.physical; rest; rest &= rest - 1) {
		struct pk_counter *counter = &vcpu->counter[__ffs(rest)];

		if (!counter->event)
			continue;
		counter->skipped += pk_counter_running(counter, end);
		counter->born += end - begin;
	}
	vcpu->mux.ran = ran_before;
	return changed;
}

static bool is_as_decided(const struct pk_mux *mux)
{
	return !mux->starved &&
	       !((mux->enabled ^ mux->turns.placed) & mux->turns.started);
}

/* One that is early is set again when it has come. */
static void set_timer(struct pk_vcpu *vcpu, u64 clock)
{
	struct pk_mux *mux = &vcpu->mux;
	u64 left = pvpmu_turns_left(&mux->turns);

	if (!left || (READ_ONCE(mux->armed) && mux->due <= clock + left))
		return;
	mux->due = clock + left;
	WRITE_ONCE(mux->armed, true);
	hrtimer_start(&mux->timer, ns_to_ktime(left),
		      HRTIMER_MODE_REL_PINNED_HARD);
}

/**
 * pk_op_arrange() - ends turns, and begins others
 * @core: the vCPU
 *
 * Context: the vCPU's own, or foreign when nothing counts any more.
 * Return: whether a counter that is started got a turn, or lost its own.
 */
bool pk_op_arrange(struct pvpmu_vcpu *core)
{
	struct pk_vcpu *vcpu = to_pk(core);
	struct pk_mux *mux = &vcpu->mux;
	u64 changed = 0;

	if (!pvpmu_turns_waiting(&mux->turns) && !mux->starved &&
	    !(mux->turns.placed & ~mux->enabled)) {
		mux->turns.contended = false;
		return false;
	}
	if (vcpu->task != current)
		return false;
	pvpmu_turns_arrange(&mux->turns, ran(vcpu), ktime_get_mono_fast_ns());
	mux->turns.moved = 0;
	if (!is_as_decided(mux))
		changed = change_turns(vcpu);
	set_timer(vcpu, ktime_get_mono_fast_ns());
	return changed;
}

static enum hrtimer_restart expired(struct hrtimer *timer)
{
	struct pk_vcpu *vcpu = container_of(timer, struct pk_vcpu, mux.timer);

	WRITE_ONCE(vcpu->mux.armed, false);
	pk_kick_if_awake(vcpu);
	return HRTIMER_NORESTART;
}

/* Context: process, nobody knows of @vcpu yet. */
void pk_mux_init(struct pk_vcpu *vcpu)
{
	pvpmu_turns_init(&vcpu->mux.turns, ktime_get_mono_fast_ns());
	pk_timer_init(&vcpu->mux.timer, expired, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_PINNED_HARD);
}

/* Context: process; @vcpu has no counters any more. */
void pk_mux_exit(struct pk_vcpu *vcpu)
{
	hrtimer_cancel(&vcpu->mux.timer);
}
