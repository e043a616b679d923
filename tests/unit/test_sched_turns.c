// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Whose turn it is, whatever a guest does: tasks that switch and fork, halts,
 * limits.  What is measured is only what each event was given.
 */
#include <stdlib.h>

#include <pvpmu/turns.h>

#include "unit.h"

#define WIDTH 6u
#define ANY ((1u << WIDTH) - 1)
#define MOST PVPMU_TURN_LONGEST
#define EVENTS 20u
#define TASKS 3u
#define NONE PVPMU_MAX_COUNTERS

/**
 * struct event - what a guest has open, or had
 * @counter: its counter
 * @group: the group it is in, 0 for none
 * @started: it counts, or waits
 * @enabled: vCPU time that it was started
 * @running: vCPU time that it had a turn
 * @waited: vCPU time that it waits, without those when it was stopped
 * @given: what each other event was given meanwhile
 */
struct event {
	u32 counter;
	u32 group;
	bool started;
	u64 enabled;
	u64 running;
	u64 waited;
	u64 given[EVENTS];
};

static struct {
	struct pvpmu_turns turns;
	struct event event[EVENTS];
	u32 task[TASKS];
	u64 now;
	u64 clock;
	u64 due;
	u64 longest;
} g;

static int begin(void **state)
{
	(void)state;
	memset(&g, 0, sizeof(g));
	g.clock = 1000 * MOST;
	g.due = ~0ull;
	pvpmu_turns_init(&g.turns, g.clock);
	for (u32 i = 0; i < EVENTS; i++)
		g.event[i].counter = NONE;
	srand(1);
	return 0;
}

static u32 any(u32 n)
{
	return (u32)rand() % n;
}

static bool counts(u32 i)
{
	return g.turns.placed & 1ull << g.event[i].counter;
}

/* As core does it: the lowest index that is not in use. */
static u32 vacant(void)
{
	u64 used = 0;

	for (u32 i = 0; i < EVENTS; i++)
		if (g.event[i].counter != NONE)
			used |= 1ull << g.event[i].counter;
	return (u32)__builtin_ctzll(~used);
}

static void create(u32 i)
{
	const struct pvpmu_desc desc = { .type = PVPMU_TYPE_RAW,
					 .config = i,
					 .group = g.event[i].group };

	g.event[i].counter = NONE;
	g.event[i].counter = vacant();
	pvpmu_turns_create(&g.turns, g.event[i].counter, &desc, ANY);
}

static void start(u32 i)
{
	if (g.event[i].started)
		return;
	if (g.event[i].counter == NONE)
		create(i);
	pvpmu_turns_start(&g.turns, g.event[i].counter, g.now);
	g.event[i].started = true;
}

static void stop(u32 i)
{
	if (!g.event[i].started)
		return;
	pvpmu_turns_stop(&g.turns, g.event[i].counter, g.now);
	g.event[i].started = false;
}

/* And sets the timer. */
static void arrange(void)
{
	u64 left;

	pvpmu_turns_arrange(&g.turns, g.now, g.clock);
	left = pvpmu_turns_left(&g.turns);
	g.due = left ? g.now + left : ~0ull;
}

/* The events of @task and no others, in one call. */
static void switch_to(u32 task)
{
	for (u32 i = 0; i < EVENTS; i++)
		if (!(g.task[task] & 1u << i))
			stop(i);
	/* In any order, as ids come. */
	for (u32 n = 0, i = any(EVENTS); n < EVENTS; n++, i = (i + 1) % EVENTS)
		if (g.task[task] & 1u << i)
			start(i);
	arrange();
}

/* A child has the same events, on counters of its own. */
static void fork_events(void)
{
	for (u32 i = 0; i < EVENTS; i++) {
		if (!g.event[i].started)
			continue;
		stop(i);
		create(i);
		start(i);
	}
	arrange();
}

/* Another limit: some have to do without. */
static void limit(u32 task)
{
	for (u32 i = 0; i < EVENTS; i++)
		if (g.event[i].started && !any(4))
			stop(i);
		else if (g.task[task] & 1u << i && !any(2))
			start(i);
	arrange();
}

static void account(u64 ns)
{
	for (u32 i = 0; i < EVENTS; i++) {
		struct event *e = &g.event[i];

		if (!e->started)
			continue;
		e->enabled += ns;
		if (counts(i)) {
			e->running += ns;
			e->waited = 0;
			memset(e->given, 0, sizeof(e->given));
			continue;
		}
		e->waited += ns;
		for (u32 j = 0; j < EVENTS; j++)
			if (g.event[j].started && counts(j))
				e->given[j] += ns;
	}
}

/* The vCPU runs; the timer comes when it was asked for. */
static void run(u64 ns)
{
	while (ns) {
		u64 left = g.due - g.now;
		u64 step = left < ns ? left : ns;

		account(step);
		g.now += step;
		g.clock += step;
		ns -= step;
		if (step == left)
			arrange();
	}
}

