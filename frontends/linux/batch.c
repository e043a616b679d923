// SPDX-License-Identifier: GPL-2.0
/*
 * What perf wants against what the host has, and the one call between them.
 *
 * All functions here: interrupts off, on the CPU whose slots they are about,
 * never in an NMI, unless said otherwise.
 */
#include "pvpmu.h"

#include <linux/bitops.h>
#include <linux/time64.h>

/* How long a host that was not found is left alone */
#define RETRY_NS NSEC_PER_SEC

struct masks {
	u32 close;
	u32 disable;
	u32 open;
	u32 enable;
	u32 read;
	u32 succeed; /* ids of ours, not of the host's: see succession() */
};

/* The shortest and the longest period that the host takes. */
u64 pvg_period(struct pvg_cpu *cpu, struct perf_event *event, u64 period)
{
	u32 least = pvg_type(&event->hw) == PVPMU_TYPE_CLOCK ?
			    cpu->host.clock_period_min :
			    cpu->host.period_min;

	return clamp_t(u64, period, least, PVPMU_PERIOD_MAX);
}

/**
 * pvg_harvest() - brings an event's count up to what its host line shows
 * @cpu: this CPU
 * @id: of a slot with an event
 * @now: pvg_clock(), as of a moment ago
 * @line: what the line shows
 * @final: the id may be closed by now; without it, a line that is shows the
 *         id's last event, for the new one is not open yet
 *
 * Context: any, on @cpu.  An NMI that does the same in between wins.
 * Return: false if the line shows nothing about this event.
 */
bool pvg_harvest(struct pvg_cpu *cpu, u32 id, u64 now, struct pvg_line *line,
		 bool final)
{
	struct pvg_slot *slot = &cpu->slot[id];
	s64 delta;
	u64 prev;

	do {
		prev = local64_read(&slot->count);
		if (!slot->open || !pvg_line(cpu, id, line))
			return false;
		if (line->state == PVPMU_STATE_CLOSED && !final)
			return false;
		delta = line->count - prev;
		if (delta <= 0)
			break;
	} while (local64_cmpxchg(&slot->count, prev, line->count) != prev);

	if (delta > 0)
		local64_add(delta, &slot->event->count);
	slot->seen = now;
	return true;
}

/*
 * The host side of an id ends, with what its line shows now.  What is to
 * survive goes from the host's scale, which begins at zero with each OPEN, to
 * the event's own.
 */
static void leave(struct pvg_cpu *cpu, u32 id, u64 now)
{
	struct pvg_slot *slot = &cpu->slot[id];
	struct hw_perf_event *hwc = &slot->event->hw;
	struct pvg_line line;

	if (!slot->open)
		return;
	if (pvg_harvest(cpu, id, now, &line, true))
		pvg_times_carry(cpu, slot, &line);
	slot->open = false;
	slot->on = false;
	slot->rearm = false;
	barrier(); /* from here on NMIs leave it alone */
	pvg_since(hwc) += local64_read(&slot->count) - slot->total;
	local64_set(&hwc->period_left,
		    max_t(s64, hwc->sample_period - pvg_since(hwc), 1));
	slot->total = 0;
	local64_set(&slot->count, 0);
	pvg_rdpmc_show(slot->event);
}

/**
 * pvg_group() - who is in a group
 * @cpu: this CPU
 * @mask: slots with an event
 * @event: one of the group
 *
 * Return: those of @mask whose events are in the same group as @event.
 */
u32 pvg_group(struct pvg_cpu *cpu, u32 mask, const struct perf_event *event)
{
	u32 group = 0;

	for_each_id(id, mask)
		if (cpu->slot[id].event->group_leader == event->group_leader)
			group |= BIT(id);
	return group;
}

