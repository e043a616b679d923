// SPDX-License-Identifier: MIT OR GPL-2.0
/* Overflows: their accounts, periods, the pending word, interrupts */
#include <signal.h>

#include "unit.h"

static u32 counter_of(struct fake *fake, u64 config)
{
	return fake_find(fake, HW, config);
}

/* The counter of an event counts, without the way back into the guest. */
static void count(struct fake *fake, u64 config, u64 events)
{
	fake_count(fake, counter_of(fake, config), 1, events);
}

static void start_periods(struct fake *fake, u32 id, u64 period, u64 next)
{
	guest_describe(fake, id, HW, CYCLES, period);
	fake->area.slot[id].guest.next_period = next;
	assert_done(fake, PVPMU_OP_OPEN, id);
	assert_done(fake, PVPMU_OP_ENABLE, id);
}

static void read_event(struct fake *fake, u32 id)
{
	assert_done(fake, PVPMU_OP_READ, id);
}

static void overflow_is_shown_and_interrupts(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 6, CYCLES, 1000);
	fake_run(fake, 1, 999);
	assert_int_equal(fake->area.overflow.pending, 0);
	assert_int_equal(fake->calls[FAKE_RAISE], 0);
	fake_run(fake, 1, 1);
	assert_overflows(fake, 6, 1, 1000);
	assert_count(fake, 6, 1000);
	assert_int_equal(fake->area.overflow.pending, BIT(6));
	assert_int_equal(fake->calls[FAKE_RAISE], 1);
	assert_int_equal(fake->vcpu.stats.overflows, 1);
	assert_int_equal(fake->vcpu.stats.raised, 1);
}

/* What the guest can see when its bit is set, and when it is interrupted */
static void look_when_told(struct fake *fake, enum fake_op op, bool after)
{
	u32 *seen = fake->hook_data;

	if (op == FAKE_AREA_OR32 && !after) {
		assert_overflows(fake, 6, 1, 1000);
		assert_count(fake, 6, 1000);
		*seen |= 1;
	}
	if (op == FAKE_RAISE && !after) {
		assert_int_equal(fake->area.overflow.pending, BIT(6));
		*seen |= 2;
	}
}

static void line_comes_first_then_the_bit_then_the_interrupt(void **state)
{
	struct fake *fake = *state;
	u32 seen = 0;

	start_event(fake, 6, CYCLES, 1000);
	fake->hook = look_when_told;
	fake->hook_data = &seen;
	fake_run(fake, 1, 1000);
	fake->hook = NULL;
	assert_int_equal(seen, 3);
}

static void event_without_a_period_does_not_overflow(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 6, CYCLES, 0);
	fake_run(fake, 1, 1ull << 50);
	assert_done(fake, PVPMU_OP_DISABLE, 6);
	assert_count(fake, 6, 1ull << 50);
	assert_overflows(fake, 6, 0, 0);
}

static void page_is_not_written_before_the_vcpu_goes_on(void **state)
{
	struct fake *fake = *state;
	struct pvpmu_area before;

	start_event(fake, 6, CYCLES, 1000);
	before = fake->area;
	count(fake, CYCLES, 1000);
	assert_true(fake->kicked);
	assert_memory_equal(&before, &fake->area, sizeof(before));
	fake_enter(fake);
	assert_int_equal(fake->area.overflow.pending, BIT(6));
}

static void weights_of_samples_add_up_to_the_count(void **state)
{
	struct fake *fake = *state;
	u64 seen = 0, weights = 0;
	u32 i;

	start_event(fake, 0, CYCLES, 1234);
	for (i = 0; i < 1000; i++) {
		fake_run(fake, 1, 1 + i * 7 % 900);
		if (guest_take_pending(fake) & BIT(0)) {
			weights += guest_line(fake, 0)->overflow_total - seen;
			seen = guest_line(fake, 0)->overflow_total;
		}
		assert_true(guest_line(fake, 0)->overflow_total <=
			    guest_line(fake, 0)->count);
	}
	assert_done(fake, PVPMU_OP_DISABLE, 0);
	assert_true(guest_line(fake, 0)->count >= weights);
	assert_true(guest_line(fake, 0)->count - weights < 1234);
}

