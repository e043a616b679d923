// SPDX-License-Identifier: GPL-2.0-only
/* What tools use beside counting and sampling: perf, rr, bpftrace, profilers. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define SLACK 200

/* Samples that are in the ring, which did not go round; ends with NULL. */
static const struct perf_event_header *next_sample(const struct sampler *s,
						   uint64_t *pos)
{
	const struct perf_event_mmap_page *page = s->ring;

	while (*pos < page->data_head) {
		const struct perf_event_header *h =
			(const void *)((const char *)s->ring + 4096 + *pos);

		*pos += h->size;
		if (h->type == PERF_RECORD_SAMPLE)
			return h;
	}
	return NULL;
}

static uint64_t samples_until_now(struct sampler *s)
{
	uint64_t before = s->samples;

	sampler_drain(s);
	return s->samples - before;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t now_ms(void)
{
	return now_ns() / 1000000;
}

/* Hardly any branches: one in some thousand instructions. */
static void straight(uint64_t ms)
{
	uint64_t end = now_ms() + ms;
	int i;

	while (now_ms() < end)
		for (i = 0; i < 200; i++)
			asm volatile(".rept 4000\n nop\n .endr");
}

/* Every second instruction is one. */
static void branching(uint64_t ms)
{
	uint64_t end = now_ms() + ms;
	long n;

	while (now_ms() < end) {
		n = 100000;
		asm volatile("1: dec %0\n jnz 1b" : "+r"(n));
	}
}

/* What perf chose for the old rate is much too long for the new one. */
TEST(rate_drops, "tools/frequency-when-the-rate-drops")
{
	struct sampler s = sampler_open(HW(BRANCH_INSTRUCTIONS), U, 1000, true,
					0);
	uint64_t fast, first, second, count;

	event_enable(s.fd);
	branching(300);
	fast = samples_until_now(&s);
	straight(500);
	first = samples_until_now(&s);
	count = event_read(s.fd).value;
	straight(500);
	second = samples_until_now(&s);
	count = event_read(s.fd).value - count;
	event_disable(s.fd);
	detail("%llu samples, then %llu and %llu of %llu branches",
	       (unsigned long long)fast, (unsigned long long)first,
	       (unsigned long long)second, (unsigned long long)count);
	if (fast < 30)
		fail("too few at the high rate");
	/* No period below some thousand is promised. */
	if (second < 50 && second < count / 5000)
		fail("the period does not follow");
}

TEST(reset, "tools/reset-while-sampling")
{
	struct sampler s = sampler_open(HW(INSTRUCTIONS), U, 1000, true, 0);
	uint64_t before, after;

	event_enable(s.fd);
	loop(100000000);
	before = samples_until_now(&s);
	if (ioctl(s.fd, PERF_EVENT_IOC_RESET, 0))
		fail("PERF_EVENT_IOC_RESET: %s", strerror(errno));
	loop(100000000);
	after = samples_until_now(&s);
	event_disable(s.fd);
	near("count since", event_read(s.fd).value, 100000000, 50 * SLACK);
	detail("%llu samples before, %llu after", (unsigned long long)before,
	       (unsigned long long)after);
	if (after < before / 3)
		fail("too few after it");
}

/*
 * perf swaps the counts of two tasks that have the same events when it switches
 * between them.
 */
TEST(inherit_stat, "tools/inherit-stat")
{
	struct perf_event_attr a = event_attr(HW(INSTRUCTIONS), U);
	struct count c;
	int fd, i, k, child;

	a.inherit = 1;
	a.inherit_stat = 1;
	run_on(0);
	fd = event_open(&a, 0, -1, -1);
	event_enable(fd);
	for (child = 0; child < 2; child++) {
		if (fork())
			continue;
		for (i = 0; i < 200; i++) {
			loop(10000 * (child + 1));
			sched_yield();
		}
		_exit(0);
	}
	for (k = 0; k < 2; k++)
		wait(NULL);
	event_disable(fd);
	c = event_read(fd);
	near("children", c.value, 200 * 30000, 400 * SLACK);
	if (c.running != c.enabled)
		fail("ran %llu of %llu ns", (unsigned long long)c.running,
		     (unsigned long long)c.enabled);
}

/* The same with samples at a frequency, as perf record -s has it */
TEST(inherit_stat_freq, "tools/inherit-stat-at-a-frequency")
{
	struct perf_event_attr a = event_attr(HW(INSTRUCTIONS), U);
	struct sampler s = { .size = 513 * 4096UL };
	uint64_t end, first, second;
	int child;

	a.inherit = 1;
	a.inherit_stat = 1;
	a.freq = 1;
	a.sample_freq = 1000;
	a.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_PERIOD;
	run_on(0);
	s.fd = event_open(&a, 0, 0, -1);
	s.ring = mmap(NULL, s.size, PROT_READ | PROT_WRITE, MAP_SHARED, s.fd, 0);
	if (s.ring == MAP_FAILED)
		fail("mmap of the ring: %s", strerror(errno));
	event_enable(s.fd);
	end = now_ms() + 1000;
	for (child = 0; child < 2; child++) {
		if (fork())
			continue;
		/* The two have counted as differently as can be. */
		if (child)
			loop(100000000);
		while (now_ms() < end) {
			loop(100000);
			sched_yield();
		}
		_exit(0);
	}
	while (now_ms() < end - 500)
		usleep(10000);
	first = samples_until_now(&s);
	wait(NULL);
	wait(NULL);
	second = samples_until_now(&s);
	event_disable(s.fd);
	detail("%llu samples in the first half, %llu in the second",
	       (unsigned long long)first, (unsigned long long)second);
	if (second < 50 || second < first / 4)
		fail("too few in the second");
}

/*
 * perf stat -I drops a count whose time did not run.  Where the guest's own clock
 * stands still, as on an emulator whose CPUs have clocks of their own, perf's does
 * as well; the time may lag behind it by what a reading takes.
 */
TEST(times, "tools/time-runs-while-it-counts")
{
	int fd = event_counter(HW(INSTRUCTIONS), U, -1), i;
	struct count last = { 0 }, c;
	uint64_t stands = 0, ours = 0, before = now_ns(), now;

	event_enable(fd);
	for (i = 0; i < 3000; i++) {
		loop(20000);
		c = event_read(fd);
		now = now_ns();
		if (c.running == last.running) {
			stands++;
			ours += now - before > 1000000;
		}
		last = c;
		before = now;
	}
	event_disable(fd);
	detail("stood still in %llu of %d readings", (unsigned long long)stands,
	       i);
	if (ours)
		fail("%llu times while the clock ran on",
		     (unsigned long long)ours);
	if (deterministic && stands)
		fail("the clock stands still");
}

/* It has the PMU for itself or waits. */
TEST(exclusive, "tools/exclusive")
{
	struct perf_event_attr a = event_attr(HW(INSTRUCTIONS), U);
	struct count before, c, o;
	int fd, other;

	a.exclusive = 1;
	fd = event_open(&a, 0, -1, -1);
	event_enable(fd);
	loop(10000000);
	event_disable(fd);
	before = event_read(fd);
	near("alone", before.value, 10000000, SLACK);
	other = event_counter(HW(BRANCH_INSTRUCTIONS), U, -1);
	event_enable(fd);
	event_enable(other);
	loop(100000000);
	event_disable(fd);
	event_disable(other);
	c = event_read(fd);
	o = event_read(other);
	c.running -= before.running;
	c.enabled -= before.enabled;
	detail("ran %llu of %llu us, the other %llu of %llu",
	       (unsigned long long)c.running / 1000,
	       (unsigned long long)c.enabled / 1000,
	       (unsigned long long)o.running / 1000,
	       (unsigned long long)o.enabled / 1000);
	if (c.running + o.running > c.enabled + c.enabled / 10)
		fail("both at once");
	if (!c.running || !o.running)
		fail("no turns");
}

/* As perf record does for several events on a CPU */
TEST(output, "tools/two-events-in-one-ring")
{
	struct sampler s = sampler_open(HW(INSTRUCTIONS), U, 100000, false, 0);
	struct perf_event_attr a = event_attr(HW(BRANCH_INSTRUCTIONS), U);
	int other;

	a.sample_period = 20000;
	a.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_PERIOD;
	other = event_open(&a, 0, -1, -1);
	if (ioctl(other, PERF_EVENT_IOC_SET_OUTPUT, s.fd))
		fail("PERF_EVENT_IOC_SET_OUTPUT: %s", strerror(errno));
	event_enable(s.fd);
	event_enable(other);
	loop(5000000);
	event_disable(s.fd);
	event_disable(other);
	sampler_drain(&s);
	detail("%llu of 75 samples", (unsigned long long)s.samples);
	/* 50 of the first, so there are some of both */
	if (s.samples > 76 || s.samples < (deterministic ? 73 : 52))
		fail("not those of both");
}

/* Each sample has the counts of its group as they were at that moment. */
TEST(sample_read, "tools/samples-read-their-group")
{
	struct sampler s;
	struct perf_event_attr a = event_attr(HW(INSTRUCTIONS), U);
	uint64_t pos = 0, n = 0, last = 0, far = 0;
	const struct perf_event_header *h;
	int sibling;

	a.sample_period = 100000;
	a.sample_type = PERF_SAMPLE_READ;
	a.read_format = PERF_FORMAT_GROUP;
	s.size = 513 * 4096UL;
	s.fd = event_open(&a, 0, -1, -1);
	s.ring = mmap(NULL, s.size, PROT_READ | PROT_WRITE, MAP_SHARED, s.fd, 0);
	if (s.ring == MAP_FAILED)
		fail("mmap of the ring: %s", strerror(errno));
	sibling = event_counter(HW(BRANCH_INSTRUCTIONS), U, s.fd);
	event_enable(s.fd);
	loop(10000000);
	event_disable(s.fd);
	while ((h = next_sample(&s, &pos))) {
		const uint64_t *read = (const void *)(h + 1);

		if (read[0] != 2)
			fail("%llu in the group", (unsigned long long)read[0]);
		if (read[1] < last + 100000)
			fail("the count goes back or stands");
		last = read[1];
		/* One instruction in ten is a branch. */
		far += read[2] * 10 > read[1] + 4 * SLACK ||
		       read[2] * 10 + 4 * SLACK < read[1];
		n++;
	}
	detail("%llu samples, the last at %llu", (unsigned long long)n,
	       (unsigned long long)last);
	if (n < (deterministic ? 98 : 20))
		fail("too few samples");
	if (far)
		fail("%llu with counts of different moments",
		     (unsigned long long)far);
	close(sibling);
}

#define REG_SP 7
#define REG_IP 8
#define STACK 256

/* What a profiler unwinds without frame pointers */
TEST(registers, "tools/registers-and-stack")
{
	struct perf_event_attr a = event_attr(HW(INSTRUCTIONS), U);
	uint64_t pos = 0, n = 0, in_loop = 0, here = (uintptr_t)&a;
	const struct perf_event_header *h;
	struct sampler s = { .size = 513 * 4096UL };

	a.sample_period = 100000;
	a.sample_type = PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
	a.sample_regs_user = 1 << REG_SP | 1 << REG_IP;
	a.sample_stack_user = STACK;
	s.fd = event_open(&a, 0, -1, -1);
	s.ring = mmap(NULL, s.size, PROT_READ | PROT_WRITE, MAP_SHARED, s.fd, 0);
	if (s.ring == MAP_FAILED)
		fail("mmap of the ring: %s", strerror(errno));
	event_enable(s.fd);
	loop(5000000);
	event_disable(s.fd);
	while ((h = next_sample(&s, &pos))) {
		/* abi, sp, ip, size, the stack, what there was of it */
		const uint64_t *v = (const void *)(h + 1);

		if (v[0] != (sizeof(long) == 8 ? PERF_SAMPLE_REGS_ABI_64 :
						 PERF_SAMPLE_REGS_ABI_32))
			fail("registers of kind %llu", (unsigned long long)v[0]);
		if (v[3] != STACK || v[4 + STACK / 8] != STACK)
			fail("%llu of %llu bytes of the stack",
			     (unsigned long long)v[4 + STACK / 8],
			     (unsigned long long)v[3]);
		if (v[1] > here || v[1] + 65536 < here)
			fail("stack pointer %#llx, it is below %#llx",
			     (unsigned long long)v[1],
			     (unsigned long long)here);
		in_loop += v[2] >= (uintptr_t)loop_begin &&
			   v[2] <= (uintptr_t)loop_end;
		n++;
	}
	detail("%llu samples, %llu in the loop", (unsigned long long)n,
	       (unsigned long long)in_loop);
	if (n < (deterministic ? 48 : 10) || in_loop + n / 10 + 1 < n)
		fail("too few");
}

#define CGROUPS "/tmp/guest-tests-cgroup"

static void enter(const char *path)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, "0", 1) != 1)
		fail("%s: %s", path, strerror(errno));
	close(fd);
}

