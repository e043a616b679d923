// SPDX-License-Identifier: GPL-2.0
/* What tools find in /sys/bus/event_source/devices: events, format, caps. */
#include "pvpmu.h"

#include <linux/cpumask.h>
#include <linux/device.h>
#include <linux/stringify.h>
#include <linux/sysfs.h>

struct named {
	struct device_attribute attr;
	u32 type;
	u32 config;
};

static ssize_t named_show(struct device *dev, struct device_attribute *attr,
			  char *page)
{
	struct named *event = container_of(attr, struct named, attr);

	return sysfs_emit(page, "class=%#x,id=%#x\n", event->type,
			  event->config);
}

#define NAMED(name, class, number)                                        \
	(&((struct named[]){ { .attr = __ATTR(name, 0444, named_show, NULL), \
			       .type = class,                             \
			       .config = number } })[0].attr.attr)

#define HARDWARE(name, number) NAMED(name, PVPMU_TYPE_HARDWARE, number)
#define HYPERVISOR(name, number) NAMED(name, PVPMU_TYPE_HYPERVISOR, number)

static struct attribute *events[] = {
	HARDWARE(cpu-cycles, PVPMU_HW_CYCLES),
	HARDWARE(instructions, PVPMU_HW_INSTRUCTIONS),
	HARDWARE(cache-references, PVPMU_HW_CACHE_REFERENCES),
	HARDWARE(cache-misses, PVPMU_HW_CACHE_MISSES),
	HARDWARE(branch-instructions, PVPMU_HW_BRANCHES),
	HARDWARE(branch-misses, PVPMU_HW_BRANCH_MISSES),
	HARDWARE(bus-cycles, PVPMU_HW_BUS_CYCLES),
	HARDWARE(stalled-cycles-frontend, PVPMU_HW_STALLED_FRONTEND),
	HARDWARE(stalled-cycles-backend, PVPMU_HW_STALLED_BACKEND),
	HARDWARE(ref-cycles, PVPMU_HW_REF_CYCLES),
	NAMED(vcpu-clock, PVPMU_TYPE_CLOCK, PVPMU_CLOCK_VCPU),
	HYPERVISOR(hv-exits, PVPMU_HV_EXITS),
	HYPERVISOR(hv-steal, PVPMU_HV_STEAL),
	HYPERVISOR(hv-preemptions, PVPMU_HV_PREEMPTIONS),
	HYPERVISOR(hv-halts, PVPMU_HV_HALTS),
	HYPERVISOR(hv-exits-interrupt, PVPMU_HV_EXITS_INTERRUPT),
	HYPERVISOR(hv-exits-idle, PVPMU_HV_EXITS_IDLE),
	HYPERVISOR(hv-exits-io, PVPMU_HV_EXITS_IO),
	HYPERVISOR(hv-exits-memory, PVPMU_HV_EXITS_MEMORY),
	HYPERVISOR(hv-exits-instruction, PVPMU_HV_EXITS_INSTRUCTION),
	HYPERVISOR(hv-exits-hypercall, PVPMU_HV_EXITS_HYPERCALL),
	HYPERVISOR(hv-exits-other, PVPMU_HV_EXITS_OTHER),
	NULL,
};

/* Only what the host offers when the driver is loaded. */
static umode_t event_mode(struct kobject *kobj, struct attribute *attr,
			  int index)
{
	struct named *event = container_of(attr, struct named, attr.attr);

	return pvg_query(event->type, event->config) > 0 ? attr->mode : 0;
}

/* The CPU's own numbers are spelled as its vendor's PMU has them. */
static ssize_t event_show(struct device *dev, struct device_attribute *attr,
			  char *page)
{
	return sysfs_emit(page, "config:0-7%s\n",
			  pvg_raw_is_wide() ? ",32-35" : "");
}
static DEVICE_ATTR_RO(event);

PMU_FORMAT_ATTR(umask, "config:8-15");
PMU_FORMAT_ATTR(class, "config:56-63");
PMU_FORMAT_ATTR(id, "config:0-31");

static struct attribute *formats[] = {
	&dev_attr_event.attr,
	&format_attr_umask.attr,
	&format_attr_class.attr,
	&format_attr_id.attr,
	NULL,
};

static ssize_t max_precise_show(struct device *dev,
				struct device_attribute *attr, char *page)
{
	return sysfs_emit(page, "0\n");
}
static DEVICE_ATTR_RO(max_precise);

static ssize_t pmu_name_show(struct device *dev, struct device_attribute *attr,
			     char *page)
{
	return sysfs_emit(page, "pvpmu\n");
}
static DEVICE_ATTR_RO(pmu_name);

static struct attribute *caps[] = {
	&dev_attr_max_precise.attr,
	&dev_attr_pmu_name.attr,
	NULL,
};

static struct attribute *switches[] = {
	&pvg_rdpmc_attr.attr,
	NULL,
};

/* Events for whole CPUs only: tools open them on each of these. */
static ssize_t cpumask_show(struct device *dev, struct device_attribute *attr,
			    char *page)
{
	return sysfs_emit(page, "%*pbl\n", cpumask_pr_args(cpu_online_mask));
}
static DEVICE_ATTR_RO(cpumask);

static struct attribute *cpus[] = {
	&dev_attr_cpumask.attr,
	NULL,
};

static umode_t if_first(struct kobject *kobj, struct attribute *attr, int index)
{
	return pvg_is_second() ? 0 : attr->mode;
}

static umode_t if_second(struct kobject *kobj, struct attribute *attr,
			 int index)
{
	return pvg_is_second() ? attr->mode : 0;
}

static const struct attribute_group event_group = {
	.name = "events",
	.attrs = events,
	.is_visible = event_mode,
};

static const struct attribute_group format_group = {
	.name = "format",
	.attrs = formats,
};

static const struct attribute_group caps_group = {
	.name = "caps",
	.attrs = caps,
};

static const struct attribute_group switch_group = {
	.attrs = switches,
	.is_visible = if_first,
};

static const struct attribute_group cpu_group = {
	.attrs = cpus,
	.is_visible = if_second,
};

const struct attribute_group *pvg_groups[] = {
	&event_group,
	&format_group,
	&caps_group,
	&switch_group,
	&cpu_group,
	NULL,
};
