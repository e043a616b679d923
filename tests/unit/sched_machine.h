/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * A machine for core's scheduler, made of plain memory
 *
 * It has physical counters; each remembers for whom it was programmed, and ends
 * the test if it is programmed while in use, or touched while the vCPU is out.
 */
#ifndef PVPMU_SCHED_MACHINE_H
#define PVPMU_SCHED_MACHINE_H

#include <pvpmu/sched.h>

#include <stdlib.h>

#include "unit.h"

#define WIDTH 6
#define ANY ((1u << WIDTH) - 1)
#define SLICE PVPMU_TURN_LONGEST

/**
 * struct place - where something is counted
 * @used: programmed, and not stopped since
 * @counter: for whom
 * @value: events since it was programmed
 * @left: where it interrupts, 0 if it does not
 */
struct place {
	bool used;
	u32 counter;
	u64 value;
	u64 left;
};

struct machine {
	struct fake *fake;
	struct pvpmu_host_ops fake_ops;
	struct pvpmu_sched sched;
	bool in;
	struct place phys[WIDTH];
	struct place soft[PVPMU_MAX_COUNTERS];
	u64 wake_at;
	u32 programs;
};

extern struct machine m;

/* Setup of a test: the vCPU is in, with an area */
int machine_begin(void **state);
void machine_enter(void);
void machine_leave(void);
/* @events happen in @ns, and the machine interrupts where it was asked to. */
void step(u64 ns, u64 events);
/* In small steps, an event for each ns */
void run(u64 ns);
struct pvpmu_reading reading_of(u32 counter);
/* A counter of event @event, as the host op creates it */
void make_counter(u32 counter, u64 event, u32 fits, u32 group);
void start_counters(u32 from, u32 to, u32 fits);
void stop_counters(u32 from, u32 to);
void assert_near(u64 value, u64 wanted, u64 tolerance);

#define SCHED(test) \
	cmocka_unit_test_setup_teardown(test, machine_begin, unit_end)

#endif /* PVPMU_SCHED_MACHINE_H */
