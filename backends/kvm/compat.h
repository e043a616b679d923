/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernels, all of it.
 *
 * What a kernel offers is found by compiling the file "probes" against its
 * headers.  A kernel that offers none of what is known here stops at an #error.
 *
 * KVM and perf have no interface for what this module does; it relies on how
 * they are made, and the numbers here are in none of their headers.  They are
 * those of Linux 6.1 to 7.3; another kernel is supported once each line here
 * was looked at for it.
 */
#ifndef PK_COMPAT_H
#define PK_COMPAT_H

#include <linux/ftrace.h>
#include <linux/kvm_host.h>
#include <linux/perf_event.h>

#include <probed.h>

#if IS_ENABLED(CONFIG_PREEMPT_RT)
#error "pvpmu_kvm: on PREEMPT_RT interrupts of a task are tasks themselves, which is not supported"
#endif
#if !PROBE_STATIC_CALL
#error "pvpmu_kvm: this kernel lacks static calls (__static_call_update())"
#endif
#if !PROBE_HF_GUEST_MASK
#error "pvpmu_kvm: this kernel's vCPUs do not tell guests of guests apart (arch.hflags, HF_GUEST_MASK)"
#endif
#if !PROBE_HANDLING_INTR
#error "pvpmu_kvm: this kernel's vCPUs do not tell what made a guest exit (arch.handling_intr_from_guest)"
#endif

/* kernel/events/core.c: flag in is_active while the context's clock runs */
#define PK_CTX_TIME_RUNS 0x4

/* kernel/events/core.c: hw.interrupts of an event that perf has throttled */
#define PK_THROTTLED_BY_PERF (~0ull)

/* arch/x86/kvm/x86.h: handling_intr_from_guest while KVM handles an NMI that
 * made the guest exit */
#define PK_HANDLING_NMI 2

/*
 * Where it does not wake, what is to be published to a vCPU that halts is
 * published where it goes to sleep, see pmi.c.
 */
#define PK_PMI_WAKES (!PROBE_PMU_IRQ_WORK)

/* A direct call at the entry of the functions that @ops names */
static inline int pk_ftrace_set(struct ftrace_ops *ops, unsigned long to)
{
#if PROBE_FTRACE_DIRECT_OPS
	return register_ftrace_direct(ops, to);
#elif PROBE_FTRACE_DIRECT_MULTI
	return register_ftrace_direct_multi(ops, to);
#else
#error "pvpmu_kvm: this kernel lacks direct calls of ftrace (register_ftrace_direct())"
#endif
}

static inline void pk_ftrace_remove(struct ftrace_ops *ops, unsigned long to)
{
#if PROBE_FTRACE_DIRECT_OPS
	unregister_ftrace_direct(ops, to, false);
#else
	unregister_ftrace_direct_multi(ops, to);
#endif
}

/* What a context's clock shows, when it was set, and what is to be added to
 * the CPU's clock to have it */
struct pk_ctx_time {
	u64 time;
	u64 stamp;
	u64 offset;
};

static inline struct pk_ctx_time
pk_ctx_time(const struct perf_event_context *ctx)
{
	return (struct pk_ctx_time){
#if PROBE_CTX_TIME_SPLIT
		.time = ctx->time,
		.stamp = ctx->timestamp,
		.offset = READ_ONCE(ctx->timeoffset),
#elif PROBE_CTX_TIME_STRUCT
		.time = ctx->time.time,
		.stamp = ctx->time.stamp,
		.offset = READ_ONCE(ctx->time.offset),
#else
#error "pvpmu_kvm: this kernel's perf contexts do not tell their time"
#endif
	};
}

/*
 * KVM serves Xen's or Hyper-V's hypercalls instead of its own for a guest that
 * said it is to.
 */
static __always_inline bool pk_speaks_hyperv(const struct kvm_vcpu *vcpu)
{
#if PROBE_HYPERV
	return vcpu->arch.hyperv_enabled &&
	       READ_ONCE(vcpu->kvm->arch.hyperv.hv_guest_os_id);
#elif defined(CONFIG_KVM_HYPERV)
#error "pvpmu_kvm: it is not known how this kernel's VMs say that they speak Hyper-V"
#else
	return false;
#endif
}

static __always_inline bool pk_speaks_xen(const struct kvm_vcpu *vcpu)
{
#if PROBE_XEN_CONFIG
	return vcpu->kvm->arch.xen_hvm_config.flags &
	       KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL;
#elif PROBE_XEN_CONFIG_IN_XEN
	return vcpu->kvm->arch.xen.hvm_config.flags &
	       KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL;
#elif defined(CONFIG_KVM_XEN)
#error "pvpmu_kvm: it is not known how this kernel's VMs say that they speak Xen"
#else
	return false;
#endif
}

/* What leads a vCPU out of its guest or its sleep */
#if PROBE_KICK_WAIT
#define PK_KICK "__kvm_vcpu_kick"
typedef void pk_kick_type(struct kvm_vcpu *vcpu, bool wait);
#define pk_kick_with(call, vcpu) call(vcpu, false)
#else
#define PK_KICK "kvm_vcpu_kick"
typedef void pk_kick_type(struct kvm_vcpu *vcpu);
#define pk_kick_with(call, vcpu) call(vcpu)
#endif

#if PROBE_HRTIMER_SETUP
#define pk_timer_init hrtimer_setup
#elif PROBE_HRTIMER_INIT
#define pk_timer_init(timer, fire, clock, mode)   \
	do {                                      \
		hrtimer_init(timer, clock, mode); \
		(timer)->function = fire;         \
	} while (0)
#else
#error "pvpmu_kvm: it is not known how this kernel makes a timer"
#endif

#endif /* PK_COMPAT_H */
