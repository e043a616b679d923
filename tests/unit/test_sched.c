// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The scheduler: counters that take turns on a machine made of plain memory
 *
 * The machine has physical counters; each remembers for whom it was programmed,
 * and ends the test if it is programmed while in use, or touched while the vCPU
 * is out.
 */
#include <pvpmu/sched.h>

#include <stdlib.h>

#include "unit.h"

#define WIDTH 6
#define ANY ((1u << WIDTH) - 1)
#define SLICE PVPMU_SCHED_SLICE

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

static struct machine {
	struct fake *fake;
	struct pvpmu_host_ops fake_ops;
	struct pvpmu_sched sched;
	bool in;
	struct place phys[WIDTH];
	struct place soft[PVPMU_MAX_COUNTERS];
	u64 wake_at;
	u32 programs;
} m;

static struct place *place_of(u32 counter, u32 phys)
{
	FAKE_CHECK(m.in);
	if (phys == PVPMU_SCHED_SOFT)
		return &m.soft[counter];
	FAKE_CHECK(phys < WIDTH);
	return &m.phys[phys];
}

static void machine_program(struct pvpmu_sched *sched, u32 counter, u32 phys,
			    u64 left)
{
	struct place *place = place_of(counter, phys);

	FAKE_CHECK(sched == &m.sched && !place->used);
	place->used = true;
	place->counter = counter;
	place->value = 0;
	place->left = left;
	m.programs++;
}

static u64 machine_read(struct pvpmu_sched *sched, u32 counter, u32 phys)
{
	struct place *place = place_of(counter, phys);

	FAKE_CHECK(sched == &m.sched && place->used);
	FAKE_CHECK(place->counter == counter);
	return place->value;
}

static u64 machine_stop(struct pvpmu_sched *sched, u32 counter, u32 phys)
{
	u64 value = machine_read(sched, counter, phys);

	place_of(counter, phys)->used = false;
	return value;
}

static void machine_wake(struct pvpmu_sched *sched, u64 ns)
{
	FAKE_CHECK(sched == &m.sched && m.in);
	m.wake_at = ns ? m.fake->now + ns : ~0ull;
}

static const struct pvpmu_sched_ops machine_ops = {
	.program = machine_program,
	.read = machine_read,
	.stop = machine_stop,
	.wake = machine_wake,
};

static enum pvpmu_answer host_create(struct pvpmu_vcpu *vcpu, u32 counter,
				     const struct pvpmu_desc *desc)
{
	pvpmu_sched_create(&m.sched, counter,
			   desc->type == PVPMU_TYPE_CLOCK ? 0 : ANY,
			   desc->group);
	return m.fake_ops.create(vcpu, counter, desc);
}

static bool host_fit(struct pvpmu_vcpu *vcpu, const struct pvpmu_desc *desc,
		     u64 counters)
{
	return m.fake_ops.fit(vcpu, desc, counters) &&
	       pvpmu_sched_fit(&m.sched,
			       desc->type == PVPMU_TYPE_CLOCK ? 0 : ANY,
			       counters);
}

static bool host_start(struct pvpmu_vcpu *vcpu, u32 counter, u64 left)
{
	pvpmu_sched_start(&m.sched, counter, left);
	return m.fake_ops.start(vcpu, counter, left);
}

static void host_stop(struct pvpmu_vcpu *vcpu, u32 counter)
{
	pvpmu_sched_stop(&m.sched, counter);
	m.fake_ops.stop(vcpu, counter);
}

static void host_read(struct pvpmu_vcpu *vcpu, u32 counter,
		      struct pvpmu_reading *reading)
{
	m.fake_ops.read(vcpu, counter, reading);
	pvpmu_sched_read(&m.sched, counter, reading);
}

static void enter(void)
{
	m.in = true;
	pvpmu_sched_in(&m.sched);
	fake_enter(m.fake);
}

static void leave(void)
{
	pvpmu_sched_out(&m.sched);
	for (u32 i = 0; i < WIDTH; i++)
		FAKE_CHECK(!m.phys[i].used);
	FAKE_CHECK(m.wake_at == ~0ull);
	m.in = false;
}

