// SPDX-License-Identifier: GPL-2.0
/* Functions of the kernel that it has, but does not export. */
#include "pvpmu.h"

#include <linux/kernel.h>
#include <linux/string.h>
#include <pvpmu/callee_kernel.h>

/*
 * Each has a function of ours in front that may be called by a pointer, which the
 * kernel's own may not: see callee_kernel.h.
 */
PVPMU_CALLEE(pvg_perf_overflow, "perf_event_overflow",
	     typeof(perf_event_overflow));
PVPMU_CALLEE(pvg_sample_took, "perf_sample_event_took", void(u64));
PVPMU_CALLEE(pvg_perf_resched, "perf_pmu_resched", void(struct pmu *));
PVPMU_CALLEE(pvg_update_pce, "cr4_update_pce", void(void *));
PVPMU_CALLEE(pvg_sched_cb_inc, "perf_sched_cb_inc", void(struct pmu *));
PVPMU_CALLEE(pvg_sched_cb_dec, "perf_sched_cb_dec", void(struct pmu *));

static int perf_overflow(struct perf_event *event,
			 struct perf_sample_data *data, struct pt_regs *regs)
{
	return static_call(pvg_perf_overflow)(event, data, regs);
}

static void sample_took(u64 ns)
{
	static_call(pvg_sample_took)(ns);
}

static void perf_resched(struct pmu *pmu)
{
	static_call(pvg_perf_resched)(pmu);
}

static void update_pce(void *unused)
{
	static_call(pvg_update_pce)(unused);
}

static void sched_cb_inc(struct pmu *pmu)
{
	static_call(pvg_sched_cb_inc)(pmu);
}

static void sched_cb_dec(struct pmu *pmu)
{
	static_call(pvg_sched_cb_dec)(pmu);
}

static const struct {
	const struct pvpmu_callee *callee;
	void *ours;
} functions[] = {
	{ &pvg_perf_overflow_callee, perf_overflow },
	{ &pvg_sample_took_callee, sample_took },
	{ &pvg_perf_resched_callee, perf_resched },
	{ &pvg_update_pce_callee, update_pce },
	{ &pvg_sched_cb_inc_callee, sched_cb_inc },
	{ &pvg_sched_cb_dec_callee, sched_cb_dec },
};

/**
 * pvg_resolve() - finds a function of the kernel
 * @name: of the function, one of those above
 *
 * Context: process.
 * Return: a function that calls it, or NULL if there is none or kprobes are not
 *         to be had.
 */
void *pvg_resolve(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(functions); i++)
		if (!strcmp(functions[i].callee->symbol, name))
			return pvpmu_callee_find(functions[i].callee) ?
				       functions[i].ours :
				       NULL;
	return NULL;
}
