// SPDX-License-Identifier: MIT OR GPL-2.0
/* The model's operations and states, see model.h */
#include "model.h"

#define SECOND 1000000000ull

void model_init(struct model *m, struct machine *machine,
		const struct pvpmu_limits *limits, struct model *sibling)
{
	memset(m, 0, sizeof(*m));
	m->machine = machine;
	m->limits = limits;
	m->sibling = sibling;
	m->window = machine->fake.now;
	m->budget = limits->overflow_rate;
}

u32 model_open_slots(const struct model *m)
{
	u32 n = 0;
	u32 id;

	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		n += m->slot[id].open;
	return n;
}

static bool samples(const struct model_slot *slot)
{
	return slot->open && slot->event.period;
}

/* The count is signed here: an overflow may be reported before it happens. */
static s64 to_mark(const struct model_slot *slot)
{
	return (s64)(slot->total + slot->length - slot->count);
}

static bool is_failed(const struct model *m, const struct model_slot *slot)
{
	return m->machine->fake.counter[slot->counter].reading.failed;
}

static bool is_waiting(const struct model *m, const struct model_slot *slot)
{
	return slot->event.type == HW &&
	       m->machine->starved & BIT(slot->event.config);
}

u32 model_state(const struct model *m, const struct model_slot *slot)
{
	if (!slot->open)
		return PVPMU_STATE_CLOSED;
	if (!slot->enabled)
		return PVPMU_STATE_STOPPED;
	if (is_failed(m, slot))
		return PVPMU_STATE_FAILED;
	if (is_waiting(m, slot))
		return PVPMU_STATE_WAITING;
	return PVPMU_STATE_COUNTING;
}

/* Its flags, which an event has only while it may count again */
static u32 flags_of(const struct model_slot *slot, u32 state)
{
	bool may =
		state == PVPMU_STATE_COUNTING || state == PVPMU_STATE_WAITING;

	return may && slot->throttled ? PVPMU_STATE_THROTTLED : 0;
}

/* Brings the line up to date. */
static void refresh(struct model *m, u32 id)
{
	struct model_slot *slot = &m->slot[id];
	struct pvpmu_slot_host *line = &slot->line;
	u32 state = model_state(m, slot);
	bool index = slot->event.flags & PVPMU_FLAG_USER_READ &&
		     state == PVPMU_STATE_COUNTING && slot->count < 1ull << 46;

	line->state = state | flags_of(slot, state);
	line->count = slot->count;
	line->time_enabled = slot->time_enabled;
	line->time_running = slot->time_running;
	line->overflow_total = slot->total;
	line->overflows = slot->overflows;
	line->index = index ? PVPMU_RDPMC_BASE + id + 1 : 0;
	line->width = index ? 48 : 0;
}

/* The line is written as it is. */
static void show(struct model *m, u32 id)
{
	struct pvpmu_slot_host *host = &m->area.slot[id].host;
	u32 seq = host->seq;

	*host = m->slot[id].line;
	host->seq = seq;
	m->shown |= BIT(id);
}

static void show_header(struct model *m)
{
	m->area.host.version = PVPMU_ABI_VERSION;
	m->area.host.features = m->features;
	m->area.host.slots_usable = model_usable(m);
	m->header_shown = true;
}

static void raise(struct model *m)
{
	if (!(m->delivery & PVPMU_DELIVER_MASK))
		return;
	m->stats.raised++;
	m->raised = m->delivery;
}

static void remind(struct model *m)
{
	if (m->area.overflow.pending)
		raise(m);
}

/*
 * Overflows
 */

static void overflow(struct model_slot *slot)
{
	slot->total += slot->length;
	slot->overflows++;
	slot->length = slot->next_length;
}

static void spend(struct model *m, struct model_slot *slot)
{
	u64 now = m->machine->fake.now;

	if (now - m->window >= SECOND) {
		m->window = now;
		m->budget = m->limits->overflow_rate;
	}
	if (m->budget) {
		m->budget--;
		return;
	}
	slot->throttled = true;
	m->stats.throttled++;
}

/* The machine reports what it did not report yet. */
static void report(struct model *m, u32 id, s64 early)
{
	struct model_slot *slot = &m->slot[id];

	while (!slot->throttled && to_mark(slot) <= early) {
		overflow(slot);
		spend(m, slot);
		m->stats.overflows++;
		m->told |= BIT(id);
	}
}

/* What was not reported until an event stops has happened all the same. */
static void find_missed(struct model *m, u32 id)
{
	struct model_slot *slot = &m->slot[id];

	while (samples(slot) && !slot->throttled && to_mark(slot) <= 0) {
		overflow(slot);
		m->stats.missed++;
		m->told |= BIT(id);
	}
}

