// SPDX-License-Identifier: GPL-2.0
/*
 * The Linux driver where there is less than perf asks for: an event that the host
 * has no room for comes later, and what can never be is refused when it is opened.
 */
#include <stdlib.h>

#include "driver.h"

#define EVENTS 5u
#define ROTATION (4 * NSEC_PER_MSEC)

static struct pvg_cpu *cpu = &pvg_cpus;

/* What perf does with events of a CPU that do not all fit */
static u32 added, first;

static int begin(void **state)
{
	added = first = 0;
	return driver_begin(state);
}

static void take_away(struct driver *driver)
{
	for_each_id(n, added)
		pvg_pmu.del(&driver->event[n], 0);
	added = 0;
}

/* In one bracket: all go, and those come that there is room for, in order. */
static void add_anew(struct driver *driver, u32 events)
{
	pvg_pmu.pmu_disable(&pvg_pmu);
	take_away(driver);
	for (u32 i = 0; i < events; i++) {
		u32 n = (first + i) % events;

		if (pvg_pmu.add(&driver->event[n], PERF_EF_START))
			break;
		added |= BIT(n);
	}
	pvg_pmu.pmu_enable(&pvg_pmu);
}

static void resched_if_asked(struct driver *driver, u32 events)
{
	while (cpu->resched) {
		cpu->resched = false;
		add_anew(driver, events);
	}
}

static void run(struct driver *driver, u32 events, u32 rotations)
{
	u32 i;

	add_anew(driver, events);
	for (i = 0; i < rotations; i++) {
		resched_if_asked(driver, events);
		driver_run(driver, ROTATION, 1000);
		if (hweight32(added) < events) {
			first = (first + 1) % events;
			add_anew(driver, events);
		}
		if (i % 250 == 249) {
			driver_tick(driver);
			pvg_room_check(cpu, driver->fake.now);
		}
	}
	pvg_pmu.pmu_disable(&pvg_pmu);
	take_away(driver);
	pvg_pmu.pmu_enable(&pvg_pmu);
}

static void limit(struct driver *driver, u32 vcpu, u32 vm)
{
	struct pvpmu_limits limits = driver->fake.vcpu.vm->limits;

	limits.slots_vcpu = vcpu;
	limits.slots_vm = vm;
	pvpmu_vm_limit(driver->fake.vcpu.vm, &limits);
}

/* Each has counted about @percent of what happened. */
static void assert_shares(struct driver *driver, u32 events, u32 rotations,
			  u32 percent)
{
	for (u32 n = 0; n < events; n++)
		assert_in_range(local64_read(&driver->event[n].count) * 100 /
					(1000 * rotations),
				percent - 4, percent + 4);
}

static void events_beyond_the_vms_limit_take_turns(void **state)
{
	struct driver *driver = *state;

	limit(driver, PVPMU_MAX_SLOTS, 1);
	driver_event(driver, 0, INSTRUCTIONS, 0);
	driver_event(driver, 1, CYCLES, 0);
	run(driver, 2, 2500);
	assert_shares(driver, 2, 2500, 50);
}

static void more_than_the_vm_may_have_take_turns(void **state)
{
	struct driver *driver = *state;

	limit(driver, PVPMU_MAX_SLOTS, 2);
	for (u32 n = 0; n < EVENTS; n++)
		driver_event(driver, n, n, 0);
	run(driver, EVENTS, 2500);
	assert_shares(driver, EVENTS, 2500, 40);
}

/* A limit that is lifted is noticed. */
static void all_count_when_there_is_room_again(void **state)
{
	struct driver *driver = *state;

	limit(driver, PVPMU_MAX_SLOTS, 1);
	for (u32 n = 0; n < 3; n++)
		driver_event(driver, n, n, 0);
	run(driver, 3, 1000);
	limit(driver, PVPMU_MAX_SLOTS, 1024);
	run(driver, 3, 2000);
	for (u32 n = 0; n < 3; n++)
		local64_set(&driver->event[n].count, 0);
	run(driver, 3, 250);
	assert_shares(driver, 3, 250, 100);
}