static void coalesced_overflows_keep_their_weight(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 1000);
	fake_run(fake, 1, 5500);
	assert_overflows(fake, 0, 5, 5000);
	assert_int_equal(fake->calls[FAKE_RAISE], 1);
	assert_int_equal(guest_take_pending(fake), BIT(0));
	fake_run(fake, 1, 500);
	assert_overflows(fake, 0, 6, 6000);
	assert_int_equal(fake->calls[FAKE_RAISE], 2);
}

static void first_period_may_differ_from_the_others(void **state)
{
	struct fake *fake = *state;

	start_periods(fake, 0, 300, 2000);
	fake_run(fake, 1, 300);
	assert_overflows(fake, 0, 1, 300);
	fake_run(fake, 1, 1999);
	assert_overflows(fake, 0, 1, 300);
	fake_run(fake, 1, 1);
	assert_overflows(fake, 0, 2, 2300);
	fake_run(fake, 1, 4000);
	assert_overflows(fake, 0, 4, 6300);
}

static void changed_next_period_holds_after_the_next_overflow(void **state)
{
	struct fake *fake = *state;

	start_periods(fake, 0, 1000, 2000);
	fake->area.slot[0].guest.next_period = 5000;
	fake_run(fake, 1, 1000);
	/* It was looked at now; the period that began is still 2000 long. */
	assert_overflows(fake, 0, 1, 1000);
	fake_run(fake, 1, 2000);
	assert_overflows(fake, 0, 2, 3000);
	fake_run(fake, 1, 4999);
	assert_overflows(fake, 0, 2, 3000);
	fake_run(fake, 1, 1);
	assert_overflows(fake, 0, 3, 8000);
}

static void next_period_of_zero_means_the_first_one(void **state)
{
	struct fake *fake = *state;

	start_periods(fake, 0, 1500, 0);
	fake->area.slot[0].guest.next_period = 4000;
	fake_run(fake, 1, 1500);
	fake->area.slot[0].guest.next_period = 0;
	fake_run(fake, 1, 1500);
	assert_overflows(fake, 0, 2, 3000);
	fake_run(fake, 1, 4000);
	assert_overflows(fake, 0, 3, 7000);
	fake_run(fake, 1, 1500);
	assert_overflows(fake, 0, 4, 8500);
}

static void next_period_too_short_counts_as_the_shortest(void **state)
{
	struct fake *fake = *state;

	start_periods(fake, 0, 1, 2);
	fake_run(fake, 1, 1);
	assert_overflows(fake, 0, 1, 1);
	fake_run(fake, 1, 999);
	assert_overflows(fake, 0, 1, 1);
	fake_run(fake, 1, 1);
	assert_overflows(fake, 0, 2, 1001);
}

static void next_period_too_long_counts_as_the_longest(void **state)
{
	struct fake *fake = *state;

	start_periods(fake, 0, 1000, ~0ull);
	fake_run(fake, 1, 1000);
	assert_int_equal(fake->counter[counter_of(fake, CYCLES)].left,
			 PVPMU_PERIOD_MAX);
}

static void rest_of_a_period_survives_stops(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 1000);
	fake_run(fake, 1, 400);
	assert_done(fake, PVPMU_OP_DISABLE, 0);
	fake_run(fake, 1, 12345);
	assert_done(fake, PVPMU_OP_ENABLE, 0);
	fake_run(fake, 1, 599);
	read_event(fake, 0);
	assert_overflows(fake, 0, 0, 0);
	fake_run(fake, 1, 1);
	assert_overflows(fake, 0, 1, 1000);
	assert_count(fake, 0, 1000);
}

/* The hardware had passed the mark when it was stopped, and no interrupt had
 * come yet. */
static void overflow_found_at_the_stop_counts(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 1000);
	fake->counter[counter_of(fake, CYCLES)].reading.count += 1010;
	assert_done(fake, PVPMU_OP_DISABLE, 0);
	assert_overflows(fake, 0, 1, 1000);
	assert_count(fake, 0, 1010);
	assert_int_equal(fake->area.overflow.pending, BIT(0));
	assert_int_equal(fake->calls[FAKE_RAISE], 1);
	assert_int_equal(fake->vcpu.stats.missed, 1);
	assert_done(fake, PVPMU_OP_ENABLE, 0);
	assert_int_equal(fake->counter[counter_of(fake, CYCLES)].left, 990);
}

