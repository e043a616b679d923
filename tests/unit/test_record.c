// SPDX-License-Identifier: MIT OR GPL-2.0
/* A vCPU goes from one host to another with its record */
#include <stdlib.h>

#include "unit.h"

/**
 * struct journey - where a vCPU goes from, and where to
 * @from: the host that it leaves; has a counting, a stopped, a sampling and a
 *        closed event
 * @to: another host, with the same memory of the guest
 * @record: what @from saved
 */
struct journey {
	struct fake from;
	struct fake to;
	struct pvpmu_record record;
};

enum { COUNTS, STOPPED, SAMPLES, CLOSED };

static void save(struct journey *j)
{
	assert_int_equal(pvpmu_save(&j->from.vcpu, &j->record), PVPMU_OK);
	j->to.area = j->from.area;
	j->to.shown = j->from.shown;
}

static void restore(struct journey *j)
{
	assert_int_equal(pvpmu_restore(&j->to.vcpu, &j->record), PVPMU_OK);
}

/* The guest runs on at the other host. */
static void arrive(struct journey *j)
{
	save(j);
	restore(j);
	fake_enter(&j->to);
}

static int begin(void **state)
{
	struct journey *j = calloc(1, sizeof(*j));

	assert_non_null(j);
	fake_init(&j->to, NULL);
	/* Last, as its clock is asked in what follows. */
	fake_init(&j->from, NULL);
	guest_setup(&j->from);
	start_event(&j->from, COUNTS, CYCLES, 0);
	start_event(&j->from, STOPPED, BRANCHES, 0);
	guest_describe(&j->from, SAMPLES, HW, INSTRUCTIONS, 1500);
	j->from.area.slot[SAMPLES].guest.next_period = 1000;
	assert_done(&j->from, PVPMU_OP_OPEN, SAMPLES);
	assert_done(&j->from, PVPMU_OP_ENABLE, SAMPLES);
	start_event(&j->from, CLOSED, CYCLES, 0);
	fake_run(&j->from, 100, 1200);
	assert_done(&j->from, PVPMU_OP_DISABLE, STOPPED);
	assert_done(&j->from, PVPMU_OP_CLOSE, CLOSED);
	*state = j;
	return 0;
}

static int end(void **state)
{
	struct journey *j = *state;

	fake_end(&j->from);
	fake_end(&j->to);
	free(j);
	return 0;
}

static void counts_go_on_exactly(void **state)
{
	struct journey *j = *state;

	fake_run(&j->from, 10, 34);
	arrive(j);
	fake_run(&j->to, 1000, 5000);
	assert_done(&j->to, PVPMU_OP_DISABLE, COUNTS);
	assert_count(&j->to, COUNTS, 1200 + 34 + 5000);
	assert_times(&j->to, COUNTS, 1110, 1110);
	assert_done(&j->to, PVPMU_OP_ENABLE, COUNTS);
	fake_run(&j->to, 1, 6);
	assert_done(&j->to, PVPMU_OP_READ, COUNTS);
	assert_count(&j->to, COUNTS, 1200 + 34 + 5000 + 6);
}

static void stopped_event_stays_stopped(void **state)
{
	struct journey *j = *state;

	arrive(j);
	assert_int_equal(fake_started(&j->to), 2);
	assert_state(&j->to, STOPPED, PVPMU_STATE_STOPPED);
	fake_run(&j->to, 1000, 5000);
	assert_done(&j->to, PVPMU_OP_ENABLE, STOPPED);
	fake_run(&j->to, 10, 3);
	assert_done(&j->to, PVPMU_OP_READ, STOPPED);
	assert_count(&j->to, STOPPED, 1203);
	assert_times(&j->to, STOPPED, 110, 110);
}

