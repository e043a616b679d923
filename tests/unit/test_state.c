// SPDX-License-Identifier: MIT OR GPL-2.0
/* ENABLE, DISABLE, READ, CLOSE: states, counts and times */
#include "unit.h"

static struct fake_counter *counter_of(struct fake *fake, u64 config)
{
	return &fake->counter[fake_find(fake, HW, config)];
}

static void enabled_event_counts(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 1, CYCLES, 0);
	assert_state(fake, 1, PVPMU_STATE_COUNTING);
	fake_run(fake, 50, 1234);
	assert_done(fake, PVPMU_OP_READ, 1);
	assert_state(fake, 1, PVPMU_STATE_COUNTING);
	assert_count(fake, 1, 1234);
	assert_times(fake, 1, 50, 50);
}

static void slot_is_exact_when_disable_returns(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 1, CYCLES, 0);
	fake_run(fake, 50, 1234);
	assert_done(fake, PVPMU_OP_DISABLE, 1);
	assert_state(fake, 1, PVPMU_STATE_STOPPED);
	assert_count(fake, 1, 1234);
	assert_times(fake, 1, 50, 50);
}

static void stopped_event_does_not_count(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 1, CYCLES, 0);
	fake_run(fake, 50, 100);
	assert_done(fake, PVPMU_OP_DISABLE, 1);
	fake_run(fake, 50, 100);
	assert_done(fake, PVPMU_OP_READ, 1);
	assert_state(fake, 1, PVPMU_STATE_STOPPED);
	assert_count(fake, 1, 100);
	assert_times(fake, 1, 50, 50);
}

static void counts_and_times_go_on_over_stops(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 1, CYCLES, 0);
	fake_run(fake, 10, 100);
	assert_done(fake, PVPMU_OP_DISABLE, 1);
	fake_run(fake, 1000, 1000);
	assert_done(fake, PVPMU_OP_ENABLE, 1);
	assert_count(fake, 1, 100);
	fake_run(fake, 5, 50);
	assert_done(fake, PVPMU_OP_CLOSE, 1);
	assert_count(fake, 1, 150);
	assert_times(fake, 1, 15, 15);
}

static void counter_that_runs_on_adds_nothing_to_a_stopped_event(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 1, CYCLES, 0);
	fake_run(fake, 10, 100);
	assert_done(fake, PVPMU_OP_DISABLE, 1);
	/* A backend may let it run where stopping costs more. */
	counter_of(fake, CYCLES)->reading.count += 777;
	counter_of(fake, CYCLES)->reading.enabled += 77;
	counter_of(fake, CYCLES)->reading.running += 7;
	assert_done(fake, PVPMU_OP_ENABLE, 1);
	fake_run(fake, 10, 100);
	assert_done(fake, PVPMU_OP_DISABLE, 1);
	assert_count(fake, 1, 200);
	assert_times(fake, 1, 20, 20);
}

static void read_brings_one_slot_up_to_date_and_no_other(void **state)
{
	struct fake *fake = *state;
	struct pvpmu_area before;

	start_event(fake, 1, CYCLES, 0);
	start_event(fake, 2, INSTRUCTIONS, 0);
	fake_run(fake, 50, 1234);
	before = fake->area;
	assert_done(fake, PVPMU_OP_READ, 1);
	assert_count(fake, 1, 1234);
	assert_count(fake, 2, 0);
	before.slot[1].host = fake->area.slot[1].host;
	assert_memory_equal(&before, &fake->area, sizeof(before));
}

static void enable_of_a_counting_event_changes_nothing(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 1, CYCLES, 0);
	fake_run(fake, 50, 1234);
	assert_done(fake, PVPMU_OP_ENABLE, 1);
	fake_run(fake, 50, 1);
	assert_done(fake, PVPMU_OP_DISABLE, 1);
	assert_count(fake, 1, 1235);
	assert_int_equal(fake->calls[FAKE_START], 1);
}

