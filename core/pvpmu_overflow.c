// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * pvpmu core: overflows, from the moment they happen until the guest knows
 *
 * pvpmu_overflow() may run in an NMI that interrupted any other function of
 * core on this vCPU.  It writes the second part of struct pvpmu_slot_state
 * and sets bits, nothing else.  pvpmu_publish() takes it from there, in a
 * context where the page can be written.
 */
#include "internal.h"

/* One overflow less of this second's; false if there was none left. */
static bool within_budget(struct pvpmu_vcpu *vcpu)
{
	u64 now = vcpu->ops->clock();
	u32 budget;

	if (now - vcpu->window >= PVPMU_SECOND) {
		/* A clock that went back begins a second, but no budget. */
		if ((s64)(now - vcpu->window) > 0)
			vcpu->budget =
				READ_ONCE(vcpu->vm->limits.overflow_rate);
		vcpu->window = now;
	}
	/* An NMI may take the last one in between. */
	budget = READ_ONCE(vcpu->budget);
	if (!budget)
		return false;
	WRITE_ONCE(vcpu->budget, budget - 1);
	return true;
}

u64 pvpmu_overflow(struct pvpmu_vcpu *vcpu, u32 counter)
{
	u32 id = vcpu->counter[counter].slot;
	struct pvpmu_slot_state *slot = &vcpu->slot[id];

	vcpu->stats.overflows++;
	WRITE_ONCE(slot->total, slot->total + slot->length);
	WRITE_ONCE(slot->overflows, slot->overflows + 1);
	slot->length = READ_ONCE(slot->reload);
	if (!within_budget(vcpu)) {
		WRITE_ONCE(slot->throttled, true);
		vcpu->stats.throttled++;
	}
	env_or32(&vcpu->overflowed, id_bit(id));
	vcpu->ops->kick(vcpu);
	return slot->throttled ? 0 : slot->length;
}

/*
 * Counts the overflows of a slot that stands still at or past its mark; returns
 * how many they are.
 */
u64 pvpmu_overflow_passed(struct pvpmu_slot_state *slot)
{
	u64 more;

	if (!slot->sampling || slot->throttled)
		return 0;
	/* A backend's clocks may differ, and report a mark as it is just met. */
	if ((s64)(slot->done.count - slot->total) < (s64)slot->length)
		return 0;
	slot->total += slot->length;
	slot->length = slot->reload;
	more = env_div64(slot->done.count - slot->total, slot->length);
	slot->total += more * slot->length;
	slot->overflows += 1 + (u32)more;
	return 1 + more;
}

/*
 * A counter that was stopped at or past its mark before the backend could
 * report it.  The backend reports nothing from here on, so it is counted now.
 */
void pvpmu_overflow_missed(struct pvpmu_vcpu *vcpu, u32 id)
{
	u64 passed = pvpmu_overflow_passed(&vcpu->slot[id]);

	if (!passed)
		return;
	vcpu->stats.missed += passed;
	env_or32(&vcpu->overflowed, id_bit(id));
}

/* What is not published of a slot that closes is dropped: the next event in
 * that slot has nothing to do with it. */
void pvpmu_overflow_forget(struct pvpmu_vcpu *vcpu, u32 id)
{
	u32 ids;

	/* The slot is stopped: no NMI adds this bit any more. */
	if (!(READ_ONCE(vcpu->overflowed) & id_bit(id)))
		return;
	/* One may add others in between; only this one goes. */
	ids = env_xchg32(&vcpu->overflowed, 0) & ~id_bit(id);
	if (ids)
		env_or32(&vcpu->overflowed, ids);
}

static void raise(struct pvpmu_vcpu *vcpu)
{
	u32 kind = vcpu->delivery & PVPMU_DELIVER_MASK;

	if (kind == PVPMU_DELIVER_NONE)
		return;
	vcpu->stats.raised++;
	vcpu->ops->raise(vcpu, kind,
			 vcpu->delivery >> PVPMU_DELIVER_PORT_SHIFT);
}

/* The guest may change next_period at any time; this is when it is looked at,
 * and what is found holds from the next overflow. */
static void take_next_period(struct pvpmu_vcpu *vcpu, u32 id)
{
	struct pvpmu_slot_state *slot = &vcpu->slot[id];
	const struct pvpmu_desc *desc = &vcpu->counter[slot->counter].desc;
	u64 next;

	if (!pvpmu_area_read(
		    vcpu,
		    pvpmu_slot_offset(id) +
			    PVPMU_OFFSET(pvpmu_slot, guest.next_period),
		    &next, sizeof(next)))
		return;
	next = pvpmu_period_clamp(vcpu->vm, desc->type, desc->config,
				  next ? next : slot->period);
	WRITE_ONCE(slot->reload, next);
}

static void publish(struct pvpmu_vcpu *vcpu)
{
	u32 ids, id, rest;

	if (!READ_ONCE(vcpu->overflowed))
		return;
	ids = env_xchg32(&vcpu->overflowed, 0);
	for_each_id(id, rest, ids) {
		take_next_period(vcpu, id);
		pvpmu_slot_read(vcpu, id);
		pvpmu_area_show(vcpu, id);
	}
	vcpu->pending = true;
	if (!pvpmu_area_pend(vcpu, ids) && !vcpu->lost)
		raise(vcpu);
}

/* The guest's interrupt controller may have dropped the last interrupt. */
void pvpmu_overflow_remind(struct pvpmu_vcpu *vcpu)
{
	u32 word = 0;

	if (!vcpu->pending)
		return;
	if (!pvpmu_area_read(vcpu, PVPMU_OFFSET(pvpmu_area, overflow), &word,
			     sizeof(word)))
		return;
	if (word)
		raise(vcpu);
	else
		vcpu->pending = false;
}

/* The end of each entry point: what overflowed and what the limit is now are
 * shown, what is lost is let go. */
void pvpmu_settle(struct pvpmu_vcpu *vcpu)
{
	publish(vcpu);
	pvpmu_area_show_limit(vcpu);
	if (vcpu->lost)
		pvpmu_vcpu_detach(vcpu);
	if (vcpu->returned)
		pvpmu_slot_return(vcpu);
	if (vcpu->unused || vcpu->starved)
		pvpmu_counter_settle(vcpu);
}

void pvpmu_publish(struct pvpmu_vcpu *vcpu)
{
	if (vcpu->restored)
		pvpmu_resume(vcpu);
	pvpmu_settle(vcpu);
}
