// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Random guests against a model of the ABI
 *
 * The model is written from abi.h and shares nothing with core: it has no
 * counters, no private lines and no order of writing, only what a guest can
 * see.  After each step the whole area must look as the model says.
 */
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

#define STEPS 20000
#define SEEDS 12

/* What the model knows of a slot; @line is what the guest can see of it. */
struct model_slot {
	bool open;
	bool enabled;
	u32 group;
	struct pvpmu_slot_guest event;
	u64 count;
	u64 time_enabled;
	u64 time_running;
	u64 total;
	u64 length;
	u64 next_length;
	u32 overflows;
	struct pvpmu_slot_host line;
};

struct model {
	bool area;
	struct pvpmu_limits limits;
	u32 starved; /* hardware events that have no counter just now, by bit */
	u32 pending;
	u64 raised;
	bool groups; /* the host has them */
	u32 last_group;
	struct model_slot slot[PVPMU_MAX_SLOTS];
};

static u64 seed;

static u32 any(u32 below)
{
	/* xorshift64* */
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (u32)((seed * 0x2545f4914f6cdd1dull) >> 32) % below;
}

static bool one_in(u32 n)
{
	return any(n) == 0;
}

/*
 * The model
 */

static u32 model_open_slots(const struct model *m)
{
	u32 n = 0;
	u32 id;

	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		n += m->slot[id].open;
	return n;
}

static bool model_starved(const struct model *m, const struct model_slot *slot)
{
	return slot->event.type == HW && m->starved & BIT(slot->event.config);
}

/* The slot's line is brought up to date. */
static void model_show(const struct model *m, struct model_slot *slot)
{
	slot->line.count = slot->count;
	slot->line.time_enabled = slot->time_enabled;
	slot->line.time_running = slot->time_running;
	slot->line.overflow_total = slot->total;
	slot->line.overflows = slot->overflows;
	if (!slot->open)
		slot->line.state = PVPMU_STATE_CLOSED;
	else if (!slot->enabled)
		slot->line.state = PVPMU_STATE_STOPPED;
	else if (model_starved(m, slot))
		slot->line.state = PVPMU_STATE_WAITING;
	else
		slot->line.state = PVPMU_STATE_COUNTING;
}

static bool model_in_ns(const struct pvpmu_slot_guest *event)
{
	return event->type == PVPMU_TYPE_CLOCK ||
	       (event->type == PVPMU_TYPE_HYPERVISOR &&
		event->config == PVPMU_HV_STEAL);
}

static u64 model_shortest(const struct model *m,
			  const struct pvpmu_slot_guest *event)
{
	return model_in_ns(event) ? m->limits.clock_period_min
				  : m->limits.period_min;
}

static u64 model_next_length(const struct model *m,
			     const struct pvpmu_slot_guest *event, u64 next)
{
	u64 length = next ? next : event->period;

	if (length < model_shortest(m, event))
		return model_shortest(m, event);
	return length > PVPMU_PERIOD_MAX ? PVPMU_PERIOD_MAX : length;
}

static bool model_event_exists(u32 type, u64 config)
{
	switch (type) {
	case HW:
		return config < 10;
	case PVPMU_TYPE_CACHE:
		return (config & 0xff) < 7 && (config >> 8 & 0xff) < 3 &&
		       config >> 16 < 2;
	case PVPMU_TYPE_CLOCK:
		return config == 0;
	case PVPMU_TYPE_HYPERVISOR:
		return config < 11;
	default:
		return false; /* raw events are not granted in this test */
	}
}

static void model_join(struct model *m, struct model_slot *slot,
		       struct model_slot *leader)
{
	if (!leader->group) {
		leader->group = ++m->last_group;
		if (leader->enabled)
			model_show(m, leader);
	}
	slot->group = leader->group;
}