static void disable_of_a_stopped_event_changes_nothing(void **state)
{
	struct fake *fake = *state;

	open_event(fake, 1, CYCLES, 0);
	assert_done(fake, PVPMU_OP_DISABLE, 1);
	assert_state(fake, 1, PVPMU_STATE_STOPPED);
	assert_int_equal(fake->calls[FAKE_STOP], 0);
}

static void enable_that_the_host_cannot_do_is_refused(void **state)
{
	struct fake *fake = *state;
	struct pvpmu_area before;

	open_event(fake, 1, CYCLES, 0);
	before = fake->area;
	fake->start_answer = false;
	/* Where a counter stood when it was read is core's own affair. */
	assert_int_equal(guest_call(fake, PVPMU_OP_ENABLE, 1, 0, 0),
			 PVPMU_ERR_HOST);
	assert_memory_equal(&fake->area, &before, sizeof(before));
	assert_state(fake, 1, PVPMU_STATE_STOPPED);
	assert_int_equal(fake_started(fake), 0);
	fake->start_answer = true;
	assert_done(fake, PVPMU_OP_ENABLE, 1);
	fake_run(fake, 5, 55);
	assert_done(fake, PVPMU_OP_DISABLE, 1);
	assert_count(fake, 1, 55);
}

static void counter_taken_away_shows_as_waiting(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 1, CYCLES, 0);
	fake_run(fake, 100, 1000);
	counter_of(fake, CYCLES)->reading.active = false;
	fake_run(fake, 300, 3000);
	assert_done(fake, PVPMU_OP_READ, 1);
	assert_state(fake, 1, PVPMU_STATE_WAITING);
	assert_count(fake, 1, 1000);
	assert_times(fake, 1, 400, 100);
	counter_of(fake, CYCLES)->reading.active = true;
	fake_run(fake, 100, 1000);
	assert_done(fake, PVPMU_OP_DISABLE, 1);
	assert_count(fake, 1, 2000);
	assert_times(fake, 1, 500, 200);
}

static void event_enabled_without_a_counter_waits_at_once(void **state)
{
	struct fake *fake = *state;

	open_event(fake, 1, CYCLES, 0);
	counter_of(fake, CYCLES)->reading.active = false;
	assert_done(fake, PVPMU_OP_ENABLE, 1);
	assert_state(fake, 1, PVPMU_STATE_WAITING);
}

static void counter_lost_for_ever_shows_as_failed(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 1, CYCLES, 0);
	fake_run(fake, 100, 1000);
	counter_of(fake, CYCLES)->reading.active = false;
	counter_of(fake, CYCLES)->reading.failed = true;
	assert_done(fake, PVPMU_OP_READ, 1);
	assert_state(fake, 1, PVPMU_STATE_FAILED);
	assert_count(fake, 1, 1000);
	assert_done(fake, PVPMU_OP_DISABLE, 1);
	assert_state(fake, 1, PVPMU_STATE_STOPPED);
}

static void lose(struct fake *fake, bool active)
{
	struct fake_counter *c = counter_of(fake, CYCLES);

	c->reading.failed = true;
	c->reading.active = active;
}

static void failed_event_does_not_run_while_it_is_enabled(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 1, CYCLES, 0);
	fake_run(fake, 100, 1000);
	lose(fake, false);
	assert_done(fake, PVPMU_OP_READ, 1);
	fake_run(fake, 300, 3000);
	assert_done(fake, PVPMU_OP_READ, 1);
	assert_state(fake, 1, PVPMU_STATE_FAILED);
	assert_count(fake, 1, 1000);
	assert_times(fake, 1, 400, 100);
	assert_done(fake, PVPMU_OP_DISABLE, 1);
	assert_state(fake, 1, PVPMU_STATE_STOPPED);
	fake_run(fake, 5000, 3000);
	assert_done(fake, PVPMU_OP_READ, 1);
	assert_times(fake, 1, 400, 100);
}

