// SPDX-License-Identifier: MIT OR GPL-2.0
/* QUERY and OPEN: which events there are, and how they are described */
#include "unit.h"

#define CACHE_EVENT \
	PVPMU_CACHE(PVPMU_CACHE_L1D, PVPMU_CACHE_OP_READ, PVPMU_CACHE_MISS)
#define ALL_CAPS                                                       \
	(PVPMU_CAP_COUNT | PVPMU_CAP_SAMPLE | PVPMU_CAP_EXCLUDE_USER | \
	 PVPMU_CAP_EXCLUDE_KERNEL | PVPMU_CAP_EXCLUDE_GUEST |          \
	 PVPMU_CAP_EXCLUDE_HOST)

static s32 query(struct fake *fake, u32 type, u64 config)
{
	return guest_call(fake, PVPMU_OP_QUERY, type, (u32)config,
			  (u32)(config >> 32));
}

static void assert_open_refused(struct fake *fake, s32 error, u32 id)
{
	assert_refused(fake, error, PVPMU_OP_OPEN, id, 0, 0);
}

/* Asked for and opened; the two must agree. */
static void assert_event(struct fake *fake, u32 type, u64 config, bool exists)
{
	if (exists) {
		assert_int_equal(query(fake, type, config), ALL_CAPS);
		assert_int_equal(guest_open(fake, 0, type, config, 0),
				 PVPMU_OK);
		assert_done(fake, PVPMU_OP_CLOSE, 0);
	} else {
		assert_int_equal(query(fake, type, config), PVPMU_ERR_EVENT);
		guest_describe(fake, 0, type, config, 0);
		assert_open_refused(fake, PVPMU_ERR_EVENT, 0);
	}
}

static void grant_all_classes(struct fake *fake)
{
	fake->own_vm.limits.classes = ~0u;
}

static void hardware_events_exist_up_to_the_last(void **state)
{
	u64 config;

	for (config = 0; config < PVPMU_HW_END; config++)
		assert_event(*state, HW, config, true);
	assert_event(*state, HW, PVPMU_HW_END, false);
	assert_event(*state, HW, 1ull << 32, false);
	assert_event(*state, HW, ~0ull, false);
}

static void cache_events_exist_for_every_triple(void **state)
{
	u64 cache, op, result;

	for (cache = 0; cache <= PVPMU_CACHE_END; cache++)
		for (op = 0; op <= PVPMU_CACHE_OP_END; op++)
			for (result = 0; result <= PVPMU_CACHE_RESULT_END;
			     result++)
				assert_event(
					*state, PVPMU_TYPE_CACHE,
					PVPMU_CACHE(cache, op, result),
					cache < PVPMU_CACHE_END &&
						op < PVPMU_CACHE_OP_END &&
						result <
							PVPMU_CACHE_RESULT_END);
	assert_event(*state, PVPMU_TYPE_CACHE, 1ull << 24, false);
	assert_event(*state, PVPMU_TYPE_CACHE, 1ull << 63, false);
}

static void clock_event_exists(void **state)
{
	assert_event(*state, PVPMU_TYPE_CLOCK, PVPMU_CLOCK_VCPU, true);
	assert_event(*state, PVPMU_TYPE_CLOCK, PVPMU_CLOCK_END, false);
	assert_event(*state, PVPMU_TYPE_CLOCK, 1ull << 32, false);
}

static void hypervisor_events_exist_up_to_the_last(void **state)
{
	u64 config;

	for (config = 0; config < PVPMU_HV_END; config++)
		assert_event(*state, PVPMU_TYPE_HYPERVISOR, config, true);
	assert_event(*state, PVPMU_TYPE_HYPERVISOR, PVPMU_HV_END, false);
	assert_event(*state, PVPMU_TYPE_HYPERVISOR, 1ull << 32, false);
}

static void raw_events_exist_where_the_administrator_grants_them(void **state)
{
	struct fake *fake = *state;

	assert_event(fake, PVPMU_TYPE_RAW, 0x1c0, false);
	grant_all_classes(fake);
	assert_event(fake, PVPMU_TYPE_RAW, 0x1c0, true);
}

