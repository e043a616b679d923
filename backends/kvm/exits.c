// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmu on KVM: VM exits by what they were for
 *
 * KVM keeps no count of them, but has a tracepoint that each exit comes by.
 * We are on it while a guest counts such exits, and for a while after, since
 * getting on and off patches the kernel's code, and guests come and go as they
 * like.
 */
#include <linux/tracepoint.h>
#include <asm/svm.h>
#include <asm/vmx.h>

#include "hook.h"
#include "pvpmu_kvm.h"

/* No guest has us get on and off more often than this. */
#define STAY (10 * HZ)

/* arch/x86/kvm/trace.h: which of the two a CPU has */
#define ISA_VMX 1

extern struct tracepoint __tracepoint_kvm_exit;

static DEFINE_MUTEX(lock); /* protects the three below */
static u32 users;
static bool on;
/* svm_get_exit_info() or vmx_get_exit_info() */
PVPMU_CALLEE(pk_exit_info, NULL,
	  void(struct kvm_vcpu *, u32 *, u64 *, u64 *, u32 *, u32 *));

static void get_off(struct work_struct *work);
static DECLARE_DELAYED_WORK(off_work, get_off);

static u32 svm_kind(u32 code)
{
	switch (code) {
	case SVM_EXIT_INTR:
	case SVM_EXIT_NMI:
	case SVM_EXIT_SMI:
	case SVM_EXIT_VINTR:
	case SVM_EXIT_IRET:
	case SVM_EXIT_AVIC_INCOMPLETE_IPI:
	case SVM_EXIT_AVIC_UNACCELERATED_ACCESS:
		return PVPMU_HV_EXITS_INTERRUPT;
	case SVM_EXIT_HLT:
	case SVM_EXIT_PAUSE:
	case SVM_EXIT_MWAIT:
	case SVM_EXIT_MWAIT_COND:
		return PVPMU_HV_EXITS_IDLE;
	case SVM_EXIT_IOIO:
		return PVPMU_HV_EXITS_IO;
	case SVM_EXIT_NPF:
		return PVPMU_HV_EXITS_MEMORY;
	case SVM_EXIT_VMMCALL:
		return PVPMU_HV_EXITS_HYPERCALL;
	case SVM_EXIT_READ_CR0 ... SVM_EXIT_WRITE_DR7:
	case SVM_EXIT_CR0_SEL_WRITE:
	case SVM_EXIT_RDTSC:
	case SVM_EXIT_RDPMC:
	case SVM_EXIT_CPUID:
	case SVM_EXIT_INVD:
	case SVM_EXIT_INVLPG:
	case SVM_EXIT_MSR:
	case SVM_EXIT_RDTSCP:
	case SVM_EXIT_WBINVD:
	case SVM_EXIT_MONITOR:
	case SVM_EXIT_XSETBV:
	case SVM_EXIT_RDPRU:
	case SVM_EXIT_INVPCID:
		return PVPMU_HV_EXITS_INSTRUCTION;
	default:
		return PVPMU_HV_EXITS_OTHER;
	}
}

static u32 vmx_kind(u32 reason)
{
	switch ((u16)reason) {
	case EXIT_REASON_EXTERNAL_INTERRUPT:
	case EXIT_REASON_INTERRUPT_WINDOW:
	case EXIT_REASON_NMI_WINDOW:
	case EXIT_REASON_TPR_BELOW_THRESHOLD:
	case EXIT_REASON_APIC_ACCESS:
	case EXIT_REASON_EOI_INDUCED:
	case EXIT_REASON_APIC_WRITE:
	case EXIT_REASON_PREEMPTION_TIMER:
		return PVPMU_HV_EXITS_INTERRUPT;
	case EXIT_REASON_HLT:
	case EXIT_REASON_PAUSE_INSTRUCTION:
	case EXIT_REASON_MWAIT_INSTRUCTION:
		return PVPMU_HV_EXITS_IDLE;
	case EXIT_REASON_IO_INSTRUCTION:
		return PVPMU_HV_EXITS_IO;
	case EXIT_REASON_EPT_VIOLATION:
	case EXIT_REASON_EPT_MISCONFIG:
		return PVPMU_HV_EXITS_MEMORY;
	case EXIT_REASON_VMCALL:
		return PVPMU_HV_EXITS_HYPERCALL;
	case EXIT_REASON_CPUID:
	case EXIT_REASON_INVD:
	case EXIT_REASON_INVLPG:
	case EXIT_REASON_RDPMC:
	case EXIT_REASON_RDTSC:
	case EXIT_REASON_CR_ACCESS:
	case EXIT_REASON_DR_ACCESS:
	case EXIT_REASON_MSR_READ:
	case EXIT_REASON_MSR_WRITE:
	case EXIT_REASON_MONITOR_INSTRUCTION:
	case EXIT_REASON_GDTR_IDTR:
	case EXIT_REASON_LDTR_TR:
	case EXIT_REASON_RDTSCP:
	case EXIT_REASON_WBINVD:
	case EXIT_REASON_XSETBV:
	case EXIT_REASON_INVPCID:
		return PVPMU_HV_EXITS_INSTRUCTION;
	default:
		return PVPMU_HV_EXITS_OTHER;
	}
}

