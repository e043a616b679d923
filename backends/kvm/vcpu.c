// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmu on KVM: which vCPUs there are, and their life
 *
 * A vCPU is known here from its first call until KVM destroys it, or until the
 * module goes.  It is found by its address in a hash; nothing here keeps a VM
 * alive, and nothing in KVM knows of us.  Who looks at one while KVM may destroy
 * it has a reference: what is left is memory then, and @gone says so.
 *
 * Locks: the registry's is held for moments only, and nobody who holds it
 * waits, least of all for a vCPU: one VMM that does not let its vCPU go on
 * would have all others wait.  It is taken inside of a vCPU's lock or alone.
 */
#include <linux/hashtable.h>
#include <linux/sched/task.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include <linux/xarray.h>

#include "hook.h"
#include "pvpmu_kvm.h"

/* How long a host counter is kept for a guest that may want it back */
#define IDLE_NS NSEC_PER_SEC

/* How long the administrator waits for vCPUs whose VMM does not let them go on */
#define DETACH_WAIT HZ

static DEFINE_MUTEX(registry);
static DEFINE_HASHTABLE(vcpus, 8);
static DEFINE_XARRAY_ALLOC1(serials);
static u32 last_serial;
static LIST_HEAD(vms);
static bool closed; /* no vCPU comes any more */

/* Which vCPU a thread has run last; changed rarely, read at each KVM_RUN */
static DEFINE_HASHTABLE(threads, 8);
static DEFINE_SEQLOCK(threads_lock);

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

/* A vCPU other than @kvm_vcpu that has its events on a thread, with a reference */
static struct pk_vcpu *other_on_thread(const struct task_struct *task,
				       const struct kvm_vcpu *kvm_vcpu)
{
	struct pk_vcpu *vcpu, *found;
	unsigned int seq;

	rcu_read_lock();
	do {
		seq = read_seqbegin(&threads_lock);
		found = NULL;
		hash_for_each_possible_rcu(threads, vcpu, by_thread,
					   (unsigned long)task) {
			if (READ_ONCE(vcpu->task) == task &&
			    vcpu->kvm_vcpu != kvm_vcpu)
				found = vcpu;
		}
	} while (read_seqretry(&threads_lock, seq));
	if (found && !refcount_inc_not_zero(&found->refs))
		found = NULL;
	rcu_read_unlock();
	return found;
}

static void off_thread(struct pk_vcpu *vcpu)
{
	write_seqlock(&threads_lock);
	if (!hlist_unhashed(&vcpu->by_thread)) {
		hlist_del_rcu(&vcpu->by_thread);
		INIT_HLIST_NODE(&vcpu->by_thread);
	}
	write_sequnlock(&threads_lock);
}

static void on_thread(struct pk_vcpu *vcpu)
{
	write_seqlock(&threads_lock);
	hash_add_rcu(threads, &vcpu->by_thread, (unsigned long)vcpu->task);
	write_sequnlock(&threads_lock);
}

static struct pk_vm *vm_new(struct kvm *kvm)
{
	const struct pvpmu_limits limits = pk_limits();
	struct pk_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);

	if (!vm)
		return NULL;
	pvpmu_vm_init(&vm->core, &limits);
	vm->kvm = kvm;
	vm->number = task_tgid_nr(current);
	refcount_set(&vm->refs, 1);
	return vm;
}

static struct pk_vm *vm_get(struct kvm *kvm)
{
	struct pk_vm *vm;

	lockdep_assert_held(&registry);
	list_for_each_entry(vm, &vms, entry) {
		if (vm->kvm == kvm) {
			refcount_inc(&vm->refs);
			return vm;
		}
	}
	return vm_new(kvm);
}

static void vm_put(struct pk_vm *vm)
{
	if (refcount_dec_and_test(&vm->refs))
		kfree(vm);
}

static void put(struct pk_vcpu *vcpu)
{
	if (!refcount_dec_and_test(&vcpu->refs))
		return;
	put_task_struct(vcpu->task);
	vm_put(vcpu->vm);
	kvfree_rcu(vcpu, rcu);
}

