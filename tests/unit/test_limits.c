// SPDX-License-Identifier: MIT OR GPL-2.0
/* What an administrator allows, per vCPU and per VM, and changes meanwhile */
#include <stdlib.h>

#include "unit.h"

static void assert_limit(struct fake *fake, u32 id)
{
	guest_describe(fake, id, HW, CYCLES, 0);
	assert_refused(fake, PVPMU_ERR_LIMIT, PVPMU_OP_OPEN, id, 0, 0);
}

/* The administrator changes the limit; the next call shows it in the area. */
static void set_limit(struct fake *fake, u32 slots)
{
	fake->own_vm.limits.slots_vcpu = slots;
	assert_int_equal(guest_update(fake, 0, 0, 0, 0, 0), PVPMU_OK);
	assert_int_equal(fake->area.host.slots_usable, slots);
}

static void vcpu_may_not_open_more_than_its_limit(void **state)
{
	struct fake *fake = *state;

	fake->own_vm.limits.slots_vcpu = 2;
	open_event(fake, 10, CYCLES, 0);
	open_event(fake, 20, CYCLES, 1000);
	assert_limit(fake, 0);
	assert_done(fake, PVPMU_OP_CLOSE, 10);
	open_event(fake, 0, CYCLES, 0);
}

static void any_id_may_be_open_within_the_limit(void **state)
{
	struct fake *fake = *state;

	fake->own_vm.limits.slots_vcpu = 1;
	open_event(fake, PVPMU_MAX_SLOTS - 1, CYCLES, 0);
}

static void limit_beyond_the_slots_counts_as_all_of_them(void **state)
{
	struct fake *fake = *state;
	u32 id;

	fake->own_vm.limits.slots_vcpu = 1000;
	assert_int_equal(guest_setup(fake), PVPMU_OK);
	assert_int_equal(fake->area.host.slots_usable, PVPMU_MAX_SLOTS);
	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		open_event(fake, id, CYCLES, 0);
}

static void limit_may_be_lowered_below_what_is_open(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 0);
	start_event(fake, 1, CYCLES, 0);
	set_limit(fake, 1);
	assert_limit(fake, 2);
	fake_run(fake, 1, 10);
	assert_done(fake, PVPMU_OP_READ, 0);
	assert_count(fake, 0, 10);
	assert_done(fake, PVPMU_OP_CLOSE, 0);
	assert_limit(fake, 2);
	assert_done(fake, PVPMU_OP_CLOSE, 1);
	open_event(fake, 2, CYCLES, 0);
}

static void limit_of_zero_leaves_open_events_alone(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 0);
	set_limit(fake, 0);
	assert_limit(fake, 2);
	fake_run(fake, 1, 10);
	assert_done(fake, PVPMU_OP_DISABLE, 0);
	assert_count(fake, 0, 10);
}

static void area_shows_how_many_slots_are_usable(void **state)
{
	struct fake *fake = *state;

	fake->own_vm.limits.slots_vcpu = 7;
	assert_int_equal(guest_setup(fake), PVPMU_OK);
	assert_int_equal(fake->area.host.slots_usable, 7);
}

static void changed_limit_shows_after_the_next_call(void **state)
{
	struct fake *fake = *state;
	u32 seq = fake->area.host.seq;

	fake->own_vm.limits.slots_vcpu = 7;
	guest_update(fake, 0, 0, 0, 0, 0);
	assert_int_equal(fake->area.host.slots_usable, 7);
	assert_int_not_equal(fake->area.host.seq, seq);
	assert_even(fake);
	seq = fake->area.host.seq;
	guest_update(fake, 0, 0, 0, 0, 0);
	assert_int_equal(fake->area.host.seq, seq);
}

/* Two vCPUs of one VM */
struct machine {
	struct pvpmu_vm vm;
	struct fake cpu[2];
};

static struct machine *new_machine(u32 slots_vm)
{
	struct pvpmu_limits limits = PVPMU_LIMITS_DEFAULT;
	struct machine *machine = malloc(sizeof(*machine));

	assert_non_null(machine);
	limits.slots_vm = slots_vm;
	pvpmu_vm_init(&machine->vm, &limits);
	fake_init(&machine->cpu[0], &machine->vm);
	fake_init(&machine->cpu[1], &machine->vm);
	assert_int_equal(guest_setup(&machine->cpu[0]), PVPMU_OK);
	assert_int_equal(guest_setup(&machine->cpu[1]), PVPMU_OK);
	return machine;
}

static void end_machine(struct machine *machine)
{
	fake_end(&machine->cpu[0]);
	fake_end(&machine->cpu[1]);
	assert_int_equal(machine->vm.slots_open, 0);
	free(machine);
}

static void vcpus_share_the_limit_of_the_vm(void **state)
{
	struct machine *machine = new_machine(3);

	(void)state;
	open_event(&machine->cpu[0], 0, CYCLES, 0);
	open_event(&machine->cpu[1], 0, CYCLES, 0);
	open_event(&machine->cpu[1], 1, CYCLES, 0);
	assert_limit(&machine->cpu[0], 1);
	assert_limit(&machine->cpu[1], 2);
	assert_done(&machine->cpu[0], PVPMU_OP_CLOSE, 0);
	open_event(&machine->cpu[1], 2, CYCLES, 0);
	end_machine(machine);
}

