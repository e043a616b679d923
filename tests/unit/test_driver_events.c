// SPDX-License-Identifier: GPL-2.0
/* perf's descriptions of events: which the Linux driver takes, and as what */
#include "driver.h"

static struct perf_event *hardware(struct driver *driver)
{
	driver_attr(driver, 0, PERF_TYPE_HARDWARE, INSTRUCTIONS, 0);
	return &driver->event[0];
}

static void assert_taken(struct perf_event *event, u32 type, u64 config,
			 u32 flags)
{
	assert_int_equal(pvg_event_init(event), 0);
	assert_int_equal(pvg_type(&event->hw), type);
	assert_int_equal(pvg_config(&event->hw), config);
	assert_int_equal(pvg_flags(&event->hw), flags);
	assert_int_equal(pvg_id(&event->hw), -1);
}

static void generic_events_have_the_same_numbers(void **state)
{
	struct driver *driver = *state;
	u64 n;

	for (n = 0; n < PVPMU_HW_END; n++) {
		driver_attr(driver, 0, PERF_TYPE_HARDWARE, n, 0);
		assert_taken(&driver->event[0], PVPMU_TYPE_HARDWARE, n, 0);
	}
	driver_attr(driver, 0, PERF_TYPE_HARDWARE, n, 0);
	assert_int_equal(pvg_event_init(&driver->event[0]), -ENOENT);
	n = PVPMU_CACHE(PVPMU_CACHE_LL, PVPMU_CACHE_OP_READ, PVPMU_CACHE_MISS);
	driver_attr(driver, 0, PERF_TYPE_HW_CACHE, n, 0);
	assert_taken(&driver->event[0], PVPMU_TYPE_CACHE, n, 0);
	driver_attr(driver, 0, PERF_TYPE_HW_CACHE, 1u << 24, 0);
	assert_int_equal(pvg_event_init(&driver->event[0]), -EINVAL);
}

static void own_events_have_a_class(void **state)
{
	struct driver *driver = *state;
	const u64 clock = (u64)PVPMU_TYPE_CLOCK << 56;

	driver_attr(driver, 0, PERF_TYPE_RAW, clock | PVPMU_CLOCK_VCPU, 0);
	assert_taken(&driver->event[0], PVPMU_TYPE_CLOCK, PVPMU_CLOCK_VCPU, 0);
	driver_attr(driver, 0, PERF_TYPE_RAW, clock | 1ull << 40, 0);
	assert_int_equal(pvg_event_init(&driver->event[0]), -EINVAL);
	driver_attr(driver, 0, PERF_TYPE_RAW, 9ull << 56, 0);
	assert_int_equal(pvg_event_init(&driver->event[0]), -EINVAL);
	/* Of the CPU's own numbers no bit but those of an event. */
	driver_attr(driver, 0, PERF_TYPE_RAW, 1ull << 20, 0);
	assert_int_equal(pvg_event_init(&driver->event[0]), -EINVAL);
	driver_attr(driver, 0, 77, INSTRUCTIONS, 0);
	assert_int_equal(pvg_event_init(&driver->event[0]), -ENOENT);
}

static void event_that_the_host_does_not_offer_is_not_ours(void **state)
{
	struct driver *driver = *state;
	struct perf_event *event = hardware(driver);

	driver->fake.caps = 0;
	assert_int_equal(pvg_event_init(event), -ENOENT);
}

static void without_a_host_or_switched_off_there_is_none(void **state)
{
	struct driver *driver = *state;
	struct perf_event *event = hardware(driver);

	driver->off = true;
	assert_int_equal(pvg_event_init(event), -ENXIO);
	driver->off = false;
	driver->absent = true;
	assert_int_equal(pvg_event_init(event), -ENXIO);
}

static void child_is_what_its_parent_is(void **state)
{
	struct driver *driver = *state;
	struct perf_event *parent = hardware(driver);
	u64 calls;

	assert_int_equal(pvg_event_init(parent), 0);
	driver_attr(driver, 1, PERF_TYPE_HARDWARE, INSTRUCTIONS, 0);
	driver->event[1].parent = parent;
	driver->off = true;
	calls = driver->calls;
	assert_taken(&driver->event[1], PVPMU_TYPE_HARDWARE, INSTRUCTIONS, 0);
	assert_int_equal(driver->calls, calls);
}

static void filters_are_honoured_or_refused(void **state)
{
	struct driver *driver = *state;
	struct perf_event *event = hardware(driver);

	event->attr.exclude_kernel = 1;
	assert_taken(event, HW, INSTRUCTIONS, PVPMU_FLAG_EXCLUDE_KERNEL);
	event->attr.exclude_user = 1;
	assert_int_equal(pvg_event_init(event), -EINVAL);
	event->attr.exclude_kernel = 0;
	assert_taken(event, HW, INSTRUCTIONS, PVPMU_FLAG_EXCLUDE_USER);
	driver->fake.caps &= ~PVPMU_CAP_EXCLUDE_USER;
	assert_int_equal(pvg_event_init(event), -EOPNOTSUPP);
	event->attr.exclude_user = 0;
	event->attr.exclude_idle = 1;
	assert_int_equal(pvg_event_init(event), -EOPNOTSUPP);
}

