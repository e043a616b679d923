// SPDX-License-Identifier: MIT OR GPL-2.0
/* A guest that writes what it should not, and an area that goes away */
#include <stdlib.h>

#include "unit.h"

static void scribble(struct fake *fake, unsigned char with)
{
	memset(&fake->area, with, sizeof(fake->area));
}

static void host_lines_are_never_read_back(void **state)
{
	struct fake *fake = *state;
	u32 id, word;

	start_event(fake, 0, CYCLES, 1000);
	start_event(fake, 1, INSTRUCTIONS, 0);
	fake_run(fake, 1, 5000);
	guest_update(fake, 0, 3, 0, 3, 3);
	for (word = 0; word < 16; word++) {
		assert_int_equal(fake->reads[64 / 4 + word], 0);
		for (id = 0; id < PVPMU_MAX_SLOTS; id++)
			assert_int_equal(
				fake->reads[(256 + id * 128 + 64) / 4 + word],
				0);
	}
}

static void scribbled_host_line_is_written_anew(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 1, CYCLES, 0);
	fake_run(fake, 30, 300);
	scribble(fake, 0xee);
	assert_done(fake, PVPMU_OP_READ, 1);
	assert_state(fake, 1, PVPMU_STATE_COUNTING);
	assert_count(fake, 1, 300);
	assert_times(fake, 1, 30, 30);
	assert_overflows(fake, 1, 0, 0);
	assert_int_equal(guest_line(fake, 1)->seq & 1, 0);
	assert_int_equal(guest_line(fake, 1)->base, 0);
}

static void scribbled_guest_line_does_not_matter_while_open(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 1, CYCLES, 0);
	memset(&fake->area.slot[1].guest, 0xff,
	       sizeof(struct pvpmu_slot_guest));
	fake_run(fake, 30, 300);
	assert_done(fake, PVPMU_OP_DISABLE, 1);
	assert_done(fake, PVPMU_OP_ENABLE, 1);
	assert_done(fake, PVPMU_OP_READ, 1);
	assert_count(fake, 1, 300);
	assert_overflows(fake, 1, 0, 0);
}

static void guest_line_is_read_once_at_open(void **state)
{
	struct fake *fake = *state;
	const u32 first = offsetof(struct pvpmu_area, slot[4].guest) / 4;
	u32 word;

	open_event(fake, 4, CYCLES, 1000);
	for (word = 0; word < 16; word++)
		assert_int_equal(fake->reads[first + word], 1);
}

static void header_is_read_once_at_update(void **state)
{
	struct fake *fake = *state;
	u32 word;

	/* SETUP, too, reads what it needs of it once. */
	for (word = 6; word < 8; word++) {
		assert_int_equal(fake->reads[word], 1);
		fake->reads[word] = 0;
	}
	open_event(fake, 0, CYCLES, 0);
	guest_update(fake, 0, 1, 0, 1, 1);
	for (word = 0; word < 16; word++)
		assert_int_equal(fake->reads[word], 1);
}

static void only_next_period_is_looked_at_later(void **state)
{
	struct fake *fake = *state;
	const u32 first = offsetof(struct pvpmu_area, slot[4].guest) / 4;
	const u32 next =
		offsetof(struct pvpmu_area, slot[4].guest.next_period) / 4;
	u32 word;

	start_event(fake, 4, CYCLES, 1000);
	memset(fake->reads, 0, sizeof(fake->reads));
	fake_run(fake, 1, 1000);
	fake_run(fake, 1, 1000);
	assert_done(fake, PVPMU_OP_DISABLE, 4);
	for (word = 0; word < 16; word++)
		assert_int_equal(
			fake->reads[first + word],
			first + word == next || first + word == next + 1 ? 2
									 : 0);
}

/* The guest's other CPU changes the description right after it was read. */
static void change_description(struct fake *fake, enum fake_op op, bool after)
{
	if (op != FAKE_AREA_READ || !after)
		return;
	memset(&fake->area.slot[4].guest, 0xff,
	       sizeof(struct pvpmu_slot_guest));
}