static void halt(u64 ns)
{
	g.clock += ns;
	arrange();
}

static u32 started(void)
{
	u32 n = 0;

	for (u32 i = 0; i < EVENTS; i++)
		n += g.event[i].started;
	return n;
}

/* No place is vacant that somebody waits for. */
static void all_places_are_used(void)
{
	u32 used = 0;

	for (u32 i = 0; i < EVENTS; i++)
		used += g.event[i].started && counts(i);
	assert_int_equal(used, started() < WIDTH ? started() : WIDTH);
}

/*
 * While one waits, each of its rivals has one turn at most, which may be longer
 * by what an earlier one was cut short.  So it does not wait for more turns
 * than it has rivals, though WIDTH of these go on side by side.
 */
static void nobody_waits_longer_than_for_its_rivals(void)
{
	for (u32 i = 0; i < EVENTS; i++) {
		const struct event *e = &g.event[i];
		u32 rivals = 0;

		for (u32 j = 0; j < EVENTS; j++) {
			rivals += e->given[j] != 0;
			assert_true(e->given[j] <=
				    2 * MOST + PVPMU_TURN_SHORTEST);
		}
		assert_true(e->waited <= rivals * MOST);
		if (e->waited > g.longest)
			g.longest = e->waited;
	}
}

static void check(void)
{
	all_places_are_used();
	nobody_waits_longer_than_for_its_rivals();
}

static void something_happens(u32 task)
{
	switch (any(8)) {
	case 0:
		halt(any(2) ? any(1000000) : any(200000000));
		break;
	case 1:
		fork_events();
		break;
	case 2:
		limit(task);
		break;
	case 3:
	case 4:
		switch_to(any(TASKS));
		break;
	default:
		run(any(3) ? any(300000) : any(9000000));
	}
}

static void nobody_waits_for_ever_whatever_happens(void **state)
{
	(void)state;
	for (u32 round = 0; round < 30; round++) {
		begin(NULL);
		srand(round + 1);
		for (u32 t = 0; t < TASKS; t++)
			g.task[t] = (u32)rand() & ((1u << EVENTS) - 1);
		for (u32 i = 0; i < 4000; i++) {
			something_happens(any(TASKS));
			check();
		}
		/* Otherwise there was nothing to see. */
		assert_true(g.longest > MOST / 2);
	}
}

/* All of them have the share that there is for each, in percent. */
static void assert_shares(u32 mask, u32 least, u32 most)
{
	for (u32 i = 0; i < EVENTS; i++)
		if (mask & 1u << i)
			assert_in_range(100 * g.event[i].running /
						g.event[i].enabled,
					least, most);
}

static void forget_shares(void)
{
	for (u32 i = 0; i < EVENTS; i++)
		g.event[i].running = g.event[i].enabled = 0;
}

#define FIRST(n) ((1u << (n)) - 1)

/* The same events of tasks that take turns faster than the counters do */
static void tasks_that_switch_share_their_turns(void **state)
{
	(void)state;
	g.task[0] = g.task[1] = FIRST(12);
	for (u32 i = 0; i < 4000; i++) {
		switch_to(i % 2);
		run(300000 + any(500000));
	}
	assert_shares(FIRST(12), 48, 52);
}

/* Other events, and each switch comes right before a turn ends. */
static void a_switch_does_not_take_a_turn_away(void **state)
{
	const u64 slices[] = { MOST - 10000, 10000, MOST, MOST / 3 };

	(void)state;
	g.task[0] = FIRST(8);
	g.task[1] = FIRST(20) & ~FIRST(8);
	for (u32 i = 0; i < 8000; i++) {
		switch_to(i % 2);
		run(slices[i / 2000]);
	}
	assert_shares(FIRST(8), 70, 80);
	assert_shares(FIRST(20) & ~FIRST(8), 46, 54);
}

static void children_go_on_where_the_order_stands(void **state)
{
	(void)state;
	g.task[0] = FIRST(12);
	switch_to(0);
	for (u32 i = 0; i < 4000; i++) {
		run(any(400000));
		fork_events();
	}
	assert_shares(FIRST(12), 48, 52);
}

/* Groups have another number each time that they are opened. */
static void groups_go_on_where_the_order_stands(void **state)
{
	u32 number = 0;

	(void)state;
	for (u32 i = 0; i < 3000; i++) {
		for (u32 e = 0; e < 18; e++) {
			stop(e);
			if (e % 6 == 0)
				number++;
			g.event[e].group = number;
			create(e);
		}
		for (u32 e = 0; e < 18; e++)
			start(e);
		arrange();
		run(any(400000));
	}
	assert_shares(FIRST(18), 31, 36);
}

