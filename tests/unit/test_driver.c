// SPDX-License-Identifier: GPL-2.0
/*
 * The Linux driver against core: perf's callbacks in, hypercalls out, and NMIs
 * and a host that goes away at any moment in between.
 */
#include <stdlib.h>

#include "driver.h"

static struct pvg_cpu *cpu = &pvg_cpus;

/* The host has on just what perf wants on, and each event all its counts. */
static void assert_agreed(struct driver *driver)
{
	for_each_id(id, cpu->used) {
		struct pvg_slot *slot = &cpu->slot[id];
		u32 state = guest_line(&driver->fake, id)->state;

		assert_int_equal(cpu->closing, 0);
		assert_int_equal(slot->want, slot->on);
		assert_int_equal(slot->on, state == PVPMU_STATE_COUNTING);
	}
}

/* All that an event counted is in a sample or on the way to the next. */
static void assert_weighed(struct driver *driver, u32 n)
{
	struct perf_event *event = &driver->event[n];
	int id = pvg_id(&event->hw);
	u64 since = pvg_since(&event->hw);

	if (id >= 0)
		since += (u64)local64_read(&cpu->slot[id].count) -
			 cpu->slot[id].total;
	assert_int_equal(driver->weight[n] + since,
			 local64_read(&event->count));
}

static void event_counts_from_add_to_del(void **state)
{
	struct driver *driver = *state;

	driver_event(driver, 0, INSTRUCTIONS, 0);
	driver_run(driver, 10, 100);
	driver_sched(driver, 0, 1);
	driver_run(driver, 10, 100);
	assert_int_equal(driver_read(driver, 0), 100);
	driver_run(driver, 10, 100);
	driver_sched(driver, 1, 0);
	driver_run(driver, 10, 100);
	assert_int_equal(local64_read(&driver->event[0].count), 200);
	assert_int_equal(driver->event[0].total_time_running, 20);
	assert_int_equal(cpu->used, 0);
}

static void bracket_is_one_call(void **state)
{
	struct driver *driver = *state;
	u64 calls;
	u32 n;

	for (n = 0; n < DRIVER_EVENTS; n++)
		driver_event(driver, n, n % 6, 0);
	calls = driver->calls;
	driver_sched(driver, 0, 0x0f);
	assert_int_equal(driver->calls, calls + 1);
	driver_sched(driver, 0x0f, 0xf0);
	assert_int_equal(driver->calls, calls + 2);
	driver_sched(driver, 0xf0, 0);
	assert_int_equal(driver->calls, calls + 3);
}

static void same_events_again_are_no_call(void **state)
{
	struct driver *driver = *state;
	u64 calls;

	driver_event(driver, 0, INSTRUCTIONS, 0);
	driver_event(driver, 1, CYCLES, 0);
	driver_sched(driver, 0, 3);
	calls = driver->calls;
	driver_sched(driver, 3, 3);
	assert_int_equal(driver->calls, calls);
	assert_agreed(driver);
}

static void successor_goes_on_in_the_slot(void **state)
{
	struct driver *driver = *state;

	driver_event(driver, 0, INSTRUCTIONS, 0);
	driver_event(driver, 1, INSTRUCTIONS, 0);
	driver_sched(driver, 0, 1);
	driver_run(driver, 10, 100);
	driver_sched(driver, 1, 2);
	assert_int_equal(driver->fake.vcpu.stats.calls[PVPMU_OP_UPDATE], 2);
	driver_run(driver, 10, 50);
	assert_int_equal(local64_read(&driver->event[0].count), 100);
	assert_int_equal(driver_read(driver, 1), 50);
	/* Nothing was opened for it. */
	assert_int_equal(fake_counters(&driver->fake), 1);
	assert_agreed(driver);
}

static void sample_makes_no_call(void **state)
{
	struct driver *driver = *state;
	u64 calls;
	u32 i;

	driver_event(driver, 0, INSTRUCTIONS, 1000);
	driver_sched(driver, 0, 1);
	calls = driver->calls;
	for (i = 0; i < 100; i++)
		driver_run(driver, 1000, 1000);
	assert_int_equal(driver->calls, calls);
	assert_int_equal(driver->samples[0], 100);
	assert_int_equal(driver->weight[0], 100 * 1000);
}

