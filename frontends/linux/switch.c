// SPDX-License-Identifier: GPL-2.0
/*
 * One call per context switch.
 *
 * perf takes the events of the old task away, with a bracket of its own, and
 * then adds those of the new one, in another.  If the second is sure to come,
 * the call at the end of the first can wait for it.
 *
 * That the new task has events is seen by a probe on sched_switch.  But they
 * can be removed, from another CPU, until perf has locked their context, and
 * there is no second bracket then.  So perf is also asked to call
 * pvg_sched_task() in each switch, as it does for PMUs with a branch stack:
 * this comes at the end of the switch in any case, in a bracket, and also
 * tells a switch from other occasions.  Both functions are none that the
 * kernel exports; without them nothing is deferred, at the cost of a second
 * call in some switches.
 *
 * A deferred count is missing from its event until the call is made, with
 * interrupts still off.  A reader on another CPU that comes just then gets the
 * count of the time before; where it matters, at the exit of a task and when
 * its next is idle or has no events, nothing is deferred.
 */
#include "pvpmu.h"

#include <linux/sched.h>
#include <linux/tracepoint.h>

static void (*sched_cb_inc)(struct pmu *pmu);
static void (*sched_cb_dec)(struct pmu *pmu);
static struct tracepoint *sched_switch;

/* sched_switch.  Context: interrupts off, before perf hears of the switch. */
static void probe(void *unused, bool preempt, struct task_struct *prev,
		  struct task_struct *next, unsigned int prev_state)
{
	this_cpu_ptr(&pvg_cpus)->next_counts = pvg_has_events(next);
}

/* perf is about to switch from the task's context, or has switched to it. */
void pvg_sched_task(PVG_SCHED_TASK_ARGS)
{
	this_cpu_ptr(&pvg_cpus)->switching = sched_in ? NULL : current;
}

/**
 * pvg_switch_defers() - is there another bracket to come in this switch?
 * @cpu: this CPU, at the end of a bracket
 */
bool pvg_switch_defers(struct pvg_cpu *cpu)
{
	return cpu->switching == current && cpu->next_counts && !in_hardirq();
}

static void find(struct tracepoint *tp, void *unused)
{
	if (!strcmp(tp->name, "sched_switch"))
		sched_switch = tp;
}

/*
 * Context: interrupts off, on @cpu.  perf keeps a list of the PMUs that want
 * to be called on each CPU, so both calls have to be paired there.
 */
void pvg_switch_cpu(struct pvg_cpu *cpu, bool on)
{
	if (!sched_switch || cpu->sched_cb == on)
		return;
	if (on)
		sched_cb_inc(&pvg_pmu);
	else
		sched_cb_dec(&pvg_pmu);
	cpu->sched_cb = on;
	cpu->switching = NULL;
}

/* Context: process. */
void pvg_switch_on(void)
{
	if (!PVG_CAN_DEFER || pvg_pmu.task_ctx_nr != perf_hw_context)
		return;
	if (!sched_cb_inc || !sched_cb_dec) {
		sched_cb_inc = pvg_resolve("perf_sched_cb_inc");
		sched_cb_dec = pvg_resolve("perf_sched_cb_dec");
	}
	if (!sched_cb_inc || !sched_cb_dec)
		return;
	for_each_kernel_tracepoint(find, NULL);
	if (sched_switch && tracepoint_probe_register(sched_switch, probe, NULL))
		sched_switch = NULL;
}

/* Context: process; pvg_switch_cpu() was called off on all CPUs. */
void pvg_switch_off(void)
{
	if (!sched_switch)
		return;
	tracepoint_probe_unregister(sched_switch, probe, NULL);
	tracepoint_synchronize_unregister();
	sched_switch = NULL;
}
