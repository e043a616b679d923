// SPDX-License-Identifier: GPL-2.0-only
/* Counting. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

/* What enabling, disabling and calling may add to a count of user code. */
#define SLACK 200

static const uint64_t lengths[] = { 100000, 1000000, 20000000 };

/* Counts loop(n) with one event: its share of n must be mul / div. */
static void count_loop(uint32_t type, uint64_t config, uint64_t mul,
		       uint64_t div, uint64_t slack)
{
	unsigned int i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		int fd = event_counter(type, config, U, -1);
		struct count c;

		event_enable(fd);
		loop(lengths[i]);
		event_disable(fd);
		c = event_read(fd);
		if (c.running != c.enabled)
			fail("ran %llu of %llu ns",
			     (unsigned long long)c.running,
			     (unsigned long long)c.enabled);
		near("count", c.value, lengths[i] * mul / div, slack);
		close(fd);
	}
}

TEST(instructions, "count/instructions")
{
	count_loop(HW(INSTRUCTIONS), 1, 1, SLACK);
}

TEST(cycles, "count/cycles-are-twice-that")
{
	count_loop(HW(CPU_CYCLES), 2, 1, 2 * SLACK);
}

TEST(branches, "count/branches")
{
	count_loop(HW(BRANCH_INSTRUCTIONS), 1, LOOP_LENGTH, SLACK / 2);
}

TEST(branch_misses, "count/branch-misses")
{
	count_loop(HW(BRANCH_MISSES), 1, 16 * LOOP_LENGTH, SLACK / 2);
}

TEST(cache_references, "count/cache-references")
{
	count_loop(HW(CACHE_REFERENCES), 1, 8, SLACK / 2);
}

TEST(cache_misses, "count/cache-misses")
{
	count_loop(HW(CACHE_MISSES), 1, 128, SLACK / 2);
}

TEST(hw_cache, "count/hw-cache-l1d-loads")
{
	count_loop(PERF_TYPE_HW_CACHE, PERF_COUNT_HW_CACHE_L1D |
		   PERF_COUNT_HW_CACHE_OP_READ << 8 |
		   PERF_COUNT_HW_CACHE_RESULT_ACCESS << 16, 1, 2, SLACK / 2);
}

/* Counts a loop with an event that @attr describes. */
static uint64_t count_by(struct perf_event_attr *attr)
{
	int fd = event_open(attr, 0, -1, -1);
	struct count c;

	event_enable(fd);
	loop(lengths[1]);
	event_disable(fd);
	c = event_read(fd);
	close(fd);
	return c.value;
}

/* Guests of this kernel: there are none. */
TEST(guests_of_ours, "count/without-guests-and-only-guests")
{
	struct perf_event_attr a = event_attr(HW(INSTRUCTIONS), U);

	a.exclude_guest = 1;
	near("without guests", count_by(&a), lengths[1], SLACK);
	a.exclude_guest = 0;
	a.exclude_host = 1;
	near("only guests", count_by(&a), 0, 0);
}

/* As x86 does: leaving out all is no error, and of idle nothing is left out. */
TEST(odd_filters, "count/odd-filters-do-as-on-x86")
{
	struct perf_event_attr a = event_attr(HW(INSTRUCTIONS), U);

	a.exclude_idle = 1;
	near("without idle", count_by(&a), lengths[1], SLACK);
	a.exclude_user = 1;
	a.exclude_kernel = 1;
	near("without all", count_by(&a), 0, 0);
}

/* As PAPI and perf's lists have them: retired instructions, with EN and INT set
 * as libpfm4 does.  The number is the same on AMD and Intel. */
TEST(raw_generic, "count/own-number-of-a-generic-event")
{
	struct perf_event_attr a = event_attr(PERF_TYPE_RAW, 0x5300c0, U);

	near("number 0xc0", count_by(&a), lengths[1], SLACK);
}

TEST(bad_event, "count/unknown-events-are-refused")
{
	struct perf_event_attr a = event_attr(PERF_TYPE_HARDWARE, 100, ALL);
	int fd;

	fd = event_try(&a, 0, -1, -1);
	if (fd != -EINVAL)
		fail("config 100: %d", fd);
	detail("%s", strerror(-fd));
}

