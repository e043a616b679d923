// SPDX-License-Identifier: MIT OR GPL-2.0
/* Small mistakes in core that no other test would notice, see "mutate" */
#include <stdlib.h>

#include "unit.h"

#define RAW PVPMU_TYPE_RAW

static u32 room_for_two(struct pvpmu_vcpu *vcpu)
{
	(void)vcpu;
	return 2;
}

/* Accesses to the area that a function makes if only @good of them succeed */
static u64 accesses_of(struct fake *fake, u64 good,
		       void (*fn)(struct fake *fake))
{
	u64 before = fake->accesses;

	fake->accesses_left = good;
	fn(fake);
	fake->accesses_left = ~0ull;
	return fake->accesses - before;
}

static void update_all(struct fake *fake)
{
	guest_update(fake, BIT(0), BIT(1), BIT(2) | BIT(3), BIT(2) | BIT(3),
		     BIT(4));
}

static void run_to_overflow(struct fake *fake)
{
	fake_run(fake, 10, 1000);
}

/* The first access that fails is the last one that is tried. */
static void assert_dropped_after_a_failure(struct fake *fake,
					   void (*fn)(struct fake *fake))
{
	u64 good = 0, tried;
	u32 id;

	do {
		fake_end(fake);
		fake_init(fake, NULL);
		assert_int_equal(guest_setup(fake), PVPMU_OK);
		for (id = 0; id < 6; id++)
			start_event(fake, id, CYCLES, 1000);
		guest_update(fake, BIT(2) | BIT(3), 0, 0, 0, 0);
		tried = accesses_of(fake, good, fn);
		if (tried > good)
			assert_int_equal(tried, good + 1);
		good++;
	} while (tried >= good);
	assert_true(good > 3);
}

static void nothing_is_tried_on_an_area_that_is_gone(void **state)
{
	assert_dropped_after_a_failure(*state, update_all);
	assert_dropped_after_a_failure(*state, run_to_overflow);
}

static void setup_forgets_what_was_pending(void **state)
{
	const u32 word = offsetof(struct pvpmu_area, overflow) / 4;
	struct fake *fake = *state;
	u32 reads;

	start_event(fake, 0, CYCLES, 1000);
	fake_run(fake, 10, 1000);
	assert_int_equal(guest_setup(fake), PVPMU_OK);
	reads = fake->reads[word];
	start_event(fake, 0, CYCLES, 1000);
	assert_int_equal(fake->reads[word], reads);
}

static void word_that_was_taken_is_not_read_again(void **state)
{
	const u32 word = offsetof(struct pvpmu_area, overflow) / 4;
	struct fake *fake = *state;
	u32 reads;

	start_event(fake, 0, CYCLES, 1000);
	fake_run(fake, 10, 1000);
	assert_int_equal(guest_take_pending(fake), BIT(0));
	assert_done(fake, PVPMU_OP_ENABLE, 0);
	reads = fake->reads[word];
	assert_done(fake, PVPMU_OP_ENABLE, 0);
	assert_int_equal(fake->reads[word], reads);
}

static void sequences_go_on_over_setup(void **state)
{
	struct fake *fake = *state;
	u32 seq;

	start_event(fake, 3, CYCLES, 0);
	seq = guest_line(fake, 3)->seq;
	assert_int_equal(guest_setup(fake), PVPMU_OK);
	assert_int_equal(guest_line(fake, 3)->seq, seq + 2);
}

static void shortest_clock_period_makes_sense(void **state)
{
	struct pvpmu_limits limits = PVPMU_LIMITS_DEFAULT;

	(void)state;
	limits.clock_period_min = PVPMU_CLOCK_PERIOD_LEAST;
	assert_true(pvpmu_limits_make_sense(&limits));
	limits.clock_period_min--;
	assert_false(pvpmu_limits_make_sense(&limits));
}

static void count_as_it_starts(struct fake *fake, enum fake_op op, bool after)
{
	u32 i;

	if (op != FAKE_START || !after)
		return;
	for (i = 0; i < PVPMU_MAX_COUNTERS; i++)
		if (fake->counter[i].started)
			fake->counter[i].reading.count += 5;
}

static void update_reads_what_it_enabled(void **state)
{
	struct fake *fake = *state;

	open_event(fake, 0, CYCLES, 1000);
	fake->hook = count_as_it_starts;
	assert_int_equal(guest_update(fake, 0, 0, 0, BIT(0), BIT(0)), PVPMU_OK);
	fake->hook = NULL;
	assert_count(fake, 0, 5);
}