/* Events that perf took away have got all that they get; frees their slots. */
static void finish(struct pvg_cpu *cpu, u64 now)
{
	u32 left = cpu->closing;

	for_each_id(id, cpu->closing)
		leave(cpu, id, now);
	while (left) {
		u32 group = pvg_group(cpu, left, cpu->slot[__ffs(left)].event);

		pvg_times_publish(cpu, group);
		left &= ~group;
	}
	for_each_id(id, cpu->closing) {
		pvg_id(&cpu->slot[id].event->hw) = -1;
		cpu->slot[id].event = NULL;
	}
	cpu->used &= ~cpu->closing;
	cpu->closing = 0;
}

/* No host counts this event now; from when on is what times.c needs. */
static void begin_gap(struct pvg_slot *slot, u64 from)
{
	if (slot->want && !slot->gap_from)
		slot->gap_from = from;
}

static void end_gap(struct pvg_slot *slot, u64 now)
{
	if (slot->gap_from)
		slot->gap += now - slot->gap_from;
	slot->gap_from = 0;
	slot->failed = false;
}

/* The host does not know our area any more. */
static void go_absent(struct pvg_cpu *cpu)
{
	for_each_id(id, cpu->used) {
		struct pvg_slot *slot = &cpu->slot[id];
		u64 now = pvg_clock();
		/* What it counted after that, it takes with it. */
		u64 from = slot->on ? slot->seen : now;

		leave(cpu, id, now);
		begin_gap(slot, from);
		/* One that perf just stopped or took away has that behind it. */
		if (!slot->want)
			slot->gap += now - from;
	}
	cpu->live = false;
	cpu->lost = false;
	pvg_notice(cpu, PVG_NOTICE_GONE);
}

/* There was no host: is there one by now? */
static bool come_back(struct pvg_cpu *cpu)
{
	u64 now = pvg_clock();

	if (!cpu->allowed || now < cpu->retry_at)
		return false;
	cpu->retry_at = now + RETRY_NS;
	if (pvg_setup(cpu) != PVPMU_OK)
		return false;
	cpu->dirty |= cpu->used;
	pvg_notice(cpu, PVG_NOTICE_BACK);
	return true;
}

/* The host has answered an id with an error: it counts nothing. */
static void refused(struct pvg_cpu *cpu, u32 id, s32 error)
{
	struct pvg_slot *slot = &cpu->slot[id];

	begin_gap(slot, pvg_clock());
	if (pvg_room_refused(cpu, error) || slot->failed)
		return;
	slot->failed = true;
	cpu->refusal = error;
	pvg_notice(cpu, PVG_NOTICE_REFUSED);
}

/* The host knows of no others that it is to be counted with. */
static bool alone(struct pvg_cpu *cpu, struct perf_event *event)
{
	return !(cpu->host.features & PVPMU_FEAT_GROUPS) ||
	       (event->group_leader == event && !event->nr_siblings);
}

/*
 * The host counts the same for both, and keeps nothing else of them.  What user
 * space reads there must not be what another task's event left.
 */
static bool alike(struct perf_event *a, struct perf_event *b)
{
	return pvg_type(&a->hw) == pvg_type(&b->hw) &&
	       pvg_config(&a->hw) == pvg_config(&b->hw) &&
	       pvg_flags(&a->hw) == pvg_flags(&b->hw) && !pvg_for_user(a) &&
	       !is_sampling_event(a) && !is_sampling_event(b);
}

/*
 * It counts, or has its turn still to come, which it keeps.  One that is pinned
 * does not wait for it: it is opened, and looked at.
 */
static bool goes_on(struct pvg_cpu *cpu, u32 id, struct perf_event *event)
{
	u32 state = READ_ONCE(pvg_area_slot(cpu, id)->host.state);

	return state == PVPMU_STATE_COUNTING ||
	       (state == PVPMU_STATE_WAITING &&
		!event->group_leader->attr.pinned);
}

/* One of @ids whose event ends where this one can go on; -1 if there is none. */
static int predecessor(struct pvg_cpu *cpu, u32 ids, struct perf_event *event)
{
	for_each_id(id, ids)
		if (cpu->slot[id].on && alone(cpu, cpu->slot[id].event) &&
		    alike(cpu->slot[id].event, event) &&
		    goes_on(cpu, id, event))
			return id;
	return -1;
}

