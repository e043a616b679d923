// SPDX-License-Identifier: GPL-2.0
/*
 * Groups that cannot be counted are refused when they are opened.
 *
 * perf would try again and again to add one, and never count it; tools that
 * are told break it up instead.  How many events of which kinds can count at a
 * time, only the host knows.  So the group is opened there, in slots that nobody
 * uses, and closed again.  A host without groups counts each event by itself,
 * and needs a slot for each.
 */
#include "pvpmu.h"

#include <linux/bitops.h>
#include <linux/irqflags.h>

/* What is to be found out: ids, and how many events are described in them */
struct trial {
	u32 ids;
	u32 described;
};

static bool ours(const struct perf_event *event)
{
	return event->pmu == &pvg_pmu;
}

static u32 size_of(struct perf_event *event)
{
	struct perf_event *leader = event->group_leader, *sibling;
	u32 n = 1 + ours(leader);

	for_each_sibling_event(sibling, leader)
		n += ours(sibling);
	return n;
}

static void describe(struct pvg_cpu *cpu, struct trial *trial,
		     const struct perf_event *event)
{
	u32 id = __ffs(trial->ids & ~trial->described);
	struct pvpmu_slot_guest *line = &pvg_area_slot(cpu, id)->guest;

	line->type = pvg_type(&event->hw);
	line->flags = pvg_flags(&event->hw) & PVPMU_FLAGS_FILTERS;
	line->config = pvg_config(&event->hw);
	line->period = 0;
	line->next_period = 0;
	line->leader = __ffs(trial->ids);
	trial->described |= BIT(id);
}

static void describe_all(struct pvg_cpu *cpu, struct trial *trial,
			 struct perf_event *event)
{
	struct perf_event *leader = event->group_leader, *sibling;

	if (ours(leader))
		describe(cpu, trial, leader);
	for_each_sibling_event(sibling, leader)
		if (ours(sibling))
			describe(cpu, trial, sibling);
	describe(cpu, trial, event);
}

static s64 update(struct pvg_cpu *cpu, u32 open, u32 close)
{
	struct pvpmu_header_guest *header = &pvg_area(cpu)->guest;

	WRITE_ONCE(header->close, close);
	WRITE_ONCE(header->disable, 0);
	WRITE_ONCE(header->open, open);
	WRITE_ONCE(header->enable, 0);
	WRITE_ONCE(header->read, 0);
	return pvg_call(cpu, PVPMU_OP_UPDATE, 0, 0, 0);
}

/* Slots of no event for @n events; 0 if there are not enough. */
static u32 vacant_ids(const struct pvg_cpu *cpu, u32 n)
{
	u32 vacant = GENMASK(cpu->host.slots - 1, 0) & ~cpu->used;
	u32 ids = 0;

	if (hweight32(vacant) < n)
		return 0;
	for (; n; n--)
		ids |= BIT(__ffs(vacant & ~ids));
	return ids;
}

/* Does the host take them as a group?  Context: interrupts off. */
static bool host_takes(struct pvg_cpu *cpu, struct perf_event *event, u32 n)
{
	struct trial trial = { .ids = vacant_ids(cpu, n) };
	u32 open = 0;
	bool taken = true;
	s64 result;

	if (!cpu->live || !trial.ids)
		return true;
	cpu->busy = true;
	describe_all(cpu, &trial, event);
	result = update(cpu, trial.ids, 0);
	if (result >= 0)
		open = trial.ids;
	for_each_id(id, result == PVPMU_ERR_PARTIAL ? trial.ids : 0) {
		s32 error = READ_ONCE(pvg_area_slot(cpu, id)->host.error);

		if (!error)
			open |= BIT(id);
		taken &= error != PVPMU_ERR_GROUP;
	}
	if (open)
		result = update(cpu, 0, open);
	if (pvg_absent(result))
		cpu->lost = true;
	cpu->busy = false;
	return taken;
}

/**
 * pvg_group_fits() - could it count with its group, if nothing else did?
 * @event: described, and not in its group's list yet
 *
 * Context: process.
 */
bool pvg_group_fits(struct perf_event *event)
{
	struct pvg_cpu *cpu;
	unsigned long flags;
	bool fits;
	u32 n;

	/* A child is what its parent is. */
	if (event->group_leader == event || event->parent)
		return true;
	n = size_of(event);
	local_irq_save(flags);
	cpu = this_cpu_ptr(&pvg_cpus);
	fits = n <= pvg_usable(cpu);
	if (fits && n > 1 && cpu->host.features & PVPMU_FEAT_GROUPS)
		fits = host_takes(cpu, event, n);
	local_irq_restore(flags);
	return fits;
}
