// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * pvpmu core: host counters
 *
 * Creating a host counter is slow, and a guest closes and opens the same
 * events at each of its context switches.  So slots of equal description share
 * a counter, and one without a user is kept until its place is needed or
 * pvpmu_reap() finds it old.  Sampling counters have one user at a time, since
 * each overflows at its own moment.
 *
 * No path here walks the table: a lookup walks one bucket, a free or an unused
 * counter is the lowest bit of a mask.
 */
#include "internal.h"

#define ALL_COUNTERS (~0ull >> (64 - PVPMU_MAX_COUNTERS))
#define NONE 0xffu

static u32 lowest(u64 mask)
{
	return (u32)__builtin_ctzll(mask);
}

static u32 bucket_of(const struct pvpmu_desc *desc)
{
	u64 h = desc->config ^ (u64)desc->type << 24 ^ (u64)desc->flags << 32 ^
		(u64)desc->sampling << 40;

	/* Fibonacci hashing; the top bits are the well mixed ones. */
	return (u32)(h * 0x9e3779b97f4a7c15ull >> 59) % PVPMU_COUNTER_BUCKETS;
}

static bool same(const struct pvpmu_desc *a, const struct pvpmu_desc *b)
{
	return a->type == b->type && a->config == b->config &&
	       a->flags == b->flags && a->sampling == b->sampling &&
	       a->group == b->group;
}

static u32 find(struct pvpmu_vcpu *vcpu, const struct pvpmu_desc *desc)
{
	u32 i;

	for (i = vcpu->bucket[bucket_of(desc)]; i != NONE;
	     i = vcpu->counter[i].next) {
		if (!same(&vcpu->counter[i].desc, desc) ||
		    vcpu->counter[i].failed)
			continue;
		if (!desc->sampling || !vcpu->counter[i].users)
			return i;
	}
	return NONE;
}

static void unlink_counter(struct pvpmu_vcpu *vcpu, u32 counter)
{
	u8 *link = &vcpu->bucket[bucket_of(&vcpu->counter[counter].desc)];

	while (*link != counter)
		link = &vcpu->counter[*link].next;
	*link = vcpu->counter[counter].next;
}

static void destroy(struct pvpmu_vcpu *vcpu, u32 counter)
{
	unlink_counter(vcpu, counter);
	vcpu->made &= ~(1ull << counter);
	vcpu->unused &= ~(1ull << counter);
	vcpu->vacated &= ~(1ull << counter);
	vcpu->fresh &= ~(1ull << counter);
	vcpu->stats.destroyed++;
	vcpu->ops->destroy(vcpu, counter);
}

/* Those that found no other user since they lost theirs are idle from now on. */
static void begin_idle(struct pvpmu_vcpu *vcpu)
{
	u64 rest = vcpu->vacated;
	u64 now;

	if (!rest)
		return;
	now = vcpu->ops->clock();
	for (; rest; rest &= rest - 1)
		vcpu->counter[lowest(rest)].idle_since = now;
	vcpu->vacated = 0;
	vcpu->ops->idle(vcpu);
}

/* Returns true if a counter that is started counts now, or does not any more. */
bool pvpmu_counter_arrange(struct pvpmu_vcpu *vcpu)
{
	return vcpu->ops->arrange && vcpu->ops->arrange(vcpu);
}

/* The end of each entry point, when all that a call opens is open */
void pvpmu_counter_settle(struct pvpmu_vcpu *vcpu)
{
	pvpmu_counter_arrange(vcpu);
	begin_idle(vcpu);
}

/*
 * There are more counters than slots, so that one is free or unused whenever
 * a slot asks for its own.
 */
static u32 make_room(struct pvpmu_vcpu *vcpu)
{
	if (vcpu->made == ALL_COUNTERS)
		destroy(vcpu, lowest(vcpu->unused));
	return lowest(~vcpu->made);
}

