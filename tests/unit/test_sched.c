// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The scheduler: counters that take turns
 */
#include "sched_machine.h"

static void those_that_fit_count_all_the_time(void **state)
{
	(void)state;
	start_counters(0, WIDTH, ANY);
	assert_true(m.wake_at == ~0ull);
	run(50 * SLICE);
	for (u32 i = 0; i < WIDTH; i++) {
		struct pvpmu_reading reading = reading_of(i);

		assert_int_equal(reading.count, 50 * SLICE);
		assert_int_equal(reading.enabled, 50 * SLICE);
		assert_int_equal(reading.running, 50 * SLICE);
		assert_true(reading.active && !reading.failed);
	}
	/* Nothing moved them. */
	assert_int_equal(m.programs, WIDTH);
	stop_counters(0, WIDTH);
	assert_false(reading_of(0).active);
}

/* @counters on WIDTH places for @turns turns: each has its share. */
static void take_turns(u32 counters, u32 turns)
{
	u64 ns = turns * SLICE;
	u64 share = ns * WIDTH / counters;

	start_counters(0, counters, ANY);
	run(ns);
	for (u32 i = 0; i < counters; i++) {
		struct pvpmu_reading reading = reading_of(i);

		assert_int_equal(reading.enabled, ns);
		assert_int_equal(reading.count, reading.running);
		assert_near(reading.running, share, SLICE + share / 50);
	}
	stop_counters(0, counters);
}

static void twelve_on_six_have_half_each(void **state)
{
	(void)state;
	take_turns(12, 200);
}

static void seven_on_six_are_fair(void **state)
{
	(void)state;
	take_turns(7, 210);
}

static void all_that_there_can_be_are_fair(void **state)
{
	(void)state;
	take_turns(PVPMU_MAX_COUNTERS, 240);
}

static void turns_go_on_over_context_switches(void **state)
{
	(void)state;
	start_counters(0, 12, ANY);
	/* Scheduled out again long before a turn ends, and for long. */
	for (u32 i = 0; i < 2000; i++) {
		run(SLICE / 10);
		machine_leave();
		m.fake->now += 10 * SLICE;
		machine_enter();
	}
	for (u32 i = 0; i < 12; i++) {
		struct pvpmu_reading reading = reading_of(i);

		assert_int_equal(reading.enabled, 200 * SLICE);
		assert_int_equal(reading.count, reading.running);
		assert_near(reading.running, 100 * SLICE, 3 * SLICE);
	}
	stop_counters(0, 12);
}

static void time_stands_still_while_the_vcpu_is_out(void **state)
{
	(void)state;
	start_counters(0, 1, ANY);
	run(1000);
	machine_leave();
	assert_int_equal(reading_of(0).count, 1000);
	assert_true(reading_of(0).active);
	m.fake->now += 1000000;
	pvpmu_sched_poll(&m.sched);
	assert_int_equal(pvpmu_sched_time(&m.sched), 1000);
	assert_int_equal(reading_of(0).enabled, 1000);
	assert_int_equal(reading_of(0).running, 1000);
	machine_enter();
	run(500);
	assert_int_equal(pvpmu_sched_time(&m.sched), 1500);
	assert_int_equal(reading_of(0).count, 1500);
	assert_int_equal(reading_of(0).running, 1500);
	stop_counters(0, 1);
}

static void starts_and_stops_while_the_vcpu_is_out(void **state)
{
	(void)state;
	machine_leave();
	start_counters(0, 8, ANY);
	assert_int_equal(m.programs, 0);
	machine_enter();
	assert_int_equal(m.programs, WIDTH);
	run(1000);
	machine_leave();
	stop_counters(0, 2);
	/* The two that waited have the places, and count once it is in. */
	assert_true(reading_of(6).active && reading_of(7).active);
	machine_enter();
	run(1000);
	assert_int_equal(reading_of(0).count, 1000);
	assert_int_equal(reading_of(0).enabled, 1000);
	assert_int_equal(reading_of(6).count, 1000);
	assert_int_equal(reading_of(6).enabled, 2000);
	assert_int_equal(reading_of(6).running, 1000);
	stop_counters(2, 8);
}

static void a_place_that_gets_free_is_used_at_once(void **state)
{
	(void)state;
	start_counters(0, 7, ANY);
	run(1000);
	assert_false(reading_of(6).active);
	assert_true(m.wake_at != ~0ull);
	stop_counters(3, 4);
	assert_true(reading_of(6).active);
	assert_true(m.wake_at == ~0ull);
	run(1000);
	assert_int_equal(reading_of(6).count, 1000);
	assert_int_equal(reading_of(6).enabled, 2000);
	assert_int_equal(reading_of(3).count, 1000);
	stop_counters(6, 7);
	stop_counters(0, 3);
	stop_counters(4, 6);
}

static void a_turn_begins_with_the_first_that_waits(void **state)
{
	(void)state;
	start_counters(0, WIDTH, ANY);
	run(19 * SLICE / 2);
	start_counters(WIDTH, WIDTH + 1, ANY);
	assert_int_equal(m.wake_at - m.fake->now, SLICE);
	stop_counters(0, WIDTH + 1);
}

static void a_turn_may_end_while_nobody_looks(void **state)
{
	(void)state;
	start_counters(0, WIDTH + 1, ANY);
	m.fake->now += 2 * SLICE;
	machine_leave();
	assert_false(reading_of(WIDTH).active);
	machine_enter();
	assert_true(reading_of(WIDTH).active);
	assert_int_equal(reading_of(WIDTH).running, 0);
	assert_int_equal(m.programs, 2 * WIDTH);
	stop_counters(0, WIDTH + 1);
}

