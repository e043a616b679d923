// SPDX-License-Identifier: GPL-2.0-only
/*
 * honest all N [WORD]: a loop of N instructions, half of it in a child, counted
 *               by a single event and a group, to the half, and by an inherited
 *               and a per-CPU event; marks WORD-begin, WORD-half and WORD-end
 * honest six N: a loop of N instructions, counted by six events
 * honest grouped N: the same, the six in a group
 * honest pinned N: the same by a pinned event
 *
 * A line for each reader: its name, the percentage of the time it was enabled
 * that it ran, and its scaled count in percent of what it should be.
 */
#define _GNU_SOURCE
#include <fcntl.h>
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

#define HW_END 6

static struct perf_event_attr describe(uint64_t config)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = config,
		.disabled = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED |
			       PERF_FORMAT_TOTAL_TIME_RUNNING,
	};

	return attr;
}

static int event(struct perf_event_attr *attr, pid_t pid, int cpu, int group)
{
	int fd = syscall(SYS_perf_event_open, attr, pid, cpu, group, 0);

	if (fd < 0) {
		perror("perf_event_open");
		exit(1);
	}
	return fd;
}

static void judge(const char *name, double value, double enabled,
		  double running, double truth)
{
	if (!enabled)
		printf("%s no time\n", name);
	else if (!running)
		printf("%s 0.00 0.00\n", name);
	else
		printf("%s %.2f %.2f\n", name, 100 * running / enabled,
		       100 * value * enabled / running / truth);
}

static void judge_fd(const char *name, int fd, double truth)
{
	uint64_t c[3];
	ssize_t n = read(fd, c, sizeof(c));

	if (n == sizeof(c))
		judge(name, c[0], c[1], c[2], truth);
	else
		printf("%s error %zd\n", name, n);
}