/*
 * Tasks that are measured together have the same events.  Where one is taken
 * away and another like it added, the host need not know: its slot is read,
 * which ends the one and begins the other, instead of being closed while
 * another is described, opened and enabled.
 */
static void succession(struct pvg_cpu *cpu, struct masks *m)
{
	for_each_id(id, m->open) {
		struct perf_event *event = cpu->slot[id].event;
		int from = -1;

		if (alone(cpu, event))
			from = predecessor(cpu, m->close, event);
		if (from < 0)
			continue;
		cpu->slot[id].from = from;
		m->succeed |= BIT(id);
		m->open &= ~BIT(id);
		m->enable &= ~BIT(id);
		m->close &= ~BIT(from);
		m->read |= BIT(from);
	}
}

/* What a call would have to do; false if it is nothing. */
static bool plan(struct pvg_cpu *cpu, u32 read, struct masks *m)
{
	/* A host that came back may have fewer slots than it had. */
	u32 there = GENMASK(cpu->host.slots - 1, 0);

	*m = (struct masks){};
	for_each_id(id, cpu->dirty & cpu->used & there) {
		struct pvg_slot *slot = &cpu->slot[id];
		u32 bit = BIT(id);

		if (cpu->closing & bit)
			m->close |= slot->open ? bit : 0;
		else if (!slot->want)
			m->disable |= slot->on ? bit : 0;
		else if (!slot->on || slot->rearm)
			m->enable |= bit;
		if (m->enable & bit && !slot->open)
			m->open |= bit;
	}
	for_each_id(id, read & cpu->used & ~m->open)
		m->read |= cpu->slot[id].on ? BIT(id) : 0;
	/* Who wants to read an event knows it by its id. */
	if (!read && m->close && m->open)
		succession(cpu, m);
	return m->close | m->disable | m->enable | m->read;
}

/*
 * A slot of the event's group for the host to count it with; its own if there
 * is none, or no groups at all.  perf's leader may be an event of another PMU,
 * but any of the group that is open will do: ids are opened in ascending order,
 * so those that were described before this one in this call are open, too.
 */
static u32 leader_id(struct pvg_cpu *cpu, u32 id, struct perf_event *event)
{
	u32 others = cpu->used & ~cpu->closing & ~BIT(id);

	if (cpu->host.features & PVPMU_FEAT_GROUPS)
		for_each_id(other, pvg_group(cpu, others, event))
			if (cpu->slot[other].open)
				return other;
	return id;
}

static void describe(struct pvg_cpu *cpu, u32 id)
{
	struct pvpmu_slot_guest *line = &pvg_area_slot(cpu, id)->guest;
	struct pvg_slot *slot = &cpu->slot[id];
	struct perf_event *event = slot->event;
	struct hw_perf_event *hwc = &event->hw;
	s64 left = local64_read(&hwc->period_left);

	line->type = pvg_type(hwc);
	line->flags = (pvg_flags(hwc) & PVPMU_FLAGS_FILTERS) |
		      pvg_rdpmc_flag(cpu, event);
	line->config = pvg_config(hwc);
	line->period = 0;
	line->next_period = 0;
	if (is_sampling_event(event)) {
		if (left <= 0)
			left = hwc->sample_period;
		line->period = pvg_period(cpu, event, left);
		line->next_period =
			pvg_period(cpu, event, hwc->sample_period);
	}
	line->leader = leader_id(cpu, id, event);
	slot->enabled = 0;
	slot->running = 0;
	/*
	 * NMIs may look at it from here on: until the host has opened it, its
	 * line shows CLOSED, see overflow.c.
	 */
	barrier();
	slot->open = true;
}