static void enabled_again_it_has_failed_still(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 1, CYCLES, 0);
	lose(fake, false);
	assert_done(fake, PVPMU_OP_ENABLE, 1);
	assert_state(fake, 1, PVPMU_STATE_FAILED);
	assert_done(fake, PVPMU_OP_DISABLE, 1);
	assert_done(fake, PVPMU_OP_ENABLE, 1);
	assert_state(fake, 1, PVPMU_STATE_FAILED);
	fake_run(fake, 50, 1000);
	assert_done(fake, PVPMU_OP_READ, 1);
	assert_times(fake, 1, 50, 0);
	assert_done(fake, PVPMU_OP_CLOSE, 1);
	start_event(fake, 1, CYCLES, 0);
	assert_state(fake, 1, PVPMU_STATE_COUNTING);
}

static void counter_that_failed_and_seems_active_has_failed(void **state)
{
	struct fake *fake = *state;

	open_event(fake, 1, CYCLES, 0);
	lose(fake, true);
	assert_done(fake, PVPMU_OP_ENABLE, 1);
	assert_state(fake, 1, PVPMU_STATE_FAILED);
}

static void close_stops_and_leaves_the_last_count(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 1, CYCLES, 0);
	fake_run(fake, 50, 1234);
	assert_done(fake, PVPMU_OP_CLOSE, 1);
	assert_state(fake, 1, PVPMU_STATE_CLOSED);
	assert_count(fake, 1, 1234);
	assert_times(fake, 1, 50, 50);
	assert_int_equal(fake_started(fake), 0);
	assert_refused(fake, PVPMU_ERR_CLOSED, PVPMU_OP_CLOSE, 1, 0, 0);
}

static void sequence_is_even_after_every_call(void **state)
{
	struct fake *fake = *state;

	open_event(fake, 1, CYCLES, 1000);
	assert_even(fake);
	assert_done(fake, PVPMU_OP_ENABLE, 1);
	assert_even(fake);
	fake_run(fake, 50, 12345);
	assert_even(fake);
	assert_done(fake, PVPMU_OP_READ, 1);
	assert_even(fake);
	assert_done(fake, PVPMU_OP_DISABLE, 1);
	assert_even(fake);
	assert_done(fake, PVPMU_OP_CLOSE, 1);
	assert_even(fake);
}

static void each_change_of_a_line_moves_its_sequence(void **state)
{
	struct fake *fake = *state;
	u32 seq;

	open_event(fake, 1, CYCLES, 0);
	seq = guest_line(fake, 1)->seq;
	assert_done(fake, PVPMU_OP_ENABLE, 1);
	assert_int_not_equal(guest_line(fake, 1)->seq, seq);
	seq = guest_line(fake, 1)->seq;
	fake_run(fake, 50, 1234);
	assert_done(fake, PVPMU_OP_READ, 1);
	assert_int_not_equal(guest_line(fake, 1)->seq, seq);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(enabled_event_counts),
		UNIT(slot_is_exact_when_disable_returns),
		UNIT(stopped_event_does_not_count),
		UNIT(counts_and_times_go_on_over_stops),
		UNIT(counter_that_runs_on_adds_nothing_to_a_stopped_event),
		UNIT(read_brings_one_slot_up_to_date_and_no_other),
		UNIT(enable_of_a_counting_event_changes_nothing),
		UNIT(disable_of_a_stopped_event_changes_nothing),
		UNIT(enable_that_the_host_cannot_do_is_refused),
		UNIT(counter_taken_away_shows_as_waiting),
		UNIT(event_enabled_without_a_counter_waits_at_once),
		UNIT(counter_lost_for_ever_shows_as_failed),
		UNIT(failed_event_does_not_run_while_it_is_enabled),
		UNIT(enabled_again_it_has_failed_still),
		UNIT(counter_that_failed_and_seems_active_has_failed),
		UNIT(close_stops_and_leaves_the_last_count),
		UNIT(sequence_is_even_after_every_call),
		UNIT(each_change_of_a_line_moves_its_sequence),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
