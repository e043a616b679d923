/* SPDX-License-Identifier: GPL-2.0 */
/* pvbench: perf events, and rings of samples */
#ifndef PVBENCH_EVENTS_H
#define PVBENCH_EVENTS_H

#include <linux/perf_event.h>
#include <stdint.h>

/* How many generic events both sides of the comparison offer */
#define HARDWARE 6

/* The @n-th of them, or one of those again */
int open_event(struct perf_event_attr *attr, int n, int leader);
void close_events(int *fd, int n);

struct ring {
	int fd;
	struct perf_event_mmap_page *page;
};

/* A ring that perf overwrites: it takes samples for ever without a reader. */
struct ring open_ring(struct perf_event_attr *attr, int n);
void close_ring(struct ring *ring);
/* So many were taken. */
uint64_t samples(const struct ring *ring);

#endif /* PVBENCH_EVENTS_H */
