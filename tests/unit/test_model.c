// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Random guests on random hosts, against the model of model.h
 *
 * A VM of two vCPUs. After each step both pages must be as the model says, to
 * the byte.
 */
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

#define STEPS 15000
#define SEEDS 16
#define CPUS 2

/**
 * struct world - a VM, its administrator, and what happens to them
 * @vm: what the vCPUs share
 * @machine: the host of each vCPU
 * @model: what is known of each
 * @seed: of what is chosen next
 * @seen: what happened in all, since a run in which little did proves little
 */
struct world {
	struct pvpmu_vm vm;
	struct machine machine[CPUS];
	struct model model[CPUS];
	u64 seed;
	struct seen {
		u64 overflows, missed, throttled, raised;
		u32 done, refused, updates, joined, failed;
		u32 waited, lost, moved, filled;
	} seen;
};

static u32 any(struct world *w, u32 below)
{
	/* xorshift64* */
	w->seed ^= w->seed >> 12;
	w->seed ^= w->seed << 25;
	w->seed ^= w->seed >> 27;
	return (u32)((w->seed * 0x2545f4914f6cdd1dull) >> 32) % below;
}

static bool one_in(struct world *w, u32 n)
{
	return any(w, n) == 0;
}

static u32 any_id(struct world *w)
{
	return any(w, PVPMU_MAX_SLOTS);
}

/*
 * The guest
 */

/* A word that the guest may write, in the page and in the model's page */
#define guest_writes(m, field, value) \
	((m)->area.field = (m)->machine->fake.area.field = (value))

static void mistake(struct world *w, struct pvpmu_slot_guest *line)
{
	switch (any(w, 7)) {
	case 0:
		line->type = any(w, 9);
		break;
	case 1:
		line->config = any(w, 20) | (u64)any(w, 2) << 40;
		break;
	case 2:
		line->flags = any(w, 64);
		break;
	case 3:
		line->reserved[any(w, 7)] = any(w, 2);
		break;
	case 4:
		line->leader = any(w, 32);
		break;
	case 5:
		line->period = any(w, 1200);
		break;
	case 6:
		line->period = 1ull << (40 + any(w, 20));
		line->next_period = any(w, 3);
		break;
	}
}

/* Few kinds of events, so that many are alike, and few groups */
static void describe(struct world *w, struct model *m, u32 id)
{
	static const u32 types[] = {
		HW,
		HW,
		HW,
		PVPMU_TYPE_CACHE,
		PVPMU_TYPE_CLOCK,
		PVPMU_TYPE_HYPERVISOR,
		PVPMU_TYPE_RAW,
	};
	static const u64 configs[] = { 10, 0x10203, 1, 11, 0x3ff };
	struct pvpmu_slot_guest line = { 0 };

	line.type = types[any(w, 7)];
	line.config = any(w, one_in(w, 3) ? 10 : 3);
	if (one_in(w, 6))
		line.config = configs[line.type - 1] & (u64)any(w, 0x20000);
	line.leader = one_in(w, 3) ? any(w, 2) * 7 : id;
	if (one_in(w, 2))
		line.period = m->limits->period_min + any(w, 5000);
	if (line.period && one_in(w, 3))
		line.next_period = any(w, 8000);
	if (one_in(w, 4))
		line.flags = any(w, 16);
	if (m->features & PVPMU_FEAT_RDPMC && one_in(w, 2))
		line.flags |= PVPMU_FLAG_USER_READ;
	if (one_in(w, 10))
		mistake(w, &line);
	guest_writes(m, slot[id].guest, line);
}

static void call(struct world *w, struct model *m, u32 op, u32 a, u32 b, u32 c)
{
	const u32 arg[] = { a, b, c };
	bool attached = m->attached;
	u32 groups = m->groups;
	s32 is, should;

	machine_forget(m->machine);
	is = guest_call(&m->machine->fake, op, a, b, c);
	if (attached && !m->machine->fake.attached && op != PVPMU_OP_DETACH) {
		/* It went away in the call, or in what came after it. */
		assert_in_range(-is, 0, -PVPMU_ERR_LAST);
		model_lose(m);
		w->seen.lost++;
		return;
	}
	should = model_call(m, op, arg);
	assert_int_equal(is, should);
	/* A guest does not pay for all that others left. */
	if (op >= PVPMU_OP_CLOSE && op <= PVPMU_OP_READ)
		assert_true(m->machine->given_back <= MODEL_SPARED);
	w->seen.done += is == PVPMU_OK && attached;
	w->seen.refused += is < 0;
	w->seen.updates += op == PVPMU_OP_UPDATE && is == PVPMU_OK;
	w->seen.joined += m->groups - groups;
	w->seen.failed += is == PVPMU_ERR_HOST;
}

