// SPDX-License-Identifier: MIT OR GPL-2.0
/* SETUP and DETACH: how an area comes and goes */
#include "unit.h"

static s32 setup_with(struct fake *fake, u32 features, u32 delivery)
{
	guest_accept(fake, features);
	return guest_call(fake, PVPMU_OP_SETUP, (u32)FAKE_FRAME,
			  (u32)(FAKE_FRAME >> 32), delivery);
}

#define SETUP(fake, delivery) setup_with(fake, (fake)->ops.features, delivery)

static void assert_setup_refused(struct fake *fake, s32 error, u32 delivery)
{
	assert_refused(fake, error, PVPMU_OP_SETUP, (u32)FAKE_FRAME,
		       (u32)(FAKE_FRAME >> 32), delivery);
}

static void setup_takes_the_frame_from_two_words(void **state)
{
	struct fake *fake = *state;

	/* The fake knows one frame only, and its upper word is not zero. */
	assert_int_equal(guest_setup(fake), PVPMU_OK);
	assert_true(fake->attached);
}

static void setup_writes_all_host_lines_whatever_was_there(void **state)
{
	struct fake *fake = *state;
	u32 id;

	memset(&fake->area, 0xff, sizeof(fake->area));
	assert_int_equal(guest_setup(fake), PVPMU_OK);
	assert_even(fake);
	assert_int_equal(fake->area.host.version, PVPMU_ABI_VERSION);
	assert_int_equal(fake->area.host.slots_usable, PVPMU_MAX_SLOTS);
	assert_int_equal(fake->area.host.reserved[10], 0);
	for (id = 0; id < PVPMU_MAX_SLOTS; id++) {
		assert_state(fake, id, PVPMU_STATE_CLOSED);
		assert_count(fake, id, 0);
		assert_times(fake, id, 0, 0);
		assert_overflows(fake, id, 0, 0);
		assert_int_equal(guest_line(fake, id)->error, 0);
		assert_int_equal(guest_line(fake, id)->index, 0);
		assert_int_equal(guest_line(fake, id)->width, 0);
		assert_int_equal(guest_line(fake, id)->base, 0);
	}
}

static void setup_clears_the_pending_word(void **state)
{
	struct fake *fake = *state;

	fake->area.overflow.pending = 0xffffffff;
	assert_int_equal(guest_setup(fake), PVPMU_OK);
	assert_int_equal(fake->area.overflow.pending, 0);
	assert_int_equal(fake->calls[FAKE_RAISE], 0);
}

static void setup_leaves_the_guests_lines_alone(void **state)
{
	struct fake *fake = *state;
	struct pvpmu_header_guest header;
	struct pvpmu_slot_guest slot;

	memset(&fake->area, 0x5a, sizeof(fake->area));
	memset(&header, 0x5a, sizeof(header));
	memset(&slot, 0x5a, sizeof(slot));
	assert_int_equal(guest_setup(fake), PVPMU_OK);
	header.version = fake->area.guest.version;
	header.features = fake->area.guest.features;
	assert_memory_equal(&fake->area.guest, &header, sizeof(header));
	assert_memory_equal(&fake->area.slot[29].guest, &slot, sizeof(slot));
}

static void each_setup_has_another_generation(void **state)
{
	struct fake *fake = *state;
	u32 first, second;

	guest_setup(fake);
	first = fake->area.host.generation;
	guest_setup(fake);
	second = fake->area.host.generation;
	guest_call(fake, PVPMU_OP_DETACH, 0, 0, 0);
	guest_setup(fake);
	assert_int_not_equal(first, second);
	assert_int_not_equal(second, fake->area.host.generation);
	assert_int_not_equal(first, fake->area.host.generation);
}

static void look_when_new(struct fake *fake, enum fake_op op, bool after)
{
	const u32 *before = fake->hook_data;
	u32 id;

	if (!after || fake->area.host.generation == *before)
		return;
	(void)op;
	assert_int_equal(fake->area.overflow.pending, 0);
	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		assert_state(fake, id, PVPMU_STATE_CLOSED);
}