static void raw_event_is_select_and_unit_mask_only(void **state)
{
	struct fake *fake = *state;
	u32 bit;

	grant_all_classes(fake);
	for (bit = 0; bit < 64; bit++)
		assert_event(fake, PVPMU_TYPE_RAW, 1ull << bit,
			     bit < 16 || (bit >= 32 && bit < 36));
}

static void unknown_types_do_not_exist(void **state)
{
	struct fake *fake = *state;

	grant_all_classes(fake);
	assert_event(fake, 0, 0, false);
	assert_event(fake, PVPMU_TYPE_RAW + 1, 0, false);
	assert_event(fake, ~0u, 0, false);
}

static void each_class_is_granted_by_itself(void **state)
{
	struct fake *fake = *state;
	u32 *classes = &fake->own_vm.limits.classes;

	*classes = PVPMU_CLASS_BASIC;
	assert_event(fake, HW, PVPMU_HW_CYCLES, true);
	assert_event(fake, HW, PVPMU_HW_INSTRUCTIONS, true);
	assert_event(fake, HW, PVPMU_HW_BRANCHES, true);
	assert_event(fake, HW, PVPMU_HW_BRANCH_MISSES, true);
	assert_event(fake, PVPMU_TYPE_CLOCK, 0, true);
	assert_event(fake, HW, PVPMU_HW_CACHE_MISSES, false);
	assert_event(fake, HW, PVPMU_HW_BUS_CYCLES, false);
	assert_event(fake, HW, PVPMU_HW_STALLED_BACKEND, false);
	assert_event(fake, PVPMU_TYPE_CACHE, CACHE_EVENT, false);
	assert_event(fake, PVPMU_TYPE_HYPERVISOR, PVPMU_HV_EXITS, false);
	*classes = PVPMU_CLASS_CACHE;
	assert_event(fake, HW, PVPMU_HW_CYCLES, false);
	assert_event(fake, HW, PVPMU_HW_CACHE_MISSES, true);
	assert_event(fake, PVPMU_TYPE_CACHE, CACHE_EVENT, true);
	*classes = PVPMU_CLASS_HYPERVISOR;
	assert_event(fake, PVPMU_TYPE_HYPERVISOR, PVPMU_HV_STEAL, true);
	assert_event(fake, PVPMU_TYPE_CLOCK, 0, false);
	*classes = 0;
	assert_event(fake, HW, PVPMU_HW_CYCLES, false);
}

static void event_that_the_host_cannot_count_does_not_exist(void **state)
{
	struct fake *fake = *state;

	fake->caps = 0;
	assert_event(fake, HW, CYCLES, false);
}

static void event_that_exists_can_always_be_counted(void **state)
{
	struct fake *fake = *state;

	fake->caps = PVPMU_CAP_SAMPLE;
	assert_int_equal(query(fake, HW, CYCLES),
			 PVPMU_CAP_COUNT | PVPMU_CAP_SAMPLE);
}

static void query_changes_nothing(void **state)
{
	struct fake *fake = *state;
	struct snapshot shot;

	take_snapshot(fake, &shot);
	query(fake, HW, CYCLES);
	assert_unchanged(fake, &shot);
	assert_refused(fake, PVPMU_ERR_EVENT, PVPMU_OP_QUERY, HW, 99, 0);
}

static void opened_event_is_stopped_at_zero(void **state)
{
	struct fake *fake = *state;

	open_event(fake, 5, CYCLES, 0);
	fake_run(fake, 100, 100);
	assert_done(fake, PVPMU_OP_READ, 5);
	assert_state(fake, 5, PVPMU_STATE_STOPPED);
	assert_count(fake, 5, 0);
	assert_times(fake, 5, 0, 0);
	assert_overflows(fake, 5, 0, 0);
}