/* What has to wait waits for the next turn: a worker is not ours to block. */
static void reap(struct work_struct *work)
{
	struct pk_vcpu *vcpu =
		container_of(to_delayed_work(work), struct pk_vcpu, reap);
	bool again = true;

	if (mutex_trylock(&vcpu->lock)) {
		again = pvpmu_reap(&vcpu->core, IDLE_NS);
		pk_vcpu_unlock_foreign(vcpu);
	}
	if (again)
		queue_delayed_work(system_unbound_wq, &vcpu->reap, HZ);
}

/* Context: any of core's. */
void pk_op_idle(struct pvpmu_vcpu *core)
{
	struct pk_vcpu *vcpu = to_pk(core);

	if (!delayed_work_pending(&vcpu->reap))
		queue_delayed_work(system_unbound_wq, &vcpu->reap, HZ);
}

static struct pk_vcpu *vcpu_new(struct kvm_vcpu *kvm_vcpu)
{
	struct pk_vcpu *vcpu = kvzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);

	if (!vcpu)
		return NULL;
	mutex_init(&vcpu->lock);
	INIT_DELAYED_WORK(&vcpu->reap, reap);
	pk_wake_init(vcpu);
	refcount_set(&vcpu->refs, 1);
	vcpu->kvm_vcpu = kvm_vcpu;
	vcpu->id = kvm_vcpu->vcpu_id;
	vcpu->nested = pk_runs_nested(kvm_vcpu);
	return vcpu;
}

/* Makes a new vCPU one that is found.  False if there is no memory for it. */
static bool enter(struct pk_vcpu *vcpu)
{
	struct kvm_vcpu *kvm_vcpu = vcpu->kvm_vcpu;
	struct pk_vm *vm;

	lockdep_assert_held(&registry);
	if (closed)
		return false;
	vm = vm_get(kvm_vcpu->kvm);
	if (!vm)
		return false;
	if (xa_alloc_cyclic(&serials, &vcpu->serial, vcpu, xa_limit_32b,
			    &last_serial, GFP_KERNEL) < 0) {
		vm_put(vm);
		return false;
	}
	if (!vm->vcpus++) {
		list_add(&vm->entry, &vms);
		atomic_inc(&pk_live_vms);
	}
	vcpu->vm = vm;
	vcpu->task = get_task_struct(current);
	vcpu->thread = task_pid_nr(current);
	pvpmu_vcpu_init(&vcpu->core, &vm->core, &pk_ops);
	on_thread(vcpu);
	hash_add_rcu(vcpus, &vcpu->node, (unsigned long)kvm_vcpu);
	atomic_inc(&pk_live_vcpus);
	return true;
}

/* The opposite: it is gone. */
static void leave(struct pk_vcpu *vcpu)
{
	struct pk_vm *vm = vcpu->vm;

	lockdep_assert_held(&registry);
	hash_del_rcu(&vcpu->node);
	xa_erase(&serials, vcpu->serial);
	pk_stats_keep(&vcpu->core.stats);
	atomic_dec(&pk_live_vcpus);
	if (--vm->vcpus)
		return;
	list_del(&vm->entry);
	atomic_dec(&pk_live_vms);
}

/**
 * pk_vcpu_get() - the vCPU that calls
 * @kvm_vcpu: whose
 *
 * Context: the vCPU's own, but not locked.
 * Return: NULL if there is no memory for it, or if the module goes.
 */
struct pk_vcpu *pk_vcpu_get(struct kvm_vcpu *kvm_vcpu)
{
	struct pk_vcpu *vcpu = pk_vcpu_find(kvm_vcpu);
	bool entered;

	if (likely(vcpu))
		return vcpu;
	vcpu = vcpu_new(kvm_vcpu);
	if (!vcpu)
		return NULL;
	mutex_lock(&registry);
	entered = enter(vcpu);
	mutex_unlock(&registry);
	if (entered)
		return vcpu;
	kvfree(vcpu);
	return NULL;
}

/*
 * The VMM has this thread run the vCPU: its events follow, before the guest
 * runs here, see run_wanted().
 */
static void follow_thread(struct pk_vcpu *vcpu)
{
	struct task_struct *old = vcpu->task;

	if (!vcpu->away)
		pk_counters_leave(vcpu);
	off_thread(vcpu);
	WRITE_ONCE(vcpu->task, get_task_struct(current));
	WRITE_ONCE(vcpu->thread, task_pid_nr(current));
	WRITE_ONCE(vcpu->away, false);
	on_thread(vcpu);
	pk_counters_come(vcpu);
	put_task_struct(old);
}