static void arm(struct model_slot *slot)
{
	if (slot->throttled)
		slot->length = slot->count - slot->total + slot->next_length;
	slot->throttled = false;
}

static void publish(struct model *m)
{
	u32 id;

	for (id = 0; id < PVPMU_MAX_SLOTS; id++) {
		struct model_slot *slot = &m->slot[id];

		if (!(m->told & BIT(id)))
			continue;
		slot->next_length = model_next_length(
			m, &slot->event, m->area.slot[id].guest.next_period);
		if (slot->enabled)
			refresh(m, id);
		show(m, id);
	}
	if (m->told && !m->area.overflow.pending)
		raise(m);
	m->area.overflow.pending |= m->told;
	m->told = 0;
}

/* The end of a call, and of each time that the guest is told something */
static void settle(struct model *m)
{
	publish(m);
	if (m->attached && m->area.host.slots_usable != model_usable(m))
		show_header(m);
}

void model_enter(struct model *m)
{
	if (m->told)
		settle(m);
}

static void run_slot(struct model *m, u32 id, const struct moment *moment)
{
	struct model_slot *slot = &m->slot[id];
	enum report when = machine_report(moment, slot->counter);

	slot->time_enabled += moment->ns;
	if (is_waiting(m, slot))
		return;
	slot->time_running += machine_running(moment, slot->counter);
	slot->count +=
		machine_events(moment, slot->event.type, slot->event.config,
			       slot->event.flags & 15);
	if (samples(slot) && when != REPORT_LATE)
		report(m, id, when == REPORT_EARLY ? MODEL_EARLY : 0);
}

/* What has no counter any more is enabled all the same, by the host's clock. */
void model_pass(struct model *m, u64 ns)
{
	u32 id;

	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		if (m->slot[id].enabled &&
		    m->machine->told_failed[m->slot[id].counter])
			m->slot[id].time_enabled += ns;
}

/* In the order of the counters, since they take from one budget */
void model_run(struct model *m, const struct moment *moment)
{
	u32 counter, id;

	for (counter = 0; counter < PVPMU_MAX_COUNTERS; counter++)
		for (id = 0; id < PVPMU_MAX_SLOTS; id++)
			if (m->slot[id].enabled &&
			    m->slot[id].counter == counter &&
			    !is_failed(m, &m->slot[id]))
				run_slot(m, id, moment);
}

/*
 * Operations on one id
 */

static void stop(struct model *m, u32 id)
{
	if (!m->slot[id].enabled)
		return;
	find_missed(m, id);
	m->slot[id].enabled = false;
	refresh(m, id);
}

/* Another event may have started the counter already, or it never will be. */
static bool can_start(const struct model *m, const struct model_slot *slot)
{
	u32 id;

	if (is_failed(m, slot))
		return true;
	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		if (m->slot[id].enabled && m->slot[id].counter == slot->counter)
			return true;
	return machine_can_start(m->machine, slot->event.type,
				 slot->event.config);
}

static s32 start(struct model *m, u32 id)
{
	struct model_slot *slot = &m->slot[id];

	if (slot->enabled && !slot->throttled) {
		refresh(m, id);
		return PVPMU_OK;
	}
	stop(m, id);
	arm(slot);
	if (!can_start(m, slot))
		return PVPMU_ERR_HOST;
	slot->enabled = true;
	refresh(m, id);
	return PVPMU_OK;
}

/* Which counter serves it is the host's to choose. */
static void take_counter(struct model *m, u32 id)
{
	m->slot[id].counter = m->machine->fake.vcpu.slot[id].counter;
}

/* The counters of the group that @leader is in */
static u64 counters_with(const struct model *m, u32 leader)
{
	u64 mask = 1ull << m->slot[leader].counter;
	u32 id;

	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		if (m->slot[id].open && m->slot[leader].group &&
		    m->slot[id].group == m->slot[leader].group)
			mask |= 1ull << m->slot[id].counter;
	return mask;
}

bool model_alike(const struct pvpmu_slot_guest *a,
		 const struct pvpmu_slot_guest *b)
{
	return a->type == b->type && a->config == b->config &&
	       (a->flags & 15) == (b->flags & 15) && !a->period && !b->period;
}

/* An event that the group has already needs no counter of its own. */
static bool is_duplicate(const struct model *m, u32 leader,
			 const struct pvpmu_slot_guest *event)
{
	u32 group = m->slot[leader].group;
	u32 id;

	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		if (m->slot[id].open &&
		    (id == leader || (group && m->slot[id].group == group)) &&
		    model_alike(&m->slot[id].event, event))
			return true;
	return false;
}

