/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * A model of the ABI: what a guest must find in its page, to the byte
 *
 * The model is written from docs/abi.md and shares nothing with core: it has no
 * readings, no reference counts and no order of stores.  What the host decides
 * by itself (which counter serves an event, when an overflow is reported, what
 * it has no counter for) the model takes from the machine below as it happened.
 *
 * The machine is the fake of fake.h with counters that behave each in its own
 * way: other events in the same time, other times without a physical counter,
 * overflows that are reported late or early.
 */
#ifndef PVPMU_TESTS_MODEL_H
#define PVPMU_TESTS_MODEL_H

#include "unit.h"

/* How much earlier than the count an overflow may be reported, in events */
#define MODEL_EARLY 30u
/* How many counters are given back at once to make room */
#define MODEL_SPARED 4u

/**
 * struct machine - a vCPU's host
 * @fake: the rest of it
 * @ops: those of @fake that are called from within the machine's own
 * @runs_on: counters count from creation to end, as those of KVM
 * @sleeps: a stopped counter is not active, as those of Xen
 * @starved: hardware events that have no physical counter, by bit of config
 * @no_start: hardware events whose counters cannot be started, likewise
 * @no_create: hardware events that no counter can be made for, likewise
 * @create_fails: how it cannot be made
 * @room: what the op of that name answers
 * @armed: the counter reports overflows
 * @gap: events to the next one; not positive if it is late
 * @told_failed: core was told that the counter has failed
 * @given_back: counters that were given back since the last call began
 * @opening: the id whose description was read last
 * @refused: for each id, that a counter for it could not be made in this step,
 *           and how; PVPMU_DONE if none was refused
 * @unfit: ids whose group was too large in this step
 * @group_mask: for each id, the group's counters as the fit op was told them
 */
struct machine {
	struct fake fake;
	struct pvpmu_host_ops ops;
	bool runs_on;
	bool sleeps;
	u32 starved;
	u32 no_start;
	u32 no_create;
	enum pvpmu_answer create_fails;
	u32 room;
	bool armed[PVPMU_MAX_COUNTERS];
	s64 gap[PVPMU_MAX_COUNTERS];
	bool told_failed[PVPMU_MAX_COUNTERS];
	u32 given_back;
	u32 opening;
	enum pvpmu_answer refused[PVPMU_MAX_SLOTS];
	u32 unfit;
	u64 group_mask[PVPMU_MAX_SLOTS];
};

/**
 * struct moment - a while in which a vCPU ran its guest
 * @seed: chooses all that happened
 * @ns: how long it was
 * @most: no counter counted more events than that
 */
struct moment {
	u64 seed;
	u64 ns;
	u64 most;
};

/**
 * enum report - when a counter's overflows are reported
 * @REPORT_NOW: as soon as they happen
 * @REPORT_LATE: not in this moment
 * @REPORT_EARLY: up to MODEL_EARLY events before they happen
 */
enum report { REPORT_NOW, REPORT_LATE, REPORT_EARLY };

void machine_init(struct machine *machine, struct pvpmu_vm *vm, u32 features,
		  u32 kind);
/* Forgets what was refused, before a step. */
void machine_forget(struct machine *machine);
/* All counters count; does not let the vCPU into its guest. */
void machine_run(struct machine *machine, const struct moment *moment);
bool machine_counts(const struct machine *machine, u32 counter);
u64 machine_events(const struct moment *moment, u32 type, u64 config,
		   u32 filters);
u64 machine_running(const struct moment *moment, u32 counter);
enum report machine_report(const struct moment *moment, u32 counter);
u32 machine_caps(u32 type, u64 config);
bool machine_can_start(const struct machine *machine, u32 type, u64 config);

/**
 * struct model_slot - what is known of an event
 * @open: from OPEN to CLOSE
 * @enabled: from ENABLE to DISABLE
 * @throttled: since its last overflow
 * @group: of which group it is, 0 if it is alone
 * @counter: which of the machine's serves it
 * @event: its description as OPEN found it
 * @count: events until now
 * @time_enabled: ns until now
 * @time_running: ns until now
 * @total: where the last overflow was
 * @length: of the period that runs
 * @next_length: of the one after it
 * @overflows: since OPEN
 * @line: the host line that the guest is shown, when it is shown next
 */
struct model_slot {
	bool open;
	bool enabled;
	bool throttled;
	u32 group;
	u32 counter;
	struct pvpmu_slot_guest event;
	u64 count;
	u64 time_enabled;
	u64 time_running;
	u64 total;
	u64 length;
	u64 next_length;
	u32 overflows;
	struct pvpmu_slot_host line;
};

/**
 * struct model - a vCPU
 * @machine: its host
 * @limits: what the administrator allows its VM
 * @sibling: the VM's other vCPU
 * @attached: it has an area
 * @delivery: how it is interrupted
 * @raised: how it was interrupted last
 * @version: what the guest said of itself
 * @features: those that the guest uses
 * @area: what the page holds
 * @shown: ids whose line was written in this step, or may have been
 * @header_shown: whether the header was
 * @opened: ids that this call opened
 * @told: ids that overflowed, which the guest does not know yet
 * @window: when the second began
 * @budget: overflows that are left in it
 * @groups: how many there were
 * @stats: what the administrator is to see; created and destroyed are left out
 * @slot: events
 */
struct model {
	struct machine *machine;
	const struct pvpmu_limits *limits;
	struct model *sibling;
	bool attached;
	u32 delivery;
	u32 raised;
	u32 version;
	u32 features;
	struct pvpmu_area area;
	u32 shown;
	bool header_shown;
	u32 opened;
	u32 told;
	u64 window;
	u32 budget;
	u32 groups;
	struct pvpmu_stats stats;
	struct model_slot slot[PVPMU_MAX_SLOTS];
};

/* A host that knows nothing of the vCPU yet */
void model_init(struct model *m, struct machine *machine,
		const struct pvpmu_limits *limits, struct model *sibling);
/* What a call answers and does.  The machine has served it already. */
s32 model_call(struct model *m, u32 op, const u32 arg[3]);
/* Time passed on all CPUs, before the machine of one of them ran. */
void model_pass(struct model *m, u64 ns);
/* The machine ran; the guest is told nothing yet. */
void model_run(struct model *m, const struct moment *moment);
/* The vCPU goes back into its guest. */
void model_enter(struct model *m);
/* The area went away, in the middle of something. */
void model_lose(struct model *m);
/* What a record of the vCPU must hold. */
void model_save(struct model *m, struct pvpmu_record *record);
/* Another host went on with it, and was about to run the guest. */
void model_restore(struct model *m);
/* Does one counter do for both, if they are in one group or in none? */
bool model_alike(const struct pvpmu_slot_guest *a,
		 const struct pvpmu_slot_guest *b);
u64 model_rdpmc(const struct model *m, u32 id);
/* Without its flags */
u32 model_state(const struct model *m, const struct model_slot *slot);
u32 model_open_slots(const struct model *m);

/* model_events.c: the events of version 1 */
s32 model_check_event(const struct model *m,
		      const struct pvpmu_slot_guest *event);
s32 model_query(const struct model *m, u32 type, u64 config);
u64 model_next_length(const struct model *m,
		      const struct pvpmu_slot_guest *event, u64 next);
u32 model_usable(const struct model *m);

/* model_agree.c: after each step, ends the test where the two differ */
void model_agree(struct model *m);

#endif /* PVPMU_TESTS_MODEL_H */
