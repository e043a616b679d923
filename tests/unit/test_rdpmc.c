// SPDX-License-Identifier: MIT OR GPL-2.0
/* Reads by RDPMC, from the guest's user space */
#include "unit.h"

static int begin(void **state)
{
	int error = unit_begin(state);
	struct fake *fake = *state;

	fake_serve(fake, PVPMU_FEAT_RDPMC);
	return error;
}

#define RDPMC(test) cmocka_unit_test_setup_teardown(test, begin, unit_end)

static u32 index_of(const struct fake *fake, u32 id)
{
	u32 rdpmc = fake->area.slot[id].host.index;

	assert_int_not_equal(rdpmc, 0);
	return rdpmc - 1;
}

/* The index of a new event that user space may read. */
static u32 start_for_user(struct fake *fake, u32 id)
{
	guest_describe(fake, id, HW, CYCLES, 0);
	fake->area.slot[id].guest.flags = PVPMU_FLAG_USER_READ;
	assert_done(fake, PVPMU_OP_OPEN, id);
	assert_done(fake, PVPMU_OP_ENABLE, id);
	return index_of(fake, id);
}

/* The host takes the only counter away, or gives it back. */
static void starve(struct fake *fake, bool starved)
{
	fake->counter[fake_find(fake, HW, CYCLES)].reading.active = !starved;
}

static void assert_reads(struct fake *fake, u32 index, u64 count)
{
	assert_true(pvpmu_rdpmc_index(index));
	assert_int_equal(pvpmu_rdpmc(&fake->vcpu, index), count);
}

static void without_the_feature_the_flag_is_reserved(void **state)
{
	struct fake *fake = *state;

	guest_describe(fake, 3, HW, CYCLES, 0);
	fake->area.slot[3].guest.flags = PVPMU_FLAG_USER_READ;
	assert_refused(fake, PVPMU_ERR_RESERVED, PVPMU_OP_OPEN, 3, 0, 0);
}

static void count_is_read_as_it_is_now(void **state)
{
	struct fake *fake = *state;
	u32 index = start_for_user(fake, 3);

	fake_run(fake, 10, 1000);
	assert_reads(fake, index, 1000);
	fake_run(fake, 10, 234);
	assert_reads(fake, index, 1234);
	/* The line shows the moment of the last call, as ever. */
	assert_count(fake, 3, 0);
}

static void reading_changes_nothing(void **state)
{
	struct fake *fake = *state;
	struct pvpmu_area before;
	u32 index = start_for_user(fake, 3);

	fake_run(fake, 10, 1000);
	before = fake->area;
	assert_reads(fake, index, 1000);
	assert_memory_equal(&fake->area, &before, sizeof(before));
	assert_done(fake, PVPMU_OP_READ, 3);
	assert_count(fake, 3, 1000);
}

static void index_is_shown_while_it_counts_only(void **state)
{
	struct fake *fake = *state;
	const struct pvpmu_slot_host *line = &fake->area.slot[3].host;

	guest_describe(fake, 3, HW, CYCLES, 0);
	fake->area.slot[3].guest.flags = PVPMU_FLAG_USER_READ;
	assert_done(fake, PVPMU_OP_OPEN, 3);
	assert_int_equal(line->index, 0);
	assert_done(fake, PVPMU_OP_ENABLE, 3);
	assert_int_not_equal(line->index, 0);
	assert_done(fake, PVPMU_OP_DISABLE, 3);
	assert_int_equal(line->index, 0);
	assert_done(fake, PVPMU_OP_ENABLE, 3);
	assert_int_not_equal(line->index, 0);
	assert_done(fake, PVPMU_OP_CLOSE, 3);
	assert_int_equal(line->index, 0);
}

static void event_that_waits_has_no_index(void **state)
{
	struct fake *fake = *state;
	u32 index = start_for_user(fake, 3);

	fake_run(fake, 10, 1000);
	starve(fake, true);
	assert_done(fake, PVPMU_OP_READ, 3);
	assert_int_equal(fake->area.slot[3].host.index, 0);
	/* Who holds the index from before reads what was counted. */
	assert_reads(fake, index, 1000);
	starve(fake, false);
	assert_done(fake, PVPMU_OP_READ, 3);
	assert_int_equal(index_of(fake, 3), index);
}