static void opened_again_it_is_at_zero_again(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 5, CYCLES, 1000);
	fake_run(fake, 100, 2500);
	assert_done(fake, PVPMU_OP_CLOSE, 5);
	assert_count(fake, 5, 2500);
	assert_overflows(fake, 5, 2, 2000);
	open_event(fake, 5, CYCLES, 1000);
	assert_count(fake, 5, 0);
	assert_times(fake, 5, 0, 0);
	assert_overflows(fake, 5, 0, 0);
}

static void open_asks_the_host_for_what_was_described(void **state)
{
	struct fake *fake = *state;
	const struct pvpmu_desc *desc;

	guest_describe(fake, 9, PVPMU_TYPE_CACHE, CACHE_EVENT, 4000);
	fake->area.slot[9].guest.flags = PVPMU_FLAG_EXCLUDE_USER;
	assert_done(fake, PVPMU_OP_OPEN, 9);
	desc = &fake->counter[fake_find(fake, PVPMU_TYPE_CACHE, CACHE_EVENT)]
			.desc;
	assert_int_equal(desc->flags, PVPMU_FLAG_EXCLUDE_USER);
	assert_true(desc->sampling);
}

static void open_twice_is_refused(void **state)
{
	open_event(*state, 5, CYCLES, 0);
	assert_open_refused(*state, PVPMU_ERR_OPEN, 5);
}

static void unknown_flag_is_refused(void **state)
{
	struct fake *fake = *state;
	u32 bit;

	for (bit = 4; bit < 32; bit++) {
		guest_describe(fake, 3, HW, CYCLES, 0);
		fake->area.slot[3].guest.flags = BIT(bit);
		assert_open_refused(fake, PVPMU_ERR_RESERVED, 3);
	}
}

static void reserved_word_is_refused(void **state)
{
	struct fake *fake = *state;
	u32 i;

	for (i = 0; i < 7; i++) {
		guest_describe(fake, 3, HW, CYCLES, 0);
		fake->area.slot[3].guest.reserved[i] = 0x80000000;
		assert_open_refused(fake, PVPMU_ERR_RESERVED, 3);
	}
}

static void filters_that_leave_nothing_are_refused(void **state)
{
	const u32 modes = PVPMU_FLAG_EXCLUDE_USER | PVPMU_FLAG_EXCLUDE_KERNEL;
	const u32 levels = PVPMU_FLAG_EXCLUDE_GUEST | PVPMU_FLAG_EXCLUDE_HOST;
	struct fake *fake = *state;
	u32 flags;

	for (flags = 0; flags <= PVPMU_FLAGS_FILTERS; flags++) {
		guest_describe(fake, 3, HW, CYCLES, 0);
		fake->area.slot[3].guest.flags = flags;
		if ((flags & modes) == modes || (flags & levels) == levels) {
			assert_open_refused(fake, PVPMU_ERR_FILTER, 3);
			continue;
		}
		assert_done(fake, PVPMU_OP_OPEN, 3);
		assert_done(fake, PVPMU_OP_CLOSE, 3);
	}
}

static void filter_that_the_host_cannot_honour_is_refused(void **state)
{
	static const struct {
		u32 flag, cap;
	} filters[] = {
		{ PVPMU_FLAG_EXCLUDE_USER, PVPMU_CAP_EXCLUDE_USER },
		{ PVPMU_FLAG_EXCLUDE_KERNEL, PVPMU_CAP_EXCLUDE_KERNEL },
		{ PVPMU_FLAG_EXCLUDE_GUEST, PVPMU_CAP_EXCLUDE_GUEST },
		{ PVPMU_FLAG_EXCLUDE_HOST, PVPMU_CAP_EXCLUDE_HOST },
	};
	struct fake *fake = *state;
	u32 without, with;

	guest_describe(fake, 3, HW, CYCLES, 0);
	for (without = 0; without < 4; without++) {
		fake->caps = ALL_CAPS & ~filters[without].cap;
		for (with = 0; with < 4; with++) {
			fake->area.slot[3].guest.flags = filters[with].flag;
			if (with == without) {
				assert_open_refused(fake, PVPMU_ERR_FILTER, 3);
				continue;
			}
			assert_done(fake, PVPMU_OP_OPEN, 3);
			assert_done(fake, PVPMU_OP_CLOSE, 3);
		}
	}
}