static void guest_without_guests_leaves_out_none(void **state)
{
	struct driver *driver = *state;
	struct perf_event *event = hardware(driver);

	driver->fake.caps &= ~PVPMU_CAP_EXCLUDE_GUEST;
	event->attr.exclude_guest = 1;
	assert_taken(event, HW, INSTRUCTIONS, 0);
}

static void guest_with_guests_tells_them_apart_or_refuses(void **state)
{
	struct driver *driver = *state;
	struct perf_event *event = hardware(driver);

	boot_cpu_data.features |= BIT(X86_FEATURE_SVM);
	event->attr.exclude_guest = 1;
	assert_taken(event, HW, INSTRUCTIONS, PVPMU_FLAG_EXCLUDE_GUEST);
	/* The error upon which perf's tools try without. */
	driver->fake.caps &= ~PVPMU_CAP_EXCLUDE_GUEST;
	assert_int_equal(pvg_event_init(event), -EINVAL);
	event->attr.exclude_host = 1;
	assert_int_equal(pvg_event_init(event), -EINVAL);
	event->attr.exclude_guest = 0;
	assert_taken(event, HW, INSTRUCTIONS, PVPMU_FLAG_EXCLUDE_HOST);
	driver->fake.caps &= ~PVPMU_CAP_EXCLUDE_HOST;
	assert_int_equal(pvg_event_init(event), -EOPNOTSUPP);
	/* The clock tells of the CPU, whoever had it. */
	driver_attr(driver, 0, PERF_TYPE_RAW, (u64)PVPMU_TYPE_CLOCK << 56, 0);
	event->attr.exclude_guest = 1;
	assert_taken(event, PVPMU_TYPE_CLOCK, PVPMU_CLOCK_VCPU, 0);
	boot_cpu_data.features &= ~BIT(X86_FEATURE_SVM);
}

static void what_no_sample_here_has_is_refused(void **state)
{
	struct driver *driver = *state;
	struct perf_event *event = hardware(driver);

	event->attr.precise_ip = 1;
	assert_int_equal(pvg_event_init(event), -EOPNOTSUPP);
	event->attr.precise_ip = 0;
	event->attr.branch_sample_type = 1;
	assert_int_equal(pvg_event_init(event), -EOPNOTSUPP);
	event->attr.branch_sample_type = 0;
	driver->fake.caps &= ~PVPMU_CAP_SAMPLE;
	assert_int_equal(pvg_event_init(event), 0);
	event->hw.sample_period = 5000;
	assert_int_equal(pvg_event_init(event), -EOPNOTSUPP);
}

static void period_is_no_shorter_than_the_host_takes(void **state)
{
	struct driver *driver = *state;

	driver_attr(driver, 0, PERF_TYPE_HARDWARE, INSTRUCTIONS, 1);
	assert_int_equal(pvg_event_init(&driver->event[0]), 0);
	assert_int_equal(driver->event[0].hw.sample_period, 1000);
	driver_attr(driver, 0, PERF_TYPE_RAW, (u64)PVPMU_TYPE_CLOCK << 56, 1);
	assert_int_equal(pvg_event_init(&driver->event[0]), 0);
	assert_int_equal(driver->event[0].hw.sample_period, 100000);
}

static void group_that_could_never_run_is_refused(void **state)
{
	struct driver *driver = *state;
	struct perf_event *leader = hardware(driver);
	static struct perf_event sibling[PVPMU_MAX_SLOTS];
	u32 i;

	assert_int_equal(pvg_event_init(leader), 0);
	for (i = 0; i < PVPMU_MAX_SLOTS; i++) {
		sibling[i] = *leader;
		sibling[i].sibling = leader->sibling;
		assert_int_equal(pvg_event_init(&sibling[i]),
				 i + 1 < PVPMU_MAX_SLOTS ? 0 : -EINVAL);
		leader->sibling = &sibling[i];
	}
}

#define DRIVER(test) \
	cmocka_unit_test_setup_teardown(test, driver_begin, driver_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DRIVER(generic_events_have_the_same_numbers),
		DRIVER(own_events_have_a_class),
		DRIVER(event_that_the_host_does_not_offer_is_not_ours),
		DRIVER(without_a_host_or_switched_off_there_is_none),
		DRIVER(child_is_what_its_parent_is),
		DRIVER(filters_are_honoured_or_refused),
		DRIVER(guest_without_guests_leaves_out_none),
		DRIVER(guest_with_guests_tells_them_apart_or_refuses),
		DRIVER(what_no_sample_here_has_is_refused),
		DRIVER(period_is_no_shorter_than_the_host_takes),
		DRIVER(group_that_could_never_run_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
