/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvpmu guest driver: what its files share.
 *
 * perf's events ("events") live in slots of the area that each CPU shares with
 * its host.  perf's callbacks only note in struct pvg_slot what perf wants;
 * pvg_flush() compares that with what the host has, and makes one call that
 * carries out the difference.
 *
 * Everything of a CPU belongs to that CPU: it is touched there only, with
 * interrupts off, or in an NMI there.  NMIs make calls on a single id only,
 * and of struct pvg_slot they write only what is marked (NMI).
 */
#ifndef PVG_PVPMU_H
#define PVG_PVPMU_H

#define pr_fmt(fmt) "pvpmu: " fmt

#include <linux/bits.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/percpu.h>
#include <linux/perf_event.h>
#include <linux/types.h>
#include <asm/local64.h>

#include <pvpmu/abi.h>

#include "compat.h"

struct pvg_cpu;

/**
 * struct pvg_transport - how a hypervisor is reached
 * @name: of the hypervisor
 * @probe: does it run us?
 * @cpuid: reads a leaf of the hypervisor range as the hypervisor shows it
 * @call: a hypercall with number @number; any context
 * @frame: the frame number by which the hypervisor knows a page of ours
 */
struct pvg_transport {
	const char *name;
	bool (*probe)(void);
	void (*cpuid)(u32 leaf, u32 regs[4]);
	s64 (*call)(u32 number, u32 op, u32 a, u32 b, u32 c);
	u64 (*frame)(void *page);
};

extern const struct pvg_transport pvg_transport_kvm;
extern const struct pvg_transport pvg_transport_xen;
extern const struct pvg_transport *pvg_transport;

/* What the host says of itself in its CPUID leaves */
struct pvg_host {
	u32 base;
	u32 version;
	u32 features;
	u32 number;
	u32 op_base;
	u32 slots;
	u32 stride;
	u32 header;
	u32 period_min;
	u32 clock_period_min;
};

/* A host line, read in one piece */
struct pvg_line {
	u64 count;
	u64 enabled;
	u64 running;
	u64 overflow_total;
	u32 state;
	s32 error;
};

/**
 * struct pvg_slot - a slot, our side of it
 * @event: who uses it, NULL if it is free
 * @want: perf wants it to count (NMI)
 * @open: the host has it open
 * @on: the host has it enabled (NMI)
 * @rearm: the host throttled it, enable it once more (NMI)
 * @failed: the host refused it, and that was told
 * @from: the slot that it is to go on in, while a call is made for that
 * @count: what of the host's count is in the event's (NMI)
 * @total: the host's overflow_total at the last sample (NMI)
 * @left: hw.period_left as it was when perf stopped it
 * @enabled: the host's times at the last publication, see times.c
 * @running: the same
 * @den: host times since then of ids that this slot had before
 * @num: the same
 * @published: the context's time at the last publication
 * @end: the context's time when perf took the event away
 * @gap: ns since the last publication in which no host counted it
 * @gap_from: since when that is so now, 0 if it is not; on pvg_clock()
 * @seen: when the host's line was last read; on pvg_clock() (NMI)
 * @freq_count: the event's count when it was last seen to move, see freq.c
 * @freq_time: when that was; on pvg_clock()
 */
struct pvg_slot {
	struct perf_event *event;
	bool want;
	bool open;
	bool on;
	bool rearm;
	bool failed;
	u8 from;
	local64_t count;
	u64 total;
	s64 left;
	u64 enabled;
	u64 running;
	u64 den;
	u64 num;
	u64 published;
	u64 end;
	u64 gap;
	u64 gap_from;
	u64 seen;
	u64 freq_count;
	u64 freq_time;
};

/* What the message of a CPU is to say, see pvg_notice() */
enum pvg_notice {
	PVG_NOTICE_GONE,
	PVG_NOTICE_BACK,
	PVG_NOTICE_REFUSED,
	PVG_NOTICE_VERSION,
	PVG_NOTICE_STRANGE,
};

