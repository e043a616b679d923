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
	assert_int_equal(pvg_event_init(&driver->event[0]), -EINVAL);
	n = PVPMU_CACHE(PVPMU_CACHE_LL, PVPMU_CACHE_OP_READ, PVPMU_CACHE_MISS);
	driver_attr(driver, 0, PERF_TYPE_HW_CACHE, n, 0);
	assert_taken(&driver->event[0], PVPMU_TYPE_CACHE, n, 0);
}

static void event_that_perf_does_not_have_is_invalid(void **state)
{
	const u64 cache[] = {
		1u << 24,
		PVPMU_CACHE(PVPMU_CACHE_END, 0, 0),
		PVPMU_CACHE(0, PVPMU_CACHE_OP_END, 0),
		PVPMU_CACHE(0, 0, PVPMU_CACHE_RESULT_END),
	};
	struct driver *driver = *state;
	u64 calls = driver->calls;
	u32 i;

	driver_attr(driver, 0, PERF_TYPE_HARDWARE, 9999, 0);
	assert_int_equal(pvg_event_init(&driver->event[0]), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(cache); i++) {
		driver_attr(driver, 0, PERF_TYPE_HW_CACHE, cache[i], 0);
		assert_int_equal(pvg_event_init(&driver->event[0]), -EINVAL);
	}
	assert_int_equal(driver->calls, calls);
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
	driver_attr(driver, 0, 77, INSTRUCTIONS, 0);
	assert_int_equal(pvg_event_init(&driver->event[0]), -ENOENT);
}

static void set_cpu(u8 vendor, u8 family)
{
	boot_cpu_data.x86_vendor = vendor;
	boot_cpu_data.x86 = family;
}

static void assert_raw_is(struct driver *driver, u64 number, u32 type,
			  u64 config)
{
	driver_attr(driver, 0, PERF_TYPE_RAW, number, 0);
	assert_taken(&driver->event[0], type, config, 0);
}

static void assert_raw_is_invalid(struct driver *driver, u64 number)
{
	driver_attr(driver, 0, PERF_TYPE_RAW, number, 0);
	assert_int_equal(pvg_event_init(&driver->event[0]), -EINVAL);
}

/* The numbers of PAPI's presets and of perf's lists by CPU model, which need no
 * permission: the host of this test gives none. */
static void number_of_a_generic_event_is_that_event(void **state)
{
	static const struct {
		u8 vendor;
		u8 family;
		u64 number;
		u32 hardware;
	} same[] = {
		{ X86_VENDOR_AMD, 0x19, 0x76, PVPMU_HW_CYCLES },
		{ X86_VENDOR_AMD, 0x17, 0xc0, PVPMU_HW_INSTRUCTIONS },
		{ X86_VENDOR_AMD, 0x1a, 0xc2, PVPMU_HW_BRANCHES },
		{ X86_VENDOR_AMD, 0x17, 0xc3, PVPMU_HW_BRANCH_MISSES },
		{ X86_VENDOR_AMD, 0x17, 0xff60, PVPMU_HW_CACHE_REFERENCES },
		{ X86_VENDOR_AMD, 0x17, 0x964, PVPMU_HW_CACHE_MISSES },
		{ X86_VENDOR_AMD, 0x10, 0x77d, PVPMU_HW_CACHE_REFERENCES },
		{ X86_VENDOR_AMD, 0x16, 0x77e, PVPMU_HW_CACHE_MISSES },
		{ X86_VENDOR_AMD, 0x0f, 0xd0, PVPMU_HW_STALLED_FRONTEND },
		{ X86_VENDOR_AMD, 0x15, 0xd1, PVPMU_HW_STALLED_BACKEND },
		{ X86_VENDOR_HYGON, 0x18, 0x76, PVPMU_HW_CYCLES },
		{ X86_VENDOR_INTEL, 0x06, 0x3c, PVPMU_HW_CYCLES },
		{ X86_VENDOR_INTEL, 0x06, 0xc0, PVPMU_HW_INSTRUCTIONS },
		{ X86_VENDOR_INTEL, 0x06, 0xc4, PVPMU_HW_BRANCHES },
		{ X86_VENDOR_INTEL, 0x13, 0xc5, PVPMU_HW_BRANCH_MISSES },
		{ X86_VENDOR_INTEL, 0x06, 0x4f2e, PVPMU_HW_CACHE_REFERENCES },
		{ X86_VENDOR_INTEL, 0x06, 0x412e, PVPMU_HW_CACHE_MISSES },
		{ X86_VENDOR_INTEL, 0x06, 0x13c, PVPMU_HW_BUS_CYCLES },
		{ X86_VENDOR_INTEL, 0x06, 0x300, PVPMU_HW_REF_CYCLES },
	};
	struct driver *driver = *state;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(same); i++) {
		set_cpu(same[i].vendor, same[i].family);
		assert_raw_is(driver, same[i].number, PVPMU_TYPE_HARDWARE,
			      same[i].hardware);
	}
}

