// SPDX-License-Identifier: MIT OR GPL-2.0
/* The model's machine: counters that behave each in its own way */
#include "model.h"

static struct machine *machine_of(struct pvpmu_vcpu *vcpu)
{
	return (struct machine *)((char *)vcpu - offsetof(struct fake, vcpu));
}

static u64 mix(u64 a, u64 b)
{
	a = (a ^ b) * 0xbf58476d1ce4e5b9ull;
	a = (a ^ a >> 27) * 0x94d049bb133111ebull;
	return a ^ a >> 31;
}

static bool among(u32 mask, u32 type, u64 config)
{
	return type == HW && config < PVPMU_HW_END && mask & BIT(config);
}

/* Events of the hypervisor cannot be sampled, those of caches not filtered by
 * the levels of guests; so there is one of each kind. */
u32 machine_caps(u32 type, u64 config)
{
	u32 caps = PVPMU_CAP_COUNT;

	if (among(BIT(PVPMU_HW_BUS_CYCLES), type, config))
		return 0;
	if (type != PVPMU_TYPE_HYPERVISOR || config == PVPMU_HV_STEAL)
		caps |= PVPMU_CAP_SAMPLE;
	if (type == HW)
		caps |= PVPMU_CAP_EXCLUDE_GUEST | PVPMU_CAP_EXCLUDE_HOST;
	if (type != PVPMU_TYPE_HYPERVISOR)
		caps |= PVPMU_CAP_EXCLUDE_USER;
	if (type == HW || type == PVPMU_TYPE_CACHE)
		caps |= PVPMU_CAP_EXCLUDE_KERNEL;
	return caps;
}

static u32 op_query(struct pvpmu_vcpu *vcpu, const struct pvpmu_desc *desc)
{
	machine_of(vcpu)->ops.query(vcpu, desc);
	return machine_caps(desc->type, desc->config);
}

static bool op_area_read(struct pvpmu_vcpu *vcpu, u32 offset, void *to, u32 len)
{
	struct machine *machine = machine_of(vcpu);

	if (offset >= PVPMU_HEADER_SIZE && len == PVPMU_LINE_SIZE)
		machine->opening =
			(offset - PVPMU_HEADER_SIZE) / PVPMU_SLOT_SIZE;
	return machine->ops.area_read(vcpu, offset, to, len);
}

static enum pvpmu_answer op_create(struct pvpmu_vcpu *vcpu, u32 counter,
				   const struct pvpmu_desc *desc)
{
	struct machine *machine = machine_of(vcpu);

	machine->fake.create_answer = PVPMU_DONE;
	if (among(machine->no_create, desc->type, desc->config)) {
		machine->fake.create_answer = machine->create_fails;
		machine->refused[machine->opening] = machine->create_fails;
	}
	machine->armed[counter] = false;
	machine->told_failed[counter] = false;
	return machine->ops.create(vcpu, counter, desc);
}

static void op_destroy(struct pvpmu_vcpu *vcpu, u32 counter)
{
	struct machine *machine = machine_of(vcpu);

	machine->given_back++;
	machine->ops.destroy(vcpu, counter);
}

static bool op_fit(struct pvpmu_vcpu *vcpu, const struct pvpmu_desc *desc,
		   u64 counters)
{
	struct machine *machine = machine_of(vcpu);
	bool fits = machine->ops.fit(vcpu, desc, counters);

	machine->group_mask[machine->opening] = counters;
	if (!fits)
		machine->unfit |= BIT(machine->opening);
	return fits;
}

bool machine_can_start(const struct machine *machine, u32 type, u64 config)
{
	return !among(machine->no_start, type, config);
}

static bool op_start(struct pvpmu_vcpu *vcpu, u32 counter, u64 left)
{
	struct machine *machine = machine_of(vcpu);
	const struct pvpmu_desc *desc = &machine->fake.counter[counter].desc;

	machine->fake.start_answer =
		machine_can_start(machine, desc->type, desc->config);
	if (!machine->ops.start(vcpu, counter, left))
		return false;
	machine->armed[counter] = left != 0;
	machine->gap[counter] = (s64)left;
	return true;
}

static void op_stop(struct pvpmu_vcpu *vcpu, u32 counter)
{
	struct machine *machine = machine_of(vcpu);

	machine->armed[counter] = false;
	machine->ops.stop(vcpu, counter);
}