/* A second of some short moments: each event sees its part of it. */
static void an_idle_second_is_shared(void **state)
{
	(void)state;
	g.task[0] = FIRST(12);
	switch_to(0);
	for (u32 second = 0; second < 50; second++) {
		forget_shares();
		for (u32 i = 0; i < 8; i++) {
			halt(120000000);
			run(20000 + any(60000));
		}
		halt(40000000);
		run(1300000);
		assert_shares(FIRST(12), 35, 65);
	}
}

/* A vCPU that was busy is idle soon. */
static void an_idle_second_after_work_is_shared(void **state)
{
	(void)state;
	g.task[0] = FIRST(12);
	switch_to(0);
	run(101000000);
	for (u32 second = 0; second < 4; second++) {
		forget_shares();
		halt(500000000);
		run(700000);
		halt(500000000);
		run(700000);
		assert_shares(FIRST(12), 30, 70);
	}
}

/* Moments of one length, and of another, in turns */
static void moments_in_step_with_the_turns_are_shared(void **state)
{
	(void)state;
	g.task[0] = FIRST(12);
	switch_to(0);
	for (u32 i = 0; i < 2000; i++) {
		halt(100000000);
		run(i % 2 ? 90000 : 10000);
	}
	assert_shares(FIRST(12), 48, 52);
}

/*
 * Busy half of the time, and what it does changes every 10 ms: what is counted
 * of each, scaled, is what was done of it.
 */
static void a_load_that_changes_is_estimated_right(void **state)
{
	u64 done = 0, counted[12] = { 0 };

	(void)state;
	g.task[0] = FIRST(12);
	switch_to(0);
	for (u32 i = 0; i < 2000; i++) {
		u32 rate = i % 2 ? 1 : 9;

		for (u32 ms = 0; ms < 5; ms++) {
			u64 before[12];

			for (u32 e = 0; e < 12; e++)
				before[e] = g.event[e].running;
			run(1000000);
			done += rate * 1000000;
			for (u32 e = 0; e < 12; e++)
				counted[e] += rate * (g.event[e].running -
						      before[e]);
		}
		halt(5000000);
	}
	for (u32 e = 0; e < 12; e++) {
		u64 scaled = counted[e] * 1000 / g.event[e].running *
			     (g.event[e].enabled / 1000);

		assert_in_range(100 * scaled / done, 97, 103);
	}
}

/* All of them have a group that takes all: nobody else's turn is in its way. */
static void a_group_that_takes_all_has_its_turns(void **state)
{
	(void)state;
	for (u32 e = 0; e < 6; e++)
		g.event[e].group = 1;
	g.task[0] = FIRST(6);
	g.task[1] = FIRST(10);
	g.task[2] = FIRST(14);
	for (u32 i = 0; i < 4000; i++) {
		switch_to(any(TASKS));
		run(any(2000000));
	}
	for (u32 e = 1; e < 6; e++)
		assert_true(g.event[e].running == g.event[0].running);
	assert_in_range(100 * g.event[0].running / g.event[0].enabled, 50, 75);
	for (u32 e = 6; e < 14; e++)
		assert_in_range(100 * g.event[e].running / g.event[e].enabled,
				25, 70);
}

/* Two samplers of one event: the second goes on with the turn of the first, which
 * comes after it then. */
static void a_turn_is_passed_on_once(void **state)
{
	const struct pvpmu_desc desc = { .type = PVPMU_TYPE_RAW,
					 .sampling = true };

	(void)state;
	pvpmu_turns_create(&g.turns, 0, &desc, 1);
	pvpmu_turns_start(&g.turns, 0, g.now);
	pvpmu_turns_stop(&g.turns, 0, g.now);
	pvpmu_turns_create(&g.turns, 1, &desc, 1);
	pvpmu_turns_start(&g.turns, 0, g.now);
	pvpmu_turns_start(&g.turns, 1, g.now);
	arrange();
	assert_int_equal(g.turns.placed, 2);
	for (u32 i = 0; i < 10; i++) {
		run(g.due - g.now);
		assert_int_equal(g.turns.placed, i % 2 ? 2 : 1);
	}
}

#define TURNS(test) cmocka_unit_test_setup(test, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TURNS(nobody_waits_for_ever_whatever_happens),
		TURNS(tasks_that_switch_share_their_turns),
		TURNS(a_switch_does_not_take_a_turn_away),
		TURNS(children_go_on_where_the_order_stands),
		TURNS(groups_go_on_where_the_order_stands),
		TURNS(an_idle_second_is_shared),
		TURNS(an_idle_second_after_work_is_shared),
		TURNS(moments_in_step_with_the_turns_are_shared),
		TURNS(a_load_that_changes_is_estimated_right),
		TURNS(a_group_that_takes_all_has_its_turns),
		TURNS(a_turn_is_passed_on_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