/* Among them are numbers that say the same on another CPU. */
static void other_numbers_need_permission(void **state)
{
	static const struct {
		u8 vendor;
		u8 family;
		u64 number;
	} other[] = {
		{ X86_VENDOR_AMD, 0x19, 0x3c },
		{ X86_VENDOR_AMD, 0x19, 0x1c2 },
		{ X86_VENDOR_AMD, 0x19, 0x77d },
		{ X86_VENDOR_AMD, 0x19, 0xd0 },
		{ X86_VENDOR_AMD, 0x15, 0xff60 },
		{ X86_VENDOR_AMD, 0x19, 0x1000000c0 },
		{ X86_VENDOR_AMD, 0x05, 0xc0 },
		{ X86_VENDOR_INTEL, 0x06, 0x76 },
		{ X86_VENDOR_INTEL, 0x06, 0x1c4 },
		{ X86_VENDOR_INTEL, 0x0f, 0xc0 },
		{ 77, 0x06, 0xc0 },
	};
	struct driver *driver = *state;
	struct pvpmu_limits limits = driver->fake.vcpu.vm->limits;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(other); i++) {
		set_cpu(other[i].vendor, other[i].family);
		driver_attr(driver, 0, PERF_TYPE_RAW, other[i].number, 0);
		assert_int_equal(pvg_event_init(&driver->event[0]), -ENOENT);
	}
	limits.classes |= PVPMU_CLASS_RAW;
	pvpmu_vm_limit(driver->fake.vcpu.vm, &limits);
	for (i = 0; i < ARRAY_SIZE(other); i++) {
		set_cpu(other[i].vendor, other[i].family);
		assert_raw_is(driver, other[i].number, PVPMU_TYPE_RAW,
			      other[i].number);
	}
}

/* USR, OS, pin control, INT and EN, of which libpfm4 leaves some set */
static void bits_that_the_kernel_sets_are_dropped(void **state)
{
	const u64 own = 1ull << 16 | 1 << 17 | 1 << 19 | 1 << 20 | 1 << 22;
	struct driver *driver = *state;

	assert_raw_is(driver, 0x5300c0, PVPMU_TYPE_HARDWARE, INSTRUCTIONS);
	assert_raw_is(driver, own | 0x76, PVPMU_TYPE_HARDWARE, CYCLES);
	/* Reserved, and GuestOnly and HostOnly */
	assert_raw_is(driver, 1ull << 21 | 3ull << 40 | 0x76,
		      PVPMU_TYPE_HARDWARE, CYCLES);
	set_cpu(X86_VENDOR_INTEL, 6);
	assert_raw_is(driver, own | 0x3c, PVPMU_TYPE_HARDWARE, CYCLES);
}

static void bits_that_make_another_event_are_not(void **state)
{
	struct driver *driver = *state;

	assert_raw_is_invalid(driver, 1ull << 18 | 0x76);
	assert_raw_is_invalid(driver, 1ull << 23 | 0x76);
	assert_raw_is_invalid(driver, 1ull << 24 | 0x76);
	assert_raw_is_invalid(driver, 1ull << 31 | 0x76);
	set_cpu(X86_VENDOR_INTEL, 6);
	assert_raw_is_invalid(driver, 1ull << 21 | 0x3c);
	assert_raw_is_invalid(driver, 1ull << 32 | 0x3c);
	assert_raw_is_invalid(driver, 1ull << 40 | 0x3c);
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
	event->attr.exclude_kernel = 0;
	event->attr.exclude_user = 1;
	assert_taken(event, HW, INSTRUCTIONS, PVPMU_FLAG_EXCLUDE_USER);
	driver->fake.caps &= ~PVPMU_CAP_EXCLUDE_USER;
	assert_int_equal(pvg_event_init(event), -EOPNOTSUPP);
	event->attr.exclude_user = 0;
	event->attr.exclude_kernel = 1;
	driver->fake.caps &= ~PVPMU_CAP_EXCLUDE_KERNEL;
	assert_int_equal(pvg_event_init(event), -EOPNOTSUPP);
}

