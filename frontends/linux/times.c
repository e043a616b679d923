// SPDX-License-Identifier: GPL-2.0
/*
 * Honest times.
 *
 * perf measures by itself how long an event is enabled and how long it runs,
 * and believes that an event which it has added does run.  The host knows
 * better: it shows how much of the time that this CPU was given the event had
 * a counter.  The part that it had none, applied to the time that perf
 * measured over the same interval, is taken from the event's running time
 * here, so that tools scale the count and print the true percentage.
 *
 * The same is done for time without a host ("gap"), which is known in ns.
 *
 * perf shows a group the times of its leader, so all members are charged what
 * the worst of them lost.
 *
 * Only from ->read and after ->del: times belong to perf's context lock or to
 * the CPU that runs the event, and an NMI has neither.
 */
#include "pvpmu.h"

#include <linux/minmax.h>

#include "times.h"

/* The clock that perf's times of this event are on, as of its last update. */
u64 pvg_context_time(struct perf_event *event)
{
#ifdef CONFIG_CGROUP_PERF
	if (event->cgrp)
		return pvg_time_of(per_cpu_ptr(event->cgrp->info, event->cpu));
#endif
	return pvg_time_of(event->ctx);
}

/* What the host line of an open id adds. */
void pvg_times_carry(struct pvg_cpu *cpu, struct pvg_slot *slot,
		     const struct pvg_line *line)
{
	pvg_pinned_check(cpu, slot, line);
	slot->den += line->enabled - slot->enabled;
	slot->num += line->running - slot->running;
	slot->enabled = line->enabled;
	slot->running = line->running;
}

static u64 span_of(const struct pvg_slot *slot, u64 at)
{
	return max_t(s64, at - slot->published, 0);
}

/**
 * pvg_times_publish() - tells perf what its events did not run
 * @cpu: this CPU
 * @group: slots whose events are of one group, with fresh lines
 *
 * Context: interrupts off, on @cpu, not in an NMI.  For an event that perf
 * has taken away this may be a moment after perf let go of its context's lock
 * (see switch.c); a reader on another CPU can then overwrite what is published
 * here with what was there before.  That moment's share is lost then, which
 * errs by one interval and on one side: as if nothing was known.
 */
void pvg_times_publish(struct pvg_cpu *cpu, u32 group)
{
	u64 worst = 0;

	for_each_id(id, group) {
		struct pvg_slot *slot = &cpu->slot[id];
		struct pvg_line line;

		if (!(cpu->closing & BIT(id)))
			slot->end = pvg_context_time(slot->event);
		if (slot->open && pvg_line(cpu, id, &line) &&
		    line.state != PVPMU_STATE_CLOSED)
			pvg_times_carry(cpu, slot, &line);
		if (slot->gap_from) {
			u64 now = pvg_clock();

			slot->gap += now - slot->gap_from;
			slot->gap_from = now;
		}
		worst = max(worst, pvg_lost(span_of(slot, slot->end), slot->gap,
					    slot->den, slot->num));
	}
	for_each_id(id, group) {
		struct pvg_slot *slot = &cpu->slot[id];
		struct perf_event *event = slot->event;
		s64 delta = slot->end - event->tstamp;
		u64 span = span_of(slot, slot->end);

		/* Never below what it was: let perf's own part come first. */
		if (worst && delta > 0 && !(cpu->closing & BIT(id))) {
			event->total_time_enabled += delta;
			event->total_time_running += delta;
			event->tstamp = slot->end;
		}
		event->total_time_running -= min(worst, span);
		slot->published = slot->end;
		slot->den = 0;
		slot->num = 0;
		/* The two clocks are not read at once: what is over, comes next. */
		slot->gap -= min(slot->gap, span);
		if (event->rb)
			perf_event_update_userpage(event);
	}
}