static s32 check_group(const struct model *m, u32 id,
		       const struct pvpmu_slot_guest *event)
{
	u32 leader = event->leader;

	if (leader == id)
		return PVPMU_OK;
	if (!(m->features & PVPMU_FEAT_GROUPS) || leader >= PVPMU_MAX_SLOTS ||
	    !m->slot[leader].open)
		return PVPMU_ERR_GROUP;
	if (is_duplicate(m, leader, event))
		return PVPMU_OK;
	/* One that was opened just now may have had another counter then. */
	if (m->slot[leader].group || !(m->opened & BIT(leader)))
		assert_int_equal(m->machine->group_mask[id],
				 counters_with(m, leader));
	return m->machine->unfit & BIT(id) ? PVPMU_ERR_GROUP : PVPMU_OK;
}

/* An event that was alone begins a group. */
static s32 begin_group(struct model *m, u32 leader)
{
	struct model_slot *slot = &m->slot[leader];
	bool enabled = slot->enabled;
	s32 error;

	stop(m, leader);
	take_counter(m, leader);
	slot->group = ++m->groups;
	if (!enabled)
		return PVPMU_OK;
	error = start(m, leader);
	show(m, leader);
	return error;
}

static s32 check_open(const struct model *m, u32 id,
		      const struct pvpmu_slot_guest *event)
{
	s32 error;

	if (m->slot[id].open)
		return PVPMU_ERR_OPEN;
	error = model_check_event(m, event);
	if (error)
		return error;
	error = check_group(m, id, event);
	if (error)
		return error;
	if (model_open_slots(m) >= model_usable(m) ||
	    model_open_slots(m) + model_open_slots(m->sibling) >=
		    m->limits->slots_vm)
		return PVPMU_ERR_LIMIT;
	switch (m->machine->refused[id]) {
	case PVPMU_LATER:
		return PVPMU_ERR_HOST;
	case PVPMU_NEVER:
		return PVPMU_ERR_EVENT;
	default:
		return PVPMU_OK;
	}
}

static s32 open(struct model *m, u32 id)
{
	const struct pvpmu_slot_guest event = m->area.slot[id].guest;
	struct model_slot *slot = &m->slot[id];
	s32 said = slot->line.error;
	s32 error = check_open(m, id, &event);
	u32 group = 0;

	if (error)
		return error;
	if (event.leader != id) {
		if (!m->slot[event.leader].group)
			error = begin_group(m, event.leader);
		if (error)
			return error;
		group = m->slot[event.leader].group;
	}
	memset(slot, 0, sizeof(*slot));
	slot->open = true;
	slot->event = event;
	slot->group = group;
	slot->length = event.period;
	slot->next_length = model_next_length(m, &event, event.next_period);
	slot->line.error = said;
	m->opened |= BIT(id);
	take_counter(m, id);
	refresh(m, id);
	return PVPMU_OK;
}

static void close(struct model *m, u32 id)
{
	stop(m, id);
	m->told &= ~BIT(id);
	m->slot[id].open = false;
	m->slot[id].line.state = PVPMU_STATE_CLOSED;
}

static s32 on_slot(struct model *m, u32 op, u32 id)
{
	struct model_slot *slot = &m->slot[id];

	if (op == PVPMU_OP_OPEN)
		return open(m, id);
	if (!slot->open)
		return PVPMU_ERR_CLOSED;
	switch (op) {
	case PVPMU_OP_CLOSE:
		close(m, id);
		break;
	case PVPMU_OP_ENABLE:
		return start(m, id);
	case PVPMU_OP_DISABLE:
		stop(m, id);
		break;
	default:
		if (slot->enabled)
			refresh(m, id);
		break;
	}
	return PVPMU_OK;
}

static s32 one(struct model *m, u32 op, u32 id)
{
	bool enabled;
	s32 error;

	if (id >= PVPMU_MAX_SLOTS)
		return PVPMU_ERR_ID;
	enabled = m->slot[id].enabled;
	error = on_slot(m, op, id);
	/* A throttled event that cannot be armed again is stopped. */
	if (!error || m->slot[id].enabled != enabled)
		show(m, id);
	if (op == PVPMU_OP_ENABLE && !error)
		remind(m);
	return error;
}

