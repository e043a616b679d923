// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The scheduler: groups, which are placed as a whole or wait
 */
#include "sched_machine.h"

/* Starts counters of a group at one moment, as a call does. */
static void start_group(u32 from, u32 to, u32 fits, u32 group)
{
	u64 now = m.fake->now;

	pvpmu_sched_hold(&m.sched);
	for (u32 i = from; i < to; i++) {
		make_counter(i, i, fits, group);
		m.fake->now += 7;
		pvpmu_sched_start(&m.sched, i, 0);
	}
	pvpmu_sched_arrange(&m.sched);
	/* The machine counts nothing in a call: as if it took no time. */
	m.fake->now = now;
	pvpmu_sched_release(&m.sched);
}

static void assert_alike(u32 from, u32 to)
{
	struct pvpmu_reading first = reading_of(from);

	for (u32 i = from; i < to; i++) {
		struct pvpmu_reading reading = reading_of(i);

		assert_int_equal(reading.enabled, first.enabled);
		assert_int_equal(reading.running, first.running);
		assert_int_equal(reading.count, first.count);
		assert_int_equal(reading.active, first.active);
	}
}

static void a_group_that_does_not_fit_waits_as_a_whole(void **state)
{
	(void)state;
	start_counters(0, 4, ANY);
	start_group(4, 7, ANY, 1);
	run(PVPMU_TURN_SHORTEST / 2);
	for (u32 i = 4; i < 7; i++) {
		assert_false(reading_of(i).active);
		assert_int_equal(reading_of(i).running, 0);
		assert_int_equal(reading_of(i).count, 0);
	}
	/* One place more, and all of it is there. */
	stop_counters(0, 1);
	assert_true(reading_of(4).active);
	run(1000);
	assert_alike(4, 7);
	assert_int_equal(reading_of(5).running, 1000);
	stop_counters(1, 7);
}

static void two_groups_of_six_have_half_each(void **state)
{
	(void)state;
	start_group(0, 6, ANY, 1);
	start_group(6, 12, ANY, 2);
	for (u32 i = 0; i < 400; i++) {
		run(SLICE / 2 + i);
		assert_alike(0, 6);
		assert_alike(6, 12);
		assert_true(reading_of(0).active != reading_of(6).active);
	}
	assert_near(reading_of(0).running, 100 * SLICE, 2 * SLICE);
	assert_near(reading_of(6).running, 100 * SLICE, 2 * SLICE);
	stop_counters(0, 12);
}

static void groups_of_all_sizes_have_their_turns(void **state)
{
	(void)state;
	start_group(0, 5, ANY, 1);
	start_group(5, 8, ANY, 2);
	start_counters(8, 10, ANY);
	start_group(10, 16, ANY, 3);
	start_group(16, 18, ANY, 4);
	run(400 * SLICE);
	assert_alike(0, 5);
	assert_alike(5, 8);
	assert_alike(10, 16);
	assert_alike(16, 18);
	/* Whoever needs all of the CPU still has a turn of each round. */
	assert_true(reading_of(10).running > 80 * SLICE);
	assert_true(reading_of(0).running > 80 * SLICE);
	assert_true(reading_of(8).running > 80 * SLICE);
	stop_counters(0, 18);
}

static void groups_take_turns_over_context_switches(void **state)
{
	(void)state;
	start_group(0, 4, ANY, 1);
	start_group(4, 8, ANY, 2);
	for (u32 i = 0; i < 1000; i++) {
		run(SLICE / 5);
		machine_leave();
		assert_alike(0, 4);
		assert_alike(4, 8);
		m.fake->now += SLICE;
		machine_enter();
	}
	assert_near(reading_of(0).running, 100 * SLICE, 3 * SLICE);
	assert_int_equal(reading_of(0).count, reading_of(0).running);
	stop_counters(0, 8);
}