/* The thread is about to run another vCPU, whose doings are not this one's. */
static void go_away(struct pk_vcpu *vcpu)
{
	pk_vcpu_lock_foreign(vcpu);
	if (!vcpu->gone && !vcpu->away && vcpu->task == current) {
		pk_counters_leave(vcpu);
		off_thread(vcpu);
		WRITE_ONCE(vcpu->away, true);
	}
	pk_vcpu_unlock_foreign(vcpu);
}

/* Context: foreign, or the vCPU's own but locked as a foreign one. */
static void close_all(struct pk_vcpu *vcpu)
{
	lockdep_assert_held(&vcpu->lock);
	/* Its guest may be running: first nothing may overflow any more. */
	pk_counters_quiesce(vcpu);
	pvpmu_vcpu_detach(&vcpu->core);
}

/* Does what was asked for, unless another has the lock, who does it then. */
static void detach_if_asked(struct pk_vcpu *vcpu)
{
	/* Who asks sets @detach and looks at the lock; we did the opposite. */
	smp_mb();
	while (READ_ONCE(vcpu->detach) && mutex_trylock(&vcpu->lock)) {
		if (READ_ONCE(vcpu->detach))
			close_all(vcpu);
		WRITE_ONCE(vcpu->detach, false);
		mutex_unlock(&vcpu->lock);
		wake_up_var(&vcpu->detach);
		smp_mb();
	}
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
	vcpu->kvm_vcpu->arch.l1tf_flush_l1d = true;
	if (unlikely(!vcpu->gone && (vcpu->task != current || vcpu->away)))
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
	pk_vcpu_unlock_foreign(vcpu);
}

/**
 * pk_vcpu_lock_foreign() - keeps core's entry points out
 * @vcpu: any; look whether it is gone
 *
 * Context: foreign, sleeps.
 */
void pk_vcpu_lock_foreign(struct pk_vcpu *vcpu)
{
	mutex_lock(&vcpu->lock);
}

/**
 * pk_vcpu_unlock_foreign() - ends that
 * @vcpu: locked by pk_vcpu_lock_foreign()
 */
void pk_vcpu_unlock_foreign(struct pk_vcpu *vcpu)
{
	mutex_unlock(&vcpu->lock);
	detach_if_asked(vcpu);
}

/**
 * pk_vcpu_detach() - closes all that a vCPU has
 * @vcpu: no thread runs it
 *
 * Context: foreign, sleeps.
 */
void pk_vcpu_detach(struct pk_vcpu *vcpu)
{
	pk_vcpu_lock_foreign(vcpu);
	close_all(vcpu);
	pk_vcpu_unlock_foreign(vcpu);
}

/*
 * Ends a vCPU: it has nothing any more, nothing of it is to come, and who locks
 * it finds it gone.  An interrupt that was asked for and not yet raised is taken
 * back.  May be done by two at a time, and is done for both then.
 *
 * Context: foreign, sleeps, for as long as the vCPU is in a call.
 */
static void end(struct pk_vcpu *vcpu)
{
	pk_vcpu_lock_foreign(vcpu);
	if (!vcpu->gone) {
		close_all(vcpu);
		pk_kick_retract(vcpu);
		off_thread(vcpu);
		WRITE_ONCE(vcpu->gone, true);
	}
	pk_vcpu_unlock_foreign(vcpu);
	/* Without counters there are no kicks, without users nothing idles. */
	irq_work_sync(&vcpu->wake);
	cancel_delayed_work_sync(&vcpu->reap);
}

/* The next vCPU after that serial number, with a reference; NULL: no more */
static struct pk_vcpu *next_after(unsigned long *serial)
{
	struct pk_vcpu *vcpu;

	mutex_lock(&registry);
	vcpu = xa_find_after(&serials, serial, ULONG_MAX, XA_PRESENT);
	if (vcpu)
		refcount_inc(&vcpu->refs);
	mutex_unlock(&registry);
	return vcpu;
}

/**
 * pk_vcpus_each() - looks at each vCPU
 * @fn: does not wait for anyone, or change anything; what it sees may change
 * @data: passed to @fn
 *
 * Context: process.
 */
