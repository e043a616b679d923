// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * A hostile source of records: one that a host has saved, with any of its words
 * changed.  What is refused leaves nothing behind; what is taken behaves like a
 * vCPU whose guest had made calls, and can be saved and taken again.
 */
#include <stdlib.h>

#include "fuzz.h"

struct hosts {
	struct fake from;
	struct fake to;
	struct pvpmu_record record;
	struct pvpmu_record again;
};

static void overflow_in_between(struct fake *fake, enum fake_op op, bool after)
{
	struct input *in = fake->hook_data;
	u32 i;

	(void)after;
	if (op == FAKE_CLOCK || op == FAKE_KICK || !in->len || take8(in) % 8)
		return;
	for (i = 0; i < PVPMU_MAX_COUNTERS; i++)
		if (fake->counter[i].started && fake->counter[i].left)
			fake_count(fake, i, 1, take(in, 2));
}

/* Some events, in all states that there are */
static void prepare(struct fake *fake, struct input *in)
{
	u32 id;

	guest_setup(fake);
	for (id = 0; id < PVPMU_MAX_SLOTS; id += 1 + take8(in) % 8)
		guest_open(fake, id, 1 + take8(in) % 4, take8(in) % 4,
			   take8(in) % 2 ? 1000 + take(in, 2) : 0);
	guest_update(fake, 0, 0, 0, (u32)take(in, 4), 0);
	fake->vcpu.budget = take8(in);
	fake_run(fake, take(in, 2), take(in, 2));
	guest_update(fake, (u32)take(in, 4) & (u32)take(in, 4),
		     (u32)take(in, 4), 0, 0, 0);
	fake_run(fake, take(in, 2), take(in, 2));
}

static void change(struct pvpmu_record *record, struct input *in)
{
	u32 words = sizeof(*record) / sizeof(u32);
	u32 n = take8(in) % 8;

	while (n--) {
		u32 word = (u32)take(in, 2) % words;
		u64 value = take_number(in);

		memcpy((u32 *)(void *)record + word, &value, sizeof(u32));
	}
}

static void check(const struct fake *fake)
{
	const struct pvpmu_vcpu *vcpu = &fake->vcpu;
	u32 id;

	FAKE_CHECK(vcpu->vm->slots_open == vcpu->opened);
	FAKE_CHECK(!(vcpu->resuming & ~vcpu->open));
	for (id = 0; id < PVPMU_MAX_SLOTS; id++) {
		const struct pvpmu_slot_state *slot = &vcpu->slot[id];

		if (!(vcpu->open & 1u << id)) {
			FAKE_CHECK(slot->host.state == PVPMU_STATE_CLOSED);
			continue;
		}
		FAKE_CHECK(fake->counter[slot->counter].exists);
		FAKE_CHECK(!slot->sampling || slot->length);
		FAKE_CHECK(!slot->sampling ||
			   slot->reload <= PVPMU_PERIOD_MAX);
	}
}

static void run(struct fake *fake, struct input *in)
{
	fake->hook = overflow_in_between;
	fake->hook_data = in;
	fake_enter(fake);
	check(fake);
	while (in->len) {
		u32 op = take8(in) % 9;

		fake_run(fake, take(in, 1), take(in, 3));
		guest_call(fake, op, op == PVPMU_OP_UPDATE ? 0 : take8(in) % 31,
			   0, 0);
		fake->area.guest.enable = (u32)take(in, 4);
		check(fake);
	}
	fake->hook = NULL;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct hosts *hosts = malloc(sizeof(*hosts));
	struct input in = { data, len };
	struct fake *to;

	FAKE_CHECK(hosts != NULL);
	to = &hosts->to;
	fake_init(to, NULL);
	fake_init(&hosts->from, NULL);
	prepare(&hosts->from, &in);
	FAKE_CHECK(pvpmu_save(&hosts->from.vcpu, &hosts->record) == PVPMU_OK);
	to->area = hosts->from.area;
	change(&hosts->record, &in);
	fake_end(&hosts->from);

	to->own_vm.limits.slots_vm = 40;
	if (pvpmu_restore(&to->vcpu, &hosts->record)) {
		FAKE_CHECK(!to->attached && !to->kicked && !to->accesses);
		FAKE_CHECK(!fake_counters(to) && !to->own_vm.slots_open);
		FAKE_CHECK(guest_setup(to) == PVPMU_OK);
	} else {
		check(to);
		FAKE_CHECK(!pvpmu_save(&to->vcpu, &hosts->again));
		pvpmu_vcpu_detach(&to->vcpu);
		FAKE_CHECK(!pvpmu_restore(&to->vcpu, &hosts->again));
		run(to, &in);
		if (to->vcpu.attached) {
			FAKE_CHECK(!pvpmu_save(&to->vcpu, &hosts->again));
			pvpmu_vcpu_detach(&to->vcpu);
			FAKE_CHECK(!pvpmu_restore(&to->vcpu, &hosts->again));
		}
	}
	fake_end(to);
	free(hosts);
	return 0;
}
