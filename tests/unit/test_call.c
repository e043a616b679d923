// SPDX-License-Identifier: MIT OR GPL-2.0
/* What holds for every call: who may make it, operation word, arguments */
#include "unit.h"

/* How many of the three scalars each operation has */
static const u32 arguments[] = {
	[PVPMU_OP_QUERY] = 3,	[PVPMU_OP_SETUP] = 3, [PVPMU_OP_DETACH] = 0,
	[PVPMU_OP_OPEN] = 1,	[PVPMU_OP_CLOSE] = 1, [PVPMU_OP_ENABLE] = 1,
	[PVPMU_OP_DISABLE] = 1, [PVPMU_OP_READ] = 1,  [PVPMU_OP_UPDATE] = 0,
};

#define OPERATIONS (PVPMU_OP_UPDATE + 1)

static s32 user_call(struct fake *fake, u32 op, u32 a)
{
	const struct pvpmu_call call = {
		.op = FAKE_OP_BASE + op,
		.arg = { a },
		.kernel = false,
	};

	return pvpmu_call(&fake->vcpu, &call);
}

static void user_mode_is_denied_every_operation(void **state)
{
	struct fake *fake = *state;
	struct snapshot shot;
	u32 op;

	take_snapshot(fake, &shot);
	for (op = 0; op < OPERATIONS; op++)
		assert_int_equal(user_call(fake, op, 0), PVPMU_ERR_DENIED);
	assert_unchanged(fake, &shot);
}

static void user_mode_learns_nothing_of_operations(void **state)
{
	assert_int_equal(user_call(*state, OPERATIONS, 1), PVPMU_ERR_DENIED);
}

static void unknown_operations_are_refused(void **state)
{
	assert_refused(*state, PVPMU_ERR_OPERATION, OPERATIONS, 0, 0, 0);
	assert_refused(*state, PVPMU_ERR_OPERATION, 0xffff, 0, 0, 0);
	/* Without the operation base, and one below it */
	assert_refused(*state, PVPMU_ERR_OPERATION,
		       PVPMU_OP_READ - FAKE_OP_BASE, 0, 0, 0);
	assert_refused(*state, PVPMU_ERR_OPERATION, ~0u, 0, 0, 0);
}

static void unknown_operation_comes_before_its_arguments(void **state)
{
	assert_refused(*state, PVPMU_ERR_OPERATION, OPERATIONS, 1, 2, 3);
}

static void argument_that_an_operation_has_not_is_refused(void **state)
{
	struct fake *fake = *state;
	u32 op, n;

	for (op = 0; op < OPERATIONS; op++) {
		for (n = arguments[op]; n < 3; n++)
			assert_refused(fake, PVPMU_ERR_RESERVED, op, n == 0,
				       n == 1, n == 2);
	}
}

static void reserved_argument_comes_before_a_missing_area(void **state)
{
	assert_refused(*state, PVPMU_ERR_RESERVED, PVPMU_OP_READ, 0, 0, 1);
}

static void operations_on_events_need_an_area(void **state)
{
	struct fake *fake = *state;
	u32 op;

	for (op = PVPMU_OP_DETACH; op < OPERATIONS; op++)
		assert_refused(fake, PVPMU_ERR_NO_AREA, op, 0, 0, 0);
}

static void missing_area_comes_before_a_wrong_id(void **state)
{
	assert_refused(*state, PVPMU_ERR_NO_AREA, PVPMU_OP_READ, 99, 0, 0);
}

static void query_needs_no_area(void **state)
{
	assert_true(guest_call(*state, PVPMU_OP_QUERY, HW, CYCLES, 0) > 0);
}

static void id_beyond_the_slots_is_refused(void **state)
{
	const u32 wrong[] = { PVPMU_MAX_SLOTS, PVPMU_MAX_SLOTS + 1, 255, 256,
			      0x7fffffff,      0x80000000,	    ~0u };
	u32 op, i;

	for (op = PVPMU_OP_OPEN; op <= PVPMU_OP_READ; op++)
		for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
			assert_refused(*state, PVPMU_ERR_ID, op, wrong[i], 0,
				       0);
}

