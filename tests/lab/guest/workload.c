// SPDX-License-Identifier: GPL-2.0-only
/*
 * workload spin N          N instructions in user mode, and a few more
 * workload busy SECONDS    user and kernel work without end, for so long
 * workload hold SECONDS    that, with six events open, two of them sampling
 * workload count N TIMES   prints instructions:u of a loop of N, TIMES times;
 *                          status 1 unless all are N to N + 200
 * workload exits SECONDS   CPUID, at which a guest leaves, for so long
 * workload fxrstor SECONDS nothing but FXRSTOR, for so long
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "loop.h"

static int event(uint64_t config, uint64_t period)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = config,
		.sample_period = period,
		.sample_type = PERF_SAMPLE_IP,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);

	if (fd < 0) {
		perror("perf_event_open");
		exit(1);
	}
	if (period && mmap(NULL, 9 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			   fd, 0) == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return fd;
}

static void user_and_kernel(void)
{
	loop(100000);
	syscall(SYS_getppid);
}

static void exits(void)
{
	unsigned int a, b, c, d;

	for (int i = 0; i < 100; i++)
		__cpuid(0, a, b, c, d);
}

static void fxrstor(void)
{
	static uint8_t state[512] __attribute__((aligned(16)));

	__asm__ volatile("fxsave %0" : "=m"(state));
	for (int i = 0; i < 10000; i++)
		__asm__ volatile("fxrstor %0" : : "m"(state));
}

static void repeat(void (*work)(void), double seconds)
{
	struct timespec t;
	double end;

	clock_gettime(CLOCK_MONOTONIC, &t);
	end = t.tv_sec + t.tv_nsec / 1e9 + seconds;
	do {
		work();
		clock_gettime(CLOCK_MONOTONIC, &t);
	} while (t.tv_sec + t.tv_nsec / 1e9 < end);
}

static int count(uint64_t n, int times)
{
	int fd = event(PERF_COUNT_HW_INSTRUCTIONS, 0), bad = 0;
	uint64_t v;

	while (times--) {
		ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
		ioctl(fd, PERF_EVENT_IOC_RESET, 0);
		ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
		loop(n);
		ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
		if (read(fd, &v, sizeof(v)) != sizeof(v))
			return 1;
		printf("%llu\n", (unsigned long long)v);
		fflush(stdout);
		bad |= v < n || v > n + 200;
	}
	return bad;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	if (!strcmp(what, "spin")) {
		loop(strtoull(argv[2], NULL, 0) / LOOP_LENGTH * LOOP_LENGTH);
	} else if (!strcmp(what, "busy")) {
		repeat(user_and_kernel, atof(argv[2]));
	} else if (!strcmp(what, "exits")) {
		repeat(exits, atof(argv[2]));
	} else if (!strcmp(what, "fxrstor")) {
		repeat(fxrstor, atof(argv[2]));
	} else if (!strcmp(what, "hold")) {
		event(PERF_COUNT_HW_INSTRUCTIONS, 0);
		event(PERF_COUNT_HW_CPU_CYCLES, 0);
		event(PERF_COUNT_HW_BRANCH_INSTRUCTIONS, 0);
		event(PERF_COUNT_HW_BRANCH_MISSES, 0);
		event(PERF_COUNT_HW_INSTRUCTIONS, 1000000);
		event(PERF_COUNT_HW_CPU_CYCLES, 1000000);
		repeat(user_and_kernel, atof(argv[2]));
	} else if (!strcmp(what, "count") && argc > 3) {
		return count(strtoull(argv[2], NULL, 0), atoi(argv[3]));
	} else {
		fprintf(stderr, "usage: workload spin N | count N TIMES | "
				"busy|hold|exits|fxrstor SECONDS\n");
		return 2;
	}
	return 0;
}
