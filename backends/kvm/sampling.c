// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmu on KVM: counters that overflow
 *
 * Such a counter counts all the time, too.  While it is not armed, its period
 * is one that does not end.  When it overflows follows from the count alone:
 * @next is the count at which it does.  An interrupt that comes early, late or
 * not at all moves nothing: what perf was to load is a hint of when to look.
 *
 * perf's handler has loaded the next period already when it calls us, the same
 * length as before.  If that is not what core wants, the counter is programmed
 * again before the guest runs on: not in the NMI, where on AMD a counter that
 * is stopped cannot be started, but when the overflow is published, which
 * comes before the guest in any case.
 */
#include <linux/hrtimer.h>

#include "compat.h"
#include "pvpmu_kvm.h"

/* Overflows that one interrupt reports at most; the rest come with the next */
#define OVERFLOWS_AT_ONCE 8

static bool is_due(const struct pk_counter *counter, u64 count)
{
	return (s64)(count - counter->next) >= 0;
}

static u64 count_now(const struct pk_counter *counter)
{
	return pk_count_of(counter, local64_read(&counter->event->count));
}

/* Events until it overflows next; more of it than was counted is due now. */
static u64 left(const struct pk_counter *counter)
{
	u64 count = count_now(counter);

	return is_due(counter, count) ? 1 : counter->next - count;
}

static void park(struct pk_counter *counter)
{
	WRITE_ONCE(counter->armed, false);
	WRITE_ONCE(counter->event->hw.sample_period, PK_PARKED);
}

/**
 * pk_sampling_ask_adjust() - has pk_sampling_adjust() called before the guest
 *                            runs on
 * @counter: that is to be programmed anew
 *
 * Context: NMI, or the vCPU's thread.
 */
void pk_sampling_ask_adjust(struct pk_counter *counter)
{
	WRITE_ONCE(counter->adjust, true);
	WRITE_ONCE(counter->vcpu->adjust, true);
	pk_op_kick(&counter->vcpu->core);
}

/* Reports what is due.  Returns false if nothing is to overflow any more. */
static bool report(struct pk_counter *counter, u64 count)
{
	u32 budget = OVERFLOWS_AT_ONCE;

	while (is_due(counter, count) && budget--) {
		u64 length = pvpmu_overflow(&counter->vcpu->core,
					    counter->index);

		if (!length)
			return false;
		counter->period = length;
		counter->next += length;
	}
	return true;
}

/*
 * When the timer of a clock event is to fire again.  perf forwards it by this
 * much from when it should have fired last, which was a moment ago.
 */
static u64 timer_period(const struct perf_event *event, u64 left)
{
	const struct hrtimer *timer = &event->hw.hrtimer;
	ktime_t late = ktime_sub(hrtimer_cb_get_time((struct hrtimer *)timer),
				 hrtimer_get_expires(timer));

	return left + ktime_to_ns(late);
}

/**
 * pk_overflow_handler() - perf says that a counter overflowed
 * @event: its event; event->count is up to date
 * @data: not used
 * @regs: not used
 *
 * Context: NMI, or for the clock a hard interrupt; on the CPU and in the
 * thread of the vCPU.
 */
void pk_overflow_handler(struct perf_event *event,
			 struct perf_sample_data *data, struct pt_regs *regs)
{
	struct pk_counter *counter = event->overflow_handler_context;

	if (!counter)
		return;
	/*
	 * perf stops an event that overflows too often, and with it the count,
	 * until the next tick.  Core has a limit of its own, which costs
	 * overflows and no counts, so this one counts on.
	 */
	if (event->hw.interrupts == PK_THROTTLED_BY_PERF)
		pk_sampling_ask_adjust(counter);
	if (!READ_ONCE(counter->armed))
		return;
	if (!report(counter, count_now(counter))) {
		park(counter);
		pk_sampling_ask_adjust(counter);
	} else if (pk_event_is_clock(&counter->desc)) {
		event->hw.sample_period = timer_period(event, left(counter));
	} else if (event->hw.sample_period != counter->period ||
		   local64_read(&event->hw.period_left) != left(counter)) {
		event->hw.sample_period = counter->period;
		pk_sampling_ask_adjust(counter);
	}
}

