/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What depends on the version of the guest's kernel, all of it.
 *
 * Until 6.1 a task has a context for each kind of PMU, which points to its PMU
 * for good.  Since 6.2 it has one for all, and what it has of a PMU goes with
 * that PMU's last event.
 */
#ifndef PVG_COMPAT_H
#define PVG_COMPAT_H

#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/percpu.h>
#include <linux/perf_event.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)

/* See pvg_hold(). */
#define PVG_TASKS_KEEP_PMU true

/* Not the only PMU with perf_hw_context: perf never forgets that there was
 * one, so it has to be told when we are loaded for a second time. */
#define PVG_PMU_CAPS PERF_PMU_CAP_HETEROGENEOUS_CPUS

/* See switch.c. */
#define PVG_CAN_DEFER true
typedef struct perf_event_context pvg_sched_context;

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

#else

#define PVG_TASKS_KEEP_PMU false
#define PVG_PMU_CAPS 0

/* That a task's context has events does not say that any is ours, and without
 * one perf would not call us at the end of the switch. */
#define PVG_CAN_DEFER false
typedef struct perf_event_pmu_context pvg_sched_context;

static inline bool pvg_has_events(const struct task_struct *task)
{
	return false;
}

static inline void pvg_pmu_forget(struct pmu *pmu)
{
	perf_pmu_unregister(pmu);
	rcu_barrier();
}

#endif

#endif /* PVG_COMPAT_H */
