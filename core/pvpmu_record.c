// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * pvpmu core: a vCPU goes from one host to another
 *
 * A record is made of private copies and of what the counters show; the page is
 * neither read nor written for it, for it travels with the guest's memory.  The
 * host that takes a record believes none of it: events are opened as if the
 * guest asked for them, and numbers that could lead core astray are refused.
 *
 * Who restores a vCPU is not its own thread in general, so events are enabled,
 * and the page is written, when it is about to run its guest.
 */
#include "internal.h"

/* No event counts that far; differences of counts stay signed below it. */
#define LENGTH_MAX (1ull << 62)

static void save_slot(struct pvpmu_vcpu *vcpu, u32 id,
		      struct pvpmu_record *record)
{
	struct pvpmu_record_slot *to = &record->slot[id];
	const struct pvpmu_desc *desc;
	struct pvpmu_slot_state slot;

	/* The line is brought up to date where it is not shown. */
	pvpmu_slot_read(vcpu, id);
	slot = vcpu->slot[id];
	to->host = slot.host;
	if (!(vcpu->open & id_bit(id)))
		return;

	/* What this host did not report yet is over, as if it had stopped. */
	slot.done.count = slot.host.count;
	if (slot.throttled)
		pvpmu_slot_end_throttling(&slot);
	if (pvpmu_overflow_passed(&slot))
		record->overflowed |= id_bit(id);
	desc = &vcpu->counter[slot.counter].desc;
	to->type = desc->type;
	to->flags = desc->flags;
	if (slot.user_read)
		to->flags |= PVPMU_FLAG_USER_READ;
	to->config = desc->config;
	to->leader = pvpmu_group_first(vcpu, id);
	to->host.index = 0;
	to->host.width = 0;
	to->host.state &= PVPMU_STATE_MASK;
	if (!slot.sampling)
		return;
	to->period = slot.period;
	to->next_period = slot.reload;
	to->length = slot.length;
	to->host.overflow_total = slot.total;
	to->host.overflows = slot.overflows;
}

s32 pvpmu_save(struct pvpmu_vcpu *vcpu, struct pvpmu_record *record)
{
	u32 id;

	if (!vcpu->attached)
		return PVPMU_ERR_NO_AREA;
	memset(record, 0, sizeof(*record));
	record->magic = PVPMU_RECORD_MAGIC;
	record->version = PVPMU_RECORD_VERSION;
	record->size = sizeof(*record);
	record->abi = PVPMU_ABI_VERSION;
	record->frame = vcpu->frame;
	record->delivery = vcpu->delivery;
	record->generation = vcpu->header.generation;
	record->seq = vcpu->header.seq;
	record->overflowed = READ_ONCE(vcpu->overflowed);
	record->guest = vcpu->version;
	record->features = vcpu->features;
	record->hypercall = vcpu->ops->hypercall;
	record->op_base = vcpu->ops->op_base;
	record->slots = PVPMU_LEAF_SLOTS;
	record->sizes = PVPMU_LEAF_SIZES;
	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		save_slot(vcpu, id, record);
	return PVPMU_OK;
}

static bool is_known(const struct pvpmu_record *record)
{
	return record->magic == PVPMU_RECORD_MAGIC &&
	       record->version == PVPMU_RECORD_VERSION &&
	       record->size == sizeof(*record) &&
	       record->abi >> 16 == PVPMU_ABI_MAJOR &&
	       record->abi <= PVPMU_ABI_VERSION;
}

static bool is_closed(const struct pvpmu_record_slot *slot)
{
	return slot->host.state == PVPMU_STATE_CLOSED;
}

static bool is_reserved_zero(const struct pvpmu_record_slot *slot)
{
	const struct pvpmu_slot_host *host = &slot->host;

	return !(slot->reserved | slot->reserved2[0] | slot->reserved2[1] |
		 host->index | host->width | host->base);
}

/* What holds of every host line, open or not */
static bool is_line(const struct pvpmu_slot_host *host)
{
	if (host->seq & 1 || host->state > PVPMU_STATE_FAILED)
		return false;
	if (host->error &&
	    (host->error > PVPMU_ERR_OPERATION || host->error < PVPMU_ERR_LAST))
		return false;
	return host->time_running <= host->time_enabled;
}

/* A closed slot describes nothing, one without a period does not overflow. */
static bool is_consistent(const struct pvpmu_record_slot *slot)
{
	const struct pvpmu_slot_host *host = &slot->host;

	if (is_closed(slot))
		return !(slot->type | slot->flags | slot->config |
			 slot->period | slot->next_period | slot->length |
			 slot->leader);
	return slot->period ||
	       !(slot->length | host->overflow_total | host->overflows);
}

/*
 * The period that runs ends, and not before now.  It may be longer than any
 * that a guest asks for, where it began while the event was throttled.  What is
 * left of it may be, too: an overflow that the host reported early began it
 * before the count was there.
 */
