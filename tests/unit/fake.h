/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * A hypervisor made of plain memory, for tests of core.
 *
 * The test plays the guest (it writes the area and makes calls), the
 * hardware (it lets counters count) and the fate of the host (it lets any op
 * fail, and interrupts any of them).  The fake watches core meanwhile: an op
 * that core.h does not allow at that moment, or a write to a byte that is not
 * the host's, ends the test at once.
 */
#ifndef PVPMU_TESTS_FAKE_H
#define PVPMU_TESTS_FAKE_H

#include <pvpmu/core.h>

#define FAKE_FRAME 0x123456789ull
/* As no backend has them, so that core takes both from its ops. */
#define FAKE_HYPERCALL 77u
#define FAKE_OP_BASE 0xfffffffeu

/* For what must hold in every test, and in the fuzzers: ends the program. */
#define FAKE_CHECK(condition) \
	((condition) ? (void)0 : fake_fail(#condition, __FILE__, __LINE__))

_Noreturn void fake_fail(const char *condition, const char *file, int line);

enum fake_op {
	FAKE_QUERY,
	FAKE_AREA_ATTACH,
	FAKE_AREA_DETACH,
	FAKE_AREA_READ,
	FAKE_AREA_WRITE,
	FAKE_AREA_LINE,
	FAKE_AREA_OR32,
	FAKE_DELIVER,
	FAKE_CREATE,
	FAKE_DESTROY,
	FAKE_FIT,
	FAKE_START,
	FAKE_STOP,
	FAKE_READ,
	FAKE_KICK,
	FAKE_RAISE,
	FAKE_CLOCK,
	FAKE_IDLE,
	FAKE_OPS
};

/**
 * struct fake_counter - a host counter
 * @exists: between create and destroy
 * @started: between start and stop
 * @desc: what core asked for
 * @reading: what a read op answers
 * @left: events to its next overflow, 0 if there is none
 */
struct fake_counter {
	bool exists;
	bool started;
	struct pvpmu_desc desc;
	struct pvpmu_reading reading;
	u64 left;
};

/**
 * struct fake - a vCPU and its host
 * @vcpu: what core knows of it
 * @ops: its own copy, so that a test may change @features
 * @own_vm: the VM, if the test gave none
 * @area: the page of guest memory
 * @shown: what the host wrote into it, whatever the guest did to it since
 * @attached: core holds the area
 * @accesses: accesses to the area since the start
 * @accesses_left: how many more of them succeed; the area is gone then
 * @reads: how often each word of the area was read
 * @counter: the host's counters
 * @now: the clock, in ns
 * @delivery: how the last interrupt was raised
 * @port: its event channel port
 * @kicked: a kick that was not followed by a publish yet
 * @calls: how often each op was called
 * @caps: what query answers, PVPMU_CAP_*
 * @attach_answer: what area_attach answers
 * @deliver_answer: what deliver answers
 * @create_answer: what create answers
 * @start_answer: what start answers
 * @most: how many counters count at one time, for fit
 * @hook: called before and after every op, but not from within itself
 * @hook_data: for @hook
 * @hooked: @hook runs
 */
struct fake {
	struct pvpmu_vcpu vcpu;
	struct pvpmu_host_ops ops;
	struct pvpmu_vm own_vm;
	struct pvpmu_area area;
	struct pvpmu_area shown;
	bool attached;
	u64 accesses;
	u64 accesses_left;
	u32 reads[PVPMU_AREA_SIZE / 4];
	struct fake_counter counter[PVPMU_MAX_COUNTERS];
	u64 now;
	u32 delivery;
	u32 port;
	bool kicked;
	u32 calls[FAKE_OPS];
	u32 caps;
	enum pvpmu_answer attach_answer;
	bool deliver_answer;
	enum pvpmu_answer create_answer;
	bool start_answer;
	u32 most;
	void (*hook)(struct fake *fake, enum fake_op op, bool after);
	void *hook_data;
	bool hooked;
};

/* Prepares @fake; @vm may be null for a VM of its own with default limits. */
void fake_init(struct fake *fake, struct pvpmu_vm *vm);
/* Detaches the vCPU and sees to it that nothing is left of it. */
void fake_end(struct fake *fake);
/* Number of counters that exist. */
u32 fake_counters(const struct fake *fake);
/* Number of counters that are started. */
u32 fake_started(const struct fake *fake);
/* The only counter that exists for @type and @config; ends the test else. */
u32 fake_find(const struct fake *fake, u32 type, u64 config);
/* One counter counts @events in @ns, reporting overflows where they are. */
void fake_count(struct fake *fake, u32 counter, u64 ns, u64 events);
/* Time passes and all started counters count @events; then the vCPU is let
 * back into its guest, so a kick is followed by a publish. */
void fake_run(struct fake *fake, u64 ns, u64 events);
/* The vCPU is let back into its guest. */
void fake_enter(struct fake *fake);

/* What follows is the guest's side. */

/* A call from the guest's kernel, and the way back into the guest. */
s32 guest_call(struct fake *fake, u32 op, u32 a, u32 b, u32 c);
/* Writes the version and @features into the header's guest line. */
void guest_accept(struct fake *fake, u32 features);
/* The host serves @features, and the guest has accepted them, from now on. */
void fake_serve(struct fake *fake, u32 features);
/* SETUP with the frame of the area and LVTPC delivery. */
s32 guest_setup(struct fake *fake);
/* Writes the guest line of a slot. */
void guest_describe(struct fake *fake, u32 id, u32 type, u64 config,
		    u64 period);
/* Describes and opens. */
s32 guest_open(struct fake *fake, u32 id, u32 type, u64 config, u64 period);
/* The five masks, and UPDATE. */
s32 guest_update(struct fake *fake, u32 close, u32 disable, u32 open,
		 u32 enable, u32 read);
/* Takes the pending word. */
u32 guest_take_pending(struct fake *fake);
/* The host line of a slot. */
const struct pvpmu_slot_host *guest_line(const struct fake *fake, u32 id);

#endif /* PVPMU_TESTS_FAKE_H */