static void no_two_kinds_share_a_counter(void **state)
{
	struct fake *fake = *state;
	u32 config;

	fake->own_vm.limits.classes = PVPMU_CLASSES_ALL;
	for (config = 0; config < 0x20000; config++) {
		/* Not all of them are events of both types. */
		if (guest_open(fake, 0, PVPMU_TYPE_CACHE, config, 0))
			continue;
		if (!guest_open(fake, 1, RAW, config, 0))
			assert_int_equal(fake_counters(fake), 2);
		guest_update(fake, BIT(0) | BIT(1), 0, 0, 0, 0);
		pvpmu_reap(&fake->vcpu, 0);
	}
	for (config = 0; config < 1000; config++) {
		assert_int_equal(guest_open(fake, 0, RAW, config, 1000),
				 PVPMU_OK);
		assert_int_equal(guest_open(fake, 1, RAW, config, 0), PVPMU_OK);
		assert_int_equal(fake_counters(fake), 2);
		assert_done(fake, PVPMU_OP_CLOSE, 0);
		assert_int_equal(guest_open(fake, 0, RAW, config, 0), PVPMU_OK);
		assert_int_equal(fake->vcpu.slot[0].counter,
				 fake->vcpu.slot[1].counter);
		guest_update(fake, BIT(0) | BIT(1), 0, 0, 0, 0);
		pvpmu_reap(&fake->vcpu, 0);
	}
}

/* Opens three of a type, which two cannot have at a time, and closes them. */
static void assert_takes_a_physical_counter(struct fake *fake, u32 type,
					    bool takes)
{
	u32 id;

	for (id = 0; id < 3; id++)
		assert_int_equal(guest_open(fake, id, type, 0, 100000 + id),
				 PVPMU_OK);
	guest_update(fake, BIT(0) | BIT(1) | BIT(2), 0, 0, 0, 0);
	assert_int_equal(fake_counters(fake), takes ? 2 : 3);
	pvpmu_reap(&fake->vcpu, 0);
}

static void events_of_processors_take_physical_counters(void **state)
{
	struct fake *fake = *state;

	fake->own_vm.limits.classes = PVPMU_CLASSES_ALL;
	fake->ops.room = room_for_two;
	assert_takes_a_physical_counter(fake, HW, true);
	assert_takes_a_physical_counter(fake, PVPMU_TYPE_CACHE, true);
	assert_takes_a_physical_counter(fake, RAW, true);
	assert_takes_a_physical_counter(fake, PVPMU_TYPE_CLOCK, false);
	assert_takes_a_physical_counter(fake, PVPMU_TYPE_HYPERVISOR, false);
}

static void event_that_waited_once_does_not_wait_for_ever(void **state)
{
	struct fake *fake = *state;
	struct fake_counter *counter;

	fake->ops.room = room_for_two;
	open_event(fake, 0, CYCLES, 0);
	start_event(fake, 1, INSTRUCTIONS, 0);
	assert_done(fake, PVPMU_OP_CLOSE, 0);
	counter = &fake->counter[fake_find(fake, HW, INSTRUCTIONS)];
	counter->reading.active = false;
	assert_done(fake, PVPMU_OP_READ, 1);
	counter->reading.active = true;
	open_event(fake, 0, CYCLES, 0);
	assert_done(fake, PVPMU_OP_CLOSE, 0);
	assert_int_equal(fake_counters(fake), 2);
}

static void no_more_than_two(struct fake *fake, enum fake_op op, bool after)
{
	if (op == FAKE_CREATE && after)
		assert_in_range(fake_counters(fake), 1, 2);
}

static void room_is_made_before_a_counter_is(void **state)
{
	struct fake *fake = *state;

	fake->ops.room = room_for_two;
	open_event(fake, 0, CYCLES, 0);
	open_event(fake, 1, INSTRUCTIONS, 0);
	assert_done(fake, PVPMU_OP_CLOSE, 0);
	fake->hook = no_more_than_two;
	open_event(fake, 2, BRANCHES, 0);
}

static void clock_takes_no_room(void **state)
{
	struct fake *fake = *state;

	fake->ops.room = room_for_two;
	open_event(fake, 0, CYCLES, 0);
	open_event(fake, 1, INSTRUCTIONS, 0);
	assert_done(fake, PVPMU_OP_CLOSE, 0);
	assert_int_equal(guest_open(fake, 2, PVPMU_TYPE_CLOCK, 0, 0), PVPMU_OK);
	assert_int_equal(fake_counters(fake), 3);
	assert_int_equal(fake->vcpu.stats.destroyed, 0);
}

static void counter_in_the_place_of_a_failed_one_is_shared(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 0);
	fake->counter[0].reading.failed = true;
	fake->counter[0].reading.active = false;
	assert_done(fake, PVPMU_OP_CLOSE, 0);
	pvpmu_reap(&fake->vcpu, 0);
	assert_int_equal(fake_counters(fake), 0);
	open_event(fake, 0, CYCLES, 0);
	open_event(fake, 1, CYCLES, 0);
	assert_int_equal(fake_counters(fake), 1);
}

static void event_that_stops_at_its_mark_has_overflowed(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 1000);
	fake->counter[0].reading.count += 1000;
	assert_done(fake, PVPMU_OP_DISABLE, 0);
	assert_overflows(fake, 0, 1, 1000);
	assert_int_equal(fake->area.overflow.pending, BIT(0));
}

