/* SPDX-License-Identifier: GPL-2.0 */
/* Functions of KVM that are led into this module */
#ifndef PK_HOOK_H
#define PK_HOOK_H

#include <linux/ftrace.h>
#include <linux/linkage.h>
#include <asm/ibt.h>

#include <pvpmu/callee_kernel.h>

#include "compat.h"

/**
 * struct pk_hook - a function of KVM, and what is to run in its place
 * @function: it; a replacement calls it by static_call(), behind the call that
 *            leads here
 * @entry: where its entry leads, see PK_HOOK()
 * @caller: a function beside it that has to call it, rather than have a copy of
 *          it; NULL if there is none
 * @ops: private
 * @set: private
 */
struct pk_hook {
	const struct pvpmu_callee *function;
	void (*entry)(void);
	const char *caller;
	struct ftrace_ops ops;
	bool set;
};

/* The six registers of arguments */
#define PK_SAVE_ARGS      \
	"pushq %%rdi\n"   \
	"pushq %%rsi\n"   \
	"pushq %%rdx\n"   \
	"pushq %%rcx\n"   \
	"pushq %%r8\n"    \
	"pushq %%r9\n"

#define PK_RESTORE_ARGS   \
	"popq %%r9\n"     \
	"popq %%r8\n"     \
	"popq %%rcx\n"    \
	"popq %%rdx\n"    \
	"popq %%rsi\n"    \
	"popq %%rdi\n"

/*
 * What runs at each call of a hooked function, for all VMs, is @filter and no
 * more: a compare, and a jump to 9f if this call is not for us.  It may use
 * RAX, and finds the function's arguments in their registers.  Only then
 *
 *	bool wanted(first argument, second argument)
 *
 * is asked: notrace, in any context that the function is called in.  Where it
 * agrees, the way back into the function leads to @replacement, which finds the
 * stack and the arguments as the function would have.  It begins with
 * pk_hook_enter() and ends with pk_hook_leave().
 *
 * Operands of @filter come after @replacement, as those of an asm statement.
 *
 * The hook is pk_hook_NAME, of the function that PVPMU_CALLEE(pk_NAME, ...) stands for.
 */
#define PK_HOOK(name, filter, wanted, replacement, ...)			\
	PK_HOOK_CALLED_BY(NULL, name, filter, wanted, replacement, __VA_ARGS__)

#define PK_HOOK_CALLED_BY(caller_, name, filter, wanted, replacement, ...) \
	void pk_hook_##name##_entry(void);				\
	static void __init __used noinline pk_hook_##name##_emit(void)	\
	{								\
		asm volatile(".pushsection .text, \"ax\", @progbits\n"	\
			     ".balign 16\n"				\
			     ".type pk_hook_" #name "_entry, @function\n"	\
			     "pk_hook_" #name "_entry:\n"		\
			     ASM_ENDBR					\
			     filter					\
			     PK_SAVE_ARGS				\
			     "call %c[wants]\n"				\
			     PK_RESTORE_ARGS				\
			     "testb %%al, %%al\n"			\
			     "jz 9f\n"					\
			     "movq %[runs], (%%rsp)\n"			\
			     "9:" ASM_RET				\
			     ".size pk_hook_" #name "_entry, "		\
			     ". - pk_hook_" #name "_entry\n"		\
			     ".popsection\n"				\
			     :						\
			     : [wants] "i"(wanted), [runs] "i"(replacement),\
			       ##__VA_ARGS__);				\
	}								\
	struct pk_hook pk_hook_##name = {				\
		.function = &pk_##name##_callee,				\
		.entry = pk_hook_##name##_entry,			\
		.caller = caller_,					\
	}

/* A filter: nothing is asked while the counter at @atomic, an operand, is 0. */
#define PK_UNLESS_ZERO                  \
	"cmpl $0, %c[atomic](%%rip)\n" \
	"je 9f\n"

extern struct pk_hook pk_hook_hypercall;
extern struct pk_hook pk_hook_cpuid;
extern struct pk_hook pk_hook_rdpmc;
extern struct pk_hook pk_hook_pmi;
extern struct pk_hook pk_hook_halt;
extern struct pk_hook pk_hook_destroy;
extern struct pk_hook pk_hook_reset;
extern struct pk_hook pk_hook_mp_state;
extern struct pk_hook pk_hook_run;
extern struct pk_hook pk_hook_mmu;

int pk_hook_set(struct pk_hook *hook);
void pk_hook_remove(struct pk_hook *hook);
void pk_hooks_drain(void);
long pk_hooks_busy(void);

DECLARE_PER_CPU(long, pk_hooks_entered);

/*
 * A task that sleeps in a replacement is nothing that RCU would wait for, so
 * they are counted.  The count may end on another CPU than it began on; only
 * the sum means something, see pk_hooks_drain().
 */
static inline void pk_hook_enter(void)
{
	this_cpu_inc(pk_hooks_entered);
}

static inline void pk_hook_leave(void)
{
	this_cpu_dec(pk_hooks_entered);
}

#endif /* PK_HOOK_H */
