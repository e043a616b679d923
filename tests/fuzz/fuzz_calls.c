// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * A hostile guest: raw calls, memory that changes at any moment, overflows in
 * the middle of everything, a host that fails, an area that goes away, limits
 * that change; on two vCPUs of one VM.
 *
 * After each step: core's books agree with each other, with the host's
 * counters, and with what was written into the page; and the step took no
 * more work than what it named.
 */
#include <stdlib.h>

#include "fuzz.h"

#define CPUS 2

/* What one id may cost, in ops of any kind, and a call beside its ids */
#define OPS_PER_ID 40u
#define OPS_PER_CALL 40u

struct machine {
	struct pvpmu_vm vm;
	struct fake cpu[CPUS];
	/* Bytes that the guest's other CPUs write while a call is served. */
	struct input interference;
};

static u32 bits(u32 mask)
{
	return (u32)__builtin_popcount(mask);
}

/* Interferes before or after one op in about eight. */
static void interfere(struct fake *fake, enum fake_op op, bool after)
{
	struct machine *machine = fake->hook_data;
	struct input *in = &machine->interference;
	u32 offset, i;

	(void)after;
	if (!in->len || take8(in) % 8)
		return;
	switch (take8(in) % 4) {
	case 0: /* any word of the page */
		offset = take8(in) | (take8(in) & 3u) << 8;
		WRITE_ONCE(((u32 *)&fake->area)[offset], (u32)take_number(in));
		break;
	case 1: /* a whole guest line */
		offset = take8(in) % PVPMU_MAX_SLOTS;
		memset(&fake->area.slot[offset].guest, take8(in),
		       sizeof(struct pvpmu_slot_guest));
		break;
	case 2: /* the masks */
		fake->area.guest.open = (u32)take_number(in);
		fake->area.guest.close = (u32)take_number(in);
		break;
	case 3: /* an overflow, where the hardware may have one */
		if (op == FAKE_CLOCK || op == FAKE_KICK)
			break;
		for (i = 0; i < PVPMU_MAX_COUNTERS; i++) {
			struct fake_counter *c = &fake->counter[i];

			if (!c->exists || !c->started || !c->left)
				continue;
			c->reading.count += c->left;
			c->left = pvpmu_overflow(&fake->vcpu, i);
		}
		break;
	}
}

static void check_counters(const struct fake *fake)
{
	const struct pvpmu_vcpu *vcpu = &fake->vcpu;
	u32 users[PVPMU_MAX_COUNTERS] = { 0 };
	u32 started[PVPMU_MAX_COUNTERS] = { 0 };
	u32 id, i;

	for (id = 0; id < PVPMU_MAX_SLOTS; id++) {
		if (!(vcpu->open & 1u << id)) {
			continue;
		}
		users[vcpu->slot[id].counter]++;
		started[vcpu->slot[id].counter] += vcpu->slot[id].enabled;
	}
	for (i = 0; i < PVPMU_MAX_COUNTERS; i++) {
		const struct fake_counter *c = &fake->counter[i];

		FAKE_CHECK(c->exists == !!(vcpu->made & 1ull << i));
		if (!c->exists) {
			FAKE_CHECK(!users[i]);
			continue;
		}
		FAKE_CHECK(vcpu->counter[i].users == users[i]);
		FAKE_CHECK(!users[i] == !!(vcpu->unused & 1ull << i));
		/* What the host gave up is stopped, whoever has it enabled. */
		FAKE_CHECK(c->started ==
			   (started[i] && !(vcpu->failed & 1ull << i)));
		FAKE_CHECK(!c->desc.sampling || users[i] <= 1);
	}
	FAKE_CHECK(vcpu->stats.created - vcpu->stats.destroyed ==
		   fake_counters(fake));
}

/* What the guest was shown is what the host has, between two changes. */
static void check_page(const struct fake *fake)
{
	const struct pvpmu_vcpu *vcpu = &fake->vcpu;
	u32 id;

	FAKE_CHECK(!(fake->shown.host.seq & 1));
	FAKE_CHECK(!memcmp(&fake->shown.host, &vcpu->header,
			   sizeof(vcpu->header)));
	for (id = 0; id < PVPMU_MAX_SLOTS; id++) {
		const struct pvpmu_slot_host *line = &fake->shown.slot[id].host;

		FAKE_CHECK(!(line->seq & 1));
		FAKE_CHECK(!memcmp(line, &vcpu->slot[id].host, sizeof(*line)));
		FAKE_CHECK(!(line->state &
			     ~(PVPMU_STATE_MASK | PVPMU_STATE_THROTTLED)));
		FAKE_CHECK((line->state & PVPMU_STATE_MASK) <=
			   PVPMU_STATE_FAILED);
		FAKE_CHECK(!line->state == !(vcpu->open & 1u << id));
		FAKE_CHECK(line->error <= 0 &&
			   (!line->error || line->error >= PVPMU_ERR_LAST));
		FAKE_CHECK(line->time_running <= line->time_enabled);
		FAKE_CHECK(line->overflow_total <= line->count);
	}
}

