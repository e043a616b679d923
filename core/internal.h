/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* pvpmu core: what its files know of each other */
#ifndef PVPMU_CORE_INTERNAL_H
#define PVPMU_CORE_INTERNAL_H

#include "../include/pvpmu/core.h"
#include "../include/pvpmu/sched.h"

#define PVPMU_IDS ((1u << PVPMU_MAX_SLOTS) - 1)
#define PVPMU_SECOND 1000000000ull /* ns */

/* What core can serve today; a backend's other features are not shown. */
#define PVPMU_FEATURES \
	(PVPMU_FEAT_LVTPC | PVPMU_FEAT_PV_NMI | PVPMU_FEAT_EVTCHN | \
	 PVPMU_FEAT_GROUPS | PVPMU_FEAT_RDPMC)

/* Runs the statement after it for each bit of @mask, ascending. */
#define for_each_id(id, rest, mask)                             \
	for ((rest) = (mask);                                   \
	     (rest) && ((id) = (u32)__builtin_ctz(rest), true); \
	     (rest) &= (rest)-1)

static inline u32 id_bit(u32 id)
{
	return 1u << id;
}

/* pvpmu_core.c */
s32 pvpmu_attach(struct pvpmu_vcpu *vcpu, u64 frame, u32 delivery);

/* pvpmu_event.c: what can be counted, and who may */
s32 pvpmu_event_caps(struct pvpmu_vcpu *vcpu, u32 type, u64 config);
s32 pvpmu_event_check(struct pvpmu_vcpu *vcpu, u32 id,
		      const struct pvpmu_slot_guest *line);
struct pvpmu_desc pvpmu_event_desc(const struct pvpmu_slot_guest *line);
u64 pvpmu_period_clamp(const struct pvpmu_vm *vm, u32 type, u64 config,
		       u64 period);
u32 pvpmu_slots_usable(const struct pvpmu_vm *vm);

/* pvpmu_area.c: the shared page */
bool pvpmu_area_read(struct pvpmu_vcpu *vcpu, u32 offset, void *to, u32 len);
void pvpmu_area_reset(struct pvpmu_vcpu *vcpu);
void pvpmu_area_show(struct pvpmu_vcpu *vcpu, u32 id);
void pvpmu_area_set_header(struct pvpmu_vcpu *vcpu);
void pvpmu_area_show_header(struct pvpmu_vcpu *vcpu);
void pvpmu_area_show_limit(struct pvpmu_vcpu *vcpu);
u32 pvpmu_area_pend(struct pvpmu_vcpu *vcpu, u32 ids);
u32 pvpmu_slot_offset(u32 id);

/* pvpmu_counter.c: host counters, shared by slots and kept for a while */
s32 pvpmu_counter_get(struct pvpmu_vcpu *vcpu, const struct pvpmu_desc *desc,
		      u32 id, u8 *counter);
void pvpmu_counter_put(struct pvpmu_vcpu *vcpu, u32 counter);
s32 pvpmu_counter_start(struct pvpmu_vcpu *vcpu, u32 counter, u64 left);
void pvpmu_counter_stop(struct pvpmu_vcpu *vcpu, u32 counter);
const struct pvpmu_reading *pvpmu_counter_read(struct pvpmu_vcpu *vcpu,
					       u32 counter);
void pvpmu_counter_batch_begin(struct pvpmu_vcpu *vcpu);
void pvpmu_counter_batch_end(struct pvpmu_vcpu *vcpu);
bool pvpmu_counter_arrange(struct pvpmu_vcpu *vcpu);
void pvpmu_counter_settle(struct pvpmu_vcpu *vcpu);
void pvpmu_counter_destroy_unused(struct pvpmu_vcpu *vcpu);

/* pvpmu_group.c: slots that are counted as one */
s32 pvpmu_group_check(struct pvpmu_vcpu *vcpu, u32 id,
		      const struct pvpmu_slot_guest *line);
u32 pvpmu_group_first(const struct pvpmu_vcpu *vcpu, u32 id);
u32 pvpmu_group_number(const struct pvpmu_vcpu *vcpu, u32 id, u32 leader);
s32 pvpmu_group_join(struct pvpmu_vcpu *vcpu, u32 id, u32 leader, u32 group);

/**
 * struct pvpmu_choice - which physical counters
 * @busy: those that cannot be had
 * @phys: for each counter
 */
struct pvpmu_choice {
	u32 busy;
	u8 phys[PVPMU_MAX_COUNTERS + 1];
};

/* pvpmu_choose.c: which physical counter for which counter */
bool pvpmu_choose(const struct pvpmu_turns *turns, u64 counters,
		  struct pvpmu_choice *choice);

void pvpmu_choices(struct pvpmu_turn *turn, u32 fits);

/* pvpmu_slot.c: the life of an event; none of them touches the page, but
 * pvpmu_slot_open(), which reads the slot's guest line */
s32 pvpmu_slot_begin(struct pvpmu_vcpu *vcpu, u32 id,
		     const struct pvpmu_slot_guest *line);
s32 pvpmu_slot_open(struct pvpmu_vcpu *vcpu, u32 id);
s32 pvpmu_slot_close(struct pvpmu_vcpu *vcpu, u32 id);
s32 pvpmu_slot_enable(struct pvpmu_vcpu *vcpu, u32 id);
s32 pvpmu_slot_disable(struct pvpmu_vcpu *vcpu, u32 id);
s32 pvpmu_slot_read(struct pvpmu_vcpu *vcpu, u32 id);
u64 pvpmu_slot_user_count(struct pvpmu_vcpu *vcpu, u32 id);
void pvpmu_slot_close_all(struct pvpmu_vcpu *vcpu);
void pvpmu_slot_return(struct pvpmu_vcpu *vcpu);
void pvpmu_slot_end_throttling(struct pvpmu_slot_state *slot);

/* pvpmu_record.c: from one host to another */
void pvpmu_resume(struct pvpmu_vcpu *vcpu);

/* pvpmu_overflow.c */
u64 pvpmu_overflow_passed(struct pvpmu_slot_state *slot);
void pvpmu_overflow_missed(struct pvpmu_vcpu *vcpu, u32 id);
void pvpmu_overflow_forget(struct pvpmu_vcpu *vcpu, u32 id);
void pvpmu_overflow_remind(struct pvpmu_vcpu *vcpu);
void pvpmu_settle(struct pvpmu_vcpu *vcpu);

#endif /* PVPMU_CORE_INTERNAL_H */