static s32 model_open(struct model *m, u32 id,
		      const struct pvpmu_slot_guest *event)
{
	struct model_slot *slot = &m->slot[id];
	s32 error = slot->line.error;
	u32 i;

	if (slot->open)
		return PVPMU_ERR_OPEN;
	if (event->flags & ~15u)
		return PVPMU_ERR_RESERVED;
	for (i = 0; i < 7; i++)
		if (event->reserved[i])
			return PVPMU_ERR_RESERVED;
	if (!model_event_exists(event->type, event->config))
		return PVPMU_ERR_EVENT;
	if ((event->flags & 3) == 3 || (event->flags & 12) == 12)
		return PVPMU_ERR_FILTER;
	if (!event->period && event->next_period)
		return PVPMU_ERR_PERIOD;
	if (event->period > PVPMU_PERIOD_MAX)
		return PVPMU_ERR_PERIOD;
	if (event->period && !event->next_period &&
	    event->period < model_shortest(m, event))
		return PVPMU_ERR_PERIOD;
	if (event->leader != id &&
	    (!m->groups || event->leader >= PVPMU_MAX_SLOTS ||
	     !m->slot[event->leader].open))
		return PVPMU_ERR_GROUP;
	if (model_open_slots(m) >= m->limits.slots_vcpu ||
	    model_open_slots(m) >= m->limits.slots_vm)
		return PVPMU_ERR_LIMIT;
	memset(slot, 0, sizeof(*slot));
	slot->open = true;
	slot->event = *event;
	slot->length = event->period;
	slot->next_length = model_next_length(m, event, event->next_period);
	slot->line.error = error;
	if (event->leader != id)
		model_join(m, slot, &m->slot[event->leader]);
	return PVPMU_OK;
}

static s32 model_simple(struct model *m, u32 op, u32 id)
{
	struct model_slot *slot = &m->slot[id];

	if (!slot->open)
		return PVPMU_ERR_CLOSED;
	switch (op) {
	case PVPMU_OP_CLOSE:
		slot->open = false;
		slot->enabled = false;
		break;
	case PVPMU_OP_ENABLE:
		slot->enabled = true;
		break;
	case PVPMU_OP_DISABLE:
		slot->enabled = false;
		break;
	}
	return PVPMU_OK;
}

static s32 model_step(struct model *m, const struct pvpmu_area *area, u32 op,
		      u32 id)
{
	s32 error = op == PVPMU_OP_OPEN
			    ? model_open(m, id, &area->slot[id].guest)
			    : model_simple(m, op, id);

	if (!error)
		model_show(m, &m->slot[id]);
	return error;
}

static void model_remind(struct model *m)
{
	m->raised += m->pending != 0;
}

static s32 model_one(struct model *m, const struct pvpmu_area *area, u32 op,
		     u32 id)
{
	s32 error;

	if (!m->area)
		return PVPMU_ERR_NO_AREA;
	if (id >= PVPMU_MAX_SLOTS)
		return PVPMU_ERR_ID;
	error = model_step(m, area, op, id);
	if (op == PVPMU_OP_ENABLE && !error)
		model_remind(m);
	return error;
}

static s32 model_update(struct model *m, const struct pvpmu_area *area)
{
	const struct pvpmu_header_guest *guest = &area->guest;
	const u32 masks[] = { guest->close, guest->disable, guest->open,
			      guest->enable, guest->read };
	const u32 ops[] = { PVPMU_OP_CLOSE, PVPMU_OP_DISABLE, PVPMU_OP_OPEN,
			    PVPMU_OP_ENABLE, PVPMU_OP_READ };
	u32 named = masks[0] | masks[1] | masks[2] | masks[3] | masks[4];
	s32 errors[PVPMU_MAX_SLOTS] = { 0 };
	s32 result = PVPMU_OK;
	s32 error;
	u32 mask, id;

	if (!m->area)
		return PVPMU_ERR_NO_AREA;
	if (guest->flags)
		return PVPMU_ERR_RESERVED;
	if (named >> PVPMU_MAX_SLOTS)
		return PVPMU_ERR_ID;
	for (mask = 0; mask < 5; mask++)
		for (id = 0; id < PVPMU_MAX_SLOTS; id++) {
			if (!(masks[mask] & BIT(id)))
				continue;
			error = model_step(m, area, ops[mask], id);
			if (!errors[id])
				errors[id] = error;
		}
	for (id = 0; id < PVPMU_MAX_SLOTS; id++) {
		if (!(named & BIT(id)))
			continue;
		m->slot[id].line.error = errors[id];
		if (errors[id])
			result = PVPMU_ERR_PARTIAL;
	}
	model_remind(m);
	return result;
}

static void model_forget(struct model *m)
{
	memset(m->slot, 0, sizeof(m->slot));
}

static s32 model_setup(struct model *m, u64 frame)
{
	if (frame != FAKE_FRAME)
		return PVPMU_ERR_FRAME;
	model_forget(m);
	m->area = true;
	m->pending = 0;
	return PVPMU_OK;
}

static s32 model_detach(struct model *m)
{
	u32 id;

	if (!m->area)
		return PVPMU_ERR_NO_AREA;
	/* The guest's memory keeps what was there last. */
	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		m->slot[id].open = m->slot[id].enabled = false;
	m->area = false;
	return PVPMU_OK;
}

