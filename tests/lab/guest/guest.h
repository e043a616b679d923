/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the guest tests share.  They speak perf_event_open(2) only and know no
 * hypervisor: the same program runs on the bare instrument (with the kernel's
 * own driver), in a KVM guest and in any other guest of pvpmu.
 */
#ifndef GUEST_TESTS_H
#define GUEST_TESTS_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "loop.h"

/* One behaviour a test. */
struct test {
	const char *name;
	void (*run)(void);
};

#define TEST(ident, testname)						\
	static void ident(void);					\
	static const struct test test_##ident				\
	__attribute__((section("tests"), used, aligned(8))) = {		\
		testname, ident						\
	};								\
	static void ident(void)

/* End this test with a verdict; detail() adds a remark to the line printed. */
void fail(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
void skip(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
void detail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* got is want, give or take tolerance. */
void near(const char *what, uint64_t got, uint64_t want, uint64_t tolerance);

/* true when time is counted in instructions: nothing depends on chance */
extern bool deterministic;
/* true when a sample of user code may have an address of the kernel's */
extern bool may_skid;

/* CPUs that there are; they are numbered from 0. */
int cpus(void);

/* This thread runs there only. */
void run_on(int cpu);

/* Events.  HW(INSTRUCTIONS) and so on; U: user only, K: kernel only. */
#define HW(name) PERF_TYPE_HARDWARE, PERF_COUNT_HW_##name
enum { ALL = 0, U = 1, K = 2 };

struct perf_event_attr event_attr(uint32_t type, uint64_t config, int where);

/* The file descriptor, or -errno. */
int event_try(struct perf_event_attr *attr, pid_t pid, int cpu, int group);

/* The file descriptor; skips the test where there is no such event. */
int event_open(struct perf_event_attr *attr, pid_t pid, int cpu, int group);

/* A disabled counting event of this thread; group: -1 or the leader. */
int event_counter(uint32_t type, uint64_t config, int where, int group);

struct count {
	uint64_t value, enabled, running;
};

void event_enable(int fd);	/* with its group */
void event_disable(int fd);
struct count event_read(int fd);

/* Sampling: a ring of 2^order pages is mapped beside the event. */
struct sampler {
	int fd;
	void *ring;
	size_t size;
	uint64_t samples, period_sum, in_loop, in_kernel;
	uint64_t lost, throttled, max_chain;
	uint64_t elsewhere; /* where the last was that was not in the loop */
};

struct sampler sampler_open(uint32_t type, uint64_t config, int where,
			    uint64_t period, bool freq, uint64_t extra);
void sampler_drain(struct sampler *s);

#endif
