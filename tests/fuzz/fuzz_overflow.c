// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The accounts of overflows: one sampling event, hardware that reports its
 * overflows at once, late, many at a time or not at all, a guest that stops,
 * starts, and changes its period.
 *
 * Whatever happens: the count is what the hardware counted, the weights of
 * samples add up to it within one period, nothing is counted twice, and the
 * guest is told.
 */
#include <stdlib.h>

#include "fuzz.h"

#define RATE 50

struct account {
	u64 counted; /* by the hardware, while it was started */
	u64 longest; /* period so far */
	u64 total; /* overflow_total when it was last looked at */
	u32 overflows;
	u32 late; /* overflows that happened and were not reported yet */
};

static struct fake_counter *counter_of(struct fake *fake)
{
	u32 i;

	for (i = 0; i < PVPMU_MAX_COUNTERS; i++)
		if (fake->counter[i].exists)
			return &fake->counter[i];
	return NULL;
}

/* Reports what was held back, as a late interrupt would: the hardware went on
 * with a period from where it was. */
static void report(struct fake *fake, struct fake_counter *c,
		   struct account *account)
{
	u64 length;

	if (!account->late || !c->started)
		return;
	account->late = 0;
	/* @left is negative by now, in a way: it says how far it has gone. */
	length = pvpmu_overflow(&fake->vcpu, (u32)(c - fake->counter));
	while (length && c->left >= length) {
		c->left -= length;
		length = pvpmu_overflow(&fake->vcpu, (u32)(c - fake->counter));
	}
	c->left = length ? length - c->left : 0;
}

static void run(struct fake *fake, struct account *account, u64 events,
		bool hold)
{
	struct fake_counter *c = counter_of(fake);

	if (!c->started)
		return;
	account->counted += events;
	if (account->late) {
		c->reading.count += events;
		c->left += events;
		if (!hold)
			report(fake, c, account);
	} else if (hold && c->left && c->left <= events) {
		c->reading.count += events;
		c->left = events - c->left;
		account->late = 1;
	} else {
		fake_count(fake, (u32)(c - fake->counter), 1, events);
	}
	fake_enter(fake);
}

static void check(struct fake *fake, struct account *account)
{
	const struct pvpmu_slot_host *line = guest_line(fake, 0);

	FAKE_CHECK(line->overflow_total <= line->count);
	FAKE_CHECK(line->overflow_total >= account->total);
	FAKE_CHECK(line->overflows >= account->overflows);
	/* A new overflow has weight, and weight has an overflow. */
	FAKE_CHECK((line->overflow_total > account->total) ==
		   (line->overflows > account->overflows));
	account->total = line->overflow_total;
	account->overflows = line->overflows;
}

static void check_stopped(struct fake *fake, const struct account *account,
			  bool throttled)
{
	const struct pvpmu_slot_host *line = guest_line(fake, 0);

	FAKE_CHECK(line->state == PVPMU_STATE_STOPPED);
	FAKE_CHECK(line->count == account->counted);
	if (!throttled)
		FAKE_CHECK(line->count - line->overflow_total <
			   account->longest);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct fake *fake = malloc(sizeof(*fake));
	struct account account = { 0 };
	struct input in = { data, len };
	bool throttled = false;
	u64 next;

	FAKE_CHECK(fake != NULL);
	fake_init(fake, NULL);
	fake->own_vm.limits.overflow_rate = RATE;
	fake->own_vm.limits.period_min = 50;
	fake->now += 1000000000;
	FAKE_CHECK(guest_setup(fake) == PVPMU_OK);
	guest_describe(fake, 0, PVPMU_TYPE_HARDWARE, 0, 50 + take(&in, 2));
	FAKE_CHECK(guest_call(fake, PVPMU_OP_OPEN, 0, 0, 0) == PVPMU_OK);
	account.longest = fake->area.slot[0].guest.period;

	while (in.len) {
		switch (take8(&in) % 8) {
		case 0:
		case 1:
			run(fake, &account, take(&in, 2), false);
			break;
		case 2:
			run(fake, &account, take(&in, 1), true);
			break;
		case 3:
			FAKE_CHECK(guest_call(fake, PVPMU_OP_ENABLE, 0, 0, 0) ==
				   PVPMU_OK);
			if (guest_line(fake, 0)->state & PVPMU_STATE_THROTTLED)
				break;
			/* What was not sampled meanwhile is in the next one. */
			if (throttled)
				account.longest += account.counted;
			throttled = false;
			break;
		case 4:
			throttled |= fake->vcpu.slot[0].throttled;
			FAKE_CHECK(guest_call(fake, PVPMU_OP_DISABLE, 0, 0,
					      0) == PVPMU_OK);
			account.late = 0;
			check_stopped(fake, &account, throttled);
			break;
		case 5:
			FAKE_CHECK(guest_call(fake, PVPMU_OP_READ, 0, 0, 0) ==
				   PVPMU_OK);
			break;
		case 6:
			next = take(&in, 2);
			fake->area.slot[0].guest.next_period = next;
			if (account.longest < next)
				account.longest = next;
			break;
		case 7:
			fake->now += take(&in, 1) * 10000000;
			guest_take_pending(fake);
			break;
		}
		throttled |= fake->vcpu.slot[0].throttled;
		check(fake, &account);
		/* Nothing that happened is left untold. */
		FAKE_CHECK(!fake->vcpu.overflowed);
		FAKE_CHECK(!fake->kicked);
	}
	FAKE_CHECK(guest_call(fake, PVPMU_OP_DISABLE, 0, 0, 0) == PVPMU_OK);
	check_stopped(fake, &account, true);
	fake_end(fake);
	free(fake);
	return 0;
}
