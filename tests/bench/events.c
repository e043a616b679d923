// SPDX-License-Identifier: GPL-2.0
/* pvbench: perf events, and rings of samples */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "events.h"
#include "measure.h"

#define RING_PAGES 8

static const uint64_t hardware[HARDWARE] = {
	PERF_COUNT_HW_INSTRUCTIONS,	   PERF_COUNT_HW_CPU_CYCLES,
	PERF_COUNT_HW_BRANCH_INSTRUCTIONS, PERF_COUNT_HW_BRANCH_MISSES,
	PERF_COUNT_HW_CACHE_REFERENCES,	   PERF_COUNT_HW_CACHE_MISSES,
};

int open_event(struct perf_event_attr *attr, int n, int leader)
{
	int fd;

	attr->size = sizeof(*attr);
	attr->type = PERF_TYPE_HARDWARE;
	attr->config = hardware[n % HARDWARE];
	fd = syscall(SYS_perf_event_open, attr, 0, -1, leader,
		     PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		die("perf_event_open");
	return fd;
}

void close_events(int *fd, int n)
{
	while (n--)
		close(fd[n]);
}

struct ring open_ring(struct perf_event_attr *attr, int n)
{
	struct ring ring;

	attr->sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_PERIOD;
	ring.fd = open_event(attr, n, -1);
	ring.page = mmap(NULL, (1 + RING_PAGES) * 4096, PROT_READ, MAP_SHARED,
			 ring.fd, 0);
	if (ring.page == MAP_FAILED)
		die("mmap");
	return ring;
}

void close_ring(struct ring *ring)
{
	munmap(ring->page, (1 + RING_PAGES) * 4096);
	close(ring->fd);
}

/* Records are of one size: a header, the address, the period. */
uint64_t samples(const struct ring *ring)
{
	const volatile struct perf_event_mmap_page *page = ring->page;

	return page->data_head / 24;
}