static void stopped_event_stands_still(void **state)
{
	struct fake *fake = *state;
	u32 index = start_for_user(fake, 3);

	fake_run(fake, 10, 1000);
	assert_done(fake, PVPMU_OP_DISABLE, 3);
	fake_run(fake, 10, 1000);
	assert_reads(fake, index, 1000);
}

static void closed_event_reads_zero(void **state)
{
	struct fake *fake = *state;
	u32 index = start_for_user(fake, 3);

	fake_run(fake, 10, 1000);
	assert_done(fake, PVPMU_OP_CLOSE, 3);
	assert_reads(fake, index, 0);
}

static void events_of_others_read_zero(void **state)
{
	struct fake *fake = *state;
	u32 index, id;

	/* 4 and 3 even share a counter. */
	start_event(fake, 4, CYCLES, 0);
	index = start_for_user(fake, 3);
	fake_run(fake, 10, 1000);
	assert_int_equal(fake->area.slot[4].host.index, 0);
	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		assert_reads(fake, index - 3 + id, id == 3 ? 1000 : 0);
}

static void other_indices_are_not_ours(void **state)
{
	struct fake *fake = *state;
	u32 index = start_for_user(fake, 0);

	fake_run(fake, 10, 1000);
	assert_false(pvpmu_rdpmc_index(0));
	assert_false(pvpmu_rdpmc_index(~0u));
	assert_false(pvpmu_rdpmc_index(index - 1));
	assert_false(pvpmu_rdpmc_index(index + PVPMU_MAX_SLOTS));
	assert_int_equal(pvpmu_rdpmc(&fake->vcpu, index - 1), 0);
	assert_int_equal(pvpmu_rdpmc(&fake->vcpu, index + PVPMU_MAX_SLOTS), 0);
}

static void count_has_48_bits(void **state)
{
	struct fake *fake = *state;
	u32 index = start_for_user(fake, 3);

	fake_run(fake, 10, (1ull << 48) + 5);
	assert_reads(fake, index, 5);
}

static void filters_hold_with_it(void **state)
{
	struct fake *fake = *state;

	guest_describe(fake, 3, HW, CYCLES, 0);
	fake->area.slot[3].guest.flags =
		PVPMU_FLAG_USER_READ | PVPMU_FLAGS_FILTERS;
	assert_refused(fake, PVPMU_ERR_FILTER, PVPMU_OP_OPEN, 3, 0, 0);
	fake->area.slot[3].guest.flags =
		PVPMU_FLAG_USER_READ | PVPMU_FLAG_EXCLUDE_KERNEL;
	assert_done(fake, PVPMU_OP_OPEN, 3);
	assert_int_equal(fake->counter[fake_find(fake, HW, CYCLES)].desc.flags,
			 PVPMU_FLAG_EXCLUDE_KERNEL);
}

static void next_event_of_the_slot_is_not_for_user_space(void **state)
{
	struct fake *fake = *state;
	u32 index = start_for_user(fake, 3);

	assert_done(fake, PVPMU_OP_CLOSE, 3);
	start_event(fake, 3, CYCLES, 0);
	fake_run(fake, 10, 1000);
	assert_reads(fake, index, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(without_the_feature_the_flag_is_reserved),
		RDPMC(count_is_read_as_it_is_now),
		RDPMC(reading_changes_nothing),
		RDPMC(index_is_shown_while_it_counts_only),
		RDPMC(event_that_waits_has_no_index),
		RDPMC(stopped_event_stands_still),
		RDPMC(closed_event_reads_zero),
		RDPMC(events_of_others_read_zero),
		RDPMC(other_indices_are_not_ours),
		RDPMC(count_has_48_bits),
		RDPMC(filters_hold_with_it),
		RDPMC(next_event_of_the_slot_is_not_for_user_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
