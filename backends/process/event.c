// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * pvpmu process backend: events in the words of perf_event_open(2)
 *
 * Whether an event exists here is asked of the kernel, by opening it: that
 * answers for the CPU, for this VM if it is one, and for what
 * kernel.perf_event_paranoid lets this user do, all at once.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include "process.h"

/* Until start says how far it is to the first overflow */
#define NEVER PVPMU_PERIOD_MAX

static const u64 hardware[PVPMU_HW_END] = {
	[PVPMU_HW_CYCLES] = PERF_COUNT_HW_CPU_CYCLES,
	[PVPMU_HW_INSTRUCTIONS] = PERF_COUNT_HW_INSTRUCTIONS,
	[PVPMU_HW_CACHE_REFERENCES] = PERF_COUNT_HW_CACHE_REFERENCES,
	[PVPMU_HW_CACHE_MISSES] = PERF_COUNT_HW_CACHE_MISSES,
	[PVPMU_HW_BRANCHES] = PERF_COUNT_HW_BRANCH_INSTRUCTIONS,
	[PVPMU_HW_BRANCH_MISSES] = PERF_COUNT_HW_BRANCH_MISSES,
	[PVPMU_HW_BUS_CYCLES] = PERF_COUNT_HW_BUS_CYCLES,
	[PVPMU_HW_STALLED_FRONTEND] = PERF_COUNT_HW_STALLED_CYCLES_FRONTEND,
	[PVPMU_HW_STALLED_BACKEND] = PERF_COUNT_HW_STALLED_CYCLES_BACKEND,
	[PVPMU_HW_REF_CYCLES] = PERF_COUNT_HW_REF_CPU_CYCLES,
};

static const u64 caches[PVPMU_CACHE_END] = {
	[PVPMU_CACHE_L1D] = PERF_COUNT_HW_CACHE_L1D,
	[PVPMU_CACHE_L1I] = PERF_COUNT_HW_CACHE_L1I,
	[PVPMU_CACHE_LL] = PERF_COUNT_HW_CACHE_LL,
	[PVPMU_CACHE_DTLB] = PERF_COUNT_HW_CACHE_DTLB,
	[PVPMU_CACHE_ITLB] = PERF_COUNT_HW_CACHE_ITLB,
	[PVPMU_CACHE_BPU] = PERF_COUNT_HW_CACHE_BPU,
	[PVPMU_CACHE_NODE] = PERF_COUNT_HW_CACHE_NODE,
};

static const u64 cache_ops[PVPMU_CACHE_OP_END] = {
	[PVPMU_CACHE_OP_READ] = PERF_COUNT_HW_CACHE_OP_READ,
	[PVPMU_CACHE_OP_WRITE] = PERF_COUNT_HW_CACHE_OP_WRITE,
	[PVPMU_CACHE_OP_PREFETCH] = PERF_COUNT_HW_CACHE_OP_PREFETCH,
};

static const u64 cache_results[PVPMU_CACHE_RESULT_END] = {
	[PVPMU_CACHE_ACCESS] = PERF_COUNT_HW_CACHE_RESULT_ACCESS,
	[PVPMU_CACHE_MISS] = PERF_COUNT_HW_CACHE_RESULT_MISS,
};

static u64 cache_config(u64 config)
{
	return caches[config & 0xff] | cache_ops[config >> 8 & 0xff] << 8 |
	       cache_results[config >> 16] << 16;
}

/*
 * Type and config of an event.  Core has checked that version 1 knows it; the
 * only question is whether a process can count it.
 */
static bool translate(const struct pvpmu_desc *desc,
		      struct perf_event_attr *attr)
{
	switch (desc->type) {
	case PVPMU_TYPE_HARDWARE:
		attr->type = PERF_TYPE_HARDWARE;
		attr->config = hardware[desc->config];
		return true;
	case PVPMU_TYPE_CACHE:
		attr->type = PERF_TYPE_HW_CACHE;
		attr->config = cache_config(desc->config);
		return true;
	case PVPMU_TYPE_RAW:
		attr->type = PERF_TYPE_RAW;
		attr->config = desc->config;
		return true;
	case PVPMU_TYPE_CLOCK:
		attr->type = PERF_TYPE_SOFTWARE;
		attr->config = PERF_COUNT_SW_TASK_CLOCK;
		return true;
	case PVPMU_TYPE_HYPERVISOR:
		/* A thread leaves the CPU for the host where others switch. */
		attr->type = PERF_TYPE_SOFTWARE;
		attr->config = PERF_COUNT_SW_CONTEXT_SWITCHES;
		return desc->config == PVPMU_HV_EXITS;
	default:
		return false;
	}
}

