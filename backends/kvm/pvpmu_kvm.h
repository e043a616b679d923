/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvpmu on KVM: what the files of this module know of each other
 *
 * Contexts.  "The vCPU's own" means the thread that runs the vCPU, in a VM exit
 * and inside KVM's vcpu_load(), with kvm->srcu held for reading, its @lock
 * taken by pk_vcpu_lock().  "Foreign" means any other task, @lock taken by
 * pk_vcpu_lock_foreign(): the guest may be running all the while.
 *
 * The vCPU's own context holds @lock while it touches the guest's page, which
 * ends when the VMM wants it to.  A foreign one holds it for a moment, and may
 * wait for it only where it is about a single vCPU, or about its end.
 */
#ifndef PVPMU_KVM_H
#define PVPMU_KVM_H

#include <linux/irq_work.h>
#include <linux/kvm_host.h>
#include <linux/mutex.h>
#include <linux/perf_event.h>
#include <linux/refcount.h>
#include <linux/workqueue.h>

#include <pvpmu/core.h>

/* RAX of our hypercalls.  KVM's own numbers are small ones. */
#define PK_HYPERCALL 0x70766d70u

/*
 * Where the discovery leaves are.  VMMs put KVM's own at 0x40000000, or 0x100
 * further for each of Hyper-V's and Xen's that come first.
 */
#define PK_CPUID_BASE 0x40000300u

/* Events that are exits of one kind */
#define PK_EXITS_FIRST PVPMU_HV_EXITS_INTERRUPT
#define PK_EXITS_KINDS (PVPMU_HV_EXITS_OTHER + 1 - PK_EXITS_FIRST)

/**
 * struct pk_counter - a host counter
 * @desc: what it counts
 * @event: the perf event; NULL if it could not be made again for a new thread
 * @vcpu: whose it is
 * @index: core's index of it
 * @turned: event->count when the guest and a guest of its own took turns last
 * @counted: what it had counted by then of what it is to count; NMI
 * @carry: what it counted on threads that ran the vCPU before
 * @left: events to its next overflow, while the vCPU is away
 * @origin: for hypervisor events, what the kernel's count was at the beginning
 * @seen: what it was when it was last read
 * @armed: sampling, and to report overflows; NMI
 * @adjust: its period is to be programmed anew; NMI
 * @next: pk_count_of() at which it overflows next, if @armed; NMI
 * @period: length that perf is to load by itself at that overflow; NMI
 */
struct pk_counter {
	struct pvpmu_desc desc;
	struct perf_event *event;
	struct pk_vcpu *vcpu;
	u32 index;
	u64 turned;
	u64 counted;
	struct pvpmu_reading carry;
	u64 left;
	u64 origin;
	u64 seen;
	bool armed;
	bool adjust;
	u64 next;
	u64 period;
};

/**
 * struct pk_vm - a VM of which a vCPU called
 * @core: core's side
 * @kvm: whose it is; gone when @vcpus is 0
 * @number: how the administrator calls it: the process of its VMM
 * @refs: its &struct pk_vcpu that exist
 * @vcpus: those of them that are in the registry; under its lock
 * @entry: in the registry's list while @vcpus is not 0
 */
struct pk_vm {
	struct pvpmu_vm core;
	struct kvm *kvm;
	u32 number;
	refcount_t refs;
	u32 vcpus;
	struct list_head entry;
};

/**
 * struct pk_vcpu - a vCPU that called
 * @node: in the registry's hash
 * @serial: its number in the registry, in the order of first calls
 * @refs: the registry's, and those of who looks at it meanwhile
 * @kvm_vcpu: whose it is; gone when @gone is set
 * @id: of the vCPU in its VM
 * @rcu: for freeing it
 * @core: core's side, under @lock but for pvpmu_overflow()
 * @lock: serialises core's entry points
 * @gone: it ended, and has nothing any more; set under @lock
 * @detach: someone wants all closed that it has; who has @lock does it
 * @vm: its VM
 * @task: thread that its events are attached to; holds a reference
 * @thread: its number
 * @by_thread: in the registry's hash of threads, unless it is away
 * @away: @task runs another vCPU, or did last, and there are no events; under
 *        @lock
 * @own: @lock is held in the vCPU's own context; under @lock
 * @now: a moment of this entry point on local_clock(), 0 if none was taken;
 *       under @lock
 * @nested: what ran last was a guest of the guest, see nested.c; NMI
 * @raised: an interrupt was raised since the flag was cleared; under @lock
 * @kicked: there is something to publish; NMI
 * @adjust: a counter has @adjust set; NMI
 * @wake: wakes it if it sleeps in the host, after a kick from an NMI
 * @reap: gives counters back that nobody uses
 * @area: where its page is, for the memory slots of one generation
 * @area_valid: @area leads to the page
 * @area_dirty: it was written since pk_area_flush()
 * @exit_users: counters of exits by kind
 * @exits: the exits, by kind, while it is not zero; its thread
 * @counter: by core's index
 */
struct pk_vcpu {
	struct hlist_node node;
	u32 serial;
	refcount_t refs;
	struct kvm_vcpu *kvm_vcpu;
	u32 id;
	struct rcu_head rcu;
	struct pvpmu_vcpu core;
	struct mutex lock;
	bool gone;
	bool detach;
	struct pk_vm *vm;
	struct task_struct *task;
	pid_t thread;
	struct hlist_node by_thread;
	bool away;
	bool own;
	bool nested;
	u64 now;
	bool raised;
	bool kicked;
	bool adjust;
	struct irq_work wake;
	struct delayed_work reap;
	struct gfn_to_hva_cache area;
	bool area_valid;
	bool area_dirty;
	u32 exit_users;
	u64 exits[PK_EXITS_KINDS];
	struct pk_counter counter[PVPMU_MAX_COUNTERS];
};