/* What happened until now; the next host counts anew. */
static void note(struct world *w, const struct pvpmu_stats *stats)
{
	w->seen.overflows += stats->overflows;
	w->seen.missed += stats->missed;
	w->seen.throttled += stats->throttled;
	w->seen.raised += stats->raised;
}

/* What the guest says of itself, now and then a mistake */
static void accept(struct world *w, struct model *m)
{
	u32 features = m->machine->fake.ops.features;

	if (one_in(w, 4))
		features &= any(w, 32) | PVPMU_FEAT_LVTPC;
	if (one_in(w, 10))
		features ^= BIT(any(w, 8));
	guest_writes(m, guest.features, features);
	guest_writes(m, guest.version,
		     one_in(w, 10) ? any(w, 4) << 16 : PVPMU_ABI_VERSION);
}

static void setup(struct world *w, struct model *m)
{
	static const u32 deliveries[] = { 0, 1, 1, 1, 2, 3, 0x503, 0x100, 4 };
	u64 frame = one_in(w, 8) ? (u64)any(w, 9) << 42 : FAKE_FRAME;

	accept(w, m);
	call(w, m, PVPMU_OP_SETUP, (u32)frame, (u32)(frame >> 32),
	     deliveries[any(w, 9)]);
}

static void single(struct world *w, struct model *m)
{
	static const u32 ops[] = { PVPMU_OP_OPEN,   PVPMU_OP_OPEN,
				   PVPMU_OP_CLOSE,  PVPMU_OP_ENABLE,
				   PVPMU_OP_ENABLE, PVPMU_OP_DISABLE,
				   PVPMU_OP_READ };
	u32 id = one_in(w, 60) ? any(w, 40) : any_id(w);

	call(w, m, ops[any(w, 7)], id, one_in(w, 80), 0);
}

static u32 some_ids(struct world *w)
{
	u32 mask = one_in(w, 2) ? 0 : BIT(any(w, 30)) | BIT(any(w, 30));

	if (one_in(w, 4))
		mask |= BIT(any(w, 30)) | BIT(any(w, 30)) | BIT(any(w, 30));
	return one_in(w, 150) ? mask | BIT(30 + any(w, 2)) : mask;
}

static u32 open_ids(const struct model *m)
{
	u32 mask = 0;
	u32 id;

	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		if (m->slot[id].open)
			mask |= BIT(id);
	return mask;
}

/* Leaves no id that is open or closed already, as a guest does that knows. */
static void make_sense(struct pvpmu_header_guest *line, u32 open)
{
	line->close &= open;
	open &= ~line->close;
	line->disable &= open;
	line->open &= ALL_IDS & ~open;
	open |= line->open;
	line->enable &= open;
	line->read &= open;
}

static void update(struct world *w, struct model *m)
{
	struct pvpmu_header_guest line = {
		.close = some_ids(w) & some_ids(w),
		.disable = some_ids(w),
		.open = some_ids(w),
		.enable = some_ids(w),
		.read = some_ids(w),
		.flags = one_in(w, 150),
		.version = m->area.guest.version,
		.features = m->area.guest.features,
	};

	/* What ends goes on in another slot, as in a context switch. */
	if (one_in(w, 3))
		line.open |= line.close;
	if (!one_in(w, 3))
		make_sense(&line, open_ids(m));
	line.reserved[any(w, 8)] = one_in(w, 150);
	guest_writes(m, guest, line);
	call(w, m, PVPMU_OP_UPDATE, 0, 0, 0);
}

static void anything(struct world *w, struct model *m)
{
	if (one_in(w, 2))
		call(w, m, PVPMU_OP_QUERY, any(w, 8), any(w, 0x20000),
		     one_in(w, 3));
	else
		call(w, m, 2 + any(w, 9), any(w, 60), one_in(w, 2),
		     one_in(w, 2));
}

/*
 * The host
 */

static void run(struct world *w, struct model *m)
{
	const struct moment moment = {
		.seed = w->seed,
		.ns = any(w, one_in(w, 20) ? 400000000 : 100000),
		.most = one_in(w, 5) ? 20000 : 2000,
	};
	u32 i;

	for (i = 0; i < CPUS; i++) {
		w->machine[i].fake.now += moment.ns;
		model_pass(&w->model[i], moment.ns);
	}
	machine_run(m->machine, &moment);
	model_run(m, &moment);
}

