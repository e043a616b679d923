// SPDX-License-Identifier: GPL-2.0-only
/*
 * turns: more events than the CPU has counters, over a loop of known length
 *
 * Twelve of them on six counters: each counted about half of the time and about
 * half of the truth, and is right once it is scaled.  That takes for granted
 * that all turns are alike, so the machine has to be one whose time is counted in
 * instructions.
 *
 * Two groups of six: all of a group have the same times, and as each kind of
 * event is a fixed share of the instructions or of the branches, the counts of a
 * group have that ratio exactly, whatever the turns were like.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/perf_event.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loop.h"

#define LOOP (LOOP_LENGTH * 25000000ull)
#define SLICE 4000000ull /* ns, the host's turn */
#define TURNS 100 /* at the least */
#define SLACK 500 /* events; a turn more or less would be millions */

enum { INSTRUCTIONS, CYCLES, BRANCHES, BRANCH_MISSES, REFERENCES, MISSES, KINDS };

static const struct {
	const char *name;
	uint64_t config;
	double per_instruction; /* of the loop */
	int base; /* and of any code, so many for one of that kind: */
	double share;
} kinds[KINDS] = {
	{ "instructions", PERF_COUNT_HW_INSTRUCTIONS, 1, INSTRUCTIONS, 1 },
	{ "cycles", PERF_COUNT_HW_CPU_CYCLES, 2, INSTRUCTIONS, 2 },
	{ "branches", PERF_COUNT_HW_BRANCH_INSTRUCTIONS, 1. / LOOP_LENGTH,
	  BRANCHES, 1 },
	{ "branch-misses", PERF_COUNT_HW_BRANCH_MISSES, 1. / LOOP_LENGTH / 16,
	  BRANCHES, 1. / 16 },
	{ "cache-references", PERF_COUNT_HW_CACHE_REFERENCES, 1. / 8,
	  INSTRUCTIONS, 1. / 8 },
	{ "cache-misses", PERF_COUNT_HW_CACHE_MISSES, 1. / 128, INSTRUCTIONS,
	  1. / 128 },
};

struct count {
	uint64_t value, enabled, running;
};

static bool all_good = true;

static void verdict(bool good, const char *name)
{
	printf("%s turns/%s\n", good ? "PASS" : "FAIL", name);
	all_good &= good;
}

static int try_event(uint64_t config, bool user, int leader)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = config,
		.disabled = leader < 0,
		.exclude_kernel = user,
		.exclude_hv = 1,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED |
			       PERF_FORMAT_TOTAL_TIME_RUNNING,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, leader, 0);
}

static int event(uint64_t config, bool user, int leader)
{
	int fd = try_event(config, user, leader);

	if (fd < 0) {
		perror("perf_event_open");
		exit(1);
	}
	return fd;
}

static struct count take(int fd)
{
	struct count c;

	if (read(fd, &c, sizeof(c)) != sizeof(c)) {
		perror("read");
		exit(1);
	}
	return c;
}

/* After all of a group were read: without its leader it counts on. */
static void close_all(const int *fds, int n)
{
	while (n--)
		close(fds[n]);
}

static double share_of(const struct count *c)
{
	return (double)c->running / c->enabled;
}

static void show(const char *name, bool user, const struct count *c)
{
	printf("  %s%s: %llu, ran %.2f%% of %llu turns\n", name,
	       user ? ":u" : "", (unsigned long long)c->value,
	       share_of(c) * 100, (unsigned long long)(c->enabled / SLICE));
}

/* The kernel's own work is in the count where it is not excluded. */
static bool is_right(int kind, const struct count *c)
{
	double raw = c->value / (LOOP * kinds[kind].per_instruction);
	double scaled = raw / share_of(c);

	printf("    raw %.2f%%, scaled %.2f%%\n", raw * 100, scaled * 100);
	return share_of(c) > 0.45 && share_of(c) < 0.55 && raw > 0.45 &&
	       raw < 0.55 && scaled > 0.98 && scaled < 1.02 &&
	       c->enabled > TURNS * SLICE;
}