static void what_needs_no_place_waits_with_its_group(void **state)
{
	(void)state;
	start_counters(0, 6, ANY);
	start_group(6, 7, 0, 9);
	run(1000);
	assert_int_equal(reading_of(6).running, 1000);
	/* From here on it is in a group with one that has to wait. */
	start_group(7, 8, ANY, 9);
	assert_false(reading_of(6).active);
	run(1000);
	assert_int_equal(reading_of(6).running, 1000);
	assert_int_equal(reading_of(7).running, 0);
	run(100 * SLICE);
	assert_int_equal(reading_of(6).running, reading_of(7).running + 1000);
	stop_counters(0, 8);
}

static void a_member_that_stops_leaves_the_others(void **state)
{
	(void)state;
	start_group(0, 4, ANY, 1);
	start_group(4, 8, ANY, 2);
	run(1000);
	assert_false(reading_of(4).active);
	/* Two are left of each, and there is room for them. */
	stop_counters(4, 6);
	assert_false(reading_of(6).active == reading_of(5).active);
	run(1000);
	assert_int_equal(reading_of(6).running, 1000);
	assert_int_equal(reading_of(0).running, 2000);
	stop_counters(0, 4);
	stop_counters(6, 8);
}

static void a_group_moves_for_a_member_that_has_no_choice(void **state)
{
	(void)state;
	start_group(0, 1, ANY, 1);
	/* The one it has is the only one for the next. */
	start_group(1, 2, 1u << (u32)m.sched.counter[0].phys, 1);
	assert_true(reading_of(0).active && reading_of(1).active);
	run(1000);
	assert_int_equal(reading_of(0).count, 1000);
	assert_alike(0, 2);
	stop_counters(0, 2);
}

static void a_group_that_waits_loses_no_sample(void **state)
{
	struct fake *fake = *state;
	u32 id;

	for (id = 0; id < 8; id++) {
		guest_describe(fake, id, HW, id, id % 4 ? 0 : 70000);
		fake->area.slot[id].guest.leader = id / 4 * 4;
	}
	assert_int_equal(guest_update(fake, 0, 0, 0xff, 0xff, 0), PVPMU_OK);
	run(101 * SLICE + SLICE / 3);
	assert_int_equal(guest_update(fake, 0, 0, 0, 0, 0xff), PVPMU_OK);
	for (id = 0; id < 8; id++) {
		const struct pvpmu_slot_host *line = guest_line(fake, id);
		const struct pvpmu_slot_host *leader =
			guest_line(fake, id / 4 * 4);

		assert_int_equal(line->count, leader->count);
		assert_int_equal(line->time_enabled, leader->time_enabled);
		assert_int_equal(line->time_running, leader->time_running);
		assert_int_equal(line->count, line->time_running);
		assert_near(line->count, 50 * SLICE, 3 * SLICE);
		if (id % 4)
			continue;
		assert_int_equal(line->overflows, line->count / 70000);
		assert_int_equal(line->overflow_total,
				 line->count / 70000 * 70000);
	}
	assert_true(guest_line(fake, 0)->state != guest_line(fake, 4)->state);
}

static void a_group_larger_than_the_cpu_is_refused(void **state)
{
	struct fake *fake = *state;
	u32 id;

	for (id = 0; id < WIDTH; id++) {
		guest_describe(fake, id, HW, id, 0);
		fake->area.slot[id].guest.leader = 0;
		assert_done(fake, PVPMU_OP_OPEN, id);
	}
	guest_describe(fake, id, HW, id, 0);
	fake->area.slot[id].guest.leader = 3;
	assert_refused(fake, PVPMU_ERR_GROUP, PVPMU_OP_OPEN, id, 0, 0);
	/* The clock needs no place. */
	guest_describe(fake, id, PVPMU_TYPE_CLOCK, PVPMU_CLOCK_VCPU, 0);
	fake->area.slot[id].guest.leader = 3;
	assert_done(fake, PVPMU_OP_OPEN, id);
}

