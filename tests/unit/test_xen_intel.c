// SPDX-License-Identifier: GPL-2.0
/*
 * Xen's physical counters: Intel's, as backends/xen/counters.c uses them
 */
#include "cpu.h"

static void intel_registers_are_the_manuals(void **state)
{
	(void)state;
	boot_intel(3, 4, 48, false);
	start(0, INSTRUCTIONS, 0);
	start(1, CYCLES, 0);
	start(2, PVPMU_HW_REF_CYCLES, 0);
	start(3, PVPMU_HW_CACHE_MISSES, 0);
	start(4, PVPMU_HW_CACHE_REFERENCES, 0);
	/* The fixed ones are taken first; a PV guest is in ring 3 only. */
	assert_int_equal(fixed_ctrl(), 0xaaa);
	assert_int_equal(cpu.counter[3].select, 0x51412e);
	assert_int_equal(cpu.counter[2].select, 0x514f2e);
	assert_int_equal(cpu.global_ctrl, 0x70000000c);
	leave_nothing();
	boot_intel(4, 8, 48, true);
	start(0, INSTRUCTIONS, 0);
	start(1, BRANCHES, PVPMU_FLAG_EXCLUDE_USER);
	start(2, PVPMU_HW_BRANCH_MISSES, PVPMU_FLAG_EXCLUDE_KERNEL);
	start(3, PVPMU_HW_BUS_CYCLES, 0);
	assert_int_equal(fixed_ctrl(), 0x00b);
	assert_int_equal(cpu.counter[7].select, 0x5200c4);
	assert_int_equal(cpu.counter[6].select, 0x5100c5);
	assert_int_equal(cpu.counter[5].select, 0x53013c);
	leave_nothing();
}

/* What Xen does for the guest is not the guest's, in ring 0 as it may be. */
static void intel_counts_an_hvm_guest_only(void **state)
{
	(void)state;
	boot_intel(4, 8, 48, true);
	start(0, INSTRUCTIONS, 0);
	start(1, BRANCHES, 0);
	start(2, BRANCHES, PVPMU_FLAG_EXCLUDE_KERNEL);
	assert_true(cpu.exit_added && cpu.exit.data == 0);
	execute(XEN, 4444);
	execute(GUEST_USER, 1000);
	execute(XEN, 77777);
	execute(GUEST_KERNEL, 30);
	assert_int_equal(count_of(0), 1030);
	assert_int_equal(count_of(1), 1030);
	assert_int_equal(count_of(2), 1000);
	assert_int_equal(cpu.global_ctrl, 0);
	leave_nothing();
	pvpmu_sched_in(&x.sched);
	execute(GUEST_USER, 1);
	assert_int_equal(count_of(1), 1031);
	leave_nothing();
}

static void intel_counts_modes_of_a_pv_guest(void **state)
{
	u32 writes;

	(void)state;
	boot_intel(2, 2, 40, false);
	start(0, INSTRUCTIONS, PVPMU_FLAG_EXCLUDE_KERNEL);
	start(1, CYCLES, PVPMU_FLAG_EXCLUDE_USER);
	start(2, BRANCHES, PVPMU_FLAG_EXCLUDE_USER);
	start(3, PVPMU_HW_BRANCH_MISSES, 0);
	ten_calls();
	assert_int_equal(count_of(0), 1000);
	assert_int_equal(count_of(1), 30);
	assert_int_equal(count_of(2), 30);
	assert_int_equal(count_of(3), 1030);
	/* One register, however many there are to switch */
	writes = cpu.writes;
	enter_kernel();
	assert_int_equal(cpu.writes - writes, 1);
	leave_nothing();
	assert_false(cpu.entry_added);
}

static void intel_writes_32_bits_where_it_has_to(void **state)
{
	const u64 period = 5000000000;

	(void)state;
	boot_intel(2, 2, 40, true);
	/* Longer than what can be written: it is reached in several steps. */
	start_sampling(0, BRANCHES, period);
	start(1, PVPMU_HW_CACHE_MISSES, 0);
	for (u32 i = 0; i < 100; i++)
		execute(GUEST_USER, period / 10);
	assert_int_equal(count_of(0), 10 * period);
	assert_int_equal(count_of(1), 10 * period);
	assert_int_equal(x.core.slot[0].overflows, 10);
	assert_true(cpu.interrupts > 20);
	leave_nothing();
	assert_int_equal(count_of(0), 10 * period);
}

static void intel_fixed_counters_sample(void **state)
{
	(void)state;
	boot_intel(5, 8, 48, true);
	start_sampling(0, INSTRUCTIONS, 1000);
	start_sampling(1, PVPMU_HW_REF_CYCLES, 3000);
	for (u32 i = 0; i < 900; i++)
		execute(GUEST_USER, 100);
	assert_int_equal(x.core.slot[0].overflows, 90);
	assert_int_equal(x.core.slot[1].overflows, 30);
	assert_int_equal(cpu.lvtpc, PMU_APIC_VECTOR);
	assert_int_equal(cpu.status, 0);
	leave_nothing();
}