static void many_overflows_found_at_the_stop_all_count(void **state)
{
	struct fake *fake = *state;

	start_periods(fake, 0, 500, 2000);
	fake->counter[counter_of(fake, CYCLES)].reading.count += 6501;
	assert_done(fake, PVPMU_OP_DISABLE, 0);
	assert_overflows(fake, 0, 4, 6500);
	assert_int_equal(fake->vcpu.stats.missed, 4);
}

static void late_overflow_does_not_move_the_next(void **state)
{
	struct fake *fake = *state;
	u32 counter;

	start_event(fake, 0, CYCLES, 1000);
	counter = counter_of(fake, CYCLES);
	/* 30 events of skid between the mark and the interrupt */
	fake->counter[counter].reading.count += 1030;
	fake->counter[counter].left = pvpmu_overflow(&fake->vcpu, counter) - 30;
	fake_enter(fake);
	assert_overflows(fake, 0, 1, 1000);
	assert_count(fake, 0, 1030);
	fake_run(fake, 1, 970);
	assert_overflows(fake, 0, 2, 2000);
	assert_count(fake, 0, 2000);
}

/* Where the host measures with one clock and waits with another. */
static void early_overflow_is_reported_once(void **state)
{
	struct fake *fake = *state;
	u32 counter;

	start_event(fake, 0, CYCLES, 1000);
	counter = counter_of(fake, CYCLES);
	fake->counter[counter].reading.count += 995;
	fake->counter[counter].left = pvpmu_overflow(&fake->vcpu, counter);
	assert_done(fake, PVPMU_OP_DISABLE, 0);
	assert_overflows(fake, 0, 1, 1000);
	assert_count(fake, 0, 995);
	assert_int_equal(fake->vcpu.stats.missed, 0);
	assert_done(fake, PVPMU_OP_ENABLE, 0);
	assert_int_equal(fake->counter[counter].left, 1005);
}

static void interrupt_comes_once_until_the_word_is_taken(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 1000);
	start_event(fake, 7, INSTRUCTIONS, 1500);
	fake_run(fake, 1, 1000);
	fake_run(fake, 1, 1000);
	fake_run(fake, 1, 1000);
	assert_int_equal(fake->calls[FAKE_RAISE], 1);
	assert_int_equal(guest_take_pending(fake), BIT(0) | BIT(7));
	fake_run(fake, 1, 1000);
	assert_int_equal(fake->calls[FAKE_RAISE], 2);
	assert_int_equal(guest_take_pending(fake), BIT(0));
}

static void enable_reminds_of_what_is_pending(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 1000);
	open_event(fake, 1, INSTRUCTIONS, 0);
	fake_run(fake, 1, 1000);
	assert_int_equal(fake->calls[FAKE_RAISE], 1);
	assert_done(fake, PVPMU_OP_ENABLE, 1);
	assert_int_equal(fake->calls[FAKE_RAISE], 2);
	guest_take_pending(fake);
	assert_done(fake, PVPMU_OP_DISABLE, 1);
	assert_done(fake, PVPMU_OP_ENABLE, 1);
	assert_int_equal(fake->calls[FAKE_RAISE], 2);
}

static void update_reminds_of_what_is_pending(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 1000);
	fake_run(fake, 1, 1000);
	guest_update(fake, 0, 0, 0, 0, BIT(0));
	assert_int_equal(fake->calls[FAKE_RAISE], 2);
	guest_take_pending(fake);
	guest_update(fake, 0, 0, 0, 0, BIT(0));
	assert_int_equal(fake->calls[FAKE_RAISE], 2);
}

static void other_operations_do_not_remind(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 1000);
	fake_run(fake, 1, 1000);
	assert_done(fake, PVPMU_OP_READ, 0);
	assert_done(fake, PVPMU_OP_DISABLE, 0);
	assert_done(fake, PVPMU_OP_CLOSE, 0);
	open_event(fake, 0, CYCLES, 1000);
	assert_int_equal(fake->calls[FAKE_RAISE], 1);
}

