/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernels, all of it.
 *
 * What a kernel offers is found by compiling the file "probes" against its
 * headers.  A kernel that offers none of what is known here stops at an #error.
 */
#ifndef PVG_COMPAT_H
#define PVG_COMPAT_H

#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/percpu.h>
#include <linux/perf_event.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include <probed.h>

#if !PROBE_STATIC_CALL
#error "pvpmu: this kernel lacks static calls (__static_call_update())"
#endif
#if !PROBE_EXTENDED_HW_TYPE
#error "pvpmu: this kernel lacks PERF_PMU_CAP_EXTENDED_HW_TYPE"
#endif
#if !PROBE_USER_READ_FLAG
#error "pvpmu: this kernel lacks PERF_EVENT_FLAG_USER_READ_CNT"
#endif

#if PROBE_TASK_CTX_OF_PMU

/* A task has a context for each kind of PMU, which points to its PMU for good.
 * See pvg_hold(). */
#define PVG_TASKS_KEEP_PMU true

/* Not the only PMU with perf_hw_context: perf never forgets that there was
 * one, so it has to be told when we are loaded for a second time. */
#define PVG_PMU_CAPS PERF_PMU_CAP_HETEROGENEOUS_CPUS

/* See switch.c. */
#define PVG_CAN_DEFER true

static inline bool pvg_has_events(const struct task_struct *task)
{
	struct perf_event_context *ctx = task->perf_event_ctxp[perf_hw_context];

	return ctx && READ_ONCE(ctx->nr_events);
}

/* Runs on where perf_event_mux_interval_ms was written, with or without events. */
static inline void pvg_stop_rotation(struct perf_cpu_context __percpu *contexts)
{
	int cpu;

	for_each_possible_cpu(cpu)
		hrtimer_cancel(&per_cpu_ptr(contexts, cpu)->hrtimer);
}

/*
 * perf frees what it keeps of CPUs only of PMUs that tasks cannot have, and at
 * once.
 */
static inline void pvg_pmu_forget(struct pmu *pmu)
{
	struct perf_cpu_context __percpu *contexts = pmu->pmu_cpu_context;
	bool leaks = pmu->task_ctx_nr == perf_hw_context;

	pvg_stop_rotation(contexts);
	perf_pmu_unregister(pmu);
	rcu_barrier(); /* for contexts that point to it */
	if (!leaks)
		return;
	pvg_stop_rotation(contexts);
	free_percpu(contexts);
}

#elif PROBE_TASK_CTX_ONE

/* A task has one context for all PMUs, and what it has of a PMU goes with that
 * PMU's last event. */
#define PVG_TASKS_KEEP_PMU false
#define PVG_PMU_CAPS 0

/* That a task's context has events does not say that any is ours, and without
 * one perf would not call us at the end of the switch. */
#define PVG_CAN_DEFER false

static inline bool pvg_has_events(const struct task_struct *task)
{
	return false;
}

static inline void pvg_pmu_forget(struct pmu *pmu)
{
	perf_pmu_unregister(pmu);
	rcu_barrier();
}

#else
#error "pvpmu: it is not known how this kernel's tasks have perf contexts"
#endif

/* What struct pmu's sched_task has for arguments */
#if PROBE_SCHED_TASK_CTX
#define PVG_SCHED_TASK_ARGS struct perf_event_context *ctx, bool sched_in
#elif PROBE_SCHED_TASK_PMU_CTX
#define PVG_SCHED_TASK_ARGS struct perf_event_pmu_context *ctx, bool sched_in
#elif PROBE_SCHED_TASK_TASK
#define PVG_SCHED_TASK_ARGS \
	struct perf_event_pmu_context *ctx, struct task_struct *task, bool sched_in
#else
#error "pvpmu: it is not known what this kernel passes to sched_task of a PMU"
#endif

/* The time of a perf context or of a CPU's share of a cgroup, as of its last
 * update */
#if PROBE_CTX_TIME_SPLIT
#define pvg_time_of(thing) ((thing)->time)
#elif PROBE_CTX_TIME_STRUCT
#define pvg_time_of(thing) ((thing)->time.time)
#else
#error "pvpmu: this kernel's perf contexts do not tell their time"
#endif

#if PROBE_HRTIMER_SETUP
#define pvg_timer_init hrtimer_setup
#elif PROBE_HRTIMER_INIT
#define pvg_timer_init(timer, fire, clock, mode)   \
	do {                                       \
		hrtimer_init(timer, clock, mode);  \
		(timer)->function = fire;          \
	} while (0)
#else
#error "pvpmu: it is not known how this kernel makes a timer"
#endif

#endif /* PVG_COMPAT_H */