static void user_space_may_read_on(void **state)
{
	struct journey *j = *state;
	u32 index;

	fake_serve(&j->from, PVPMU_FEAT_RDPMC);
	j->to.ops.features |= PVPMU_FEAT_RDPMC;
	guest_describe(&j->from, CLOSED, HW, CYCLES, 0);
	j->from.area.slot[CLOSED].guest.flags = PVPMU_FLAG_USER_READ;
	assert_done(&j->from, PVPMU_OP_OPEN, CLOSED);
	assert_done(&j->from, PVPMU_OP_ENABLE, CLOSED);
	index = j->from.area.slot[CLOSED].host.index - 1;
	fake_run(&j->from, 10, 34);
	arrive(j);
	fake_run(&j->to, 10, 5);
	assert_int_equal(j->to.area.slot[CLOSED].host.index, index + 1);
	assert_int_equal(pvpmu_rdpmc(&j->to.vcpu, index), 39);
	/* A host that does not serve it refuses. */
	pvpmu_vcpu_detach(&j->to.vcpu);
	j->to.ops.features &= ~PVPMU_FEAT_RDPMC;
	assert_int_equal(pvpmu_restore(&j->to.vcpu, &j->record),
			 PVPMU_ERR_VERSION);
}

static void closed_slot_keeps_its_last_line(void **state)
{
	struct journey *j = *state;

	arrive(j);
	assert_int_equal(guest_call(&j->to, PVPMU_OP_READ, CLOSED, 0, 0),
			 PVPMU_ERR_CLOSED);
	guest_update(&j->to, 0, 0, 0, 0, BIT(CLOSED));
	assert_state(&j->to, CLOSED, PVPMU_STATE_CLOSED);
	assert_count(&j->to, CLOSED, 1200);
}

static void period_ends_where_it_would_have(void **state)
{
	struct journey *j = *state;

	arrive(j);
	fake_run(&j->to, 1, 299);
	assert_int_equal(j->to.area.overflow.pending, 0);
	fake_run(&j->to, 1, 1);
	assert_int_equal(j->to.area.overflow.pending, BIT(SAMPLES));
	assert_overflows(&j->to, SAMPLES, 1, 1500);
	fake_run(&j->to, 1, 2000);
	assert_overflows(&j->to, SAMPLES, 3, 3500);
	assert_count(&j->to, SAMPLES, 3500);
}

static void overflow_not_yet_published_is_told_by_the_new_host(void **state)
{
	struct journey *j = *state;

	fake_count(&j->from, fake_find(&j->from, HW, INSTRUCTIONS), 1, 301);
	assert_int_equal(j->from.area.overflow.pending, 0);
	save(j);
	assert_int_equal(j->record.overflowed, BIT(SAMPLES));
	restore(j);
	assert_int_equal(j->to.calls[FAKE_RAISE], 0);
	fake_enter(&j->to);
	assert_int_equal(j->to.calls[FAKE_RAISE], 1);
	assert_int_equal(j->to.area.overflow.pending, BIT(SAMPLES));
	assert_overflows(&j->to, SAMPLES, 1, 1500);
	assert_count(&j->to, SAMPLES, 1501);
}

static void mark_that_was_passed_unreported_counts(void **state)
{
	struct journey *j = *state;
	struct fake_counter *c;

	c = &j->from.counter[fake_find(&j->from, HW, INSTRUCTIONS)];
	c->reading.count += 1301;
	save(j);
	assert_int_equal(j->record.overflowed, BIT(SAMPLES));
	/* The old host may go on, and report it itself. */
	assert_int_equal(j->from.vcpu.slot[SAMPLES].overflows, 0);
	assert_int_equal(j->from.vcpu.overflowed, 0);
	restore(j);
	fake_enter(&j->to);
	assert_overflows(&j->to, SAMPLES, 2, 2500);
	fake_run(&j->to, 1, 999);
	assert_overflows(&j->to, SAMPLES, 3, 3500);
	assert_done(&j->to, PVPMU_OP_DISABLE, SAMPLES);
	assert_count(&j->to, SAMPLES, 3500);
}