static s32 create(struct pvpmu_vcpu *vcpu, const struct pvpmu_desc *desc,
		  u32 *counter)
{
	u32 i = make_room(vcpu);
	struct pvpmu_counter *c = &vcpu->counter[i];

	switch (vcpu->ops->create(vcpu, i, desc)) {
	case PVPMU_DONE:
		break;
	case PVPMU_LATER:
		return PVPMU_ERR_HOST;
	default:
		return PVPMU_ERR_EVENT;
	}
	memset(c, 0, sizeof(*c));
	c->desc = *desc;
	c->next = vcpu->bucket[bucket_of(desc)];
	vcpu->bucket[bucket_of(desc)] = (u8)i;
	vcpu->made |= 1ull << i;
	vcpu->stats.created++;
	*counter = i;
	return PVPMU_OK;
}

/* A counter for slot @id, found or made, PVPMU_ERR_HOST or PVPMU_ERR_EVENT */
s32 pvpmu_counter_get(struct pvpmu_vcpu *vcpu, const struct pvpmu_desc *desc,
		      u32 id, u8 *counter)
{
	u32 i = find(vcpu, desc);
	s32 error;

	if (i == NONE) {
		error = create(vcpu, desc, &i);
		if (error)
			return error;
	}
	vcpu->counter[i].users++;
	vcpu->counter[i].slot = (u8)id;
	vcpu->unused &= ~(1ull << i);
	vcpu->vacated &= ~(1ull << i);
	*counter = (u8)i;
	return PVPMU_OK;
}

void pvpmu_counter_put(struct pvpmu_vcpu *vcpu, u32 counter)
{
	struct pvpmu_counter *c = &vcpu->counter[counter];

	if (--c->users)
		return;
	/* Others have been without one for longer. */
	c->idle_since = ~0ull;
	vcpu->unused |= 1ull << counter;
	vcpu->vacated |= 1ull << counter;
}

s32 pvpmu_counter_start(struct pvpmu_vcpu *vcpu, u32 counter, u64 left)
{
	struct pvpmu_counter *c = &vcpu->counter[counter];

	if (!c->started) {
		vcpu->fresh &= ~(1ull << counter);
		if (!vcpu->ops->start(vcpu, counter, left))
			return PVPMU_ERR_HOST;
	}
	c->started++;
	return PVPMU_OK;
}

void pvpmu_counter_stop(struct pvpmu_vcpu *vcpu, u32 counter)
{
	struct pvpmu_counter *c = &vcpu->counter[counter];

	if (--c->started)
		return;
	vcpu->fresh &= ~(1ull << counter);
	vcpu->ops->stop(vcpu, counter);
}

/*
 * Between the two, one reading serves all slots of a counter: where one ends
 * and another begins, nothing is between them.
 */
void pvpmu_counter_batch_begin(struct pvpmu_vcpu *vcpu)
{
	vcpu->batch = true;
}

void pvpmu_counter_batch_end(struct pvpmu_vcpu *vcpu)
{
	vcpu->batch = false;
	vcpu->fresh = 0;
}

const struct pvpmu_reading *pvpmu_counter_read(struct pvpmu_vcpu *vcpu,
					       u32 counter)
{
	struct pvpmu_counter *c = &vcpu->counter[counter];

	if (vcpu->fresh & 1ull << counter)
		return &c->last;
	vcpu->ops->read(vcpu, counter, &c->last);
	if (c->last.failed)
		c->failed = true;
	/* A sampling one may overflow meanwhile, and is read each time. */
	if (vcpu->batch && !c->desc.sampling)
		vcpu->fresh |= 1ull << counter;
	return &c->last;
}

void pvpmu_counter_destroy_unused(struct pvpmu_vcpu *vcpu)
{
	while (vcpu->unused)
		destroy(vcpu, lowest(vcpu->unused));
}

bool pvpmu_reap(struct pvpmu_vcpu *vcpu, u64 idle_ns)
{
	u64 now = vcpu->ops->clock();
	u64 rest;

	for (rest = vcpu->unused; rest; rest &= rest - 1) {
		u32 i = lowest(rest);

		if (now - vcpu->counter[i].idle_since >= idle_ns)
			destroy(vcpu, i);
	}
	return vcpu->unused;
}