static void check(const struct machine *machine)
{
	u32 open = 0;
	u32 i;

	for (i = 0; i < CPUS; i++) {
		const struct fake *fake = &machine->cpu[i];

		FAKE_CHECK(fake->vcpu.attached == fake->attached);
		FAKE_CHECK(!fake->vcpu.lost);
		FAKE_CHECK(fake->vcpu.opened == bits(fake->vcpu.open));
		FAKE_CHECK(fake->attached || !fake->vcpu.open);
		open += bits(fake->vcpu.open);
		check_counters(fake);
		if (fake->attached)
			check_page(fake);
	}
	FAKE_CHECK(machine->vm.slots_open == open);
}

static u32 ops_of(const struct fake *fake)
{
	u32 n = 0;
	u32 i;

	for (i = 0; i < FAKE_OPS; i++)
		n += fake->calls[i];
	return n;
}

/* Ids that a call could have to do with; all of them where it cannot be told */
static u32 ids_named(const struct machine *machine, const struct fake *fake,
		     u32 op)
{
	const struct pvpmu_header_guest *line = &fake->area.guest;
	u32 news = bits(fake->vcpu.overflowed);

	if (op == PVPMU_OP_SETUP || op == PVPMU_OP_DETACH ||
	    machine->interference.len || fake->accesses_left < 1000)
		return 5 * PVPMU_MAX_SLOTS;
	if (op == PVPMU_OP_UPDATE)
		return bits(line->close) + bits(line->disable) +
		       bits(line->open) + bits(line->enable) +
		       bits(line->read) + news;
	return 1 + news;
}

static void call(struct machine *machine, struct fake *fake,
		 const struct pvpmu_call *call)
{
	u32 op = call->op - FAKE_OP_BASE;
	u32 ids = ids_named(machine, fake, op);
	u32 ops = ops_of(fake);
	s32 ret;

	ret = pvpmu_call(&fake->vcpu, call);
	FAKE_CHECK(ops_of(fake) - ops <= OPS_PER_CALL + ids * OPS_PER_ID);
	if (ret > 0)
		FAKE_CHECK(op == PVPMU_OP_QUERY);
	else
		FAKE_CHECK(ret == PVPMU_OK || (ret <= PVPMU_ERR_OPERATION &&
					       ret >= PVPMU_ERR_LAST));
	if (!call->kernel)
		FAKE_CHECK(ret == PVPMU_ERR_DENIED);
}

static void setup(struct machine *machine, struct fake *fake, u32 delivery)
{
	const struct pvpmu_call request = {
		.op = FAKE_OP_BASE + PVPMU_OP_SETUP,
		.arg = { (u32)FAKE_FRAME, (u32)(FAKE_FRAME >> 32), delivery },
		.kernel = true,
	};

	guest_accept(fake, fake->ops.features);
	call(machine, fake, &request);
}

/* A description that has a chance; wrong ones come by the other steps. */
static void describe(struct fake *fake, struct input *in)
{
	struct pvpmu_slot_guest *line;
	u8 how = take8(in);
	u32 id = take8(in) % PVPMU_MAX_SLOTS;
	u8 what = take8(in);

	guest_describe(fake, id, 1 + how % 5, what % 12, 0);
	line = &fake->area.slot[id].guest;
	line->flags = how >> 6 | what >> 6 << 2;
	if (how & 0x20) {
		line->period = take_number(in);
		line->next_period = take_number(in);
	}
}

static void starve(struct fake *fake, struct input *in)
{
	struct fake_counter *c = &fake->counter[take8(in) % PVPMU_MAX_COUNTERS];

	c->reading.active = take8(in) & 1;
	c->reading.failed |= !(take8(in) % 16);
}

static void change_limits(struct machine *machine, struct input *in)
{
	struct pvpmu_limits *limits = &machine->vm.limits;

	switch (take8(in) % 6) {
	case 0:
		limits->slots_vcpu = take8(in) % 40;
		break;
	case 1:
		limits->slots_vm = take8(in) % 70;
		break;
	case 2:
		limits->classes = take8(in);
		break;
	case 3:
		limits->period_min = (u32)take_number(in);
		break;
	case 4:
		limits->clock_period_min = (u32)take_number(in);
		break;
	case 5:
		limits->overflow_rate = take8(in);
		break;
	}
}