/**
 * struct pvg_cpu - a CPU
 * @area: the page shared with the host
 * @host: the host as it was at the last SETUP
 * @live: the area is registered, as far as we know
 * @allowed: switched on here
 * @busy: an UPDATE is being prepared or made
 * @lost: a call from an NMI found no area (NMI)
 * @resched: perf is to add all events anew, see pinned.c, room.c
 * @room: so many are not refused, 0: not known to be limited
 * @room_since: when one was refused last, on pvg_clock()
 * @sched_cb: perf calls us at each context switch here, see switch.c
 * @next_counts: the task switched to has a context of ours
 * @switching: the task switched from, while perf switches contexts
 * @depth: brackets of perf and transactions that are open
 * @used: slots with an event
 * @closing: those that perf took the event from, to be closed
 * @dirty: those where we and the host may differ
 * @reading: those read in this transaction
 * @freq: those that a frequency is adjusted by and that stand still
 * @txn: flags of the transaction
 * @ticking: the timer runs
 * @retry_at: do not look for a host earlier, on pvg_clock()
 * @retries: how often none was found
 * @claim_until: an NMI that finds nothing before then is ours (NMI)
 * @notices: bit for each enum pvg_notice (NMI)
 * @refusal: the error that the host refused an event with
 * @timer: looks after the host, see cpu.c
 * @work: does what an NMI or the scheduler cannot
 * @slot: slots
 */
struct pvg_cpu {
	void *area;
	struct pvg_host host;
	bool live;
	bool allowed;
	bool busy;
	bool lost;
	bool resched;
	u32 room;
	u64 room_since;
	bool sched_cb;
	bool next_counts;
	struct task_struct *switching;
	int depth;
	u32 used;
	u32 closing;
	u32 dirty;
	u32 reading;
	u32 freq;
	unsigned int txn;
	bool ticking;
	u64 retry_at;
	unsigned int retries;
	u64 claim_until;
	unsigned long notices;
	s32 refusal;
	struct hrtimer timer;
	struct irq_work work;
	struct pvg_slot slot[PVPMU_MAX_SLOTS];
};

DECLARE_PER_CPU(struct pvg_cpu, pvg_cpus);

/*
 * What an event keeps in its hw_perf_event, beside what perf itself uses:
 * the ABI's description, the slot it is in (-1: none), how many events it has
 * counted since its last sample in slots it was in before, and whether ->add is
 * to refuse it once, see pinned.c.
 */
#define pvg_type(hwc) ((hwc)->config_base)
#define pvg_config(hwc) ((hwc)->config)
#define pvg_flags(hwc) ((hwc)->flags)
#define pvg_id(hwc) ((hwc)->idx)
#define pvg_since(hwc) ((hwc)->last_tag)
#define pvg_refuse(hwc) ((hwc)->event_base_rdpmc)

#define for_each_id(id, mask)                                            \
	for (u32 _mask = (mask), id; _mask && (id = __ffs(_mask), true); \
	     _mask &= _mask - 1)

/* discover.c */
int pvg_discover(struct pvg_host *host, u32 hint, bool all);

/* area.c */
s64 pvg_call(struct pvg_cpu *cpu, u32 op, u32 a, u32 b, u32 c);
bool pvg_absent(s64 result);
bool pvg_line(struct pvg_cpu *cpu, u32 id, struct pvg_line *line);
struct pvpmu_area *pvg_area(const struct pvg_cpu *cpu);
struct pvpmu_slot *pvg_area_slot(struct pvg_cpu *cpu, u32 id);
u32 pvg_usable(const struct pvg_cpu *cpu);
s64 pvg_setup(struct pvg_cpu *cpu);
void pvg_detach(struct pvg_cpu *cpu);

/* batch.c */
void pvg_flush(struct pvg_cpu *cpu, u32 read);
u32 pvg_group(struct pvg_cpu *cpu, u32 mask, const struct perf_event *event);
void pvg_suspend(struct pvg_cpu *cpu);
void pvg_restart_period(struct pvg_cpu *cpu, u32 id, s64 left);
bool pvg_harvest(struct pvg_cpu *cpu, u32 id, u64 now, struct pvg_line *line,
		 bool final);
