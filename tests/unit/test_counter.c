// SPDX-License-Identifier: MIT OR GPL-2.0
/* Host counters: shared, kept for a while, given back */
#include "unit.h"

#define RAW PVPMU_TYPE_RAW

static void grant_raw(struct fake *fake)
{
	fake->own_vm.limits.classes |= PVPMU_CLASS_RAW;
}

static void open_and_close_raw(struct fake *fake, u64 config, u64 period)
{
	assert_int_equal(guest_open(fake, 0, RAW, config, period), PVPMU_OK);
	assert_done(fake, PVPMU_OP_CLOSE, 0);
}

static void equal_descriptions_share_a_counter(void **state)
{
	struct fake *fake = *state;
	u32 id;

	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		start_event(fake, id, CYCLES, 0);
	assert_int_equal(fake_counters(fake), 1);
	assert_int_equal(fake->calls[FAKE_START], 1);
}

static void different_descriptions_do_not_share(void **state)
{
	struct fake *fake = *state;

	open_event(fake, 0, CYCLES, 0);
	open_event(fake, 1, INSTRUCTIONS, 0);
	guest_describe(fake, 2, HW, CYCLES, 0);
	fake->area.slot[2].guest.flags = PVPMU_FLAG_EXCLUDE_USER;
	assert_done(fake, PVPMU_OP_OPEN, 2);
	guest_describe(fake, 3, HW, CYCLES, 0);
	fake->area.slot[3].guest.flags = PVPMU_FLAG_EXCLUDE_KERNEL;
	assert_done(fake, PVPMU_OP_OPEN, 3);
	assert_int_equal(guest_open(fake, 4, PVPMU_TYPE_CLOCK, 0, 0), PVPMU_OK);
	assert_int_equal(fake_counters(fake), 5);
}

static void sampling_events_share_with_nobody(void **state)
{
	struct fake *fake = *state;

	open_event(fake, 0, CYCLES, 0);
	open_event(fake, 1, CYCLES, 1000);
	open_event(fake, 2, CYCLES, 1000);
	assert_int_equal(fake_counters(fake), 3);
}

static void each_sharer_counts_its_own_time_only(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 0);
	fake_run(fake, 1, 10);
	start_event(fake, 1, CYCLES, 0);
	fake_run(fake, 2, 100);
	assert_done(fake, PVPMU_OP_DISABLE, 0);
	fake_run(fake, 4, 1000);
	assert_done(fake, PVPMU_OP_DISABLE, 1);
	assert_count(fake, 0, 110);
	assert_times(fake, 0, 3, 3);
	assert_count(fake, 1, 1100);
	assert_times(fake, 1, 6, 6);
	assert_int_equal(fake->calls[FAKE_START], 1);
	assert_int_equal(fake->calls[FAKE_STOP], 1);
}

static void closed_event_leaves_its_counter_for_the_next(void **state)
{
	struct fake *fake = *state;
	u32 i;

	for (i = 0; i < 100; i++) {
		start_event(fake, i % PVPMU_MAX_SLOTS, CYCLES,
			    i & 1 ? 1000 : 0);
		fake_run(fake, 1, 100);
		assert_done(fake, PVPMU_OP_CLOSE, i % PVPMU_MAX_SLOTS);
		assert_count(fake, i % PVPMU_MAX_SLOTS, 100);
	}
	assert_int_equal(fake->vcpu.stats.created, 2);
	assert_int_equal(fake->vcpu.stats.destroyed, 0);
}

static void sampling_counter_serves_its_new_slot(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 3, CYCLES, 1000);
	assert_done(fake, PVPMU_OP_CLOSE, 3);
	start_event(fake, 9, CYCLES, 1000);
	assert_int_equal(fake_counters(fake), 1);
	fake_run(fake, 1, 1000);
	assert_int_equal(fake->area.overflow.pending, BIT(9));
}

static void host_hears_of_a_counter_without_user(void **state)
{
	struct fake *fake = *state;

	open_event(fake, 0, CYCLES, 0);
	open_event(fake, 1, CYCLES, 0);
	assert_done(fake, PVPMU_OP_CLOSE, 0);
	assert_int_equal(fake->calls[FAKE_IDLE], 0);
	assert_done(fake, PVPMU_OP_CLOSE, 1);
	assert_int_equal(fake->calls[FAKE_IDLE], 1);
}

static void
host_does_not_hear_of_one_that_the_same_call_uses_again(void **state)
{
	struct fake *fake = *state;

	open_event(fake, 0, CYCLES, 0);
	open_event(fake, 1, INSTRUCTIONS, 0);
	open_event(fake, 2, BRANCHES, 0);
	guest_describe(fake, 3, HW, CYCLES, 0);
	assert_int_equal(guest_update(fake, BIT(0), 0, BIT(3), 0, 0), PVPMU_OK);
	assert_int_equal(fake->calls[FAKE_IDLE], 0);
	/* and of several at once it hears once */
	assert_int_equal(guest_update(fake, BIT(1) | BIT(2), 0, 0, 0, 0),
			 PVPMU_OK);
	assert_int_equal(fake->calls[FAKE_IDLE], 1);
}