static void samples_weigh_what_was_counted(void **state)
{
	struct driver *driver = *state;
	u32 i;

	driver_event(driver, 0, INSTRUCTIONS, 5000);
	driver_event(driver, 1, INSTRUCTIONS, 7000);
	driver_sched(driver, 0, 3);
	for (i = 1; i < 200; i++) {
		driver_run(driver, 1000, i * 37);
		if (i % 5 == 0)
			driver_sched(driver, 1, 1);
		if (i % 7 == 0)
			driver_sched(driver, 2, 0);
		if (i % 7 == 1 && i > 7)
			driver_sched(driver, 0, 2);
		assert_weighed(driver, 0);
		assert_weighed(driver, 1);
	}
	assert_true(driver->samples[0] > 100);
}

static void throttled_by_perf_is_stopped_at_once(void **state)
{
	struct driver *driver = *state;

	driver_event(driver, 0, INSTRUCTIONS, 1000);
	driver_sched(driver, 0, 1);
	driver->stop_samples = 1;
	driver_run(driver, 1000, 1000);
	driver_run(driver, 1000, 5000);
	assert_int_equal(local64_read(&driver->event[0].count), 1000);
	assert_agreed(driver);
	driver_unthrottle(driver, 0);
	assert_agreed(driver);
	driver_run(driver, 1000, 1000);
	assert_int_equal(driver->samples[0], 2);
}

static void period_ends_where_it_was_reloaded_to_end(void **state)
{
	struct driver *driver = *state;
	struct perf_event *event;

	driver_event(driver, 0, INSTRUCTIONS, 100000);
	event = &driver->event[0];
	driver_sched(driver, 0, 1);
	driver_run(driver, 1000, 30000);
	driver_reload(driver, 0, 2000);
	driver_run(driver, 1000, 1999);
	assert_int_equal(driver->samples[0], 0);
	driver_run(driver, 1000, 1);
	assert_int_equal(driver->samples[0], 1);
	assert_int_equal(driver->weight[0], 32000);
	/* Who stops and starts it only goes on in the period. */
	driver_run(driver, 1000, 99000);
	pvg_pmu.stop(event, PERF_EF_UPDATE);
	pvg_pmu.start(event, PERF_EF_RELOAD);
	driver_run(driver, 1000, 1000);
	assert_int_equal(driver->samples[0], 2);
	assert_weighed(driver, 0);
}

/* All of it, and nothing of what was no sample. */
static void perf_hears_what_samples_take(void **state)
{
	struct driver *driver = *state;

	driver->sample_ns = 300;
	driver_event(driver, 0, INSTRUCTIONS, 1000);
	driver_event(driver, 1, CYCLES, 1000);
	driver_event(driver, 2, BRANCHES, 0);
	driver_sched(driver, 0, 1 | 4);
	driver_run(driver, 1000, 999);
	assert_int_equal(driver->took, 0);
	driver_run(driver, 1000, 1);
	assert_int_equal(driver->took, 300);
	driver_sched(driver, 0, 2);
	driver_run(driver, 1000, 1000);
	assert_int_equal(driver->samples[0] + driver->samples[1], 3);
	assert_int_equal(driver->took, 900);
}

/*
 * A moment is each call, before and after, and wherever the driver says
 * barrier() or looks at the clock.  The n-th one has an NMI.
 */
static u64 chosen;
static void (*nmi)(struct driver *driver);

static void at_chosen_moment(struct driver *driver)
{
	if (driver->moments == chosen)
		nmi(driver);
}

typedef void (*step_fn)(struct driver *driver);
typedef void (*check_fn)(struct driver *driver);

static void prepare(struct driver *driver)
{
	driver_init(driver);
	driver_event(driver, 0, INSTRUCTIONS, 1000);
	driver_event(driver, 1, CYCLES, 0);
	driver_event(driver, 2, BRANCHES, 3000);
	driver_event(driver, 3, CYCLES, 0);
	driver_sched(driver, 0, 3);
}

static void at_any_moment_of(step_fn step, void (*what)(struct driver *driver),
			     check_fn check)
{
	struct driver *driver = malloc(sizeof(*driver));
	u64 moments, i;

	assert_non_null(driver);
	prepare(driver);
	moments = driver->moments;
	step(driver);
	moments = driver->moments - moments;
	assert_true(moments > 2);
	driver_fini(driver);

	nmi = what;
	for (i = 1; i <= moments; i++) {
		prepare(driver);
		chosen = driver->moments + i;
		driver->moment = at_chosen_moment;
		step(driver);
		assert_true(driver->moments >= chosen);
		driver->moment = NULL;
		check(driver);
		driver_fini(driver);
	}
	free(driver);
}

