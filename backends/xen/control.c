/* SPDX-License-Identifier: GPL-2.0 */
/* pvpmu in Xen: the administrator's calls */
#include <xen/guest_access.h>
#include <xen/rcupdate.h>

#include "pvpmu_xen.h"
#include "control.h"

static void describe_limits(const struct pvpmu_limits *limits,
			    struct pvpmu_control *control)
{
	control->limits.slots_vcpu = limits->slots_vcpu;
	control->limits.slots_vm = limits->slots_vm;
	control->limits.classes = limits->classes;
	control->limits.period_min = limits->period_min;
	control->limits.clock_period_min = limits->clock_period_min;
	control->limits.overflow_rate = limits->overflow_rate;
}

static void describe(const struct pvpmu_xen *x, struct pvpmu_control *control)
{
	const struct pvpmu_stats *stats = &x->core.stats;

	control->domain = x->v->domain->domain_id;
	control->vcpu = x->v->vcpu_id;
	control->hvm = is_hvm_vcpu(x->v);
	describe_limits(&x->core.vm->limits, control);
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

static long describe_event(struct pvpmu_control *control)
{
	struct domain *d = rcu_lock_domain_by_any_id(control->domain);
	struct vcpu *v = d ? domain_vcpu(d, control->vcpu) : NULL;
	struct pvpmu_open_event event;
	long rc = -ESRCH;

	if (v && v->arch.pvpmu && !d->is_dying)
		rc = pvpmu_next_event(&v->arch.pvpmu->core, control->event.id,
				      &event) ? 0 : -ENOENT;
	if (!rc) {
		control->event.id = event.id;
		control->event.type = event.desc.type;
		control->event.flags = event.desc.flags;
		control->event.config = event.desc.config;
		control->event.period = event.period;
		control->event.state = event.line.state;
		control->event.count = event.line.count;
		control->event.time_enabled = event.line.time_enabled;
		control->event.time_running = event.line.time_running;
		control->event.overflows = event.line.overflows;
	}
	if (d)
		rcu_unlock_domain(d);
	return rc;
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

static long limit(struct domain *d, const struct pvpmu_limits *limits)
{
	if (!d->arch.pvpmu)
		return -EOPNOTSUPP;
	pvpmu_vm_limit(d->arch.pvpmu, limits);
	if (!limits->slots_vcpu)
		detach_all(d);
	return 0;
}

static long limit_one(u32 domain, const struct pvpmu_limits *limits)
{
	struct domain *d = rcu_lock_domain_by_any_id(domain);
	long rc;

	if (!d)
		return -ESRCH;
	rc = limit(d, limits);
	rcu_unlock_domain(d);
	return rc;
}

static long limit_all(const struct pvpmu_limits *limits)
{
	struct domain *d;

	spin_lock(&pvpmu_default_lock);
	pvpmu_default_limits = *limits;
	spin_unlock(&pvpmu_default_lock);
	rcu_read_lock(&domlist_read_lock);
	for_each_domain(d)
		if (d->arch.pvpmu)
			pvpmu_vm_limit(d->arch.pvpmu, limits);
	rcu_read_unlock(&domlist_read_lock);
	return 0;
}

/*
 * One at a time, and none waits for another: vCPUs of one domain that pause
 * each other would never get through.  They may do so for Xen's own calls too, so
 * it is Xen's own lock.
 */
static long set_limits(const struct pvpmu_control *control)
{
	const struct pvpmu_limits limits = {
		.slots_vcpu = control->limits.slots_vcpu,
		.slots_vm = control->limits.slots_vm,
		.classes = control->limits.classes,
		.period_min = control->limits.period_min,
		.clock_period_min = control->limits.clock_period_min,
		.overflow_rate = control->limits.overflow_rate,
	};
	long rc;

	if (!pvpmu_limits_make_sense(&limits))
		return -EINVAL;
	if (!domctl_lock_acquire())
		return -EAGAIN;
	rc = control->domain == PVPMU_CONTROL_ALL
		     ? limit_all(&limits)
		     : limit_one(control->domain, &limits);
	domctl_lock_release();
	return rc;
}

/* Context: a hypercall; that the caller may is checked. */
long pvpmu_control(unsigned long address)
{
	void __user *where = (void __user *)address;
	struct pvpmu_control control;
	long rc;

	BUILD_BUG_ON(PVPMU_CONTROL_HYPERCALL != __HYPERVISOR_pvpmu_op);
	if (raw_copy_from_guest(&control, where, sizeof(control)))
		return -EFAULT;
	switch (control.command) {
	case PVPMU_CONTROL_NEXT:
		rc = next(&control);
		break;
	case PVPMU_CONTROL_DEFAULT:
		spin_lock(&pvpmu_default_lock);
		describe_limits(&pvpmu_default_limits, &control);
		spin_unlock(&pvpmu_default_lock);
		rc = 0;
		break;
	case PVPMU_CONTROL_EVENT:
		rc = describe_event(&control);
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