/*
 * Has perf overflow when the counter is to, as perf does itself when a period
 * changes.  An event that does not count now takes it when it does again.
 *
 * What is left is taken before the event is stopped: a clock event that was
 * stopped shows a moment of the past until it is read again.
 *
 * Context: the vCPU's own, interrupts off, event->count is up to date.
 */
static void program(struct pk_counter *counter)
{
	struct perf_event *event = counter->event;
	bool overflows = counter->armed && pk_counts_now(counter);
	u64 period = overflows ? counter->period : PK_PARKED;
	u64 first = overflows ? left(counter) : PK_PARKED;
	bool here = pk_counter_here(counter);

	WRITE_ONCE(counter->adjust, false);
	if (event->hw.interrupts == PK_THROTTLED_BY_PERF)
		event->hw.interrupts = 0;
	if (here)
		event->pmu->stop(event, PERF_EF_UPDATE);
	event->hw.sample_period = period;
	local64_set(&event->hw.period_left, first);
	if (here)
		event->pmu->start(event, PERF_EF_RELOAD);
}

/**
 * pk_sampling_resume() - arms a counter
 * @counter: not armed, or on an event that was just made
 * @events: until it overflows
 *
 * Context: the vCPU's own.
 */
void pk_sampling_resume(struct pk_counter *counter, u64 events)
{
	unsigned long flags;

	local_irq_save(flags);
	pk_counter_update(counter);
	counter->next = count_now(counter) + events;
	/* It is not known how long the period after this one will be. */
	if (!counter->period)
		counter->period = events;
	WRITE_ONCE(counter->armed, true);
	program(counter);
	local_irq_restore(flags);
}

bool pk_op_start(struct pvpmu_vcpu *core, u32 index, u64 left)
{
	struct pk_counter *counter = &to_pk(core)->counter[index];

	if (counter->desc.sampling && counter->event) {
		if (counter->vcpu->task != current)
			return false;
		pk_sampling_resume(counter, left);
	}
	pk_mux_start(counter);
	return true;
}

/*
 * Nothing is programmed: the period that runs may end, which does nothing, and
 * the one after it does not.  A guest that switches tasks often starts the
 * counter again before that.
 */
void pk_op_stop(struct pvpmu_vcpu *core, u32 index)
{
	struct pk_counter *counter = &to_pk(core)->counter[index];

	if (counter->desc.sampling && counter->event)
		park(counter);
	pk_mux_stop(counter);
}

static void adjust(struct pk_counter *counter)
{
	unsigned long flags;

	local_irq_save(flags);
	pk_counter_update(counter);
	program(counter);
	local_irq_restore(flags);
}

/**
 * pk_sampling_prepare() - programs a counter that is about to be enabled
 * @counter: its event is disabled
 *
 * An interrupt that was lost when its last turn ended is made up for.
 *
 * Context: the vCPU's own.
 */
void pk_sampling_prepare(struct pk_counter *counter)
{
	if (counter->armed)
		adjust(counter);
}

/**
 * pk_sampling_adjust() - programs what NMIs found to be programmed
 * @vcpu: asked for it
 *
 * Context: the vCPU's own.
 */
void pk_sampling_adjust(struct pk_vcpu *vcpu)
{
	u64 rest;

	WRITE_ONCE(vcpu->adjust, false);
	for (rest = vcpu->core.made; rest; rest &= rest - 1) {
		struct pk_counter *counter = &vcpu->counter[__ffs(rest)];

		if (READ_ONCE(counter->adjust) && counter->event)
			adjust(counter);
	}
}
