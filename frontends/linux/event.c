// SPDX-License-Identifier: GPL-2.0
/* perf's description of an event, and the ABI's. */
#include "pvpmu.h"

#include <linux/errno.h>
#include <linux/preempt.h>

#include "config.h"

/**
 * pvg_query() - what the host can do with an event
 * @type: PVPMU_TYPE_*
 * @config: according to @type
 *
 * A CPU that is quiet since a migration does not know its new host yet.
 *
 * Context: process.
 * Return: PVPMU_CAP_*, or an error.
 */
s64 pvg_query(u32 type, u64 config)
{
	struct pvg_host host;
	struct pvg_cpu *cpu;
	s64 result;

	local_irq_disable();
	cpu = this_cpu_ptr(&pvg_cpus);
	result = pvg_call(cpu, PVPMU_OP_QUERY, type, lower_32_bits(config),
			  upper_32_bits(config));
	if (pvg_absent(result) && !pvg_discover(&host, cpu->host.base, true))
		result = pvg_transport->call(host.number,
					     host.op_base + PVPMU_OP_QUERY,
					     type, lower_32_bits(config),
					     upper_32_bits(config));
	local_irq_enable();
	return result;
}

/* Return: 0, -ENOENT (none of ours), -EINVAL (ours, but there is no such). */
static int translate(const struct perf_event_attr *attr, u32 *type,
		     u64 *config)
{
	u64 number = attr->config;

	if (attr->type == PERF_TYPE_HARDWARE) {
		*type = PVPMU_TYPE_HARDWARE;
		*config = number;
		return number < PVPMU_HW_END ? 0 : -ENOENT;
	}
	if (attr->type == PERF_TYPE_HW_CACHE) {
		*type = PVPMU_TYPE_CACHE;
		*config = number;
		return number >> 24 ? -EINVAL : 0;
	}
	if (attr->type != pvg_pmu.type)
		return -ENOENT;
	if (attr->config1 || attr->config2)
		return -EINVAL;
	*type = number >> PVG_CLASS_SHIFT;
	if (!*type) {
		*type = PVPMU_TYPE_RAW;
		*config = number;
		return number & ~PVG_RAW_MASK ? -EINVAL : 0;
	}
	*config = number & PVG_ID_MASK;
	number &= ~(PVG_ID_MASK | PVG_CLASS_MASK);
	return number || *type > PVPMU_TYPE_HYPERVISOR ? -EINVAL : 0;
}

/* May we have guests?  KVM needs one of these. */
static bool is_host(void)
{
	return boot_cpu_has(X86_FEATURE_SVM) || boot_cpu_has(X86_FEATURE_VMX);
}

/* Does the CPU count it?  The others tell of the CPU, whoever had it. */
static bool of_cpu(u32 type)
{
	return type == PVPMU_TYPE_HARDWARE || type == PVPMU_TYPE_CACHE ||
	       type == PVPMU_TYPE_RAW;
}

/*
 * Guests of ours, or ourselves beside them.  Tools ask to leave guests out by
 * default, so it is refused with the error that has them try without.  It is
 * free where there can be none; and what does not tell of guests has no part
 * that is theirs, as for Linux's own software events.
 */
static int guest_filters(const struct perf_event_attr *attr, u32 type, u32 caps,
			 u32 *flags)
{
	if (attr->exclude_host && attr->exclude_guest)
		return -EINVAL;
	if (attr->exclude_host) {
		if (!(caps & PVPMU_CAP_EXCLUDE_HOST))
			return -EOPNOTSUPP;
		*flags |= PVPMU_FLAG_EXCLUDE_HOST;
	} else if (attr->exclude_guest && is_host() && of_cpu(type)) {
		if (!(caps & PVPMU_CAP_EXCLUDE_GUEST))
			return -EINVAL;
		*flags |= PVPMU_FLAG_EXCLUDE_GUEST;
	}
	return 0;
}

/*
 * What the event leaves out.  Nothing of the hypervisor is ever counted, so
 * leaving that out is free.  To count nothing when idle cannot be done.
 */
static int filters(const struct perf_event_attr *attr, u32 type, u32 caps,
		   u32 *flags)
{
	*flags = 0;
	if (attr->exclude_user)
		*flags |= PVPMU_FLAG_EXCLUDE_USER;
	if (attr->exclude_kernel)
		*flags |= PVPMU_FLAG_EXCLUDE_KERNEL;
	if (attr->exclude_user && attr->exclude_kernel)
		return -EINVAL;
	if (attr->exclude_idle)
		return -EOPNOTSUPP;
	if (attr->exclude_user && !(caps & PVPMU_CAP_EXCLUDE_USER))
		return -EOPNOTSUPP;
	if (attr->exclude_kernel && !(caps & PVPMU_CAP_EXCLUDE_KERNEL))
		return -EOPNOTSUPP;
	return guest_filters(attr, type, caps, flags);
}

static int sampling(struct perf_event *event, u32 caps)
{
	struct hw_perf_event *hwc = &event->hw;

	if (!is_sampling_event(event))
		return 0;
	if (!pvg_can_sample() || !(caps & PVPMU_CAP_SAMPLE))
		return -EOPNOTSUPP;
	/* The host takes no shorter one; samples tell their true weight. */
	hwc->sample_period = pvg_period(raw_cpu_ptr(&pvg_cpus), event,
					hwc->sample_period);
	hwc->last_period = hwc->sample_period;
	local64_set(&hwc->period_left, hwc->sample_period);
	return 0;
}

/**
 * pvg_event_init() - does perf get this event from us?
 * @event: perf makes it
 *
 * Context: process.
 * Return: 0, or an error as struct pmu has them: -ENOENT also for an event
 *         that the host does not offer.  Without a host, or switched off, it
 *         is -ENXIO: for -ENODEV, perf stat would not even run its command.
 */
int pvg_event_init(struct perf_event *event)
{
	const struct perf_event_attr *attr = &event->attr;
	struct hw_perf_event *hwc = &event->hw;
	u32 type, flags;
	u64 config;
	s64 caps;
	int error;

	error = translate(attr, &type, &config);
	if (error)
		return error;
	/* A refused child would be a refused fork. */
	if (!pvg_active() && !event->parent)
		return -ENXIO;
	if (has_branch_stack(event) || attr->precise_ip || attr->aux_output)
		return -EOPNOTSUPP;
	if (event->cpu >= 0 && pvg_pmu.task_ctx_nr == perf_invalid_context &&
	    event->attach_state & PERF_ATTACH_TASK)
		return -EINVAL;

	/* A child is what its parent is, and a fork does not ask again. */
	if (event->parent) {
		caps = event->parent->hw.event_base;
	} else {
		caps = pvg_query(type, config);
		if (pvg_absent(caps))
			return -ENXIO;
		if (caps < 0 || !(caps & PVPMU_CAP_COUNT))
			return -ENOENT;
	}
	error = filters(attr, type, caps, &flags);
	if (error)
		return error;

	pvg_type(hwc) = type;
	pvg_config(hwc) = config;
	pvg_flags(hwc) = flags;
	pvg_id(hwc) = -1;
	pvg_since(hwc) = 0;
	hwc->event_base = caps;
	pvg_rdpmc_event_init(event);
	error = sampling(event, caps);
	if (!error && !pvg_group_fits(event))
		error = -EINVAL;
	if (!error && event->attach_state & PERF_ATTACH_TASK)
		pvg_hold();
	return error;
}