/* Who sees the new generation finds the slots as SETUP leaves them. */
static void new_generation_is_shown_last(void **state)
{
	struct fake *fake = *state;
	u32 before = fake->area.host.generation;

	start_event(fake, 0, CYCLES, 1000);
	start_event(fake, PVPMU_MAX_SLOTS - 1, CYCLES, 1000);
	fake_run(fake, 1, 1000);
	fake->hook = look_when_new;
	fake->hook_data = &before;
	assert_int_equal(guest_setup(fake), PVPMU_OK);
	fake->hook = NULL;
	assert_int_not_equal(fake->area.host.generation, before);
}

/* A host that was loaded again must not seem to be the one before. */
static void host_begins_with_another_generation_each_time(void **state)
{
	struct fake *fake = *state;
	u32 first;

	guest_setup(fake);
	first = fake->area.host.generation;
	pvpmu_vcpu_detach(&fake->vcpu);
	fake->now += 123456789;
	pvpmu_vcpu_init(&fake->vcpu, &fake->own_vm, &fake->ops);
	guest_setup(fake);
	assert_int_not_equal(fake->area.host.generation, first);
}

static void setup_again_closes_all_events(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 0, CYCLES, 0);
	start_event(fake, 29, INSTRUCTIONS, 5000);
	fake_run(fake, 10, 777);
	assert_int_equal(guest_setup(fake), PVPMU_OK);
	assert_int_equal(fake->own_vm.slots_open, 0);
	assert_int_equal(fake_started(fake), 0);
	assert_state(fake, 0, PVPMU_STATE_CLOSED);
	assert_count(fake, 0, 0);
	assert_refused(fake, PVPMU_ERR_CLOSED, PVPMU_OP_READ, 29, 0, 0);
	start_event(fake, 29, INSTRUCTIONS, 5000);
}

static void setup_drops_what_was_not_published(void **state)
{
	struct fake *fake = *state;
	u32 counter;

	start_event(fake, 4, CYCLES, 1000);
	counter = fake_find(fake, HW, CYCLES);
	fake_count(fake, counter, 1, 1000);
	guest_setup(fake);
	assert_int_equal(fake->area.overflow.pending, 0);
	assert_int_equal(fake->calls[FAKE_RAISE], 0);
}

static void frame_that_is_not_ram_is_refused(void **state)
{
	assert_refused(*state, PVPMU_ERR_FRAME, PVPMU_OP_SETUP, 1, 0,
		       PVPMU_DELIVER_LVTPC);
	assert_refused(*state, PVPMU_ERR_FRAME, PVPMU_OP_SETUP, ~0u, ~0u,
		       PVPMU_DELIVER_LVTPC);
}

/* Whatever a backend would make of it: an address is not that long. */
static void frame_that_no_address_has_is_not_looked_for(void **state)
{
	struct fake *fake = *state;

	assert_refused(fake, PVPMU_ERR_FRAME, PVPMU_OP_SETUP, 0,
		       1u << (PVPMU_FRAME_BITS - 32), PVPMU_DELIVER_LVTPC);
	assert_int_equal(fake->calls[FAKE_AREA_ATTACH], 0);
	assert_refused(fake, PVPMU_ERR_FRAME, PVPMU_OP_SETUP, ~0u,
		       (1u << (PVPMU_FRAME_BITS - 32)) - 1,
		       PVPMU_DELIVER_LVTPC);
	assert_int_equal(fake->calls[FAKE_AREA_ATTACH], 1);
}

static void frame_that_is_busy_may_be_tried_again(void **state)
{
	struct fake *fake = *state;

	fake->attach_answer = PVPMU_LATER;
	assert_setup_refused(fake, PVPMU_ERR_RETRY, PVPMU_DELIVER_LVTPC);
	fake->attach_answer = PVPMU_DONE;
	assert_int_equal(guest_setup(fake), PVPMU_OK);
}

static void failing_setup_leaves_the_old_area_working(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 2, CYCLES, 1000);
	assert_refused(fake, PVPMU_ERR_FRAME, PVPMU_OP_SETUP, 1, 0,
		       PVPMU_DELIVER_EVTCHN | 5 << PVPMU_DELIVER_PORT_SHIFT);
	fake_run(fake, 10, 1500);
	assert_done(fake, PVPMU_OP_READ, 2);
	assert_count(fake, 2, 1500);
	assert_int_equal(fake->area.overflow.pending, BIT(2));
	assert_int_equal(fake->calls[FAKE_RAISE], 1);
}

static void port_goes_away(struct fake *fake, enum fake_op op, bool after)
{
	if (op == FAKE_AREA_ATTACH && after)
		fake->deliver_answer = false;
}

