// SPDX-License-Identifier: MIT OR GPL-2.0
#include "sched_machine.h"

struct machine m;

static struct place *place_of(u32 counter, u32 phys)
{
	FAKE_CHECK(m.in);
	if (phys == PVPMU_SCHED_SOFT)
		return &m.soft[counter];
	FAKE_CHECK(phys < WIDTH);
	return &m.phys[phys];
}

static void machine_program(struct pvpmu_sched *sched, u32 counter, u32 phys,
			    u64 left)
{
	struct place *place = place_of(counter, phys);

	FAKE_CHECK(sched == &m.sched && !place->used);
	place->used = true;
	place->counter = counter;
	place->value = 0;
	place->left = left;
	m.programs++;
}

static u64 machine_read(struct pvpmu_sched *sched, u32 counter, u32 phys)
{
	struct place *place = place_of(counter, phys);

	FAKE_CHECK(sched == &m.sched && place->used);
	FAKE_CHECK(place->counter == counter);
	return place->value;
}

static u64 machine_stop(struct pvpmu_sched *sched, u32 counter, u32 phys)
{
	u64 value = machine_read(sched, counter, phys);

	place_of(counter, phys)->used = false;
	return value;
}

static void machine_wake(struct pvpmu_sched *sched, u64 ns)
{
	FAKE_CHECK(sched == &m.sched && m.in);
	m.wake_at = ns ? m.fake->now + ns : ~0ull;
}

static const struct pvpmu_sched_ops machine_ops = {
	.program = machine_program,
	.read = machine_read,
	.stop = machine_stop,
	.wake = machine_wake,
};

static enum pvpmu_answer host_create(struct pvpmu_vcpu *vcpu, u32 counter,
				     const struct pvpmu_desc *desc)
{
	pvpmu_sched_create(&m.sched, counter, desc,
			   desc->type == PVPMU_TYPE_CLOCK ? 0 : ANY);
	return m.fake_ops.create(vcpu, counter, desc);
}

static bool host_fit(struct pvpmu_vcpu *vcpu, const struct pvpmu_desc *desc,
		     u64 counters)
{
	return m.fake_ops.fit(vcpu, desc, counters) &&
	       pvpmu_sched_fit(&m.sched,
			       desc->type == PVPMU_TYPE_CLOCK ? 0 : ANY,
			       counters);
}

static bool host_start(struct pvpmu_vcpu *vcpu, u32 counter, u64 left)
{
	pvpmu_sched_start(&m.sched, counter, left);
	return m.fake_ops.start(vcpu, counter, left);
}

static void host_stop(struct pvpmu_vcpu *vcpu, u32 counter)
{
	pvpmu_sched_stop(&m.sched, counter);
	m.fake_ops.stop(vcpu, counter);
}

static bool host_arrange(struct pvpmu_vcpu *vcpu)
{
	(void)vcpu;
	return pvpmu_sched_arrange(&m.sched);
}

static void host_read(struct pvpmu_vcpu *vcpu, u32 counter,
		      struct pvpmu_reading *reading)
{
	m.fake_ops.read(vcpu, counter, reading);
	pvpmu_sched_read(&m.sched, counter, reading);
}

void machine_enter(void)
{
	m.in = true;
	pvpmu_sched_in(&m.sched);
	fake_enter(m.fake);
}

void machine_leave(void)
{
	pvpmu_sched_out(&m.sched);
	for (u32 i = 0; i < WIDTH; i++)
		FAKE_CHECK(!m.phys[i].used);
	FAKE_CHECK(m.wake_at == ~0ull);
	m.in = false;
}

int machine_begin(void **state)
{
	unit_begin_bare(state);
	memset(&m, 0, sizeof(m));
	m.fake = *state;
	m.wake_at = ~0ull;
	m.fake_ops = m.fake->ops;
	m.fake->ops.features |= PVPMU_FEAT_GROUPS;
	m.fake->ops.create = host_create;
	m.fake->ops.fit = host_fit;
	m.fake->ops.start = host_start;
	m.fake->ops.stop = host_stop;
	m.fake->ops.read = host_read;
	m.fake->ops.arrange = host_arrange;
	pvpmu_sched_init(&m.sched, &m.fake->vcpu, &machine_ops);
	assert_int_equal(guest_setup(m.fake), PVPMU_OK);
	machine_enter();
	return 0;
}

static bool advance(struct place *place, u64 events)
{
	bool before = place->value < place->left;

	if (!place->used)
		return false;
	place->value += events;
	return before && place->value >= place->left;
}

/* @events happen in @ns, and the machine interrupts where it was asked to. */
void step(u64 ns, u64 events)
{
	bool interrupt;
	u32 i;

	m.fake->now += ns;
	interrupt = m.in && m.fake->now >= m.wake_at;
	for (i = 0; i < WIDTH; i++)
		interrupt |= advance(&m.phys[i], events);
	for (i = 0; i < PVPMU_MAX_COUNTERS; i++)
		interrupt |= advance(&m.soft[i], ns);
	if (interrupt)
		pvpmu_sched_poll(&m.sched);
	fake_enter(m.fake);
}

/* In small steps, an event for each ns. */
void run(u64 ns)
{
	for (; ns >= 10000; ns -= 10000)
		step(10000, 10000);
	step(ns, ns);
}

struct pvpmu_reading reading_of(u32 counter)
{
	struct pvpmu_reading reading;

	pvpmu_sched_read(&m.sched, counter, &reading);
	return reading;
}

void make_counter(u32 counter, u64 event, u32 fits, u32 group)
{
	const struct pvpmu_desc desc = {
		.type = PVPMU_TYPE_RAW, .config = event, .group = group
	};

	pvpmu_sched_create(&m.sched, counter, &desc, fits);
}

void start_counters(u32 from, u32 to, u32 fits)
{
	for (u32 i = from; i < to; i++) {
		make_counter(i, i, fits, 0);
		pvpmu_sched_start(&m.sched, i, 0);
	}
	pvpmu_sched_arrange(&m.sched);
}

void stop_counters(u32 from, u32 to)
{
	for (u32 i = from; i < to; i++)
		pvpmu_sched_stop(&m.sched, i);
	pvpmu_sched_arrange(&m.sched);
}

void assert_near(u64 value, u64 wanted, u64 tolerance)
{
	assert_in_range(value, wanted - tolerance, wanted + tolerance);
}
