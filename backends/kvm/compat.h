/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What depends on the version of the host's kernel, all of it.
 *
 * KVM and perf have no interface for what this module does; it relies on how
 * they are made.  Another version of the kernel is supported once each line
 * here was looked at for it.
 */
#ifndef PK_COMPAT_H
#define PK_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0) || \
	LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#error "pvpmu_kvm knows Linux 6.1 only; see compat.h"
#endif

/* kernel/events/core.c: flag in is_active while the context's clock runs */
#define PK_CTX_TIME_RUNS 0x4

/* kernel/events/core.c: hw.interrupts of an event that perf has throttled */
#define PK_THROTTLED_BY_PERF (~0ull)

/* arch/x86/kvm/x86.h: handling_intr_from_guest while KVM handles an NMI that
 * made the guest exit */
#define PK_HANDLING_NMI 2

/*
 * On 6.1 a vCPU that halts does not look at KVM_REQ_PMI, so what is to be
 * published then is published where it goes to sleep, see pmi.c.  From 6.6 on
 * the request counts as something to wake up for.
 */
#define PK_PMI_DOES_NOT_WAKE 1

#endif /* PK_COMPAT_H */
