// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmu on KVM: a paravirtual PMU for the guests of this host
 *
 * Core decides what a call does; this module brings it the calls, and carries
 * out what it asks for with KVM and perf.  Nothing is seen by a VM that does
 * not call, and the module can go at any time, with guests running: their next
 * call gets KVM's answer to a hypercall that it does not know.
 */
#include <linux/module.h>
#include <linux/timekeeping.h>

#include "callee.h"
#include "hook.h"
#include "pvpmu_kvm.h"

const struct pvpmu_host_ops pk_ops = {
	.features = PVPMU_FEAT_LVTPC | PVPMU_FEAT_RDPMC,
	.hypercall = PK_HYPERCALL,
	.op_base = PVPMU_DEFAULT_OP_BASE,
	.raw = PVPMU_RAW_X86,
	.query = pk_op_query,
	.area_attach = pk_op_area_attach,
	.area_detach = pk_op_area_detach,
	.area_read = pk_op_area_read,
	.area_write = pk_op_area_write,
	.area_line = pk_op_area_line,
	.area_or32 = pk_op_area_or32,
	.deliver = pk_op_deliver,
	.create = pk_op_create,
	.destroy = pk_op_destroy,
	.start = pk_op_start,
	.stop = pk_op_stop,
	.read = pk_op_read,
	.kick = pk_op_kick,
	.raise = pk_op_raise,
	.clock = ktime_get_mono_fast_ns,
	.room = pk_op_room,
	.idle = pk_op_idle,
};

/*
 * In the order in which they are set: a vCPU that calls can be interrupted,
 * and is let go when it ends.
 */
static struct pk_hook *const hooks[] = {
	&pk_hook_destroy,
	&pk_hook_reset,
	&pk_hook_mp_state,
	&pk_hook_halt,
	&pk_hook_pmi,
	&pk_hook_run,
	&pk_hook_mmu,
	&pk_hook_rdpmc,
	&pk_hook_cpuid,
	&pk_hook_hypercall,
};

/* Where a request for a PMI wakes a vCPU that halts, nobody has to look there. */
static bool needed(const struct pk_hook *hook)
{
	return hook != &pk_hook_halt || !PK_PMI_WAKES;
}

static void remove_hooks(void)
{
	int i;

	for (i = ARRAY_SIZE(hooks) - 1; i >= 0; i--)
		pk_hook_remove(hooks[i]);
	pk_hooks_drain();
}

/*
 * vCPUs end while everything is still hooked.  An interrupt that one of their
 * counters asks for meanwhile is ours to deliver, not KVM's, which would
 * deliver one for each overflow; and KVM cannot destroy a vCPU unseen.  When the
 * hooks go there is nothing left that could need them, and when nothing is in
 * them any more, nothing knows of a vCPU.
 */
static void stop_serving(void)
{
	WRITE_ONCE(pk_enabled, false);
	pk_vcpus_close();
	remove_hooks();
	pk_vcpus_free();
}

/* What is there before guests are served, and after */
static void forget_all(void)
{
	pk_exits_exit();
	pk_stats_exit();
	pk_params_exit();
	pk_events_exit();
}

static int __init start(void)
{
	int i, err = pk_callees_find();

	if (err)
		return err;
	pk_events_probe();
	pk_params_init();
	err = pk_stats_init();
	if (err) {
		pk_events_exit();
		return err;
	}
	for (i = 0; i < ARRAY_SIZE(hooks) && !err; i++)
		if (needed(hooks[i]))
			err = pk_hook_set(hooks[i]);
	if (!err)
		err = pk_record_init();
	if (err) {
		stop_serving();
		forget_all();
	}
	return err;
}

static void __exit stop(void)
{
	pk_record_exit();
	stop_serving();
	forget_all();
}

module_init(start);
module_exit(stop);

MODULE_DESCRIPTION("pvpmu: paravirtual PMU for KVM guests");
MODULE_LICENSE("GPL");
