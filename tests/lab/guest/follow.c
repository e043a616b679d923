// SPDX-License-Identifier: GPL-2.0-only
/*
 * follow: reads counts again and again, while their host changes under them.
 *
 * A child runs a loop whose instructions are known.  Events of the child and of
 * CPU 0 are read every 50 ms: no count and no time may ever go back.  SIGUSR1
 * has it print a line for each event, of the time since the line before:
 *
 *   follow NAME value V truth T enabled NS running NS still MS back N samples N
 *
 * still: the longest time that the event's count did not move, as far as this
 * program was let run; back: how often something went back.  SIGTERM ends it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "loop.h"

#define STEP_MS 50
#define CHUNK (LOOP_LENGTH * 20000ull)
#define RING_PAGES 8
#define EVENTS 4

/**
 * struct event - an event that is watched
 * @name: for the user
 * @fd: its descriptor
 * @ring: its samples, NULL if it has none
 * @seen: where we are in @ring
 * @last: count, time enabled and running as read last
 * @base: the same, when a line was printed last
 * @executed: what the child had executed, to one round, when @last was read
 * @executed_base: the same for @base
 * @still: ms for which the count has not moved
 * @longest: the longest of these
 * @back: how often something went back
 * @samples: how many came
 */
struct event {
	const char *name;
	int fd;
	struct perf_event_mmap_page *ring;
	uint64_t seen;
	uint64_t last[3];
	uint64_t base[3];
	uint64_t executed;
	uint64_t executed_base;
	unsigned int still;
	unsigned int longest;
	unsigned int back;
	unsigned int samples;
};

static volatile sig_atomic_t report, over;
static volatile uint64_t *truth; /* what the child has executed */

static void on_signal(int number)
{
	if (number == SIGUSR1)
		report = 1;
	else
		over = 1;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static pid_t start_child(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		loop(CHUNK);
		*truth += CHUNK;
	}
}

static void open_event(struct event *e, const char *name, uint64_t config,
		       pid_t pid, int cpu, uint64_t period)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = config,
		.sample_period = period,
		.sample_type = PERF_SAMPLE_IP,
		.exclude_kernel = pid >= 0,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED |
			       PERF_FORMAT_TOTAL_TIME_RUNNING,
	};

	memset(e, 0, sizeof(*e));
	e->name = name;
	e->fd = syscall(SYS_perf_event_open, &attr, pid, cpu, -1, 0);
	if (e->fd < 0)
		die(name);
	if (!period)
		return;
	e->ring = mmap(NULL, (1 + RING_PAGES) * 4096, PROT_READ | PROT_WRITE,
		       MAP_SHARED, e->fd, 0);
	if (e->ring == MAP_FAILED)
		die("mmap");
}

static void take_samples(struct event *e)
{
	uint64_t head;
	const char *data;

	if (!e->ring)
		return;
	data = (const char *)e->ring + 4096;
	head = __atomic_load_n(&e->ring->data_head, __ATOMIC_ACQUIRE);
	while (e->seen < head) {
		const struct perf_event_header *record = (const void *)
			(data + e->seen % (RING_PAGES * 4096));

		e->samples += record->type == PERF_RECORD_SAMPLE;
		e->seen += record->size;
	}
	__atomic_store_n(&e->ring->data_tail, head, __ATOMIC_RELEASE);
}

static void look(struct event *e, unsigned int ms)
{
	uint64_t now[3];
	int i;

	for (i = 0; i < 10; i++) {
		e->executed = *truth;
		if (read(e->fd, now, sizeof(now)) != sizeof(now))
			die(e->name);
		/* Otherwise the child was let run in between. */
		if (e->executed == *truth)
			break;
	}
	take_samples(e);
	for (i = 0; i < 3; i++)
		e->back += now[i] < e->last[i];
	e->back += now[2] > now[1];
	e->still = now[0] == e->last[0] ? e->still + ms : 0;
	if (e->still > e->longest)
		e->longest = e->still;
	memcpy(e->last, now, sizeof(now));
}

static void begin(struct event *e)
{
	memcpy(e->base, e->last, sizeof(e->base));
	e->executed_base = e->executed;
	e->longest = 0;
	e->back = 0;
	e->samples = 0;
}

static void tell(struct event *e)
{
	printf("follow %s value %llu truth %llu enabled %llu running %llu still %u back %u samples %u\n",
	       e->name, (unsigned long long)(e->last[0] - e->base[0]),
	       (unsigned long long)(e->executed - e->executed_base),
	       (unsigned long long)(e->last[1] - e->base[1]),
	       (unsigned long long)(e->last[2] - e->base[2]), e->longest,
	       e->back, e->samples);
	fflush(stdout);
	begin(e);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

int main(void)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000 };
	struct sigaction action = { .sa_handler = on_signal };
	uint64_t before;
	struct event events[EVENTS];
	unsigned int i;
	pid_t child;

	truth = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (truth == MAP_FAILED)
		die("mmap");
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	child = start_child();
	open_event(&events[0], "task", PERF_COUNT_HW_INSTRUCTIONS, child, -1,
		   0);
	open_event(&events[1], "cpu", PERF_COUNT_HW_CPU_CYCLES, -1, 0, 0);
	open_event(&events[2], "cache", PERF_COUNT_HW_CACHE_MISSES, -1, 0, 0);
	open_event(&events[3], "samples", PERF_COUNT_HW_INSTRUCTIONS, -1, 0,
		   2000000);
	for (i = 0; i < EVENTS; i++) {
		look(&events[i], 0);
		begin(&events[i]);
	}
	before = now_ms();
	while (!over) {
		uint64_t now;

		nanosleep(&step, NULL);
		now = now_ms();
		/* More than that is time in which nobody was let run. */
		if (now - before > 2 * STEP_MS)
			before = now - 2 * STEP_MS;
		for (i = 0; i < EVENTS; i++)
			look(&events[i], now - before);
		before = now;
		if (!report)
			continue;
		report = 0;
		for (i = 0; i < EVENTS; i++)
			tell(&events[i]);
	}
	kill(child, SIGKILL);
	return 0;
}