static void call_that_closes_may_open_as_many(void **state)
{
	struct machine *machine = new_machine(2);
	struct fake *cpu = &machine->cpu[0];

	(void)state;
	open_event(cpu, 0, CYCLES, 0);
	open_event(&machine->cpu[1], 0, CYCLES, 0);
	guest_describe(cpu, 1, HW, CYCLES, 0);
	guest_describe(cpu, 2, HW, CYCLES, 0);
	assert_int_equal(guest_update(cpu, BIT(0), 0, BIT(1) | BIT(2), 0, 0),
			 PVPMU_ERR_PARTIAL);
	assert_state(cpu, 1, PVPMU_STATE_STOPPED);
	assert_int_equal(guest_line(cpu, 2)->error, PVPMU_ERR_LIMIT);
	assert_int_equal(machine->vm.slots_open, 2);
	/* what it closes beyond that, others may have */
	assert_int_equal(guest_update(cpu, BIT(1), 0, 0, 0, 0), PVPMU_OK);
	assert_int_equal(machine->vm.slots_open, 1);
	open_event(&machine->cpu[1], 1, CYCLES, 0);
	end_machine(machine);
}

static void lowered_limit_of_the_vm_holds_for_what_a_call_closed(void **state)
{
	struct fake *fake = *state;
	u32 id;

	for (id = 0; id < 3; id++)
		open_event(fake, id, CYCLES, 0);
	fake->own_vm.limits.slots_vm = 2;
	guest_describe(fake, 3, HW, CYCLES, 0);
	assert_int_equal(guest_update(fake, BIT(0), 0, BIT(3), 0, 0),
			 PVPMU_ERR_PARTIAL);
	assert_int_equal(guest_line(fake, 3)->error, PVPMU_ERR_LIMIT);
	assert_int_equal(fake->own_vm.slots_open, 2);
}

static void vcpu_that_ends_returns_its_slots(void **state)
{
	struct machine *machine = new_machine(2);

	(void)state;
	open_event(&machine->cpu[0], 0, CYCLES, 0);
	open_event(&machine->cpu[0], 1, CYCLES, 0);
	pvpmu_vcpu_detach(&machine->cpu[0].vcpu);
	assert_int_equal(machine->vm.slots_open, 0);
	open_event(&machine->cpu[1], 0, CYCLES, 0);
	end_machine(machine);
}

static void slot_that_the_host_could_not_open_is_returned(void **state)
{
	struct fake *fake = *state;

	fake->own_vm.limits.slots_vm = 1;
	fake->create_answer = PVPMU_LATER;
	guest_open(fake, 0, HW, CYCLES, 0);
	assert_int_equal(fake->own_vm.slots_open, 0);
	fake->create_answer = PVPMU_DONE;
	open_event(fake, 0, CYCLES, 0);
}

static void ids_of_vcpus_have_nothing_to_do_with_each_other(void **state)
{
	struct machine *machine = new_machine(100);

	(void)state;
	start_event(&machine->cpu[0], 4, CYCLES, 1000);
	start_event(&machine->cpu[1], 4, INSTRUCTIONS, 0);
	fake_run(&machine->cpu[0], 1, 1000);
	assert_int_equal(machine->cpu[0].area.overflow.pending, BIT(4));
	assert_int_equal(machine->cpu[1].area.overflow.pending, 0);
	assert_done(&machine->cpu[1], PVPMU_OP_CLOSE, 4);
	assert_done(&machine->cpu[0], PVPMU_OP_READ, 4);
	end_machine(machine);
}

static void changed_period_limit_holds_for_the_next_open(void **state)
{
	struct fake *fake = *state;

	open_event(fake, 0, CYCLES, 1000);
	fake->own_vm.limits.period_min = 5000;
	guest_describe(fake, 1, HW, CYCLES, 1000);
	assert_refused(fake, PVPMU_ERR_PERIOD, PVPMU_OP_OPEN, 1, 0, 0);
	open_event(fake, 1, CYCLES, 5000);
}

static void withdrawn_class_holds_for_the_next_open(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 0);
	fake->own_vm.limits.classes = 0;
	guest_describe(fake, 1, HW, CYCLES, 0);
	assert_refused(fake, PVPMU_ERR_EVENT, PVPMU_OP_OPEN, 1, 0, 0);
	fake_run(fake, 1, 10);
	assert_done(fake, PVPMU_OP_DISABLE, 0);
	assert_count(fake, 0, 10);
}

static void limits_are_copied(void **state)
{
	struct pvpmu_limits limits = PVPMU_LIMITS_DEFAULT;
	struct pvpmu_vm vm;

	(void)state;
	limits.slots_vm = 9;
	pvpmu_vm_init(&vm, &limits);
	limits.slots_vm = 1;
	assert_int_equal(vm.limits.slots_vm, 9);
	assert_int_equal(vm.slots_open, 0);
}

