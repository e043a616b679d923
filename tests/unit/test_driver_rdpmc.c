// SPDX-License-Identifier: GPL-2.0
/* Reads by RDPMC through the Linux driver: the page that perf maps, the switch */
#include "driver.h"

static struct perf_event_mmap_page page;
static struct mm_struct mm;

static ssize_t set(const char *text)
{
	return pvg_rdpmc_attr.store(NULL, &pvg_rdpmc_attr, text, strlen(text));
}

static int begin(void **state)
{
	int error = driver_begin(state);
	struct driver *driver = *state;

	driver->fake.ops.features |= PVPMU_FEAT_RDPMC;
	assert_int_equal(pvg_setup(&pvg_cpus), PVPMU_OK);
	memset(&page, 0, sizeof(page));
	memset(&mm, 0, sizeof(mm));
	return error;
}

static int end(void **state)
{
	assert_int_equal(set("0"), 1);
	return driver_end(state);
}

/* An event of the task itself, which has its page mapped. */
static struct perf_event *map(struct driver *driver, u64 period)
{
	struct perf_event *event = &driver->event[0];

	driver_attr(driver, 0, PERF_TYPE_HARDWARE, INSTRUCTIONS, period);
	event->attach_state = PERF_ATTACH_TASK;
	event->hw.target = &shim_task;
	assert_int_equal(pvg_event_init(event), 0);
	event->rb = &page;
	pvg_rdpmc_mapped(event, &mm);
	perf_event_update_userpage(event);
	return event;
}

/* As linux/perf_event.h has it, which is undefined for a width of zero. */
static u64 read_page(struct driver *driver)
{
	u32 unused = 64 - page.pmc_width;
	u64 value;

	assert_true(page.cap_user_rdpmc);
	assert_int_not_equal(page.index, 0);
	assert_in_range(page.pmc_width, 1, 64);
	value = pvpmu_rdpmc(&driver->fake.vcpu, page.index - 1) << unused;
	return (u64)page.offset + (u64)((s64)value >> unused);
}

static void page_tells_how_to_read(void **state)
{
	struct driver *driver = *state;

	assert_int_equal(set("1"), 1);
	map(driver, 0);
	driver_sched(driver, 0, 1);
	driver_run(driver, 10, 1000);
	assert_int_equal(read_page(driver), 1000);
	driver_sched(driver, 1, 0);
	assert_int_equal(page.index, 0);
	assert_int_equal(page.offset, 1000);
	driver_sched(driver, 0, 1);
	driver_run(driver, 10, 500);
	assert_int_equal(read_page(driver), 1500);
	/* What docs/abi.md gives for EDX:EAX */
	assert_int_equal(page.pmc_width, 48);
}

static void width_survives_what_perf_does_by_itself(void **state)
{
	struct driver *driver = *state;
	struct perf_event *event;

	assert_int_equal(set("1"), 1);
	event = map(driver, 0);
	driver_sched(driver, 0, 1);
	/* As at an ioctl(2) */
	perf_event_update_userpage(event);
	driver_run(driver, 10, 1000);
	assert_int_equal(read_page(driver), 1000);
}

static void without_leave_nothing_is_read(void **state)
{
	struct driver *driver = *state;

	map(driver, 0);
	driver_sched(driver, 0, 1);
	assert_false(page.cap_user_rdpmc);
	assert_int_equal(page.index, 0);
	assert_int_equal(mm.context.perf_rdpmc_allowed.value, 0);
	assert_int_equal(driver->pce_updates, 0);
}

static void event_that_samples_is_not_for_users(void **state)
{
	struct driver *driver = *state;

	assert_int_equal(set("1"), 1);
	map(driver, 5000);
	driver_sched(driver, 0, 1);
	assert_false(page.cap_user_rdpmc);
	assert_int_equal(page.index, 0);
}

static void process_may_as_long_as_it_has_a_page(void **state)
{
	struct driver *driver = *state;
	struct perf_event *event;

	assert_int_equal(set("1"), 1);
	event = map(driver, 0);
	assert_int_equal(mm.context.perf_rdpmc_allowed.value, 1);
	assert_int_equal(driver->pce_updates, 1);
	pvg_rdpmc_unmapped(event, &mm);
	assert_int_equal(mm.context.perf_rdpmc_allowed.value, 0);
	assert_int_equal(driver->pce_updates, 2);
}

/* Tools that read so write what they write on hardware. */
static void switch_takes_what_hardware_takes(void **state)
{
	struct driver *driver = *state;
	char text[8];

	assert_int_equal(set("2\n"), 2);
	pvg_rdpmc_attr.show(NULL, &pvg_rdpmc_attr, text);
	assert_string_equal(text, "2\n");
	map(driver, 0);
	assert_true(page.cap_user_rdpmc);
	assert_int_equal(set("1\n"), 2);
	assert_int_equal(set("0\n"), 2);
	assert_int_equal(set("3"), -EINVAL);
	assert_int_equal(set("-1"), -EINVAL);
	assert_int_equal(set("y"), -EINVAL);
	pvg_rdpmc_attr.show(NULL, &pvg_rdpmc_attr, text);
	assert_string_equal(text, "0\n");
}

static void kernel_that_cannot_let_users_refuses(void **state)
{
	struct driver *driver = *state;

	driver->no_pce = true;
	pvg_rdpmc_init();
	assert_int_equal(set("1"), -EOPNOTSUPP);
	assert_int_equal(set("0"), 1);
}

#define RDPMC(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RDPMC(page_tells_how_to_read),
		RDPMC(width_survives_what_perf_does_by_itself),
		RDPMC(without_leave_nothing_is_read),
		RDPMC(event_that_samples_is_not_for_users),
		RDPMC(process_may_as_long_as_it_has_a_page),
		RDPMC(switch_takes_what_hardware_takes),
		RDPMC(kernel_that_cannot_let_users_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
