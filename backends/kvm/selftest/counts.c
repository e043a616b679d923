// SPDX-License-Identifier: GPL-2.0
/*
 * Counts of loops whose length is known: 2 instructions an iteration, and a
 * few around it.  Exact on the emulated PMU and on any that counts exactly.
 */
#define _GNU_SOURCE
#include "selftest.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define SLACK 100

static const struct pvpmu_slot_host *host(struct vmm *v, uint32_t id)
{
	return &vmm_area(v, 0)->slot[id].host;
}

static void op(struct vmm *v, uint32_t what, uint32_t id)
{
	vmm_op(v, 0, what, id, 0, 0);
}

static uint32_t instructions(struct vmm *v, uint32_t id, uint64_t period)
{
	return open_event(v, 0, 0, id, PVPMU_TYPE_HARDWARE,
			  PVPMU_HW_INSTRUCTIONS, period);
}

static void counting(struct vmm *v)
{
	uint64_t first;

	instructions(v, 0, 0);
	op(v, PVPMU_OP_ENABLE, 0);
	vmm_loop(v, 0, 500000);
	op(v, PVPMU_OP_DISABLE, 0);
	first = host(v, 0)->count;
	between("a million instructions", first, 1000000, 1000000 + SLACK);
	vmm_loop(v, 0, 500000);
	op(v, PVPMU_OP_READ, 0);
	is("nothing while it is stopped", host(v, 0)->count, first);
	op(v, PVPMU_OP_ENABLE, 0);
	vmm_loop(v, 0, 500000);
	op(v, PVPMU_OP_READ, 0);
	between("two million", host(v, 0)->count, 2000000, 2000000 + 2 * SLACK);
	is("always running", host(v, 0)->time_running,
	   host(v, 0)->time_enabled);
	is("state", host(v, 0)->state, PVPMU_STATE_COUNTING);
	op(v, PVPMU_OP_CLOSE, 0);
}

static int32_t filtered(struct vmm *v, uint32_t id, uint32_t type,
			uint64_t config, uint32_t flags)
{
	vmm_area(v, 0)->slot[id].guest = (struct pvpmu_slot_guest){
		.type = type,
		.config = config,
		.flags = flags,
		.leader = id,
	};
	return vmm_op(v, 0, PVPMU_OP_OPEN, id, 0, 0);
}

static void begin_filtered(struct vmm *v, uint32_t id, uint32_t flags)
{
	filtered(v, id, PVPMU_TYPE_HARDWARE, PVPMU_HW_INSTRUCTIONS, flags);
	op(v, PVPMU_OP_ENABLE, id);
}

static void filters(struct vmm *v)
{
	uint32_t id;

	begin_filtered(v, 0, PVPMU_FLAG_EXCLUDE_USER);
	begin_filtered(v, 1, PVPMU_FLAG_EXCLUDE_KERNEL);
	vmm_mode(v, 0, USER64);
	vmm_loop(v, 0, 500000);
	vmm_mode(v, 0, KERNEL64);
	vmm_loop(v, 0, 200000);
	for (id = 0; id < 2; id++)
		op(v, PVPMU_OP_DISABLE, id);
	between("kernel only", host(v, 0)->count, 400000, 400000 + SLACK);
	between("user only", host(v, 1)->count, 1000000, 1000000 + SLACK);
	for (id = 0; id < 2; id++)
		op(v, PVPMU_OP_CLOSE, id);
}

