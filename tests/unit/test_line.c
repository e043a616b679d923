// SPDX-License-Identifier: MIT OR GPL-2.0
/* How a line gets into the area: each store by itself, as other CPUs see it */
#include <pvpmu/env.h>

/* Each store of what follows goes through here. */
#undef WRITE_ONCE
#define WRITE_ONCE(x, v) ((x) = (v), stored())

static void stored(void);

#include "unit.h"

static struct pvpmu_slot_host area, old, new;
static u32 stores, odd;

static bool is(const struct pvpmu_slot_host *line)
{
	return !memcmp(&area.state, &line->state,
		       sizeof(area) - sizeof(area.seq));
}

/* What a reader finds at this moment */
static void stored(void)
{
	stores++;
	if (area.seq & 1) {
		odd++;
		assert_int_equal(area.seq, new.seq - 1);
	} else {
		assert_int_equal(area.seq, new.seq);
		assert_true(is(&new));
	}
	/* Before the first store nothing has changed. */
	if (stores == 1)
		assert_true(is(&old));
}

static void store(u32 seq)
{
	memset(&old, 0x11, sizeof(old));
	memset(&new, 0x22, sizeof(new));
	old.seq = seq - 2;
	new.seq = seq;
	area = old;
	stores = 0;
	odd = 0;
	pvpmu_line_store(&area, &new);
	assert_int_equal(odd, stores - 1);
	assert_memory_equal(&area, &new, sizeof(area));
}

static void fields_change_only_while_the_sequence_is_odd(void **state)
{
	(void)state;
	store(10);
	assert_true(odd >= PVPMU_LINE_SIZE / sizeof(pvpmu_word));
}

static void sequence_may_wrap(void **state)
{
	(void)state;
	store(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_change_only_while_the_sequence_is_odd),
		cmocka_unit_test(sequence_may_wrap),
	};

	return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
