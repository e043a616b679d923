// SPDX-License-Identifier: MIT OR GPL-2.0
/* The model against what there is */
#include "model.h"

static void same_line(const u32 *seq, u32 *was, bool shown)
{
	assert_int_equal(*seq & 1, 0);
	if (shown)
		assert_int_not_equal(*seq, *was);
	else
		assert_int_equal(*seq, *was);
	*was = *seq;
}

/* A line that was written has another sequence, and no other line has. */
static void same_sequences(struct model *m, const struct pvpmu_area *area)
{
	u32 id;

	same_line(&area->host.seq, &m->area.host.seq, m->header_shown);
	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		same_line(&area->slot[id].host.seq, &m->area.slot[id].host.seq,
			  m->shown & BIT(id));
	m->header_shown = false;
	m->shown = 0;
}

static void same_page(const struct model *m, const struct pvpmu_area *area)
{
	u32 id;

	/* The parts first, so that a difference is told by its name. */
	assert_int_equal(area->overflow.pending, m->area.overflow.pending);
	for (id = 0; id < PVPMU_MAX_SLOTS; id++) {
		const struct pvpmu_slot_host *is = &area->slot[id].host;
		const struct pvpmu_slot_host *should = &m->area.slot[id].host;

		assert_int_equal(is->state, should->state);
		assert_int_equal(is->count, should->count);
		assert_int_equal(is->time_enabled, should->time_enabled);
		assert_int_equal(is->time_running, should->time_running);
		assert_int_equal(is->overflow_total, should->overflow_total);
		assert_int_equal(is->overflows, should->overflows);
		assert_int_equal(is->error, should->error);
		assert_int_equal(is->index, should->index);
		assert_int_equal(is->width, should->width);
		assert_int_equal(is->base, should->base);
	}
	assert_memory_equal(area, &m->area, sizeof(*area));
}

/* A counter serves those that it is like, sampling events one by one. */
static void right_counter(const struct model *m, u32 id)
{
	const struct model_slot *slot = &m->slot[id];
	const struct fake_counter *c = &m->machine->fake.counter[slot->counter];

	assert_int_equal(m->machine->fake.vcpu.slot[id].counter, slot->counter);
	assert_true(c->exists);
	assert_int_equal(c->desc.type, slot->event.type);
	assert_int_equal(c->desc.config, slot->event.config);
	assert_int_equal(c->desc.flags, slot->event.flags & 15);
	assert_int_equal(c->desc.sampling, slot->event.period != 0);
	assert_int_equal(c->desc.group != 0, slot->group != 0);
	assert_true(c->started || !slot->enabled || c->reading.failed);
}

static bool alike(const struct model_slot *a, const struct model_slot *b)
{
	return model_alike(&a->event, &b->event) && a->group == b->group;
}

/* Events share a counter if they are alike, unless one has failed. */
static void right_sharing(const struct model *m, u32 i, u32 j)
{
	const struct model_slot *a = &m->slot[i];
	const struct model_slot *b = &m->slot[j];
	const struct fake_counter *c = &m->machine->fake.counter[a->counter];
	const struct fake_counter *d = &m->machine->fake.counter[b->counter];

	if (a->counter == b->counter)
		assert_true(alike(a, b));
	else if (alike(a, b))
		assert_true(c->reading.failed || d->reading.failed);
	if (a->group && b->group)
		assert_int_equal(a->group == b->group,
				 c->desc.group == d->desc.group);
}

static void right_counters(const struct model *m)
{
	const struct fake *fake = &m->machine->fake;
	u64 used = 0, enabled = 0, physical = 0;
	u32 i, j;

	for (i = 0; i < PVPMU_MAX_SLOTS; i++) {
		if (!m->slot[i].open)
			continue;
		right_counter(m, i);
		used |= 1ull << m->slot[i].counter;
		if (m->slot[i].enabled)
			enabled |= 1ull << m->slot[i].counter;
		for (j = 0; j < i; j++)
			if (m->slot[j].open)
				right_sharing(m, i, j);
	}
	for (i = 0; i < PVPMU_MAX_COUNTERS; i++) {
		const struct fake_counter *c = &fake->counter[i];

		assert_true(!c->exists || !c->started || enabled & 1ull << i);
		if (c->exists &&
		    (c->desc.type == HW || c->desc.type == PVPMU_TYPE_CACHE ||
		     c->desc.type == PVPMU_TYPE_RAW))
			physical |= 1ull << i;
	}
	/* What nobody uses takes no room from those in use, or not for long. */
	if (fake->ops.room && physical & ~used &&
	    (u32)__builtin_popcountll(physical) > m->machine->room)
		assert_true(m->machine->given_back >= MODEL_SPARED);
}

static void same_stats(const struct model *m)
{
	struct pvpmu_stats is = m->machine->fake.vcpu.stats;

	assert_int_equal(is.created - is.destroyed,
			 fake_counters(&m->machine->fake));
	is.created = is.destroyed = 0;
	assert_int_equal(is.refused, m->stats.refused);
	assert_int_equal(is.overflows, m->stats.overflows);
	assert_int_equal(is.missed, m->stats.missed);
	assert_int_equal(is.throttled, m->stats.throttled);
	assert_int_equal(is.raised, m->stats.raised);
	assert_memory_equal(&is, &m->stats, sizeof(is));
}

/* What the administrator is shown is what the guest was. */
static void same_events(const struct model *m)
{
	struct pvpmu_open_event event;
	u32 id, next = 0;

	for (id = 0; id < PVPMU_MAX_SLOTS; id++) {
		if (!m->slot[id].open)
			continue;
		assert_true(
			pvpmu_next_event(&m->machine->fake.vcpu, next, &event));
		assert_int_equal(event.id, id);
		assert_int_equal(event.desc.config, m->slot[id].event.config);
		assert_int_equal(event.period, m->slot[id].event.period);
		assert_int_equal(event.line.state, m->slot[id].line.state);
		assert_int_equal(event.line.count, m->slot[id].line.count);
		next = id + 1;
	}
	assert_false(pvpmu_next_event(&m->machine->fake.vcpu, next, &event));
}

void model_agree(struct model *m)
{
	struct fake *fake = &m->machine->fake;
	u32 id;

	same_sequences(m, &fake->area);
	same_page(m, &fake->area);
	right_counters(m);
	same_stats(m);
	same_events(m);
	assert_int_equal(fake->attached, m->attached);
	assert_int_equal(fake->delivery, m->raised & 0xff);
	assert_int_equal(fake->port, m->raised >> 8);
	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		assert_int_equal(
			pvpmu_rdpmc(&fake->vcpu, PVPMU_RDPMC_BASE + id),
			model_rdpmc(m, id));
}
