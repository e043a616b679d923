// SPDX-License-Identifier: GPL-2.0
/*
 * Xen's physical counters: AMD's, as backends/xen/counters.c uses them
 */
#include "cpu.h"

static void amd_registers_are_the_manuals(void **state)
{
	(void)state;
	boot_amd(0x17, false, true);
	start(0, INSTRUCTIONS, 0);
	start(1, CYCLES, PVPMU_FLAG_EXCLUDE_KERNEL);
	start(2, BRANCHES, PVPMU_FLAG_EXCLUDE_USER);
	/* Core takes the last that is free. */
	assert_int_equal(cpu.counter[5].select, 0x100005300c0);
	assert_int_equal(cpu.counter[4].select, 0x10000510076);
	assert_int_equal(cpu.counter[3].select, 0x100005200c2);
	leave_nothing();
}

static void amd_counts_an_hvm_guest_only(void **state)
{
	(void)state;
	boot_amd(0x17, false, true);
	start(0, INSTRUCTIONS, 0);
	start(1, INSTRUCTIONS, PVPMU_FLAG_EXCLUDE_KERNEL);
	start(2, INSTRUCTIONS, PVPMU_FLAG_EXCLUDE_USER);
	execute(GUEST_USER, 1000);
	execute(XEN, 77777);
	execute(GUEST_KERNEL, 30);
	assert_int_equal(count_of(0), 1030);
	assert_int_equal(count_of(1), 1000);
	assert_int_equal(count_of(2), 30);
	leave_nothing();
	assert_int_equal(count_of(0), 1030);
}

static void amd_counts_modes_of_a_pv_guest(void **state)
{
	u32 writes;

	(void)state;
	boot_amd(0x19, false, false);
	start(0, INSTRUCTIONS, 0);
	start(1, INSTRUCTIONS, PVPMU_FLAG_EXCLUDE_KERNEL);
	start(2, INSTRUCTIONS, PVPMU_FLAG_EXCLUDE_USER);
	ten_calls();
	assert_int_equal(count_of(0), 1030);
	assert_int_equal(count_of(1), 1000);
	assert_int_equal(count_of(2), 30);
	/* A switch writes what it changes. */
	writes = cpu.writes;
	enter_kernel();
	assert_int_equal(cpu.writes - writes, 2);
	leave_nothing();
}

static void amd_has_six_counters_or_four(void **state)
{
	(void)state;
	for (u32 old = 0; old < 2; old++) {
		u32 n = 0;

		boot_amd(old ? 0x10 : 0x17, old, true);
		for (u32 i = 0; i < 8; i++)
			start(i, INSTRUCTIONS, 0);
		for (u32 i = 0; i < GENERAL; i++)
			n += cpu.counter[i].select != 0;
		assert_int_equal(n, old ? 4 : 6);
		execute(GUEST_USER, 500);
		assert_int_equal(count_of(0), 500);
		assert_int_equal(count_of(7), 0);
		leave_nothing();
	}
}

static void amd_family_15h_has_units(void **state)
{
	const struct pvpmu_desc miss = hardware(PVPMU_HW_CACHE_MISSES, 0);
	const struct pvpmu_desc branch = hardware(BRANCHES, 0);

	(void)state;
	boot_amd(0x15, false, true);
	start(0, CYCLES, 0);
	start(1, PVPMU_HW_CACHE_REFERENCES, 0);
	start(2, PVPMU_HW_STALLED_FRONTEND, 0);
	for (u32 i = 0; i < 3; i++)
		assert_true(cpu.counter[i].select != 0);
	start(3, INSTRUCTIONS, 0);
	assert_int_equal(cpu.counter[5].select & 0xff, 0xc0);
	/* A group of four in the first three is none. */
	assert_false(pvpmu_counters_fit(&x.core, &miss, 7));
	assert_true(pvpmu_counters_fit(&x.core, &branch, 15));
	leave_nothing();
}

static void amd_before_10h_is_not_known(void **state)
{
	(void)state;
	boot_amd(0x17, false, true);
	boot_cpu_data.x86 = 0xf;
	assert_false(pvpmu_hw_amd.probe());
	boot_cpu_data.x86_vendor = 0;
	boot_cpu_data.x86 = 0x17;
	assert_false(pvpmu_hw_amd.probe());
	boot_cpu_data.x86_vendor = X86_VENDOR_HYGON;
	boot_cpu_data.x86 = 0x18;
	assert_true(pvpmu_hw_amd.probe());
}

static void samples_come_where_they_are_due(void **state)
{
	(void)state;
	boot_amd(0x17, false, true);
	start_sampling(0, INSTRUCTIONS, 100000);
	for (u32 i = 0; i < 1000; i++)
		execute(GUEST_USER, 3333);
	assert_int_equal(cpu.interrupts, 33);
	assert_int_equal(x.core.slot[0].overflows, 33);
	assert_int_equal(x.core.slot[0].total, 3300000);
	assert_int_equal(count_of(0), 3333000);
	leave_nothing();
	assert_int_equal(count_of(0), 3333000);
}

/* Whatever a kernel or a guest before left in the global registers */
static void amd_v2_begins_by_itself(void **state)
{
	(void)state;
	boot_amd_v2(true);
	start(0, INSTRUCTIONS, 0);
	execute(GUEST_KERNEL, 1000);
	assert_int_equal(count_of(0), 1000);
	leave_nothing();
	cpu.status |= 3ull << 58;
	cpu.global_ctrl = 0;
	pvpmu_sched_in(&x.sched);
	execute(GUEST_KERNEL, 500);
	assert_int_equal(count_of(0), 1500);
	leave_nothing();
}

/* A guest may have it so; it loses no more than what it does until the
 * interrupt comes, which is nothing here. */
static void amd_v2_is_not_left_frozen(void **state)
{
	(void)state;
	boot_amd_v2(true);
	cpu.freeze = true;
	start_sampling(0, INSTRUCTIONS, 100000);
	for (u32 i = 0; i < 100; i++)
		execute(GUEST_USER, 3333);
	assert_int_equal(x.core.slot[0].overflows, 3);
	assert_int_equal(count_of(0), 333300);
	assert_int_equal(cpu.status, 0);
	leave_nothing();
}

static void amd_before_v2_has_no_global_registers(void **state)
{
	(void)state;
	boot_amd(0x19, false, true);
	/* The leaf that says so may be beyond the last. */
	cpu.perfmon_v2 = true;
	assert_true(pvpmu_hw_amd.probe());
	cpu.perfmon_v2 = false;
	start(0, INSTRUCTIONS, 0);
	execute(GUEST_KERNEL, 1000);
	assert_int_equal(count_of(0), 1000);
	leave_nothing();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(amd_registers_are_the_manuals),
		cmocka_unit_test(amd_counts_an_hvm_guest_only),
		cmocka_unit_test(amd_counts_modes_of_a_pv_guest),
		cmocka_unit_test(amd_has_six_counters_or_four),
		cmocka_unit_test(amd_family_15h_has_units),
		cmocka_unit_test(amd_before_10h_is_not_known),
		cmocka_unit_test(amd_v2_begins_by_itself),
		cmocka_unit_test(amd_v2_is_not_left_frozen),
		cmocka_unit_test(amd_before_v2_has_no_global_registers),
		cmocka_unit_test(samples_come_where_they_are_due),
	};

	return cmocka_run_group_tests_name("xen amd", tests, NULL, NULL);
}