/* Is there a place for each, whatever the order?  Tries all there is. */
static bool can_match(const u32 *fits, u32 n, u32 busy)
{
	if (!n)
		return true;
	for (u32 rest = fits[0] & ~busy; rest; rest &= rest - 1)
		if (can_match(fits + 1, n - 1, busy | (rest & -rest)))
			return true;
	return !fits[0] && can_match(fits + 1, n - 1, busy);
}

static void a_place_is_found_for_all_where_there_is_one(void **state)
{
	/* Intel: four general counters, three of one event each; AMD's family
	 * 15h; counters without a difference. */
	static const u32 masks[][6] = {
		{ 0x0f, 0x1f, 0x2f, 0x40, 0x4f, 0x0f },
		{ 0x3f, 0x07, 0x38, 0x08, 0x01, 0x3f },
		{ 0x3f, 0x3f, 0x3f, 0x3f, 0, 0x3f },
	};
	u32 fits[9], yes = 0;

	(void)state;
	for (u32 i = 0; i < 30000; i++) {
		u32 n = 1 + (u32)rand() % 9;
		bool found;

		for (u32 j = 0; j < n; j++) {
			fits[j] = masks[i % 3][rand() % 6];
			make_counter(j, j, fits[j], 1);
		}
		found = pvpmu_sched_fit(&m.sched, fits[n - 1],
					(1ull << (n - 1)) - 1);
		assert_int_equal(found, can_match(fits, n, 0));
		yes += found;
	}
	assert_in_range(yes, 5000, 25000);
}

/* Whatever a guest does: a group is in or out as one, and nobody waits for
 * places that are vacant. */
static void groups_stay_whole_in_any_order(void **state)
{
	enum { N = 20 };
	bool started[N] = { false };
	u32 group[N];

	(void)state;
	for (u32 i = 0; i < N; i++)
		group[i] = (u32)rand() % 5;
	for (u32 i = 0; i < 20000; i++) {
		u32 c = (u32)rand() % N;
		u32 used = 0;

		if (started[c]) {
			pvpmu_sched_stop(&m.sched, c);
			started[c] = false;
		} else if (rand() % 2) {
			make_counter(c, c, rand() % 7 ? ANY : 0, group[c]);
			pvpmu_sched_start(&m.sched, c, 0);
			started[c] = true;
		}
		pvpmu_sched_arrange(&m.sched);
		if (rand() % 3)
			step((u64)rand() % SLICE, 10);
		if (rand() % 5 == 0) {
			machine_leave();
			m.fake->now += 1000;
			machine_enter();
		}
		for (u32 j = 0; j < N; j++)
			used += started[j] && reading_of(j).active &&
				m.sched.turns.counter[j].fits;
		assert_in_range(used, 0, WIDTH);
		for (u32 j = 0; j < N; j++) {
			u32 needs = 0;

			if (!started[j])
				continue;
			for (u32 k = 0; k < N; k++) {
				if (!started[k] ||
				    (k != j &&
				     (!group[j] || group[k] != group[j])))
					continue;
				assert_int_equal(reading_of(k).active,
						 reading_of(j).active);
				needs += m.sched.turns.counter[k].fits != 0;
			}
			if (!reading_of(j).active)
				assert_true(used + needs > WIDTH);
		}
	}
	for (u32 i = 0; i < N; i++)
		if (started[i])
			pvpmu_sched_stop(&m.sched, i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCHED(a_group_that_does_not_fit_waits_as_a_whole),
		SCHED(two_groups_of_six_have_half_each),
		SCHED(groups_of_all_sizes_have_their_turns),
		SCHED(groups_take_turns_over_context_switches),
		SCHED(what_needs_no_place_waits_with_its_group),
		SCHED(a_member_that_stops_leaves_the_others),
		SCHED(a_group_moves_for_a_member_that_has_no_choice),
		SCHED(a_group_that_waits_loses_no_sample),
		SCHED(a_group_larger_than_the_cpu_is_refused),
		SCHED(a_place_is_found_for_all_where_there_is_one),
		SCHED(groups_stay_whole_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