TEST(user_kernel, "count/user-and-kernel-add-up")
{
	int all = event_counter(HW(INSTRUCTIONS), ALL, -1);
	int user = event_counter(HW(INSTRUCTIONS), U, all);
	int kernel = event_counter(HW(INSTRUCTIONS), K, all);
	struct count a, u, k;
	int i;

	event_enable(all);
	for (i = 0; i < 2000; i++) {
		syscall(SYS_getppid);
		loop(10000);
	}
	event_disable(all);
	a = event_read(all);
	u = event_read(user);
	k = event_read(kernel);
	if (k.value < 2000 * 50)
		fail("only %llu kernel instructions in 2000 system calls",
		     (unsigned long long)k.value);
	near("user", u.value, 2000 * 10000ULL, 2000 * 60 + SLACK);
	near("user + kernel", u.value + k.value, a.value, a.value / 1000);
}

TEST(group, "count/group-counts-the-same-time")
{
	int ins = event_counter(HW(INSTRUCTIONS), U, -1);
	int cyc = event_counter(HW(CPU_CYCLES), U, ins);
	struct count i, c;

	event_enable(ins);
	loop(5000000);
	event_disable(ins);
	i = event_read(ins);
	c = event_read(cyc);
	near("instructions", i.value, 5000000, SLACK);
	near("cycles", c.value, 2 * i.value, SLACK);
	if (i.running != c.running)
		fail("members ran %llu and %llu ns",
		     (unsigned long long)i.running,
		     (unsigned long long)c.running);
}