/* This guest has no guests; perf.c has one that has, where it runs in a guest. */
static void levels(struct vmm *v)
{
	uint32_t both = PVPMU_FLAG_EXCLUDE_GUEST | PVPMU_FLAG_EXCLUDE_HOST;
	uint32_t id;

	begin_filtered(v, 0, PVPMU_FLAG_EXCLUDE_GUEST);
	begin_filtered(v, 1, PVPMU_FLAG_EXCLUDE_HOST);
	vmm_loop(v, 0, 500000);
	for (id = 0; id < 2; id++)
		op(v, PVPMU_OP_DISABLE, id);
	between("without its guests", host(v, 0)->count, 1000000,
		1000000 + SLACK);
	is("its guests only", host(v, 1)->count, 0);
	is("running all the while", host(v, 1)->time_running,
	   host(v, 1)->time_enabled);
	for (id = 0; id < 2; id++)
		op(v, PVPMU_OP_CLOSE, id);
	is("neither", filtered(v, 0, PVPMU_TYPE_HARDWARE,
			       PVPMU_HW_INSTRUCTIONS, both), PVPMU_ERR_FILTER);
	is("a clock without its guests",
	   filtered(v, 0, PVPMU_TYPE_CLOCK, PVPMU_CLOCK_VCPU,
		    PVPMU_FLAG_EXCLUDE_GUEST), PVPMU_ERR_FILTER);
}

/* Runs loops until @n instructions are done; then the books must balance. */
static void sampling(struct vmm *v, uint64_t period, uint64_t next)
{
	const struct pvpmu_slot_host *h = host(v, 0);
	uint64_t length = next ? next : period;
	char name[64];
	int i;

	vmm_area(v, 0)->overflow.pending = 0;
	vmm_area(v, 0)->slot[0].guest = (struct pvpmu_slot_guest){
		.type = PVPMU_TYPE_HARDWARE,
		.config = PVPMU_HW_INSTRUCTIONS,
		.period = period,
		.next_period = next,
	};
	op(v, PVPMU_OP_OPEN, 0);
	for (i = 0; i < 10; i++) {
		op(v, PVPMU_OP_ENABLE, 0);
		vmm_loop(v, 0, 123457);
		op(v, PVPMU_OP_DISABLE, 0);
		vmm_loop(v, 0, 54321);
	}
	snprintf(name, sizeof(name), "count with period %llu, %llu",
		 (unsigned long long)period, (unsigned long long)next);
	between(name, h->count, 2469140, 2469140 + 10 * SLACK);
	between("left after the last overflow", h->count - h->overflow_total,
		0, length - 1);
	is("overflows", h->overflows,
	   1 + (h->count - period) / length);
	is("pending", vmm_area(v, 0)->overflow.pending, 1);
	op(v, PVPMU_OP_CLOSE, 0);
}

static void throttling(struct vmm *v)
{
	const struct pvpmu_slot_host *h = host(v, 0);

	param("overflow_rate", "10");
	sleep(1);
	instructions(v, 0, 10000);
	op(v, PVPMU_OP_ENABLE, 0);
	vmm_loop(v, 0, 500000);
	op(v, PVPMU_OP_READ, 0);
	is("state after too many", h->state,
	   PVPMU_STATE_COUNTING | PVPMU_STATE_THROTTLED);
	between("overflows until then", h->overflows, 10, 22);
	between("count goes on", h->count, 1000000, 1000000 + SLACK);
	param("overflow_rate", "50000");
	sleep(1);
	op(v, PVPMU_OP_ENABLE, 0);
	is("state when enabled again", h->state, PVPMU_STATE_COUNTING);
	vmm_loop(v, 0, 50000);
	op(v, PVPMU_OP_DISABLE, 0);
	between("overflows again", h->overflows, 20, 33);
	between("the books balance", h->count - h->overflow_total, 0, 9999);
	op(v, PVPMU_OP_CLOSE, 0);
}

static void clocks(struct vmm *v)
{
	const struct pvpmu_slot_host *h = host(v, 0);
	uint64_t used, passed;

	open_event(v, 0, 0, 0, PVPMU_TYPE_CLOCK, PVPMU_CLOCK_VCPU, 1000000);
	passed = ns_of(CLOCK_MONOTONIC);
	op(v, PVPMU_OP_ENABLE, 0);
	used = ns_of(CLOCK_THREAD_CPUTIME_ID);
	while (ns_of(CLOCK_THREAD_CPUTIME_ID) - used < 300000000)
		vmm_loop(v, 0, 500000);
	usleep(200000);
	used = ns_of(CLOCK_THREAD_CPUTIME_ID) - used;
	op(v, PVPMU_OP_DISABLE, 0);
	passed = ns_of(CLOCK_MONOTONIC) - passed;
	/* Being scheduled in and out is used, too; the rest was slept. */
	between("clock", h->count, used * 95 / 100, passed - 200000000);
	is("clock overflows", h->overflows, h->count / 1000000);
	is("clock overflow total", h->overflow_total,
	   h->overflows * 1000000ull);
	op(v, PVPMU_OP_CLOSE, 0);
}

