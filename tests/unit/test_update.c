// SPDX-License-Identifier: MIT OR GPL-2.0
/* UPDATE: five masks with one call */
#include "unit.h"

static void assert_error(const struct fake *fake, u32 id, s32 error)
{
	assert_int_equal(guest_line(fake, id)->error, error);
}

static void one_call_opens_and_starts_many(void **state)
{
	struct fake *fake = *state;
	u32 id;

	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		guest_describe(fake, id, HW, id % PVPMU_HW_END, 0);
	assert_int_equal(guest_update(fake, 0, 0, ALL_IDS, ALL_IDS, 0),
			 PVPMU_OK);
	fake_run(fake, 7, 70);
	assert_int_equal(guest_update(fake, 0, 0, 0, 0, ALL_IDS), PVPMU_OK);
	for (id = 0; id < PVPMU_MAX_SLOTS; id++) {
		assert_state(fake, id, PVPMU_STATE_COUNTING);
		assert_count(fake, id, 70);
	}
	assert_int_equal(guest_update(fake, 0, ALL_IDS, 0, 0, 0), PVPMU_OK);
	assert_int_equal(fake_started(fake), 0);
	assert_int_equal(guest_update(fake, ALL_IDS, 0, 0, 0, 0), PVPMU_OK);
	assert_int_equal(fake->own_vm.slots_open, 0);
}

static void nothing_named_is_nothing_done(void **state)
{
	struct fake *fake = *state;
	struct snapshot shot;

	take_snapshot(fake, &shot);
	assert_int_equal(guest_update(fake, 0, 0, 0, 0, 0), PVPMU_OK);
	assert_unchanged(fake, &shot);
}

static void masks_keep_their_bits(void **state)
{
	struct fake *fake = *state;

	guest_describe(fake, 3, HW, CYCLES, 0);
	assert_int_equal(guest_update(fake, 0, 0, BIT(3), BIT(3), BIT(3)),
			 PVPMU_OK);
	assert_int_equal(fake->area.guest.open, BIT(3));
	assert_int_equal(fake->area.guest.enable, BIT(3));
	assert_int_equal(fake->area.guest.read, BIT(3));
}

/* Each mask is carried out before the next: an id that is named in all five
 * is closed, and begins anew. */
static void masks_are_carried_out_in_order(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 3, CYCLES, 0);
	fake_run(fake, 7, 70);
	guest_describe(fake, 3, HW, INSTRUCTIONS, 0);
	assert_int_equal(guest_update(fake, BIT(3), 0, BIT(3), BIT(3), BIT(3)),
			 PVPMU_OK);
	assert_state(fake, 3, PVPMU_STATE_COUNTING);
	assert_count(fake, 3, 0);
	fake_run(fake, 7, 70);
	/* Disabled before it is enabled, so it counts afterwards. */
	assert_int_equal(guest_update(fake, 0, BIT(3), 0, BIT(3), 0), PVPMU_OK);
	assert_state(fake, 3, PVPMU_STATE_COUNTING);
	/* Closed before it is disabled: that is an error of the id. */
	assert_int_equal(guest_update(fake, BIT(3), BIT(3), 0, 0, 0),
			 PVPMU_ERR_PARTIAL);
	assert_error(fake, 3, PVPMU_ERR_CLOSED);
	assert_state(fake, 3, PVPMU_STATE_CLOSED);
}

static void closing_comes_first_so_that_limits_fit(void **state)
{
	struct fake *fake = *state;

	fake->own_vm.limits.slots_vm = 1;
	start_event(fake, 3, CYCLES, 0);
	guest_describe(fake, 0, HW, CYCLES, 0);
	assert_int_equal(guest_update(fake, BIT(3), 0, BIT(0), 0, 0), PVPMU_OK);
	assert_state(fake, 0, PVPMU_STATE_STOPPED);
}

/* The order of starts as the host sees it */
struct order {
	u32 n;
	u64 config[PVPMU_MAX_SLOTS];
};