/* A process outside has the same CPU meanwhile. */
TEST(cgroup, "tools/events-of-a-cgroup")
{
	struct perf_event_attr a = event_attr(HW(INSTRUCTIONS), U);
	int fd, dir, child, i;
	uint64_t value;

	close(event_open(&a, 0, -1, -1));
	mkdir(CGROUPS, 0755);
	if (mount("none", CGROUPS, "cgroup2", 0, NULL))
		skip("no cgroups: %s", strerror(errno));
	mkdir(CGROUPS "/in", 0755);
	dir = open(CGROUPS "/in", O_RDONLY);
	run_on(0);
	fd = (int)syscall(SYS_perf_event_open, &a, dir, 0, -1,
			  PERF_FLAG_PID_CGROUP);
	if (fd < 0)
		fail("PERF_FLAG_PID_CGROUP: %s", strerror(errno));
	if (ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		fail("PERF_EVENT_IOC_ENABLE: %s", strerror(errno));
	for (child = 0; child < 2; child++) {
		if (fork())
			continue;
		if (child)
			enter(CGROUPS "/in/cgroup.procs");
		for (i = 0; i < 100; i++) {
			loop(100000);
			sched_yield();
		}
		_exit(0);
	}
	wait(NULL);
	wait(NULL);
	value = event_read(fd).value;
	close(fd);
	close(dir);
	rmdir(CGROUPS "/in");
	umount(CGROUPS);
	rmdir(CGROUPS);
	near("the one inside", value, 10000000, 200 * SLACK);
}

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* Adds one to the first word of the map. */
static int load_counter(int map)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = 10, .off = -4 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2,
		  .src_reg = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2,
		  .imm = -4 },
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 1,
		  .src_reg = BPF_PSEUDO_MAP_FD, .imm = map },
		{ 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 0, .off = 2 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1,
		  .imm = 1 },
		{ .code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = 0,
		  .src_reg = 1, .imm = BPF_ADD },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0,
		  .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_PERF_EVENT,
		.insns = (uintptr_t)code,
		.insn_cnt = sizeof(code) / sizeof(code[0]),
		.license = (uintptr_t)"GPL",
	};

	return bpf(BPF_PROG_LOAD, &attr);
}

