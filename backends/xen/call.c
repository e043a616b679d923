/* SPDX-License-Identifier: GPL-2.0 */
/* pvpmu in Xen: the hypercall, the discovery leaves, and core's host ops */
#include <xen/event.h>
#include <xen/hypercall.h>
#include <xen/softirq.h>
#include <asm/cpuid.h>
#include <asm/hvm/vlapic.h>
#include <public/pmu.h>
#include <xsm/xsm.h>

#include "compat.h"
#include "pvpmu_xen.h"
#include "control.h"

static void host_destroy(struct pvpmu_vcpu *core, u32 counter)
{
	/* It is stopped, and there is nothing else to it. */
}

static bool host_start(struct pvpmu_vcpu *core, u32 counter, u64 left)
{
	pvpmu_sched_start(&pvpmu_of(core)->sched, counter, left);
	return true;
}

static void host_stop(struct pvpmu_vcpu *core, u32 counter)
{
	pvpmu_sched_stop(&pvpmu_of(core)->sched, counter);
}

static void host_read(struct pvpmu_vcpu *core, u32 counter,
		      struct pvpmu_reading *reading)
{
	pvpmu_sched_read(&pvpmu_of(core)->sched, counter, reading);
}

static bool host_arrange(struct pvpmu_vcpu *core)
{
	return pvpmu_sched_arrange(&pvpmu_of(core)->sched);
}

static u64 host_clock(void)
{
	return NOW();
}

static void host_idle(struct pvpmu_vcpu *core)
{
	/* A counter without a user costs nothing: core takes it when it needs
	 * the place. */
}

/*
 * A channel that the guest bound for interrupts between its vCPUs, to this one:
 * it can be raised from here as it can by the guest, and by nobody else.  The
 * guest may close it at any time, so it is looked at each time.
 */
static bool use_port(struct vcpu *v, u32 port, bool raise)
{
	struct domain *d = v->domain;
	struct evtchn *channel;
	bool usable;

	if (!port_is_valid(d, port))
		return false;
	channel = evtchn_from_port(d, port);
	evtchn_read_lock(channel);
	usable = channel->state == ECS_IPI &&
		 channel->notify_vcpu_id == v->vcpu_id;
	if (usable && raise)
		evtchn_port_set_pending(d, v->vcpu_id, channel);
	evtchn_read_unlock(channel);
	return usable;
}

static bool host_deliver(struct pvpmu_vcpu *core, u32 delivery, u32 port)
{
	struct pvpmu_xen *x = pvpmu_of(core);

	if (delivery == PVPMU_DELIVER_LVTPC && !has_vlapic(x->v->domain))
		return false;
	if (delivery == PVPMU_DELIVER_EVTCHN && !use_port(x->v, port, false))
		return false;
	x->delivery = delivery;
	x->port = port;
	return true;
}

static void raise_nmi(struct pvpmu_vcpu *core)
{
	struct vcpu *v = pvpmu_of(core)->v;

	if (!test_and_set_bool(v->arch.nmi_pending))
		vcpu_kick(v);
}

/* Without HVM guests there is no vCPU that has a local APIC of Xen's. */
#ifdef CONFIG_HVM
static void raise_lvtpc(struct pvpmu_vcpu *core)
{
	struct vlapic *vlapic = vcpu_vlapic(pvpmu_of(core)->v);
	uint32_t lvtpc = vlapic_get_reg(vlapic, APIC_LVTPC);

	if (!is_vlapic_lvtpc_enabled(vlapic))
		return;
	switch (PVPMU_LVTPC_MODE(lvtpc)) {
	case PVPMU_LVTPC_FIXED:
		vlapic_set_irq(vlapic, lvtpc & APIC_VECTOR_MASK, 0);
		break;
	case PVPMU_LVTPC_NMI:
		raise_nmi(core);
		break;
	}
}
#else
static void raise_lvtpc(struct pvpmu_vcpu *core)
{
	ASSERT_UNREACHABLE();
}
#endif

static void host_raise(struct pvpmu_vcpu *core)
{
	struct pvpmu_xen *x = pvpmu_of(core);

	switch (x->delivery) {
	case PVPMU_DELIVER_LVTPC:
		raise_lvtpc(core);
		break;
	case PVPMU_DELIVER_PV_NMI:
		raise_nmi(core);
		break;
	case PVPMU_DELIVER_EVTCHN:
		use_port(x->v, x->port, true);
		break;
	}
}

#define HOST_OPS                                                             \
	.query = pvpmu_counters_query, .area_attach = pvpmu_area_attach,     \
	.area_detach = pvpmu_area_detach, .area_read = pvpmu_area_copy_from, \
	.area_write = pvpmu_area_copy_to, .area_line = pvpmu_area_set_line,  \
	.area_or32 = pvpmu_area_set_bits, .deliver = host_deliver,           \
	.create = pvpmu_counters_create, .destroy = host_destroy,            \
	.fit = pvpmu_counters_fit, .start = host_start, .stop = host_stop,   \
	.read = host_read, .arrange = host_arrange, .kick = pvpmu_kick, .raise = host_raise,          \
	.clock = host_clock, .idle = host_idle

const struct pvpmu_host_ops pvpmu_ops_pv = {
	HOST_OPS,
	.features = PVPMU_FEAT_PV_NMI | PVPMU_FEAT_EVTCHN | PVPMU_FEAT_GROUPS,
};

const struct pvpmu_host_ops pvpmu_ops_hvm = {
	HOST_OPS,
	.features = PVPMU_FEAT_LVTPC | PVPMU_FEAT_EVTCHN | PVPMU_FEAT_GROUPS,
};

/*
 * A security policy that knows Xen's own vPMU says the same of us: who may use
 * it, and who may control it.  Without one all may, and those who control
 * domains.
 */
static int permission(unsigned int op)
{
	return xsm_pmu_op(XSM_OTHER, current->domain, op);
}

/* Xen lets only a guest's kernel make hypercalls. */
long do_pvpmu_op(unsigned int op, unsigned long a, unsigned long b,
		 unsigned long c)
{
	const struct pvpmu_call call = {
		.op = op,
		.arg = { (u32)a, (u32)b, (u32)c },
		.kernel = !permission(XENPMU_init),
	};
	struct pvpmu_xen *x = current->arch.pvpmu;
	s32 result;
	int rc;

	if (!x)
		return -ENOSYS;
	if (op == PVPMU_CONTROL) {
		rc = permission(XENPMU_mode_set);
		return rc ?: pvpmu_control(a);
	}
	x->calling = true;
	pvpmu_sched_hold(&x->sched);
	result = pvpmu_call(&x->core, &call);
	pvpmu_sched_release(&x->sched);
	x->calling = false;
	pvpmu_area_mark_dirty(x);
	if (x->kicked)
		raise_softirq(PVPMU_SOFTIRQ);
	return result;
}

void pvpmu_leaf(const struct vcpu *v, uint32_t leaf, struct cpuid_leaf *res)
{
	const struct pvpmu_xen *x = v->arch.pvpmu;
	u32 regs[4];

	if (!x || !pvpmu_cpuid(x->core.vm, x->core.ops, PVPMU_XEN_LEAVES,
			       __HYPERVISOR_pvpmu_op, leaf, regs))
		return;
	res->a = regs[0];
	res->b = regs[1];
	res->c = regs[2];
	res->d = regs[3];
}
