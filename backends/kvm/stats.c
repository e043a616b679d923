// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmu on KVM: what happened, in debugfs
 *
 * pvpmu_kvm/stats has the sums since the module was loaded, of vCPUs that are
 * gone as well, and how much there is of everything now; pvpmu_kvm/vcpus has a
 * line for each vCPU.  Sums are read while they grow.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "hook.h"
#include "pvpmu_kvm.h"

atomic_t pk_live_vms, pk_live_vcpus, pk_live_areas, pk_live_events;

static struct dentry *directory;

/* Of vCPUs that are gone; under the registry's lock */
static struct pvpmu_stats kept;

static const char *const operations[] = {
	[PVPMU_OP_QUERY] = "query",
	[PVPMU_OP_SETUP] = "setup",
	[PVPMU_OP_DETACH] = "detach",
	[PVPMU_OP_OPEN] = "open",
	[PVPMU_OP_CLOSE] = "close",
	[PVPMU_OP_ENABLE] = "enable",
	[PVPMU_OP_DISABLE] = "disable",
	[PVPMU_OP_READ] = "read",
	[PVPMU_OP_UPDATE] = "update",
	[PVPMU_OP_UPDATE + 1] = "unknown",
};

static_assert(ARRAY_SIZE(operations) ==
	      ARRAY_SIZE(((struct pvpmu_stats *)NULL)->calls));

static void add(struct pvpmu_stats *sum, const struct pvpmu_stats *stats)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(sum->calls); i++)
		sum->calls[i] += stats->calls[i];
	sum->refused += stats->refused;
	sum->overflows += stats->overflows;
	sum->missed += stats->missed;
	sum->throttled += stats->throttled;
	sum->raised += stats->raised;
	sum->created += stats->created;
	sum->destroyed += stats->destroyed;
}

/**
 * pk_stats_keep() - keeps what a vCPU did
 * @stats: of a vCPU that goes, under the registry's lock
 */
void pk_stats_keep(const struct pvpmu_stats *stats)
{
	add(&kept, stats);
}

static void add_vcpu(struct pk_vcpu *vcpu, void *sum)
{
	add(sum, &vcpu->core.stats);
}

static int stats_show(struct seq_file *file, void *unused)
{
	struct pvpmu_stats sum = {};
	int i;

	pk_vcpus_each(add_vcpu, &sum);
	add(&sum, &kept);

	seq_printf(file, "calls %llu\n", pvpmu_stats_calls(&sum));
	for (i = 0; i < ARRAY_SIZE(operations); i++)
		seq_printf(file, "calls_%s %llu\n", operations[i],
			   sum.calls[i]);
	seq_printf(file, "refused %llu\n", sum.refused);
	seq_printf(file, "overflows %llu\n", sum.overflows);
	seq_printf(file, "missed %llu\n", sum.missed);
	seq_printf(file, "throttled %llu\n", sum.throttled);
	seq_printf(file, "raised %llu\n", sum.raised);
	seq_printf(file, "created %llu\n", sum.created);
	seq_printf(file, "destroyed %llu\n", sum.destroyed);
	seq_printf(file, "live_vms %d\n", atomic_read(&pk_live_vms));
	seq_printf(file, "live_vcpus %d\n", atomic_read(&pk_live_vcpus));
	seq_printf(file, "live_areas %d\n", atomic_read(&pk_live_areas));
	seq_printf(file, "live_events %d\n", atomic_read(&pk_live_events));
	seq_printf(file, "hooks_busy %ld\n", pk_hooks_busy());
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static void show_vcpu(struct pk_vcpu *vcpu, void *file)
{
	const struct pvpmu_vcpu *core = &vcpu->core;

	/* Another thread may begin to run it, and the one there was may end. */
	mutex_lock(&vcpu->lock);
	seq_printf(file, "vm %d vcpu %d thread %d area %d open %u counters %lu calls %llu refused %llu overflows %llu throttled %llu raised %llu\n",
		   vcpu->vm->kvm->userspace_pid, vcpu->kvm_vcpu->vcpu_id,
		   task_pid_nr(vcpu->task), core->attached, core->opened,
		   hweight64(core->made), pvpmu_stats_calls(&core->stats),
		   core->stats.refused, core->stats.overflows,
		   core->stats.throttled, core->stats.raised);
	mutex_unlock(&vcpu->lock);
}

static int vcpus_show(struct seq_file *file, void *unused)
{
	pk_vcpus_each(show_vcpu, file);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vcpus);

void pk_stats_init(void)
{
	directory = debugfs_create_dir("pvpmu_kvm", NULL);
	debugfs_create_file("stats", 0400, directory, NULL, &stats_fops);
	debugfs_create_file("vcpus", 0400, directory, NULL, &vcpus_fops);
}

void pk_stats_exit(void)
{
	debugfs_remove(directory);
}