static void start_makes_a_reading_in_a_batch_stale(struct fake *fake,
						   enum fake_op op, bool after)
{
	(void)after;
	if (op == FAKE_START || op == FAKE_STOP)
		fake->counter[0].reading.active = op == FAKE_START;
}

/* On a host whose counters are active while they are started */
static void counter_that_an_update_stops_and_starts_counts(void **state)
{
	struct fake *fake = *state;

	fake->hook = start_makes_a_reading_in_a_batch_stale;
	start_event(fake, 0, CYCLES, 0);
	open_event(fake, 1, CYCLES, 0);
	assert_int_equal(guest_update(fake, BIT(0), 0, 0, BIT(1), BIT(1)),
			 PVPMU_OK);
	assert_state(fake, 1, PVPMU_STATE_COUNTING);
}

/*
 * Records
 */

struct hosts {
	struct fake from;
	struct fake to;
	struct pvpmu_record record;
};

/* One with an event that counts, and another host with the same memory */
static struct hosts *two_hosts(void)
{
	struct hosts *hosts = calloc(1, sizeof(*hosts));

	assert_non_null(hosts);
	fake_init(&hosts->to, NULL);
	fake_init(&hosts->from, NULL);
	assert_int_equal(guest_setup(&hosts->from), PVPMU_OK);
	start_event(&hosts->from, 0, CYCLES, 2000);
	return hosts;
}

static void save(struct hosts *hosts)
{
	assert_int_equal(pvpmu_save(&hosts->from.vcpu, &hosts->record),
			 PVPMU_OK);
	hosts->to.area = hosts->from.area;
}

static void restore(struct hosts *hosts)
{
	assert_int_equal(pvpmu_restore(&hosts->to.vcpu, &hosts->record),
			 PVPMU_OK);
}

static void end(struct hosts *hosts)
{
	fake_end(&hosts->from);
	fake_end(&hosts->to);
	free(hosts);
}

static void restored_vcpu_is_resumed_once(void **state)
{
	struct hosts *hosts = two_hosts();
	u32 seq;

	(void)state;
	save(hosts);
	restore(hosts);
	fake_enter(&hosts->to);
	seq = hosts->to.area.host.seq;
	pvpmu_publish(&hosts->to.vcpu);
	assert_int_equal(hosts->to.area.host.seq, seq);
	end(hosts);
}

/* Its guest was reset meanwhile, for example. */
static void setup_ends_what_was_to_be_resumed(void **state)
{
	struct hosts *hosts = two_hosts();
	u32 seq;

	(void)state;
	save(hosts);
	restore(hosts);
	hosts->to.kicked = false;
	assert_int_equal(guest_setup(&hosts->to), PVPMU_OK);
	seq = hosts->to.area.host.seq;
	pvpmu_publish(&hosts->to.vcpu);
	assert_int_equal(hosts->to.area.host.seq, seq);
	end(hosts);
}

static void detach_ends_what_was_to_be_resumed(void **state)
{
	struct hosts *hosts = two_hosts();

	(void)state;
	save(hosts);
	restore(hosts);
	pvpmu_vcpu_detach(&hosts->to.vcpu);
	assert_done(&hosts->from, PVPMU_OP_DISABLE, 0);
	save(hosts);
	restore(hosts);
	fake_enter(&hosts->to);
	assert_int_equal(fake_started(&hosts->to), 0);
	assert_state(&hosts->to, 0, PVPMU_STATE_STOPPED);
	end(hosts);
}

static void length_that_wraps_is_refused(void **state)
{
	struct hosts *hosts = two_hosts();
	struct pvpmu_record_slot *slot = &hosts->record.slot[0];

	(void)state;
	save(hosts);
	/* The next mark is 1000 events from here, by numbers that wrap. */
	slot->length = 1ull << 63;
	slot->host.overflow_total = (1ull << 63) + 1000;
	assert_int_equal(pvpmu_restore(&hosts->to.vcpu, &hosts->record),
			 PVPMU_ERR_PERIOD);
	end(hosts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(nothing_is_tried_on_an_area_that_is_gone),
		UNIT(setup_forgets_what_was_pending),
		UNIT(word_that_was_taken_is_not_read_again),
		UNIT(sequences_go_on_over_setup),
		UNIT(shortest_clock_period_makes_sense),
		UNIT(update_reads_what_it_enabled),
		UNIT(no_two_kinds_share_a_counter),
		UNIT(events_of_processors_take_physical_counters),
		UNIT(event_that_waited_once_does_not_wait_for_ever),
		UNIT(room_is_made_before_a_counter_is),
		UNIT(clock_takes_no_room),
		UNIT(counter_in_the_place_of_a_failed_one_is_shared),
		UNIT(event_that_stops_at_its_mark_has_overflowed),
		UNIT(counter_that_an_update_stops_and_starts_counts),
		cmocka_unit_test(restored_vcpu_is_resumed_once),
		cmocka_unit_test(setup_ends_what_was_to_be_resumed),
		cmocka_unit_test(detach_ends_what_was_to_be_resumed),
		cmocka_unit_test(length_that_wraps_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
