/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CPUs made of a register file, for Xen's physical counters
 *
 * They know the registers of the vendor's manual, end the test where a real one
 * would fault, count what the guest and Xen execute, wrap, and interrupt.
 */
#ifndef PVPMU_TEST_XEN_CPU_H
#define PVPMU_TEST_XEN_CPU_H

#include <stdlib.h>

#include "unit.h"
#include "shim.h"

#include "../../../backends/xen/hw.h"

#define GENERAL 16
#define FIXED 3

/* Who executes */
enum mode { GUEST_USER, GUEST_KERNEL, XEN };

/**
 * struct counter - a physical counter
 * @select: its event select register, of a fixed one its four bits
 * @value: its value
 */
struct counter {
	u64 select;
	u64 value;
};

/* What a hypervisor makes of registers that are not there */
enum absent { PRESENT, FAULTS, IGNORED };

struct cpu {
	enum absent absent;
	u32 general, fixed;
	u32 width;
	bool old_amd; /* four counters at the old addresses */
	u32 version; /* Intel's */
	u32 ebx; /* of leaf 0xa: events that are not there */
	bool full_write;
	bool perfmon_v2; /* AMD's global registers */
	bool freeze; /* the guest's DebugCtl: an overflow freezes */
	bool force_abort; /* Intel's counter 3 may be microcode's, */
	bool tsx; /* and is */
	bool quirk; /* a counter that is 0 interrupts again */
	u32 again;
	struct counter counter[GENERAL + FIXED];
	u64 global_ctrl;
	u64 status;
	struct vmx_msr_entry entry, exit;
	bool entry_added, exit_added;
	bool no_memory;
	u32 lvtpc;
	u32 interrupts;
	u32 writes; /* of registers */
	bool softirq;
	u64 now;
};

extern struct cpu cpu;
extern struct vcpu v;
extern struct pvpmu_xen x;

void boot_amd(u8 family, bool old, bool hvm);
void boot_amd_v2(bool hvm);
void boot_amd_without(enum absent absent);
void boot_intel(u32 version, u32 general, u32 width, bool hvm);
/* Intel's register of that name, put together */
u64 fixed_ctrl(void);
/* Leaves the guest for Xen, which looks at what there is to do. */
void handle_softirq(void);
/* @events of each kind happen, in steps that an interrupt may come late in */
void execute(enum mode mode, u64 events);
void enter_kernel(void);
void enter_user(void);
/* Ten times into the guest's kernel and back: 30 instructions of it, 1000 of
 * user space, and what Xen does in between, which is nobody's. */
void ten_calls(void);
struct pvpmu_desc hardware(u64 config, u32 flags);
void start(u32 i, u64 config, u32 flags);
void start_sampling(u32 i, u64 config, u64 period);
u64 count_of(u32 i);
u32 caps_of(u64 config);
/* The vCPU is scheduled out, and nothing of it is left in the CPU. */
void leave_nothing(void);

#endif /* PVPMU_TEST_XEN_CPU_H */