static bool period_runs(const struct pvpmu_record_slot *slot)
{
	u64 left = slot->host.overflow_total + slot->length - slot->host.count;

	return !slot->period || (slot->length - 1 < LENGTH_MAX &&
				 left - 1 < 2 * PVPMU_PERIOD_MAX);
}

static s32 check_slot(const struct pvpmu_record_slot *slot)
{
	if (!is_reserved_zero(slot) || !is_line(&slot->host) ||
	    !is_consistent(slot))
		return PVPMU_ERR_RESERVED;
	return period_runs(slot) ? PVPMU_OK : PVPMU_ERR_PERIOD;
}

/* What can be said of a record without asking anyone. */
static s32 check(const struct pvpmu_record *record)
{
	u32 i, sampling = 0, any = record->seq & 1;
	s32 error;

	if (!is_known(record))
		return PVPMU_ERR_OPERATION;
	for (i = 0; i < PVPMU_MAX_SLOTS; i++)
		if (record->slot[i].period)
			sampling |= id_bit(i);
	if (any || record->overflowed & ~sampling)
		return PVPMU_ERR_RESERVED;
	for (i = 0; i < PVPMU_MAX_SLOTS; i++) {
		error = check_slot(&record->slot[i]);
		if (error)
			return error;
	}
	return PVPMU_OK;
}

/* Does what the guest was told of its host hold of this one? */
static s32 check_told(const struct pvpmu_vcpu *vcpu,
		      const struct pvpmu_record *record)
{
	const struct pvpmu_host_ops *ops = vcpu->ops;

	if (record->hypercall != ops->hypercall ||
	    record->op_base != ops->op_base ||
	    record->slots != PVPMU_LEAF_SLOTS ||
	    record->sizes != PVPMU_LEAF_SIZES)
		return PVPMU_ERR_VERSION;
	return pvpmu_accept_check(vcpu, record->delivery, record->guest,
				  record->features);
}

/* As SETUP does, but that the page is left alone. */
static s32 restore_area(struct pvpmu_vcpu *vcpu,
			const struct pvpmu_record *record)
{
	s32 error = pvpmu_setup_check(vcpu, record->frame, record->delivery);

	if (!error)
		error = check_told(vcpu, record);
	if (!error)
		error = pvpmu_attach(vcpu, record->frame);
	if (!error)
		pvpmu_begin(vcpu, record->frame, record->delivery,
			    record->guest, record->features);
	return error;
}

static s32 restore_slot(struct pvpmu_vcpu *vcpu, u32 id,
			const struct pvpmu_record_slot *from)
{
	const struct pvpmu_slot_guest line = {
		.type = from->type,
		.flags = from->flags,
		.config = from->config,
		.period = from->period,
		.next_period = from->next_period,
		.leader = from->leader,
	};
	struct pvpmu_slot_state *slot = &vcpu->slot[id];
	s32 error;

	if (!is_closed(from)) {
		error = pvpmu_slot_begin(vcpu, id, &line);
		if (error)
			return error;
	}
	slot->host = from->host;
	slot->done.count = from->host.count;
	slot->done.enabled = from->host.time_enabled;
	slot->done.running = from->host.time_running;
	slot->total = from->host.overflow_total;
	slot->overflows = from->host.overflows;
	slot->length = from->length;
	if (from->host.state > PVPMU_STATE_STOPPED)
		vcpu->resuming |= id_bit(id);
	return PVPMU_OK;
}

s32 pvpmu_restore(struct pvpmu_vcpu *vcpu, const struct pvpmu_record *record)
{
	s32 error = check(record);
	u32 id;

	if (error)
		return error;
	if (vcpu->attached)
		return PVPMU_ERR_OPEN;
	error = restore_area(vcpu, record);
	for (id = 0; id < PVPMU_MAX_SLOTS && !error; id++)
		error = restore_slot(vcpu, id, &record->slot[id]);
	if (error) {
		pvpmu_vcpu_detach(vcpu);
		return error;
	}
	pvpmu_area_set_header(vcpu);
	vcpu->header.generation = record->generation;
	vcpu->header.seq = record->seq;
	/* What was raised there may have been dropped here, see remind(). */
	vcpu->pending = true;
	vcpu->restored = true;
	env_or32(&vcpu->overflowed, record->overflowed);
	vcpu->ops->kick(vcpu);
	return PVPMU_OK;
}

/* An event that cannot be enabled has failed: its guest may open it again. */
static void enable(struct pvpmu_vcpu *vcpu, u32 id)
{
	if (!pvpmu_slot_enable(vcpu, id))
		return;
	pvpmu_counter_fail(vcpu, vcpu->slot[id].counter);
	pvpmu_slot_enable(vcpu, id);
}

/* The vCPU runs for the first time since it was restored. */
void pvpmu_resume(struct pvpmu_vcpu *vcpu)
{
	u32 ids = vcpu->resuming;
	u32 id, rest;

	vcpu->restored = false;
	vcpu->resuming = 0;
	for_each_id(id, rest, ids) {
		enable(vcpu, id);
		pvpmu_area_show(vcpu, id);
	}
	pvpmu_area_show_header(vcpu);
}
