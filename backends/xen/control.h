/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * pvpmu in Xen: what the administrator's tool and the hypervisor share
 *
 * The tool makes the guests' hypercall with the operation PVPMU_CONTROL and the
 * address of a struct pvpmu_control; where that is switched off for its own
 * domain, too.  Only a domain that controls others may, which is to say one that
 * may control Xen's own vPMU where there is a security policy.  Answers are Xen's
 * error numbers.
 */
#ifndef PVPMU_XEN_CONTROL_H
#define PVPMU_XEN_CONTROL_H

#define PVPMU_CONTROL_HYPERCALL 50u /* Xen's __HYPERVISOR_arch_2 */
#define PVPMU_CONTROL 0x50580001u /* the last digits: version of this file */

/* The vCPU at (@domain, @vcpu), or the next one there is: who it is, its
 * domain's limits, and what it did; -ENOENT if there is none. */
#define PVPMU_CONTROL_NEXT 0u
/* Sets the limits of @domain, or if it is PVPMU_CONTROL_ALL of all domains that
 * there are and will be, to @limits; those of its events that are open stay
 * open, but all of a single @domain are closed if @limits allow none: the tool
 * closes those of all domains one after the other.  -EINVAL if they make no
 * sense, -ESRCH if there is no such domain, -EAGAIN while another does this, or
 * has one of Xen's domctls. */
#define PVPMU_CONTROL_LIMITS 1u
#define PVPMU_CONTROL_ALL 0xffffffffu
/* Of that vCPU the event in slot @event.id, or in the next that is open, as its
 * guest was shown it last; -ENOENT if there is none, -ESRCH if there is no such
 * vCPU. */
#define PVPMU_CONTROL_EVENT 2u
/* The limits of domains to come */
#define PVPMU_CONTROL_DEFAULT 3u

struct pvpmu_control {
	__u32 command;
	__u32 domain;
	__u32 vcpu;
	__u32 hvm; /* not a PV domain */
	struct {
		__u32 slots_vcpu;
		__u32 slots_vm;
		__u32 classes;
		__u32 period_min;
		__u32 clock_period_min;
		__u32 overflow_rate;
	} limits;
	__u32 area; /* it has one */
	__u32 open; /* ids that are open */
	__u64 time; /* ns that it was scheduled in */
	__u64 calls;
	__u64 refused;
	__u64 overflows;
	__u64 throttled;
	__u64 raised;
	__u64 counters; /* host counters that exist */
	struct {
		__u32 id;
		__u32 type; /* as in the guest line of its slot */
		__u32 flags;
		__u32 state; /* as in the host line */
		__u64 config;
		__u64 period;
		__u64 count;
		__u64 time_enabled;
		__u64 time_running;
		__u64 overflows;
	} event;
};

#endif /* PVPMU_XEN_CONTROL_H */
