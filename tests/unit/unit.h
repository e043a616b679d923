/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* What the unit tests share: a fresh fake host each, and a few assertions */
#ifndef PVPMU_TESTS_UNIT_H
#define PVPMU_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake.h"

#define HW PVPMU_TYPE_HARDWARE
#define CYCLES PVPMU_HW_CYCLES
#define INSTRUCTIONS PVPMU_HW_INSTRUCTIONS
#define BRANCHES PVPMU_HW_BRANCHES
#define BIT(n) (1u << (n))
#define ALL_IDS (BIT(PVPMU_MAX_SLOTS) - 1)

/* A test of a vCPU that has its area, and of one that has none yet */
#define UNIT(test) cmocka_unit_test_setup_teardown(test, unit_begin, unit_end)
#define UNIT_BARE(test) \
	cmocka_unit_test_setup_teardown(test, unit_begin_bare, unit_end)

int unit_begin(void **state);
int unit_begin_bare(void **state);
int unit_end(void **state);

/**
 * struct snapshot - all that a refused call must leave as it is
 * @area: the guest's memory
 * @vcpu: core's state, but for its statistics
 * @vm: the VM
 * @counter: the host's counters
 * @attached: whether the area is
 */
struct snapshot {
	struct pvpmu_area area;
	struct pvpmu_vcpu vcpu;
	struct pvpmu_vm vm;
	struct fake_counter counter[PVPMU_MAX_COUNTERS];
	bool attached;
};

void take_snapshot(const struct fake *fake, struct snapshot *shot);
void assert_unchanged(const struct fake *fake, const struct snapshot *shot);

/* Makes the call, which is to answer @error and to change nothing. */
void assert_refused(struct fake *fake, s32 error, u32 op, u32 a, u32 b, u32 c);
/* Makes the call, which is to succeed. */
void assert_done(struct fake *fake, u32 op, u32 id);
/* Describes and opens, which is to succeed. */
void open_event(struct fake *fake, u32 id, u64 config, u64 period);
/* The same, and starts it. */
void start_event(struct fake *fake, u32 id, u64 config, u64 period);

void assert_state(const struct fake *fake, u32 id, u32 state);
void assert_count(const struct fake *fake, u32 id, u64 count);
void assert_times(const struct fake *fake, u32 id, u64 enabled, u64 running);
/* Overflows since OPEN, and the events up to the last. */
void assert_overflows(const struct fake *fake, u32 id, u32 overflows,
		      u64 total);
/* All host lines are in the state between two changes. */
void assert_even(const struct fake *fake);

#endif /* PVPMU_TESTS_UNIT_H */