/* The old one cannot be chosen again, but nobody has chosen another. */
static void failing_setup_leaves_a_delivery_that_is_gone(void **state)
{
	struct fake *fake = *state;

	assert_int_equal(SETUP(fake, PVPMU_DELIVER_EVTCHN | 5 << 8), PVPMU_OK);
	start_event(fake, 2, CYCLES, 1000);
	fake->hook = port_goes_away;
	assert_int_equal(guest_call(fake, PVPMU_OP_SETUP, 1, 0,
				    PVPMU_DELIVER_EVTCHN | 6 << 8),
			 PVPMU_ERR_FRAME);
	fake_run(fake, 10, 1500);
	assert_int_equal(fake->calls[FAKE_RAISE], 1);
	assert_int_equal(fake->delivery, PVPMU_DELIVER_EVTCHN);
	assert_int_equal(fake->port, 5);
}

static void guest_of_another_major_version_is_refused(void **state)
{
	struct fake *fake = *state;

	guest_accept(fake, fake->ops.features);
	fake->area.guest.version = PVPMU_ABI_VERSION + (1u << 16);
	assert_setup_refused(fake, PVPMU_ERR_VERSION, PVPMU_DELIVER_LVTPC);
	/* One that says nothing may be of any. */
	fake->area.guest.version = 0;
	assert_setup_refused(fake, PVPMU_ERR_VERSION, PVPMU_DELIVER_LVTPC);
	/* A frame that is none comes first. */
	assert_refused(fake, PVPMU_ERR_FRAME, PVPMU_OP_SETUP, 1, 0,
		       PVPMU_DELIVER_LVTPC);
	fake->area.guest.version = PVPMU_ABI_VERSION + 9;
	assert_int_equal(guest_call(fake, PVPMU_OP_SETUP, (u32)FAKE_FRAME,
				    (u32)(FAKE_FRAME >> 32),
				    PVPMU_DELIVER_LVTPC),
			 PVPMU_OK);
	assert_int_equal(fake->area.host.version, PVPMU_ABI_VERSION);
}

static void feature_that_is_not_served_cannot_be_accepted(void **state)
{
	struct fake *fake = *state;

	guest_accept(fake, fake->ops.features | PVPMU_FEAT_GROUPS);
	assert_setup_refused(fake, PVPMU_ERR_VERSION, PVPMU_DELIVER_LVTPC);
	guest_accept(fake, fake->ops.features | 1u << 31);
	assert_setup_refused(fake, PVPMU_ERR_VERSION, PVPMU_DELIVER_LVTPC);
}

static void feature_that_is_not_accepted_is_not_used(void **state)
{
	struct fake *fake = *state;

	fake->ops.features |= PVPMU_FEAT_GROUPS | PVPMU_FEAT_RDPMC;
	guest_accept(fake, 0);
	assert_setup_refused(fake, PVPMU_ERR_VERSION, PVPMU_DELIVER_LVTPC);
	guest_accept(fake, PVPMU_FEAT_EVTCHN);
	assert_setup_refused(fake, PVPMU_ERR_VERSION, PVPMU_DELIVER_LVTPC);
	assert_int_equal(setup_with(fake, 0, PVPMU_DELIVER_NONE), PVPMU_OK);
	assert_int_equal(fake->area.host.features, 0);
	open_event(fake, 0, CYCLES, 0);
	guest_describe(fake, 1, HW, CYCLES, 0);
	fake->area.slot[1].guest.leader = 0;
	assert_refused(fake, PVPMU_ERR_GROUP, PVPMU_OP_OPEN, 1, 0, 0);
	fake->area.slot[1].guest.leader = 1;
	fake->area.slot[1].guest.flags = PVPMU_FLAG_USER_READ;
	assert_refused(fake, PVPMU_ERR_RESERVED, PVPMU_OP_OPEN, 1, 0, 0);
	/* Another SETUP may accept more. */
	assert_int_equal(setup_with(fake, PVPMU_FEAT_RDPMC, PVPMU_DELIVER_NONE),
			 PVPMU_OK);
	assert_int_equal(fake->area.host.features, PVPMU_FEAT_RDPMC);
	assert_done(fake, PVPMU_OP_OPEN, 1);
}

