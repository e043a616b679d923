/* SPDX-License-Identifier: GPL-2.0 */
/* pvpmu in Xen: boot, and the life of vCPUs and domains */
#include <xen/keyhandler.h>
#include <xen/param.h>
#include <xen/softirq.h>
#include <asm/nmi.h>

#include "compat.h"
#include "pvpmu_xen.h"

#include <asm/vpmu.h>

static bool __initdata opt_pvpmu;
boolean_param("pvpmu", opt_pvpmu);

bool __read_mostly pvpmu_on;

struct pvpmu_limits pvpmu_default_limits = PVPMU_LIMITS_DEFAULT;
DEFINE_SPINLOCK(pvpmu_default_lock);

atomic_t pvpmu_areas = ATOMIC_INIT(0);
atomic_t pvpmu_loaded = ATOMIC_INIT(0);
atomic_t pvpmu_timers = ATOMIC_INIT(0);

/* What core has to say is said on the vCPU's way back into its guest. */
void pvpmu_kick(struct pvpmu_vcpu *core)
{
	pvpmu_of(core)->kicked = true;
	raise_softirq(PVPMU_SOFTIRQ);
}

static void cf_check softirq(void)
{
	struct pvpmu_xen *x = current->arch.pvpmu;

	if (!x)
		return;
	if (x->calling) {
		x->kicked = true;
		return;
	}
	pvpmu_sched_poll(&x->sched);
	pvpmu_counters_polled(x);
	if (x->kicked) {
		x->kicked = false;
		pvpmu_publish(&x->core);
		pvpmu_area_mark_dirty(x);
	}
}

/* The vCPU may run elsewhere by now; the softirq looks after who runs here. */
static void cf_check timer_expired(void *unused)
{
	raise_softirq(PVPMU_SOFTIRQ);
}

/* Who changes the limits of all finds it, or it finds them changed. */
static struct pvpmu_vm *create_vm(struct domain *d)
{
	struct pvpmu_vm *vm = d->arch.pvpmu;

	if (vm)
		return vm;
	vm = xzalloc(struct pvpmu_vm);
	if (!vm)
		return NULL;
	spin_lock(&pvpmu_default_lock);
	pvpmu_vm_init(vm, &pvpmu_default_limits);
	d->arch.pvpmu = vm;
	spin_unlock(&pvpmu_default_lock);
	return vm;
}

int pvpmu_create(struct vcpu *v)
{
	struct pvpmu_vm *vm;
	struct pvpmu_xen *x;

	if (!pvpmu_on)
		return 0;
	vm = create_vm(v->domain);
	x = vm ? xzalloc(struct pvpmu_xen) : NULL;
	if (!x)
		return -ENOMEM;
	x->v = v;
	spin_lock_init(&x->detaching);
	pvpmu_vcpu_init(&x->core, vm,
			is_hvm_vcpu(v) ? &pvpmu_ops_hvm : &pvpmu_ops_pv);
	pvpmu_sched_init(&x->sched, &x->core, &pvpmu_sched_hw);
	init_timer(&x->turn, timer_expired, NULL, smp_processor_id());
	init_timer(&x->clock, timer_expired, NULL, smp_processor_id());
	atomic_add(2, &pvpmu_timers);
	v->arch.pvpmu = x;
	return 0;
}

void pvpmu_destroy(struct vcpu *v)
{
	struct pvpmu_xen *x = v->arch.pvpmu;

	if (!x)
		return;
	pvpmu_vcpu_detach(&x->core);
	kill_timer(&x->turn);
	kill_timer(&x->clock);
	atomic_sub(2, &pvpmu_timers);
	v->arch.pvpmu = NULL;
	xfree(x);
}

void pvpmu_domain_destroy(struct domain *d)
{
	XFREE(d->arch.pvpmu);
}

/* The administrator, a reset and the domain's end may come at the same time. */
void pvpmu_detach(struct vcpu *v)
{
	struct pvpmu_xen *x = v->arch.pvpmu;

	if (!x)
		return;
	spin_lock(&x->detaching);
	pvpmu_vcpu_detach(&x->core);
	spin_unlock(&x->detaching);
}

void pvpmu_switched_from(struct vcpu *prev)
{
	struct pvpmu_xen *x = prev->arch.pvpmu;

	if (!x)
		return;
	if (vcpu_runnable(prev))
		x->preempted++;
	else
		x->halts++;
	pvpmu_sched_out(&x->sched);
	/* It went to sleep on an overflow that its guest is yet to see. */
	if (x->kicked)
		vcpu_unblock(prev);
}

void pvpmu_switched_to(struct vcpu *next)
{
	struct pvpmu_xen *x = next->arch.pvpmu;

	if (!x)
		return;
	migrate_timer(&x->turn, smp_processor_id());
	migrate_timer(&x->clock, smp_processor_id());
	pvpmu_counters_in(x);
	if (x->kicked)
		raise_softirq(PVPMU_SOFTIRQ);
}

static void cf_check show_totals(unsigned char key)
{
	printk("pvpmu: %d areas mapped, %d counters running, %d timers\n",
	       atomic_read(&pvpmu_areas), atomic_read(&pvpmu_loaded),
	       atomic_read(&pvpmu_timers));
}

static const char *__init obstacle(void)
{
	if (vpmu_mode != XENPMU_MODE_OFF)
		return "vpmu= is on, and both need the counters";
	if (opt_watchdog)
		return "the NMI watchdog uses a counter";
	if (!cpu_has_apic)
		return "there is no local APIC";
	if (!pvpmu_own_counters())
		return "something else owns the counters";
	return NULL;
}

static int __init cf_check pvpmu_init(void)
{
	const char *why;

	if (!opt_pvpmu)
		return 0;
	why = obstacle();
	if (why) {
		printk(XENLOG_ERR "pvpmu: stays off: %s\n", why);
		return 0;
	}
	open_softirq(PVPMU_SOFTIRQ, softirq);
	register_keyhandler('k', show_totals, "show pvpmu's totals", 1);
	printk("pvpmu: on, %s\n", pvpmu_counters_init());
	pvpmu_on = true;
	return 0;
}
__initcall(pvpmu_init);