static void step_add(struct driver *driver)
{
	driver_sched(driver, 0, 4);
}

static void step_switch(struct driver *driver)
{
	driver_sched(driver, 3, 4 | 8);
}

static void step_del(struct driver *driver)
{
	driver_sched(driver, 1, 0);
}

static void step_read(struct driver *driver)
{
	driver_read(driver, 1);
	driver_read(driver, 0);
}

/* The host throttles event 0, and the driver arms it again. */
static void step_rearm(struct driver *driver)
{
	struct pvpmu_vm *vm = driver->fake.vcpu.vm;
	u32 rate = vm->limits.overflow_rate;

	driver->fake.vcpu.budget = 0;
	driver_run(driver, 1000, 1000);
	driver->fake.vcpu.budget = rate;
	driver_tick(driver);
}

/* The guest runs on a little, which overflows everything that samples. */
static void some_samples(struct driver *driver)
{
	driver_run(driver, 1000, 5000);
}

/* The same, and perf says that they are too many. */
static void too_many_samples(struct driver *driver)
{
	driver->stop_samples = 2;
	some_samples(driver);
	driver->stop_samples = 0;
}

static void all_agree(struct driver *driver)
{
	u32 n;

	assert_agreed(driver);
	for (n = 0; n < 3; n += 2) {
		driver_run(driver, 1000, 2500);
		assert_weighed(driver, n);
	}
	/* What perf stopped, it starts again, and it counts. */
	for_each_id(id, cpu->used) {
		struct perf_event *event = cpu->slot[id].event;
		u32 k = (u32)(event - driver->event);
		u64 count;

		driver_unthrottle(driver, k);
		count = driver_read(driver, k);
		driver_run(driver, 1000, 700);
		assert_int_equal(driver_read(driver, k), count + 700);
	}
	assert_agreed(driver);
}

static void survives_nmis(step_fn step)
{
	at_any_moment_of(step, some_samples, all_agree);
	at_any_moment_of(step, too_many_samples, all_agree);
}

static void nmi_at_any_moment_of_add(void **state)
{
	(void)state;
	survives_nmis(step_add);
}

static void nmi_at_any_moment_of_switch(void **state)
{
	(void)state;
	survives_nmis(step_switch);
}

static void nmi_at_any_moment_of_del(void **state)
{
	(void)state;
	survives_nmis(step_del);
}

static void nmi_at_any_moment_of_read(void **state)
{
	(void)state;
	survives_nmis(step_read);
}

static void nmi_at_any_moment_of_rearm(void **state)
{
	(void)state;
	survives_nmis(step_rearm);
}

/* It takes the driver's timer two seconds at most to see that. */
static void found_again(struct driver *driver)
{
	u32 i;

	for (i = 0; i < 2; i++) {
		driver_run(driver, NSEC_PER_SEC, 500);
		driver_tick(driver);
	}
	all_agree(driver);
}

static void host_may_be_lost_at_any_moment(void **state)
{
	(void)state;
	at_any_moment_of(step_add, driver_lose_host, found_again);
	at_any_moment_of(step_switch, driver_lose_host, found_again);
	at_any_moment_of(step_read, driver_lose_host, found_again);
	at_any_moment_of(step_rearm, driver_lose_host, found_again);
}

static void time_without_a_host_is_not_time_running(void **state)
{
	struct driver *driver = *state;
	struct perf_event *event = &driver->event[0];

	driver_event(driver, 0, INSTRUCTIONS, 0);
	driver_sched(driver, 0, 1);
	driver_run(driver, NSEC_PER_SEC, 1000);
	assert_int_equal(driver_read(driver, 0), 1000);
	driver->absent = true;
	driver_lose_host(driver);
	driver_run(driver, NSEC_PER_SEC, 1000);
	driver_tick(driver);
	assert_false(cpu->live);
	driver_run(driver, NSEC_PER_SEC, 1000);
	driver->absent = false;
	driver_tick(driver);
	assert_true(cpu->live);
	driver_run(driver, 2 * NSEC_PER_SEC, 1000);
	assert_int_equal(driver_read(driver, 0), 2000);
	driver_sched(driver, 1, 0);
	assert_int_equal(event->total_time_enabled, 5 * NSEC_PER_SEC);
	assert_int_equal(event->total_time_running, 3 * NSEC_PER_SEC);
}