static void change_luck(struct world *w, struct machine *machine)
{
	machine->starved = one_in(w, 2) ? any(w, 1024) & any(w, 1024) : 0;
	machine->no_start = one_in(w, 4) ? any(w, 1024) & any(w, 1024) : 0;
	machine->no_create = one_in(w, 4) ? any(w, 1024) & any(w, 1024) : 0;
	machine->create_fails = one_in(w, 2) ? PVPMU_LATER : PVPMU_NEVER;
	machine->fake.most = one_in(w, 3) ? 1 + any(w, 6) : PVPMU_MAX_COUNTERS;
	machine->fake.attach_answer = one_in(w, 9) ? PVPMU_LATER : PVPMU_DONE;
	machine->fake.deliver_answer = !one_in(w, 9);
	if (one_in(w, 4))
		machine->fake.counter[any(w, PVPMU_MAX_COUNTERS)]
			.reading.failed = true;
}

static void change_limits(struct world *w)
{
	const struct pvpmu_limits limits = {
		.slots_vcpu = one_in(w, 30) ? 0 : 12 + any(w, 24),
		.slots_vm = 20 + any(w, 45),
		.classes = one_in(w, 2) ? PVPMU_CLASSES_ALL : any(w, 16),
		.period_min = 100 + any(w, 1000),
		.clock_period_min = 100 + any(w, 2000),
		.overflow_rate = one_in(w, 2) ? 1 + any(w, 8) : 1000,
	};

	pvpmu_vm_limit(&w->vm, &limits);
}

static void allow_all(struct world *w)
{
	const struct pvpmu_limits limits = {
		.slots_vcpu = PVPMU_MAX_SLOTS,
		.slots_vm = 2 * PVPMU_MAX_SLOTS,
		.classes = PVPMU_CLASSES_ALL,
		.period_min = 100,
		.clock_period_min = 100,
		.overflow_rate = 1 + any(w, 20),
	};

	pvpmu_vm_limit(&w->vm, &limits);
}

static void save(struct model *m, struct pvpmu_record *record)
{
	struct pvpmu_record should;
	u32 id;

	model_save(m, &should);
	assert_int_equal(pvpmu_save(&m->machine->fake.vcpu, record), PVPMU_OK);
	for (id = 0; id < PVPMU_MAX_SLOTS; id++)
		assert_memory_equal(&record->slot[id], &should.slot[id],
				    sizeof(should.slot[id]));
	assert_memory_equal(record, &should, sizeof(should));
}

/* Another host goes on with it, of which all is new but the guest's memory. */
static void move(struct world *w, struct model *m)
{
	struct machine *machine = m->machine;
	struct fake *fake = &machine->fake;
	struct pvpmu_record record;

	run(w, m);
	note(w, &m->stats);
	save(m, &record);
	pvpmu_vcpu_detach(&fake->vcpu);
	allow_all(w);
	machine->no_start = machine->no_create = 0;
	fake->most = PVPMU_MAX_COUNTERS;
	fake->deliver_answer = true;
	fake->attach_answer = PVPMU_DONE;
	fake->kicked = false;
	pvpmu_vcpu_init(&fake->vcpu, &w->vm, &fake->ops);
	assert_int_equal(pvpmu_restore(&fake->vcpu, &record), PVPMU_OK);
	fake_enter(fake);
	model_restore(m);
	w->seen.moved++;
}

/* The page goes away while a call is served, or does not. */
static void vanish(struct world *w, struct model *m)
{
	m->machine->fake.accesses_left = any(w, 12);
	update(w, m);
	m->machine->fake.accesses_left = ~0ull;
	if (m->attached)
		return;
	/* What the host wrote until then is not foretold. */
	m->area = m->machine->fake.area;
	m->shown = 0;
	m->header_shown = false;
	m->stats = m->machine->fake.vcpu.stats;
	m->stats.created = m->stats.destroyed = 0;
	m->window = m->machine->fake.vcpu.window;
	m->budget = m->machine->fake.vcpu.budget;
	m->raised = m->machine->fake.port << 8 | m->machine->fake.delivery;
}

static void rare(struct world *w, struct model *m)
{
	struct pvpmu_record record;

	switch (any(w, 8)) {
	case 0:
		change_limits(w);
		break;
	case 1:
		change_luck(w, m->machine);
		break;
	case 2:
		if (one_in(w, 12))
			setup(w, m);
		break;
	case 3:
		if (one_in(w, 30))
			call(w, m, PVPMU_OP_DETACH, 0, 0, 0);
		break;
	case 4:
		pvpmu_reap(&m->machine->fake.vcpu, any(w, 1000000));
		break;
	case 5:
		if (m->attached && one_in(w, 4))
			move(w, m);
		break;
	case 6:
		if (m->attached)
			save(m, &record);
		break;
	case 7:
		if (m->attached && one_in(w, 12))
			vanish(w, m);
		break;
	}
}