static void guest_that_sets_pending_bits_fools_itself_only(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 1000);
	fake->area.overflow.pending = ~0u;
	fake_run(fake, 1, 1000);
	assert_int_equal(fake->calls[FAKE_RAISE], 0);
	assert_overflows(fake, 0, 1, 1000);
	assert_int_equal(fake->area.overflow.pending, ~0u);
}

static void delivery_none_interrupts_nobody(void **state)
{
	struct fake *fake = *state;

	guest_call(fake, PVPMU_OP_SETUP, (u32)FAKE_FRAME,
		   (u32)(FAKE_FRAME >> 32), PVPMU_DELIVER_NONE);
	start_event(fake, 0, CYCLES, 1000);
	fake_run(fake, 1, 1000);
	assert_int_equal(fake->area.overflow.pending, BIT(0));
	assert_done(fake, PVPMU_OP_ENABLE, 0);
	assert_int_equal(fake->calls[FAKE_RAISE], 0);
	assert_int_equal(fake->vcpu.stats.raised, 0);
}

static void event_that_closes_takes_its_news_along(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 1000);
	start_event(fake, 1, INSTRUCTIONS, 1000);
	count(fake, CYCLES, 1000);
	count(fake, INSTRUCTIONS, 1000);
	fake->kicked = false;
	assert_done(fake, PVPMU_OP_CLOSE, 0);
	assert_int_equal(fake->area.overflow.pending, BIT(1));
	assert_overflows(fake, 0, 1, 1000);
}

static void slot_opened_again_in_the_same_call_is_not_pending(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 1000);
	fake->counter[counter_of(fake, CYCLES)].reading.count += 1010;
	assert_int_equal(guest_update(fake, BIT(0), 0, BIT(0), 0, 0), PVPMU_OK);
	assert_int_equal(fake->area.overflow.pending, 0);
	assert_overflows(fake, 0, 0, 0);
}

static void publish_without_news_does_nothing(void **state)
{
	struct fake *fake = *state;
	struct snapshot shot;

	start_event(fake, 0, CYCLES, 1000);
	take_snapshot(fake, &shot);
	pvpmu_publish(&fake->vcpu);
	assert_unchanged(fake, &shot);
}

/*
 * Throttling
 */

/* A rate holds from the next second. */
static void set_rate(struct fake *fake, u32 rate)
{
	fake->own_vm.limits.overflow_rate = rate;
	fake->now += 1000000000;
}

static void event_over_the_rate_is_throttled(void **state)
{
	struct fake *fake = *state;

	set_rate(fake, 10);
	start_event(fake, 0, CYCLES, 1000);
	fake_run(fake, 1, 50000);
	/* Ten within the rate, and the one that went over it */
	assert_overflows(fake, 0, 11, 11000);
	assert_state(fake, 0, PVPMU_STATE_COUNTING | PVPMU_STATE_THROTTLED);
	assert_int_equal(fake->vcpu.stats.throttled, 1);
}

static void throttled_event_goes_on_counting(void **state)
{
	struct fake *fake = *state;

	set_rate(fake, 1);
	start_event(fake, 0, CYCLES, 1000);
	fake_run(fake, 1, 50000);
	read_event(fake, 0);
	assert_state(fake, 0, PVPMU_STATE_COUNTING | PVPMU_STATE_THROTTLED);
	assert_count(fake, 0, 50000);
	assert_overflows(fake, 0, 2, 2000);
}

static void enable_arms_a_throttled_event_again(void **state)
{
	struct fake *fake = *state;

	set_rate(fake, 1);
	start_event(fake, 0, CYCLES, 1000);
	fake_run(fake, 1, 50000);
	fake->now += 1000000000;
	assert_done(fake, PVPMU_OP_ENABLE, 0);
	assert_state(fake, 0, PVPMU_STATE_COUNTING);
	fake_run(fake, 1, 999);
	assert_overflows(fake, 0, 2, 2000);
	fake_run(fake, 1, 1);
	/* What was counted in between belongs to this one. */
	assert_overflows(fake, 0, 3, 51000);
	assert_state(fake, 0, PVPMU_STATE_COUNTING);
}

