/* SPDX-License-Identifier: GPL-2.0 */
/* What is told of the machine's sleep, in the way that this kernel has */
#ifndef PVG_SYSCORE_H
#define PVG_SYSCORE_H

#include <linux/syscore_ops.h>

#include <probed.h>

#if PROBE_SYSCORE_OPS

/* Defines pvg_syscore_on() and pvg_syscore_off() for these two functions. */
#define PVG_SYSCORE(sleep, wake)                        \
	static struct syscore_ops syscore_ops = {       \
		.suspend = sleep,                       \
		.resume = wake,                         \
	};                                              \
	static void pvg_syscore_on(void)                \
	{                                               \
		register_syscore_ops(&syscore_ops);     \
	}                                               \
	static void pvg_syscore_off(void)               \
	{                                               \
		unregister_syscore_ops(&syscore_ops);   \
	}

#elif PROBE_SYSCORE

#define PVG_SYSCORE(sleep, wake)                        \
	static int syscore_suspend_ours(void *unused)   \
	{                                               \
		return sleep();                         \
	}                                               \
	static void syscore_resume_ours(void *unused)   \
	{                                               \
		wake();                                 \
	}                                               \
	static const struct syscore_ops syscore_ops = { \
		.suspend = syscore_suspend_ours,        \
		.resume = syscore_resume_ours,          \
	};                                              \
	static struct syscore syscore = {               \
		.ops = &syscore_ops,                    \
	};                                              \
	static void pvg_syscore_on(void)                \
	{                                               \
		register_syscore(&syscore);             \
	}                                               \
	static void pvg_syscore_off(void)               \
	{                                               \
		unregister_syscore(&syscore);           \
	}

#else
#error "pvpmu: it is not known how this kernel tells of its sleep"
#endif

#endif /* PVG_SYSCORE_H */