static s64 update(struct pvg_cpu *cpu, const struct masks *m)
{
	struct pvpmu_header_guest *header = &pvg_area(cpu)->guest;

	for_each_id(id, m->open)
		describe(cpu, id);
	WRITE_ONCE(header->close, m->close);
	WRITE_ONCE(header->disable, m->disable);
	WRITE_ONCE(header->open, m->open);
	WRITE_ONCE(header->enable, m->enable);
	WRITE_ONCE(header->read, m->read);
	return pvg_call(cpu, PVPMU_OP_UPDATE, 0, 0, 0);
}

/*
 * An event goes on in the slot of one that has ended, on the host's scale from
 * there.  An NMI finds it in its old slot, which is not open, or in the new.
 */
static void succeed(struct pvg_cpu *cpu, u32 id, u64 now)
{
	u32 from = cpu->slot[id].from;
	struct pvg_slot *slot = &cpu->slot[from];
	struct perf_event *event = cpu->slot[id].event;
	struct pvg_line line;

	if (!pvg_line(cpu, from, &line) || line.state == PVPMU_STATE_CLOSED) {
		refused(cpu, id, PVPMU_ERR_CLOSED);
		return;
	}
	*slot = cpu->slot[id];
	local64_set(&slot->count, line.count);
	slot->total = line.overflow_total;
	slot->enabled = line.enabled;
	slot->running = line.running;
	slot->seen = now;
	slot->open = true;
	slot->on = true;
	end_gap(slot, now);
	barrier();
	pvg_id(&event->hw) = from;
	cpu->slot[id].event = NULL;
	cpu->used ^= BIT(id) | BIT(from);
}

/* The host has carried out @m; some ids have an error if @partial. */
static void apply(struct pvg_cpu *cpu, const struct masks *m, bool partial)
{
	u64 now = pvg_clock();
	struct pvg_line line;

	finish(cpu, now);
	for_each_id(id, m->disable | m->read) {
		pvg_harvest(cpu, id, now, &line, false);
		if (!(m->disable & BIT(id)))
			continue;
		cpu->slot[id].on = false;
		pvg_rdpmc_show(cpu->slot[id].event);
	}
	for_each_id(id, m->enable) {
		struct pvg_slot *slot = &cpu->slot[id];
		s32 error = PVPMU_OK;

		if (partial && pvg_line(cpu, id, &line))
			error = line.error;
		slot->rearm = false;
		if (!error) {
			slot->on = true;
			slot->seen = now;
			end_gap(slot, now);
			pvg_pinned_look(cpu, id);
			pvg_rdpmc_show(slot->event);
			continue;
		}
		if (m->open & BIT(id) || error == PVPMU_ERR_CLOSED)
			slot->open = false;
		slot->on = false;
		refused(cpu, id, error);
	}
	for_each_id(id, m->succeed)
		succeed(cpu, id, now);
	cpu->dirty = 0;
	/* An NMI that stopped one while the call was made did not find it on. */
	for_each_id(id, m->enable)
		if (cpu->slot[id].on && !cpu->slot[id].want)
			cpu->dirty |= BIT(id);
}

/* Without a host there is nothing to be done for them but to know the time. */
static void apply_locally(struct pvg_cpu *cpu)
{
	u64 now;

	if (!(cpu->closing | cpu->dirty))
		return;
	now = pvg_clock();
	finish(cpu, now);
	for_each_id(id, cpu->dirty & cpu->used) {
		struct pvg_slot *slot = &cpu->slot[id];

		if (!slot->want)
			end_gap(slot, now);
		else if (!slot->on)
			begin_gap(slot, now);
	}
	cpu->dirty = 0;
}

/**
 * pvg_flush() - makes the host's side what perf wants, with one call at most
 * @cpu: this CPU
 * @read: ids whose counts are to be brought up to date; no call is made for
 *        those that do not count
 *
 * A host that is gone is looked for again at most once a second.  A second call
 * is made only where the host was gone, or an NMI stopped what the first one
 * enabled.
 */