static void what_the_host_refuses_does_not_count_and_is_told(void **state)
{
	struct driver *driver = *state;

	driver_event(driver, 0, INSTRUCTIONS, 0);
	driver->fake.create_answer = PVPMU_LATER;
	driver_sched(driver, 0, 1);
	assert_true(cpu->notices & BIT(PVG_NOTICE_REFUSED));
	assert_int_equal(cpu->refusal, PVPMU_ERR_HOST);
	driver_run(driver, 1000, 1000);
	assert_int_equal(driver_read(driver, 0), 0);
	/* It is tried again, and has what it did without. */
	driver->fake.create_answer = PVPMU_DONE;
	driver_tick(driver);
	driver_run(driver, 1000, 1000);
	assert_int_equal(driver_read(driver, 0), 1000);
	driver_sched(driver, 1, 0);
	assert_int_equal(driver->event[0].total_time_enabled, 2000);
	assert_int_equal(driver->event[0].total_time_running, 1000);
}

static bool interrupt_is_owed(const struct driver *driver)
{
	return driver->fake.area.overflow.pending != 0;
}

static void entry_that_delivery_masks_is_opened_each_time(void **state)
{
	struct driver *driver = *state;
	u32 i;

	driver_event(driver, 0, INSTRUCTIONS, 1000);
	driver_event(driver, 1, CYCLES, 3000);
	driver_sched(driver, 0, 3);
	for (i = 0; i < 30; i++) {
		driver_run(driver, 1000, 1000);
		assert_false(interrupt_is_owed(driver));
	}
	assert_int_equal(driver->samples[0], 30);
	assert_int_equal(driver->samples[1], 10);
}

/* Somebody has it masked, as perf's own driver does at boot. */
static void interrupt_that_was_lost_comes_with_the_next_call(void **state)
{
	struct driver *driver = *state;

	driver_event(driver, 0, INSTRUCTIONS, 1000);
	driver_event(driver, 1, CYCLES, 0);
	driver_sched(driver, 0, 1);
	apic->write(APIC_LVTPC, APIC_DM_NMI | APIC_LVT_MASKED);
	driver_run(driver, 1000, 1500);
	assert_true(interrupt_is_owed(driver));
	apic->write(APIC_LVTPC, APIC_DM_NMI);
	driver_run(driver, 1000, 1000);
	assert_int_equal(driver->samples[0], 0);
	driver_sched(driver, 0, 2);
	assert_false(interrupt_is_owed(driver));
	assert_int_equal(driver->samples[0], 1);
	assert_int_equal(driver->weight[0], 2000);
	assert_weighed(driver, 0);
}

static void slots_have_an_end(void **state)
{
	struct driver *driver = *state;
	struct pvpmu_limits limits = driver->fake.vcpu.vm->limits;

	limits.slots_vcpu = 2;
	pvpmu_vm_limit(driver->fake.vcpu.vm, &limits);
	driver_event(driver, 0, INSTRUCTIONS, 0);
	driver_event(driver, 1, CYCLES, 0);
	driver_event(driver, 2, BRANCHES, 0);
	driver_sched(driver, 0, 3);
	assert_int_equal(pvg_pmu.add(&driver->event[2], 0), -EAGAIN);
	/* One of those that are taken away makes room in the same call. */
	driver_sched(driver, 1, 4);
	assert_agreed(driver);
}

/* In a guest whose memory is encrypted: the host writes elsewhere, */
static void nothing_arrives(struct pvpmu_area *area)
{
	memset(&area->host, 0, sizeof(area->host));
}

/* or what it writes is not what the guest reads, */
static void noise_arrives(struct pvpmu_area *area)
{
	memset(&area->host, 0xa6, sizeof(area->host));
}

/* and what it says may look right in part. */
static void half_arrives(struct pvpmu_area *area)
{
	area->host.seq |= 1;
}

static void no_setup_arrives(struct pvpmu_area *area)
{
	area->host.generation = 0;
}

