// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * pvpmu core: the life of an event in its slot
 *
 *	CLOSED --open--> STOPPED --enable--> COUNTING, WAITING, FAILED
 *	   ^---close--------'  ^---disable-----'
 *
 * A counter is only ever read: what a slot counted is the sum of differences
 * of its counter's readings between ENABLE and DISABLE.  That way a counter
 * may serve several slots, and run on between two of them.
 */
#include "internal.h"

static bool is_open(const struct pvpmu_vcpu *vcpu, u32 id)
{
	return vcpu->open & id_bit(id);
}

/*
 * Takes one of the ids that the VM may have open, if there is one left.  One
 * that this vCPU closed in the same entry point is still its own, so that a
 * guest's context switch changes nothing that its vCPUs share.
 */
static bool take_slot(struct pvpmu_vcpu *vcpu)
{
	struct pvpmu_vm *vm = vcpu->vm;
	u32 open;

	do {
		open = READ_ONCE(vm->slots_open);
		if (open - vcpu->returned >= READ_ONCE(vm->limits.slots_vm))
			return false;
		if (vcpu->returned) {
			vcpu->returned--;
			return true;
		}
	} while (!env_cmpxchg32(&vm->slots_open, open, open + 1));
	return true;
}

/* The end of each entry point: others may have what it closed. */
void pvpmu_slot_return(struct pvpmu_vcpu *vcpu)
{
	struct pvpmu_vm *vm = vcpu->vm;
	u32 open;

	if (!vcpu->returned)
		return;
	do {
		open = READ_ONCE(vm->slots_open);
	} while (!env_cmpxchg32(&vm->slots_open, open, open - vcpu->returned));
	vcpu->returned = 0;
}

static s32 take_counter(struct pvpmu_vcpu *vcpu, u32 id,
			const struct pvpmu_slot_guest *line)
{
	struct pvpmu_desc desc = pvpmu_event_desc(line);
	struct pvpmu_slot_state *slot = &vcpu->slot[id];
	s32 error;

	if (vcpu->opened >= pvpmu_slots_usable(vcpu->vm))
		return PVPMU_ERR_LIMIT;
	if (!take_slot(vcpu))
		return PVPMU_ERR_LIMIT;
	desc.group = pvpmu_group_number(vcpu, id, line->leader);
	error = pvpmu_counter_get(vcpu, &desc, id, &slot->counter);
	if (error)
		goto refused;
	error = pvpmu_group_join(vcpu, id, line->leader, desc.group);
	if (!error)
		return PVPMU_OK;
	pvpmu_counter_put(vcpu, slot->counter);
refused:
	vcpu->returned++;
	return error;
}

static void clear_line(struct pvpmu_slot_host *host)
{
	u32 seq = host->seq;
	s32 error = host->error;

	memset(host, 0, sizeof(*host));
	host->seq = seq;
	host->error = error;
}

/* Opens what a private copy of a description says. */
s32 pvpmu_slot_begin(struct pvpmu_vcpu *vcpu, u32 id,
		     const struct pvpmu_slot_guest *line)
{
	struct pvpmu_slot_state *slot = &vcpu->slot[id];
	s32 error = pvpmu_event_check(vcpu, id, line);

	if (error)
		return error;
	error = take_counter(vcpu, id, line);
	if (error)
		return error;

	clear_line(&slot->host);
	slot->host.state = PVPMU_STATE_STOPPED;
	memset(&slot->done, 0, sizeof(slot->done));
	slot->enabled = false;
	slot->sampling = line->period != 0;
	slot->user_read = line->flags & PVPMU_FLAG_USER_READ;
	slot->period = line->period;
	slot->length = line->period;
	slot->reload = pvpmu_period_clamp(vcpu->vm, line->type, line->config,
					  line->next_period ? line->next_period
							    : line->period);
	slot->total = 0;
	slot->overflows = 0;
	slot->throttled = false;
	vcpu->open |= id_bit(id);
	vcpu->opened++;
	return PVPMU_OK;
}

s32 pvpmu_slot_open(struct pvpmu_vcpu *vcpu, u32 id)
{
	struct pvpmu_slot_guest line;

	if (is_open(vcpu, id))
		return PVPMU_ERR_OPEN;
	if (!pvpmu_area_read(vcpu, pvpmu_slot_offset(id), &line, sizeof(line)))
		return PVPMU_ERR_NO_AREA;
	return pvpmu_slot_begin(vcpu, id, &line);
}

static u32 state_of(const struct pvpmu_slot_state *slot,
		    const struct pvpmu_reading *now)
{
	u32 state = PVPMU_STATE_COUNTING;

	if (!now->active) {
		if (now->failed)
			return PVPMU_STATE_FAILED;
		state = PVPMU_STATE_WAITING;
	}
	return READ_ONCE(slot->throttled) ? state | PVPMU_STATE_THROTTLED
					  : state;
}

/*
 * Where user space may read it.  RDPMC gives the count itself, so its base is
 * zero, and no count is shown so that comes near the sign.
 */
static void show_index(struct pvpmu_slot_host *host, u32 id)
{
	bool shown = (host->state & PVPMU_STATE_MASK) == PVPMU_STATE_COUNTING &&
		     host->count < 1ull << (PVPMU_RDPMC_WIDTH - 2);

	host->index = shown ? PVPMU_RDPMC_BASE + id + 1 : 0;
	host->width = shown ? PVPMU_RDPMC_WIDTH : 0;
}

