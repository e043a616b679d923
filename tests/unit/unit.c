// SPDX-License-Identifier: MIT OR GPL-2.0
#include <stdlib.h>

#include "unit.h"

int unit_begin_bare(void **state)
{
	struct fake *fake = malloc(sizeof(*fake));

	assert_non_null(fake);
	fake_init(fake, NULL);
	*state = fake;
	return 0;
}

int unit_begin(void **state)
{
	unit_begin_bare(state);
	assert_int_equal(guest_setup(*state), PVPMU_OK);
	return 0;
}

int unit_end(void **state)
{
	fake_end(*state);
	free(*state);
	return 0;
}

void take_snapshot(const struct fake *fake, struct snapshot *shot)
{
	memset(shot, 0, sizeof(*shot));
	shot->area = fake->area;
	memcpy(&shot->vcpu, &fake->vcpu, sizeof(shot->vcpu));
	memset(&shot->vcpu.stats, 0, sizeof(shot->vcpu.stats));
	shot->vm = *fake->vcpu.vm;
	memcpy(shot->counter, fake->counter, sizeof(shot->counter));
	shot->attached = fake->attached;
}

void assert_unchanged(const struct fake *fake, const struct snapshot *shot)
{
	struct snapshot *now = malloc(sizeof(*now));

	assert_non_null(now);
	take_snapshot(fake, now);
	assert_memory_equal(&now->area, &shot->area, sizeof(now->area));
	assert_memory_equal(&now->vcpu, &shot->vcpu, sizeof(now->vcpu));
	assert_memory_equal(&now->vm, &shot->vm, sizeof(now->vm));
	assert_memory_equal(now->counter, shot->counter, sizeof(now->counter));
	assert_int_equal(now->attached, shot->attached);
	free(now);
}

void assert_refused(struct fake *fake, s32 error, u32 op, u32 a, u32 b, u32 c)
{
	struct snapshot *shot = malloc(sizeof(*shot));
	u64 refused = fake->vcpu.stats.refused;

	assert_non_null(shot);
	take_snapshot(fake, shot);
	assert_int_equal(guest_call(fake, op, a, b, c), error);
	assert_unchanged(fake, shot);
	assert_int_equal(fake->vcpu.stats.refused, refused + 1);
	free(shot);
}

void assert_done(struct fake *fake, u32 op, u32 id)
{
	assert_int_equal(guest_call(fake, op, id, 0, 0), PVPMU_OK);
}

void open_event(struct fake *fake, u32 id, u64 config, u64 period)
{
	assert_int_equal(guest_open(fake, id, HW, config, period), PVPMU_OK);
}

void start_event(struct fake *fake, u32 id, u64 config, u64 period)
{
	open_event(fake, id, config, period);
	assert_done(fake, PVPMU_OP_ENABLE, id);
}

void assert_state(const struct fake *fake, u32 id, u32 state)
{
	assert_int_equal(guest_line(fake, id)->state, state);
}

void assert_count(const struct fake *fake, u32 id, u64 count)
{
	assert_int_equal(guest_line(fake, id)->count, count);
}

void assert_times(const struct fake *fake, u32 id, u64 enabled, u64 running)
{
	assert_int_equal(guest_line(fake, id)->time_enabled, enabled);
	assert_int_equal(guest_line(fake, id)->time_running, running);
}

void assert_overflows(const struct fake *fake, u32 id, u32 overflows, u64 total)
{
	assert_int_equal(guest_line(fake, id)->overflows, overflows);
	assert_int_equal(guest_line(fake, id)->overflow_total, total);
}

void assert_even(const struct fake *fake)
{
	u32 id;

	assert_int_equal(fake->area.host.seq & 1, 0);
	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		assert_int_equal(guest_line(fake, id)->seq & 1, 0);
}
