/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Linux guest driver in a process: its own files, between a perf that does
 * what a test says and a host made of plain memory (fake.h), with core in it.
 */
#ifndef PVPMU_TESTS_DRIVER_H
#define PVPMU_TESTS_DRIVER_H

#include "unit.h"
#undef BIT /* the driver's headers have their own */

#include "../../frontends/linux/pvpmu.h"

#define DRIVER_EVENTS 8
/* perf's type of our PMU where it is not the first of its kind */
#define DRIVER_TYPE 12

/**
 * struct driver - a guest's CPU
 * @fake: its host
 * @absent: the host offers nothing
 * @off: the administrator switched the driver off
 * @hardware: the guest has a PMU in hardware as well
 * @calls: hypercalls so far
 * @scribble: called when SETUP is done, on what the guest sees of its page
 * @page_answer: what the kernel answers when a page is to change hands
 * @pages_shared: how many the host sees unencrypted
 * @pages: how many the driver has
 * @page_made: the last one that was given to it
 * @moment: called wherever an NMI may come in; not from within itself
 * @moments: how often that was
 * @in_nmi: an NMI is being handled
 * @stop_samples: perf_event_overflow() asks for this many stops
 * @sample_ns: how long perf_event_overflow() takes
 * @took: what perf was told that samples took, in all
 * @no_pce: the kernel has no function for CR4.PCE
 * @pce_updates: how often that function was called
 * @samples: samples taken, by event
 * @weight: their periods' sum
 * @event: events of the test's perf
 * @ctx: their context
 */
struct driver {
	struct fake fake;
	bool absent;
	bool off;
	bool hardware;
	u64 calls;
	void (*scribble)(struct pvpmu_area *area);
	int page_answer;
	int pages_shared;
	int pages;
	void *page_made;
	void (*moment)(struct driver *driver);
	u64 moments;
	bool in_nmi;
	u32 stop_samples;
	u64 sample_ns;
	u64 took;
	bool no_pce;
	u64 pce_updates;
	u64 samples[DRIVER_EVENTS];
	u64 weight[DRIVER_EVENTS];
	struct perf_event event[DRIVER_EVENTS];
	struct perf_event_context ctx;
};

int driver_begin(void **state);
int driver_end(void **state);
/* The same on a CPU whose local APIC masks an LVTPC that it delivers */
int driver_begin_intel(void **state);
int driver_end_intel(void **state);
/* The same beside a PMU in hardware */
int driver_begin_beside(void **state);
/* The same for @driver, which a test has itself. */
void driver_init(struct driver *driver);
void driver_fini(struct driver *driver);

/* What perf does: describes an event, which the test then has the driver see. */
void driver_attr(struct driver *driver, u32 n, u32 type, u64 config,
		 u64 period);
/* Makes a hardware event that the driver takes; @period is 0 for one that only
 * counts. */
void driver_event(struct driver *driver, u32 n, u64 config, u64 period);
/* Adds, takes away, or both: the events of @del go and those of @add come, in
 * one bracket of pmu_disable and pmu_enable. */
void driver_sched(struct driver *driver, u32 del, u32 add);
/* One event again after it was throttled, as at a tick. */
void driver_unthrottle(struct driver *driver, u32 n);
/* Whoever made the event wants it to overflow in @left events from now. */
void driver_reload(struct driver *driver, u32 n, u64 left);
/* perf looks at a frequency event's rate, as in each of its ticks. */
void driver_freq_tick(struct driver *driver, u32 n);
/* The count that read(2) shows. */
u64 driver_read(struct driver *driver, u32 n);
/* The administrator writes our PMU's perf_event_mux_interval_ms. */
void driver_write_mux_interval(void);
/* What the driver's timer does. */
void driver_tick(struct driver *driver);

/* The guest runs: time passes, counters count, and NMIs arrive. */
void driver_run(struct driver *driver, u64 ns, u64 events);
/* The host forgets all it had, as when its module is loaded again. */
void driver_lose_host(struct driver *driver);

#endif /* PVPMU_TESTS_DRIVER_H */