/* x86 does nothing about it, and a task is not idle. */
static void leaving_out_idle_changes_nothing(void **state)
{
	struct driver *driver = *state;
	struct perf_event *event = hardware(driver);

	event->attr.exclude_idle = 1;
	assert_taken(event, HW, INSTRUCTIONS, 0);
}

/* All the same to perf as any other, but the host never hears of it. */
static void assert_counts_nothing(struct driver *driver)
{
	struct perf_event *event = &driver->event[0];
	u64 calls;

	assert_int_equal(pvg_event_init(event), 0);
	driver_event(driver, 1, CYCLES, 0);
	calls = driver->calls;
	driver_sched(driver, 0, 1);
	driver_run(driver, 10, 100);
	assert_int_equal(driver_read(driver, 0), 0);
	driver_freq_tick(driver, 0);
	driver_unthrottle(driver, 0);
	driver_sched(driver, 1, 0);
	assert_int_equal(driver->calls, calls);
	assert_int_equal(event->total_time_running, 10);
	/* Neither does another one hear of it. */
	driver_sched(driver, 0, 3);
	driver_run(driver, 10, 100);
	assert_int_equal(driver_read(driver, 1), 100);
	assert_int_equal(driver_read(driver, 0), 0);
	driver_sched(driver, 3, 0);
	assert_int_equal(local64_read(&event->count), 0);
}

static void event_that_leaves_out_all_counts_nothing(void **state)
{
	struct driver *driver = *state;
	struct perf_event *event = hardware(driver);

	/* As of "cycles:h", whatever the host can filter. */
	driver->fake.caps &= ~PVPMU_CAP_EXCLUDE_USER;
	event->attr.exclude_user = 1;
	event->attr.exclude_kernel = 1;
	assert_counts_nothing(driver);
	driver_attr(driver, 0, PERF_TYPE_HARDWARE, INSTRUCTIONS, 5000);
	event->attr.exclude_host = 1;
	event->attr.exclude_guest = 1;
	assert_counts_nothing(driver);
	/* What does not exist does not count nothing. */
	driver_attr(driver, 0, PERF_TYPE_HARDWARE, 9999, 0);
	event->attr.exclude_user = 1;
	event->attr.exclude_kernel = 1;
	assert_int_equal(pvg_event_init(event), -EINVAL);
}