static void twelve_events(void)
{
	int fds[2][KINDS];
	bool good = true;
	int user, i;

	for (i = 0; i < KINDS; i++)
		for (user = 0; user < 2; user++)
			fds[user][i] = event(kinds[i].config, user, -1);
	for (i = 0; i < KINDS; i++)
		for (user = 0; user < 2; user++)
			ioctl(fds[user][i], PERF_EVENT_IOC_ENABLE, 0);
	loop(LOOP);
	for (i = 0; i < KINDS; i++)
		for (user = 0; user < 2; user++)
			ioctl(fds[user][i], PERF_EVENT_IOC_DISABLE, 0);
	for (i = 0; i < KINDS; i++)
		for (user = 0; user < 2; user++) {
			struct count c = take(fds[user][i]);

			show(kinds[i].name, user, &c);
			good &= is_right(i, &c);
		}
	close_all(fds[0], 2 * KINDS);
	verdict(good, "twelve-events-on-six-counters");
}

/* A group of all kinds */
static void open_group(int *fds, bool user)
{
	int i;

	for (i = 0; i < KINDS; i++)
		fds[i] = event(kinds[i].config, user,
			       i ? fds[0] : -1);
}

static bool is_whole(const int *fds, bool user)
{
	struct count c[KINDS];
	bool good = true;
	int i;

	for (i = 0; i < KINDS; i++) {
		c[i] = take(fds[i]);
		show(kinds[i].name, user, &c[i]);
	}
	for (i = 0; i < KINDS; i++) {
		double should = c[kinds[i].base].value * kinds[i].share;

		good &= c[i].value > 0 && fabs(c[i].value - should) < SLACK &&
			c[i].running == c[0].running &&
			c[i].enabled == c[0].enabled;
	}
	return good;
}

static void one_group(void)
{
	int fds[KINDS];

	open_group(fds, true);
	ioctl(fds[0], PERF_EVENT_IOC_ENABLE, 0);
	loop(LOOP / 10);
	ioctl(fds[0], PERF_EVENT_IOC_DISABLE, 0);
	verdict(is_whole(fds, true), "a-group-of-six-is-exact");
	close_all(fds, KINDS);
}

static void two_groups(bool shares)
{
	int fds[2][KINDS];
	bool good = true;
	int user;

	for (user = 0; user < 2; user++)
		open_group(fds[user], user);
	for (user = 0; user < 2; user++)
		ioctl(fds[user][0], PERF_EVENT_IOC_ENABLE, 0);
	loop(LOOP);
	for (user = 0; user < 2; user++)
		ioctl(fds[user][0], PERF_EVENT_IOC_DISABLE, 0);
	for (user = 0; user < 2; user++) {
		struct count c = take(fds[user][0]);

		good &= is_whole(fds[user], user);
		good &= !shares || is_right(0, &c);
	}
	close_all(fds[0], 2 * KINDS);
	verdict(good, "two-groups-of-six-are-exact");
}

/* No turn could have all of it, and a part is not what was asked for. */
static void group_of_seven(void)
{
	int fds[KINDS];
	int seventh;

	open_group(fds, true);
	seventh = try_event(PERF_COUNT_HW_INSTRUCTIONS, false, fds[0]);
	verdict(seventh < 0 && errno == EINVAL, "a-group-of-seven-is-refused");
	ioctl(fds[0], PERF_EVENT_IOC_ENABLE, 0);
	loop(LOOP / 10);
	ioctl(fds[0], PERF_EVENT_IOC_DISABLE, 0);
	verdict(is_whole(fds, true), "six-of-it-count");
	close_all(fds, KINDS);
}

int main(int argc, char **argv)
{
	bool shares = false, groups = true;

	while (--argc) {
		shares |= !strcmp(argv[argc], "--deterministic");
		groups &= !!strcmp(argv[argc], "--no-groups");
	}
	if (shares)
		twelve_events();
	one_group();
	if (groups) {
		two_groups(shares);
		group_of_seven();
	}
	return !all_good;
}