TEST(six, "count/six-events-at-once")
{
	static const struct {
		uint64_t config, mul, div;
	} ev[] = {
		{ PERF_COUNT_HW_INSTRUCTIONS, 1, 1 },
		{ PERF_COUNT_HW_CPU_CYCLES, 2, 1 },
		{ PERF_COUNT_HW_BRANCH_INSTRUCTIONS, 1, 10 },
		{ PERF_COUNT_HW_BRANCH_MISSES, 1, 160 },
		{ PERF_COUNT_HW_INSTRUCTIONS, 1, 1 },
		{ PERF_COUNT_HW_CPU_CYCLES, 2, 1 },
	};
	int fd[6], i;

	for (i = 0; i < 6; i++)
		fd[i] = event_counter(PERF_TYPE_HARDWARE, ev[i].config, U, -1);
	for (i = 0; i < 6; i++)
		event_enable(fd[i]);
	loop(2000000);
	for (i = 0; i < 6; i++)
		event_disable(fd[i]);
	for (i = 0; i < 6; i++) {
		struct count c = event_read(fd[i]);

		near("count", c.value, 2000000 * ev[i].mul / ev[i].div,
		     4 * SLACK);
		if (c.running != c.enabled)
			fail("event %d ran %llu of %llu ns", i,
			     (unsigned long long)c.running,
			     (unsigned long long)c.enabled);
	}
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* More events than any PMU has counters: perf takes turns, scaled counts hold. */
TEST(multiplex, "count/multiplexed-events-scale")
{
	enum { N = 48 };
	const uint64_t step = 10000000;
	uint64_t n = 0, end = now_ns() + 500000000;
	int fd[N], i, shared = 0;
	double worst = 0;

	for (i = 0; i < N; i++)
		fd[i] = event_counter(HW(INSTRUCTIONS), U, -1);
	for (i = 0; i < N; i++)
		event_enable(fd[i]);
	do {
		loop(step);
		n += step;
	} while (now_ns() < end);
	for (i = 0; i < N; i++)
		event_disable(fd[i]);
	for (i = 0; i < N; i++) {
		struct count c = event_read(fd[i]);
		double scaled, off;

		if (c.running > c.enabled)
			fail("event %d ran longer than it was enabled", i);
		if (!c.running) {
			if (c.value)
				fail("event %d counted %llu without running",
				     i, (unsigned long long)c.value);
			continue;
		}
		if (c.running < c.enabled)
			shared++;
		scaled = (double)c.value * c.enabled / c.running;
		off = scaled / n - 1;
		if (off < 0)
			off = -off;
		if (off > worst)
			worst = off;
	}
	if (!shared)
		skip("all %d events fit at once", N);
	detail("%d of %d events took turns, worst error %.1f%%", shared, N,
	       worst * 100);
	/* elsewhere the time that is shared out may stand still for a while */
	if (deterministic && worst > 0.2)
		fail("scaled counts are off");
}

TEST(stopped, "count/a-stopped-event-stands-still")
{
	int fd = event_counter(HW(INSTRUCTIONS), U, -1);
	struct count a, b;

	event_enable(fd);
	loop(100000);
	event_disable(fd);
	a = event_read(fd);
	loop(1000000);
	b = event_read(fd);
	if (a.value != b.value || a.enabled != b.enabled ||
	    a.running != b.running)
		fail("moved from %llu to %llu", (unsigned long long)a.value,
		     (unsigned long long)b.value);
	event_enable(fd);
	loop(100000);
	event_disable(fd);
	near("count", event_read(fd).value, 200000, 2 * SLACK);
}

TEST(reset, "count/reset")
{
	int fd = event_counter(HW(INSTRUCTIONS), U, -1);

	event_enable(fd);
	loop(1000000);
	if (ioctl(fd, PERF_EVENT_IOC_RESET, 0))
		fail("PERF_EVENT_IOC_RESET: %s", strerror(errno));
	loop(500000);
	event_disable(fd);
	near("count", event_read(fd).value, 500000, SLACK);
}

TEST(running_read, "count/reads-of-a-running-event-grow")
{
	int fd = event_counter(HW(INSTRUCTIONS), U, -1);
	uint64_t last = 0;
	int i;

	event_enable(fd);
	for (i = 1; i <= 100; i++) {
		struct count c;

		loop(10000);
		c = event_read(fd);
		if (c.value < last + 10000 || c.value > last + 10000 + SLACK)
			fail("read %d: %llu after %llu", i,
			     (unsigned long long)c.value,
			     (unsigned long long)last);
		last = c.value;
	}
	near("count", last, 1000000, 100 * SLACK);
}

static long switches_so_far(void)
{
	struct rusage u;

	if (getrusage(RUSAGE_SELF, &u))
		fail("getrusage: %s", strerror(errno));
	return u.ru_nvcsw + u.ru_nivcsw;
}

/* Between two readings of a clock inside it, and within that clock's whole life:
 * whatever the host does to us between two calls is in the longer one, too.  The
 * clock is read, not joined by a second one: to enable an event stops the time of
 * all that the task has of its kind, for as long as that takes.  Returns how often
 * we were switched meanwhile. */
static long enabled_between(struct count *c, uint64_t *least, uint64_t *most)
{
	int fd = event_counter(HW(INSTRUCTIONS), ALL, -1);
	struct perf_event_attr a = event_attr(PERF_TYPE_SOFTWARE,
					      PERF_COUNT_SW_TASK_CLOCK, ALL);
	int clock = event_open(&a, 0, -1, -1);
	long switches = switches_so_far();
	uint64_t begin, end;

	event_enable(clock);
	event_enable(fd);
	begin = event_read(clock).enabled;
	loop(1000000);
	end = event_read(clock).enabled;
	event_disable(fd);
	event_disable(clock);
	switches = switches_so_far() - switches;
	*c = event_read(fd);
	*least = end - begin;
	*most = event_read(clock).enabled;
	close(clock);
	close(fd);
	return switches;
}

/* Not over a switch: perf switches hardware and software events one after the
 * other, and what the host does to us between these is in one of them only. */
TEST(times, "count/enabled-time-is-time")
{
	int tries = 50;
	uint64_t least, most;
	struct count c;

	while (enabled_between(&c, &least, &most) && --tries)
		;
	detail("enabled %llu, running %llu of %llu to %llu ns",
	       (unsigned long long)c.enabled, (unsigned long long)c.running,
	       (unsigned long long)least, (unsigned long long)most);
	if (!tries)
		fail("never so long without a switch");
	if (c.running > c.enabled)
		fail("it ran longer than it was enabled");
	if (c.enabled > most || c.enabled < least)
		fail("not the time that it was enabled");
}

TEST(inherit, "count/children-are-inherited")
{
	struct perf_event_attr a = event_attr(HW(INSTRUCTIONS), U);
	pid_t pid;
	int fd;

	a.inherit = 1;
	fd = event_open(&a, 0, -1, -1);
	event_enable(fd);
	pid = fork();
	if (!pid) {
		loop(3000000);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	loop(1000000);
	event_disable(fd);
	/* fork and exit run user code of the C library, too */
	near("count", event_read(fd).value, 4000000, 20000);
}

TEST(other_task, "count/another-task")
{
	struct perf_event_attr a = event_attr(HW(INSTRUCTIONS), U);
	int go[2], fd;
	char byte;
	pid_t pid;

	if (pipe(go))
		fail("pipe");
	pid = fork();
	if (!pid) {
		if (read(go[0], &byte, 1) != 1)
			_exit(1);
		loop(3000000);
		_exit(0);
	}
	fd = event_open(&a, pid, -1, -1);
	event_enable(fd);
	loop(1000000);
	if (write(go[1], "x", 1) != 1)
		fail("write");
	waitpid(pid, NULL, 0);
	near("count", event_read(fd).value, 3000000, 5000);
}

TEST(two_tasks, "count/two-tasks-do-not-mix")
{
	int fd[2], up[2], down[2], i;
	char byte = 0;
	pid_t pid;

	run_on(0);
	if (pipe(up) || pipe(down))
		fail("pipe");
	pid = fork();
	if (!pid) {
		int mine = event_counter(HW(INSTRUCTIONS), U, -1);
		uint64_t v;

		event_enable(mine);
		for (i = 0; i < 200; i++) {
			if (read(down[0], &byte, 1) != 1)
				_exit(1);
			loop(20000);
			if (write(up[1], &byte, 1) != 1)
				_exit(1);
		}
		event_disable(mine);
		v = event_read(mine).value;
		if (write(up[1], &v, sizeof(v)) != sizeof(v))
			_exit(1);
		_exit(0);
	}
	fd[0] = event_counter(HW(INSTRUCTIONS), U, -1);
	event_enable(fd[0]);
	for (i = 0; i < 200; i++) {
		loop(10000);
		if (write(down[1], &byte, 1) != 1 || read(up[0], &byte, 1) != 1)
			fail("the other task ended");
	}
	event_disable(fd[0]);
	{
		uint64_t v = 0;

		if (read(up[0], &v, sizeof(v)) != sizeof(v))
			fail("no count from the other task");
		near("one", event_read(fd[0]).value, 200 * 10000, 200 * 100);
		near("other", v, 200 * 20000, 200 * 100);
	}
	waitpid(pid, NULL, 0);
}

TEST(per_cpu, "count/whole-cpu")
{
	struct perf_event_attr a = event_attr(HW(INSTRUCTIONS), U);
	int cpu, fd;
	uint64_t v;

	for (cpu = 0; cpu < cpus(); cpu++) {
		run_on(cpu);
		fd = event_open(&a, -1, cpu, -1);
		event_enable(fd);
		loop(5000000);
		event_disable(fd);
		v = event_read(fd).value;
		/* whatever else ran on that CPU is in it */
		if (v < 5000000)
			fail("CPU %d: %llu of 5000000", cpu,
			     (unsigned long long)v);
		detail("CPU %d: count %llu", cpu, (unsigned long long)v);
	}
}

TEST(both, "count/task-and-cpu-events-together")
{
	struct perf_event_attr a = event_attr(HW(INSTRUCTIONS), U);
	int cpu, task;

	run_on(0);
	cpu = event_open(&a, -1, 0, -1);
	task = event_counter(HW(INSTRUCTIONS), U, -1);
	event_enable(cpu);
	event_enable(task);
	loop(1000000);
	event_disable(task);
	event_disable(cpu);
	near("task", event_read(task).value, 1000000, SLACK);
	if (event_read(cpu).value < 1000000)
		fail("the CPU's event missed some");
}