static void step(struct world *w, struct model *m)
{
	u32 id = any_id(w);

	/* Little can be seen of a guest without an area. */
	if (!m->attached && one_in(w, 3)) {
		setup(w, m);
		return;
	}
	switch (any(w, 20)) {
	case 0:
	case 1:
	case 2:
	case 3:
		describe(w, m, id);
		break;
	case 4:
	case 5:
	case 6:
	case 7:
		single(w, m);
		break;
	case 8:
	case 9:
	case 10:
	case 11:
		update(w, m);
		break;
	case 12:
	case 13:
	case 14:
	case 15:
		run(w, m);
		fake_enter(&m->machine->fake);
		model_enter(m);
		break;
	case 16:
		guest_writes(m, overflow.pending, 0);
		break;
	case 17:
		guest_writes(m, slot[id].guest.next_period, any(w, 9000));
		break;
	case 18:
		anything(w, m);
		break;
	case 19:
		rare(w, m);
		break;
	}
}

static void look(struct world *w)
{
	u32 open = 0;
	u32 i, id;

	for (i = 0; i < CPUS; i++) {
		const struct model *m = &w->model[i];

		model_agree(&w->model[i]);
		open += model_open_slots(m);
		for (id = 0; id < PVPMU_MAX_SLOTS; id++)
			w->seen.waited += model_state(m, &m->slot[id]) ==
					  PVPMU_STATE_WAITING;
		w->seen.filled += model_open_slots(m) >= 25;
	}
	assert_int_equal(w->vm.slots_open, open);
}

static void begin(struct world *w, u32 kind)
{
	const u32 features = PVPMU_FEAT_LVTPC |
			     (kind & 1 ? PVPMU_FEAT_GROUPS : 0) |
			     (kind & 2 ? PVPMU_FEAT_RDPMC : 0) |
			     (kind & 4 ? PVPMU_FEAT_EVTCHN : 0) |
			     (kind & 8 ? PVPMU_FEAT_PV_NMI : 0);
	u32 i, id;

	allow_all(w);
	for (i = 0; i < CPUS; i++) {
		machine_init(&w->machine[i], &w->vm, features,
			     (kind * 7 + 1) >> 1);
		model_init(&w->model[i], &w->machine[i], &w->vm.limits,
			   &w->model[1 - i]);
		guest_writes(&w->model[i], guest.version, PVPMU_ABI_VERSION);
		guest_writes(&w->model[i], guest.features, features);
		/* The first generation is the host's to choose. */
		call(w, &w->model[i], PVPMU_OP_SETUP, (u32)FAKE_FRAME,
		     (u32)(FAKE_FRAME >> 32), PVPMU_DELIVER_LVTPC);
		w->model[i].area.host.generation =
			w->machine[i].fake.area.host.generation;
		for (id = 0; id < PVPMU_MAX_SLOTS; id++)
			describe(w, &w->model[i], id);
	}
}

static void end(struct world *w)
{
	u32 i;

	for (i = 0; i < CPUS; i++) {
		note(w, &w->model[i].stats);
		fake_end(&w->machine[i].fake);
	}
}

static void page_is_always_as_the_model_says(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct seen *seen = &w->seen;
	u32 kind, i;

	(void)state;
	assert_non_null(w);
	for (kind = 0; kind < SEEDS; kind++) {
		w->seed = (kind + 1) * 0x9e3779b97f4a7c15ull;
		begin(w, kind);
		for (i = 0; i < STEPS; i++) {
			step(w, &w->model[any(w, CPUS)]);
			look(w);
		}
		end(w);
	}
	print_message("%llu overflows, %llu missed, %llu throttled\n",
		      (unsigned long long)seen->overflows,
		      (unsigned long long)seen->missed,
		      (unsigned long long)seen->throttled);
	print_message("%u done, %u refused, %u updates, %u groups, %u failed\n",
		      seen->done, seen->refused, seen->updates, seen->joined,
		      seen->failed);
	print_message("%u waited, %u lost, %u moved, %u filled\n", seen->waited,
		      seen->lost, seen->moved, seen->filled);
	/* A run in which little happened would prove little. */
	assert_true(seen->overflows > 500 && seen->missed > 100);
	assert_true(seen->throttled > 50 && seen->raised > 500);
	assert_true(seen->updates > 100 && seen->joined > 100);
	assert_true(seen->failed > 50 && seen->waited > 1000);
	assert_true(seen->lost > 20 && seen->moved > 100);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_is_always_as_the_model_says),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
