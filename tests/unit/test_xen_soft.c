// SPDX-License-Identifier: GPL-2.0
/*
 * Xen's counters: what needs no physical one, or is not there
 */
#include "cpu.h"

static u32 caps_of_hypervisor(u64 config)
{
	const struct pvpmu_desc desc = {
		.type = PVPMU_TYPE_HYPERVISOR,
		.config = config,
	};

	return pvpmu_counters_query(&x.core, &desc);
}

static void start_hypervisor(u32 i, u64 config)
{
	const struct pvpmu_desc desc = {
		.type = PVPMU_TYPE_HYPERVISOR,
		.config = config,
	};

	assert_int_equal(pvpmu_counters_create(&x.core, i, &desc), PVPMU_DONE);
	pvpmu_sched_start(&x.sched, i, 0);
	pvpmu_sched_arrange(&x.sched);
}

static void hypervisor_events_are_xens_own(void **state)
{
	(void)state;
	boot_amd(0x17, false, true);
	v.arch.pvpmu_exits = 100;
	x.halts = 7;
	start_hypervisor(0, PVPMU_HV_EXITS);
	start_hypervisor(1, PVPMU_HV_STEAL);
	start_hypervisor(2, PVPMU_HV_PREEMPTIONS);
	start_hypervisor(3, PVPMU_HV_HALTS);
	v.arch.pvpmu_exits += 5;
	x.preempted += 2;
	x.halts += 3;
	pvpmu_sched_out(&x.sched);
	v.runnable += 1000;
	pvpmu_counters_in(&x);
	assert_int_equal(count_of(0), 5);
	assert_int_equal(count_of(1), 1000);
	assert_int_equal(count_of(2), 2);
	assert_int_equal(count_of(3), 3);
	leave_nothing();
	assert_int_equal(count_of(0), 5);
}

static void a_pv_guest_has_no_exits(void **state)
{
	(void)state;
	boot_amd(0x17, false, false);
	assert_int_equal(caps_of_hypervisor(PVPMU_HV_EXITS), 0);
	assert_int_equal(caps_of_hypervisor(PVPMU_HV_STEAL), PVPMU_CAP_COUNT);
	boot_amd(0x17, false, true);
	assert_int_equal(caps_of_hypervisor(PVPMU_HV_EXITS), PVPMU_CAP_COUNT);
}

static void a_32_bit_pv_guest_has_no_filters(void **state)
{
	(void)state;
	boot_amd(0x17, false, false);
	assert_true(caps_of(CYCLES) & PVPMU_CAP_EXCLUDE_KERNEL);
	v.pv_32bit = true;
	assert_int_equal(caps_of(CYCLES), PVPMU_CAP_COUNT | PVPMU_CAP_SAMPLE);
}

static void raw_events_are_not_offered(void **state)
{
	const struct pvpmu_desc desc = {
		.type = PVPMU_TYPE_RAW,
		.config = 0xc0,
	};

	(void)state;
	boot_amd(0x17, false, true);
	assert_int_equal(pvpmu_counters_query(&x.core, &desc), 0);
	boot_intel(4, 8, 48, true);
	assert_int_equal(pvpmu_counters_query(&x.core, &desc), 0);
}

static void the_clock_wakes_when_it_is_due(void **state)
{
	const struct pvpmu_desc desc = { .type = PVPMU_TYPE_CLOCK };

	(void)state;
	boot_amd(0x17, false, true);
	x.core.slot[0].length = x.core.slot[0].reload = 500000;
	assert_int_equal(pvpmu_counters_create(&x.core, 0, &desc), PVPMU_DONE);
	pvpmu_sched_start(&x.sched, 0, 500000);
	pvpmu_sched_arrange(&x.sched);
	assert_int_equal(x.clock.at, cpu.now + 500000);
	/* Early: it is set again. */
	cpu.now += 499999;
	x.clock.at = 0;
	cpu.softirq = true;
	handle_softirq();
	assert_int_equal(x.core.slot[0].overflows, 0);
	assert_int_equal(x.clock.at, cpu.now + 1);
	cpu.now++;
	cpu.softirq = true;
	handle_softirq();
	assert_int_equal(x.core.slot[0].overflows, 1);
	assert_int_equal(x.clock.at, cpu.now + 500000);
	leave_nothing();
	assert_int_equal(x.clock.at, 0);
}

/* No event of the CPU is offered; the clock overflows as it does elsewhere. */
static void a_cpu_without_counters_has_a_clock(void **state)
{
	const struct pvpmu_desc desc = { .type = PVPMU_TYPE_CLOCK };
	const enum absent how[] = { FAULTS, IGNORED };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		boot_amd_without(how[i]);
		assert_int_equal(caps_of(INSTRUCTIONS), 0);
		assert_int_equal(pvpmu_counters_query(&x.core, &desc),
				 PVPMU_CAP_COUNT | PVPMU_CAP_SAMPLE);
		start_hypervisor(1, PVPMU_HV_HALTS);
		assert_int_equal(pvpmu_counters_create(&x.core, 0, &desc),
				 PVPMU_DONE);
		pvpmu_sched_start(&x.sched, 0, 500000);
		pvpmu_sched_arrange(&x.sched);
		x.core.slot[0].length = x.core.slot[0].reload = 500000;
		x.halts += 3;
		cpu.now += 500000;
		pvpmu_interrupt();
		handle_softirq();
		assert_int_equal(x.core.slot[0].overflows, 1);
		assert_int_equal(count_of(1), 3);
		leave_nothing();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hypervisor_events_are_xens_own),
		cmocka_unit_test(a_pv_guest_has_no_exits),
		cmocka_unit_test(a_32_bit_pv_guest_has_no_filters),
		cmocka_unit_test(raw_events_are_not_offered),
		cmocka_unit_test(the_clock_wakes_when_it_is_due),
		cmocka_unit_test(a_cpu_without_counters_has_a_clock),
	};

	return cmocka_run_group_tests_name("xen soft", tests, NULL, NULL);
}
