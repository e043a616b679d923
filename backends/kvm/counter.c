// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmu on KVM: host counters
 *
 * Each is a perf event on the vCPU's thread.  It counts from its creation to
 * its end: enabling and disabling make perf schedule the thread's events anew,
 * which costs more than all else, and core works with differences anyway.
 *
 * perf's files keep to themselves what is read here of struct perf_event and
 * its context.  With interrupts off on the CPU that runs the event's thread,
 * nothing but an NMI can change it; that is what makes it safe.
 */
#include <linux/sched/clock.h>

#include "compat.h"
#include "pvpmu_kvm.h"

/**
 * pk_counter_here() - does it count on this CPU now?
 * @counter: has an event
 *
 * Context: Interrupts off.
 */
bool pk_counter_here(const struct pk_counter *counter)
{
	const struct perf_event *event = counter->event;

	return event->state == PERF_EVENT_STATE_ACTIVE &&
	       event->oncpu == smp_processor_id();
}

/**
 * pk_counter_update() - brings event->count up to date
 * @counter: has an event
 *
 * Context: Interrupts off.
 */
void pk_counter_update(struct pk_counter *counter)
{
	if (pk_counter_here(counter))
		counter->event->pmu->read(counter->event);
}

/* What the kernel counts by itself of a hypervisor event */
static u64 hypervisor_count(const struct pk_vcpu *vcpu, u64 config)
{
	switch (config) {
	case PVPMU_HV_EXITS:
		return vcpu->kvm_vcpu->stat.exits;
	case PVPMU_HV_STEAL:
		return vcpu->task->sched_info.run_delay;
	case PVPMU_HV_PREEMPTIONS:
		return vcpu->task->nivcsw;
	case PVPMU_HV_HALTS:
		return vcpu->kvm_vcpu->stat.halt_exits;
	default:
		return vcpu->exits[config - PK_EXITS_FIRST];
	}
}

/* Whoever clears KVM's statistics does not make a guest's count go back. */
static u64 hypervisor_reading(struct pk_counter *counter)
{
	u64 now = hypervisor_count(counter->vcpu, counter->desc.config);

	if (now < counter->seen)
		counter->origin -= counter->seen;
	counter->seen = now;
	return now - counter->origin;
}

static void hypervisor_begin(struct pk_counter *counter)
{
	counter->origin =
		hypervisor_count(counter->vcpu, counter->desc.config);
	counter->seen = counter->origin;
}

/*
 * The time of a context.  An entry point looks at the clock once, unless perf
 * has set the context's clock meanwhile, as it does when the thread is
 * scheduled.
 */
static u64 context_time(struct pk_vcpu *vcpu,
			const struct perf_event_context *ctx)
{
	struct pk_ctx_time clock = pk_ctx_time(ctx);

	if (!(READ_ONCE(ctx->is_active) & PK_CTX_TIME_RUNS))
		return clock.time;
	if (vcpu->now < clock.stamp)
		vcpu->now = local_clock();
	return vcpu->now + clock.offset;
}

/* The times of an event as perf would tell them.  Context: Interrupts off. */
static void times(const struct pk_counter *counter,
		  struct pvpmu_reading *reading)
{
	const struct perf_event *event = counter->event;
	u64 delta = context_time(counter->vcpu, event->ctx) - event->tstamp;

	reading->enabled = event->total_time_enabled;
	reading->running = event->total_time_running;
	if (event->state >= PERF_EVENT_STATE_INACTIVE)
		reading->enabled += delta;
	if (event->state >= PERF_EVENT_STATE_ACTIVE)
		reading->running += delta;
}

/* In the vCPU's own context: no lock, no other CPU, no reschedule. */
static void read_here(struct pk_counter *counter, struct pvpmu_reading *reading)
{
	struct perf_event *event = counter->event;
	unsigned long flags;

	local_irq_save(flags);
	pk_counter_update(counter);
	reading->count = local64_read(&event->count);
	times(counter, reading);
	reading->active = event->state == PERF_EVENT_STATE_ACTIVE;
	local_irq_restore(flags);
}

static void read_event(struct pk_counter *counter,
		       struct pvpmu_reading *reading)
{
	struct perf_event *event = counter->event;

	if (counter->vcpu->task == current) {
		read_here(counter, reading);
	} else {
		reading->count = perf_event_read_value(event, &reading->enabled,
						       &reading->running);
		reading->active = event->state >= PERF_EVENT_STATE_INACTIVE;
	}
	reading->count = pk_count_of(counter, reading->count);
	reading->failed = event->state <= PERF_EVENT_STATE_ERROR;
}

static void read_counter(struct pk_counter *counter,
			 struct pvpmu_reading *reading)
{
	if (unlikely(counter->vcpu->away)) {
		*reading = counter->carry;
		return;
	}
	if (likely(counter->event))
		read_event(counter, reading);
	else
		*reading = (struct pvpmu_reading){ .failed = true };
	if (counter->desc.type == PVPMU_TYPE_HYPERVISOR)
		reading->count = hypervisor_reading(counter);
	reading->count += counter->carry.count;
	reading->enabled += counter->carry.enabled;
	reading->running += counter->carry.running;
}

