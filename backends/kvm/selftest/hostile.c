// SPDX-License-Identifier: GPL-2.0
/*
 * Guests that mean no good: random calls with a page of random bits, while
 * other threads write into it and take its memory away; and VMMs that are
 * killed in the middle of it.
 */
#define _GNU_SOURCE
#include "selftest.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HOLE (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

static volatile bool over;

static uint32_t any(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed >> 16;
}

/* A slot that is nearly sane, so that some of it gets further. */
static void plausible(struct pvpmu_slot_guest *g, uint32_t id, uint64_t *seed)
{
	memset(g, 0, sizeof(*g));
	g->type = 1 + any(seed) % 4;
	g->config = any(seed) % 8;
	g->flags = any(seed) % 4 ? 0 : any(seed) % 4;
	g->leader = id;
	if (any(seed) % 2)
		g->period = 1000 + any(seed) % 200000;
	if (g->period && any(seed) % 2)
		g->next_period = any(seed) % 200000;
	if (any(seed) % 16 == 0)
		((uint8_t *)g)[any(seed) % 64] ^= any(seed);
}

static void scribble(struct pvpmu_area *area, uint64_t *seed)
{
	uint32_t id = any(seed) % PVPMU_MAX_SLOTS;

	plausible(&area->slot[id].guest, id, seed);
	memset(&area->guest, 0, sizeof(area->guest));
	if (any(seed) % 2) {
		area->guest.close = any(seed) & any(seed) & 0x3fffffff;
		area->guest.open = any(seed) & 0x3fffffff;
		area->guest.enable = any(seed) & 0x3fffffff;
		area->guest.disable = any(seed) & any(seed) & 0x3fffffff;
		area->guest.read = any(seed) & 0x3fffffff;
	}
	if (any(seed) % 64 == 0)
		((uint8_t *)area)[any(seed) % 4096] = any(seed);
}

struct attacker {
	struct vmm *v;
	int vcpu;
	uint64_t seed;
};

static void *attack(void *arg)
{
	struct attacker *a = arg;
	struct pvpmu_area *area = vmm_area(a->v, a->vcpu);

	setup(a->v, a->vcpu, a->vcpu);
	while (!over) {
		uint32_t op = any(&a->seed) % 11;
		uint32_t arg0 = any(&a->seed) % 32;

		scribble(area, &a->seed);
		if (op == PVPMU_OP_DETACH && any(&a->seed) % 32)
			op = PVPMU_OP_UPDATE;
		if (op == PVPMU_OP_SETUP)
			arg0 = VMM_AREA(a->vcpu);
		if (op == PVPMU_OP_UPDATE)
			arg0 = 0;
		if (any(&a->seed) % 64 == 0)
			arg0 = any(&a->seed);
		vmm_op(a->v, a->vcpu, op, arg0, 0, 0);
		if (any(&a->seed) % 4 == 0)
			vmm_loop(a->v, a->vcpu, any(&a->seed) % 50000);
	}
	return NULL;
}

static void *write_on(void *arg)
{
	struct vmm *v = arg;
	uint64_t seed = 99;

	while (!over) {
		scribble(vmm_area(v, 0), &seed);
		scribble(vmm_area(v, 1), &seed);
		if (any(&seed) % 4096 == 0)
			fallocate(v->file, HOLE, VMM_AREA(0) * 4096ul, 4096);
		if (any(&seed) % 256 == 0)
			usleep(any(&seed) % 1000);
	}
	return NULL;
}

static void *change_slots(void *arg)
{
	struct vmm *v = arg;
	void *area = v->guest + VMM_AREA(1) * 4096ul;
	uint64_t seed = 7;
	void *more = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	while (!over) {
		vmm_slot(v, 1, 0, 64u << 20, 65536, more);
		usleep(any(&seed) % 20000);
		vmm_slot(v, 1, 0, 64u << 20, 0, more);
		mprotect(area, 4096, PROT_NONE);
		usleep(any(&seed) % 100);
		mprotect(area, 4096, PROT_READ | PROT_WRITE);
		usleep(any(&seed) % 20000);
	}
	return NULL;
}

void attack_for(unsigned int ms)
{
	struct attacker a[VMM_VCPUS];
	pthread_t thread[VMM_VCPUS + 2];
	struct vmm v;
	int i;

	over = false;
	vmm_create(&v, true);
	vmm_discover(&v);
	for (i = 0; i < VMM_VCPUS; i++) {
		a[i] = (struct attacker){ &v, i, 0x9e3779b97f4a7c15ull + i };
		a[i].seed ^= (uint64_t)getpid() << 20;
		pthread_create(&thread[i], NULL, attack, &a[i]);
	}
	pthread_create(&thread[VMM_VCPUS], NULL, write_on, &v);
	pthread_create(&thread[VMM_VCPUS + 1], NULL, change_slots, &v);
	usleep(ms * 1000);
	over = true;
	for (i = 0; i < VMM_VCPUS + 2; i++)
		pthread_join(thread[i], NULL);
	vmm_destroy(&v);
}

static void kill_some(int n)
{
	int i, status, killed = 0;

	for (i = 0; i < n; i++) {
		pid_t pid = fork();

		if (!pid) {
			attack_for(60000);
			_exit(0);
		}
		usleep(200000 + i * 10000);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		killed += WIFSIGNALED(status);
	}
	is("VMMs killed in the middle", killed, n);
}

/* The last references go a little after the process. */
static void wait_for_end(void)
{
	int i;

	for (i = 0; i < 50 && stat_of("live_vcpus"); i++)
		usleep(100000);
}

void test_hostile(void)
{
	int64_t calls = stat_of("calls");

	param("period_min", "1");
	attack_for(5000);
	printf("PASS survived %lld calls\n",
	       (long long)(stat_of("calls") - calls));
	kill_some(10);
	param("period_min", "1000");
	wait_for_end();
}
