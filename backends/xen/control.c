/* SPDX-License-Identifier: GPL-2.0 */
/* pvpmu in Xen: the administrator's calls */
#include <xen/guest_access.h>
#include <xen/rcupdate.h>

#include "pvpmu_xen.h"
#include "control.h"

static void describe(const struct pvpmu_xen *x, struct pvpmu_control *control)
{
	const struct pvpmu_limits *limits = &x->core.vm->limits;
	const struct pvpmu_stats *stats = &x->core.stats;

	control->domain = x->v->domain->domain_id;
	control->vcpu = x->v->vcpu_id;
	control->hvm = is_hvm_vcpu(x->v);
	control->limits.slots_vcpu = limits->slots_vcpu;
	control->limits.slots_vm = limits->slots_vm;
	control->limits.classes = limits->classes;
	control->limits.period_min = limits->period_min;
	control->limits.clock_period_min = limits->clock_period_min;
	control->limits.overflow_rate = limits->overflow_rate;
	control->area = x->core.attached;
	control->open = x->core.opened;
	control->time = pvpmu_sched_time(&x->sched);
	control->calls = pvpmu_stats_calls(stats);
	control->refused = stats->refused;
	control->overflows = stats->overflows;
	control->throttled = stats->throttled;
	control->raised = stats->raised;
	control->counters = stats->created - stats->destroyed;
}

static bool describe_next(const struct domain *d, struct pvpmu_control *control)
{
	u32 first = d->domain_id == control->domain ? control->vcpu : 0;
	const struct vcpu *v;

	for_each_vcpu(d, v)
	{
		if (v->vcpu_id < first || !v->arch.pvpmu)
			continue;
		describe(v->arch.pvpmu, control);
		return true;
	}
	return false;
}

static long next(struct pvpmu_control *control)
{
	const struct domain *d;
	long rc = -ENOENT;

	rcu_read_lock(&domlist_read_lock);
	for_each_domain(d)
	{
		if (d->domain_id < control->domain || d->is_dying ||
		    !describe_next(d, control))
			continue;
		rc = 0;
		break;
	}
	rcu_read_unlock(&domlist_read_lock);
	return rc;
}

static void detach_all(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
	{
		if (v == current) {
			pvpmu_detach(v);
			continue;
		}
		vcpu_pause(v);
		pvpmu_detach(v);
		vcpu_unpause(v);
	}
}

static long limit(struct domain *d, const struct pvpmu_control *control)
{
	const struct pvpmu_limits limits = {
		.slots_vcpu = control->limits.slots_vcpu,
		.slots_vm = control->limits.slots_vm,
		.classes = control->limits.classes,
		.period_min = control->limits.period_min,
		.clock_period_min = control->limits.clock_period_min,
		.overflow_rate = control->limits.overflow_rate,
	};

	if (!d->arch.pvpmu)
		return -EOPNOTSUPP;
	if (!pvpmu_limits_make_sense(&limits))
		return -EINVAL;
	pvpmu_vm_limit(d->arch.pvpmu, &limits);
	if (!limits.slots_vcpu)
		detach_all(d);
	return 0;
}

/*
 * One at a time, and none waits for another: vCPUs of one domain that pause
 * each other would never get through.
 */
static long set_limits(const struct pvpmu_control *control)
{
	static DEFINE_SPINLOCK(lock);
	struct domain *d;
	long rc = -ESRCH;

	if (!spin_trylock(&lock))
		return -EAGAIN;
	d = rcu_lock_domain_by_any_id(control->domain);
	if (d) {
		rc = limit(d, control);
		rcu_unlock_domain(d);
	}
	spin_unlock(&lock);
	return rc;
}

/* Context: a hypercall; that the caller may is checked. */
long pvpmu_control(unsigned long address)
{
	void __user *where = (void __user *)address;
	struct pvpmu_control control;
	long rc;

	if (raw_copy_from_guest(&control, where, sizeof(control)))
		return -EFAULT;
	switch (control.command) {
	case PVPMU_CONTROL_NEXT:
		rc = next(&control);
		break;
	case PVPMU_CONTROL_LIMITS:
		return set_limits(&control);
	default:
		return -EOPNOTSUPP;
	}
	if (!rc && raw_copy_to_guest(where, &control, sizeof(control)))
		return -EFAULT;
	return rc;
}
