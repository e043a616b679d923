/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * pvpmu: a guest in a few functions
 *
 * What every guest does, free of any kernel: discovery, writing a guest line,
 * making calls, reading a host line while the host may write it.  It knows
 * the ABI and nothing of any host; how to execute CPUID and the hypercall is
 * given by whoever embeds it.
 */
#ifndef PVPMU_GUEST_H
#define PVPMU_GUEST_H

#include <stdbool.h>

#include <pvpmu/abi.h>

/**
 * struct pvpmu_machine - the two instructions that a guest needs
 * @cpuid: EAX to EDX of a leaf
 * @call: the hypercall @number with an operation word and three scalars
 * @data: first argument of both
 */
struct pvpmu_machine {
	void (*cpuid)(void *data, __u32 leaf, __u32 regs[4]);
	__s32 (*call)(void *data, __u32 number, __u32 op, __u32 a, __u32 b,
		      __u32 c);
	void *data;
};

/**
 * struct pvpmu_guest - a guest's side of one vCPU
 * @machine: see above
 * @area: the page it shares with the host
 * @version: of the host, from CPUID like all below
 * @features: PVPMU_FEAT_*
 * @slots: ids are below it
 * @number: hypercall number
 * @op_base: added to every operation
 * @header_size: where the slots begin in the area
 * @slot_size: distance between two of them
 */
struct pvpmu_guest {
	struct pvpmu_machine machine;
	struct pvpmu_area *area;
	__u32 version;
	__u32 features;
	__u32 slots;
	__u32 number;
	__u32 op_base;
	__u32 header_size;
	__u32 slot_size;
};

/**
 * struct pvpmu_event - what a guest wants to count
 * @type: PVPMU_TYPE_*
 * @flags: PVPMU_FLAG_*
 * @config: the event
 * @period: events between two overflows, 0 for none
 */
struct pvpmu_event {
	__u32 type;
	__u32 flags;
	__u64 config;
	__u64 period;
};

/* Looks for pvpmu; false if it is absent or speaks another major version. */
bool pvpmu_guest_discover(struct pvpmu_guest *guest,
			  const struct pvpmu_machine *machine);

/* Discovers, clears @area and registers it, the page of frame @frame.
 * PVPMU_OK, or the host's answer, which is any negative number if pvpmu went
 * away in between. */
__s32 pvpmu_guest_setup(struct pvpmu_guest *guest,
			const struct pvpmu_machine *machine,
			struct pvpmu_area *area, __u64 frame, __u32 delivery);

/* An operation, PVPMU_OP_* */
__s32 pvpmu_guest_call(struct pvpmu_guest *guest, __u32 op, __u32 a, __u32 b,
		       __u32 c);

/* PVPMU_CAP_* of an event, or PVPMU_ERR_EVENT. */
__s32 pvpmu_guest_query(struct pvpmu_guest *guest,
			const struct pvpmu_event *event);

/* Describes the event in the guest line of slot @id, for an OPEN. */
void pvpmu_guest_describe(struct pvpmu_guest *guest, __u32 id,
			  const struct pvpmu_event *event);

/* The five masks of UPDATE */
struct pvpmu_masks {
	__u32 close;
	__u32 disable;
	__u32 open;
	__u32 enable;
	__u32 read;
};

__s32 pvpmu_guest_update(struct pvpmu_guest *guest,
			 const struct pvpmu_masks *masks);

/* Copies the host line of slot @id, all of one moment.  False if the host was
 * in the middle of a change at each try. */
bool pvpmu_guest_read(const struct pvpmu_guest *guest, __u32 id,
		      struct pvpmu_slot_host *copy);

/* The ids that overflowed since the last time; they are taken. */
__u32 pvpmu_guest_take_pending(struct pvpmu_guest *guest);

#endif /* PVPMU_GUEST_H */
