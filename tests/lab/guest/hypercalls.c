// SPDX-License-Identifier: GPL-2.0-only
/*
 * hypercalls CASE N: how many calls to the hypervisor what perf does costs.
 *
 * Prints "calls X switches Y samples Z": X by the instrument's own counter of
 * VMMCALL exits, which costs no exit and disturbs nothing; Y context switches
 * of the whole guest.  One vCPU.  Around all of it the program tells the host
 * (lab-mark begin, lab-mark end) and waits for its answer, so that the host
 * can count the same calls its own way.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop.h"

#define VMMCALL_EXITS (0x50430100 + 0x81)
#define EVENTS 6

static uint64_t calls_now(void)
{
	uint32_t lo, hi;

	asm volatile("rdpmc" : "=a"(lo), "=d"(hi) : "c"(VMMCALL_EXITS));
	return (uint64_t)hi << 32 | lo;
}

static uint64_t switches_now(void)
{
	char line[256];
	uint64_t n = 0;
	FILE *f = fopen("/proc/stat", "r");

	if (!f)
		exit(1);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "ctxt %llu", (unsigned long long *)&n) == 1)
			break;
	fclose(f);
	return n;
}

static int open_event(int nr, int inherit, uint64_t period, int disabled)
{
	static const uint64_t config[EVENTS] = {
		PERF_COUNT_HW_INSTRUCTIONS, PERF_COUNT_HW_CPU_CYCLES,
		PERF_COUNT_HW_BRANCH_INSTRUCTIONS, PERF_COUNT_HW_BRANCH_MISSES,
		PERF_COUNT_HW_INSTRUCTIONS, PERF_COUNT_HW_CPU_CYCLES,
	};
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = config[nr],
		.inherit = inherit,
		.disabled = disabled,
		.exclude_kernel = nr >= 4 || period,
		.exclude_hv = 1,
		.sample_period = period,
		.sample_type = period ? PERF_SAMPLE_IP : 0,
	};
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);

	if (fd < 0) {
		perror("perf_event_open");
		exit(1);
	}
	return fd;
}

static void open_events(int inherit)
{
	int i;

	for (i = 0; i < EVENTS; i++)
		open_event(i, inherit, 0, 0);
}

static int to_child[2], to_parent[2];

static void pass(int to, int from, int n)
{
	char byte = 0;

	while (n--)
		if (write(to, &byte, 1) != 1 || read(from, &byte, 1) != 1)
			exit(1);
}

/* A child that answers n + 1 times; the first round trip is the start. */
static pid_t start_child(int own_events, int n)
{
	pid_t pid = fork();
	char byte;

	if (pid)
		return pid;
	if (own_events)
		open_events(0);
	for (n++; n--;)
		if (read(to_child[0], &byte, 1) != 1 ||
		    write(to_parent[1], &byte, 1) != 1)
			exit(1);
	/* stay as it is until the parent has measured */
	if (read(to_child[0], &byte, 1) != 1)
		exit(1);
	exit(0);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	int n = argc > 2 ? atoi(argv[2]) : 0, i, fd;
	uint64_t calls, switches, samples = 0;
	cpu_set_t cpu0;
	pid_t pid = 0;
	uint64_t v;

	CPU_ZERO(&cpu0);
	CPU_SET(0, &cpu0);
	sched_setaffinity(0, sizeof(cpu0), &cpu0);
	if (pipe(to_child) || pipe(to_parent) || n < 1)
		return 2;
	if (system("lab-mark begin; lab-await >/dev/null"))
		return 1;

#define MEASURE(code) do {						\
		uint64_t s0 = switches_now(), c0 = calls_now();		\
		code;							\
		calls = calls_now() - c0;				\
		switches = switches_now() - s0;				\
	} while (0)

	if (!strcmp(what, "both")) {
		/* two tasks, each with six events of its own */
		pid = start_child(1, n);
		open_events(0);
		pass(to_child[1], to_parent[0], 1);
		MEASURE(pass(to_child[1], to_parent[0], n));
	} else if (!strcmp(what, "one")) {
		/* the other task has no events */
		pid = start_child(0, n);
		open_events(0);
		pass(to_child[1], to_parent[0], 1);
		MEASURE(pass(to_child[1], to_parent[0], n));
	} else if (!strcmp(what, "cloned")) {
		/* the other task inherited ours */
		open_events(1);
		pid = start_child(0, n);
		pass(to_child[1], to_parent[0], 1);
		MEASURE(pass(to_child[1], to_parent[0], n));
	} else if (!strcmp(what, "samples")) {
		struct perf_event_mmap_page *ring;

		fd = open_event(0, 0, 100000, 1);
		ring = mmap(NULL, 129 * 4096, PROT_READ | PROT_WRITE,
			    MAP_SHARED, fd, 0);
		if (ring == MAP_FAILED)
			return 1;
		ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
		MEASURE(loop(100000ULL * n));
		ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
		samples = ring->data_head / 16;
	} else if (!strcmp(what, "stopped")) {
		fd = open_event(0, 0, 0, 0);
		loop(100000);
		ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
		MEASURE(for (i = 0; i < n; i++)
			if (read(fd, &v, sizeof(v)) != sizeof(v))
				return 1);
	} else if (!strcmp(what, "nothing")) {
		MEASURE(for (i = 0; i < n; i++) {
			loop(1000000);
			usleep(1000);
		});
	} else {
		fprintf(stderr, "usage: hypercalls both|one|cloned|samples|stopped|nothing N\n");
		return 2;
	}
	printf("calls %llu switches %llu samples %llu\n",
	       (unsigned long long)calls, (unsigned long long)switches,
	       (unsigned long long)samples);
	fflush(stdout);
	if (pid) {
		char byte = 0;

		if (write(to_child[1], &byte, 1) != 1)
			return 1;
		waitpid(pid, NULL, 0);
	}
	return system("lab-mark end; lab-await >/dev/null") != 0;
}