static void note_creation(struct fake *fake, enum fake_op op, bool after)
{
	struct order *order = fake->hook_data;
	u64 config = 0;
	u32 i;

	if (op != FAKE_CREATE || !after)
		return;
	/* The fake does not say which it was; the newest is the largest. */
	for (i = 0; i < PVPMU_MAX_COUNTERS; i++)
		if (fake->counter[i].exists &&
		    fake->counter[i].desc.config > config)
			config = fake->counter[i].desc.config;
	order->config[order->n++] = config;
}

static void ids_are_ascending_within_a_mask(void **state)
{
	struct fake *fake = *state;
	struct order order = { 0 };
	u32 i;

	for (i = 0; i < 4; i++)
		guest_describe(fake, i * 5, HW, i + 1, 0);
	fake->hook = note_creation;
	fake->hook_data = &order;
	assert_int_equal(guest_update(fake, 0, 0,
				      BIT(0) | BIT(5) | BIT(10) | BIT(15), 0,
				      0),
			 PVPMU_OK);
	assert_int_equal(order.n, 4);
	for (i = 0; i < 4; i++)
		assert_int_equal(order.config[i], i + 1);
}

static void each_id_answers_for_itself(void **state)
{
	struct fake *fake = *state;

	guest_describe(fake, 0, HW, CYCLES, 0);
	guest_describe(fake, 1, HW, 99, 0);
	guest_describe(fake, 2, HW, CYCLES, 1);
	assert_int_equal(guest_update(fake, BIT(4), 0, 7, BIT(0), 0),
			 PVPMU_ERR_PARTIAL);
	assert_error(fake, 0, 0);
	assert_error(fake, 1, PVPMU_ERR_EVENT);
	assert_error(fake, 2, PVPMU_ERR_PERIOD);
	assert_error(fake, 4, PVPMU_ERR_CLOSED);
	assert_state(fake, 0, PVPMU_STATE_COUNTING);
	assert_state(fake, 1, PVPMU_STATE_CLOSED);
}

static void id_keeps_the_first_error_it_meets(void **state)
{
	struct fake *fake = *state;

	guest_describe(fake, 1, HW, 99, 0);
	assert_int_equal(guest_update(fake, 0, 0, BIT(1), BIT(1), BIT(1)),
			 PVPMU_ERR_PARTIAL);
	assert_error(fake, 1, PVPMU_ERR_EVENT);
}

static void id_goes_on_after_an_error(void **state)
{
	struct fake *fake = *state;

	open_event(fake, 1, CYCLES, 0);
	assert_int_equal(guest_update(fake, 0, 0, BIT(1), BIT(1), 0),
			 PVPMU_ERR_PARTIAL);
	assert_error(fake, 1, PVPMU_ERR_OPEN);
	assert_state(fake, 1, PVPMU_STATE_COUNTING);
}

static void next_update_that_names_it_clears_the_error(void **state)
{
	struct fake *fake = *state;

	guest_update(fake, BIT(1) | BIT(2), 0, 0, 0, 0);
	assert_error(fake, 1, PVPMU_ERR_CLOSED);
	guest_describe(fake, 1, HW, CYCLES, 0);
	assert_int_equal(guest_update(fake, 0, 0, BIT(1), 0, 0), PVPMU_OK);
	assert_error(fake, 1, 0);
	assert_error(fake, 2, PVPMU_ERR_CLOSED);
}

static void operation_on_one_id_leaves_its_error(void **state)
{
	struct fake *fake = *state;

	guest_update(fake, BIT(1), 0, 0, 0, 0);
	start_event(fake, 1, CYCLES, 0);
	assert_error(fake, 1, PVPMU_ERR_CLOSED);
}

static void assert_update_refused(struct fake *fake, s32 error)
{
	assert_refused(fake, error, PVPMU_OP_UPDATE, 0, 0, 0);
}