/* It counts, or would if it were started */
static bool has_place(const struct machine *machine, u32 counter)
{
	const struct fake_counter *c = &machine->fake.counter[counter];

	return !c->reading.failed &&
	       !among(machine->starved, c->desc.type, c->desc.config);
}

bool machine_counts(const struct machine *machine, u32 counter)
{
	return has_place(machine, counter) &&
	       (machine->fake.counter[counter].started || machine->runs_on);
}

static void op_read(struct pvpmu_vcpu *vcpu, u32 counter,
		    struct pvpmu_reading *reading)
{
	struct machine *machine = machine_of(vcpu);

	/* Core must not ask for one again that has failed. */
	assert_false(machine->told_failed[counter]);
	machine->ops.read(vcpu, counter, reading);
	machine->told_failed[counter] = reading->failed;
	reading->active =
		has_place(machine, counter) &&
		(machine->fake.counter[counter].started || !machine->sleeps);
}

static u32 op_room(struct pvpmu_vcpu *vcpu)
{
	return machine_of(vcpu)->room;
}

void machine_init(struct machine *machine, struct pvpmu_vm *vm, u32 features,
		  u32 kind)
{
	struct pvpmu_host_ops *ops = &machine->fake.ops;

	memset(machine, 0, sizeof(*machine));
	fake_init(&machine->fake, vm);
	machine->ops = *ops;
	machine->runs_on = kind & 1;
	machine->sleeps = !machine->runs_on && kind & 2;
	machine->create_fails = PVPMU_LATER;
	machine->room = kind % 8;
	ops->features = features;
	ops->query = op_query;
	ops->area_read = op_area_read;
	ops->create = op_create;
	ops->destroy = op_destroy;
	ops->fit = op_fit;
	ops->start = op_start;
	ops->stop = op_stop;
	ops->read = op_read;
	if (kind & 4)
		ops->room = op_room;
}

void machine_forget(struct machine *machine)
{
	memset(machine->refused, 0, sizeof(machine->refused));
	memset(machine->group_mask, 0, sizeof(machine->group_mask));
	machine->unfit = 0;
	machine->given_back = 0;
}

u64 machine_events(const struct moment *moment, u32 type, u64 config,
		   u32 filters)
{
	u64 which = config ^ (u64)type << 44 ^ (u64)filters << 50;

	return mix(moment->seed, which) % (moment->most + 1);
}

u64 machine_running(const struct moment *moment, u32 counter)
{
	u64 lost = mix(moment->seed, 100 + counter);

	return moment->ns - (lost % 4 ? 0 : lost % (moment->ns + 1));
}

enum report machine_report(const struct moment *moment, u32 counter)
{
	u64 how = mix(moment->seed, 200 + counter) % 8;

	if (how == 0)
		return REPORT_EARLY;
	return how < 3 ? REPORT_LATE : REPORT_NOW;
}

static void report(struct machine *machine, u32 counter, s64 early)
{
	while (machine->armed[counter] && machine->gap[counter] <= early) {
		u64 next = pvpmu_overflow(&machine->fake.vcpu, counter);

		machine->armed[counter] = next != 0;
		machine->gap[counter] += (s64)next;
	}
}

static void count(struct machine *machine, u32 counter,
		  const struct moment *moment)
{
	struct fake_counter *c = &machine->fake.counter[counter];
	u64 events = machine_events(moment, c->desc.type, c->desc.config,
				    c->desc.flags);
	enum report when = machine_report(moment, counter);

	c->reading.count += events;
	c->reading.running += machine_running(moment, counter);
	machine->gap[counter] -= (s64)events;
	if (when != REPORT_LATE)
		report(machine, counter,
		       when == REPORT_EARLY ? MODEL_EARLY : 0);
}

void machine_run(struct machine *machine, const struct moment *moment)
{
	u32 i;

	for (i = 0; i < PVPMU_MAX_COUNTERS; i++) {
		struct fake_counter *c = &machine->fake.counter[i];

		if (!c->exists || c->reading.failed)
			continue;
		if (c->started || machine->runs_on)
			c->reading.enabled += moment->ns;
		if (machine_counts(machine, i))
			count(machine, i, moment);
	}
}