/* bpftrace's "hardware:instructions:100000 { @ = count(); }" */
TEST(program, "tools/bpf-at-each-sample")
{
	struct sampler s = sampler_open(HW(INSTRUCTIONS), U, 100000, false, 0);
	union bpf_attr create = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = 8,
		.max_entries = 1,
	};
	uint64_t hits = 0;
	uint32_t key = 0;
	union bpf_attr lookup = {
		.key = (uintptr_t)&key,
		.value = (uintptr_t)&hits,
	};
	int map = bpf(BPF_MAP_CREATE, &create), program;

	if (map < 0)
		skip("no BPF: %s", strerror(errno));
	program = load_counter(map);
	if (program < 0)
		fail("BPF_PROG_LOAD: %s", strerror(errno));
	if (ioctl(s.fd, PERF_EVENT_IOC_SET_BPF, program))
		fail("PERF_EVENT_IOC_SET_BPF: %s", strerror(errno));
	event_enable(s.fd);
	loop(5000000);
	event_disable(s.fd);
	sampler_drain(&s);
	lookup.map_fd = (uint32_t)map;
	if (bpf(BPF_MAP_LOOKUP_ELEM, &lookup))
		fail("BPF_MAP_LOOKUP_ELEM: %s", strerror(errno));
	detail("%llu times, %llu samples", (unsigned long long)hits,
	       (unsigned long long)s.samples);
	if (hits < (deterministic ? 48 : 10) || hits > 50 || hits != s.samples)
		fail("not at each sample");
}
