// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmu on KVM: which events the host can count, and how perf calls them
 *
 * Whether there is a counter for an event, perf knows only when it is asked to
 * make one.  That is tried once, when the module is loaded.
 *
 * The first event that perf makes, and the end of the last, are work for all CPUs
 * of the host: hardware is reserved, buffers are made for each CPU, code is
 * patched.  Guests come and go as they like, so one event, which counts nothing,
 * is there for as long as the module: theirs are neither first nor last.
 */
#include <linux/sched.h>

#include "callee.h"
#include "pvpmu_kvm.h"

static_assert(PVPMU_HW_CYCLES == PERF_COUNT_HW_CPU_CYCLES);
static_assert(PVPMU_HW_INSTRUCTIONS == PERF_COUNT_HW_INSTRUCTIONS);
static_assert(PVPMU_HW_CACHE_REFERENCES == PERF_COUNT_HW_CACHE_REFERENCES);
static_assert(PVPMU_HW_CACHE_MISSES == PERF_COUNT_HW_CACHE_MISSES);
static_assert(PVPMU_HW_BRANCHES == PERF_COUNT_HW_BRANCH_INSTRUCTIONS);
static_assert(PVPMU_HW_BRANCH_MISSES == PERF_COUNT_HW_BRANCH_MISSES);
static_assert(PVPMU_HW_BUS_CYCLES == PERF_COUNT_HW_BUS_CYCLES);
static_assert(PVPMU_HW_STALLED_FRONTEND ==
	      PERF_COUNT_HW_STALLED_CYCLES_FRONTEND);
static_assert(PVPMU_HW_STALLED_BACKEND == PERF_COUNT_HW_STALLED_CYCLES_BACKEND);
static_assert(PVPMU_HW_REF_CYCLES == PERF_COUNT_HW_REF_CPU_CYCLES);
static_assert(PVPMU_CACHE_L1D == PERF_COUNT_HW_CACHE_L1D);
static_assert(PVPMU_CACHE_L1I == PERF_COUNT_HW_CACHE_L1I);
static_assert(PVPMU_CACHE_LL == PERF_COUNT_HW_CACHE_LL);
static_assert(PVPMU_CACHE_DTLB == PERF_COUNT_HW_CACHE_DTLB);
static_assert(PVPMU_CACHE_ITLB == PERF_COUNT_HW_CACHE_ITLB);
static_assert(PVPMU_CACHE_BPU == PERF_COUNT_HW_CACHE_BPU);
static_assert(PVPMU_CACHE_NODE == PERF_COUNT_HW_CACHE_NODE);
static_assert(PVPMU_CACHE_OP_READ == PERF_COUNT_HW_CACHE_OP_READ);
static_assert(PVPMU_CACHE_OP_WRITE == PERF_COUNT_HW_CACHE_OP_WRITE);
static_assert(PVPMU_CACHE_OP_PREFETCH == PERF_COUNT_HW_CACHE_OP_PREFETCH);
static_assert(PVPMU_CACHE_ACCESS == PERF_COUNT_HW_CACHE_RESULT_ACCESS);
static_assert(PVPMU_CACHE_MISS == PERF_COUNT_HW_CACHE_RESULT_MISS);

/* PVPMU_CAP_* found at load, 0 for what cannot be counted */
static u8 hw_caps[PVPMU_HW_END];
static u8 cache_caps[PVPMU_CACHE_END][PVPMU_CACHE_OP_END]
		    [PVPMU_CACHE_RESULT_END];

bool pk_event_is_clock(const struct pvpmu_desc *desc)
{
	return desc->type == PVPMU_TYPE_CLOCK;
}

/**
 * pk_event_attr() - how perf calls an event
 * @desc: the event
 * @attr: zeroed; the event is filled in, its period is not
 *
 * A hypervisor event is counted by the kernel anyway.  It gets the thread's
 * clock, whose times are the ones it has.
 *
 * Return: false if there is no such event.
 */
bool pk_event_attr(const struct pvpmu_desc *desc, struct perf_event_attr *attr)
{
	attr->size = sizeof(*attr);
	switch (desc->type) {
	case PVPMU_TYPE_HARDWARE:
		attr->type = PERF_TYPE_HARDWARE;
		attr->config = desc->config;
		break;
	case PVPMU_TYPE_CACHE:
		attr->type = PERF_TYPE_HW_CACHE;
		attr->config = desc->config;
		break;
	case PVPMU_TYPE_CLOCK:
	case PVPMU_TYPE_HYPERVISOR:
		attr->type = PERF_TYPE_SOFTWARE;
		attr->config = PERF_COUNT_SW_TASK_CLOCK;
		return true;
	default:
		return false;
	}
	/* Only what the guest does; not pinned, the host's users share. */
	attr->exclude_host = 1;
	attr->exclude_user = !!(desc->flags & PVPMU_FLAG_EXCLUDE_USER);
	attr->exclude_kernel = !!(desc->flags & PVPMU_FLAG_EXCLUDE_KERNEL);
	return true;
}