static void stop_of_a_throttled_event_finds_no_overflow(void **state)
{
	struct fake *fake = *state;

	set_rate(fake, 1);
	start_event(fake, 0, CYCLES, 1000);
	fake_run(fake, 1, 50000);
	assert_done(fake, PVPMU_OP_DISABLE, 0);
	assert_state(fake, 0, PVPMU_STATE_STOPPED);
	assert_overflows(fake, 0, 2, 2000);
	assert_count(fake, 0, 50000);
	fake->now += 1000000000;
	assert_done(fake, PVPMU_OP_ENABLE, 0);
	fake_run(fake, 1, 1000);
	assert_overflows(fake, 0, 3, 51000);
}

static void rate_begins_anew_each_second(void **state)
{
	struct fake *fake = *state;
	u32 second;

	set_rate(fake, 3);
	start_event(fake, 0, CYCLES, 1000);
	for (second = 0; second < 5; second++) {
		fake_run(fake, 1000000000, 3000);
		assert_state(fake, 0, PVPMU_STATE_COUNTING);
	}
	assert_overflows(fake, 0, 15, 15000);
}

static void rate_is_of_the_vcpu_not_of_the_event(void **state)
{
	struct fake *fake = *state;

	set_rate(fake, 4);
	start_event(fake, 0, CYCLES, 1000);
	start_event(fake, 1, INSTRUCTIONS, 1000);
	fake_run(fake, 1, 3000);
	read_event(fake, 0);
	read_event(fake, 1);
	assert_state(fake, 0, PVPMU_STATE_COUNTING);
	assert_state(fake, 1, PVPMU_STATE_COUNTING | PVPMU_STATE_THROTTLED);
	assert_overflows(fake, 0, 3, 3000);
	assert_overflows(fake, 1, 2, 2000);
}

static void rate_of_zero_allows_no_overflow_to_go_on(void **state)
{
	struct fake *fake = *state;

	set_rate(fake, 0);
	start_event(fake, 0, CYCLES, 1000);
	fake_run(fake, 1, 5000);
	assert_overflows(fake, 0, 1, 1000);
	assert_state(fake, 0, PVPMU_STATE_COUNTING | PVPMU_STATE_THROTTLED);
}

static void rate_holds_in_the_first_second_of_the_clock(void **state)
{
	struct fake *fake = *state;

	fake_end(fake);
	fake->now = 5;
	pvpmu_vcpu_init(&fake->vcpu, &fake->own_vm, &fake->ops);
	assert_int_equal(guest_setup(fake), PVPMU_OK);
	start_event(fake, 0, CYCLES, 1000);
	fake_run(fake, 1, 5000);
	assert_overflows(fake, 0, 5, 5000);
	assert_state(fake, 0, PVPMU_STATE_COUNTING);
}

/* The administrator's clock is set back, or another CPU's is behind. */
static void clock_that_goes_back_brings_no_new_budget(void **state)
{
	struct fake *fake = *state;

	set_rate(fake, 2);
	start_event(fake, 0, CYCLES, 1000);
	fake_run(fake, 1, 2000);
	fake->now -= 10;
	fake_run(fake, 1, 1000);
	assert_state(fake, 0, PVPMU_STATE_COUNTING | PVPMU_STATE_THROTTLED);
	/* A second later there is one, however far the clock went back. */
	fake->now -= 1000000000;
	assert_done(fake, PVPMU_OP_ENABLE, 0);
	fake_run(fake, 1, 1000);
	fake->now += 1000000000;
	assert_done(fake, PVPMU_OP_ENABLE, 0);
	fake_run(fake, 1, 1000);
	assert_state(fake, 0, PVPMU_STATE_COUNTING);
}

static void throttled_event_that_waits_is_both(void **state)
{
	struct fake *fake = *state;
	struct fake_counter *c;

	set_rate(fake, 1);
	start_event(fake, 0, CYCLES, 1000);
	c = &fake->counter[counter_of(fake, CYCLES)];
	count(fake, CYCLES, 5000);
	c->reading.active = false;
	fake_enter(fake);
	assert_state(fake, 0, PVPMU_STATE_WAITING | PVPMU_STATE_THROTTLED);
	/* Armed again, it waits for its counter only. */
	fake->now += 1000000000;
	assert_done(fake, PVPMU_OP_ENABLE, 0);
	assert_state(fake, 0, PVPMU_STATE_WAITING);
	c->reading.active = true;
	fake_run(fake, 1, 1000);
	assert_overflows(fake, 0, 3, 6000);
	assert_state(fake, 0, PVPMU_STATE_COUNTING);
}

