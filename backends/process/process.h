/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * pvpmu process backend: threads as vCPUs, perf_event_open(2) as the hardware
 *
 * This is the smallest complete backend, written to be read: docs/porting.md
 * walks through it.  What stands for what:
 *
 *	vCPU			a thread; its guest is the rest of the thread,
 *				or another process that it looks after
 *	hypercall		a function call with the overflow signal blocked
 *	guest memory		an array of pages; a frame is an index into it
 *	performance interrupt	a signal of perf_event_open(2) to the thread
 *	the LVTPC		a function of the guest's, none if masked
 *
 * The signal handler is the exit that an overflow causes, and what it
 * interrupts is always the guest: calls block the signal.
 */
#ifndef PVPMU_PROCESS_H
#define PVPMU_PROCESS_H

#include <sys/types.h>

#include <pvpmu/core.h>

#define PVPMU_PROCESS_CPUID_BASE 0x40000000u
#define PVPMU_PROCESS_HYPERCALL 0x5056u

/**
 * struct process_counter - the backend's part of a host counter
 * @fd: of perf_event_open(2)
 * @sampling: it may overflow
 * @due: count at which it overflows next, 0 if it does not
 * @last: what the last reading found
 */
struct process_counter {
	int fd;
	bool sampling;
	u64 due;
	struct pvpmu_reading last;
};

/**
 * struct pvpmu_process_vm - a VM
 * @vm: core's part
 * @ram: the guest's memory, aligned to PVPMU_AREA_SIZE
 * @frames: pages in it
 */
struct pvpmu_process_vm {
	struct pvpmu_vm vm;
	void *ram;
	u64 frames;
};

/**
 * struct pvpmu_process_guest - what a vCPU runs
 * @target: thread whose execution is counted
 * @inherit: so are the threads and processes it starts.  Each of those would
 *           overflow on its own, so nothing can be sampled.
 * @await_exec: @target has not begun; its execve(2) is where counting starts.
 *              The owner clears it in struct pvpmu_process_vcpu then, and
 *              stops no counter before.
 * @interrupt: called for each interrupt, in signal context or at the end of
 *             a call; null if masked
 * @data: its argument
 */
struct pvpmu_process_guest {
	pid_t target;
	bool inherit;
	bool await_exec;
	void (*interrupt)(void *data);
	void *data;
};

/**
 * struct pvpmu_process_vcpu - a vCPU
 * @vcpu: core's part
 * @guest: what it runs
 * @machine: its VM
 * @area: the page that is attached, null if none is
 * @kicked: core wants to publish
 * @raised: an interrupt waits to be injected
 * @interrupting: the guest's interrupt function runs
 * @reap_at: when to look for old counters, 0 for never
 * @armed: counters that overflow
 * @counter: counters, by core's index
 */
struct pvpmu_process_vcpu {
	struct pvpmu_vcpu vcpu;
	struct pvpmu_process_guest guest;
	struct pvpmu_process_vm *machine;
	u32 *area;
	bool kicked;
	bool raised;
	bool interrupting;
	u64 reap_at;
	u64 armed;
	struct process_counter counter[PVPMU_MAX_COUNTERS];
};

/* Prepares a VM with @frames pages of memory at @ram. */
void pvpmu_process_vm_init(struct pvpmu_process_vm *vm,
			   const struct pvpmu_limits *limits, void *ram,
			   u64 frames);

/* Makes the calling thread the vCPU @vcpu; false if signals cannot be set up,
 * see errno. */
bool pvpmu_process_vcpu_init(struct pvpmu_process_vcpu *vcpu,
			     struct pvpmu_process_vm *vm,
			     const struct pvpmu_process_guest *guest);

/* The end of the vCPU, on its own thread. */
void pvpmu_process_vcpu_end(struct pvpmu_process_vcpu *vcpu);

/* The guest's CPUID instruction; leaves that are not pvpmu's read as zero. */
void pvpmu_process_cpuid(void *vcpu, __u32 leaf, __u32 regs[4]);

/* The guest's hypercall instruction, from its kernel. */
__s32 pvpmu_process_call(void *vcpu, __u32 number, __u32 op, __u32 a, __u32 b,
			 __u32 c);

/* event.c: core's events in the words of perf_event_open(2) */

/* Opens a stopped counter; -1 and errno if that fails. */
int process_event_open(const struct pvpmu_process_guest *guest,
		       const struct pvpmu_desc *desc);
/* PVPMU_CAP_* of an event: what opening it in each way says. */
u32 process_event_caps(const struct pvpmu_process_guest *guest,
		       const struct pvpmu_desc *desc);

#endif /* PVPMU_PROCESS_H */
