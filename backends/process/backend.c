// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * pvpmu process backend: what core asks of a hypervisor, and what enters core
 *
 * A performance signal is a hint and no more: signals are dropped when their
 * queue is full, and come late.  How often a counter overflowed is found from
 * its count, so that the accounts are right whatever becomes of the signals.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include "process.h"

#define OVERFLOW_SIGNAL SIGRTMIN
#define IDLE_NS 1000000000ull

/* The vCPU that this thread is */
static _Thread_local struct pvpmu_process_vcpu *this_vcpu;

static struct pvpmu_process_vcpu *process_of(struct pvpmu_vcpu *vcpu)
{
	return (struct pvpmu_process_vcpu *)((char *)vcpu -
					     offsetof(struct pvpmu_process_vcpu,
						      vcpu));
}

/*
 * The shared page
 */

static enum pvpmu_answer op_area_attach(struct pvpmu_vcpu *vcpu, u64 frame)
{
	struct pvpmu_process_vcpu *v = process_of(vcpu);

	if (frame >= v->machine->frames)
		return PVPMU_NEVER;
	v->area = (u32 *)((char *)v->machine->ram + frame * PVPMU_AREA_SIZE);
	return PVPMU_DONE;
}

static void op_area_detach(struct pvpmu_vcpu *vcpu)
{
	process_of(vcpu)->area = NULL;
}

/* Memory of a process does not go away, so the accesses never fail. */
static bool op_area_read(struct pvpmu_vcpu *vcpu, u32 offset, void *to, u32 len)
{
	const u32 *area = process_of(vcpu)->area + offset / sizeof(u32);
	u32 *words = to;
	u32 i;

	for (i = 0; i < len / sizeof(u32); i++)
		words[i] = READ_ONCE(area[i]);
	return true;
}

static bool op_area_write(struct pvpmu_vcpu *vcpu, u32 offset, const void *from,
			  u32 len)
{
	u32 *area = process_of(vcpu)->area + offset / sizeof(u32);
	const u32 *words = from;
	u32 i;

	for (i = 0; i < len / sizeof(u32); i++)
		WRITE_ONCE(area[i], words[i]);
	return true;
}

static bool op_area_line(struct pvpmu_vcpu *vcpu, u32 offset, const void *line)
{
	pvpmu_line_store(process_of(vcpu)->area + offset / sizeof(u32), line);
	return true;
}

static bool op_area_or32(struct pvpmu_vcpu *vcpu, u32 offset, u32 bits,
			 u32 *old)
{
	*old = env_or32(process_of(vcpu)->area + offset / sizeof(u32), bits);
	return true;
}

/*
 * Counters
 */

static u32 op_query(struct pvpmu_vcpu *vcpu, const struct pvpmu_desc *desc)
{
	return process_event_caps(&process_of(vcpu)->guest, desc);
}

static void read_counter(struct process_counter *counter,
			 struct pvpmu_reading *reading)
{
	u64 values[3];
	ssize_t len = read(counter->fd, values, sizeof(values));

	*reading = counter->last;
	if (len != sizeof(values)) {
		/* The kernel gave it up, for good. */
		reading->failed = true;
	} else {
		reading->count = values[0];
		reading->enabled = values[1];
		reading->running = values[2];
		/* Time went by and it did not run: others have its place. */
		reading->active = values[1] == counter->last.enabled ||
				  values[2] != counter->last.running;
	}
	counter->last = *reading;
}

static void op_read(struct pvpmu_vcpu *vcpu, u32 counter,
		    struct pvpmu_reading *reading)
{
	read_counter(&process_of(vcpu)->counter[counter], reading);
}

/* Has the overflows of @fd sent to the calling thread. */
static bool direct_signal(int fd)
{
	const struct f_owner_ex owner = {
		.type = F_OWNER_TID,
		.pid = gettid(),
	};

	return !fcntl(fd, F_SETOWN_EX, &owner) &&
	       !fcntl(fd, F_SETSIG, OVERFLOW_SIGNAL) &&
	       !fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK);
}