static s32 update(struct model *m)
{
	static const u32 ops[] = { PVPMU_OP_CLOSE, PVPMU_OP_DISABLE,
				   PVPMU_OP_OPEN, PVPMU_OP_ENABLE,
				   PVPMU_OP_READ };
	const struct pvpmu_header_guest *line = &m->area.guest;
	const u32 masks[] = { line->close, line->disable, line->open,
			      line->enable, line->read };
	u32 named = masks[0] | masks[1] | masks[2] | masks[3] | masks[4];
	s32 errors[PVPMU_MAX_SLOTS] = { 0 };
	u32 i, id, any = line->flags;
	s32 result = PVPMU_OK;

	for (i = 0; i < 8; i++)
		any |= line->reserved[i];
	if (any)
		return PVPMU_ERR_RESERVED;
	if (named >> PVPMU_MAX_SLOTS)
		return PVPMU_ERR_ID;
	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		if (named & BIT(id))
			m->slot[id].line.error = PVPMU_OK;
	for (i = 0; i < 5; i++)
		for (id = 0; id < PVPMU_MAX_SLOTS; id++) {
			if (!(masks[i] & BIT(id)))
				continue;
			if (errors[id])
				on_slot(m, ops[i], id);
			else
				errors[id] = on_slot(m, ops[i], id);
			m->slot[id].line.error = errors[id];
		}
	for (id = 0; id < PVPMU_MAX_SLOTS; id++) {
		if (!(named & BIT(id)))
			continue;
		if (errors[id])
			result = PVPMU_ERR_PARTIAL;
		show(m, id);
	}
	remind(m);
	return result;
}

/*
 * The others
 */

static void forget(struct model *m)
{
	memset(m->slot, 0, sizeof(m->slot));
	m->told = 0;
}

static const u32 delivery_feature[] = {
	0,
	PVPMU_FEAT_LVTPC,
	PVPMU_FEAT_PV_NMI,
	PVPMU_FEAT_EVTCHN,
};

static s32 check_delivery(const struct model *m, u32 delivery)
{
	u32 kind = delivery & 0xff;

	if (kind > 3 || delivery_feature[kind] & ~m->machine->fake.ops.features)
		return PVPMU_ERR_DELIVERY;
	if (delivery >> 8 && kind != PVPMU_DELIVER_EVTCHN)
		return PVPMU_ERR_RESERVED;
	return m->machine->fake.deliver_answer ? PVPMU_OK : PVPMU_ERR_DELIVERY;
}

static s32 check_frame(const struct model *m, u64 frame)
{
	if (frame >> 44)
		return PVPMU_ERR_FRAME;
	if (m->machine->fake.attach_answer == PVPMU_LATER)
		return PVPMU_ERR_RETRY;
	if (frame != FAKE_FRAME || m->machine->fake.attach_answer != PVPMU_DONE)
		return PVPMU_ERR_FRAME;
	return PVPMU_OK;
}

/* What the guest says of itself */
static s32 check_guest(const struct model *m, u32 delivery)
{
	u32 features = m->area.guest.features;

	if (m->area.guest.version >> 16 != 1 ||
	    features & ~m->machine->fake.ops.features ||
	    delivery_feature[delivery & 0xff] & ~features)
		return PVPMU_ERR_VERSION;
	return PVPMU_OK;
}

static s32 setup(struct model *m, const u32 arg[3])
{
	u64 frame = (u64)arg[1] << 32 | arg[0];
	s32 error = check_delivery(m, arg[2]);
	u32 id;

	if (!model_usable(m))
		return PVPMU_ERR_DENIED;
	if (!error)
		error = check_frame(m, frame);
	if (!error)
		error = check_guest(m, arg[2]);
	if (error)
		return error;
	/* What the old area showed last is not written any more. */
	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		if (m->slot[id].open)
			close(m, id);
	forget(m);
	m->attached = true;
	m->delivery = arg[2];
	m->version = m->area.guest.version;
	m->features = m->area.guest.features;
	memset(&m->area.overflow, 0, sizeof(m->area.overflow));
	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		show(m, id);
	m->area.host.generation++;
	show_header(m);
	return PVPMU_OK;
}

void model_lose(struct model *m)
{
	u32 id;

	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		if (m->slot[id].open)
			close(m, id);
	m->attached = false;
}

static s32 detach(struct model *m)
{
	model_lose(m);
	return PVPMU_OK;
}

static s32 serve(struct model *m, u32 op, const u32 arg[3])
{
	static const u32 args[] = { 3, 3, 0, 1, 1, 1, 1, 1, 0 };
	u32 i;

	if (op > PVPMU_OP_UPDATE)
		return PVPMU_ERR_OPERATION;
	for (i = args[op]; i < 3; i++)
		if (arg[i])
			return PVPMU_ERR_RESERVED;
	if (op == PVPMU_OP_QUERY)
		return model_query(m, arg[0], (u64)arg[2] << 32 | arg[1]);
	if (op == PVPMU_OP_SETUP)
		return setup(m, arg);
	if (!m->attached)
		return PVPMU_ERR_NO_AREA;
	if (op == PVPMU_OP_DETACH)
		return detach(m);
	if (op == PVPMU_OP_UPDATE)
		return update(m);
	return one(m, op, arg[0]);
}

