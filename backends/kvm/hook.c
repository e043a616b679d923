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
#include <linux/kprobes.h>
#include <linux/rcupdate.h>
#include <asm/ftrace.h>
#include <asm/ibt.h>

#include "hook.h"

DEFINE_PER_CPU(long, pk_hooks_entered);

/**
 * pk_address_of() - finds a function of the kernel
 * @symbol: its name; it need not be exported
 *
 * Context: Process, sleeps.
 * Return: its entry, 0 if there is none.
 */
unsigned long pk_address_of(const char *symbol)
{
	struct kprobe probe = {
		.symbol_name = symbol,
		.flags = KPROBE_FLAG_DISABLED,
	};
	unsigned long address;

	if (register_kprobe(&probe))
		return 0;
	address = (unsigned long)probe.addr;
	unregister_kprobe(&probe);
	if (IS_ENABLED(CONFIG_X86_KERNEL_IBT) &&
	    is_endbr(*(u32 *)(address - 4)))
		address -= 4;
	return address;
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
	unsigned long entry = pk_address_of(hook->symbol);
	int err;

	if (!entry) {
		pr_err("pvpmu: this kernel has no function %s\n", hook->symbol);
		return -ENOENT;
	}
	/*
	 * An indirect call into the middle of a function is a fault with IBT;
	 * then pk_hook_again() lets us through.
	 */
	hook->original = (void *)entry;
	if (!IS_ENABLED(CONFIG_X86_KERNEL_IBT))
		hook->original += MCOUNT_INSN_SIZE;

	err = register_ftrace_direct(entry, (unsigned long)hook->entry);
	if (err) {
		pr_err("pvpmu: cannot hook %s: %d\n", hook->symbol, err);
		return err;
	}
	hook->address = entry;
	hook->set = true;
	return 0;
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
	unregister_ftrace_direct(hook->address, (unsigned long)hook->entry);
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