static s32 open_periods(struct fake *fake, u32 type, u64 period, u64 next)
{
	s32 ret;

	guest_describe(fake, 3, type, 0, period);
	fake->area.slot[3].guest.next_period = next;
	ret = guest_call(fake, PVPMU_OP_OPEN, 3, 0, 0);
	if (ret == PVPMU_OK)
		assert_done(fake, PVPMU_OP_CLOSE, 3);
	return ret;
}

static void period_has_bounds(void **state)
{
	struct fake *fake = *state;

	fake->own_vm.limits.period_min = 500;
	assert_int_equal(open_periods(fake, HW, 499, 0), PVPMU_ERR_PERIOD);
	assert_int_equal(open_periods(fake, HW, 500, 0), PVPMU_OK);
	assert_int_equal(open_periods(fake, HW, PVPMU_PERIOD_MAX, 0), PVPMU_OK);
	assert_int_equal(open_periods(fake, HW, PVPMU_PERIOD_MAX + 1, 0),
			 PVPMU_ERR_PERIOD);
	assert_int_equal(open_periods(fake, HW, ~0ull, 1000), PVPMU_ERR_PERIOD);
}

static void period_of_time_has_a_bound_of_its_own(void **state)
{
	struct fake *fake = *state;

	fake->own_vm.limits.period_min = 1;
	fake->own_vm.limits.clock_period_min = 90000;
	assert_int_equal(open_periods(fake, PVPMU_TYPE_CLOCK, 89999, 0),
			 PVPMU_ERR_PERIOD);
	assert_int_equal(open_periods(fake, PVPMU_TYPE_CLOCK, 90000, 0),
			 PVPMU_OK);
	guest_describe(fake, 3, PVPMU_TYPE_HYPERVISOR, PVPMU_HV_STEAL, 89999);
	assert_open_refused(fake, PVPMU_ERR_PERIOD, 3);
	guest_describe(fake, 3, PVPMU_TYPE_HYPERVISOR, PVPMU_HV_EXITS, 89999);
	assert_done(fake, PVPMU_OP_OPEN, 3);
}

static void first_period_may_be_the_rest_of_a_longer_one(void **state)
{
	assert_int_equal(open_periods(*state, HW, 1, 5000), PVPMU_OK);
	assert_int_equal(open_periods(*state, HW, 1, 0), PVPMU_ERR_PERIOD);
}

static void next_period_without_a_period_is_refused(void **state)
{
	assert_int_equal(open_periods(*state, HW, 0, 5000), PVPMU_ERR_PERIOD);
}

static void next_period_out_of_bounds_is_not_refused(void **state)
{
	assert_int_equal(open_periods(*state, HW, 5000, 1), PVPMU_OK);
	assert_int_equal(open_periods(*state, HW, 5000, ~0ull), PVPMU_OK);
}

static void event_that_cannot_be_sampled_has_no_period(void **state)
{
	struct fake *fake = *state;

	fake->caps = ALL_CAPS & ~PVPMU_CAP_SAMPLE;
	assert_int_equal(open_periods(fake, HW, 5000, 0), PVPMU_ERR_PERIOD);
	assert_int_equal(open_periods(fake, HW, 0, 0), PVPMU_OK);
}

static void leader_other_than_itself_is_refused(void **state)
{
	struct fake *fake = *state;

	open_event(fake, 0, CYCLES, 0);
	guest_describe(fake, 3, HW, CYCLES, 0);
	fake->area.slot[3].guest.leader = 0;
	assert_open_refused(fake, PVPMU_ERR_GROUP, 3);
	fake->area.slot[3].guest.leader = ~0u;
	assert_open_refused(fake, PVPMU_ERR_GROUP, 3);
}

/* Describes slot @id as a member of @leader's group. */
static void describe_member(struct fake *fake, u32 id, u32 leader)
{
	guest_describe(fake, id, HW, CYCLES, 0);
	fake->area.slot[id].guest.leader = leader;
}

