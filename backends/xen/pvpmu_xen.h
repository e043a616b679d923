/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvpmu in Xen: what its files share.
 *
 * All of a vCPU's pvpmu is touched on the physical CPU that runs it, from its
 * own calls, from the softirq on its way back into the guest and from the
 * context switch, which do not interrupt each other; or from anywhere while it
 * does not run.  Interrupts and timers only raise the softirq.
 */
#ifndef PVPMU_XEN_H
#define PVPMU_XEN_H

#include <xen/sched.h>
#include <xen/timer.h>
#include <asm/pvpmu.h>

#include "include/pvpmu/core.h"
#include "include/pvpmu/sched.h"

/**
 * struct pvpmu_xen_counter - what a counter counts
 * @event: what the hardware is told, 0 if it is counted without
 * @start: of a physical counter, its value when it was written last; of what
 *         Xen counts, that count when it was programmed
 * @sum: what a physical counter counted from @program to then
 * @left: events from @program to its mark, 0 for none; for the clock, when it
 *        is due
 * @type: PVPMU_TYPE_*
 * @config: of an event that Xen counts
 * @modes: PVPMU_HW_*
 * @filter: PVPMU_FLAG_EXCLUDE_*, where it is us who switch it (PV)
 */
struct pvpmu_xen_counter {
	u64 event;
	u64 start;
	u64 sum;
	u64 left;
	u32 type;
	u32 config;
	u32 modes;
	u32 filter;
};

/**
 * struct pvpmu_xen - a vCPU's pvpmu
 * @core: core's
 * @sched: core's as well
 * @v: the vCPU
 * @detaching: one at a time lets its page and counters go while it is paused
 * @counter: by core's index
 * @phys: which counter each physical counter counts for
 * @running: physical counters that are programmed
 * @filtered: those of them that count in one mode of the guest only
 * @gate: those of them that count now
 * @prepared: the family of counters has what it needs of this vCPU
 * @select: AMD: select register of each, but for the bit that enables it
 * @fixed: Intel: the register that all fixed counters share
 * @clocks: clock events that are to overflow
 * @page: the area's page, NULL if there is none
 * @area: where it is mapped
 * @dirtied: written to since live migration was told last
 * @calling: in a call; what is to be done after it waits
 * @kicked: core asked for pvpmu_publish()
 * @turn: wakes us when counters take turns
 * @clock: wakes us when a clock event overflows
 * @preempted: times it was scheduled out while runnable
 * @halts: times it was scheduled out with nothing to run
 * @stolen: ns it was runnable and not scheduled in, until it was last
 */
struct pvpmu_xen {
	struct pvpmu_vcpu core;
	struct pvpmu_sched sched;
	struct vcpu *v;
	spinlock_t detaching;

	struct pvpmu_xen_counter counter[PVPMU_MAX_COUNTERS];
	u8 phys[PVPMU_SCHED_SOFT];
	u32 running;
	u32 filtered;
	u32 gate;
	bool prepared;
	u64 select[PVPMU_SCHED_SOFT];
	u64 fixed;
	u64 clocks;

	struct page_info *page;
	void *area;
	bool dirtied;

	bool calling;
	bool kicked;
	struct timer turn;
	struct timer clock;

	u64 preempted;
	u64 halts;
	u64 stolen;
};

static inline struct pvpmu_xen *pvpmu_of(struct pvpmu_vcpu *core)
{
	return container_of(core, struct pvpmu_xen, core);
}

static inline struct pvpmu_xen *pvpmu_of_sched(struct pvpmu_sched *sched)
{
	return container_of(sched, struct pvpmu_xen, sched);
}

/* area.c */
enum pvpmu_answer pvpmu_area_attach(struct pvpmu_vcpu *core, u64 frame);
void pvpmu_area_detach(struct pvpmu_vcpu *core);
bool pvpmu_area_copy_from(struct pvpmu_vcpu *core, u32 offset, void *to,
			  u32 len);
bool pvpmu_area_copy_to(struct pvpmu_vcpu *core, u32 offset, const void *from,
			u32 len);
bool pvpmu_area_set_line(struct pvpmu_vcpu *core, u32 offset, const void *line);
bool pvpmu_area_set_bits(struct pvpmu_vcpu *core, u32 offset, u32 bits,
			 u32 *old);
void pvpmu_area_mark_dirty(struct pvpmu_xen *x);

/* counters.c */
extern const struct pvpmu_sched_ops pvpmu_sched_hw;
const char *pvpmu_counters_init(void);
u32 pvpmu_counters_query(struct pvpmu_vcpu *core,
			 const struct pvpmu_desc *desc);
enum pvpmu_answer pvpmu_counters_create(struct pvpmu_vcpu *core, u32 counter,
					const struct pvpmu_desc *desc);
bool pvpmu_counters_fit(struct pvpmu_vcpu *core, const struct pvpmu_desc *desc,
			u64 counters);
void pvpmu_counters_polled(struct pvpmu_xen *x);
void pvpmu_counters_in(struct pvpmu_xen *x);

/* call.c */
extern const struct pvpmu_host_ops pvpmu_ops_pv, pvpmu_ops_hvm;

/* control.c */
long pvpmu_control(unsigned long address);

/* domain.c: limits of domains to come, which the lock protects, and totals for
 * the debug key */
extern struct pvpmu_limits pvpmu_default_limits;
extern spinlock_t pvpmu_default_lock;
extern atomic_t pvpmu_areas, pvpmu_loaded, pvpmu_timers;
void pvpmu_kick(struct pvpmu_vcpu *core);

#endif /* PVPMU_XEN_H */