static void set_state(struct pvpmu_vcpu *vcpu, u32 id, u32 state)
{
	struct pvpmu_slot_state *slot = &vcpu->slot[id];

	slot->host.state = state;
	if (slot->user_read)
		show_index(&slot->host, id);
}

static void show_overflows(struct pvpmu_slot_state *slot)
{
	slot->host.overflow_total = READ_ONCE(slot->total);
	slot->host.overflows = READ_ONCE(slot->overflows);
}

/* What the slot counted until @now, into the line that the guest will see. */
static void show_counts(struct pvpmu_slot_state *slot,
			const struct pvpmu_reading *now)
{
	slot->host.count = slot->done.count + now->count - slot->base.count;
	slot->host.time_enabled =
		slot->done.enabled + now->enabled - slot->base.enabled;
	slot->host.time_running =
		slot->done.running + now->running - slot->base.running;
}

s32 pvpmu_slot_read(struct pvpmu_vcpu *vcpu, u32 id)
{
	struct pvpmu_slot_state *slot = &vcpu->slot[id];
	const struct pvpmu_reading *now;

	if (!is_open(vcpu, id))
		return PVPMU_ERR_CLOSED;
	if (!slot->enabled)
		return PVPMU_OK;
	/* In this order an overflow is never ahead of the count it is in. */
	show_overflows(slot);
	now = pvpmu_counter_read(vcpu, slot->counter);
	show_counts(slot, now);
	set_state(vcpu, id, state_of(slot, now));
	return PVPMU_OK;
}

/* What user space may see of an event's count now; the page stays as it is. */
u64 pvpmu_slot_user_count(struct pvpmu_vcpu *vcpu, u32 id)
{
	struct pvpmu_slot_state *slot = &vcpu->slot[id];

	if (!is_open(vcpu, id) || !slot->user_read)
		return 0;
	if (!slot->enabled)
		return slot->done.count;
	return slot->done.count - slot->base.count +
	       pvpmu_counter_read(vcpu, slot->counter)->count;
}

s32 pvpmu_slot_disable(struct pvpmu_vcpu *vcpu, u32 id)
{
	struct pvpmu_slot_state *slot = &vcpu->slot[id];
	const struct pvpmu_reading *now;

	if (!is_open(vcpu, id))
		return PVPMU_ERR_CLOSED;
	if (!slot->enabled)
		return PVPMU_OK;
	pvpmu_counter_stop(vcpu, slot->counter);
	now = pvpmu_counter_read(vcpu, slot->counter);
	slot->enabled = false;
	show_counts(slot, now);
	slot->done.count = slot->host.count;
	slot->done.enabled = slot->host.time_enabled;
	slot->done.running = slot->host.time_running;
	set_state(vcpu, id, PVPMU_STATE_STOPPED);
	pvpmu_overflow_missed(vcpu, id);
	show_overflows(slot);
	return PVPMU_OK;
}

/*
 * Where an event was throttled, what it counted since belongs to the period
 * that now goes on, so that the weights of samples still add up to the count.
 */
void pvpmu_slot_end_throttling(struct pvpmu_slot_state *slot)
{
	slot->length = slot->done.count - slot->total + slot->reload;
	slot->throttled = false;
}

static s32 begin(struct pvpmu_vcpu *vcpu, u32 id)
{
	struct pvpmu_slot_state *slot = &vcpu->slot[id];
	u64 left = 0;
	s32 error;

	if (slot->throttled)
		pvpmu_slot_end_throttling(slot);
	if (slot->sampling)
		left = slot->total + slot->length - slot->done.count;
	/* First the reading: nothing that the counter counts is left out. */
	slot->base = *pvpmu_counter_read(vcpu, slot->counter);
	slot->enabled = true;
	error = pvpmu_counter_start(vcpu, slot->counter, left);
	if (error) {
		slot->enabled = false;
		return error;
	}
	/* A counter that ran on needs no second look. */
	if (!slot->base.active)
		return pvpmu_slot_read(vcpu, id);
	set_state(vcpu, id, PVPMU_STATE_COUNTING);
	return PVPMU_OK;
}

s32 pvpmu_slot_enable(struct pvpmu_vcpu *vcpu, u32 id)
{
	struct pvpmu_slot_state *slot = &vcpu->slot[id];

	if (!is_open(vcpu, id))
		return PVPMU_ERR_CLOSED;
	if (!slot->enabled)
		return begin(vcpu, id);
	if (!READ_ONCE(slot->throttled))
		return pvpmu_slot_read(vcpu, id);
	pvpmu_slot_disable(vcpu, id);
	return begin(vcpu, id);
}

s32 pvpmu_slot_close(struct pvpmu_vcpu *vcpu, u32 id)
{
	struct pvpmu_slot_state *slot = &vcpu->slot[id];

	if (!is_open(vcpu, id))
		return PVPMU_ERR_CLOSED;
	pvpmu_slot_disable(vcpu, id);
	pvpmu_overflow_forget(vcpu, id);
	pvpmu_counter_put(vcpu, slot->counter);
	vcpu->returned++;
	vcpu->open &= ~id_bit(id);
	vcpu->resuming &= ~id_bit(id);
	vcpu->opened--;
	slot->host.state = PVPMU_STATE_CLOSED;
	return PVPMU_OK;
}

void pvpmu_slot_close_all(struct pvpmu_vcpu *vcpu)
{
	u32 id, rest;

	for_each_id(id, rest, vcpu->open)
		pvpmu_slot_close(vcpu, id);
}