static void one_reading_serves_all_slots_of_a_call(void **state)
{
	struct fake *fake = *state;
	u32 reads, id;

	for (id = 0; id < 4; id++)
		start_event(fake, id, CYCLES, 0);
	reads = fake->calls[FAKE_READ];
	guest_update(fake, 0, 0, 0, 0, 0xf);
	assert_int_equal(fake->calls[FAKE_READ] - reads, 1);
	fake_run(fake, 1, 100);
	guest_update(fake, 0, 0, 0, 0, 0xf);
	assert_int_equal(fake->calls[FAKE_READ] - reads, 2);
	for (id = 0; id < 4; id++)
		assert_count(fake, id, 100);
}

static void one_reading_ends_one_event_and_begins_the_next(void **state)
{
	struct fake *fake = *state;
	u32 reads, clocks;

	start_event(fake, 0, CYCLES, 0);
	fake_run(fake, 3, 100);
	guest_describe(fake, 1, HW, CYCLES, 0);
	reads = fake->calls[FAKE_READ];
	clocks = fake->calls[FAKE_CLOCK];
	assert_int_equal(guest_update(fake, BIT(0), 0, BIT(1), BIT(1), 0),
			 PVPMU_OK);
	assert_int_equal(fake->calls[FAKE_READ] - reads, 1);
	assert_int_equal(fake->calls[FAKE_CLOCK], clocks);
	fake_run(fake, 5, 1000);
	assert_done(fake, PVPMU_OP_DISABLE, 1);
	assert_count(fake, 0, 100);
	assert_times(fake, 0, 3, 3);
	assert_count(fake, 1, 1000);
	assert_times(fake, 1, 5, 5);
}

/* The host's counter counts on while core stops it. */
static void count_on(struct fake *fake, enum fake_op op, bool after)
{
	struct fake_counter *c = &fake->counter[fake_find(fake, HW, CYCLES)];

	if (op == FAKE_STOP && !after)
		c->reading.count += 7;
}

static void counter_is_read_again_when_it_was_stopped(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 0);
	start_event(fake, 1, CYCLES, 0);
	fake_run(fake, 1, 100);
	fake->hook = count_on;
	assert_int_equal(guest_update(fake, 0, BIT(0) | BIT(1), 0, 0, 0),
			 PVPMU_OK);
	assert_count(fake, 0, 100);
	assert_count(fake, 1, 107);
}

static void sampling_counter_is_read_each_time(void **state)
{
	struct fake *fake = *state;
	u32 reads;

	start_event(fake, 0, CYCLES, 1000);
	reads = fake->calls[FAKE_READ];
	guest_update(fake, 0, 0, 0, BIT(0), BIT(0));
	assert_int_equal(fake->calls[FAKE_READ] - reads, 2);
}

static void reap_gives_back_the_old_and_keeps_the_young(void **state)
{
	struct fake *fake = *state;

	open_event(fake, 0, CYCLES, 0);
	open_event(fake, 1, INSTRUCTIONS, 0);
	open_event(fake, 2, BRANCHES, 0);
	assert_done(fake, PVPMU_OP_CLOSE, 0);
	fake->now += 500;
	assert_done(fake, PVPMU_OP_CLOSE, 1);
	fake->now += 500;
	assert_true(pvpmu_reap(&fake->vcpu, 1000));
	assert_int_equal(fake_counters(fake), 2);
	fake_find(fake, HW, INSTRUCTIONS);
	fake->now += 500;
	assert_false(pvpmu_reap(&fake->vcpu, 1000));
	assert_int_equal(fake_counters(fake), 1);
	fake_find(fake, HW, BRANCHES);
}

static void reap_of_nothing_does_nothing(void **state)
{
	struct fake *fake = *state;

	assert_false(pvpmu_reap(&fake->vcpu, 0));
	assert_int_equal(fake->calls[FAKE_DESTROY], 0);
}

static void counter_in_use_is_not_reaped(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 0);
	fake->now += 1000000000000;
	assert_false(pvpmu_reap(&fake->vcpu, 0));
	assert_int_equal(fake_counters(fake), 1);
}