void pvg_flush(struct pvg_cpu *cpu, u32 read)
{
	struct masks m;
	s64 result;
	int tries;

	cpu->busy = true;
	for (tries = 0; tries < 3; tries++) {
		if (cpu->lost)
			go_absent(cpu);
		if (!cpu->live && !come_back(cpu))
			break;
		if (!plan(cpu, read, &m))
			break;
		result = update(cpu, &m);
		if (result >= 0 || result == PVPMU_ERR_PARTIAL) {
			apply(cpu, &m, result < 0);
			if (!cpu->dirty)
				break;
			continue;
		}
		for_each_id(id, m.open)
			cpu->slot[id].open = false;
		if (!pvg_absent(result)) {
			/* It found fault with our header: do not insist. */
			cpu->refusal = result;
			pvg_notice(cpu, PVG_NOTICE_STRANGE);
		}
		go_absent(cpu);
	}
	apply_locally(cpu);
	cpu->busy = false;
	if (cpu->used)
		pvg_timer_start(cpu);
}

/**
 * pvg_suspend() - lets the host go, keeping what the events have
 * @cpu: this CPU
 *
 * The events stay in their slots and do not run until pvg_flush() finds a
 * host again.
 */
void pvg_suspend(struct pvg_cpu *cpu)
{
	u64 now;

	if (!cpu->live)
		return;
	pvg_flush(cpu, cpu->used);
	cpu->busy = true;
	now = pvg_clock();
	for_each_id(id, cpu->used) {
		leave(cpu, id, now);
		begin_gap(&cpu->slot[id], now);
	}
	cpu->dirty |= cpu->used;
	cpu->busy = false;
	pvg_detach(cpu);
}

/**
 * pvg_restart_period() - forgets how far an event is in its period
 * @cpu: this CPU
 * @id: of a slot; its event begins a new period with the next pvg_flush()
 * @left: how long that is; 0: as long as all of them
 */
void pvg_restart_period(struct pvg_cpu *cpu, u32 id, s64 left)
{
	struct pvg_slot *slot = &cpu->slot[id];

	if (slot->open) {
		if (pvg_absent(pvg_call(cpu, PVPMU_OP_CLOSE, id, 0, 0)))
			cpu->lost = true;
		leave(cpu, id, pvg_clock());
	}
	local64_set(&slot->event->hw.period_left, left);
	cpu->dirty |= BIT(id);
}

/**
 * pvg_take() - finds a slot for an event
 * @cpu: this CPU
 * @event: perf adds it
 *
 * An event that was taken away and is added again before the host heard of
 * either just stays.  A new one does not get an id that is still to be closed
 * in the same call: the host writes an id's line once, and the old event's
 * last count would be lost.
 *
 * Return: its id, or -EAGAIN if the host has no more.
 */
int pvg_take(struct pvg_cpu *cpu, struct perf_event *event)
{
	u32 all = GENMASK(cpu->host.slots - 1, 0);
	u32 others = hweight32(cpu->used & ~cpu->closing);
	struct pvg_slot *slot;
	int id = pvg_id(&event->hw);

	if (others >= pvg_room(cpu))
		return -EAGAIN;
	if (id >= 0 && cpu->closing & BIT(id) &&
	    cpu->slot[id].event == event) {
		cpu->closing &= ~BIT(id);
		return id;
	}
	if (others >= pvg_usable(cpu))
		return -EAGAIN;
	if (!(all & ~cpu->used) && cpu->closing)
		pvg_flush(cpu, 0);
	if (!(all & ~cpu->used))
		return -EAGAIN;

	id = __ffs(all & ~cpu->used);
	slot = &cpu->slot[id];
	*slot = (struct pvg_slot){};
	if (event->attr.freq) {
		slot->freq_count = local64_read(&event->count);
		slot->freq_time = pvg_clock();
	}
	slot->published = event->tstamp;
	slot->event = event;
	cpu->used |= BIT(id);
	pvg_id(&event->hw) = id;
	return id;
}
