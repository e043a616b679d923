// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmu on KVM: which vCPUs there are, and their life
 *
 * A vCPU is known here from its first call until KVM destroys it, or until the
 * module goes.  It is found by its address in a hash; nothing here keeps a VM
 * alive, and nothing in KVM knows of us.
 *
 * Locks: the registry's lock is taken before a vCPU's lock, never after it.
 */
#include <linux/hashtable.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "hook.h"
#include "pvpmu_kvm.h"

/* How long a host counter is kept for a guest that may want it back */
#define IDLE_NS NSEC_PER_SEC

static DEFINE_MUTEX(registry);
static DEFINE_HASHTABLE(vcpus, 8);
static LIST_HEAD(vms);

/**
 * pk_vcpu_find() - a vCPU that called before
 * @kvm_vcpu: whose; it is not destroyed meanwhile
 *
 * Context: Any but NMI.
 * Return: NULL if it did not.
 */
struct pk_vcpu *pk_vcpu_find(const struct kvm_vcpu *kvm_vcpu)
{
	struct pk_vcpu *vcpu, *found = NULL;

	rcu_read_lock();
	hash_for_each_possible_rcu(vcpus, vcpu, node, (unsigned long)kvm_vcpu) {
		if (vcpu->kvm_vcpu == kvm_vcpu) {
			found = vcpu;
			break;
		}
	}
	rcu_read_unlock();
	return found;
}

static struct pk_vm *vm_get(struct kvm *kvm)
{
	const struct pvpmu_limits limits = pk_limits();
	struct pk_vm *vm;

	lockdep_assert_held(&registry);
	list_for_each_entry(vm, &vms, entry) {
		if (vm->kvm == kvm) {
			vm->vcpus++;
			return vm;
		}
	}
	vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return NULL;
	pvpmu_vm_init(&vm->core, &limits);
	vm->kvm = kvm;
	vm->vcpus = 1;
	list_add(&vm->entry, &vms);
	atomic_inc(&pk_live_vms);
	return vm;
}

static void vm_put(struct pk_vm *vm)
{
	lockdep_assert_held(&registry);
	if (--vm->vcpus)
		return;
	list_del(&vm->entry);
	kfree(vm);
	atomic_dec(&pk_live_vms);
}

static void reap(struct work_struct *work)
{
	struct pk_vcpu *vcpu =
		container_of(to_delayed_work(work), struct pk_vcpu, reap);
	bool again;

	mutex_lock(&vcpu->lock);
	again = pvpmu_reap(&vcpu->core, IDLE_NS);
	mutex_unlock(&vcpu->lock);
	if (again)
		schedule_delayed_work(&vcpu->reap, HZ);
}

/* Context: any of core's. */
void pk_op_idle(struct pvpmu_vcpu *core)
{
	struct pk_vcpu *vcpu = to_pk(core);

	if (!delayed_work_pending(&vcpu->reap))
		schedule_delayed_work(&vcpu->reap, HZ);
}

static struct pk_vcpu *vcpu_new(struct kvm_vcpu *kvm_vcpu)
{
	struct pk_vcpu *vcpu = kvzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);

	if (!vcpu)
		return NULL;
	mutex_init(&vcpu->lock);
	INIT_DELAYED_WORK(&vcpu->reap, reap);
	pk_wake_init(vcpu);
	pk_mux_init(vcpu);
	vcpu->kvm_vcpu = kvm_vcpu;
	vcpu->nested = pk_runs_nested(kvm_vcpu);
	vcpu->task = get_task_struct(current);
	return vcpu;
}

static void vcpu_free(struct pk_vcpu *vcpu)
{
	put_task_struct(vcpu->task);
	kvfree_rcu(vcpu, rcu);
}

/**
 * pk_vcpu_get() - the vCPU that calls
 * @kvm_vcpu: whose
 *
 * Context: the vCPU's own, but not locked.
 * Return: NULL if there is no memory for it.
 */
struct pk_vcpu *pk_vcpu_get(struct kvm_vcpu *kvm_vcpu)
{
	struct pk_vcpu *vcpu = pk_vcpu_find(kvm_vcpu);

	if (likely(vcpu))
		return vcpu;
	vcpu = vcpu_new(kvm_vcpu);
	if (!vcpu)
		return NULL;
	mutex_lock(&registry);
	vcpu->vm = vm_get(kvm_vcpu->kvm);
	if (vcpu->vm) {
		pvpmu_vcpu_init(&vcpu->core, &vcpu->vm->core, &pk_ops);
		hash_add_rcu(vcpus, &vcpu->node, (unsigned long)kvm_vcpu);
		atomic_inc(&pk_live_vcpus);
	}
	mutex_unlock(&registry);
	if (!vcpu->vm) {
		vcpu_free(vcpu);
		return NULL;
	}
	return vcpu;
}

/*
 * The VMM has another thread run the vCPU: its events follow, before the guest
 * runs there, see run_entered().
 */
static void follow_thread(struct pk_vcpu *vcpu)
{
	struct task_struct *old = vcpu->task;

	pk_counters_move(vcpu, current);
	WRITE_ONCE(vcpu->task, get_task_struct(current));
	put_task_struct(old);
}

/**
 * pk_vcpu_lock() - begins an entry point of core
 * @vcpu: the vCPU that current runs
 *
 * Context: the vCPU's own, sleeps.
 */
void pk_vcpu_lock(struct pk_vcpu *vcpu)
{
	mutex_lock(&vcpu->lock);
	vcpu->own = true;
	vcpu->now = 0;
	if (unlikely(vcpu->task != current))
		follow_thread(vcpu);
	pk_turns_check(vcpu);
	if (READ_ONCE(vcpu->adjust))
		pk_sampling_adjust(vcpu);
}

