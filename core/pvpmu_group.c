// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * pvpmu core: slots that are counted as one
 *
 * A group is a number that the descriptions of its counters have in common, so
 * it shares no counter with a slot outside.  It begins when an event joins
 * another that was alone, and is forgotten when its last event is closed; its
 * number is not given again soon.
 */
#include "internal.h"

/* Counters of the slots that are in a group with @leader, its own among them */
static u64 counters_with(const struct pvpmu_vcpu *vcpu, u32 leader)
{
	u32 group = vcpu->slot[leader].group;
	u64 counters = 1ull << vcpu->slot[leader].counter;
	u32 id, rest;

	for_each_id(id, rest, group ? vcpu->open : 0)
		if (vcpu->slot[id].group == group)
			counters |= 1ull << vcpu->slot[id].counter;
	return counters;
}

/* Does one of @counters count just that, for others to share? */
static bool counted_by(const struct pvpmu_vcpu *vcpu, u64 counters,
		       const struct pvpmu_desc *desc)
{
	for (; counters && !desc->sampling; counters &= counters - 1) {
		u32 i = (u32)__builtin_ctzll(counters);
		struct pvpmu_desc member = vcpu->counter[i].desc;

		member.group = desc->group;
		if (pvpmu_desc_same(&member, desc))
			return true;
	}
	return false;
}

/* May slot @id be in the group of the slot that its description names? */
s32 pvpmu_group_check(struct pvpmu_vcpu *vcpu, u32 id,
		      const struct pvpmu_slot_guest *line)
{
	const struct pvpmu_desc desc = pvpmu_event_desc(line);
	u32 leader = line->leader;
	u64 counters;

	if (leader == id)
		return PVPMU_OK;
	if (!(vcpu->features & PVPMU_FEAT_GROUPS))
		return PVPMU_ERR_GROUP;
	if (leader >= PVPMU_MAX_SLOTS)
		return PVPMU_ERR_GROUP;
	leader = (u32)env_nospec(leader, PVPMU_MAX_SLOTS);
	if (!(vcpu->open & id_bit(leader)))
		return PVPMU_ERR_GROUP;
	counters = counters_with(vcpu, leader);
	if (!counted_by(vcpu, counters, &desc) &&
	    !vcpu->ops->fit(vcpu, &desc, counters))
		return PVPMU_ERR_GROUP;
	return PVPMU_OK;
}

/* The lowest id of the group that slot @id, which is open, is in */
u32 pvpmu_group_first(const struct pvpmu_vcpu *vcpu, u32 id)
{
	u32 group = vcpu->slot[id].group;
	u32 first, rest;

	for_each_id(first, rest, group ? vcpu->open : 0)
		if (vcpu->slot[first].group == group)
			return first;
	return id;
}

/* The group that slot @id will be in, a new one if @leader is in none yet. */
u32 pvpmu_group_number(const struct pvpmu_vcpu *vcpu, u32 id, u32 leader)
{
	u32 group;

	if (leader == id)
		return 0;
	group = vcpu->slot[env_nospec(leader, PVPMU_MAX_SLOTS)].group;
	if (group)
		return group;
	return vcpu->groups + 1 ? vcpu->groups + 1 : 1;
}

/*
 * An event that was alone gets a counter that is in the group, instead of one
 * that others may share.  If it is enabled it is stopped and started for that,
 * and remains stopped if the host has no counter for it now.
 */
static s32 begin_group(struct pvpmu_vcpu *vcpu, u32 id, u32 group)
{
	struct pvpmu_slot_state *slot = &vcpu->slot[id];
	struct pvpmu_desc desc = vcpu->counter[slot->counter].desc;
	bool enabled = slot->enabled;
	u8 counter;
	s32 error;

	desc.group = group;
	error = pvpmu_counter_get(vcpu, &desc, id, &counter);
	if (error)
		return error;
	pvpmu_slot_disable(vcpu, id);
	pvpmu_counter_put(vcpu, slot->counter);
	slot->counter = counter;
	slot->group = group;
	vcpu->groups = group;
	if (!enabled)
		return PVPMU_OK;
	error = pvpmu_slot_enable(vcpu, id);
	pvpmu_area_show(vcpu, id);
	return error;
}

/* Slot @id, which has its counter, comes into the group of @leader. */
s32 pvpmu_group_join(struct pvpmu_vcpu *vcpu, u32 id, u32 leader, u32 group)
{
	s32 error = PVPMU_OK;

	vcpu->slot[id].group = 0;
	if (!group)
		return PVPMU_OK;
	leader = (u32)env_nospec(leader, PVPMU_MAX_SLOTS);
	if (!vcpu->slot[leader].group)
		error = begin_group(vcpu, leader, group);
	if (!error)
		vcpu->slot[id].group = group;
	return error;
}