/* A clock may report a mark a moment before its count shows it. */
static void mark_that_was_reported_early_is_no_other(void **state)
{
	struct journey *j = *state;
	u32 counter = fake_find(&j->from, HW, INSTRUCTIONS);

	fake_count(&j->from, counter, 1, 300);
	j->from.counter[counter].reading.count -= 5;
	arrive(j);
	assert_overflows(&j->to, SAMPLES, 1, 1500);
	assert_count(&j->to, SAMPLES, 1495);
	fake_run(&j->to, 1, 1004);
	assert_overflows(&j->to, SAMPLES, 1, 1500);
	fake_run(&j->to, 1, 1);
	assert_overflows(&j->to, SAMPLES, 2, 2500);
}

static void interrupt_is_raised_again_if_the_word_is_not_zero(void **state)
{
	struct journey *j = *state;

	fake_run(&j->from, 1, 300);
	arrive(j);
	assert_int_equal(j->to.calls[FAKE_RAISE], 0);
	assert_done(&j->to, PVPMU_OP_ENABLE, COUNTS);
	assert_int_equal(j->to.calls[FAKE_RAISE], 1);
	guest_take_pending(&j->to);
	assert_done(&j->to, PVPMU_OP_ENABLE, COUNTS);
	assert_int_equal(j->to.calls[FAKE_RAISE], 1);
}

static void throttled_event_is_armed_again(void **state)
{
	struct journey *j = *state;

	j->from.vcpu.budget = 0;
	fake_run(&j->from, 1, 300);
	assert_state(&j->from, SAMPLES,
		     PVPMU_STATE_COUNTING | PVPMU_STATE_THROTTLED);
	fake_run(&j->from, 1, 7000);
	arrive(j);
	assert_state(&j->to, SAMPLES, PVPMU_STATE_COUNTING);
	fake_run(&j->to, 1, 1000);
	/* The weight of the sample includes what was not sampled. */
	assert_overflows(&j->to, SAMPLES, 2, 1500 + 7000 + 1000);
}

static void header_tells_of_the_new_host(void **state)
{
	struct journey *j = *state;
	u32 generation = j->from.area.host.generation;

	j->to.own_vm.limits.slots_vcpu = 5;
	j->to.ops.features |= PVPMU_FEAT_GROUPS;
	arrive(j);
	assert_int_equal(j->to.area.host.slots_usable, 5);
	/* The guest did not ask for what only this one has. */
	assert_int_equal(j->to.area.host.features, j->from.ops.features);
	assert_int_equal(j->to.area.host.generation, generation);
	assert_even(&j->to);
}

static void sequences_go_on(void **state)
{
	struct journey *j = *state;
	u32 header = j->from.area.host.seq;
	u32 slot = j->from.area.slot[CLOSED].host.seq;

	arrive(j);
	assert_int_equal(j->to.area.host.seq, header + 2);
	open_event(&j->to, CLOSED, CYCLES, 0);
	assert_int_equal(j->to.area.slot[CLOSED].host.seq, slot + 2);
}

/* The copy of a page that was just being written has odd sequences. */
static void page_copied_at_a_bad_moment_is_whole_again(void **state)
{
	struct journey *j = *state;

	save(j);
	j->to.area.host.seq++;
	j->to.area.slot[COUNTS].host.seq++;
	j->to.area.slot[COUNTS].host.count = ~0ull;
	restore(j);
	fake_enter(&j->to);
	assert_even(&j->to);
	assert_count(&j->to, COUNTS, 1200);
}

static void nothing_counts_and_nothing_is_written_before_the_guest_runs(
	void **state)
{
	struct journey *j = *state;
	u64 accesses;

	save(j);
	restore(j);
	accesses = j->to.accesses;
	assert_int_equal(fake_started(&j->to), 0);
	assert_int_equal(accesses, 0);
	assert_true(j->to.kicked);
	fake_enter(&j->to);
	assert_int_equal(fake_started(&j->to), 2);
}

static void saving_changes_nothing(void **state)
{
	struct journey *j = *state;
	struct snapshot *shot = malloc(sizeof(*shot));

	assert_non_null(shot);
	save(j);
	take_snapshot(&j->from, shot);
	save(j);
	assert_unchanged(&j->from, shot);
	free(shot);
	fake_run(&j->from, 1, 300);
	assert_overflows(&j->from, SAMPLES, 1, 1500);
}

