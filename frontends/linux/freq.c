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
 */
#include "pvpmu.h"

#include <linux/jiffies.h>
#include <linux/math64.h>

/* Without an overflow for so long, the count is read after all. */
#define STILL_TICKS 8

/**
 * pvg_freq_tick() - perf is about to look at a frequency event's count
 * @event: of this CPU
 * @slot: which it is in
 *
 * Context: interrupts off.
 * Return: true if the count should be brought up to date before the next tick.
 */
bool pvg_freq_tick(struct perf_event *event, struct pvg_slot *slot)
{
	u64 count = local64_read(&event->count);
	u64 now = pvg_clock();
	u64 came = count - slot->freq_count;
	u64 took = now - slot->freq_time;

	event->hw.freq_count_stamp = count;
	if (!came)
		return took > STILL_TICKS * TICK_NSEC;

	slot->freq_count = count;
	slot->freq_time = now;
	if (took > TICK_NSEC)
		came = mul_u64_u64_div_u64(came, TICK_NSEC, took);
	event->hw.freq_count_stamp -= came;
	return false;
}