static void page_that_the_host_does_not_write_is_no_area(void **state)
{
	void (*const seen[])(struct pvpmu_area *area) = {
		nothing_arrives, noise_arrives, half_arrives, no_setup_arrives,
	};
	struct driver *driver = *state;
	u32 i;

	driver_event(driver, 0, INSTRUCTIONS, 0);
	driver_sched(driver, 0, 1);
	for (i = 0; i < ARRAY_SIZE(seen); i++) {
		driver_run(driver, 2 * NSEC_PER_SEC, 1000);
		driver->scribble = seen[i];
		driver_lose_host(driver);
		cpu->notices = 0;
		driver_tick(driver);
		assert_false(cpu->live);
		assert_true(cpu->notices & BIT(PVG_NOTICE_UNSEEN));
		assert_false(cpu->notices & BIT(PVG_NOTICE_BACK));
		/* The host has let it go. */
		assert_false(driver->fake.attached);
		driver->scribble = NULL;
		driver_run(driver, 2 * NSEC_PER_SEC, 1000);
		driver_tick(driver);
		assert_true(cpu->live);
	}
	driver_run(driver, NSEC_PER_SEC, 1000);
	driver_sched(driver, 1, 0);
	/* What did not count did not run. */
	assert_true(driver->event[0].total_time_running <
		    driver->event[0].total_time_enabled);
}

static void page_is_shared_while_it_is_an_area(void **state)
{
	struct driver *driver = *state;
	void *area = pvg_area_alloc();

	assert_non_null(area);
	assert_int_equal(driver->pages_shared, 1);
	pvg_area_free(area);
	assert_int_equal(driver->pages_shared, 0);
	assert_int_equal(driver->pages, 0);
	pvg_area_free(NULL);
}

/* It must not get into the hands of others, who may put secrets there. */
static void page_that_stays_shared_is_not_freed(void **state)
{
	struct driver *driver = *state;
	void *area = pvg_area_alloc();

	driver->page_answer = -EIO;
	pvg_area_free(area);
	assert_int_equal(driver->pages_shared, 1);
	assert_int_equal(driver->pages, 1);
	free(area);
	/* Nor one of which nobody knows. */
	driver->pages = 0;
	driver->pages_shared = 0;
	assert_null(pvg_area_alloc());
	assert_int_equal(driver->pages, 1);
	free(driver->page_made);
}

/* A write of perf_event_mux_interval_ms starts perf's timer on each CPU. */
static void timer_of_perf_does_not_outlive_its_memory(void **state)
{
	(void)state;
	driver_write_mux_interval();
	pvg_pmu_unregister();
	assert_int_equal(pvg_pmu_register(), 0);
}

#define DRIVER(test) \
	cmocka_unit_test_setup_teardown(test, driver_begin, driver_end)

#define BESIDE(test) \
	cmocka_unit_test_setup_teardown(test, driver_begin_beside, driver_end)

#define DRIVER_INTEL(test)                                        \
	cmocka_unit_test_setup_teardown(test, driver_begin_intel, \
					driver_end_intel)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DRIVER(event_counts_from_add_to_del),
		DRIVER(bracket_is_one_call),
		DRIVER(same_events_again_are_no_call),
		DRIVER(successor_goes_on_in_the_slot),
		DRIVER(sample_makes_no_call),
		DRIVER(samples_weigh_what_was_counted),
		DRIVER(throttled_by_perf_is_stopped_at_once),
		DRIVER(period_ends_where_it_was_reloaded_to_end),
		DRIVER(perf_hears_what_samples_take),
		cmocka_unit_test(nmi_at_any_moment_of_add),
		cmocka_unit_test(nmi_at_any_moment_of_switch),
		cmocka_unit_test(nmi_at_any_moment_of_del),
		cmocka_unit_test(nmi_at_any_moment_of_read),
		cmocka_unit_test(nmi_at_any_moment_of_rearm),
		cmocka_unit_test(host_may_be_lost_at_any_moment),
		DRIVER(time_without_a_host_is_not_time_running),
		DRIVER(what_the_host_refuses_does_not_count_and_is_told),
		DRIVER(entry_that_delivery_masks_is_opened_each_time),
		DRIVER_INTEL(entry_that_delivery_masks_is_opened_each_time),
		DRIVER(interrupt_that_was_lost_comes_with_the_next_call),
		DRIVER_INTEL(interrupt_that_was_lost_comes_with_the_next_call),
		DRIVER(slots_have_an_end),
		DRIVER(page_that_the_host_does_not_write_is_no_area),
		DRIVER(page_is_shared_while_it_is_an_area),
		DRIVER(page_that_stays_shared_is_not_freed),
		DRIVER(timer_of_perf_does_not_outlive_its_memory),
		BESIDE(timer_of_perf_does_not_outlive_its_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
