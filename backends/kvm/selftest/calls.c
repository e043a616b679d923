// SPDX-License-Identifier: GPL-2.0
/* Who may call, what the answers are, what the administrator may change */
#include "selftest.h"

#define KVM_UNKNOWN (-1000)

static void modes(struct vmm *v)
{
	is("unknown operation, 64 bit",
	   vmm_op(v, 0, 77, 0, 0, 0), PVPMU_ERR_OPERATION);
	vmm_mode(v, 0, USER64);
	is("from ring 3", vmm_op(v, 0, PVPMU_OP_SETUP, VMM_AREA(0), 0, 0),
	   PVPMU_ERR_DENIED);
	is("another hypercall from ring 3", vmm_call(v, 0, 9999, 0, 0, 0, 0),
	   -1);
	vmm_mode(v, 0, KERNEL32);
	is("unknown operation, 32 bit",
	   vmm_op(v, 0, 77, 0, 0, 0), (uint32_t)PVPMU_ERR_OPERATION);
	is("upper halves do not count in 32 bit",
	   vmm_call(v, 0, v->hypercall | 7ull << 32, v->op_base + 77, 0, 0, 0),
	   (uint32_t)PVPMU_ERR_OPERATION);
	vmm_mode(v, 0, REAL16);
	is("unknown operation, 16 bit",
	   vmm_op(v, 0, 77, 0, 0, 0), (uint32_t)PVPMU_ERR_OPERATION);
	vmm_mode(v, 0, KERNEL64);
	is("upper halves count in 64 bit",
	   vmm_call(v, 0, v->hypercall | 7ull << 32, v->op_base, 0, 0, 0),
	   KVM_UNKNOWN);
	is("another hypercall", vmm_call(v, 0, 9999, 0, 0, 0, 0), KVM_UNKNOWN);
}

static void answers(struct vmm *v)
{
	is("no area", vmm_op(v, 0, PVPMU_OP_READ, 0, 0, 0), PVPMU_ERR_NO_AREA);
	is("LVTPC without a local APIC",
	   vmm_op(v, 0, PVPMU_OP_SETUP, VMM_AREA(0), 0, PVPMU_DELIVER_LVTPC),
	   PVPMU_ERR_DELIVERY);
	is("a guest that does not say what it is",
	   vmm_op(v, 0, PVPMU_OP_SETUP, VMM_AREA(0), 0, PVPMU_DELIVER_NONE),
	   PVPMU_ERR_VERSION);
	is("PV NMI", vmm_op(v, 0, PVPMU_OP_SETUP, VMM_AREA(0), 0, 2),
	   PVPMU_ERR_DELIVERY);
	is("setup", setup(v, 0, 0), PVPMU_OK);
	is("areas", stat_of("live_areas"), 1);
	is("id too large", vmm_op(v, 0, PVPMU_OP_OPEN, 30, 0, 0), PVPMU_ERR_ID);
	is("id far too large", vmm_op(v, 0, PVPMU_OP_OPEN, ~0u, 0, 0),
	   PVPMU_ERR_ID);
	is("closed id", vmm_op(v, 0, PVPMU_OP_ENABLE, 3, 0, 0),
	   PVPMU_ERR_CLOSED);
	is("unknown event", open_event(v, 0, 0, 3, 99, 0, 0), PVPMU_ERR_EVENT);
	is("raw event", open_event(v, 0, 0, 3, PVPMU_TYPE_RAW, 0xc0, 0),
	   PVPMU_ERR_EVENT);
	is("open", open_event(v, 0, 0, 3, PVPMU_TYPE_HARDWARE,
			      PVPMU_HW_INSTRUCTIONS, 0), PVPMU_OK);
	is("open twice", vmm_op(v, 0, PVPMU_OP_OPEN, 3, 0, 0), PVPMU_ERR_OPEN);
	is("reserved argument", vmm_op(v, 0, PVPMU_OP_ENABLE, 3, 1, 0),
	   PVPMU_ERR_RESERVED);
	is("the other vCPU has no area", vmm_op(v, 1, PVPMU_OP_READ, 3, 0, 0),
	   PVPMU_ERR_NO_AREA);
	is("detach", vmm_op(v, 0, PVPMU_OP_DETACH, 0, 0, 0), PVPMU_OK);
	is("areas after detach", stat_of("live_areas"), 0);
	is("perf events after detach", stat_of("live_events"), 0);
}

static void limits(struct vmm *v)
{
	struct vmm other;

	setup(v, 0, 0);
	param("slots_vcpu", "1");
	is("first of one", open_event(v, 0, 0, 0, PVPMU_TYPE_CLOCK, 0, 0),
	   PVPMU_OK);
	is("second of one", open_event(v, 0, 0, 1, PVPMU_TYPE_CLOCK, 0, 0),
	   PVPMU_ERR_LIMIT);
	param("slots_vcpu", "30");
	param("slots_vm", "2");
	is("second of two", open_event(v, 0, 0, 1, PVPMU_TYPE_CLOCK, 0, 0),
	   PVPMU_OK);
	setup(v, 1, 1);
	is("third of two in the VM",
	   open_event(v, 1, 1, 0, PVPMU_TYPE_CLOCK, 0, 0), PVPMU_ERR_LIMIT);
	param("slots_vm", "1024");
	param("classes", "cache");
	is("class not granted",
	   open_event(v, 1, 1, 0, PVPMU_TYPE_CLOCK, 0, 0), PVPMU_ERR_EVENT);
	param("classes", "basic,cache,hypervisor");
	is("period too short",
	   open_event(v, 1, 1, 0, PVPMU_TYPE_HARDWARE, 1, 999),
	   PVPMU_ERR_PERIOD);

	param("enable", "0");
	is("not enabled", setup(v, 0, 0), KVM_UNKNOWN);
	is("areas while not enabled", stat_of("live_areas"), 0);
	is("perf events while not enabled", stat_of("live_events"), 0);
	vmm_create(&other, false);
	is("not shown while not enabled", vmm_discover(&other), false);
	param("enable", "1");
	is("shown again", vmm_discover(&other), true);
	param("slots_vcpu", "0");
	is("not shown without slots", vmm_discover(&other), false);
	param("slots_vcpu", "30");
	vmm_destroy(&other);
	is("gone after enable", vmm_op(v, 0, PVPMU_OP_READ, 0, 0, 0),
	   PVPMU_ERR_NO_AREA);
	is("setup after enable", setup(v, 0, 0), PVPMU_OK);
}

void test_calls(void)
{
	int64_t calls, refused;
	struct vmm v;

	vmm_create(&v, false);
	is("discovered", vmm_discover(&v), true);
	modes(&v);
	calls = stat_of("calls");
	refused = stat_of("refused");
	answers(&v);
	is("calls counted", stat_of("calls") - calls, 15);
	is("refusals counted", stat_of("refused") - refused, 12);
	limits(&v);
	vmm_destroy(&v);

	vmm_create(&v, true);
	vmm_discover(&v);
	accept_in(&v, vmm_area(&v, 0));
	is("LVTPC with a local APIC",
	   vmm_op(&v, 0, PVPMU_OP_SETUP, VMM_AREA(0), 0, PVPMU_DELIVER_LVTPC),
	   PVPMU_OK);
	vmm_destroy(&v);
}