/*
 * The tracepoint kvm_exit.  A vCPU that counts exits keeps KVM's vendor module
 * in place, and with it that function.
 *
 * Context: the vCPU's thread, preemption disabled.
 */
static void probe(void *unused, struct kvm_vcpu *kvm_vcpu, u32 isa)
{
	struct pk_vcpu *vcpu = pk_vcpu_find(kvm_vcpu);
	u32 reason, int_info, error_code, kind;
	u64 info1, info2;

	if (!vcpu || !READ_ONCE(vcpu->exit_users))
		return;
	static_call(pk_exit_info)(kvm_vcpu, &reason, &info1, &info2, &int_info, &error_code);
	kind = isa == ISA_VMX ? vmx_kind(reason) : svm_kind(reason);
	vcpu->exits[kind - PK_EXITS_FIRST]++;
}

static bool find_exit_info(void)
{
	unsigned long address = pvpmu_address_of("svm_get_exit_info");

	if (!address)
		address = pvpmu_address_of("vmx_get_exit_info");
	if (address)
		pvpmu_callee_set(&pk_exit_info_callee, address);
	return address;
}

static bool get_on(void)
{
	lockdep_assert_held(&lock);
	/* Without users, KVM's vendor module may have been another one. */
	if (!users && !find_exit_info())
		return false;
	if (!on)
		on = !tracepoint_probe_register(&__tracepoint_kvm_exit, probe,
						NULL);
	return on;
}

static void get_off(struct work_struct *work)
{
	mutex_lock(&lock);
	if (on && !users) {
		tracepoint_probe_unregister(&__tracepoint_kvm_exit, probe,
					    NULL);
		on = false;
	}
	mutex_unlock(&lock);
}

bool pk_exits_kind(const struct pvpmu_desc *desc)
{
	return desc->type == PVPMU_TYPE_HYPERVISOR &&
	       desc->config >= PK_EXITS_FIRST;
}

/**
 * pk_exits_get() - begins to count a vCPU's exits by kind
 * @vcpu: any
 *
 * Context: the vCPU's own, sleeps.
 * Return: false if that cannot be done.
 */
bool pk_exits_get(struct pk_vcpu *vcpu)
{
	bool done;

	mutex_lock(&lock);
	done = get_on();
	if (done) {
		users++;
		WRITE_ONCE(vcpu->exit_users, vcpu->exit_users + 1);
	}
	mutex_unlock(&lock);
	return done;
}

/**
 * pk_exits_put() - ends it
 * @vcpu: pk_exits_get() returned true for it, once more than this was called
 *
 * Context: process, sleeps.
 */
void pk_exits_put(struct pk_vcpu *vcpu)
{
	mutex_lock(&lock);
	WRITE_ONCE(vcpu->exit_users, vcpu->exit_users - 1);
	if (!--users)
		mod_delayed_work(system_wq, &off_work, STAY);
	mutex_unlock(&lock);
}

/* The module's end: no vCPU is left. */
void pk_exits_exit(void)
{
	cancel_delayed_work_sync(&off_work);
	get_off(NULL);
	tracepoint_synchronize_unregister();
}