static enum pvpmu_answer op_create(struct pvpmu_vcpu *vcpu, u32 counter,
				   const struct pvpmu_desc *desc)
{
	struct pvpmu_process_vcpu *v = process_of(vcpu);
	int fd = process_event_open(&v->guest, desc);

	if (fd < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
				       errno == ENOSPC
			       ? PVPMU_LATER
			       : PVPMU_NEVER;
	if (desc->sampling && !direct_signal(fd)) {
		close(fd);
		return PVPMU_LATER;
	}
	v->counter[counter] = (struct process_counter){
		.fd = fd,
		.sampling = desc->sampling,
		.last.active = true,
	};
	return PVPMU_DONE;
}

static void op_destroy(struct pvpmu_vcpu *vcpu, u32 counter)
{
	close(process_of(vcpu)->counter[counter].fd);
}

/* Asks for a signal when the counter has come to its mark. */
static bool arm(struct process_counter *counter, u64 left)
{
	return !ioctl(counter->fd, PERF_EVENT_IOC_PERIOD, &left);
}

static bool op_start(struct pvpmu_vcpu *vcpu, u32 counter, u64 left)
{
	struct pvpmu_process_vcpu *v = process_of(vcpu);
	struct process_counter *c = &v->counter[counter];
	struct pvpmu_reading now;

	if (c->sampling) {
		read_counter(c, &now);
		if (!arm(c, left))
			return false;
		c->due = now.count + left;
		v->armed |= 1ull << counter;
	}
	/* One that waits for execve(2) is started by that. */
	if (!v->guest.await_exec && ioctl(c->fd, PERF_EVENT_IOC_ENABLE, 0)) {
		v->armed &= ~(1ull << counter);
		return false;
	}
	return true;
}

static void op_stop(struct pvpmu_vcpu *vcpu, u32 counter)
{
	struct pvpmu_process_vcpu *v = process_of(vcpu);

	ioctl(v->counter[counter].fd, PERF_EVENT_IOC_DISABLE, 0);
	v->armed &= ~(1ull << counter);
}

/*
 * Overflows and interrupts
 */

static bool op_deliver(struct pvpmu_vcpu *vcpu, u32 delivery, u32 port)
{
	(void)vcpu;
	(void)delivery;
	(void)port;
	return true;
}

static void op_kick(struct pvpmu_vcpu *vcpu)
{
	process_of(vcpu)->kicked = true;
}

static void op_raise(struct pvpmu_vcpu *vcpu, u32 delivery, u32 port)
{
	(void)delivery;
	(void)port;
	process_of(vcpu)->raised = true;
}

static u64 op_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * 1000000000 + (u64)now.tv_nsec;
}

static void op_idle(struct pvpmu_vcpu *vcpu)
{
	struct pvpmu_process_vcpu *v = process_of(vcpu);

	if (!v->reap_at)
		v->reap_at = op_clock() + IDLE_NS;
}

static const struct pvpmu_host_ops process_ops = {
	.features = PVPMU_FEAT_LVTPC,
	.hypercall = PVPMU_PROCESS_HYPERCALL,
	.op_base = PVPMU_DEFAULT_OP_BASE,
	.raw = PVPMU_RAW_X86,
	.query = op_query,
	.area_attach = op_area_attach,
	.area_detach = op_area_detach,
	.area_read = op_area_read,
	.area_write = op_area_write,
	.area_line = op_area_line,
	.area_or32 = op_area_or32,
	.deliver = op_deliver,
	.create = op_create,
	.destroy = op_destroy,
	.start = op_start,
	.stop = op_stop,
	.read = op_read,
	.kick = op_kick,
	.raise = op_raise,
	.clock = op_clock,
	.idle = op_idle,
};

/* Reports what a counter has overflowed by now, and sets its next mark. */
static void check_overflow(struct pvpmu_process_vcpu *v, u32 counter)
{
	struct process_counter *c = &v->counter[counter];
	struct pvpmu_reading now;
	u64 length;

	read_counter(c, &now);
	while (now.count >= c->due) {
		length = pvpmu_overflow(&v->vcpu, counter);
		if (!length) {
			v->armed &= ~(1ull << counter);
			return;
		}
		c->due += length;
	}
	arm(c, c->due - now.count);
}

