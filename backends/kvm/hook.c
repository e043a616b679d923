// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmu on KVM: functions of KVM that are led into this module
 *
 * The compiler left room for a call at the entry of such a function.  ftrace
 * makes it a direct call of pk_hook.entry, as it does for BPF: nothing of
 * ftrace runs there itself, for all exits of all VMs come by.  Whether the call
 * is for us is a matter of a compare; if so, the replacement runs in place of
 * the function.  All other calls go on in the original as if nothing had been
 * there, and nothing of this module is on their stack.
 */
#include <linux/delay.h>
#include <linux/rcupdate.h>
#include <linux/uaccess.h>
#include <asm/ftrace.h>
#include <asm/text-patching.h>

#include "hook.h"

/* No caller that is looked at is longer than this. */
#define CALLER_SIZE 1024

DEFINE_PER_CPU(long, pk_hooks_entered);

/* Is there a call from @at to @to? */
static bool calls(unsigned long at, unsigned long to)
{
	u8 code[CALL_INSN_SIZE];
	s32 distance;

	if (copy_from_kernel_nofault(code, (void *)at, sizeof(code)) ||
	    code[0] != CALL_INSN_OPCODE)
		return false;
	memcpy(&distance, code + 1, sizeof(distance));
	return at + CALL_INSN_SIZE + distance == to;
}

/*
 * Of a function that the compiler has copied into its caller, a hook would see
 * nothing.  A call is to the function's very beginning, which is before the
 * place that ftrace calls from if there is a landing pad.
 */
static bool is_called(const struct pk_hook *hook, unsigned long address)
{
	unsigned long caller, at;

	if (!hook->caller)
		return true;
	caller = pvpmu_address_of(hook->caller);
	for (at = caller; at && at < caller + CALLER_SIZE; at++)
		if (calls(at, address) || calls(at, address - ENDBR_INSN_SIZE))
			return true;
	pr_err("pvpmu: in this kernel %s does not call %s\n", hook->caller,
	       hook->function->symbol);
	return false;
}

/* Has the function's entry a call now?  It has none with ftrace_enabled=0. */
static bool takes_effect(unsigned long address)
{
	u8 opcode;

	return !copy_from_kernel_nofault(&opcode, (void *)address, 1) &&
	       opcode == CALL_INSN_OPCODE;
}

/*
 * FTRACE_OPS_FL_PERMANENT has the kernel refuse ftrace_enabled=0 meanwhile.  Some
 * kernels clear the flag when the hook is set, so it is set once more; in between
 * the hook may have been switched off, which is seen by its entry.
 */
static int set(struct pk_hook *hook, unsigned long address)
{
	int err = ftrace_set_filter_ip(&hook->ops, address, 0, 0);

	if (err)
		return err;
	hook->ops.flags |= FTRACE_OPS_FL_PERMANENT;
	err = pk_ftrace_set(&hook->ops, (unsigned long)hook->entry);
	if (err)
		goto free;
	hook->ops.flags |= FTRACE_OPS_FL_PERMANENT;
	if (takes_effect(address)) {
		hook->set = true;
		return 0;
	}
	err = -EBUSY;
	pk_ftrace_remove(&hook->ops, (unsigned long)hook->entry);
free:
	ftrace_free_filter(&hook->ops);
	return err;
}

/**
 * pk_hook_set() - begins to divert calls
 * @hook: not set
 *
 * Context: Process, sleeps.
 * Return: 0, or a negative error if the function does not exist, cannot be
 * traced, or was taken by someone else (a live patch, a BPF program).
 */
int pk_hook_set(struct pk_hook *hook)
{
	const char *symbol = hook->function->symbol;
	unsigned long address = pvpmu_address_of(symbol);
	int err;

	if (!address) {
		pr_err("pvpmu: this kernel has no function %s\n", symbol);
		return -ENOENT;
	}
	if (!is_called(hook, address))
		return -ENOENT;
	pvpmu_callee_set(hook->function, address + MCOUNT_INSN_SIZE);
	err = set(hook, address);
	if (err)
		pr_err("pvpmu: cannot hook %s: %d\n", symbol, err);
	return err;
}

/**
 * pk_hook_remove() - ends it
 * @hook: set or not
 *
 * No call is diverted any more after the return, but those that were may still
 * run: see pk_hooks_drain().
 *
 * Context: Process, sleeps.
 */
void pk_hook_remove(struct pk_hook *hook)
{
	if (!hook->set)
		return;
	pk_ftrace_remove(&hook->ops, (unsigned long)hook->entry);
	ftrace_free_filter(&hook->ops);
	hook->set = false;
}

/**
 * pk_hooks_busy() - how many calls are in replacements
 *
 * Return: exact once no call can enter any more, otherwise about that many.
 */
long pk_hooks_busy(void)
{
	long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(&pk_hooks_entered, cpu));
	return sum;
}

/**
 * pk_hooks_drain() - waits until no call is in a replacement
 *
 * For hooks that were removed.  A task is in one of three places:
 *
 * - between its entry and pk_hook_enter(): it runs or was preempted, it did
 *   not sleep, so synchronize_rcu_tasks() waits until it has gone on;
 * - between enter and leave: counted;
 * - between pk_hook_leave() and its return into KVM: as in the first case.
 *
 * All entering is over when the sum is taken, and each call leaves after it
 * entered, so a sum that is torn by calls which leave meanwhile is too large,
 * never too small.
 *
 * Context: Process, sleeps.
 */
void pk_hooks_drain(void)
{
	synchronize_rcu_tasks();
	while (pk_hooks_busy())
		msleep(20);
	synchronize_rcu_tasks();
}