/* The host finds no counter, until it does. */
static bool fails(struct fake *fake)
{
	return fake->calls[FAKE_CREATE] % 3;
}

static void hook(struct fake *fake, enum fake_op op, bool after)
{
	if (op == FAKE_CREATE && !after)
		fake->create_answer = fails(fake) ? PVPMU_LATER : PVPMU_DONE;
}

static void events_that_the_host_finds_no_counter_for_come_later(void **state)
{
	struct driver *driver = *state;

	driver->fake.hook = hook;
	driver_event(driver, 0, INSTRUCTIONS, 0);
	driver_event(driver, 1, CYCLES, 0);
	run(driver, 2, 2500);
	driver->fake.hook = NULL;
	assert_true(local64_read(&driver->event[0].count) > 1000 * 2500 / 4);
	assert_true(local64_read(&driver->event[1].count) > 1000 * 2500 / 4);
}

/* Opens @n events as a group; how many were not refused. */
static u32 open_group(struct driver *driver, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		driver_attr(driver, i, PERF_TYPE_HARDWARE, i, 0);
		driver->event[i].group_leader = &driver->event[0];
		if (pvg_event_init(&driver->event[i]))
			return i;
		if (i) {
			driver->event[i].sibling = driver->event[0].sibling;
			driver->event[0].sibling = &driver->event[i];
		}
	}
	return n;
}

static void group_larger_than_the_limit_is_refused(void **state)
{
	struct driver *driver = *state;

	limit(driver, 3, 1024);
	assert_int_equal(open_group(driver, 5), 3);
}

static void group_that_the_host_cannot_count_is_refused(void **state)
{
	struct driver *driver = *state;
	u64 calls;

	driver->fake.ops.features |= PVPMU_FEAT_GROUPS;
	driver->fake.most = 4;
	driver_lose_host(driver);
	assert_int_equal(pvg_setup(cpu), PVPMU_OK);
	assert_int_equal(open_group(driver, 6), 4);
	/* Nothing of it is left, and no other event has to wait. */
	assert_int_equal(driver->fake.vcpu.open, 0);
	calls = driver->calls;
	driver_event(driver, 7, INSTRUCTIONS, 0);
	driver_sched(driver, 0, BIT(7));
	assert_int_equal(driver->calls, calls + 2);
	driver_run(driver, 10, 100);
	assert_int_equal(driver_read(driver, 7), 100);
	driver_sched(driver, BIT(7), 0);
}

/* Of an event that waits, the turn is still to come: another like it goes on. */
static void event_that_waits_is_succeeded_too(void **state)
{
	struct driver *driver = *state;
	u32 counter, created;

	driver_event(driver, 0, INSTRUCTIONS, 0);
	driver_event(driver, 1, INSTRUCTIONS, 0);
	driver_sched(driver, 0, BIT(0));
	counter = fake_find(&driver->fake, PVPMU_TYPE_HARDWARE, INSTRUCTIONS);
	driver->fake.counter[counter].reading.active = false;
	driver_run(driver, 10, 0);
	assert_int_equal(driver_read(driver, 0), 0);
	created = driver->fake.calls[FAKE_START];
	driver_sched(driver, BIT(0), BIT(1));
	assert_int_equal(driver->fake.calls[FAKE_START], created);
	driver->fake.counter[counter].reading.active = true;
	driver_run(driver, 10, 50);
	assert_int_equal(driver_read(driver, 1), 50);
	driver_sched(driver, BIT(1), 0);
}

#define ROOM(test) cmocka_unit_test_setup_teardown(test, begin, driver_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM(events_beyond_the_vms_limit_take_turns),
		ROOM(more_than_the_vm_may_have_take_turns),
		ROOM(all_count_when_there_is_room_again),
		ROOM(events_that_the_host_finds_no_counter_for_come_later),
		ROOM(group_larger_than_the_limit_is_refused),
		ROOM(group_that_the_host_cannot_count_is_refused),
		ROOM(event_that_waits_is_succeeded_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