s32 model_call(struct model *m, u32 op, const u32 arg[3])
{
	s32 result;

	m->opened = 0;
	result = serve(m, op, arg);
	m->stats.calls[op > PVPMU_OP_UPDATE ? PVPMU_OP_UPDATE + 1 : op]++;
	if (result < 0)
		m->stats.refused++;
	settle(m);
	return result;
}

u64 model_rdpmc(const struct model *m, u32 id)
{
	const struct model_slot *slot = &m->slot[id];

	if (!slot->open || !(slot->event.flags & PVPMU_FLAG_USER_READ))
		return 0;
	return slot->count & 0xffffffffffffull;
}

/*
 * From one host to another
 */

static u32 first_of_group(const struct model *m, u32 id)
{
	u32 i;

	for (i = 0; i < id; i++)
		if (m->slot[i].open && m->slot[id].group &&
		    m->slot[i].group == m->slot[id].group)
			return i;
	return id;
}

static void save_slot(struct model *m, u32 id, struct pvpmu_record *record)
{
	struct pvpmu_record_slot *to = &record->slot[id];
	struct model_slot slot = m->slot[id];

	if (slot.enabled)
		refresh(m, id);
	to->host = m->slot[id].line;
	to->host.seq = m->area.slot[id].host.seq;
	to->host.state &= 0xff;
	to->host.index = 0;
	to->host.width = 0;
	if (!slot.open)
		return;
	to->type = slot.event.type;
	to->config = slot.event.config;
	to->flags = slot.event.flags;
	to->leader = first_of_group(m, id);
	if (!samples(&slot))
		return;
	/* A throttled event is armed again, an overflow is over. */
	arm(&slot);
	while (to_mark(&slot) <= 0) {
		overflow(&slot);
		record->overflowed |= BIT(id);
	}
	to->period = slot.event.period;
	to->next_period = slot.next_length;
	to->length = slot.length;
	to->host.overflow_total = slot.total;
	to->host.overflows = slot.overflows;
}

void model_save(struct model *m, struct pvpmu_record *record)
{
	u32 id;

	memset(record, 0, sizeof(*record));
	record->magic = PVPMU_RECORD_MAGIC;
	record->version = PVPMU_RECORD_VERSION;
	record->size = sizeof(*record);
	record->abi = PVPMU_ABI_VERSION;
	record->frame = FAKE_FRAME;
	record->delivery = m->delivery;
	record->generation = m->area.host.generation;
	record->seq = m->area.host.seq;
	record->overflowed = m->told;
	record->guest = m->version;
	record->features = m->features;
	record->hypercall = FAKE_HYPERCALL;
	record->op_base = FAKE_OP_BASE;
	record->slots = 128 << 16 | 30;
	record->sizes = 1 << 16 | 256;
	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		save_slot(m, id, record);
}

/* Members that are left of a group of one are alone there. */
static void count_groups(struct model *m)
{
	bool lonely[PVPMU_MAX_SLOTS];
	u32 id, i;

	for (id = 0; id < PVPMU_MAX_SLOTS; id++) {
		lonely[id] = true;
		for (i = 0; i < PVPMU_MAX_SLOTS; i++)
			if (i != id && m->slot[i].open &&
			    m->slot[i].group == m->slot[id].group)
				lonely[id] = false;
	}
	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		if (lonely[id])
			m->slot[id].group = 0;
}

void model_restore(struct model *m)
{
	u32 id;

	memset(&m->stats, 0, sizeof(m->stats));
	m->window = m->machine->fake.now;
	m->budget = m->limits->overflow_rate;
	count_groups(m);
	for (id = 0; id < PVPMU_MAX_SLOTS; id++) {
		struct model_slot *slot = &m->slot[id];

		if (!slot->open)
			continue;
		take_counter(m, id);
		arm(slot);
		while (samples(slot) && to_mark(slot) <= 0) {
			overflow(slot);
			m->told |= BIT(id);
		}
		/* The first period there has no length that was asked for. */
		if (samples(slot))
			slot->next_length = model_next_length(
				m, &slot->event, slot->next_length);
		if (!slot->enabled)
			continue;
		refresh(m, id);
		show(m, id);
	}
	show_header(m);
	publish(m);
}