static bool can_be_made(const struct pvpmu_desc *desc)
{
	struct perf_event_attr attr = {};
	struct perf_event *event;

	if (!pk_event_attr(desc, &attr))
		return false;
	attr.disabled = 1;
	if (desc->sampling)
		attr.sample_period = PK_PARKED;
	event = perf_event_create_kernel_counter(&attr, -1, current,
						 pk_overflow_handler, NULL);
	if (IS_ERR(event))
		return false;
	perf_event_release_kernel(event);
	return true;
}

static struct perf_event *held;

/*
 * On this thread, which ends soon: perf keeps an event without its thread for
 * who made it.  It leaves guests out, so it is in no VM's way.
 */
static void hold(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_CPU_CYCLES,
		.disabled = 1,
		.exclude_guest = 1,
	};

	held = perf_event_create_kernel_counter(&attr, -1, current, NULL, NULL);
	if (!IS_ERR(held))
		return;
	attr.type = PERF_TYPE_SOFTWARE;
	attr.config = PERF_COUNT_SW_TASK_CLOCK;
	held = perf_event_create_kernel_counter(&attr, -1, current, NULL, NULL);
}

static u8 probe(u32 type, u64 config)
{
	struct pvpmu_desc desc = { .type = type, .config = config };
	u8 caps = PVPMU_CAP_COUNT | PVPMU_CAP_EXCLUDE_GUEST |
		  PVPMU_CAP_EXCLUDE_HOST; /* see nested.c */

	if (!can_be_made(&desc))
		return 0;
	desc.flags = PVPMU_FLAG_EXCLUDE_USER;
	if (can_be_made(&desc))
		caps |= PVPMU_CAP_EXCLUDE_USER;
	desc.flags = PVPMU_FLAG_EXCLUDE_KERNEL;
	if (can_be_made(&desc))
		caps |= PVPMU_CAP_EXCLUDE_KERNEL;
	desc.flags = 0;
	desc.sampling = true;
	if (can_be_made(&desc))
		caps |= PVPMU_CAP_SAMPLE;
	return caps;
}

/* Physical counters that any event can have; 0 if the host has none */
static u32 physical_counters;

/* As many as perf has: what it lends to others of the host shows as waiting. */
u32 pk_op_room(struct pvpmu_vcpu *core)
{
	return physical_counters;
}

/**
 * pk_events_probe() - finds out what the host can count
 *
 * Context: Process, sleeps.
 */
void pk_events_probe(void)
{
	struct x86_pmu_capability pmu;
	u32 i, op, result, found = 0;

	hold();
	pk_pmu_capability(&pmu);
	physical_counters = pmu.num_counters_gp;
	for (i = 0; i < PVPMU_HW_END; i++) {
		hw_caps[i] = probe(PVPMU_TYPE_HARDWARE, i);
		found += !!hw_caps[i];
	}
	for (i = 0; i < PVPMU_CACHE_END; i++)
		for (op = 0; op < PVPMU_CACHE_OP_END; op++)
			for (result = 0; result < PVPMU_CACHE_RESULT_END;
			     result++)
				cache_caps[i][op][result] =
					probe(PVPMU_TYPE_CACHE,
					      PVPMU_CACHE(i, op, result));
	if (!found)
		pr_info("pvpmu: no hardware counters here, clock and hypervisor events only\n");
}

/* The module's end: there is no other event.  Context: Process, sleeps. */
void pk_events_exit(void)
{
	if (!IS_ERR(held))
		perf_event_release_kernel(held);
}

/* Core has checked that the event exists. */
u32 pk_op_query(struct pvpmu_vcpu *core, const struct pvpmu_desc *desc)
{
	u32 cache = desc->config & 0xff;
	u32 op = desc->config >> 8 & 0xff;
	u32 result = desc->config >> 16 & 0xff;

	switch (desc->type) {
	case PVPMU_TYPE_HARDWARE:
		return hw_caps[array_index_nospec(desc->config, PVPMU_HW_END)];
	case PVPMU_TYPE_CACHE:
		cache = array_index_nospec(cache, PVPMU_CACHE_END);
		op = array_index_nospec(op, PVPMU_CACHE_OP_END);
		result = array_index_nospec(result, PVPMU_CACHE_RESULT_END);
		return cache_caps[cache][op][result];
	case PVPMU_TYPE_CLOCK:
		return PVPMU_CAP_COUNT | PVPMU_CAP_SAMPLE;
	case PVPMU_TYPE_HYPERVISOR:
		return PVPMU_CAP_COUNT;
	default:
		return 0;
	}
}