static void model_count(struct model *m, const struct pvpmu_area *area, u64 ns,
			u64 events)
{
	u32 overflowed = 0;
	u32 id;

	for (id = 0; id < PVPMU_MAX_SLOTS; id++) {
		struct model_slot *slot = &m->slot[id];

		if (!slot->enabled)
			continue;
		slot->time_enabled += ns;
		if (model_starved(m, slot))
			continue;
		slot->time_running += ns;
		slot->count += events;
		while (slot->event.period &&
		       slot->count - slot->total >= slot->length) {
			slot->total += slot->length;
			slot->overflows++;
			slot->length = slot->next_length;
			overflowed |= BIT(id);
		}
		if (!(overflowed & BIT(id)))
			continue;
		slot->next_length = model_next_length(
			m, &slot->event, area->slot[id].guest.next_period);
		model_show(m, slot);
	}
	m->raised += overflowed && !m->pending;
	m->pending |= overflowed;
}

/*
 * The two of them
 */

static void apply_starvation(struct fake *fake, const struct model *m)
{
	u32 i;

	for (i = 0; i < PVPMU_MAX_COUNTERS; i++) {
		struct fake_counter *c = &fake->counter[i];

		c->reading.active = !(c->desc.type == HW &&
				      m->starved & BIT(c->desc.config));
	}
}

static void on_create(struct fake *fake, enum fake_op op, bool after)
{
	if (op == FAKE_CREATE && after)
		apply_starvation(fake, fake->hook_data);
}

/* Counters are shared within a group, or outside of all, but not between. */
static void assert_apart(const struct fake *fake, const struct model *m)
{
	const struct pvpmu_vcpu *vcpu = &fake->vcpu;
	u32 i, j;

	for (i = 0; i < PVPMU_MAX_SLOTS; i++)
		for (j = 0; j < i; j++)
			if (m->slot[i].open && m->slot[j].open &&
			    vcpu->slot[i].counter == vcpu->slot[j].counter)
				assert_int_equal(m->slot[i].group,
						 m->slot[j].group);
}

static void assert_same(const struct fake *fake, const struct model *m)
{
	u32 id;

	for (id = 0; id < PVPMU_MAX_SLOTS; id++) {
		const struct pvpmu_slot_host *is = guest_line(fake, id);
		const struct pvpmu_slot_host *should = &m->slot[id].line;

		assert_int_equal(is->seq & 1, 0);
		assert_memory_equal(&is->state, &should->state,
				    sizeof(*is) - sizeof(is->seq));
	}
	assert_int_equal(fake->area.overflow.pending, m->pending);
	assert_int_equal(fake->calls[FAKE_RAISE], m->raised);
	assert_int_equal(fake->own_vm.slots_open, model_open_slots(m));
	assert_int_equal(fake->attached, m->area);
	assert_apart(fake, m);
}

static void describe_something(struct fake *fake, u32 id)
{
	static const u32 types[] = { HW,
				     HW,
				     HW,
				     PVPMU_TYPE_CACHE,
				     PVPMU_TYPE_CLOCK,
				     PVPMU_TYPE_HYPERVISOR,
				     PVPMU_TYPE_RAW };
	struct pvpmu_slot_guest *line = &fake->area.slot[id].guest;

	guest_describe(fake, id, types[any(7)], any(6), 0);
	if (one_in(2))
		line->period = 1000 + any(5000);
	if (line->period && one_in(3))
		line->next_period = any(8000);
	line->flags = one_in(3) ? any(16) : 0;
	if (one_in(5))
		line->leader = any(PVPMU_MAX_SLOTS);
	if (!one_in(10))
		return;
	switch (any(7)) {
	case 0:
		line->type = any(9);
		break;
	case 1:
		line->config = any(20) | (u64)any(2) << 40;
		break;
	case 2:
		line->flags = any(64);
		break;
	case 3:
		line->reserved[any(7)] = any(2);
		break;
	case 4:
		line->leader = any(32);
		break;
	case 5:
		line->period = any(1200);
		break;
	case 6:
		line->period = 1ull << (40 + any(20));
		line->next_period = any(3);
		break;
	}
}

static u32 sparse_mask(void)
{
	u32 mask = one_in(2) ? 0 : BIT(any(30)) | BIT(any(30));

	if (one_in(4))
		mask |= BIT(any(30)) | BIT(any(30)) | BIT(any(30));
	return one_in(100) ? mask | BIT(30 + any(2)) : mask;
}

