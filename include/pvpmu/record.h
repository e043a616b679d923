/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * pvpmu: the record of a vCPU, version 1
 *
 * What a host knows of a vCPU's events.  A host that is given it, together with
 * the guest's memory and registers, goes on where the other one stopped: no
 * event is lost, and the guest notices nothing.  Without it the guest registers
 * again by itself, see docs/abi.md, and loses what was counted since it looked
 * last.
 *
 * A record is made by one host, carried by a virtual machine monitor and taken
 * by another host, which may be of another age.  It is checked as what a guest
 * writes is: whatever it holds, the worst that can happen is that it is
 * refused, or that the guest it belongs to sees wrong counts.
 *
 * The header needs nothing but abi.h.  One layout serves all.
 */
#ifndef PVPMU_RECORD_H
#define PVPMU_RECORD_H

#include "abi.h"

#define PVPMU_RECORD_MAGIC 0x72767670u /* "pvvr" */
/* Another layout is another version; a host takes those that it knows. */
#define PVPMU_RECORD_VERSION 1u

/**
 * struct pvpmu_record_slot - an event, and what it has counted
 * @type: as in the slot's guest line at OPEN
 * @flags: the same
 * @config: the same
 * @period: the same, 0 if the event does not sample
 * @next_period: length of the period after the one that runs
 * @length: length of the one that runs
 * @leader: lowest id of the group that it is in, its own if it is in none
 * @reserved: zero
 * @reserved2: zero
 * @host: the slot's host line, up to date.  @host.state tells whether the id is
 *        open, and whether it is enabled.  If it is closed, all fields above are
 *        zero.  @host.index, @host.width, @host.base and the flags of
 *        @host.state are zero.
 *
 * The event overflows next when @host.count is @host.overflow_total + @length.
 */
struct pvpmu_record_slot {
	__u32 type;
	__u32 flags;
	__u64 config;
	__u64 period;
	__u64 next_period;
	__u64 length;
	__u32 leader;
	__u32 reserved;
	__u64 reserved2[2];
	struct pvpmu_slot_host host;
};

/**
 * struct pvpmu_record - a vCPU with an area
 * @magic: PVPMU_RECORD_MAGIC
 * @version: PVPMU_RECORD_VERSION
 * @size: of this structure, in bytes
 * @abi: version of the ABI that the guest was served with, as in CPUID
 * @frame: guest frame number of the area
 * @delivery: third argument of SETUP
 * @generation: of the area
 * @seq: of the area's header line, even
 * @overflowed: ids with an overflow that the guest was not told yet
 * @guest: version of the ABI that the guest is written for, as at SETUP
 * @features: PVPMU_FEAT_* that it uses, as at SETUP
 * @hypercall: number of the hypercall that it was told
 * @op_base: operation base that it was told
 * @slots: number of slots and distance between them, as in CPUID
 * @sizes: size of the area's header and of the area, as in CPUID
 * @slot: by id
 *
 * A guest that is restored does not look at CPUID again, so a host for which
 * the last six do not hold refuses the record.
 */
struct pvpmu_record {
	__u32 magic;
	__u32 version;
	__u32 size;
	__u32 abi;
	__u64 frame;
	__u32 delivery;
	__u32 generation;
	__u32 seq;
	__u32 overflowed;
	__u32 guest;
	__u32 features;
	__u32 hypercall;
	__u32 op_base;
	__u32 slots;
	__u32 sizes;
	struct pvpmu_record_slot slot[PVPMU_MAX_SLOTS];
};

PVPMU_ASSERT(rslot, sizeof(struct pvpmu_record_slot) == 128);
PVPMU_ASSERT(record, sizeof(struct pvpmu_record) == 3904);
PVPMU_ASSERT(o_rhost, PVPMU_OFFSET(pvpmu_record_slot, host) == 64);
PVPMU_ASSERT(o_rslot, PVPMU_OFFSET(pvpmu_record, slot) == 64);

#endif /* PVPMU_RECORD_H */