/* Answers that the host gives from now on, mostly good ones */
static void change_luck(struct fake *fake, struct input *in)
{
	u8 luck = take8(in);

	fake->create_answer = luck & 7 ? PVPMU_DONE : PVPMU_LATER;
	fake->start_answer = luck & 0x38;
	fake->attach_answer = luck & 0xc0 ? PVPMU_DONE : PVPMU_LATER;
	fake->deliver_answer = luck != 1;
	fake->most = luck == 3 ? take8(in) & 7 : PVPMU_MAX_COUNTERS;
	fake->caps = luck == 2 ? take8(in) & 15 : 15;
	fake->accesses_left = luck == 3 ? take8(in) : ~0ull;
}

static void step(struct machine *machine, struct input *in)
{
	u8 what = take8(in);
	struct fake *fake = &machine->cpu[what & 1];
	struct pvpmu_call request = { .kernel = true };
	u32 offset;

	switch (what >> 1 & 15) {
	case 0: /* anything at all */
		request.op = (u32)take(in, 4);
		request.arg[0] = (u32)take(in, 4);
		request.arg[1] = (u32)take(in, 4);
		request.arg[2] = (u32)take(in, 4);
		request.kernel = !(take8(in) & 1);
		call(machine, fake, &request);
		break;
	case 1:
	case 2:
	case 3: /* an operation on an id that may exist */
		request.op = FAKE_OP_BASE + take8(in) % 10;
		request.arg[0] = take8(in) % 32;
		call(machine, fake, &request);
		break;
	case 4:
	case 5: /* UPDATE with any masks */
		fake->area.guest.close = (u32)take_number(in);
		fake->area.guest.disable = (u32)take_number(in);
		fake->area.guest.open = (u32)take_number(in);
		fake->area.guest.enable = (u32)take_number(in);
		fake->area.guest.read = (u32)take_number(in);
		request.op = FAKE_OP_BASE + PVPMU_OP_UPDATE;
		call(machine, fake, &request);
		break;
	case 6:
	case 7:
		describe(fake, in);
		break;
	case 8: /* the guest writes anywhere */
		offset = take8(in) | (take8(in) & 3u) << 8;
		((u32 *)&fake->area)[offset] = (u32)take_number(in);
		break;
	case 9: /* the vCPU runs for a while */
		fake_run(fake, take_number(in) % 2000000000,
			 take_number(in) % 100000);
		break;
	case 10: /* counters run on unnoticed: found when they stop */
		fake->counter[take8(in) % PVPMU_MAX_COUNTERS].reading.count +=
			take_number(in) >> 12;
		break;
	case 11:
		starve(fake, in);
		break;
	case 12:
		change_limits(machine, in);
		break;
	case 13:
		change_luck(fake, in);
		break;
	case 14:
		setup(machine, fake, take8(in) & 3);
		break;
	case 15: /* what the host does by itself */
		switch (take8(in) % 4) {
		case 0:
			pvpmu_reap(&fake->vcpu, take_number(in));
			break;
		case 1:
			pvpmu_vcpu_detach(&fake->vcpu);
			FAKE_CHECK(fake_counters(fake) == 0);
			break;
		case 2:
			pvpmu_publish(&fake->vcpu);
			break;
		case 3:
			machine->interference.data = in->data;
			machine->interference.len = in->len < 64 ? in->len : 64;
			break;
		}
		break;
	}
	fake_enter(fake);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	static const struct pvpmu_limits limits = {
		.slots_vcpu = PVPMU_MAX_SLOTS,
		.slots_vm = 45,
		.classes = ~0u,
		.period_min = 100,
		.clock_period_min = 200,
		.overflow_rate = 100,
	};
	struct machine *machine = malloc(sizeof(*machine));
	struct input in = { data, len };
	u32 i;

	FAKE_CHECK(machine != NULL);
	memset(machine, 0, sizeof(*machine));
	pvpmu_vm_init(&machine->vm, &limits);
	for (i = 0; i < CPUS; i++) {
		fake_init(&machine->cpu[i], &machine->vm);
		machine->cpu[i].ops.features |= PVPMU_FEAT_GROUPS;
		machine->cpu[i].hook = interfere;
		machine->cpu[i].hook_data = machine;
		setup(machine, &machine->cpu[i], PVPMU_DELIVER_LVTPC);
	}
	while (in.len) {
		step(machine, &in);
		check(machine);
	}
	for (i = 0; i < CPUS; i++)
		fake_end(&machine->cpu[i]);
	FAKE_CHECK(machine->vm.slots_open == 0);
	free(machine);
	return 0;
}
