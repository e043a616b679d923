// SPDX-License-Identifier: GPL-2.0
/* The module: loading, unloading, on and off. */
#include "pvpmu.h"

#include <linux/cpu.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/panic_notifier.h>
#include <linux/reboot.h>

#include "syscore.h"

const struct pvg_transport *pvg_transport;

static const struct pvg_transport *const transports[] = {
	&pvg_transport_kvm,
#ifdef CONFIG_XEN
	&pvg_transport_xen,
#endif
};

static DEFINE_MUTEX(lock); /* protects the three below */
static bool active = true; /* as the administrator wants it */
static bool loaded;
static bool on;

bool pvg_active(void)
{
	return READ_ONCE(on);
}

/**
 * pvg_hold() - the module cannot be unloaded any more
 *
 * For an event of a task.  Before Linux 6.2, a task that ever had one has a
 * context until it exits, and a context points to its PMU for good, even when
 * its last event is gone.  Nothing tells when the last such task has exited.
 */
void pvg_hold(void)
{
	static atomic_t held = ATOMIC_INIT(0);

	if (!PVG_TASKS_KEEP_PMU || pvg_pmu.task_ctx_nr != perf_hw_context ||
	    atomic_xchg(&held, 1))
		return;
	__module_get(THIS_MODULE);
	pr_info("a task has events: the module stays; /sys/module/pvpmu/parameters/active switches it off\n");
}

static int switch_on(void)
{
	int error;

	if (on)
		return 0;
	error = pvg_overflow_on();
	if (error)
		return error;
	pvg_switch_on();
	error = pvg_cpus_on();
	if (error) {
		pvg_switch_off();
		pvg_overflow_off();
		return error;
	}
	WRITE_ONCE(on, true);
	return 0;
}

static void switch_off(void)
{
	if (!on)
		return;
	WRITE_ONCE(on, false);
	pvg_cpus_off();
	pvg_switch_off();
	pvg_overflow_off();
}

static int active_set(const char *value, const struct kernel_param *param)
{
	bool wanted;
	int error = kstrtobool(value, &wanted);

	if (error)
		return error;
	mutex_lock(&lock);
	active = wanted;
	if (loaded && wanted)
		error = switch_on();
	else if (loaded)
		switch_off();
	mutex_unlock(&lock);
	return error;
}

static const struct kernel_param_ops active_ops = {
	.set = active_set,
	.get = param_get_bool,
};
module_param_cb(active, &active_ops, &active, 0644);
MODULE_PARM_DESC(active, "0: keep no event on the host, and refuse new ones");

/*
 * The host writes to our pages, and interrupts: a kernel that comes after this
 * one must not inherit that.
 */
static int reboot(struct notifier_block *block, unsigned long action,
		  void *data)
{
	mutex_lock(&lock);
	on_each_cpu(pvg_cpu_stop, NULL, 1);
	mutex_unlock(&lock);
	return NOTIFY_DONE;
}

/* The end of this kernel on this CPU, though its timer may still come. */
static void let_go(void)
{
	struct pvg_cpu *cpu = this_cpu_ptr(&pvg_cpus);

	if (cpu->allowed)
		pvg_detach(cpu);
	cpu->allowed = false;
}

/* The other CPUs are stopped, and count nothing. */
static int panicked(struct notifier_block *block, unsigned long action,
		    void *data)
{
	let_go();
	return NOTIFY_DONE;
}

/*
 * A kernel that was loaded for a crash begins where this one ends: on the CPU
 * that crashed no notifier is called before, and nothing resets it.  What the
 * CPU shares with its host belongs to the dump by then.  The first of these
 * functions runs on that CPU, the second in an NMI on each of the others.
 */
static int crashed(struct kprobe *probe, struct pt_regs *regs)
{
	let_go();
	return 0;
}

static struct kprobe crash_probes[] = {
	{
		.symbol_name = "machine_crash_shutdown",
		.pre_handler = crashed,
	},
	{
		.symbol_name = "kdump_nmi_callback",
		.pre_handler = crashed,
	},
};