static void step(struct fake *fake, struct model *m)
{
	static const u32 single[] = { PVPMU_OP_OPEN,   PVPMU_OP_OPEN,
				      PVPMU_OP_CLOSE,  PVPMU_OP_ENABLE,
				      PVPMU_OP_ENABLE, PVPMU_OP_DISABLE,
				      PVPMU_OP_READ };
	struct pvpmu_header_guest *header = &fake->area.guest;
	u32 id = any(PVPMU_MAX_SLOTS);
	u64 frame, ns, events;
	u32 op;

	switch (any(20)) {
	case 0:
	case 1:
	case 2:
	case 3:
		describe_something(fake, id);
		break;
	case 4:
	case 5:
	case 6:
	case 7:
	case 8:
		op = single[any(7)];
		id = one_in(50) ? any(40) : id;
		assert_int_equal(guest_call(fake, op, id, 0, 0),
				 model_one(m, &fake->area, op, id));
		break;
	case 9:
	case 10:
	case 11:
	case 12:
		*header = (struct pvpmu_header_guest){
			.close = sparse_mask(),
			.disable = sparse_mask(),
			.open = sparse_mask(),
			.enable = sparse_mask(),
			.read = sparse_mask(),
			.flags = one_in(100),
			.version = PVPMU_ABI_VERSION,
			.features = fake->ops.features,
		};
		assert_int_equal(guest_call(fake, PVPMU_OP_UPDATE, 0, 0, 0),
				 model_update(m, &fake->area));
		break;
	case 13:
	case 14:
	case 15:
		ns = any(100000);
		events = any(one_in(5) ? 20000 : 2000);
		model_count(m, &fake->area, ns, events);
		fake_run(fake, ns, events);
		break;
	case 16:
		m->pending = 0;
		guest_take_pending(fake);
		break;
	case 17:
		fake->area.slot[id].guest.next_period = any(9000);
		break;
	case 18:
		m->starved = any(1024) & any(1024);
		apply_starvation(fake, m);
		break;
	case 19:
		if (one_in(3)) {
			m->limits.slots_vcpu = 20 + any(11);
			m->limits.slots_vm = 15 + any(20);
			fake->own_vm.limits = m->limits;
		} else if (one_in(m->area ? 20 : 2)) {
			frame = one_in(5) ? 3 : FAKE_FRAME;
			assert_int_equal(guest_call(fake, PVPMU_OP_SETUP,
						    (u32)frame,
						    (u32)(frame >> 32),
						    PVPMU_DELIVER_LVTPC),
					 model_setup(m, frame));
		} else if (one_in(40)) {
			assert_int_equal(
				guest_call(fake, PVPMU_OP_DETACH, 0, 0, 0),
				model_detach(m));
		} else if (one_in(3)) {
			pvpmu_reap(&fake->vcpu, any(100000));
		} else {
			fake->now += any(1000000);
		}
		break;
	}
	assert_same(fake, m);
}

static void area_always_looks_as_the_model_says(void **state)
{
	struct fake *fake = *state;
	struct model *m = calloc(1, sizeof(*m));
	u32 run, i;

	assert_non_null(m);
	m->limits = (struct pvpmu_limits)PVPMU_LIMITS_DEFAULT;
	m->limits.clock_period_min = 1500;
	m->limits.overflow_rate = ~0u;
	for (run = 1; run <= SEEDS; run++) {
		seed = run * 0x9e3779b97f4a7c15ull;
		fake_end(fake);
		model_forget(m);
		m->area = false;
		m->pending = 0;
		m->raised = 0;
		fake_init(fake, NULL);
		m->groups = run % 2;
		if (m->groups)
			fake->ops.features |= PVPMU_FEAT_GROUPS;
		pvpmu_vm_init(&fake->own_vm, &m->limits);
		fake->now = 10000000000;
		fake->hook = on_create;
		fake->hook_data = m;
		assert_int_equal(guest_setup(fake), model_setup(m, FAKE_FRAME));
		for (i = 0; i < STEPS; i++)
			step(fake, m);
		/* A run in which little happened would prove little. */
		print_message(
			"run %u: %llu overflows, %u starts, %u counters\n", run,
			(unsigned long long)fake->vcpu.stats.overflows,
			fake->calls[FAKE_START], fake->calls[FAKE_CREATE]);
		assert_true(fake->vcpu.stats.overflows > STEPS / 10);
		assert_true(fake->calls[FAKE_START] > STEPS / 20);
	}
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_BARE(area_always_looks_as_the_model_says),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