static void unused_counter_makes_room_when_all_are_made(void **state)
{
	struct fake *fake = *state;
	u64 config;

	grant_raw(fake);
	for (config = 0; config < PVPMU_MAX_COUNTERS; config++)
		open_and_close_raw(fake, config, 0);
	assert_int_equal(fake_counters(fake), PVPMU_MAX_COUNTERS);
	for (; config < 5 * PVPMU_MAX_COUNTERS; config++)
		open_and_close_raw(fake, config, config & 1 ? 1000 : 0);
	assert_int_equal(fake_counters(fake), PVPMU_MAX_COUNTERS);
	assert_int_equal(fake->vcpu.stats.created, 5 * PVPMU_MAX_COUNTERS);
	assert_int_equal(fake->vcpu.stats.destroyed, 4 * PVPMU_MAX_COUNTERS);
}

static void eviction_spares_counters_in_use(void **state)
{
	struct fake *fake = *state;
	u64 config;
	u32 id;

	grant_raw(fake);
	for (id = 0; id < PVPMU_MAX_SLOTS - 1; id++) {
		assert_int_equal(guest_open(fake, id + 1, RAW, id, 1000),
				 PVPMU_OK);
		assert_done(fake, PVPMU_OP_ENABLE, id + 1);
	}
	for (config = 1000; config < 1300; config++)
		open_and_close_raw(fake, config, 0);
	fake_run(fake, 1, 1500);
	for (id = 1; id < PVPMU_MAX_SLOTS; id++)
		assert_overflows(fake, id, 1, 1000);
}

static void failing_creation_leaves_nothing_behind(void **state)
{
	struct fake *fake = *state;

	fake->create_answer = PVPMU_LATER;
	guest_open(fake, 0, HW, CYCLES, 0);
	assert_int_equal(fake_counters(fake), 0);
	assert_int_equal(fake->vcpu.stats.created, 0);
	fake->create_answer = PVPMU_DONE;
	open_event(fake, 0, CYCLES, 0);
	assert_int_equal(fake->vcpu.stats.created, 1);
}

static void failed_counter_serves_nobody_else(void **state)
{
	struct fake *fake = *state;
	u32 failed;

	start_event(fake, 0, CYCLES, 0);
	failed = fake_find(fake, HW, CYCLES);
	fake->counter[failed].reading.active = false;
	fake->counter[failed].reading.failed = true;
	assert_done(fake, PVPMU_OP_READ, 0);
	assert_state(fake, 0, PVPMU_STATE_FAILED);
	assert_done(fake, PVPMU_OP_CLOSE, 0);
	start_event(fake, 0, CYCLES, 0);
	assert_state(fake, 0, PVPMU_STATE_COUNTING);
	fake_run(fake, 1, 10);
	assert_done(fake, PVPMU_OP_DISABLE, 0);
	assert_count(fake, 0, 10);
}

/* More descriptions than buckets, so that some share one; each must be found
 * again, and the first, middle and last of a chain be removed. */
static void counters_are_found_among_many(void **state)
{
	struct fake *fake = *state;
	u32 round, id;

	grant_raw(fake);
	for (round = 0; round < 20; round++) {
		for (id = 0; id < PVPMU_MAX_SLOTS; id++)
			assert_int_equal(guest_open(fake, id, RAW,
						    (round * 7 + id * 3) % 90,
						    0),
					 PVPMU_OK);
		for (id = 0; id < PVPMU_MAX_SLOTS; id++)
			fake_find(fake, RAW, (round * 7 + id * 3) % 90);
		for (id = 0; id < PVPMU_MAX_SLOTS; id++)
			assert_done(fake, PVPMU_OP_CLOSE,
				    (id * 11 + round) % PVPMU_MAX_SLOTS);
		fake->now += 10;
		if (round % 3 == 0)
			pvpmu_reap(&fake->vcpu, 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(equal_descriptions_share_a_counter),
		UNIT(different_descriptions_do_not_share),
		UNIT(sampling_events_share_with_nobody),
		UNIT(each_sharer_counts_its_own_time_only),
		UNIT(closed_event_leaves_its_counter_for_the_next),
		UNIT(sampling_counter_serves_its_new_slot),
		UNIT(host_hears_of_a_counter_without_user),
		UNIT(host_does_not_hear_of_one_that_the_same_call_uses_again),
		UNIT(one_reading_serves_all_slots_of_a_call),
		UNIT(one_reading_ends_one_event_and_begins_the_next),
		UNIT(counter_is_read_again_when_it_was_stopped),
		UNIT(sampling_counter_is_read_each_time),
		UNIT(reap_gives_back_the_old_and_keeps_the_young),
		UNIT(reap_of_nothing_does_nothing),
		UNIT(counter_in_use_is_not_reaped),
		UNIT(unused_counter_makes_room_when_all_are_made),
		UNIT(eviction_spares_counters_in_use),
		UNIT(failing_creation_leaves_nothing_behind),
		UNIT(failed_counter_serves_nobody_else),
		UNIT(counters_are_found_among_many),
	};

	return cmocka_run_group_tests_name("counter", tests, NULL, NULL);
}