/* Kernels that know of no crash kernels have no such functions. */
static bool crash_probed[ARRAY_SIZE(crash_probes)];

static void watch_crashes(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(crash_probes); i++)
		crash_probed[i] = !register_kprobe(&crash_probes[i]);
}

static void unwatch_crashes(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(crash_probes); i++)
		if (crash_probed[i])
			unregister_kprobe(&crash_probes[i]);
}

static struct notifier_block reboot_block = {
	.notifier_call = reboot,
};

static struct notifier_block panic_block = {
	.notifier_call = panicked,
};

PVG_SYSCORE(pvg_cpu_suspend, pvg_cpu_resume)

/* Is there a host, and will it have us?  Leaves this CPU's area registered. */
static int try_host(void)
{
	struct pvg_host host;
	int error, i;
	s64 result;

	for (i = 0; i < ARRAY_SIZE(transports) && !pvg_transport; i++)
		if (transports[i]->probe())
			pvg_transport = transports[i];
	if (!pvg_transport) {
		pr_err("this is not a guest of a hypervisor that is known here\n");
		return -ENODEV;
	}
	error = pvg_discover(&host, 0, true);
	if (error) {
		pr_err("%s\n", error == -EPROTO ?
			       "the host's pvpmu is not of version 1" :
			       "the host does not offer pvpmu");
		return -ENODEV;
	}

	for_each_possible_cpu(i)
		per_cpu(pvg_cpus, i).host = host;
	local_irq_disable();
	result = pvg_setup(this_cpu_ptr(&pvg_cpus));
	local_irq_enable();
	if (result == PVPMU_OK || result == PVPMU_ERR_RETRY)
		return 0;
	pr_err("the host refused to set up (%lld)\n", result);
	return -ENODEV;
}

static void untry(void *unused)
{
	struct pvg_cpu *cpu = this_cpu_ptr(&pvg_cpus);

	pvg_detach(cpu);
	pvg_lvtpc_close();
}

static int __init pvpmu_init(void)
{
	struct pvg_host *host;
	int error;

	pvg_overflow_init();
	pvg_pinned_init();
	pvg_rdpmc_init();
	error = pvg_cpus_alloc();
	if (error)
		return error;
	error = try_host();
	if (error)
		goto free;
	error = pvg_pmu_register();
	if (error)
		goto detach;

	mutex_lock(&lock);
	if (active)
		error = switch_on();
	loaded = !error;
	mutex_unlock(&lock);
	if (error)
		goto unregister;
	if (!active)
		on_each_cpu(untry, NULL, 1);

	pvg_syscore_on();
	register_reboot_notifier(&reboot_block);
	atomic_notifier_chain_register(&panic_notifier_list, &panic_block);
	watch_crashes();
	host = &raw_cpu_ptr(&pvg_cpus)->host;
	pr_info("%s host, version %u.%u, %u slots; PMU \"%s\"%s\n",
		pvg_transport->name, host->version >> 16,
		host->version & 0xffff, host->slots, pvg_pmu.name,
		pvg_can_sample() ? "" : ", counting only");
	return 0;

unregister:
	pvg_pmu_unregister();
	pvg_rdpmc_exit();
detach:
	on_each_cpu(untry, NULL, 1);
free:
	pvg_cpus_free();
	return error;
}

static void __exit pvpmu_exit(void)
{
	unwatch_crashes();
	atomic_notifier_chain_unregister(&panic_notifier_list, &panic_block);
	unregister_reboot_notifier(&reboot_block);
	pvg_syscore_off();
	mutex_lock(&lock);
	loaded = false;
	switch_off();
	mutex_unlock(&lock);
	pvg_pmu_unregister();
	pvg_rdpmc_exit();
	pvg_cpus_free();
}

module_init(pvpmu_init);
module_exit(pvpmu_exit);
MODULE_DESCRIPTION("perf events of a guest, counted by its host");
MODULE_LICENSE("GPL");
