// SPDX-License-Identifier: GPL-2.0
/*
 * A thread that runs several vCPUs in turn: each counts what it does itself,
 * and sees nothing of the others, which may be another VM's.
 */
#include "selftest.h"

#define SLACK 200
#define ROUNDS 5
#define PERIOD 30011

static const struct pvpmu_slot_host *host(struct vmm *v, int vcpu)
{
	return &vmm_area(v, vcpu)->slot[0].host;
}

static void begin(struct vmm *v, int vcpu, uint64_t period)
{
	setup(v, vcpu, vcpu);
	is("open", open_event(v, vcpu, vcpu, 0, PVPMU_TYPE_HARDWARE,
			      PVPMU_HW_INSTRUCTIONS, period), PVPMU_OK);
	vmm_op(v, vcpu, PVPMU_OP_ENABLE, 0, 0, 0);
}

static void finish(struct vmm *v, int vcpu)
{
	vmm_op(v, vcpu, PVPMU_OP_DISABLE, 0, 0, 0);
}

/* The other one never calls. */
static void beside_a_silent_one(struct vmm *v, struct vmm *other)
{
	int i;

	begin(v, 0, PERIOD);
	for (i = 0; i < ROUNDS; i++) {
		vmm_loop(v, 0, 100000);
		vmm_loop(other, 0, 300000);
	}
	finish(v, 0);
	between("beside a VM that does not count", host(v, 0)->count,
		ROUNDS * 200000, ROUNDS * (200000 + SLACK));
	is("its overflows", host(v, 0)->overflows,
	   host(v, 0)->count / PERIOD);
	is("running all its time", host(v, 0)->time_running,
	   host(v, 0)->time_enabled);
}

static void in_turn(struct vmm *v)
{
	int i;

	begin(v, 0, 0);
	begin(v, 1, PERIOD);
	for (i = 0; i < ROUNDS; i++) {
		vmm_loop(v, 0, 100000);
		vmm_loop(v, 1, 300000);
	}
	finish(v, 0);
	finish(v, 1);
	between("the first of two in turn", host(v, 0)->count,
		ROUNDS * 200000, ROUNDS * (200000 + SLACK));
	between("the second", host(v, 1)->count, ROUNDS * 600000,
		ROUNDS * (600000 + SLACK));
	is("its overflows", host(v, 1)->overflows,
	   host(v, 1)->count / PERIOD);
}

void test_threads(void)
{
	struct vmm v, other;

	vmm_create(&v, false);
	vmm_create(&other, false);
	vmm_discover(&v);
	beside_a_silent_one(&v, &other);
	in_turn(&v);
	vmm_destroy(&other);
	vmm_destroy(&v);
}