static void intel_is_not_left_frozen(void **state)
{
	(void)state;
	boot_intel(4, 8, 48, true);
	start_sampling(0, BRANCHES, 1000);
	assert_int_equal(cpu.status, 0);
	/* Someone had switched on that an overflow freezes. */
	cpu.status |= 3ull << 58;
	pvpmu_interrupt();
	handle_softirq();
	execute(GUEST_USER, 2500);
	execute(GUEST_USER, 1);
	assert_int_equal(count_of(0), 2501);
	assert_int_equal(x.core.slot[0].overflows, 2);
	leave_nothing();
}

static void intel_offers_what_it_has(void **state)
{
	const struct pvpmu_desc ref = hardware(PVPMU_HW_REF_CYCLES, 0);

	(void)state;
	boot_intel(3, 4, 48, true);
	assert_true(caps_of(PVPMU_HW_CACHE_MISSES) & PVPMU_CAP_SAMPLE);
	assert_int_equal(caps_of(PVPMU_HW_STALLED_BACKEND), 0);
	/* One counter can count it, so no group has it twice. */
	start(0, PVPMU_HW_REF_CYCLES, 0);
	assert_false(pvpmu_counters_fit(&x.core, &ref, 1));
	leave_nothing();
	cpu.ebx = 1u << 4;
	cpu.fixed = 0;
	assert_true(pvpmu_hw_intel.probe());
	assert_int_equal(caps_of(PVPMU_HW_CACHE_MISSES), 0);
	assert_int_equal(caps_of(PVPMU_HW_REF_CYCLES), 0);
	assert_true(caps_of(INSTRUCTIONS) & PVPMU_CAP_COUNT);
	cpu.version = 1;
	assert_false(pvpmu_hw_intel.probe());
	cpu.version = 3;
	boot_cpu_data.cpuid_level = 9;
	assert_false(pvpmu_hw_intel.probe());
}

static void intel_may_find_no_memory(void **state)
{
	const struct pvpmu_desc desc = hardware(BRANCHES, 0);

	(void)state;
	boot_intel(4, 8, 48, true);
	cpu.no_memory = true;
	assert_int_equal(pvpmu_counters_create(&x.core, 0, &desc), PVPMU_LATER);
	cpu.no_memory = false;
	start(0, BRANCHES, 0);
	execute(GUEST_KERNEL, 5);
	assert_int_equal(count_of(0), 5);
	leave_nothing();
}

/* No vCPU is scheduled out often enough for that to be left to chance. */
static void nothing_is_lost_when_a_counter_goes_round(void **state)
{
	const u64 round = 1ull << 40;
	u64 sum = 0;

	(void)state;
	boot_intel(3, 4, 40, true);
	start(0, BRANCHES, 0);
	while (sum < 5 * round) {
		execute(GUEST_USER, round / 3);
		sum += round / 3;
		assert_int_equal(count_of(0), sum);
	}
	assert_in_range(cpu.interrupts, 9, 12);
	leave_nothing();
	assert_int_equal(count_of(0), sum);
}

/* Microcode takes counter 3 for itself, unless transactions are given up. */
static void intel_leaves_counter_3_to_microcode(void **state)
{
	(void)state;
	for (u32 tsx = 0; tsx < 2; tsx++) {
		boot_intel(4, 4, 48, true);
		cpu.force_abort = true;
		cpu.tsx = tsx;
		assert_true(pvpmu_hw_intel.probe());
		start(0, BRANCHES, 0);
		start(1, PVPMU_HW_CACHE_MISSES, 0);
		assert_int_equal(cpu.counter[3].select != 0, !tsx);
		execute(GUEST_USER, 1000);
		assert_int_equal(count_of(0), 1000);
		assert_int_equal(count_of(1), 1000);
		leave_nothing();
	}
	boot_intel(4, 4, 48, true);
}

/* One that wrapped to exactly 0 as its guest was left interrupts for ever. */
static void intel_moves_a_counter_that_is_zero(void **state)
{
	(void)state;
	boot_intel(3, 4, 48, true);
	cpu.quirk = true;
	start_sampling(0, BRANCHES, 1000);
	start_sampling(1, INSTRUCTIONS, 1000);
	execute(GUEST_USER, 1000);
	assert_int_equal(cpu.again, 0);
	assert_int_equal(x.core.slot[0].overflows, 1);
	assert_int_equal(x.core.slot[1].overflows, 1);
	/* It is moved by one. */
	assert_in_range(count_of(0), 1000, 1001);
	assert_in_range(count_of(1), 1000, 1001);
	leave_nothing();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_lost_when_a_counter_goes_round),
		cmocka_unit_test(intel_registers_are_the_manuals),
		cmocka_unit_test(intel_counts_an_hvm_guest_only),
		cmocka_unit_test(intel_counts_modes_of_a_pv_guest),
		cmocka_unit_test(intel_writes_32_bits_where_it_has_to),
		cmocka_unit_test(intel_fixed_counters_sample),
		cmocka_unit_test(intel_is_not_left_frozen),
		cmocka_unit_test(intel_offers_what_it_has),
		cmocka_unit_test(intel_leaves_counter_3_to_microcode),
		cmocka_unit_test(intel_moves_a_counter_that_is_zero),
		cmocka_unit_test(intel_may_find_no_memory),
	};

	return cmocka_run_group_tests_name("xen intel", tests, NULL, NULL);
}
