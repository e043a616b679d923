// SPDX-License-Identifier: GPL-2.0
/*
 * Frequency mode without a call per tick.
 *
 * At each tick perf stops a frequency event, looks how far its count has come
 * since the last tick, computes a new period and starts it again.  A counter
 * that costs an exit is not read for that: its count comes up to date with
 * each overflow anyway.  An event of fewer than one sample a tick then seems
 * to stand still for some ticks and to leap in others, and perf would take
 * every leap for the work of one tick.  So perf is told where the count would
 * have been a tick ago, had it come here steadily.
 *
 * What came is taken from the host's side.  The event's own count may be set to
 * zero, or be swapped for that of another task's event.
 */
#include "pvpmu.h"

#include <linux/jiffies.h>
#include <linux/math64.h>

/* Without an overflow for so long, the count is read after all. */
#define STILL_TICKS 8
/* perf cuts a period short that has more than so many new ones to go. */
#define FAR_PERIODS 8

/**
 * pvg_next_period() - tells the host how long later periods are to be
 * @cpu: this CPU
 * @id: of a slot with an event that samples
 *
 * perf goes on from what the host takes, or it would find each period too long
 * and cut it short before it ends.
 *
 * Context: any, on @cpu.
 */
void pvg_next_period(struct pvg_cpu *cpu, u32 id)
{
	struct perf_event *event = cpu->slot[id].event;
	struct hw_perf_event *hwc = &event->hw;

	hwc->sample_period = pvg_period(cpu, event, hwc->sample_period);
	WRITE_ONCE(pvg_area_slot(cpu, id)->guest.next_period,
		   hwc->sample_period);
}

/**
 * pvg_period_left() - how far the overflow is that the host will show next
 * @slot: whose event samples and is open
 *
 * The period that runs on the host is not perf's current one: what perf chooses
 * holds from the overflow after the next.  The host makes a period that it
 * throttled longer by the one that follows.
 *
 * Context: any, on @slot's CPU.
 * Return: events, at least 1.
 */
s64 pvg_period_left(const struct pvg_slot *slot)
{
	u64 since = local64_read(&slot->count) - slot->total;

	return since < slot->length ? slot->length - since : slot->reload;
}

/*
 * Does the period that runs last for much longer than one that suits a rate of
 * @came events a tick?  One that is as short as the host takes cannot be helped.
 */
static bool is_far(struct pvg_cpu *cpu, struct perf_event *event,
		   struct pvg_slot *slot, u64 came)
{
	u64 wanted = div64_u64(came * (NSEC_PER_SEC / TICK_NSEC),
			       event->attr.sample_freq);

	return slot->length > pvg_period(cpu, event, 1) &&
	       slot->left > FAR_PERIODS * (s64)wanted;
}

/**
 * pvg_freq_tick() - perf is about to look at a frequency event's count
 * @cpu: this CPU
 * @event: of this CPU
 * @slot: which it is in
 *
 * Context: interrupts off.
 * Return: true if the count should be brought up to date before the next tick.
 */
bool pvg_freq_tick(struct pvg_cpu *cpu, struct perf_event *event,
		   struct pvg_slot *slot)
{
	u64 count = local64_read(&slot->count);
	u64 now = pvg_clock();
	u64 came = count - slot->freq_count;
	u64 took = now - slot->freq_time;

	event->hw.freq_count_stamp = local64_read(&event->count);
	if (!came)
		return took > STILL_TICKS * TICK_NSEC;

	slot->freq_count = count;
	slot->freq_time = now;
	if (took > TICK_NSEC)
		came = mul_u64_u64_div_u64(came, TICK_NSEC, took);
	event->hw.freq_count_stamp -= came;
	return is_far(cpu, event, slot, came);
}