static void hypervisor_events(struct vmm *v)
{
	struct rusage before, after;
	int64_t exits = 0;
	uint32_t id;
	int i;

	for (id = 0; id < PVPMU_HV_END; id++)
		open_event(v, 0, 0, id, PVPMU_TYPE_HYPERVISOR, id, 0);
	getrusage(RUSAGE_THREAD, &before);
	for (id = 0; id < PVPMU_HV_END; id++)
		op(v, PVPMU_OP_ENABLE, id);
	for (i = 0; i < 100; i++)
		vmm_loop(v, 0, 10);
	for (id = 0; id < PVPMU_HV_END; id++)
		op(v, PVPMU_OP_DISABLE, id);
	getrusage(RUSAGE_THREAD, &after);
	between("exits", host(v, PVPMU_HV_EXITS)->count, 100, 400);
	between("preemptions", host(v, PVPMU_HV_PREEMPTIONS)->count, 0,
		after.ru_nivcsw - before.ru_nivcsw);
	is("halts", host(v, PVPMU_HV_HALTS)->count, 0);
	for (id = PVPMU_HV_EXITS_INTERRUPT; id < PVPMU_HV_END; id++)
		exits += host(v, id)->count;
	/* The windows they were counted in are some calls apart. */
	between("exits of all kinds", exits,
		host(v, PVPMU_HV_EXITS)->count - 20,
		host(v, PVPMU_HV_EXITS)->count + 20);
	for (id = 0; id < PVPMU_HV_END; id++)
		op(v, PVPMU_OP_CLOSE, id);
}

static void *in_thread(void *arg)
{
	struct vmm *v = arg;

	vmm_loop(v, 0, 500000);
	return NULL;
}

/* The VMM has other threads run the vCPU, whose guest makes no call there, and
 * they end. */
static void threads(struct vmm *v)
{
	const struct pvpmu_slot_host *h = host(v, 0);
	pthread_t thread;
	int i;

	instructions(v, 0, 30011);
	op(v, PVPMU_OP_ENABLE, 0);
	vmm_loop(v, 0, 500000);
	for (i = 0; i < 3; i++) {
		pthread_create(&thread, NULL, in_thread, v);
		pthread_join(thread, NULL);
	}
	op(v, PVPMU_OP_READ, 0);
	between("four threads", h->count, 4000000, 4000000 + 8 * SLACK);
	op(v, PVPMU_OP_DISABLE, 0);
	is("overflows", h->overflows, h->count / 30011);
	op(v, PVPMU_OP_CLOSE, 0);
}

static void reaping(struct vmm *v)
{
	instructions(v, 0, 0);
	op(v, PVPMU_OP_CLOSE, 0);
	/* at most what core keeps for a vCPU */
	between("kept for a while", stat_of("live_events"), 1, 48);
	sleep(4);
	is("given back", stat_of("live_events"), 0);
}

void test_clock(void)
{
	struct vmm v;
	int i;

	vmm_create(&v, false);
	vmm_discover(&v);
	setup(&v, 0, 0);
	for (i = 0; i < 5; i++)
		clocks(&v);
	vmm_destroy(&v);
}

void test_counts(void)
{
	struct vmm v;

	vmm_create(&v, false);
	vmm_discover(&v);
	setup(&v, 0, 0);
	counting(&v);
	filters(&v);
	levels(&v);
	sampling(&v, 10007, 0);
	sampling(&v, 123456, 1009);
	sampling(&v, 5000, 100003);
	sampling(&v, 1, 2000);
	throttling(&v);
	hypervisor_events(&v);
	threads(&v);
	reaping(&v);
	vmm_destroy(&v);
}