static void operations_on_a_closed_id_are_refused(void **state)
{
	u32 op;

	for (op = PVPMU_OP_CLOSE; op <= PVPMU_OP_READ; op++)
		assert_refused(*state, PVPMU_ERR_CLOSED, op, 7, 0, 0);
}

static void calls_are_counted_by_operation(void **state)
{
	struct fake *fake = *state;
	const u64 *calls = fake->vcpu.stats.calls;

	start_event(fake, 3, CYCLES, 0);
	guest_call(fake, PVPMU_OP_READ, 3, 0, 0);
	guest_call(fake, PVPMU_OP_READ, 3, 0, 0);
	guest_call(fake, 1234, 0, 0, 0);
	assert_int_equal(calls[PVPMU_OP_SETUP], 1);
	assert_int_equal(calls[PVPMU_OP_OPEN], 1);
	assert_int_equal(calls[PVPMU_OP_ENABLE], 1);
	assert_int_equal(calls[PVPMU_OP_READ], 2);
	assert_int_equal(calls[OPERATIONS], 1);
	assert_int_equal(fake->vcpu.stats.refused, 1);
}

/* That is not the call's doing: it happened before, and is shown here. */
static void refused_call_shows_what_happened_meanwhile(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 1000);
	fake_count(fake, fake_find(fake, HW, CYCLES), 1, 1000);
	fake->own_vm.limits.slots_vcpu = 7;
	assert_int_equal(fake->area.overflow.pending, 0);
	assert_int_equal(guest_call(fake, PVPMU_OP_READ, 3, 0, 0),
			 PVPMU_ERR_CLOSED);
	assert_int_equal(fake->area.overflow.pending, BIT(0));
	assert_overflows(fake, 0, 1, 1000);
	assert_int_equal(fake->area.host.slots_usable, 7);
}

static void answers_are_of_the_closed_list(void **state)
{
	(void)state;
	assert_int_equal(PVPMU_ERR_OPERATION, -3001);
	assert_int_equal(PVPMU_ERR_DENIED, -3002);
	assert_int_equal(PVPMU_ERR_RESERVED, -3003);
	assert_int_equal(PVPMU_ERR_NO_AREA, -3004);
	assert_int_equal(PVPMU_ERR_FRAME, -3005);
	assert_int_equal(PVPMU_ERR_DELIVERY, -3006);
	assert_int_equal(PVPMU_ERR_RETRY, -3007);
	assert_int_equal(PVPMU_ERR_ID, -3008);
	assert_int_equal(PVPMU_ERR_OPEN, -3009);
	assert_int_equal(PVPMU_ERR_CLOSED, -3010);
	assert_int_equal(PVPMU_ERR_EVENT, -3011);
	assert_int_equal(PVPMU_ERR_FILTER, -3012);
	assert_int_equal(PVPMU_ERR_PERIOD, -3013);
	assert_int_equal(PVPMU_ERR_GROUP, -3014);
	assert_int_equal(PVPMU_ERR_LIMIT, -3015);
	assert_int_equal(PVPMU_ERR_HOST, -3016);
	assert_int_equal(PVPMU_ERR_PARTIAL, -3017);
	assert_int_equal(PVPMU_ERR_VERSION, -3018);
	assert_int_equal(PVPMU_ERR_LAST, PVPMU_ERR_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(user_mode_is_denied_every_operation),
		UNIT(user_mode_learns_nothing_of_operations),
		UNIT(unknown_operations_are_refused),
		UNIT(unknown_operation_comes_before_its_arguments),
		UNIT(argument_that_an_operation_has_not_is_refused),
		UNIT_BARE(reserved_argument_comes_before_a_missing_area),
		UNIT_BARE(operations_on_events_need_an_area),
		UNIT_BARE(missing_area_comes_before_a_wrong_id),
		UNIT_BARE(query_needs_no_area),
		UNIT(id_beyond_the_slots_is_refused),
		UNIT(operations_on_a_closed_id_are_refused),
		UNIT(calls_are_counted_by_operation),
		UNIT(refused_call_shows_what_happened_meanwhile),
		UNIT(answers_are_of_the_closed_list),
	};

	return cmocka_run_group_tests_name("call", tests, NULL, NULL);
}