static void refused_version_leaves_the_old_area_working(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 2, CYCLES, 1000);
	guest_accept(fake, ~0u);
	assert_setup_refused(fake, PVPMU_ERR_VERSION, PVPMU_DELIVER_LVTPC);
	fake_run(fake, 10, 1500);
	assert_done(fake, PVPMU_OP_READ, 2);
	assert_count(fake, 2, 1500);
	assert_int_equal(fake->calls[FAKE_RAISE], 1);
}

static void page_goes_away(struct fake *fake, enum fake_op op, bool after)
{
	if (op == FAKE_AREA_READ && after)
		fake->attach_answer = PVPMU_NEVER;
}

static void old_area_may_be_gone_by_then(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 2, CYCLES, 1000);
	guest_accept(fake, ~0u);
	fake->hook = page_goes_away;
	assert_int_equal(guest_call(fake, PVPMU_OP_SETUP, (u32)FAKE_FRAME,
				    (u32)(FAKE_FRAME >> 32),
				    PVPMU_DELIVER_LVTPC),
			 PVPMU_ERR_NO_AREA);
	assert_false(fake->attached);
	assert_int_equal(fake_counters(fake), 0);
}

static void delivery_none_is_always_served(void **state)
{
	struct fake *fake = *state;

	fake->ops.features = 0;
	assert_int_equal(SETUP(fake, PVPMU_DELIVER_NONE), PVPMU_OK);
}

static void delivery_that_has_no_feature_is_refused(void **state)
{
	struct fake *fake = *state;

	assert_setup_refused(fake, PVPMU_ERR_DELIVERY, PVPMU_DELIVER_PV_NMI);
	fake->ops.features = 0;
	assert_setup_refused(fake, PVPMU_ERR_DELIVERY, PVPMU_DELIVER_LVTPC);
	assert_setup_refused(fake, PVPMU_ERR_DELIVERY, PVPMU_DELIVER_EVTCHN);
}

static void delivery_that_does_not_exist_is_refused(void **state)
{
	struct fake *fake = *state;

	fake->ops.features = ~0u;
	assert_setup_refused(fake, PVPMU_ERR_DELIVERY, 4);
	assert_setup_refused(fake, PVPMU_ERR_DELIVERY, 0xff);
}

static void delivery_that_the_host_refuses_is_refused(void **state)
{
	struct fake *fake = *state;

	fake->deliver_answer = false;
	assert_setup_refused(fake, PVPMU_ERR_DELIVERY, PVPMU_DELIVER_LVTPC);
}

static void port_belongs_to_event_channels_only(void **state)
{
	struct fake *fake = *state;

	assert_setup_refused(fake, PVPMU_ERR_RESERVED,
			     PVPMU_DELIVER_LVTPC | 1 << 8);
	assert_setup_refused(fake, PVPMU_ERR_RESERVED,
			     PVPMU_DELIVER_NONE | 1u << 31);
	assert_int_equal(SETUP(fake, PVPMU_DELIVER_EVTCHN | 0x123456 << 8),
			 PVPMU_OK);
	start_event(fake, 0, CYCLES, 1000);
	fake_run(fake, 1, 1000);
	assert_int_equal(fake->delivery, PVPMU_DELIVER_EVTCHN);
	assert_int_equal(fake->port, 0x123456);
}

static void wrong_delivery_comes_before_a_wrong_frame(void **state)
{
	assert_refused(*state, PVPMU_ERR_DELIVERY, PVPMU_OP_SETUP, 1, 0, 99);
}

static void vm_that_may_have_no_slot_is_denied(void **state)
{
	struct fake *fake = *state;

	fake->own_vm.limits.slots_vcpu = 0;
	assert_setup_refused(fake, PVPMU_ERR_DENIED, PVPMU_DELIVER_LVTPC);
	assert_setup_refused(fake, PVPMU_ERR_DENIED, 99);
}

static void detach_gives_everything_back(void **state)
{
	struct fake *fake = *state;
	u32 id;

	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		start_event(fake, id, id % PVPMU_HW_END, id & 1 ? 10000 : 0);
	assert_done(fake, PVPMU_OP_DETACH, 0);
	assert_false(fake->attached);
	assert_int_equal(fake_counters(fake), 0);
	assert_int_equal(fake->own_vm.slots_open, 0);
	assert_int_equal(fake->vcpu.stats.created, fake->vcpu.stats.destroyed);
}