static void id_too_large_in_any_mask_refuses_all(void **state)
{
	struct fake *fake = *state;
	u32 *masks = &fake->area.guest.close;
	u32 i;

	open_event(fake, 0, CYCLES, 0);
	for (i = 0; i < 5; i++) {
		fake->area.guest = (struct pvpmu_header_guest){ .enable = 1 };
		masks[i] |= BIT(30);
		assert_update_refused(fake, PVPMU_ERR_ID);
		masks[i] ^= BIT(30) | BIT(31);
		assert_update_refused(fake, PVPMU_ERR_ID);
	}
}

static void reserved_word_refuses_all(void **state)
{
	struct fake *fake = *state;
	u32 i;

	open_event(fake, 0, CYCLES, 0);
	fake->area.guest = (struct pvpmu_header_guest){ .enable = 1 };
	fake->area.guest.flags = 1;
	assert_update_refused(fake, PVPMU_ERR_RESERVED);
	fake->area.guest.flags = 0;
	for (i = 0; i < 8; i++) {
		fake->area.guest.reserved[i] = 0x100;
		assert_update_refused(fake, PVPMU_ERR_RESERVED);
		fake->area.guest.reserved[i] = 0;
	}
}

static void reserved_comes_before_a_wrong_id(void **state)
{
	struct fake *fake = *state;

	fake->area.guest = (struct pvpmu_header_guest){
		.open = ~0u,
		.flags = 1,
	};
	assert_update_refused(fake, PVPMU_ERR_RESERVED);
}

static void errors_of_create_and_start_are_of_their_id(void **state)
{
	struct fake *fake = *state;

	guest_describe(fake, 1, HW, CYCLES, 0);
	fake->create_answer = PVPMU_LATER;
	assert_int_equal(guest_update(fake, 0, 0, BIT(1), 0, 0),
			 PVPMU_ERR_PARTIAL);
	assert_error(fake, 1, PVPMU_ERR_HOST);
	fake->create_answer = PVPMU_DONE;
	fake->start_answer = false;
	assert_int_equal(guest_update(fake, 0, 0, BIT(1), BIT(1), 0),
			 PVPMU_ERR_PARTIAL);
	assert_error(fake, 1, PVPMU_ERR_HOST);
	assert_state(fake, 1, PVPMU_STATE_STOPPED);
}

static u32 all_ops(const struct fake *fake)
{
	u32 n = 0;
	u32 i;

	for (i = 0; i < FAKE_OPS; i++)
		n += fake->calls[i];
	return n;
}

static void work_depends_on_the_ids_named_only(void **state)
{
	struct fake *fake = *state;
	u32 alone, among;
	u32 id;

	start_event(fake, 0, CYCLES, 0);
	alone = all_ops(fake);
	guest_update(fake, 0, 0, 0, 0, BIT(0));
	alone = all_ops(fake) - alone;
	for (id = 1; id < PVPMU_MAX_SLOTS; id++)
		start_event(fake, id, id % PVPMU_HW_END, 10000);
	among = all_ops(fake);
	guest_update(fake, 0, 0, 0, 0, BIT(0));
	assert_int_equal(all_ops(fake) - among, alone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(one_call_opens_and_starts_many),
		UNIT(nothing_named_is_nothing_done),
		UNIT(masks_keep_their_bits),
		UNIT(masks_are_carried_out_in_order),
		UNIT(closing_comes_first_so_that_limits_fit),
		UNIT(ids_are_ascending_within_a_mask),
		UNIT(each_id_answers_for_itself),
		UNIT(id_keeps_the_first_error_it_meets),
		UNIT(id_goes_on_after_an_error),
		UNIT(next_update_that_names_it_clears_the_error),
		UNIT(operation_on_one_id_leaves_its_error),
		UNIT(id_too_large_in_any_mask_refuses_all),
		UNIT(reserved_word_refuses_all),
		UNIT(reserved_comes_before_a_wrong_id),
		UNIT(errors_of_create_and_start_are_of_their_id),
		UNIT(work_depends_on_the_ids_named_only),
	};

	return cmocka_run_group_tests_name("update", tests, NULL, NULL);
}