static void throttled_event_that_cannot_be_armed_is_stopped(void **state)
{
	struct fake *fake = *state;

	set_rate(fake, 1);
	start_event(fake, 0, CYCLES, 1000);
	fake_run(fake, 1, 50000);
	fake->start_answer = false;
	assert_int_equal(guest_call(fake, PVPMU_OP_ENABLE, 0, 0, 0),
			 PVPMU_ERR_HOST);
	assert_state(fake, 0, PVPMU_STATE_STOPPED);
	assert_count(fake, 0, 50000);
	assert_int_equal(fake_started(fake), 0);
	fake->start_answer = true;
	assert_done(fake, PVPMU_OP_ENABLE, 0);
	fake_run(fake, 1000000000, 1000);
	assert_overflows(fake, 0, 3, 51000);
}

/*
 * An overflow may interrupt any op
 */

struct interruption {
	u64 at;
	u64 seen;
	u32 fired;
};

/* The counter of slot 0 comes to its mark in the middle of what core does. */
static void overflow_now(struct fake *fake, enum fake_op op, bool after)
{
	struct interruption *when = fake->hook_data;
	struct fake_counter *c;
	u32 i;

	(void)op;
	(void)after;
	if (when->seen++ != when->at)
		return;
	for (i = 0; i < PVPMU_MAX_COUNTERS; i++) {
		c = &fake->counter[i];
		if (!c->exists || !c->started || !c->desc.sampling || !c->left)
			continue;
		c->reading.count += c->left;
		c->left = pvpmu_overflow(&fake->vcpu, i);
		when->fired++;
	}
}

static void exercise(struct fake *fake)
{
	start_event(fake, 0, CYCLES, 1000);
	start_event(fake, 1, INSTRUCTIONS, 0);
	guest_update(fake, 0, 0, 0, 0, 3);
	fake_run(fake, 1, 1500);
	assert_done(fake, PVPMU_OP_READ, 0);
	assert_done(fake, PVPMU_OP_DISABLE, 0);
	assert_done(fake, PVPMU_OP_ENABLE, 0);
	guest_update(fake, 0, 1, 0, 1, 2);
	fake_run(fake, 1, 700);
	assert_done(fake, PVPMU_OP_DISABLE, 0);
}

static void overflow_may_interrupt_any_op(void **state)
{
	struct fake *fake = *state;
	struct interruption when = { 0 };
	const struct pvpmu_slot_host *line = guest_line(fake, 0);
	u32 pending;

	fake->hook = overflow_now;
	fake->hook_data = &when;
	do {
		when.seen = 0;
		when.fired = 0;
		guest_take_pending(fake);
		exercise(fake);
		/* Whenever it came: the count is exact, each overflow is
		 * accounted for, and the guest was told of it. */
		assert_true(line->count >= 2200 && line->count <= 3200);
		assert_true(line->overflow_total <= line->count);
		assert_true(line->count - line->overflow_total < 1000);
		assert_int_equal(line->overflows * 1000ull,
				 line->overflow_total);
		pending = guest_take_pending(fake);
		assert_int_equal(pending, BIT(0));
		assert_even(fake);
		assert_int_equal(fake->vcpu.overflowed, 0);
		assert_int_equal(guest_update(fake, 3, 0, 0, 0, 0), PVPMU_OK);
		when.at++;
	} while (when.seen >= when.at);
	assert_true(when.at > 100);
}

/* TSan's own locks do not bear a signal between any two instructions. */
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define CAN_STEP 1
#else
#define CAN_STEP 0
#endif

#if CAN_STEP

/* An overflow in the middle of another, at the instruction with number @at */
static struct {
	struct fake *fake;
	u32 counter;
	u32 at;
	u32 seen;
} nested;

