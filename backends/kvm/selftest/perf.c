// SPDX-License-Identifier: GPL-2.0
/*
 * perf on this host while it runs a guest: the guest's part and its own.  Every
 * event that the module makes relies on that.
 */
#define _GNU_SOURCE
#include "selftest.h"

#include <err.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GUEST_LOOPS 300000 /* of two instructions, here and there */
#define OWN_LOOPS 200000
#define PERIOD 10007
#define SLACK 200 /* a guest's few instructions around its loop */
#define RING_PAGES 64

enum part { ALL, GUEST, HOST, PARTS };

static const char *const names[] = { "all", "guest", "host" };

static struct perf_event_attr describe(enum part part)
{
	return (struct perf_event_attr){
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(struct perf_event_attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.disabled = 1,
		.exclude_host = part == GUEST,
		.exclude_guest = part == HOST,
	};
}

static int open_of(struct perf_event_attr *attr, int leader)
{
	int fd = syscall(SYS_perf_event_open, attr, 0, -1, leader, 0);

	if (fd < 0)
		err(125, "perf_event_open");
	return fd;
}

static uint64_t count_of(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) != sizeof(count))
		err(125, "read of an event");
	return count;
}

static void own_loop(uint32_t n)
{
	__asm__ volatile("1: sub $1, %0; jnz 1b" : "+r"(n) : : "cc");
}

static void work(struct vmm *v)
{
	own_loop(OWN_LOOPS);
	vmm_loop(v, 0, GUEST_LOOPS);
	own_loop(OWN_LOOPS);
	vmm_loop(v, 0, GUEST_LOOPS);
}

/* All three begin and end with the same system call of this thread. */
static void parts(struct vmm *v, bool user)
{
	uint64_t count[PARTS];
	char name[32];
	int fd[PARTS];
	int i;

	for (i = 0; i < PARTS; i++) {
		struct perf_event_attr attr = describe(i);

		attr.disabled = i == ALL;
		attr.exclude_kernel = user;
		attr.exclude_user = !user;
		fd[i] = open_of(&attr, i == ALL ? -1 : fd[ALL]);
	}
	vmm_mode(v, 0, user ? USER64 : KERNEL64);
	ioctl(fd[ALL], PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP);
	work(v);
	ioctl(fd[ALL], PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP);
	for (i = 0; i < PARTS; i++) {
		count[i] = count_of(fd[i]);
		close(fd[i]);
	}
	snprintf(name, sizeof(name), "guest:%c", user ? 'u' : 'k');
	between(name, count[GUEST], 4 * GUEST_LOOPS, 4 * GUEST_LOOPS + SLACK);
	if (user) {
		between("host:u", count[HOST], 4 * OWN_LOOPS,
			4 * OWN_LOOPS + 10 * SLACK);
		is("host:u and guest:u together", count[HOST] + count[GUEST],
		   count[ALL]);
	} else {
		/* its kernel worked on between the first event and the last */
		between("host:k", count[HOST], 1000, count[ALL]);
		between("all:k", count[ALL], 4 * GUEST_LOOPS + 1000,
			count[GUEST] + count[HOST] + 100000);
	}
}

/**
 * struct samples - what is in a ring
 * @n: samples
 * @guest: of them, those that say that they hit a guest
 * @weight: sum of their periods
 */
struct samples {
	uint64_t n;
	uint64_t guest;
	uint64_t weight;
};

static struct samples drain(struct perf_event_mmap_page *ring)
{
	const uint8_t *data = (uint8_t *)ring + 4096;
	uint64_t size = RING_PAGES * 4096;
	struct samples s = {};
	uint64_t at = ring->data_tail;

	while (at < ring->data_head) {
		const struct perf_event_header *h = (void *)(data + at % size);
		uint16_t mode = h->misc & PERF_RECORD_MISC_CPUMODE_MASK;

		if (h->type == PERF_RECORD_SAMPLE) {
			s.n++;
			s.weight += *(const uint64_t *)(data + (at + 8) % size);
			s.guest += mode == PERF_RECORD_MISC_GUEST_KERNEL ||
				   mode == PERF_RECORD_MISC_GUEST_USER;
		}
		at += h->size;
	}
	return s;
}

static void sampling(struct vmm *v, enum part part)
{
	struct perf_event_attr attr = describe(part);
	struct perf_event_mmap_page *ring;
	struct samples s;
	uint64_t count;
	char name[64];
	int fd;

	attr.sample_period = PERIOD;
	attr.sample_type = PERF_SAMPLE_PERIOD;
	attr.exclude_kernel = 1;
	fd = open_of(&attr, -1);
	ring = mmap(NULL, (RING_PAGES + 1) * 4096, PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED)
		err(125, "mmap of an event");
	vmm_mode(v, 0, USER64);
	ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
	work(v);
	ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
	count = count_of(fd);
	s = drain(ring);
	munmap(ring, (RING_PAGES + 1) * 4096);
	close(fd);

	snprintf(name, sizeof(name), "%s: sampled count", names[part]);
	if (part == GUEST)
		between(name, count, 4 * GUEST_LOOPS, 4 * GUEST_LOOPS + SLACK);
	else
		between(name, count, 4 * OWN_LOOPS,
			4 * OWN_LOOPS + 10 * SLACK);
	/* An interrupt may be coalesced with the next or come after the end. */
	snprintf(name, sizeof(name), "%s: samples", names[part]);
	between(name, s.n, count / PERIOD / 2, count / PERIOD);
	snprintf(name, sizeof(name), "%s: their weight", names[part]);
	between(name, s.weight, s.n * PERIOD, count);
	/* To a host that is a guest it may come when its own has just left. */
	snprintf(name, sizeof(name), "%s: samples in the guest", names[part]);
	between(name, s.guest, part == GUEST ? s.n - s.n / 8 : 0,
		part == GUEST ? s.n : 0);
}

void test_perf(void)
{
	struct vmm v;

	vmm_create(&v, false);
	parts(&v, true);
	parts(&v, false);
	sampling(&v, GUEST);
	sampling(&v, HOST);
	vmm_destroy(&v);
}
