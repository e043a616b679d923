// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmu on KVM: what happened, in debugfs, and what the administrator changes
 *
 * pvpmu_kvm/stats has the sums since the module was loaded, of vCPUs that are
 * gone as well, and how much there is of everything now; pvpmu_kvm/vcpus has a
 * line for each vCPU, pvpmu_kvm/events one for each event that a guest has open.
 * Sums are read while they grow.
 *
 * The device pvpmu_kvm_control has the limits: debugfs is closed to root, too,
 * where the kernel is locked down.  It reads as a line for those to come, as number
 * 0, and one for each process whose VMs have their own; a line of the same seven
 * numbers that is written to it sets them, see pk_limit().
 */
#include <linux/debugfs.h>
#include <linux/miscdevice.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include "hook.h"
#include "pvpmu_kvm.h"

atomic_t pk_live_vms, pk_live_areas, pk_live_events;

/* Each exit of each VM looks at it: it shares no line with what changes often. */
atomic_t pk_live_vcpus __read_mostly;

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

static void add_vcpu(const struct pk_vcpu *vcpu, void *sum)
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

static void show_vcpu(const struct pk_vcpu *vcpu, void *file)
{
	const struct pvpmu_vcpu *core = &vcpu->core;

	seq_printf(file, "vm %u vcpu %u thread %d area %d open %u counters %lu calls %llu refused %llu overflows %llu throttled %llu raised %llu\n",
		   vcpu->vm->number, vcpu->id, READ_ONCE(vcpu->thread),
		   core->attached, core->opened, hweight64(core->made),
		   pvpmu_stats_calls(&core->stats), core->stats.refused,
		   core->stats.overflows, core->stats.throttled,
		   core->stats.raised);
}

static int vcpus_show(struct seq_file *file, void *unused)
{
	pk_vcpus_each(show_vcpu, file);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vcpus);

static void show_events(const struct pk_vcpu *vcpu, void *file)
{
	struct pvpmu_open_event event;
	u32 id;

	for (id = 0; pvpmu_next_event(&vcpu->core, id, &event);
	     id = event.id + 1)
		seq_printf(file, "vm %u vcpu %d id %u type %u config %llx flags %u period %llu state %u count %llu enabled %llu running %llu overflows %u\n",
			   vcpu->vm->number, vcpu->id,
			   event.id, event.desc.type, event.desc.config,
			   event.desc.flags, event.period, event.line.state,
			   event.line.count, event.line.time_enabled,
			   event.line.time_running, event.line.overflows);
}

static int events_show(struct seq_file *file, void *unused)
{
	pk_vcpus_each(show_events, file);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(events);

static void show_limits(u32 number, const struct pvpmu_limits *limits,
			void *file)
{
	seq_printf(file, "%u %u %u %u %u %u %u\n", number,
		   limits->slots_vcpu, limits->slots_vm, limits->classes,
		   limits->period_min, limits->clock_period_min,
		   limits->overflow_rate);
}

static void show_vm_limits(struct pk_vm *vm, void *file)
{
	show_limits(vm->number, &vm->core.limits, file);
}

/* What a VM has comes before what its process will have. */
static int limits_show(struct seq_file *file, void *unused)
{
	const struct pvpmu_limits limits = pk_default_limits();

	show_limits(0, &limits, file);
	pk_vms_each(show_vm_limits, file);
	pk_owns_each(show_limits, file);
	return 0;
}

static int limits_open(struct inode *inode, struct file *file)
{
	/* It was the device's. */
	file->private_data = NULL;
	return single_open(file, limits_show, NULL);
}

/* One line at a time, wherever the file stands. */
static ssize_t limits_write(struct file *file, const char __user *from,
			    size_t size, loff_t *position)
{
	struct pvpmu_limits to;
	char line[128], end;
	u32 number;
	int err;

	if (size >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, from, size))
		return -EFAULT;
	line[size] = '\0';
	if (sscanf(line, "%u %u %u %u %u %u %u %c", &number, &to.slots_vcpu,
		   &to.slots_vm, &to.classes, &to.period_min,
		   &to.clock_period_min, &to.overflow_rate, &end) != 7)
		return -EINVAL;
	err = pk_limit(number, &to);
	return err ?: size;
}

static const struct file_operations limits_fops = {
	.owner = THIS_MODULE,
	.open = limits_open,
	.read = seq_read,
	.write = limits_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static struct miscdevice control = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "pvpmu_kvm_control",
	.mode = 0600,
	.fops = &limits_fops,
};

/* Context: Process.  Return: 0 or a negative error, and nothing is there. */
int pk_stats_init(void)
{
	int err = misc_register(&control);

	if (err)
		return err;
	directory = debugfs_create_dir("pvpmu_kvm", NULL);
	debugfs_create_file("stats", 0400, directory, NULL, &stats_fops);
	debugfs_create_file("vcpus", 0400, directory, NULL, &vcpus_fops);
	debugfs_create_file("events", 0400, directory, NULL, &events_fops);
	return 0;
}

void pk_stats_exit(void)
{
	debugfs_remove(directory);
	misc_deregister(&control);
}
