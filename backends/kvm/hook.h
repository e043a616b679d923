/* SPDX-License-Identifier: GPL-2.0 */
/* Functions of KVM that are led into this module */
#ifndef PK_HOOK_H
#define PK_HOOK_H

#include <linux/ftrace.h>
#include <linux/module.h>

/**
 * struct pk_hook - a function of KVM, and what is to run in its place
 * @symbol: its name; it need not be exported
 * @entered: looks at the arguments and calls pk_divert() if this call is for
 *           us.  Runs at each call of the function, for all VMs: quick,
 *           notrace, any context that the function is called in.
 * @replacement: runs instead of a call that was diverted, begins with
 *               pk_hook_enter() and ends with pk_hook_leave(); NULL if none is
 * @original: the function itself, once the hook is set
 * @ops: private
 * @set: private
 */
struct pk_hook {
	const char *symbol;
	ftrace_func_t entered;
	void *replacement;
	void *original;
	struct ftrace_ops ops;
	bool set;
};

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

unsigned long pk_address_of(const char *symbol);
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

/* The n-th argument of the function that was entered */
#define pk_hook_arg0(fregs) ((fregs)->regs.di)
#define pk_hook_arg1(fregs) ((fregs)->regs.si)

/*
 * Lets the replacement run.  Where the kernel has indirect branch tracking,
 * the replacement calls the original by its entry and so arrives here again.
 */
static __always_inline void pk_divert(struct ftrace_ops *ops,
				      struct ftrace_regs *fregs,
				      unsigned long caller)
{
	struct pk_hook *hook = container_of(ops, struct pk_hook, ops);

	if (IS_ENABLED(CONFIG_X86_KERNEL_IBT) &&
	    within_module(caller, THIS_MODULE))
		return;
	ftrace_instruction_pointer_set(fregs, (unsigned long)hook->replacement);
}

#endif /* PK_HOOK_H */