void pk_op_read(struct pvpmu_vcpu *core, u32 index,
		struct pvpmu_reading *reading)
{
	read_counter(&to_pk(core)->counter[index], reading);
}

static enum pvpmu_answer make_event(struct pk_counter *counter,
				    struct task_struct *task)
{
	struct perf_event_attr attr = {};
	struct perf_event *event;

	if (!pk_event_attr(&counter->desc, &attr))
		return PVPMU_NEVER;
	if (counter->desc.sampling)
		attr.sample_period = PK_PARKED;
	event = perf_event_create_kernel_counter(&attr, -1, task,
						 pk_overflow_handler, counter);
	if (IS_ERR(event))
		return PVPMU_LATER;
	counter->event = event;
	counter->turned = 0;
	counter->counted = 0;
	atomic_inc(&pk_live_events);
	return PVPMU_DONE;
}

static void drop_event(struct pk_counter *counter)
{
	if (!counter->event)
		return;
	perf_event_release_kernel(counter->event);
	counter->event = NULL;
	atomic_dec(&pk_live_events);
}

enum pvpmu_answer pk_op_create(struct pvpmu_vcpu *core, u32 index,
			       const struct pvpmu_desc *desc)
{
	struct pk_vcpu *vcpu = to_pk(core);
	struct pk_counter *counter = &vcpu->counter[index];
	enum pvpmu_answer answer;

	memset(counter, 0, sizeof(*counter));
	counter->desc = *desc;
	counter->vcpu = vcpu;
	counter->index = index;
	if (desc->type == PVPMU_TYPE_HYPERVISOR)
		hypervisor_begin(counter);
	answer = make_event(counter, vcpu->task);
	if (answer == PVPMU_DONE && pk_exits_kind(desc) &&
	    !pk_exits_get(vcpu)) {
		drop_event(counter);
		return PVPMU_NEVER;
	}
	return answer;
}

void pk_op_destroy(struct pvpmu_vcpu *core, u32 index)
{
	struct pk_vcpu *vcpu = to_pk(core);

	drop_event(&vcpu->counter[index]);
	if (pk_exits_kind(&vcpu->counter[index].desc))
		pk_exits_put(vcpu);
}

/**
 * pk_counters_quiesce() - nothing overflows any more
 * @vcpu: its guest may be running
 *
 * Context: foreign.  perf waits for the CPU that the thread runs on.
 */
void pk_counters_quiesce(struct pk_vcpu *vcpu)
{
	u32 i;

	for (i = 0; i < PVPMU_MAX_COUNTERS; i++)
		if (vcpu->counter[i].event)
			perf_event_disable(vcpu->counter[i].event);
}

/**
 * pk_counters_go_on() - the opposite of pk_counters_quiesce()
 * @vcpu: its guest does not run
 *
 * Context: foreign.
 */
void pk_counters_go_on(struct pk_vcpu *vcpu)
{
	u32 i;

	for (i = 0; i < PVPMU_MAX_COUNTERS; i++)
		if (vcpu->counter[i].event)
			perf_event_enable(vcpu->counter[i].event);
}

static void leave(struct pk_counter *counter)
{
	struct pvpmu_reading last;
	u64 left = 0;

	if (counter->event)
		perf_event_disable(counter->event);
	read_counter(counter, &last);
	if (counter->armed)
		left = counter->next - (last.count - counter->carry.count);
	counter->left = (s64)left <= 0 ? 1 : left;
	drop_event(counter);
	counter->carry = last;
}

/* A new event begins with zero. */
static void come(struct pk_counter *counter)
{
	if (counter->desc.type == PVPMU_TYPE_HYPERVISOR)
		hypervisor_begin(counter);
	if (make_event(counter, counter->vcpu->task) != PVPMU_DONE)
		counter->armed = false;
	else if (counter->armed)
		pk_sampling_resume(counter, counter->left);
}

/**
 * pk_counters_leave() - takes the events off their thread
 * @vcpu: does not run its guest
 *
 * Context: process, the vCPU's lock is held.
 */
void pk_counters_leave(struct pk_vcpu *vcpu)
{
	u64 rest;

	for (rest = vcpu->core.made; rest; rest &= rest - 1)
		leave(&vcpu->counter[__ffs(rest)]);
}

/**
 * pk_counters_come() - lets them go on
 * @vcpu: its thread is current, and its events were taken off
 *
 * An event that cannot be made again has failed from then on.
 *
 * Context: the vCPU's own.
 */
void pk_counters_come(struct pk_vcpu *vcpu)
{
	u64 rest;

	for (rest = vcpu->core.made; rest; rest &= rest - 1)
		come(&vcpu->counter[__ffs(rest)]);
}