static void member_needs_an_open_leader(void **state)
{
	struct fake *fake = *state;

	fake_serve(fake, PVPMU_FEAT_GROUPS);
	describe_member(fake, 3, 0);
	assert_open_refused(fake, PVPMU_ERR_GROUP, 3);
	describe_member(fake, 3, PVPMU_MAX_SLOTS);
	assert_open_refused(fake, PVPMU_ERR_GROUP, 3);
	describe_member(fake, 3, ~0u);
	assert_open_refused(fake, PVPMU_ERR_GROUP, 3);
	open_event(fake, 0, CYCLES, 0);
	describe_member(fake, 3, 0);
	assert_done(fake, PVPMU_OP_OPEN, 3);
	/* Any of a group speaks for it. */
	describe_member(fake, 4, 3);
	assert_done(fake, PVPMU_OP_OPEN, 4);
	assert_done(fake, PVPMU_OP_CLOSE, 0);
	describe_member(fake, 5, 3);
	assert_done(fake, PVPMU_OP_OPEN, 5);
	assert_int_equal(fake->vcpu.slot[5].group, fake->vcpu.slot[4].group);
}

static void group_that_can_never_fit_is_refused(void **state)
{
	struct fake *fake = *state;

	fake_serve(fake, PVPMU_FEAT_GROUPS);
	fake->most = 2;
	open_event(fake, 0, INSTRUCTIONS, 0);
	describe_member(fake, 1, 0);
	assert_done(fake, PVPMU_OP_OPEN, 1);
	describe_member(fake, 2, 1);
	fake->area.slot[2].guest.config = BRANCHES;
	assert_open_refused(fake, PVPMU_ERR_GROUP, 2);
	assert_done(fake, PVPMU_OP_CLOSE, 0);
	assert_done(fake, PVPMU_OP_OPEN, 2);
}

/* One that shares a counter of the group takes no room in it. */
static void duplicate_joins_a_full_group(void **state)
{
	struct fake *fake = *state;

	fake_serve(fake, PVPMU_FEAT_GROUPS);
	fake->most = 1;
	open_event(fake, 0, CYCLES, 0);
	describe_member(fake, 1, 0);
	assert_done(fake, PVPMU_OP_OPEN, 1);
	describe_member(fake, 2, 1);
	assert_done(fake, PVPMU_OP_OPEN, 2);
	assert_int_equal(fake->vcpu.slot[2].counter,
			 fake->vcpu.slot[0].counter);
	/* A sampling one shares with nobody, one with a filter is another. */
	describe_member(fake, 3, 1);
	fake->area.slot[3].guest.period = 1000;
	assert_open_refused(fake, PVPMU_ERR_GROUP, 3);
	describe_member(fake, 3, 1);
	fake->area.slot[3].guest.flags = PVPMU_FLAG_EXCLUDE_USER;
	assert_open_refused(fake, PVPMU_ERR_GROUP, 3);
}

static void slot_that_leaves_a_group_is_in_none(void **state)
{
	struct fake *fake = *state;

	fake_serve(fake, PVPMU_FEAT_GROUPS);
	open_event(fake, 0, CYCLES, 0);
	describe_member(fake, 1, 0);
	assert_done(fake, PVPMU_OP_OPEN, 1);
	assert_done(fake, PVPMU_OP_CLOSE, 0);
	open_event(fake, 0, CYCLES, 0);
	assert_int_equal(fake->vcpu.slot[0].group, 0);
	assert_true(fake->vcpu.slot[0].counter != fake->vcpu.slot[1].counter);
	/* A new group has nothing to do with the one that was. */
	describe_member(fake, 2, 0);
	assert_done(fake, PVPMU_OP_OPEN, 2);
	assert_true(fake->vcpu.slot[0].group != fake->vcpu.slot[1].group);
	fake->vcpu.groups = ~0u;
	open_event(fake, 7, CYCLES, 0);
	describe_member(fake, 8, 7);
	assert_done(fake, PVPMU_OP_OPEN, 8);
	assert_int_equal(fake->vcpu.slot[8].group, 1);
}