static int begin(void **state)
{
	unit_begin_bare(state);
	memset(&m, 0, sizeof(m));
	m.fake = *state;
	m.wake_at = ~0ull;
	m.fake_ops = m.fake->ops;
	m.fake->ops.features |= PVPMU_FEAT_GROUPS;
	m.fake->ops.create = host_create;
	m.fake->ops.fit = host_fit;
	m.fake->ops.start = host_start;
	m.fake->ops.stop = host_stop;
	m.fake->ops.read = host_read;
	pvpmu_sched_init(&m.sched, &m.fake->vcpu, &machine_ops);
	assert_int_equal(guest_setup(m.fake), PVPMU_OK);
	enter();
	return 0;
}

static bool advance(struct place *place, u64 events)
{
	bool before = place->value < place->left;

	if (!place->used)
		return false;
	place->value += events;
	return before && place->value >= place->left;
}

/* @events happen in @ns, and the machine interrupts where it was asked to. */
static void step(u64 ns, u64 events)
{
	bool interrupt;
	u32 i;

	m.fake->now += ns;
	interrupt = m.in && m.fake->now >= m.wake_at;
	for (i = 0; i < WIDTH; i++)
		interrupt |= advance(&m.phys[i], events);
	for (i = 0; i < PVPMU_MAX_COUNTERS; i++)
		interrupt |= advance(&m.soft[i], ns);
	if (interrupt)
		pvpmu_sched_poll(&m.sched);
	fake_enter(m.fake);
}

/* In small steps, an event for each ns. */
static void run(u64 ns)
{
	for (; ns >= 10000; ns -= 10000)
		step(10000, 10000);
	step(ns, ns);
}

static struct pvpmu_reading reading_of(u32 counter)
{
	struct pvpmu_reading reading;

	pvpmu_sched_read(&m.sched, counter, &reading);
	return reading;
}

static void start_counters(u32 from, u32 to, u32 fits)
{
	for (u32 i = from; i < to; i++) {
		pvpmu_sched_create(&m.sched, i, fits, 0);
		pvpmu_sched_start(&m.sched, i, 0);
	}
}

static void stop_counters(u32 from, u32 to)
{
	for (u32 i = from; i < to; i++)
		pvpmu_sched_stop(&m.sched, i);
}

static void assert_near(u64 value, u64 wanted, u64 tolerance)
{
	assert_in_range(value, wanted - tolerance, wanted + tolerance);
}

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
		leave();
		m.fake->now += 10 * SLICE;
		enter();
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
	leave();
	assert_int_equal(reading_of(0).count, 1000);
	assert_true(reading_of(0).active);
	m.fake->now += 1000000;
	pvpmu_sched_poll(&m.sched);
	assert_int_equal(pvpmu_sched_time(&m.sched), 1000);
	assert_int_equal(reading_of(0).enabled, 1000);
	assert_int_equal(reading_of(0).running, 1000);
	enter();
	run(500);
	assert_int_equal(pvpmu_sched_time(&m.sched), 1500);
	assert_int_equal(reading_of(0).count, 1500);
	assert_int_equal(reading_of(0).running, 1500);
	stop_counters(0, 1);
}

static void starts_and_stops_while_the_vcpu_is_out(void **state)
{
	(void)state;
	leave();
	start_counters(0, 8, ANY);
	assert_int_equal(m.programs, 0);
	enter();
	assert_int_equal(m.programs, WIDTH);
	run(1000);
	leave();
	stop_counters(0, 2);
	/* The two that waited have the places, and count once it is in. */
	assert_true(reading_of(6).active && reading_of(7).active);
	enter();
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
	pvpmu_sched_stop(&m.sched, 3);
	assert_true(reading_of(6).active);
	assert_true(m.wake_at == ~0ull);
	run(1000);
	assert_int_equal(reading_of(6).count, 1000);
	assert_int_equal(reading_of(6).enabled, 2000);
	assert_int_equal(reading_of(3).count, 1000);
	pvpmu_sched_stop(&m.sched, 6);
	stop_counters(0, 3);
	stop_counters(4, 6);
}