static void limits_change_for_all_vcpus_at_once(void **state)
{
	struct machine *machine = new_machine(100);
	struct pvpmu_limits limits = machine->vm.limits;

	(void)state;
	open_event(&machine->cpu[0], 0, CYCLES, 0);
	limits.slots_vm = 1;
	pvpmu_vm_limit(&machine->vm, &limits);
	assert_limit(&machine->cpu[0], 1);
	assert_limit(&machine->cpu[1], 0);
	assert_int_equal(machine->vm.slots_open, 1);
	end_machine(machine);
}

/* Each of them wrong once, in a set that is right but for it */
static void limits_that_make_no_sense_are_known(void **state)
{
	const struct pvpmu_limits good = PVPMU_LIMITS_DEFAULT;
	struct pvpmu_limits bad;

	(void)state;
	assert_true(pvpmu_limits_make_sense(&good));
	bad = good;
	bad.slots_vcpu = PVPMU_MAX_SLOTS + 1;
	assert_false(pvpmu_limits_make_sense(&bad));
	bad = good;
	bad.classes |= PVPMU_CLASSES_ALL + 1;
	assert_false(pvpmu_limits_make_sense(&bad));
	bad = good;
	bad.period_min = 0;
	assert_false(pvpmu_limits_make_sense(&bad));
	bad = good;
	bad.clock_period_min = PVPMU_CLOCK_PERIOD_LEAST - 1;
	assert_false(pvpmu_limits_make_sense(&bad));
	bad = good;
	bad.overflow_rate = 0;
	assert_false(pvpmu_limits_make_sense(&bad));
	bad = good;
	bad.slots_vcpu = bad.slots_vm = bad.classes = 0;
	assert_true(pvpmu_limits_make_sense(&bad));
}

static void calls_of_all_kinds_are_counted(void **state)
{
	struct fake *fake = *state;
	u64 before = pvpmu_stats_calls(&fake->vcpu.stats);

	open_event(fake, 0, CYCLES, 0);
	guest_call(fake, PVPMU_OP_UPDATE + 1, 0, 0, 0);
	assert_done(fake, PVPMU_OP_CLOSE, 0);
	assert_int_equal(pvpmu_stats_calls(&fake->vcpu.stats), before + 3);
}

static void administrator_sees_what_is_open(void **state)
{
	struct pvpmu_open_event event;
	struct fake *fake = *state;

	assert_false(pvpmu_next_event(&fake->vcpu, 0, &event));
	start_event(fake, 3, INSTRUCTIONS, 0);
	open_event(fake, PVPMU_MAX_SLOTS - 1, CYCLES, 5000);
	fake_run(fake, 1, 10);
	assert_done(fake, PVPMU_OP_READ, 3);

	assert_true(pvpmu_next_event(&fake->vcpu, 0, &event));
	assert_int_equal(event.id, 3);
	assert_int_equal(event.desc.type, PVPMU_TYPE_HARDWARE);
	assert_int_equal(event.desc.config, PVPMU_HW_INSTRUCTIONS);
	assert_int_equal(event.period, 0);
	assert_int_equal(event.line.state, PVPMU_STATE_COUNTING);
	assert_int_equal(event.line.count, fake->area.slot[3].host.count);
	assert_true(pvpmu_next_event(&fake->vcpu, 4, &event));
	assert_int_equal(event.id, PVPMU_MAX_SLOTS - 1);
	assert_int_equal(event.period, 5000);
	assert_int_equal(event.line.state, PVPMU_STATE_STOPPED);
	assert_false(pvpmu_next_event(&fake->vcpu, PVPMU_MAX_SLOTS, &event));
	assert_false(pvpmu_next_event(&fake->vcpu, ~0u, &event));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(vcpu_may_not_open_more_than_its_limit),
		UNIT(any_id_may_be_open_within_the_limit),
		UNIT(limit_beyond_the_slots_counts_as_all_of_them),
		UNIT(limit_may_be_lowered_below_what_is_open),
		UNIT(limit_of_zero_leaves_open_events_alone),
		UNIT(area_shows_how_many_slots_are_usable),
		UNIT(changed_limit_shows_after_the_next_call),
		cmocka_unit_test(vcpus_share_the_limit_of_the_vm),
		cmocka_unit_test(call_that_closes_may_open_as_many),
		UNIT(lowered_limit_of_the_vm_holds_for_what_a_call_closed),
		cmocka_unit_test(vcpu_that_ends_returns_its_slots),
		UNIT(slot_that_the_host_could_not_open_is_returned),
		cmocka_unit_test(
			ids_of_vcpus_have_nothing_to_do_with_each_other),
		UNIT(changed_period_limit_holds_for_the_next_open),
		UNIT(withdrawn_class_holds_for_the_next_open),
		cmocka_unit_test(limits_are_copied),
		cmocka_unit_test(limits_change_for_all_vcpus_at_once),
		cmocka_unit_test(limits_that_make_no_sense_are_known),
		UNIT(calls_of_all_kinds_are_counted),
		UNIT(administrator_sees_what_is_open),
	};

	return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