static void description_changed_after_the_read_does_not_matter(void **state)
{
	struct fake *fake = *state;
	const struct pvpmu_desc *desc;

	fake->hook = change_description;
	start_event(fake, 4, CYCLES, 0);
	desc = &fake->counter[fake_find(fake, HW, CYCLES)].desc;
	assert_int_equal(desc->flags, 0);
	assert_false(desc->sampling);
}

static void change_masks(struct fake *fake, enum fake_op op, bool after)
{
	if (op == FAKE_AREA_READ && after)
		memset(&fake->area.guest, 0xff, sizeof(fake->area.guest));
}

static void masks_changed_after_the_read_do_not_matter(void **state)
{
	struct fake *fake = *state;

	open_event(fake, 4, CYCLES, 0);
	open_event(fake, 5, CYCLES, 0);
	fake->hook = change_masks;
	assert_int_equal(guest_update(fake, BIT(4), 0, 0, 0, 0), PVPMU_OK);
	assert_state(fake, 4, PVPMU_STATE_CLOSED);
	assert_state(fake, 5, PVPMU_STATE_STOPPED);
}

/*
 * An area that goes away
 */

typedef s32 (*step_fn)(struct fake *fake);

static s32 step_open(struct fake *fake)
{
	return guest_open(fake, 8, HW, BRANCHES, 2000);
}

static s32 step_close(struct fake *fake)
{
	return guest_call(fake, PVPMU_OP_CLOSE, 0, 0, 0);
}

static s32 step_enable(struct fake *fake)
{
	return guest_call(fake, PVPMU_OP_ENABLE, 2, 0, 0);
}

static s32 step_disable(struct fake *fake)
{
	return guest_call(fake, PVPMU_OP_DISABLE, 0, 0, 0);
}

static s32 step_read(struct fake *fake)
{
	return guest_call(fake, PVPMU_OP_READ, 0, 0, 0);
}

static s32 step_update(struct fake *fake)
{
	guest_describe(fake, 9, HW, BRANCHES, 2000);
	return guest_update(fake, BIT(0), BIT(1), BIT(9), BIT(2) | BIT(9),
			    BIT(3));
}

static s32 step_publish(struct fake *fake)
{
	fake_run(fake, 1, 1000);
	return guest_call(fake, PVPMU_OP_READ, 0, 0, 0);
}

static void prepare(struct fake *fake)
{
	fake_init(fake, NULL);
	assert_int_equal(guest_setup(fake), PVPMU_OK);
	start_event(fake, 0, CYCLES, 1000);
	start_event(fake, 1, INSTRUCTIONS, 0);
	open_event(fake, 2, BRANCHES, 1000);
	start_event(fake, 3, PVPMU_HW_BRANCH_MISSES, 1000);
	/* Pending, so that ENABLE and UPDATE have a look at the word. */
	fake_run(fake, 1, 1000);
	fake_count(fake, fake_find(fake, HW, CYCLES), 1, 1000);
}

/* Makes the area vanish before the n-th access of a step, for all n. */
static void assert_survives(step_fn step)
{
	struct fake *fake = malloc(sizeof(*fake));
	u64 accesses, n;

	assert_non_null(fake);
	prepare(fake);
	accesses = fake->accesses;
	assert_int_equal(step(fake), PVPMU_OK);
	accesses = fake->accesses - accesses;
	fake_end(fake);
	assert_true(accesses > 0);

	for (n = 0; n < accesses; n++) {
		prepare(fake);
		fake->accesses_left = n;
		step(fake);
		/* Everything is closed, and the guest is told so. */
		assert_false(fake->attached);
		assert_int_equal(fake->own_vm.slots_open, 0);
		assert_int_equal(fake_counters(fake), 0);
		assert_int_equal(guest_call(fake, PVPMU_OP_READ, 0, 0, 0),
				 PVPMU_ERR_NO_AREA);
		/* The guest registers again and goes on. */
		fake->accesses_left = ~0ull;
		assert_int_equal(guest_setup(fake), PVPMU_OK);
		start_event(fake, 0, CYCLES, 1000);
		fake_end(fake);
	}
	free(fake);
}