/*
 * User and kernel mode, and the process and virtual machines that it runs, are
 * told apart by hardware counters only.
 */
static bool has_filters(const struct pvpmu_desc *desc)
{
	return desc->type != PVPMU_TYPE_CLOCK &&
	       desc->type != PVPMU_TYPE_HYPERVISOR;
}

static int perf_event_open(struct perf_event_attr *attr, pid_t target)
{
	return (int)syscall(SYS_perf_event_open, attr, target, -1, -1,
			    PERF_FLAG_FD_CLOEXEC);
}

int process_event_open(const struct pvpmu_process_guest *guest,
		       const struct pvpmu_desc *desc)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.disabled = 1,
		.inherit = guest->inherit,
		.enable_on_exec = guest->await_exec,
		.exclude_hv = 1,
		.exclude_user = !!(desc->flags & PVPMU_FLAG_EXCLUDE_USER),
		.exclude_kernel = !!(desc->flags & PVPMU_FLAG_EXCLUDE_KERNEL),
		.exclude_guest = !!(desc->flags & PVPMU_FLAG_EXCLUDE_GUEST),
		.exclude_host = !!(desc->flags & PVPMU_FLAG_EXCLUDE_HOST),
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED |
			       PERF_FORMAT_TOTAL_TIME_RUNNING,
		.wakeup_events = 1,
	};
	int fd;

	if (!translate(desc, &attr)) {
		errno = ENOENT;
		return -1;
	}
	if (desc->sampling)
		attr.sample_period = NEVER;
	fd = perf_event_open(&attr, guest->target);
	if (fd >= 0 || errno != EACCES || desc->type != PVPMU_TYPE_CLOCK)
		return fd;
	/* The kernel wants it said even where it makes no difference: a task's
	 * clock goes on in kernel mode. */
	attr.exclude_kernel = 1;
	return perf_event_open(&attr, guest->target);
}

static bool opens(const struct pvpmu_process_guest *guest,
		  const struct pvpmu_desc *event, u32 flags, bool sampling)
{
	const struct pvpmu_desc desc = {
		.type = event->type,
		.flags = flags,
		.config = event->config,
		.sampling = sampling,
	};
	int fd = process_event_open(guest, &desc);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

u32 process_event_caps(const struct pvpmu_process_guest *guest,
		       const struct pvpmu_desc *desc)
{
	u32 least = 0; /* the filter without which it may not be had */
	u32 caps = 0;

	if (has_filters(desc) &&
	    opens(guest, desc, PVPMU_FLAG_EXCLUDE_KERNEL, false)) {
		caps |= PVPMU_CAP_COUNT | PVPMU_CAP_EXCLUDE_KERNEL;
		least = PVPMU_FLAG_EXCLUDE_KERNEL;
	}
	if (has_filters(desc) &&
	    opens(guest, desc, PVPMU_FLAG_EXCLUDE_USER, false))
		caps |= PVPMU_CAP_COUNT | PVPMU_CAP_EXCLUDE_USER;
	if (opens(guest, desc, 0, false)) {
		caps |= PVPMU_CAP_COUNT;
		least = 0;
	}
	if (caps && has_filters(desc) &&
	    opens(guest, desc, least | PVPMU_FLAG_EXCLUDE_GUEST, false))
		caps |= PVPMU_CAP_EXCLUDE_GUEST;
	if (caps && has_filters(desc) &&
	    opens(guest, desc, least | PVPMU_FLAG_EXCLUDE_HOST, false))
		caps |= PVPMU_CAP_EXCLUDE_HOST;
	if (caps && !guest->inherit && opens(guest, desc, least, true))
		caps |= PVPMU_CAP_SAMPLE;
	return caps;
}