/*
 * The vCPU is about to run its guest again: core shows what happened, and
 * the interrupt that it asked for is injected.  An interrupt function that
 * makes calls comes here a second time; as with an NMI, the next interrupt
 * waits until it has returned.
 */
static void enter_guest(struct pvpmu_process_vcpu *v)
{
	do {
		if (v->kicked) {
			v->kicked = false;
			pvpmu_publish(&v->vcpu);
		}
		if (!v->raised || v->interrupting)
			return;
		v->raised = false;
		v->interrupting = true;
		if (v->guest.interrupt)
			v->guest.interrupt(v->guest.data);
		v->interrupting = false;
	} while (v->kicked || v->raised);
}

/* The exit that an overflow causes. */
static void on_signal(int signal)
{
	struct pvpmu_process_vcpu *v = this_vcpu;
	int saved = errno;
	u64 rest;

	(void)signal;
	if (!v)
		return;
	for (rest = v->armed; rest; rest &= rest - 1)
		check_overflow(v, (u32)__builtin_ctzll(rest));
	enter_guest(v);
	errno = saved;
}

/*
 * Entries
 */

void pvpmu_process_vm_init(struct pvpmu_process_vm *vm,
			   const struct pvpmu_limits *limits, void *ram,
			   u64 frames)
{
	pvpmu_vm_init(&vm->vm, limits);
	vm->ram = ram;
	vm->frames = frames;
}

bool pvpmu_process_vcpu_init(struct pvpmu_process_vcpu *vcpu,
			     struct pvpmu_process_vm *vm,
			     const struct pvpmu_process_guest *guest)
{
	struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = SA_RESTART,
	};

	/* SIGIO is what the kernel sends when its queue of signals is full. */
	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, OVERFLOW_SIGNAL);
	sigaddset(&action.sa_mask, SIGIO);
	if (sigaction(OVERFLOW_SIGNAL, &action, NULL) ||
	    sigaction(SIGIO, &action, NULL))
		return false;

	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->guest = *guest;
	vcpu->machine = vm;
	pvpmu_vcpu_init(&vcpu->vcpu, &vm->vm, &process_ops);
	this_vcpu = vcpu;
	return true;
}

static void leave_guest(sigset_t *old)
{
	sigset_t block;

	sigemptyset(&block);
	sigaddset(&block, OVERFLOW_SIGNAL);
	sigaddset(&block, SIGIO);
	pthread_sigmask(SIG_BLOCK, &block, old);
}

void pvpmu_process_vcpu_end(struct pvpmu_process_vcpu *vcpu)
{
	sigset_t old;

	leave_guest(&old);
	pvpmu_vcpu_detach(&vcpu->vcpu);
	this_vcpu = NULL;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void pvpmu_process_cpuid(void *vcpu, __u32 leaf, __u32 regs[4])
{
	const struct pvpmu_process_vcpu *v = vcpu;

	if (!pvpmu_cpuid(&v->machine->vm, &process_ops,
			 PVPMU_PROCESS_CPUID_BASE, leaf, regs))
		memset(regs, 0, 4 * sizeof(regs[0]));
}

/* Counters are given back here: a process has no better place for it. */
static void reap(struct pvpmu_process_vcpu *v)
{
	if (!v->reap_at || op_clock() < v->reap_at)
		return;
	v->reap_at = 0;
	if (pvpmu_reap(&v->vcpu, IDLE_NS))
		op_idle(&v->vcpu);
}

__s32 pvpmu_process_call(void *vcpu, __u32 number, __u32 op, __u32 a, __u32 b,
			 __u32 c)
{
	const struct pvpmu_call call = {
		.op = op,
		.arg = { a, b, c },
		.kernel = true,
	};
	struct pvpmu_process_vcpu *v = vcpu;
	sigset_t old;
	s32 ret;

	/* What a hypervisor says to a number that it does not know. */
	if (number != PVPMU_PROCESS_HYPERCALL)
		return -ENOSYS;
	leave_guest(&old);
	ret = pvpmu_call(&v->vcpu, &call);
	reap(v);
	enter_guest(v);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ret;
}
