// SPDX-License-Identifier: MIT OR GPL-2.0
/* The CPUID leaves, and what limits and features do to them */
#include "unit.h"

#define BASE 0x40000200u

static bool leaf(const struct fake *fake, u32 number, u32 regs[4])
{
	return pvpmu_cpuid(fake->vcpu.vm, &fake->ops, BASE, number, regs);
}

static void first_leaf_has_signature_and_length(void **state)
{
	const struct fake *fake = *state;
	u32 regs[4];

	assert_true(leaf(fake, BASE, regs));
	assert_int_equal(regs[0], BASE + 2);
	assert_memory_equal(&regs[1], "pvpmupvpmu\0\0", 12);
}

static void second_leaf_has_version_slots_features_and_number(void **state)
{
	const struct fake *fake = *state;
	u32 regs[4];

	assert_true(leaf(fake, BASE + 1, regs));
	assert_int_equal(regs[0], 1u << 16 | 0);
	assert_int_equal(regs[1] & 0xffff, PVPMU_MAX_SLOTS);
	assert_int_equal(regs[1] >> 16, sizeof(struct pvpmu_slot));
	assert_int_equal(regs[2], PVPMU_FEAT_LVTPC | PVPMU_FEAT_EVTCHN);
	assert_int_equal(regs[3], FAKE_HYPERCALL);
}

static void third_leaf_has_base_sizes_and_periods(void **state)
{
	struct fake *fake = *state;
	u32 regs[4];

	fake->own_vm.limits.period_min = 4321;
	fake->own_vm.limits.clock_period_min = 87654;
	assert_true(leaf(fake, BASE + 2, regs));
	assert_int_equal(regs[0], FAKE_OP_BASE);
	assert_int_equal(regs[1] & 0xffff, PVPMU_HEADER_SIZE);
	assert_int_equal(regs[1] >> 16, 1);
	assert_int_equal(regs[2], 4321);
	assert_int_equal(regs[3], 87654);
}

static void shortest_period_is_never_zero(void **state)
{
	struct fake *fake = *state;
	u32 regs[4];

	fake->own_vm.limits.period_min = 0;
	fake->own_vm.limits.clock_period_min = 0;
	assert_true(leaf(fake, BASE + 2, regs));
	assert_int_equal(regs[2], 1);
	assert_int_equal(regs[3], 1);
}

static void leaves_beside_the_block_are_not_its(void **state)
{
	const struct fake *fake = *state;
	u32 regs[4];

	assert_false(leaf(fake, BASE - 1, regs));
	assert_false(leaf(fake, BASE + 3, regs));
	assert_false(leaf(fake, 0, regs));
	assert_false(leaf(fake, 0xffffffff, regs));
}

static void vm_that_may_have_no_slot_sees_nothing(void **state)
{
	struct fake *fake = *state;
	u32 regs[4];

	fake->own_vm.limits.slots_vcpu = 0;
	assert_false(leaf(fake, BASE, regs));
	assert_false(leaf(fake, BASE + 1, regs));
}

static void features_that_core_does_not_serve_are_not_shown(void **state)
{
	struct fake *fake = *state;
	u32 regs[4];

	fake->ops.features = ~0u;
	assert_true(leaf(fake, BASE + 1, regs));
	assert_int_equal(regs[2], PVPMU_FEAT_LVTPC | PVPMU_FEAT_PV_NMI |
					  PVPMU_FEAT_EVTCHN |
					  PVPMU_FEAT_GROUPS |
					  PVPMU_FEAT_RDPMC);
	assert_int_equal(guest_setup(fake), PVPMU_OK);
	assert_int_equal(fake->area.host.features, regs[2]);
}

static void area_tells_the_same_as_the_leaves(void **state)
{
	struct fake *fake = *state;
	u32 regs[4];

	assert_int_equal(guest_setup(fake), PVPMU_OK);
	assert_true(leaf(fake, BASE + 1, regs));
	assert_int_equal(fake->area.host.version, regs[0]);
	assert_int_equal(fake->area.host.features, regs[2]);
	assert_int_equal(fake->area.host.slots_usable, regs[1] & 0xffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_BARE(first_leaf_has_signature_and_length),
		UNIT_BARE(second_leaf_has_version_slots_features_and_number),
		UNIT_BARE(third_leaf_has_base_sizes_and_periods),
		UNIT_BARE(shortest_period_is_never_zero),
		UNIT_BARE(leaves_beside_the_block_are_not_its),
		UNIT_BARE(vm_that_may_have_no_slot_sees_nothing),
		UNIT_BARE(features_that_core_does_not_serve_are_not_shown),
		UNIT_BARE(area_tells_the_same_as_the_leaves),
	};

	return cmocka_run_group_tests_name("discovery", tests, NULL, NULL);
}