static void guest_without_guests_has_nothing_of_theirs(void **state)
{
	struct driver *driver = *state;
	struct perf_event *event = hardware(driver);

	driver->fake.caps &= ~(PVPMU_CAP_EXCLUDE_GUEST | PVPMU_CAP_EXCLUDE_HOST);
	event->attr.exclude_guest = 1;
	assert_taken(event, HW, INSTRUCTIONS, 0);
	driver_attr(driver, 0, PERF_TYPE_HARDWARE, INSTRUCTIONS, 0);
	event->attr.exclude_host = 1;
	assert_counts_nothing(driver);
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
	event->attr.exclude_guest = 0;
	assert_taken(event, HW, INSTRUCTIONS, PVPMU_FLAG_EXCLUDE_HOST);
	driver->fake.caps &= ~PVPMU_CAP_EXCLUDE_HOST;
	assert_int_equal(pvg_event_init(event), -EOPNOTSUPP);
	/* The clock tells of the CPU, whoever had it. */
	driver_attr(driver, 0, PERF_TYPE_RAW, (u64)PVPMU_TYPE_CLOCK << 56, 0);
	event->attr.exclude_guest = 1;
	assert_taken(event, PVPMU_TYPE_CLOCK, PVPMU_CLOCK_VCPU, 0);
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

/* What the PMU in hardware does not have is not had from us unasked. */
static void beside_hardware_only_own_names_are_served(void **state)
{
	const u64 hardware = (u64)PVPMU_TYPE_HARDWARE << 56;
	struct driver *driver = *state;
	u64 calls = driver->calls;

	assert_string_equal(pvg_pmu.name, "pvpmu");
	assert_false(pvg_pmu.capabilities & PERF_PMU_CAP_EXTENDED_HW_TYPE);
	driver_attr(driver, 0, PERF_TYPE_HARDWARE, CYCLES, 0);
	assert_int_equal(pvg_event_init(&driver->event[0]), -ENOENT);
	driver_attr(driver, 0, PERF_TYPE_HW_CACHE, 0, 0);
	assert_int_equal(pvg_event_init(&driver->event[0]), -ENOENT);
	driver_attr(driver, 0, PERF_TYPE_HARDWARE, 9999, 0);
	assert_int_equal(pvg_event_init(&driver->event[0]), -ENOENT);
	driver_attr(driver, 0, PERF_TYPE_RAW, 0xc0, 0);
	assert_int_equal(pvg_event_init(&driver->event[0]), -ENOENT);
	assert_int_equal(driver->calls, calls);
	driver_attr(driver, 0, DRIVER_TYPE, hardware | CYCLES, 0);
	assert_taken(&driver->event[0], PVPMU_TYPE_HARDWARE, CYCLES, 0);
}

/* An attribute that tools see in the PMU's folder, or NULL */
static struct attribute *attribute(const char *name)
{
	const struct attribute_group **group;
	struct attribute **attr;

	for (group = pvg_groups; *group; group++)
		for (attr = (*group)->attrs; *attr; attr++)
			if (!(*group)->name && !strcmp((*attr)->name, name) &&
			    (!(*group)->is_visible ||
			     (*group)->is_visible(NULL, *attr, 0)))
				return *attr;
	return NULL;
}

/* perf opens the events of a PMU with a cpumask on those CPUs, and not for the
 * task, which they are not for. */
static void beside_hardware_tools_count_whole_cpus(void **state)
{
	struct device_attribute *mask;
	char text[8];

	(void)state;
	assert_non_null(attribute("cpumask"));
	mask = container_of(attribute("cpumask"), struct device_attribute,
			    attr);
	mask->show(NULL, mask, text);
	assert_string_equal(text, "0-1\n");
	/* RDPMC is for events of tasks. */
	assert_null(attribute("rdpmc"));
}

static void alone_tools_count_tasks(void **state)
{
	(void)state;
	assert_null(attribute("cpumask"));
	assert_non_null(attribute("rdpmc"));
}

static int end(void **state)
{
	set_cpu(X86_VENDOR_AMD, 0x19);
	boot_cpu_data.features &= ~BIT(X86_FEATURE_SVM);
	return driver_end(state);
}

#define DRIVER(test) cmocka_unit_test_setup_teardown(test, driver_begin, end)

#define BESIDE(test) \
	cmocka_unit_test_setup_teardown(test, driver_begin_beside, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DRIVER(generic_events_have_the_same_numbers),
		DRIVER(event_that_perf_does_not_have_is_invalid),
		DRIVER(own_events_have_a_class),
		DRIVER(number_of_a_generic_event_is_that_event),
		DRIVER(other_numbers_need_permission),
		DRIVER(bits_that_the_kernel_sets_are_dropped),
		DRIVER(bits_that_make_another_event_are_not),
		DRIVER(event_that_the_host_does_not_offer_is_not_ours),
		DRIVER(without_a_host_or_switched_off_there_is_none),
		DRIVER(child_is_what_its_parent_is),
		DRIVER(filters_are_honoured_or_refused),
		DRIVER(leaving_out_idle_changes_nothing),
		DRIVER(event_that_leaves_out_all_counts_nothing),
		DRIVER(guest_without_guests_has_nothing_of_theirs),
		DRIVER(guest_with_guests_tells_them_apart_or_refuses),
		DRIVER(what_no_sample_here_has_is_refused),
		DRIVER(period_is_no_shorter_than_the_host_takes),
		DRIVER(group_that_could_never_run_is_refused),
		BESIDE(beside_hardware_only_own_names_are_served),
		BESIDE(beside_hardware_tools_count_whole_cpus),
		DRIVER(alone_tools_count_tasks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