u64 pvg_period(struct pvg_cpu *cpu, struct perf_event *event, u64 period);
int pvg_take(struct pvg_cpu *cpu, struct perf_event *event);

/* room.c */
u32 pvg_room(const struct pvg_cpu *cpu);
bool pvg_room_refused(struct pvg_cpu *cpu, s32 error);
void pvg_room_check(struct pvg_cpu *cpu, u64 now);

/* group.c */
bool pvg_group_fits(struct perf_event *event);

/* times.c */
void pvg_times_carry(struct pvg_cpu *cpu, struct pvg_slot *slot,
		     const struct pvg_line *line);
void pvg_times_publish(struct pvg_cpu *cpu, u32 mask);
u64 pvg_context_time(struct perf_event *event);

/* pinned.c */
void pvg_pinned_init(void);
bool pvg_pinned(const struct pvg_slot *slot);
void pvg_pinned_check(struct pvg_cpu *cpu, struct pvg_slot *slot,
		      const struct pvg_line *line);
void pvg_pinned_look(struct pvg_cpu *cpu, u32 id);
bool pvg_pinned_refused(struct perf_event *event);
void pvg_pinned_resched(struct pvg_cpu *cpu);

/* rdpmc.c */
struct device_attribute;
extern struct device_attribute pvg_rdpmc_attr;
void pvg_rdpmc_init(void);
bool pvg_for_user(const struct perf_event *event);
void pvg_rdpmc_event_init(struct perf_event *event);
u32 pvg_rdpmc_flag(struct pvg_cpu *cpu, const struct perf_event *event);
void pvg_rdpmc_show(struct perf_event *event);
int pvg_rdpmc_index(struct perf_event *event);
void pvg_rdpmc_mapped(struct perf_event *event, struct mm_struct *mm);
void pvg_rdpmc_unmapped(struct perf_event *event, struct mm_struct *mm);

/* freq.c */
bool pvg_freq_tick(struct perf_event *event, struct pvg_slot *slot);

/* overflow.c */
void pvg_overflow_init(void);
bool pvg_can_sample(void);
int pvg_overflow_on(void);
void pvg_overflow_off(void);
u32 pvg_lvtpc_open(const struct pvg_host *host);
void pvg_lvtpc_close(void);
void pvg_claim(struct pvg_cpu *cpu);

/* place.c */
struct pt_regs *pvg_user_place(struct pt_regs *regs, struct pt_regs *room);

/* switch.c */
void pvg_switch_on(void);
void pvg_switch_off(void);
void pvg_switch_cpu(struct pvg_cpu *cpu, bool on);
void pvg_sched_task(PVG_SCHED_TASK_ARGS);
bool pvg_switch_defers(struct pvg_cpu *cpu);

/* cpu.c */
u64 pvg_clock(void);
int pvg_cpus_alloc(void);
void pvg_cpus_free(void);
int pvg_cpus_on(void);
void pvg_cpus_off(void);
void pvg_cpu_stop(void *unused);
int pvg_cpu_suspend(void);
void pvg_cpu_resume(void);
void pvg_notice(struct pvg_cpu *cpu, enum pvg_notice notice);
void pvg_timer_start(struct pvg_cpu *cpu);

/* event.c */
s64 pvg_query(u32 type, u64 config);
int pvg_event_init(struct perf_event *event);

/* sysfs.c */
extern const struct attribute_group *pvg_groups[];

/* resolve.c */
void *pvg_resolve(const char *name);

/* pmu.c */
extern struct pmu pvg_pmu;
int pvg_pmu_register(void);
void pvg_pmu_unregister(void);
bool pvg_pmu_disabled(void);

/* main.c */
bool pvg_active(void);
void pvg_hold(void);

#endif /* PVG_PVPMU_H */
