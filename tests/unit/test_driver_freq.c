// SPDX-License-Identifier: GPL-2.0
/* Frequency mode of the Linux driver, beneath perf's own arithmetic for it */
#include "driver.h"

#define FREQUENCY 1000
/* What is counted in between is one step of the host's time. */
#define STEP_NS 50000
#define STEPS_A_TICK ((u32)(TICK_NSEC / STEP_NS))

static struct hw_perf_event *hw(struct driver *driver)
{
	return &driver->event[0].hw;
}

static void begin(struct driver *driver)
{
	struct perf_event *event = &driver->event[0];

	driver_attr(driver, 0, PERF_TYPE_HARDWARE, CYCLES, 1);
	event->attr.freq = 1;
	event->attr.sample_freq = FREQUENCY;
	assert_int_equal(pvg_event_init(event), 0);
	driver_sched(driver, 0, 1);
}

/* @ms of @rate events a second, with perf's ticks; returns the samples. */
static u64 run(struct driver *driver, u32 ms, u64 rate)
{
	u64 before = driver->samples[0], counted = 0, due = 0;
	u32 i, steps = ms * (u32)(NSEC_PER_MSEC / STEP_NS);

	for (i = 1; i <= steps; i++) {
		due = i * rate / (NSEC_PER_SEC / STEP_NS);
		driver_run(driver, STEP_NS, due - counted);
		counted = due;
		if (i % STEPS_A_TICK == 0)
			driver_freq_tick(driver, 0);
	}
	return driver->samples[0] - before;
}

/* The rate is what was asked for, within a tenth. */
static void assert_settled(struct driver *driver, u64 rate)
{
	assert_in_range(run(driver, 500, rate), 450, 550);
}

static void rate_that_drops_is_followed(void **state)
{
	struct driver *driver = *state;

	begin(driver);
	run(driver, 1500, NSEC_PER_SEC);
	assert_settled(driver, NSEC_PER_SEC);
	/* As many in the first 1.5 s as hardware takes. */
	assert_true(run(driver, 1500, 1000000) > 321);
	assert_settled(driver, 1000000);
}

/* The host takes no period below 1000: more than 10 samples are not to be had,
 * and none less. */
static void rate_below_the_shortest_period_samples_at_that(void **state)
{
	struct driver *driver = *state;

	begin(driver);
	run(driver, 1500, NSEC_PER_SEC);
	run(driver, 2000, 10000);
	assert_in_range(run(driver, 1000, 10000), 9, 11);
}

static void rate_that_rises_is_followed(void **state)
{
	struct driver *driver = *state;

	begin(driver);
	run(driver, 1500, 1000000);
	run(driver, 1000, 100000000);
	assert_settled(driver, 100000000);
}

static void steady_rate_makes_no_call(void **state)
{
	struct driver *driver = *state;
	u64 calls;

	begin(driver);
	run(driver, 1500, 100000000);
	calls = driver->calls;
	run(driver, 1000, 100000000);
	assert_int_equal(driver->calls, calls);
}

/* It cannot sample more often, so it need not be looked at in each tick. */
static void slow_event_makes_few_calls(void **state)
{
	struct driver *driver = *state;
	u64 calls;

	begin(driver);
	run(driver, 2000, 10000);
	calls = driver->calls;
	run(driver, 1000, 10000);
	assert_in_range(driver->calls - calls, 1, 1000 / (8 * 4));
}

/* PERF_EVENT_IOC_RESET, with samples in each tick and in each third */
static void reset_is_no_change_of_rate(void **state)
{
	const u64 rates[] = { 100000000, 100000 };
	struct driver *driver = *state;
	u64 period;
	u32 i;

	begin(driver);
	for (i = 0; i < 2; i++) {
		run(driver, 1500, rates[i]);
		period = hw(driver)->sample_period;
		driver_read(driver, 0);
		local64_set(&driver->event[0].count, 0);
		run(driver, 40, rates[i]);
		assert_in_range(hw(driver)->sample_period, period / 2,
				period * 2);
	}
	assert_in_range(run(driver, 500, 100000), 45, 55);
}

/* inherit_stat: perf swaps the counts of two tasks' events. */
static void count_of_another_event_is_no_change_of_rate(void **state)
{
	struct driver *driver = *state;
	s64 swapped[] = { 1ll << 45, 12345 };
	u64 period;
	u32 i;

	begin(driver);
	run(driver, 1500, 100000000);
	for (i = 0; i < 2; i++) {
		period = hw(driver)->sample_period;
		local64_set(&driver->event[0].count, swapped[i]);
		run(driver, 40, 100000000);
		assert_in_range(hw(driver)->sample_period, period / 2,
				period * 2);
	}
	assert_settled(driver, 100000000);
}

/* What was counted of its last period there goes on being part of the rate. */
static void rate_survives_a_new_host(void **state)
{
	struct driver *driver = *state;
	u64 period;

	begin(driver);
	run(driver, 1500, 100000000);
	period = hw(driver)->sample_period;
	driver_lose_host(driver);
	driver_tick(driver);
	run(driver, 40, 100000000);
	assert_in_range(hw(driver)->sample_period, period / 2, period * 2);
	assert_settled(driver, 100000000);
}

#define DRIVER(test) \
	cmocka_unit_test_setup_teardown(test, driver_begin, driver_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DRIVER(rate_that_drops_is_followed),
		DRIVER(rate_below_the_shortest_period_samples_at_that),
		DRIVER(rate_that_rises_is_followed),
		DRIVER(steady_rate_makes_no_call),
		DRIVER(slow_event_makes_few_calls),
		DRIVER(reset_is_no_change_of_rate),
		DRIVER(count_of_another_event_is_no_change_of_rate),
		DRIVER(rate_survives_a_new_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
