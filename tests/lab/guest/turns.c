// SPDX-License-Identifier: GPL-2.0-only
/*
 * turns: more events than the CPU has counters.  Twelve of them, on six, over a
 * loop of known length: each must have counted about half of the time and about
 * half of the truth, and be right once it is scaled.
 *
 * Scaling takes for granted that all turns are alike.  They are not where the
 * emulator itself is short of CPU: it loses milliseconds that belong to one turn
 * or the other.  So a bad attempt is made again, a few times.
 */
#define _GNU_SOURCE
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loop.h"

#define LOOP (LOOP_LENGTH * 400000000ull)
#define ATTEMPTS 6
#define SLICE 4000000ull /* ns, the host's turn */

static const struct {
	const char *name;
	uint64_t config;
	double per_instruction;
} events[] = {
	{ "instructions", PERF_COUNT_HW_INSTRUCTIONS, 1 },
	{ "cycles", PERF_COUNT_HW_CPU_CYCLES, 2 },
	{ "branches", PERF_COUNT_HW_BRANCH_INSTRUCTIONS, 1. / LOOP_LENGTH },
	{ "branch-misses", PERF_COUNT_HW_BRANCH_MISSES, 1. / LOOP_LENGTH / 16 },
	{ "cache-references", PERF_COUNT_HW_CACHE_REFERENCES, 1. / 8 },
	{ "cache-misses", PERF_COUNT_HW_CACHE_MISSES, 1. / 128 },
};

#define KINDS (sizeof(events) / sizeof(events[0]))

static int event(uint64_t config, int exclude_kernel)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = config,
		.disabled = 1,
		.exclude_kernel = exclude_kernel,
		.exclude_hv = 1,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED |
			       PERF_FORMAT_TOTAL_TIME_RUNNING,
	};
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);

	if (fd < 0) {
		perror("perf_event_open");
		exit(1);
	}
	return fd;
}

static int judge(const char *name, const char *mode, int fd, double truth,
		 int last)
{
	struct {
		uint64_t value, enabled, running;
	} c;
	double share, raw, scaled;
	int good;

	if (read(fd, &c, sizeof(c)) != sizeof(c)) {
		perror("read");
		return 1;
	}
	share = (double)c.running / c.enabled;
	raw = c.value / truth;
	scaled = raw / share;
	/* The kernel's own work is in the count where it is not excluded. */
	good = share > 0.45 && share < 0.55 && raw > 0.45 && raw < 0.55 &&
	       scaled > 0.98 && scaled < 1.02 && c.enabled > 200 * SLICE;
	printf("%s turns/%s%s: ran %.1f%%, raw %.1f%%, scaled %.2f%%, %llu turns\n",
	       good ? "ok" : last ? "FAIL" : "again", name, mode, share * 100, raw * 100,
	       scaled * 100, (unsigned long long)(c.enabled / SLICE));
	return !good;
}

static int attempt(int last)
{
	int user[KINDS], all[KINDS], bad = 0;
	unsigned int i;

	for (i = 0; i < KINDS; i++) {
		user[i] = event(events[i].config, 1);
		all[i] = event(events[i].config, 0);
	}
	for (i = 0; i < KINDS; i++) {
		ioctl(user[i], PERF_EVENT_IOC_ENABLE, 0);
		ioctl(all[i], PERF_EVENT_IOC_ENABLE, 0);
	}
	loop(LOOP);
	for (i = 0; i < KINDS; i++) {
		ioctl(user[i], PERF_EVENT_IOC_DISABLE, 0);
		ioctl(all[i], PERF_EVENT_IOC_DISABLE, 0);
	}
	for (i = 0; i < KINDS; i++) {
		double truth = LOOP * events[i].per_instruction;

		bad |= judge(events[i].name, ":u", user[i], truth, last);
		bad |= judge(events[i].name, "", all[i], truth, last);
		close(user[i]);
		close(all[i]);
	}
	return bad;
}

int main(void)
{
	int i;

	for (i = 1; i <= ATTEMPTS; i++)
		if (!attempt(i == ATTEMPTS)) {
			printf("PASS turns/twelve-events-on-six-counters: attempt %d\n",
			       i);
			return 0;
		}
	return 1;
}