/**
 * pk_vcpu_unlock() - ends it
 * @vcpu: locked by pk_vcpu_lock()
 */
void pk_vcpu_unlock(struct pk_vcpu *vcpu)
{
	pk_area_flush(vcpu);
	vcpu->own = false;
	mutex_unlock(&vcpu->lock);
}

/**
 * pk_vcpu_detach() - closes all that a vCPU has
 * @vcpu: its guest may be running, so first nothing may overflow any more
 *
 * Context: foreign, sleeps.
 */
void pk_vcpu_detach(struct pk_vcpu *vcpu)
{
	mutex_lock(&vcpu->lock);
	pk_counters_quiesce(vcpu);
	pvpmu_vcpu_detach(&vcpu->core);
	mutex_unlock(&vcpu->lock);
}

static void detach(struct pk_vcpu *vcpu, void *unused)
{
	pk_vcpu_detach(vcpu);
}

/*
 * Lets a vCPU go that does not call any more.  The registry is locked until it
 * is done, so that KVM does not destroy the vCPU meanwhile: see
 * replace_destroy().
 *
 * Context: foreign, sleeps.
 */
static void retire(struct pk_vcpu *vcpu)
{
	lockdep_assert_held(&registry);
	pk_vcpu_detach(vcpu);
	/* Without counters there are no kicks, without users nothing idles. */
	pk_mux_exit(vcpu);
	irq_work_sync(&vcpu->wake);
	cancel_delayed_work_sync(&vcpu->reap);
	pk_unkick(vcpu);

	hash_del_rcu(&vcpu->node);
	pk_stats_keep(&vcpu->core.stats);
	vm_put(vcpu->vm);
	atomic_dec(&pk_live_vcpus);
	vcpu_free(vcpu);
}

/**
 * pk_vcpus_end() - lets all vCPUs go
 *
 * For the module's end: no vCPU can call any more, but KVM may destroy some
 * meanwhile.
 */
void pk_vcpus_end(void)
{
	struct hlist_node *next;
	struct pk_vcpu *vcpu;
	int bucket;

	mutex_lock(&registry);
	hash_for_each_safe(vcpus, bucket, next, vcpu, node)
		retire(vcpu);
	mutex_unlock(&registry);
}

/**
 * pk_vcpus_each() - does something with each vCPU
 * @fn: what; the registry is locked
 * @data: passed to @fn
 */
void pk_vcpus_each(void (*fn)(struct pk_vcpu *vcpu, void *data), void *data)
{
	struct pk_vcpu *vcpu;
	int bucket;

	mutex_lock(&registry);
	hash_for_each(vcpus, bucket, vcpu, node)
		fn(vcpu, data);
	mutex_unlock(&registry);
}

/**
 * pk_vcpus_detach() - closes all that the vCPUs have
 *
 * The administrator switched pvpmu off; calls are refused already.
 */
void pk_vcpus_detach(void)
{
	pk_vcpus_each(detach, NULL);
}

/**
 * pk_vms_each() - does something with each VM
 * @fn: what; the registry is locked
 * @data: passed to @fn
 */
void pk_vms_each(void (*fn)(struct pk_vm *vm, void *data), void *data)
{
	struct pk_vm *vm;

	mutex_lock(&registry);
	list_for_each_entry(vm, &vms, entry)
		fn(vm, data);
	mutex_unlock(&registry);
}

/**
 * pk_vm_detach() - closes all that the vCPUs of a VM have
 * @vm: calls are refused already; the registry is locked
 */
void pk_vm_detach(struct pk_vm *vm)
{
	struct pk_vcpu *vcpu;
	int bucket;

	lockdep_assert_held(&registry);
	hash_for_each(vcpus, bucket, vcpu, node)
		if (vcpu->vm == vm)
			pk_vcpu_detach(vcpu);
}

PVPMU_CALLEE(pk_destroy, "kvm_arch_vcpu_destroy", typeof(kvm_arch_vcpu_destroy));

/*
 * Runs instead of kvm_arch_vcpu_destroy() for a vCPU that called: what is left
 * of it here goes first.
 *
 * Context: process, whoever had the last reference to the VM; no thread runs
 * the vCPU any more.
 */
static void replace_destroy(struct kvm_vcpu *kvm_vcpu)
{
	struct pk_vcpu *vcpu;

	pk_hook_enter();
	mutex_lock(&registry);
	vcpu = pk_vcpu_find(kvm_vcpu);
	if (vcpu)
		retire(vcpu);
	mutex_unlock(&registry);
	static_call(pk_destroy)(kvm_vcpu);
	pk_hook_leave();
}

static bool notrace destroy_wanted(const struct kvm_vcpu *vcpu)
{
	return pk_vcpu_find(vcpu);
}

PK_HOOK(destroy, PK_UNLESS_ZERO, destroy_wanted, replace_destroy,
	[atomic] "i"(&pk_live_vcpus));

/*
 * The thread that runs the vCPU from now on may be another one than before.
 * Events are moved where one can sleep, and before the guest runs: that is
 * where a kick is published, see pmi.c.  Nothing is diverted, for this function
 * returns when the guest needs its VMM, which may be never.
 */
static bool notrace run_wanted(const struct kvm_vcpu *kvm_vcpu)
{
	struct pk_vcpu *vcpu = pk_vcpu_find(kvm_vcpu);

	if (vcpu && unlikely(READ_ONCE(vcpu->task) != current))
		pk_op_kick(&vcpu->core);
	return false;
}

PVPMU_CALLEE(pk_run, "kvm_arch_vcpu_ioctl_run", typeof(kvm_arch_vcpu_ioctl_run));

PK_HOOK(run, PK_UNLESS_ZERO, run_wanted, 0, [atomic] "i"(&pk_live_vcpus));