/* A guest's guest is not the guest. */
static inline bool pk_runs_nested(const struct kvm_vcpu *kvm_vcpu)
{
	return kvm_vcpu->arch.hflags & HF_GUEST_MASK;
}

static inline struct pk_vcpu *to_pk(struct pvpmu_vcpu *core)
{
	return container_of(core, struct pk_vcpu, core);
}

/* main.c */
extern const struct pvpmu_host_ops pk_ops;

/* params.c */
extern bool pk_enabled;
#define PK_ALL 0u
#define PK_LATER U32_MAX
struct pvpmu_limits pk_limits(void);
struct pvpmu_limits pk_default_limits(void);
int pk_limit(u32 number, const struct pvpmu_limits *limits);
void pk_owns_each(void (*fn)(u32 number, const struct pvpmu_limits *limits,
			     void *data), void *data);
void pk_params_init(void);
void pk_params_exit(void);

/* vcpu.c: which vCPUs there are, and their life */
struct pk_vcpu *pk_vcpu_find(const struct kvm_vcpu *kvm_vcpu);
struct pk_vcpu *pk_vcpu_get(struct kvm_vcpu *kvm_vcpu);
void pk_vcpu_lock(struct pk_vcpu *vcpu);
void pk_vcpu_unlock(struct pk_vcpu *vcpu);
void pk_vcpu_lock_foreign(struct pk_vcpu *vcpu);
void pk_vcpu_unlock_foreign(struct pk_vcpu *vcpu);
void pk_vcpu_detach(struct pk_vcpu *vcpu);
void pk_vcpus_each(void (*fn)(const struct pk_vcpu *vcpu, void *data),
		   void *data);
void pk_vms_each(void (*fn)(struct pk_vm *vm, void *data), void *data);
void pk_vcpus_detach(u32 number);
void pk_vcpus_close(void);
void pk_vcpus_free(void);
void pk_op_idle(struct pvpmu_vcpu *core);

/* pmi.c: from an overflow to the guest's interrupt */
void pk_wake_init(struct pk_vcpu *vcpu);
void pk_kick_retract(struct pk_vcpu *vcpu);
void pk_op_kick(struct pvpmu_vcpu *core);
void pk_op_raise(struct pvpmu_vcpu *core, u32 delivery, u32 port);
bool pk_op_deliver(struct pvpmu_vcpu *core, u32 delivery, u32 port);

/* area.c: the page that the guest shares */
void pk_area_flush(struct pk_vcpu *vcpu);
enum pvpmu_answer pk_op_area_attach(struct pvpmu_vcpu *core, u64 frame);
void pk_op_area_detach(struct pvpmu_vcpu *core);
bool pk_op_area_read(struct pvpmu_vcpu *core, u32 offset, void *to, u32 len);
bool pk_op_area_write(struct pvpmu_vcpu *core, u32 offset, const void *from,
		      u32 len);
bool pk_op_area_line(struct pvpmu_vcpu *core, u32 offset, const void *line);
bool pk_op_area_or32(struct pvpmu_vcpu *core, u32 offset, u32 bits, u32 *old);

/* event.c: which events the host can count, and how perf calls them */
void pk_events_probe(void);
void pk_events_exit(void);
u32 pk_op_room(struct pvpmu_vcpu *core);
u32 pk_op_query(struct pvpmu_vcpu *core, const struct pvpmu_desc *desc);
bool pk_event_attr(const struct pvpmu_desc *desc, struct perf_event_attr *attr);
bool pk_event_is_clock(const struct pvpmu_desc *desc);

/* counter.c: host counters */
bool pk_counter_here(const struct pk_counter *counter);
enum pvpmu_answer pk_op_create(struct pvpmu_vcpu *core, u32 index,
			       const struct pvpmu_desc *desc);
void pk_op_destroy(struct pvpmu_vcpu *core, u32 index);
void pk_op_read(struct pvpmu_vcpu *core, u32 index,
		struct pvpmu_reading *reading);
void pk_counters_quiesce(struct pk_vcpu *vcpu);
void pk_counters_go_on(struct pk_vcpu *vcpu);
void pk_counters_leave(struct pk_vcpu *vcpu);
void pk_counters_come(struct pk_vcpu *vcpu);
void pk_counter_update(struct pk_counter *counter);

/* exits.c: exits by kind */
bool pk_exits_kind(const struct pvpmu_desc *desc);
bool pk_exits_get(struct pk_vcpu *vcpu);
void pk_exits_put(struct pk_vcpu *vcpu);
void pk_exits_exit(void);

/* sampling.c: counters that overflow */
#define PK_PARKED (1ull << 61) /* a period that does not end */
void pk_overflow_handler(struct perf_event *event,
			 struct perf_sample_data *data, struct pt_regs *regs);
bool pk_op_start(struct pvpmu_vcpu *core, u32 index, u64 left);
void pk_op_stop(struct pvpmu_vcpu *core, u32 index);
void pk_sampling_resume(struct pk_counter *counter, u64 events);
void pk_sampling_ask_adjust(struct pk_counter *counter);
void pk_sampling_adjust(struct pk_vcpu *vcpu);

/* nested.c: guests of guests */
bool pk_counts_now(const struct pk_counter *counter);
u64 pk_count_of(const struct pk_counter *counter, u64 count);
void pk_turns_check(struct pk_vcpu *vcpu);

/* record.c */
int pk_record_init(void);
void pk_record_exit(void);

/* stats.c */
extern atomic_t pk_live_vms, pk_live_vcpus, pk_live_areas, pk_live_events;
int pk_stats_init(void);
void pk_stats_exit(void);
void pk_stats_keep(const struct pvpmu_stats *stats);

#endif /* PVPMU_KVM_H */