static void detach_twice_is_refused(void **state)
{
	assert_done(*state, PVPMU_OP_DETACH, 0);
	assert_refused(*state, PVPMU_ERR_NO_AREA, PVPMU_OP_DETACH, 0, 0, 0);
}

static void detach_writes_nothing(void **state)
{
	struct fake *fake = *state;
	struct pvpmu_area before;

	start_event(fake, 1, CYCLES, 1000);
	fake_count(fake, fake_find(fake, HW, CYCLES), 1, 1000);
	before = fake->area;
	assert_done(fake, PVPMU_OP_DETACH, 0);
	assert_memory_equal(&before, &fake->area, sizeof(before));
}

static void detach_of_nothing_does_nothing(void **state)
{
	struct fake *fake = *state;

	pvpmu_vcpu_detach(&fake->vcpu);
	pvpmu_vcpu_detach(&fake->vcpu);
	pvpmu_publish(&fake->vcpu);
	assert_int_equal(fake->calls[FAKE_AREA_DETACH], 0);
}

static void host_detach_answers_no_area_until_setup(void **state)
{
	struct fake *fake = *state;

	start_event(fake, 1, CYCLES, 0);
	pvpmu_vcpu_detach(&fake->vcpu);
	assert_refused(fake, PVPMU_ERR_NO_AREA, PVPMU_OP_READ, 1, 0, 0);
	assert_int_equal(guest_setup(fake), PVPMU_OK);
	start_event(fake, 1, CYCLES, 0);
}

static void vcpu_starts_with_no_area_whatever_its_memory_held(void **state)
{
	struct fake *fake = *state;

	memset(&fake->vcpu, 0xa5, sizeof(fake->vcpu));
	memset(&fake->own_vm, 0xa5, sizeof(fake->own_vm));
	pvpmu_vm_init(&fake->own_vm,
		      &(const struct pvpmu_limits)PVPMU_LIMITS_DEFAULT);
	pvpmu_vcpu_init(&fake->vcpu, &fake->own_vm, &fake->ops);
	assert_refused(fake, PVPMU_ERR_NO_AREA, PVPMU_OP_READ, 1, 0, 0);
	assert_int_equal(guest_setup(fake), PVPMU_OK);
	start_event(fake, 0, CYCLES, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_BARE(setup_takes_the_frame_from_two_words),
		UNIT_BARE(setup_writes_all_host_lines_whatever_was_there),
		UNIT_BARE(setup_clears_the_pending_word),
		UNIT_BARE(setup_leaves_the_guests_lines_alone),
		UNIT_BARE(each_setup_has_another_generation),
		UNIT(new_generation_is_shown_last),
		UNIT_BARE(host_begins_with_another_generation_each_time),
		UNIT(setup_again_closes_all_events),
		UNIT(setup_drops_what_was_not_published),
		UNIT_BARE(frame_that_is_not_ram_is_refused),
		UNIT_BARE(frame_that_no_address_has_is_not_looked_for),
		UNIT_BARE(frame_that_is_busy_may_be_tried_again),
		UNIT(failing_setup_leaves_the_old_area_working),
		UNIT_BARE(failing_setup_leaves_a_delivery_that_is_gone),
		UNIT_BARE(guest_of_another_major_version_is_refused),
		UNIT_BARE(feature_that_is_not_served_cannot_be_accepted),
		UNIT_BARE(feature_that_is_not_accepted_is_not_used),
		UNIT(refused_version_leaves_the_old_area_working),
		UNIT(old_area_may_be_gone_by_then),
		UNIT_BARE(delivery_none_is_always_served),
		UNIT_BARE(delivery_that_has_no_feature_is_refused),
		UNIT_BARE(delivery_that_does_not_exist_is_refused),
		UNIT_BARE(delivery_that_the_host_refuses_is_refused),
		UNIT_BARE(port_belongs_to_event_channels_only),
		UNIT_BARE(wrong_delivery_comes_before_a_wrong_frame),
		UNIT_BARE(vm_that_may_have_no_slot_is_denied),
		UNIT(detach_gives_everything_back),
		UNIT(detach_twice_is_refused),
		UNIT(detach_writes_nothing),
		UNIT_BARE(detach_of_nothing_does_nothing),
		UNIT(host_detach_answers_no_area_until_setup),
		UNIT_BARE(vcpu_starts_with_no_area_whatever_its_memory_held),
	};

	return cmocka_run_group_tests_name("setup", tests, NULL, NULL);
}