static void record_of_a_restored_vcpu_is_the_same(void **state)
{
	struct journey *j = *state;
	struct pvpmu_record again;

	fake_run(&j->from, 1, 300);
	save(j);
	restore(j);
	assert_int_equal(pvpmu_save(&j->to.vcpu, &again), PVPMU_OK);
	assert_memory_equal(&again, &j->record, sizeof(again));
}

static void vcpu_without_an_area_has_no_record(void **state)
{
	struct journey *j = *state;

	assert_int_equal(pvpmu_save(&j->to.vcpu, &j->record),
			 PVPMU_ERR_NO_AREA);
}

static void event_that_cannot_be_enabled_has_failed(void **state)
{
	struct journey *j = *state;

	save(j);
	restore(j);
	j->to.start_answer = false;
	fake_enter(&j->to);
	assert_state(&j->to, COUNTS, PVPMU_STATE_FAILED);
	assert_count(&j->to, COUNTS, 1200);
	j->to.start_answer = true;
	/* It is enabled, and does not run. */
	fake_run(&j->to, 900, 5000);
	assert_done(&j->to, PVPMU_OP_ENABLE, COUNTS);
	assert_state(&j->to, COUNTS, PVPMU_STATE_FAILED);
	assert_count(&j->to, COUNTS, 1200);
	assert_times(&j->to, COUNTS, 1000, 100);
	assert_done(&j->to, PVPMU_OP_DISABLE, COUNTS);
	assert_state(&j->to, COUNTS, PVPMU_STATE_STOPPED);
	assert_times(&j->to, COUNTS, 1000, 100);
}

static void event_that_failed_may_count_at_the_next_host(void **state)
{
	struct journey *j = *state;
	u32 counter = fake_find(&j->from, HW, CYCLES);

	j->from.counter[counter].reading.failed = true;
	assert_done(&j->from, PVPMU_OP_READ, COUNTS);
	assert_state(&j->from, COUNTS, PVPMU_STATE_FAILED);
	arrive(j);
	assert_state(&j->to, COUNTS, PVPMU_STATE_COUNTING);
	fake_run(&j->to, 10, 34);
	assert_done(&j->to, PVPMU_OP_READ, COUNTS);
	assert_count(&j->to, COUNTS, 1234);
}

/* Its end is more than one period from now. */
static void longest_period_that_began_early_goes_on(void **state)
{
	struct journey *j = *state;
	u32 counter = fake_find(&j->from, HW, INSTRUCTIONS);

	/* The second overflow from here on begins one. */
	j->from.area.slot[SAMPLES].guest.next_period = PVPMU_PERIOD_MAX;
	fake_run(&j->from, 1, 300);
	fake_count(&j->from, counter, 1, 1000);
	assert_int_equal(j->from.vcpu.slot[SAMPLES].length, PVPMU_PERIOD_MAX);
	j->from.counter[counter].reading.count -= 5;
	arrive(j);
	assert_overflows(&j->to, SAMPLES, 2, 2500);
	assert_count(&j->to, SAMPLES, 2495);
	assert_int_equal(
		j->to.counter[fake_find(&j->to, HW, INSTRUCTIONS)].left,
		PVPMU_PERIOD_MAX + 5);
}

static void area_that_went_away_ends_it(void **state)
{
	struct journey *j = *state;

	save(j);
	restore(j);
	j->to.accesses_left = 0;
	fake_enter(&j->to);
	assert_int_equal(fake_counters(&j->to), 0);
	j->to.accesses_left = ~0ull;
	assert_int_equal(guest_call(&j->to, PVPMU_OP_READ, COUNTS, 0, 0),
			 PVPMU_ERR_NO_AREA);
}

static void detach_before_the_guest_runs_leaves_nothing(void **state)
{
	struct journey *j = *state;

	save(j);
	restore(j);
	pvpmu_vcpu_detach(&j->to.vcpu);
	fake_enter(&j->to);
	assert_int_equal(j->to.accesses, 0);
	assert_int_equal(fake_counters(&j->to), 0);
}