void pk_vcpus_each(void (*fn)(const struct pk_vcpu *vcpu, void *data),
		   void *data)
{
	struct pk_vcpu *vcpu;
	unsigned long serial;

	mutex_lock(&registry);
	xa_for_each(&serials, serial, vcpu)
		fn(vcpu, data);
	mutex_unlock(&registry);
}

/**
 * pk_vms_each() - does something with each VM
 * @fn: does not wait for anyone
 * @data: passed to @fn
 *
 * Context: process.
 */
void pk_vms_each(void (*fn)(struct pk_vm *vm, void *data), void *data)
{
	struct pk_vm *vm;

	mutex_lock(&registry);
	list_for_each_entry(vm, &vms, entry)
		fn(vm, data);
	mutex_unlock(&registry);
}

static void ask_detach(struct pk_vcpu *vcpu)
{
	WRITE_ONCE(vcpu->detach, true);
	detach_if_asked(vcpu);
}

/**
 * pk_vcpus_detach() - closes all that vCPUs have
 * @number: of VMs with that number, or all if it is 0; their calls are refused
 *          already
 *
 * What a vCPU has that is in a call is closed as that ends.  It is waited for,
 * but not for long: that may be up to its VMM.
 *
 * Context: foreign, sleeps.
 */
void pk_vcpus_detach(u32 number)
{
	struct pk_vcpu *vcpu;
	unsigned long serial;
	long rest = DETACH_WAIT;

	for (serial = 0; (vcpu = next_after(&serial)); put(vcpu))
		if (!number || vcpu->vm->number == number)
			ask_detach(vcpu);
	for (serial = 0; (vcpu = next_after(&serial)); put(vcpu))
		rest = wait_var_event_timeout(&vcpu->detach,
					      !READ_ONCE(vcpu->detach), rest);
}

/**
 * pk_vcpus_close() - ends all vCPUs, and none comes any more
 *
 * For the module's end, while interrupts are still ours.
 *
 * Context: foreign, sleeps, for as long as vCPUs are in calls.
 */
void pk_vcpus_close(void)
{
	unsigned long serial = 0;
	struct pk_vcpu *vcpu;

	mutex_lock(&registry);
	closed = true;
	mutex_unlock(&registry);
	for (; (vcpu = next_after(&serial)); put(vcpu))
		end(vcpu);
}

/**
 * pk_vcpus_free() - lets all vCPUs go
 *
 * Context: process; after pk_vcpus_close(), and nothing finds them any more.
 */
void pk_vcpus_free(void)
{
	struct pk_vcpu *vcpu;
	unsigned long serial;

	mutex_lock(&registry);
	xa_for_each(&serials, serial, vcpu) {
		leave(vcpu);
		put(vcpu);
	}
	xa_destroy(&serials);
	mutex_unlock(&registry);
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
	vcpu = pk_vcpu_find(kvm_vcpu);
	if (vcpu) {
		end(vcpu);
		mutex_lock(&registry);
		leave(vcpu);
		mutex_unlock(&registry);
		put(vcpu);
	}
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
 * The thread that runs the vCPU from now on may be another one than before, or
 * one that has run another vCPU meanwhile.  What that one has on the thread is
 * taken off now; the vCPU's own events are moved when it is about to enter its
 * guest: that is where a kick is published, see pmi.c.  Nothing is diverted, for
 * this function returns when the guest needs its VMM, which may be never.
 *
 * Context: process, the vCPU's mutex is held.
 */
static bool notrace run_wanted(const struct kvm_vcpu *kvm_vcpu)
{
	struct pk_vcpu *vcpu, *other = other_on_thread(current, kvm_vcpu);

	if (unlikely(other)) {
		pk_hook_enter();
		go_away(other);
		put(other);
		pk_hook_leave();
	}
	vcpu = pk_vcpu_find(kvm_vcpu);
	if (vcpu && !READ_ONCE(vcpu->gone) &&
	    unlikely(READ_ONCE(vcpu->task) != current ||
		     READ_ONCE(vcpu->away)))
		pk_op_kick(&vcpu->core);
	return false;
}

PVPMU_CALLEE(pk_run, "kvm_arch_vcpu_ioctl_run", typeof(kvm_arch_vcpu_ioctl_run));

PK_HOOK(run, PK_UNLESS_ZERO, run_wanted, 0, [atomic] "i"(&pk_live_vcpus));