/* What a reader of the event's page sees, without a call. */
static void judge_page(const char *name, struct perf_event_mmap_page *page,
		       double truth)
{
	uint64_t value, enabled, running;
	uint32_t seq;

	do {
		seq = __atomic_load_n(&page->lock, __ATOMIC_ACQUIRE);
		value = page->offset;
		enabled = page->time_enabled;
		running = page->time_running;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (__atomic_load_n(&page->lock, __ATOMIC_RELAXED) != seq);
	judge(name, value, enabled, running, truth);
}

static void *page_of(int fd)
{
	void *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	if (page == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return page;
}

static void on_cpu_0(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

/* As lab-mark does, but in no other process. */
static void mark(const char *word, const char *where)
{
	int fd = open("/dev/ttyS2", O_WRONLY | O_CLOEXEC);

	if (fd < 0) {
		perror("/dev/ttyS2");
		exit(1);
	}
	dprintf(fd, "mark %s-%s\n", word, where);
	close(fd);
}

static void all(uint64_t n, const char *word)
{
	struct perf_event_attr a = describe(PERF_COUNT_HW_INSTRUCTIONS);
	int single = event(&a, 0, -1, -1);
	int whole = event(&a, -1, 0, -1);
	struct perf_event_mmap_page *page = page_of(single);
	struct perf_event_attr member = describe(PERF_COUNT_HW_CPU_CYCLES);
	int inherited, leader;
	uint64_t g[5];

	a.inherit = 1;
	inherited = event(&a, 0, -1, -1);
	a.inherit = 0;
	a.read_format |= PERF_FORMAT_GROUP;
	leader = event(&a, 0, -1, -1);
	member.disabled = 0;
	event(&member, 0, -1, leader);

	on_cpu_0();
	if (word)
		mark(word, "begin");
	ioctl(single, PERF_EVENT_IOC_ENABLE, 0);
	ioctl(whole, PERF_EVENT_IOC_ENABLE, 0);
	ioctl(inherited, PERF_EVENT_IOC_ENABLE, 0);
	ioctl(leader, PERF_EVENT_IOC_ENABLE, 0);
	loop(n / 2);
	ioctl(single, PERF_EVENT_IOC_DISABLE, 0);
	ioctl(leader, PERF_EVENT_IOC_DISABLE, 0);
	if (word)
		mark(word, "half");
	if (!fork()) {
		loop(n / 2);
		_exit(0);
	}
	wait(NULL);
	ioctl(whole, PERF_EVENT_IOC_DISABLE, 0);
	ioctl(inherited, PERF_EVENT_IOC_DISABLE, 0);
	if (word)
		mark(word, "end");

	judge_page("page", page, n / 2.);
	judge_fd("single", single, n / 2.);
	judge_fd("cpu", whole, n);
	judge_fd("inherited", inherited, n);
	if (read(leader, g, sizeof(g)) != sizeof(g)) {
		printf("group error\n");
		return;
	}
	judge("leader", g[3], g[1], g[2], n / 2.);
	judge("member", g[4], g[1], g[2], n);
}

static const double share_of[HW_END] = {
	[PERF_COUNT_HW_CPU_CYCLES] = 2,
	[PERF_COUNT_HW_INSTRUCTIONS] = 1,
	[PERF_COUNT_HW_CACHE_REFERENCES] = 1. / 8,
	[PERF_COUNT_HW_CACHE_MISSES] = 1. / 128,
	[PERF_COUNT_HW_BRANCH_INSTRUCTIONS] = 1. / LOOP_LENGTH,
	[PERF_COUNT_HW_BRANCH_MISSES] = 1. / LOOP_LENGTH / 16,
};

static void six(uint64_t n)
{
	int fd[HW_END], i;

	for (i = 0; i < HW_END; i++) {
		struct perf_event_attr a = describe(i);

		fd[i] = event(&a, 0, -1, -1);
	}
	for (i = 0; i < HW_END; i++)
		ioctl(fd[i], PERF_EVENT_IOC_ENABLE, 0);
	loop(n);
	for (i = 0; i < HW_END; i++)
		ioctl(fd[i], PERF_EVENT_IOC_DISABLE, 0);
	for (i = 0; i < HW_END; i++)
		judge_fd("six", fd[i], n * share_of[i]);
}

static void grouped(uint64_t n)
{
	struct {
		uint64_t nr, enabled, running, value[HW_END];
	} g;
	int leader = -1, i;

	for (i = 0; i < HW_END; i++) {
		struct perf_event_attr a = describe(i);
		int fd;

		a.disabled = !i;
		a.read_format |= PERF_FORMAT_GROUP;
		fd = event(&a, 0, -1, leader);
		if (!i)
			leader = fd;
	}
	ioctl(leader, PERF_EVENT_IOC_ENABLE, 0);
	loop(n);
	ioctl(leader, PERF_EVENT_IOC_DISABLE, 0);
	if (read(leader, &g, sizeof(g)) != sizeof(g)) {
		printf("grouped error\n");
		return;
	}
	for (i = 0; i < HW_END; i++)
		judge("grouped", g.value[i], g.enabled, g.running,
		      n * share_of[i]);
}

/* The loop in pieces: an event that is in error stays so. */
static void pinned(uint64_t n)
{
	struct perf_event_attr a = describe(PERF_COUNT_HW_INSTRUCTIONS);
	uint64_t c[3];
	int i, fd;

	a.pinned = 1;
	fd = event(&a, 0, -1, -1);
	ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
	for (i = 0; i < 10; i++) {
		loop(n / 10);
		if (read(fd, c, sizeof(c)) != sizeof(c))
			break;
	}
	judge_fd("pinned", fd, n);
	ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
}

int main(int argc, char **argv)
{
	const char *what = argc == 3 || argc == 4 ? argv[1] : "";
	uint64_t n = *what ? strtoull(argv[2], NULL, 0) : 0;

	if (!strcmp(what, "all")) {
		all(n, argv[3]);
	} else if (!strcmp(what, "six")) {
		six(n);
	} else if (!strcmp(what, "grouped")) {
		grouped(n);
	} else if (!strcmp(what, "pinned")) {
		pinned(n);
	} else {
		fprintf(stderr, "usage: honest all|six|grouped|pinned N [WORD]\n");
		return 2;
	}
	return 0;
}