static void next_instruction(int signal)
{
	(void)signal;
	if (nested.seen++ == nested.at)
		pvpmu_overflow(&nested.fake->vcpu, nested.counter);
}

/* The processor's trap flag brings the signal after each instruction. */
static void step(bool on)
{
	if (on)
		__asm__ volatile("sub $128, %%rsp; pushf; orl $0x100, (%%rsp);"
				 "popf; add $128, %%rsp" ::
					 : "cc", "memory");
	else
		__asm__ volatile(
			"sub $128, %%rsp; pushf; andl $~0x100, (%%rsp);"
			"popf; add $128, %%rsp" ::
				: "cc", "memory");
}

static void overflow_within_another_takes_no_more_than_there_is(void **state)
{
	const struct sigaction trap = { .sa_handler = next_instruction };
	struct fake *fake = *state;
	struct sigaction before;
	u32 counter;

	start_event(fake, 0, CYCLES, 1000);
	start_event(fake, 1, INSTRUCTIONS, 1000);
	counter = counter_of(fake, CYCLES);
	nested.fake = fake;
	nested.counter = counter_of(fake, INSTRUCTIONS);
	assert_int_equal(sigaction(SIGTRAP, &trap, &before), 0);
	for (nested.at = 0; nested.seen >= nested.at; nested.at++) {
		nested.seen = 0;
		fake->vcpu.budget = 1;
		step(true);
		pvpmu_overflow(&fake->vcpu, counter);
		step(false);
		assert_int_equal(fake->vcpu.budget, 0);
	}
	assert_true(nested.at > 20);
	sigaction(SIGTRAP, &before, NULL);
	fake_enter(fake);
	assert_int_equal(guest_take_pending(fake), BIT(0) | BIT(1));
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(overflow_is_shown_and_interrupts),
		UNIT(line_comes_first_then_the_bit_then_the_interrupt),
		UNIT(event_without_a_period_does_not_overflow),
		UNIT(page_is_not_written_before_the_vcpu_goes_on),
		UNIT(weights_of_samples_add_up_to_the_count),
		UNIT(coalesced_overflows_keep_their_weight),
		UNIT(first_period_may_differ_from_the_others),
		UNIT(changed_next_period_holds_after_the_next_overflow),
		UNIT(next_period_of_zero_means_the_first_one),
		UNIT(next_period_too_short_counts_as_the_shortest),
		UNIT(next_period_too_long_counts_as_the_longest),
		UNIT(rest_of_a_period_survives_stops),
		UNIT(overflow_found_at_the_stop_counts),
		UNIT(many_overflows_found_at_the_stop_all_count),
		UNIT(late_overflow_does_not_move_the_next),
		UNIT(early_overflow_is_reported_once),
		UNIT(interrupt_comes_once_until_the_word_is_taken),
		UNIT(enable_reminds_of_what_is_pending),
		UNIT(update_reminds_of_what_is_pending),
		UNIT(other_operations_do_not_remind),
		UNIT(guest_that_sets_pending_bits_fools_itself_only),
		UNIT(delivery_none_interrupts_nobody),
		UNIT(event_that_closes_takes_its_news_along),
		UNIT(slot_opened_again_in_the_same_call_is_not_pending),
		UNIT(publish_without_news_does_nothing),
		UNIT(event_over_the_rate_is_throttled),
		UNIT(throttled_event_goes_on_counting),
		UNIT(enable_arms_a_throttled_event_again),
		UNIT(stop_of_a_throttled_event_finds_no_overflow),
		UNIT(rate_begins_anew_each_second),
		UNIT(rate_is_of_the_vcpu_not_of_the_event),
		UNIT(rate_of_zero_allows_no_overflow_to_go_on),
		UNIT(rate_holds_in_the_first_second_of_the_clock),
		UNIT(clock_that_goes_back_brings_no_new_budget),
		UNIT(throttled_event_that_waits_is_both),
		UNIT(throttled_event_that_cannot_be_armed_is_stopped),
		UNIT(overflow_may_interrupt_any_op),
#if CAN_STEP
		UNIT(overflow_within_another_takes_no_more_than_there_is),
#endif
	};

	return cmocka_run_group_tests_name("overflow", tests, NULL, NULL);
}
