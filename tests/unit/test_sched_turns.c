// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The scheduler: when turns end, what moves then, and what is left alone
 */
#include "sched_machine.h"

/* What an interrupt finds, or a tick */
static void poll(void)
{
	pvpmu_sched_poll(&m.sched);
	fake_enter(m.fake);
}

static void poll_moves_nothing_while_nobody_waits(void **state)
{
	u32 i;

	(void)state;
	start_counters(0, WIDTH, ANY);
	for (i = 0; i < 10; i++) {
		run(SLICE);
		poll();
	}
	assert_int_equal(m.programs, WIDTH);
}

static void turn_ends_once_in_a_slice(void **state)
{
	u32 programs, i;

	(void)state;
	start_counters(0, WIDTH + 1, ANY);
	run(10 * SLICE);
	programs = m.programs;
	for (i = 0; i < 100; i++) {
		step(SLICE / 10, 1);
		poll();
	}
	/* As many turns as slices, and no more places than there are in each */
	assert_in_range(m.programs - programs, 1, 11 * WIDTH);
}

static void what_needs_no_place_is_left_alone_at_the_end_of_a_turn(void **state)
{
	(void)state;
	pvpmu_sched_create(&m.sched, WIDTH + 1, 0, 0);
	pvpmu_sched_start(&m.sched, WIDTH + 1, 0);
	start_counters(0, WIDTH + 1, ANY);
	run(20 * SLICE);
	/* It was never stopped to be programmed again. */
	assert_int_equal(m.soft[WIDTH + 1].value, 20 * SLICE);
}

static void what_was_stopped_is_not_enabled_meanwhile(void **state)
{
	struct pvpmu_reading reading;

	(void)state;
	run(500);
	start_counters(0, 1, ANY);
	run(1000);
	pvpmu_sched_stop(&m.sched, 0);
	run(2000);
	pvpmu_sched_start(&m.sched, 0, 0);
	run(4000);
	pvpmu_sched_stop(&m.sched, 0);
	reading = reading_of(0);
	assert_int_equal(reading.enabled, 5000);
	assert_int_equal(reading.running, 5000);
	assert_int_equal(reading.count, 5000);
}

static void turn_that_is_over_ends_soon(void **state)
{
	(void)state;
	start_counters(0, WIDTH + 2, ANY);
	/* Nothing has looked for long; one still waits after this. */
	m.fake->now += 3 * SLICE;
	pvpmu_sched_stop(&m.sched, WIDTH + 1);
	assert_in_range(m.wake_at, m.fake->now, m.fake->now + SLICE);
}

static void vcpu_that_comes_back_is_woken_at_the_end_of_the_turn(void **state)
{
	(void)state;
	start_counters(0, WIDTH + 1, ANY);
	run(SLICE / 2);
	machine_leave();
	m.fake->now += 10 * SLICE;
	machine_enter();
	assert_in_range(m.wake_at, m.fake->now + 1, m.fake->now + SLICE);
}

/* The vCPU is scheduled out with the interrupt on its way. */
static void leaving_reports_what_overflowed(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 1000);
	run(10);
	m.phys[m.sched.counter[0].phys].value += 2500;
	machine_leave();
	assert_int_equal(fake->vcpu.stats.overflows, 2);
	machine_enter();
	assert_overflows(fake, 0, 2, 2000);
	assert_int_equal(fake->area.overflow.pending, BIT(0));
}

static void poll_does_nothing_to_a_vcpu_that_is_out(void **state)
{
	struct fake *fake = *state;
	u32 programs;

	start_event(fake, 0, CYCLES, 1000);
	start_counters(1, WIDTH + 2, ANY);
	machine_leave();
	programs = m.programs;
	m.fake->now += 2 * SLICE;
	pvpmu_sched_poll(&m.sched);
	assert_int_equal(m.programs, programs);
	machine_enter();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCHED(poll_moves_nothing_while_nobody_waits),
		SCHED(turn_ends_once_in_a_slice),
		SCHED(what_needs_no_place_is_left_alone_at_the_end_of_a_turn),
		SCHED(what_was_stopped_is_not_enabled_meanwhile),
		SCHED(turn_that_is_over_ends_soon),
		SCHED(vcpu_that_comes_back_is_woken_at_the_end_of_the_turn),
		SCHED(leaving_reports_what_overflowed),
		SCHED(poll_does_nothing_to_a_vcpu_that_is_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
