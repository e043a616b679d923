// SPDX-License-Identifier: GPL-2.0
/*
 * Pinned events: always counted, or in error.
 *
 * perf takes an event that it has added for one that counts.  Of a pinned one
 * the user was promised just that, so when the host had no counter for it, or
 * for another event of its group, perf has to hear of it.  A struct pmu can say
 * so in ->add only: the event is marked, and perf is asked to schedule the
 * CPU's events anew, where ->add refuses the marked one.  What perf makes of a
 * pinned group that cannot be added is an error for its reader, until the group
 * is enabled again.
 *
 * Time without a host is no reason: it ends by itself, and the percentage tells
 * of it.
 */
#include "pvpmu.h"

/* A share of time below 1/64 is the host's own bookkeeping, no other user. */
#define SLACK_SHIFT 6

static void (*resched)(struct pmu *pmu);

bool pvg_pinned(const struct pvg_slot *slot)
{
	return slot->event->group_leader->attr.pinned;
}

static bool starved(const struct pvg_slot *slot, const struct pvg_line *line)
{
	u64 enabled = line->enabled - slot->enabled;
	u64 running = line->running - slot->running;

	return line->state == PVPMU_STATE_WAITING ||
	       line->state == PVPMU_STATE_FAILED ||
	       running + (enabled >> SLACK_SHIFT) < enabled;
}

/* One mark is enough for a group. */
static bool group_is_marked(struct pvg_cpu *cpu, struct perf_event *leader)
{
	for_each_id(id, cpu->used)
		if (cpu->slot[id].event->group_leader == leader &&
		    pvg_refuse(&cpu->slot[id].event->hw))
			return true;
	return false;
}

/**
 * pvg_pinned_check() - marks a pinned event that the host starved
 * @cpu: this CPU
 * @slot: with an event that the host has open
 * @line: what the host shows of it now
 *
 * Context: interrupts off, on @cpu, not in an NMI.
 */
void pvg_pinned_check(struct pvg_cpu *cpu, struct pvg_slot *slot,
		      const struct pvg_line *line)
{
	struct perf_event *event = slot->event;

	if (!pvg_pinned(slot) || !resched || !starved(slot, line) ||
	    group_is_marked(cpu, event->group_leader))
		return;
	pvg_refuse(&event->hw) = true;
	cpu->resched = true;
	irq_work_queue(&cpu->work);
}

/**
 * pvg_pinned_look() - the same for a slot whose line is fresh
 * @cpu: this CPU
 * @id: of a slot with an event
 *
 * Context: as pvg_pinned_check().
 */
void pvg_pinned_look(struct pvg_cpu *cpu, u32 id)
{
	struct pvg_slot *slot = &cpu->slot[id];
	struct pvg_line line;

	if (slot->on && pvg_pinned(slot) && pvg_line(cpu, id, &line))
		pvg_pinned_check(cpu, slot, &line);
}

/**
 * pvg_pinned_refused() - is it marked?
 * @event: perf adds it
 *
 * Context: interrupts off.
 * Return: true once for each mark.
 */
bool pvg_pinned_refused(struct perf_event *event)
{
	bool marked = pvg_refuse(&event->hw);

	pvg_refuse(&event->hw) = false;
	return marked;
}

/**
 * pvg_pinned_resched() - has perf add this CPU's events anew, if it is asked to
 * @cpu: this CPU
 *
 * Context: hard interrupt, where none of perf's locks is held.
 */
void pvg_pinned_resched(struct pvg_cpu *cpu)
{
	if (!cpu->resched)
		return;
	cpu->resched = false;
	if (resched)
		resched(&pvg_pmu);
}

/* Context: process. */
void pvg_pinned_init(void)
{
	resched = pvg_resolve("perf_pmu_resched");
}