/* The guest finds a host that knows nothing of it, and registers. */
static void assert_nothing_taken(struct journey *j)
{
	assert_false(j->to.attached);
	assert_int_equal(fake_counters(&j->to), 0);
	assert_int_equal(j->to.vcpu.vm->slots_open, 0);
	assert_int_equal(j->to.accesses, 0);
	assert_false(j->to.kicked);
	assert_int_equal(guest_call(&j->to, PVPMU_OP_UPDATE, 0, 0, 0),
			 PVPMU_ERR_NO_AREA);
	assert_int_equal(guest_setup(&j->to), PVPMU_OK);
	assert_even(&j->to);
	pvpmu_vcpu_detach(&j->to.vcpu);
	j->to.accesses = 0;
}

static void assert_refuses(struct journey *j, s32 error)
{
	assert_int_equal(pvpmu_restore(&j->to.vcpu, &j->record), error);
	assert_nothing_taken(j);
	save(j);
}

/* Has @field of the record hold @value, which is refused with @error. */
#define REFUSES(j, field, value, error)             \
	do {                                        \
		save(j);                            \
		(j)->record.field = (value);        \
		assert_refuses(j, PVPMU_ERR_##error); \
	} while (0)

static void what_is_no_record_is_refused(void **state)
{
	struct journey *j = *state;

	REFUSES(j, magic, 0, OPERATION);
	REFUSES(j, version, 0, OPERATION);
	REFUSES(j, version, 2, OPERATION);
	REFUSES(j, size, sizeof(struct pvpmu_record) - 1, OPERATION);
	REFUSES(j, abi, 2u << 16, OPERATION);
	REFUSES(j, abi, PVPMU_ABI_VERSION + 1, OPERATION);
	REFUSES(j, abi, 0, OPERATION);
}

static void what_no_host_writes_is_refused(void **state)
{
	struct journey *j = *state;

	REFUSES(j, seq, 3, RESERVED);
	REFUSES(j, overflowed, BIT(COUNTS), RESERVED);
	REFUSES(j, overflowed, BIT(31), RESERVED);
	REFUSES(j, slot[COUNTS].reserved, 1, RESERVED);
	REFUSES(j, slot[COUNTS].reserved2[1], 1ull << 63, RESERVED);
	REFUSES(j, slot[CLOSED].leader, 1, RESERVED);
	REFUSES(j, slot[COUNTS].leader, 1, GROUP);
	REFUSES(j, slot[29].host.base, 1, RESERVED);
	REFUSES(j, slot[COUNTS].host.index, 1, RESERVED);
	REFUSES(j, slot[COUNTS].host.seq, 5, RESERVED);
	REFUSES(j, slot[COUNTS].host.state, PVPMU_STATE_FAILED + 1, RESERVED);
	REFUSES(j, slot[SAMPLES].host.state,
		PVPMU_STATE_COUNTING | PVPMU_STATE_THROTTLED, RESERVED);
	REFUSES(j, slot[COUNTS].host.error, 1, RESERVED);
	REFUSES(j, slot[COUNTS].host.error, PVPMU_ERR_LAST - 1, RESERVED);
	REFUSES(j, slot[COUNTS].host.time_running, 101, RESERVED);
	REFUSES(j, slot[CLOSED].type, 1, RESERVED);
	REFUSES(j, slot[CLOSED].flags, 1, RESERVED);
	REFUSES(j, slot[CLOSED].config, 1, RESERVED);
	REFUSES(j, slot[CLOSED].period, 1, RESERVED);
	REFUSES(j, slot[CLOSED].next_period, 1, RESERVED);
	REFUSES(j, slot[CLOSED].length, 1, RESERVED);
	REFUSES(j, slot[COUNTS].length, 1, RESERVED);
	REFUSES(j, slot[COUNTS].host.overflow_total, 1, RESERVED);
	REFUSES(j, slot[COUNTS].host.overflows, 1, RESERVED);
}

static void period_that_does_not_run_is_refused(void **state)
{
	struct journey *j = *state;

	REFUSES(j, slot[SAMPLES].length, 0, PERIOD);
	REFUSES(j, slot[SAMPLES].length, 1200, PERIOD);
	REFUSES(j, slot[SAMPLES].length, 1200 + 2 * PVPMU_PERIOD_MAX + 1,
		PERIOD);
	REFUSES(j, slot[SAMPLES].length, ~0ull, PERIOD);
	REFUSES(j, slot[SAMPLES].host.overflow_total, 1ull << 63, PERIOD);
	REFUSES(j, slot[SAMPLES].host.count, 1ull << 62, PERIOD);
	REFUSES(j, slot[SAMPLES].period, PVPMU_PERIOD_MAX + 1, PERIOD);
	REFUSES(j, slot[COUNTS].next_period, 1, PERIOD);
	/* Nothing is wrong with these. */
	save(j);
	j->record.slot[SAMPLES].length = 1201;
	j->record.slot[SAMPLES].next_period = 1;
	restore(j);
	fake_enter(&j->to);
	fake_run(&j->to, 1, 1);
	assert_overflows(&j->to, SAMPLES, 1, 1201);
	assert_int_equal(j->to.vcpu.slot[SAMPLES].length, 1000);
}

/* The guest goes on with what it read before, and does not look again. */
static void host_that_is_not_as_the_guest_was_told_refuses(void **state)
{
	struct journey *j = *state;
	struct pvpmu_host_ops ops = j->to.ops;

	REFUSES(j, guest, 2u << 16, VERSION);
	REFUSES(j, guest, 0, VERSION);
	REFUSES(j, features, PVPMU_FEAT_LVTPC | PVPMU_FEAT_GROUPS, VERSION);
	/* Its delivery needs one that it does not have. */
	REFUSES(j, features, PVPMU_FEAT_EVTCHN, VERSION);
	REFUSES(j, slots, PVPMU_SLOT_SIZE << 16 | 31, VERSION);
	REFUSES(j, sizes, 2u << 16 | PVPMU_HEADER_SIZE, VERSION);
	save(j);
	j->to.ops.hypercall++;
	assert_refuses(j, PVPMU_ERR_VERSION);
	j->to.ops = ops;
	j->to.ops.op_base++;
	assert_int_equal(pvpmu_restore(&j->to.vcpu, &j->record),
			 PVPMU_ERR_VERSION);
	j->to.ops = ops;
	j->to.ops.features &= ~PVPMU_FEAT_EVTCHN;
	assert_refuses(j, PVPMU_ERR_VERSION);
	/* One that serves more is welcome, and so is a guest of a later minor. */
	j->to.ops = ops;
	j->to.ops.features |= PVPMU_FEAT_GROUPS | PVPMU_FEAT_RDPMC;
	j->record.guest++;
	restore(j);
}

static void what_setup_refuses_is_refused(void **state)
{
	struct journey *j = *state;

	REFUSES(j, frame, FAKE_FRAME + 1, FRAME);
	REFUSES(j, delivery, PVPMU_DELIVER_PV_NMI, DELIVERY);
	REFUSES(j, delivery, 77, DELIVERY);
	REFUSES(j, delivery, PVPMU_DELIVER_LVTPC | 1 << 8, RESERVED);
	j->to.own_vm.limits.slots_vcpu = 0;
	assert_int_equal(pvpmu_restore(&j->to.vcpu, &j->record),
			 PVPMU_ERR_DENIED);
	assert_false(j->to.attached);
	j->to.own_vm.limits.slots_vcpu = PVPMU_MAX_SLOTS;
}

static void what_open_refuses_is_refused(void **state)
{
	struct journey *j = *state;

	REFUSES(j, slot[SAMPLES].type, 77, EVENT);
	REFUSES(j, slot[SAMPLES].config, PVPMU_HW_END, EVENT);
	REFUSES(j, slot[SAMPLES].flags, PVPMU_FLAGS_FILTERS + 1,
		RESERVED);
	REFUSES(j, slot[SAMPLES].flags, 3, FILTER);
	j->to.own_vm.limits.slots_vcpu = 2;
	assert_refuses(j, PVPMU_ERR_LIMIT);
	j->to.own_vm.limits.slots_vcpu = PVPMU_MAX_SLOTS;
	j->to.own_vm.limits.slots_vm = 2;
	assert_refuses(j, PVPMU_ERR_LIMIT);
	j->to.own_vm.limits.slots_vm = 1024;
	j->to.create_answer = PVPMU_LATER;
	assert_refuses(j, PVPMU_ERR_HOST);
	j->to.create_answer = PVPMU_DONE;
	j->to.caps = PVPMU_CAP_COUNT;
	assert_refuses(j, PVPMU_ERR_PERIOD);
}

static void vcpu_that_has_an_area_is_not_restored(void **state)
{
	struct journey *j = *state;
	struct snapshot *shot = malloc(sizeof(*shot));

	assert_non_null(shot);
	save(j);
	guest_setup(&j->to);
	take_snapshot(&j->to, shot);
	assert_int_equal(pvpmu_restore(&j->to.vcpu, &j->record),
			 PVPMU_ERR_OPEN);
	assert_unchanged(&j->to, shot);
	free(shot);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void groups_arrive_as_groups(void **state)
{
	struct journey *j = *state;
	u32 id;

	fake_serve(&j->from, PVPMU_FEAT_GROUPS);
	for (id = 10; id < 14; id++) {
		guest_describe(&j->from, id, HW, CYCLES, 0);
		j->from.area.slot[id].guest.leader = id > 11 ? 11 : id;
		assert_done(&j->from, PVPMU_OP_OPEN, id);
		assert_done(&j->from, PVPMU_OP_ENABLE, id);
	}
	save(j);
	/* A host without groups takes no record that has some. */
	assert_int_equal(pvpmu_restore(&j->to.vcpu, &j->record),
			 PVPMU_ERR_VERSION);
	j->to.ops.features |= PVPMU_FEAT_GROUPS;
	arrive(j);
	assert_int_equal(j->to.vcpu.slot[10].group, 0);
	assert_int_not_equal(j->to.vcpu.slot[11].group, 0);
	for (id = 12; id < 14; id++)
		assert_int_equal(j->to.vcpu.slot[id].group,
				 j->to.vcpu.slot[11].group);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(counts_go_on_exactly),
		TEST(stopped_event_stays_stopped),
		TEST(user_space_may_read_on),
		TEST(closed_slot_keeps_its_last_line),
		TEST(period_ends_where_it_would_have),
		TEST(overflow_not_yet_published_is_told_by_the_new_host),
		TEST(mark_that_was_passed_unreported_counts),
		TEST(mark_that_was_reported_early_is_no_other),
		TEST(interrupt_is_raised_again_if_the_word_is_not_zero),
		TEST(throttled_event_is_armed_again),
		TEST(header_tells_of_the_new_host),
		TEST(sequences_go_on),
		TEST(page_copied_at_a_bad_moment_is_whole_again),
		TEST(nothing_counts_and_nothing_is_written_before_the_guest_runs),
		TEST(saving_changes_nothing),
		TEST(record_of_a_restored_vcpu_is_the_same),
		TEST(vcpu_without_an_area_has_no_record),
		TEST(event_that_cannot_be_enabled_has_failed),
		TEST(event_that_failed_may_count_at_the_next_host),
		TEST(longest_period_that_began_early_goes_on),
		TEST(area_that_went_away_ends_it),
		TEST(detach_before_the_guest_runs_leaves_nothing),
		TEST(what_is_no_record_is_refused),
		TEST(what_no_host_writes_is_refused),
		TEST(period_that_does_not_run_is_refused),
		TEST(host_that_is_not_as_the_guest_was_told_refuses),
		TEST(what_setup_refuses_is_refused),
		TEST(what_open_refuses_is_refused),
		TEST(vcpu_that_has_an_area_is_not_restored),
		TEST(groups_arrive_as_groups),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