static void a_turn_begins_with_the_first_that_waits(void **state)
{
	(void)state;
	start_counters(0, WIDTH, ANY);
	run(3 * SLICE / 2);
	start_counters(WIDTH, WIDTH + 1, ANY);
	assert_int_equal(m.wake_at - m.fake->now, SLICE);
	stop_counters(0, WIDTH + 1);
}

static void a_turn_may_end_while_nobody_looks(void **state)
{
	(void)state;
	start_counters(0, WIDTH + 1, ANY);
	m.fake->now += 2 * SLICE;
	leave();
	assert_false(reading_of(WIDTH).active);
	enter();
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
		leave();
		fake->now += SLICE;
		enter();
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
	leave();
	fake->now += 1000000;
	enter();
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
	leave();
	enter();
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
	run(SLICE / 2);
	for (id = 0; id < 10; id++) {
		assert_done(fake, PVPMU_OP_READ, id);
		if (guest_line(fake, id)->state == PVPMU_STATE_WAITING) {
			assert_times(fake, id, SLICE / 2, 0);
			assert_count(fake, id, 0);
			waiting++;
		} else {
			assert_state(fake, id, PVPMU_STATE_COUNTING);
			assert_times(fake, id, SLICE / 2, SLICE / 2);
		}
	}
	assert_int_equal(waiting, 10 - WIDTH);
}

/*
 * Groups
 */

/* Starts counters of a group at one moment, as a call does. */
static void start_group(u32 from, u32 to, u32 fits, u32 group)
{
	u64 now = m.fake->now;

	pvpmu_sched_hold(&m.sched);
	for (u32 i = from; i < to; i++) {
		pvpmu_sched_create(&m.sched, i, fits, group);
		m.fake->now += 7;
		pvpmu_sched_start(&m.sched, i, 0);
	}
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
	run(SLICE / 2);
	for (u32 i = 4; i < 7; i++) {
		assert_false(reading_of(i).active);
		assert_int_equal(reading_of(i).running, 0);
		assert_int_equal(reading_of(i).count, 0);
	}
	/* One place more, and all of it is there. */
	pvpmu_sched_stop(&m.sched, 0);
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
		leave();
		assert_alike(0, 4);
		assert_alike(4, 8);
		m.fake->now += SLICE;
		enter();
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
	start_group(1, 2, 1u << m.sched.counter[0].phys, 1);
	assert_true(reading_of(0).active && reading_of(1).active);
	run(1000);
	assert_int_equal(reading_of(0).count, 1000);
	assert_alike(0, 2);
	stop_counters(0, 2);
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
			pvpmu_sched_create(&m.sched, j, fits[j], 1);
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
			pvpmu_sched_create(&m.sched, c, rand() % 7 ? ANY : 0,
					   group[c]);
			pvpmu_sched_start(&m.sched, c, 0);
			started[c] = true;
		}
		if (rand() % 3)
			step((u64)rand() % SLICE, 10);
		if (rand() % 5 == 0) {
			leave();
			m.fake->now += 1000;
			enter();
		}
		for (u32 j = 0; j < N; j++)
			used += started[j] && reading_of(j).active &&
				m.sched.counter[j].fits;
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
				needs += m.sched.counter[k].fits != 0;
			}
			if (!reading_of(j).active)
				assert_true(used + needs > WIDTH);
		}
	}
	for (u32 i = 0; i < N; i++)
		if (started[i])
			pvpmu_sched_stop(&m.sched, i);
}

#define SCHED(test) cmocka_unit_test_setup_teardown(test, begin, unit_end)

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
		SCHED(a_group_that_does_not_fit_waits_as_a_whole),
		SCHED(two_groups_of_six_have_half_each),
		SCHED(groups_of_all_sizes_have_their_turns),
		SCHED(groups_take_turns_over_context_switches),
		SCHED(what_needs_no_place_waits_with_its_group),
		SCHED(a_member_that_stops_leaves_the_others),
		SCHED(a_group_moves_for_a_member_that_has_no_choice),
		SCHED(time_can_be_held),
		SCHED(a_group_that_waits_loses_no_sample),
		SCHED(a_group_larger_than_the_cpu_is_refused),
		SCHED(a_place_is_found_for_all_where_there_is_one),
		SCHED(groups_stay_whole_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