static void area_may_vanish_at_any_access_of_open(void **state)
{
	(void)state;
	assert_survives(step_open);
}

static void area_may_vanish_at_any_access_of_close(void **state)
{
	(void)state;
	assert_survives(step_close);
}

static void area_may_vanish_at_any_access_of_enable(void **state)
{
	(void)state;
	assert_survives(step_enable);
}

static void area_may_vanish_at_any_access_of_disable(void **state)
{
	(void)state;
	assert_survives(step_disable);
}

static void area_may_vanish_at_any_access_of_read(void **state)
{
	(void)state;
	assert_survives(step_read);
}

static void area_may_vanish_at_any_access_of_update(void **state)
{
	(void)state;
	assert_survives(step_update);
}

static void area_may_vanish_at_any_access_of_publish(void **state)
{
	(void)state;
	assert_survives(step_publish);
}

static void call_that_loses_the_area_says_so(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 0);
	fake->accesses_left = 0;
	assert_int_equal(guest_call(fake, PVPMU_OP_READ, 0, 0, 0),
			 PVPMU_ERR_NO_AREA);
	assert_int_equal(fake->vcpu.stats.refused, 1);
}

static void area_that_vanishes_in_setup_is_no_ram(void **state)
{
	struct fake *fake = *state;
	u64 n;

	/* Before it is written to, nothing has changed. */
	fake->accesses_left = 0;
	assert_int_equal(guest_setup(fake), PVPMU_ERR_FRAME);
	assert_true(fake->attached);
	for (n = 1; n < 10; n++) {
		fake->accesses_left = n;
		assert_int_equal(guest_setup(fake), PVPMU_ERR_FRAME);
		assert_false(fake->attached);
	}
	fake->accesses_left = 0;
	assert_int_equal(guest_setup(fake), PVPMU_ERR_FRAME);
	assert_false(fake->attached);
	fake->accesses_left = ~0ull;
	assert_int_equal(guest_setup(fake), PVPMU_OK);
}

static void no_interrupt_for_an_area_that_is_gone(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 1000);
	fake->accesses_left = 0;
	fake_run(fake, 1, 1000);
	assert_int_equal(fake->calls[FAKE_RAISE], 0);
	assert_false(fake->attached);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(host_lines_are_never_read_back),
		UNIT(scribbled_host_line_is_written_anew),
		UNIT(scribbled_guest_line_does_not_matter_while_open),
		UNIT(guest_line_is_read_once_at_open),
		UNIT(header_is_read_once_at_update),
		UNIT(only_next_period_is_looked_at_later),
		UNIT(description_changed_after_the_read_does_not_matter),
		UNIT(masks_changed_after_the_read_do_not_matter),
		cmocka_unit_test(area_may_vanish_at_any_access_of_open),
		cmocka_unit_test(area_may_vanish_at_any_access_of_close),
		cmocka_unit_test(area_may_vanish_at_any_access_of_enable),
		cmocka_unit_test(area_may_vanish_at_any_access_of_disable),
		cmocka_unit_test(area_may_vanish_at_any_access_of_read),
		cmocka_unit_test(area_may_vanish_at_any_access_of_update),
		cmocka_unit_test(area_may_vanish_at_any_access_of_publish),
		UNIT(call_that_loses_the_area_says_so),
		UNIT(area_that_vanishes_in_setup_is_no_ram),
		UNIT(no_interrupt_for_an_area_that_is_gone),
	};

	return cmocka_run_group_tests_name("area", tests, NULL, NULL);
}
