// SPDX-License-Identifier: GPL-2.0
/*
 * Where a task left user code, for an NMI that comes a moment later.
 *
 * The kernel keeps user mode's registers in a frame at the top of the task's
 * stack.  An NMI may find it being made: then the top of the CPU's entry stack
 * has them, or the CPU's registers still do, and what is in the task's frame is
 * from before, or no frame at all.
 */
#include "pvpmu.h"

#include <linux/bits.h>
#include <linux/percpu.h>
#include <linux/sched/task_stack.h>
#include <asm/cpu_entry_area.h>
#include <asm/processor.h>
#include <asm/ptrace.h>
#include <asm/segment.h>
#include <asm/special_insns.h>

static bool is_on(unsigned long sp, const void *stack, unsigned long size)
{
	unsigned long bottom = (unsigned long)stack;

	return sp > bottom && sp <= bottom + size;
}

/*
 * 32 bits: the frame is copied to where the stack pointer is already, and that
 * of SYSENTER has an address only after a while.
 */
static bool is_of_user(struct pt_regs *frame)
{
	return user_mode(frame) && (IS_ENABLED(CONFIG_X86_64) ||
				    (frame->ip && frame->ip < TASK_SIZE));
}

#ifdef CONFIG_X86_64
/* Bits of CR3 that say which page tables a process has, for user and kernel */
#define CR3_TABLES GENMASK_ULL(51, 13)

/* With page table isolation the stack pointer changes CR3, on the way in. */
static bool is_cr3(unsigned long sp)
{
	return boot_cpu_has(X86_FEATURE_PTI) &&
	       !((sp ^ __read_cr3()) & CR3_TABLES);
}

/* The kernel has no stack yet: right behind SYSCALL. */
static bool has_no_stack(unsigned long sp)
{
	return sp < TASK_SIZE_MAX || is_cr3(sp);
}

static struct pt_regs *behind_syscall(const struct pt_regs *regs,
				      struct pt_regs *room)
{
	*room = *regs;
	if (is_cr3(regs->sp))
		room->sp = this_cpu_read(cpu_tss_rw.x86_tss.sp2);
	room->ip = regs->cx;
	room->flags = regs->r11;
	room->cs = test_thread_flag(TIF_ADDR32) ? __USER32_CS : __USER_CS;
	room->ss = __USER_DS;
	return room;
}
#endif

/**
 * pvg_user_place() - finds where the current task left user code
 * @regs: what the NMI interrupted, which is the kernel, for the current task
 * @room: for what the kernel has not put together itself
 *
 * Context: NMI.
 * Return: user mode's registers, in @room or where the kernel has them, or @regs
 * where they cannot be told.
 */
struct pt_regs *pvg_user_place(struct pt_regs *regs, struct pt_regs *room)
{
	struct entry_stack *entry = cpu_entry_stack(smp_processor_id());
	struct pt_regs *frame = task_pt_regs(current);
	unsigned long sp = regs->sp;

#ifdef CONFIG_X86_64
	if (has_no_stack(sp))
		return behind_syscall(regs, room);
#endif
	if (is_on(sp, entry, sizeof(*entry)))
		frame = (struct pt_regs *)(entry + 1) - 1;
	else if (!is_on(sp, task_stack_page(current), THREAD_SIZE))
		sp = 0; /* an interrupt's, after the entry code */

	/* The address and what is above it come first, the others later. */
	if (sp > (unsigned long)&frame->ip || !is_of_user(frame))
		return regs;
	if (sp <= (unsigned long)frame)
		return frame;
	*room = *regs;
	room->ip = frame->ip;
	room->cs = frame->cs;
	room->flags = frame->flags;
	room->sp = frame->sp;
	room->ss = frame->ss;
	return room;
}