static void group_begins_while_its_leader_counts(void **state)
{
	struct fake *fake = *state;

	fake_serve(fake, PVPMU_FEAT_GROUPS);
	start_event(fake, 0, CYCLES, 0);
	start_event(fake, 9, CYCLES, 0);
	fake_run(fake, 100, 1000);
	describe_member(fake, 1, 0);
	assert_done(fake, PVPMU_OP_OPEN, 1);
	assert_state(fake, 0, PVPMU_STATE_COUNTING);
	assert_count(fake, 0, 1000);
	fake_run(fake, 100, 1000);
	assert_done(fake, PVPMU_OP_READ, 0);
	assert_count(fake, 0, 2000);
	assert_times(fake, 0, 200, 200);
	/* It shares its counter no more. */
	assert_true(fake->vcpu.slot[0].counter != fake->vcpu.slot[9].counter);
}

static void join_arms_a_throttled_leader_again(void **state)
{
	struct fake *fake = *state;

	fake_serve(fake, PVPMU_FEAT_GROUPS);
	start_event(fake, 0, CYCLES, 1000);
	fake->vcpu.budget = 0;
	fake_run(fake, 1, 1500);
	assert_state(fake, 0, PVPMU_STATE_COUNTING | PVPMU_STATE_THROTTLED);
	fake->vcpu.budget = 100;
	describe_member(fake, 1, 0);
	assert_done(fake, PVPMU_OP_OPEN, 1);
	assert_state(fake, 0, PVPMU_STATE_COUNTING);
	fake_run(fake, 1, 999);
	assert_overflows(fake, 0, 1, 1000);
	fake_run(fake, 1, 1);
	assert_overflows(fake, 0, 2, 2500);
}

static void leader_that_cannot_be_started_again_is_stopped(void **state)
{
	struct fake *fake = *state;

	fake_serve(fake, PVPMU_FEAT_GROUPS);
	start_event(fake, 0, CYCLES, 0);
	fake_run(fake, 100, 1000);
	describe_member(fake, 1, 0);
	fake->start_answer = false;
	assert_int_equal(guest_call(fake, PVPMU_OP_OPEN, 1, 0, 0),
			 PVPMU_ERR_HOST);
	assert_state(fake, 0, PVPMU_STATE_STOPPED);
	assert_state(fake, 1, PVPMU_STATE_CLOSED);
	assert_count(fake, 0, 1000);
	assert_int_equal(fake->own_vm.slots_open, 1);
}

/* After the member's counter there is none for its leader. */
static void one_create(struct fake *fake, enum fake_op op, bool after)
{
	if (op == FAKE_CREATE && after)
		fake->create_answer = PVPMU_LATER;
}

static void leader_that_finds_no_counter_goes_on(void **state)
{
	struct fake *fake = *state;

	fake_serve(fake, PVPMU_FEAT_GROUPS);
	start_event(fake, 0, INSTRUCTIONS, 0);
	fake_run(fake, 100, 1000);
	describe_member(fake, 1, 0);
	fake->hook = one_create;
	assert_int_equal(guest_call(fake, PVPMU_OP_OPEN, 1, 0, 0),
			 PVPMU_ERR_HOST);
	fake_run(fake, 100, 1000);
	assert_done(fake, PVPMU_OP_READ, 0);
	assert_state(fake, 0, PVPMU_STATE_COUNTING);
	assert_count(fake, 0, 2000);
	assert_int_equal(fake->vcpu.slot[0].group, 0);
	assert_int_equal(fake->own_vm.slots_open, 1);
}

static void host_without_a_counter_is_an_error_of_its_own(void **state)
{
	struct fake *fake = *state;

	guest_describe(fake, 3, HW, CYCLES, 0);
	fake->create_answer = PVPMU_LATER;
	assert_open_refused(fake, PVPMU_ERR_HOST, 3);
	fake->create_answer = PVPMU_NEVER;
	assert_open_refused(fake, PVPMU_ERR_EVENT, 3);
	fake->create_answer = PVPMU_DONE;
	assert_done(fake, PVPMU_OP_OPEN, 3);
}