static void waits_for_a_place_that_fits(void **state)
{
	(void)state;
	start_counters(0, 2, 1u << 2);
	start_counters(2, 3, ANY);
	assert_true(reading_of(0).active);
	assert_false(reading_of(1).active);
	assert_true(reading_of(2).active);
	run(100 * SLICE);
	assert_near(reading_of(0).running, 50 * SLICE, 2 * SLICE);
	assert_near(reading_of(1).running, 50 * SLICE, 2 * SLICE);
	stop_counters(0, 3);
}

static void what_needs_no_place_never_waits(void **state)
{
	(void)state;
	start_counters(0, 12, ANY);
	start_counters(12, 14, 0);
	run(20 * SLICE);
	assert_int_equal(reading_of(12).count, 20 * SLICE);
	assert_int_equal(reading_of(13).running, 20 * SLICE);
	stop_counters(0, 14);
}

static void samples_are_not_lost_between_turns(void **state)
{
	struct fake *fake = *state;
	u32 id;

	for (id = 0; id < 10; id++)
		start_event(fake, id, id % 10, id < 3 ? 70000 : 0);
	for (u32 i = 0; i < 100; i++) {
		run(SLICE);
		machine_leave();
		fake->now += SLICE;
		machine_enter();
	}
	for (id = 0; id < 3; id++) {
		const struct pvpmu_slot_host *line = guest_line(fake, id);

		assert_done(fake, PVPMU_OP_READ, id);
		assert_near(line->count, 60 * SLICE, 4 * SLICE);
		assert_int_equal(line->overflows, line->count / 70000);
		assert_int_equal(line->overflow_total,
				 line->count / 70000 * 70000);
		assert_int_equal(line->time_running, line->count);
		assert_int_equal(line->time_enabled, 100 * SLICE);
	}
}

static void the_clock_overflows(void **state)
{
	struct fake *fake = *state;

	guest_describe(fake, 4, PVPMU_TYPE_CLOCK, PVPMU_CLOCK_VCPU, 200000);
	assert_done(fake, PVPMU_OP_OPEN, 4);
	assert_done(fake, PVPMU_OP_ENABLE, 4);
	run(1000000);
	assert_overflows(fake, 4, 5, 1000000);
	machine_leave();
	fake->now += 1000000;
	machine_enter();
	run(200000);
	assert_overflows(fake, 4, 6, 1200000);
}

static void many_overflows_at_once_are_all_reported(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 1000);
	step(1, 5400);
	assert_overflows(fake, 0, 5, 5000);
	step(1, 600);
	assert_overflows(fake, 0, 6, 6000);
}

static void a_throttled_event_counts_on(void **state)
{
	struct fake *fake = *state;

	fake->vcpu.vm->limits.overflow_rate = 2;
	fake->now += 2 * 1000000000ull;
	start_event(fake, 0, CYCLES, 1000);
	for (u32 i = 0; i < 10; i++)
		step(1, 1000);
	assert_done(fake, PVPMU_OP_READ, 0);
	assert_state(fake, 0, PVPMU_STATE_THROTTLED);
	assert_count(fake, 0, 10000);
	assert_overflows(fake, 0, 3, 3000);
	machine_leave();
	machine_enter();
	step(1, 1000);
	assert_done(fake, PVPMU_OP_READ, 0);
	assert_count(fake, 0, 11000);
}

static void the_guest_sees_who_waits(void **state)
{
	struct fake *fake = *state;
	u32 id, waiting = 0;

	for (id = 0; id < 10; id++)
		start_event(fake, id, id, 0);
	run(PVPMU_TURN_SHORTEST / 2);
	for (id = 0; id < 10; id++) {
		assert_done(fake, PVPMU_OP_READ, id);
		if (guest_line(fake, id)->state == PVPMU_STATE_WAITING) {
			assert_times(fake, id, PVPMU_TURN_SHORTEST / 2, 0);
			assert_count(fake, id, 0);
			waiting++;
		} else {
			assert_state(fake, id, PVPMU_STATE_COUNTING);
			assert_times(fake, id, PVPMU_TURN_SHORTEST / 2,
				     PVPMU_TURN_SHORTEST / 2);
		}
	}
	assert_int_equal(waiting, 10 - WIDTH);
}

static void time_can_be_held(void **state)
{
	u64 time;

	(void)state;
	run(500);
	pvpmu_sched_hold(&m.sched);
	time = pvpmu_sched_time(&m.sched);
	m.fake->now += 1000;
	assert_int_equal(pvpmu_sched_time(&m.sched), time);
	pvpmu_sched_release(&m.sched);
	assert_int_equal(pvpmu_sched_time(&m.sched), time + 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCHED(those_that_fit_count_all_the_time),
		SCHED(twelve_on_six_have_half_each),
		SCHED(seven_on_six_are_fair),
		SCHED(all_that_there_can_be_are_fair),
		SCHED(turns_go_on_over_context_switches),
		SCHED(time_stands_still_while_the_vcpu_is_out),
		SCHED(starts_and_stops_while_the_vcpu_is_out),
		SCHED(a_place_that_gets_free_is_used_at_once),
		SCHED(a_turn_begins_with_the_first_that_waits),
		SCHED(a_turn_may_end_while_nobody_looks),
		SCHED(waits_for_a_place_that_fits),
		SCHED(what_needs_no_place_never_waits),
		SCHED(samples_are_not_lost_between_turns),
		SCHED(the_clock_overflows),
		SCHED(many_overflows_at_once_are_all_reported),
		SCHED(a_throttled_event_counts_on),
		SCHED(the_guest_sees_who_waits),
		SCHED(time_can_be_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
