// SPDX-License-Identifier: GPL-2.0
/* The Linux driver's arithmetic of times, see frontends/linux/times.c */
#include "unit.h"

#include "../../frontends/linux/times.h"

#define SECOND 1000000000ull
#define YEAR (SECOND * 86400 * 365)

static void share_of_nothing_is_nothing(void **state)
{
	(void)state;
	assert_int_equal(pvg_share(SECOND, 0, SECOND), 0);
	assert_int_equal(pvg_share(0, 1, 2), 0);
}

static void without_a_whole_there_is_no_share(void **state)
{
	(void)state;
	assert_int_equal(pvg_share(SECOND, 0, 0), 0);
	assert_int_equal(pvg_share(SECOND, 1, 0), 0);
}

static void share_of_all_is_all(void **state)
{
	(void)state;
	assert_int_equal(pvg_share(SECOND, 7, 7), SECOND);
	assert_int_equal(pvg_share(YEAR, YEAR, YEAR), YEAR);
	/* More than all cannot be lost. */
	assert_int_equal(pvg_share(SECOND, 8, 7), SECOND);
}

static void half_is_half_on_any_scale(void **state)
{
	u64 of;

	(void)state;
	for (of = 2; of < 1ull << 62; of *= 2) {
		assert_int_equal(pvg_share(SECOND, of / 2, of), SECOND / 2);
		assert_int_equal(pvg_share(YEAR, of / 2, of), YEAR / 2);
	}
}

static u64 next_random(u64 *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return *seed >> 8;
}

/* A value of any length up to @bits */
static u64 random_value(u64 *seed, u32 bits)
{
	return next_random(seed) >> (56 - next_random(seed) % bits);
}

static void share_is_right_and_never_above_the_span(void **state)
{
	u64 seed = 1;
	int i;

	(void)state;
	for (i = 0; i < 1000000; i++) {
		u64 span = random_value(&seed, 55);
		u64 of = random_value(&seed, 55) + 1;
		u64 lost = next_random(&seed) % (of + 1);
		long double want = (long double)span * lost / of;
		u64 got = pvg_share(span, lost, of);
		long double off = want > got ? want - got : got - want;

		assert_true(got <= span);
		assert_true(off <= span / 1073741824.0L + 1);
	}
}

static void what_the_host_did_not_count_is_lost(void **state)
{
	(void)state;
	/* 50% of the host's time, whatever part of ours that was */
	assert_int_equal(pvg_lost(SECOND, 0, SECOND, SECOND / 2), SECOND / 2);
	assert_int_equal(pvg_lost(SECOND, 0, SECOND / 2, SECOND / 4),
			 SECOND / 2);
	assert_int_equal(pvg_lost(SECOND, 0, SECOND, SECOND), 0);
	assert_int_equal(pvg_lost(SECOND, 0, SECOND, 0), SECOND);
}

static void a_gap_is_lost_and_the_rest_is_shared(void **state)
{
	(void)state;
	assert_int_equal(pvg_lost(SECOND, SECOND / 2, SECOND, SECOND),
			 SECOND / 2);
	assert_int_equal(pvg_lost(SECOND, SECOND / 2, 100, 50),
			 SECOND / 2 + SECOND / 4);
	assert_int_equal(pvg_lost(SECOND, 2 * SECOND, 100, 100), SECOND);
}

static void a_host_that_shows_no_time_says_nothing(void **state)
{
	(void)state;
	assert_int_equal(pvg_lost(SECOND, 0, 0, 0), 0);
	/* ... unless there was none at all */
	assert_int_equal(pvg_lost(SECOND, 1, 0, 0), SECOND);
}

static void a_host_that_ran_longer_than_enabled_lost_nothing(void **state)
{
	(void)state;
	assert_int_equal(pvg_lost(SECOND, 0, 100, 101), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(share_of_nothing_is_nothing),
		cmocka_unit_test(without_a_whole_there_is_no_share),
		cmocka_unit_test(share_of_all_is_all),
		cmocka_unit_test(half_is_half_on_any_scale),
		cmocka_unit_test(share_is_right_and_never_above_the_span),
		cmocka_unit_test(what_the_host_did_not_count_is_lost),
		cmocka_unit_test(a_gap_is_lost_and_the_rest_is_shared),
		cmocka_unit_test(a_host_that_shows_no_time_says_nothing),
		cmocka_unit_test(a_host_that_ran_longer_than_enabled_lost_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