/* A description with every fault there is, mended one by one */
static void errors_of_open_come_in_the_documented_order(void **state)
{
	struct fake *fake = *state;
	struct pvpmu_slot_guest *line = &fake->area.slot[3].guest;

	open_event(fake, 3, CYCLES, 0);
	memset(line, 0xff, sizeof(*line));
	line->flags = ~0u;
	fake->create_answer = PVPMU_LATER;
	fake->own_vm.limits.slots_vm = 0;
	assert_open_refused(fake, PVPMU_ERR_OPEN, 3);
	assert_done(fake, PVPMU_OP_CLOSE, 3);
	/* No counter to find again: the host is to be asked. */
	pvpmu_reap(&fake->vcpu, 0);
	assert_open_refused(fake, PVPMU_ERR_RESERVED, 3);
	line->flags = PVPMU_FLAGS_FILTERS;
	memset(line->reserved, 0, sizeof(line->reserved));
	assert_open_refused(fake, PVPMU_ERR_EVENT, 3);
	line->type = HW;
	line->config = CYCLES;
	assert_open_refused(fake, PVPMU_ERR_FILTER, 3);
	line->flags = 0;
	assert_open_refused(fake, PVPMU_ERR_PERIOD, 3);
	line->period = 0;
	line->next_period = 0;
	assert_open_refused(fake, PVPMU_ERR_GROUP, 3);
	line->leader = 3;
	assert_open_refused(fake, PVPMU_ERR_LIMIT, 3);
	fake->own_vm.limits.slots_vm = 1;
	assert_open_refused(fake, PVPMU_ERR_HOST, 3);
	fake->create_answer = PVPMU_DONE;
	assert_done(fake, PVPMU_OP_OPEN, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(hardware_events_exist_up_to_the_last),
		UNIT(cache_events_exist_for_every_triple),
		UNIT(clock_event_exists),
		UNIT(hypervisor_events_exist_up_to_the_last),
		UNIT(raw_events_exist_where_the_administrator_grants_them),
		UNIT(raw_event_is_select_and_unit_mask_only),
		UNIT(unknown_types_do_not_exist),
		UNIT(each_class_is_granted_by_itself),
		UNIT(event_that_the_host_cannot_count_does_not_exist),
		UNIT(event_that_exists_can_always_be_counted),
		UNIT(query_changes_nothing),
		UNIT(opened_event_is_stopped_at_zero),
		UNIT(opened_again_it_is_at_zero_again),
		UNIT(open_asks_the_host_for_what_was_described),
		UNIT(open_twice_is_refused),
		UNIT(unknown_flag_is_refused),
		UNIT(reserved_word_is_refused),
		UNIT(filters_that_leave_nothing_are_refused),
		UNIT(filter_that_the_host_cannot_honour_is_refused),
		UNIT(period_has_bounds),
		UNIT(period_of_time_has_a_bound_of_its_own),
		UNIT(first_period_may_be_the_rest_of_a_longer_one),
		UNIT(next_period_without_a_period_is_refused),
		UNIT(next_period_out_of_bounds_is_not_refused),
		UNIT(event_that_cannot_be_sampled_has_no_period),
		UNIT(leader_other_than_itself_is_refused),
		UNIT(member_needs_an_open_leader),
		UNIT(group_that_can_never_fit_is_refused),
		UNIT(duplicate_joins_a_full_group),
		UNIT(slot_that_leaves_a_group_is_in_none),
		UNIT(group_begins_while_its_leader_counts),
		UNIT(join_arms_a_throttled_leader_again),
		UNIT(leader_that_cannot_be_started_again_is_stopped),
		UNIT(leader_that_finds_no_counter_goes_on),
		UNIT(host_without_a_counter_is_an_error_of_its_own),
		UNIT(errors_of_open_come_in_the_documented_order),
	};

	return cmocka_run_group_tests_name("open", tests, NULL, NULL);
}
