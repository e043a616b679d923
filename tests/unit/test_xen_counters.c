// SPDX-License-Identifier: GPL-2.0
/*
 * Xen's physical counters, on CPUs made of a register file
 *
 * backends/xen/counters.c and the families of counters as they are; the CPU
 * knows the registers of the vendor's manual, ends the test where a real one
 * would fault, counts what the guest and Xen execute, wraps, and interrupts.
 */
#include <stdlib.h>

#include "unit.h"
#include "shim.h"

#include "../../backends/xen/hw.h"

#define GENERAL 16
#define FIXED 3

/* Who executes */
enum mode { GUEST_USER, GUEST_KERNEL, XEN };

/**
 * struct counter - a physical counter
 * @select: its event select register, of a fixed one its four bits
 * @value: its value
 */
struct counter {
	u64 select;
	u64 value;
};

static struct cpu {
	u32 general, fixed;
	u32 width;
	bool old_amd; /* four counters at the old addresses */
	u32 version; /* Intel's */
	u32 ebx; /* of leaf 0xa: events that are not there */
	bool full_write;
	struct counter counter[GENERAL + FIXED];
	u64 global_ctrl;
	u64 status;
	struct vmx_msr_entry entry, exit;
	bool entry_added, exit_added;
	bool no_memory;
	u32 lvtpc;
	u32 interrupts;
	u32 writes; /* of registers */
	bool softirq;
	u64 now;
} cpu;

static struct vcpu v;
static struct pvpmu_vm vm;
static struct pvpmu_xen x;

struct cpuinfo_x86 boot_cpu_data;
bool pvpmu_on = true;
atomic_t pvpmu_loaded;

static bool is_intel(void)
{
	return boot_cpu_data.x86_vendor == X86_VENDOR_INTEL;
}

static u64 width_mask(void)
{
	return (1ull << cpu.width) - 1;
}

/*
 * What Xen has
 */

void vcpu_runstate_get(const struct vcpu *vcpu, struct vcpu_runstate_info *info)
{
	info->time[RUNSTATE_runnable] = vcpu->runnable;
}

u64 shim_now(void)
{
	return cpu.now;
}

void raise_softirq(unsigned int nr)
{
	FAKE_CHECK(nr == PVPMU_SOFTIRQ);
	cpu.softirq = true;
}

void apic_write(unsigned int reg, u32 value)
{
	FAKE_CHECK(reg == APIC_LVTPC);
	cpu.lvtpc = value;
}

void cpuid(u32 leaf, u32 *a, u32 *b, u32 *c, u32 *d)
{
	*a = *b = *c = *d = 0;
	switch (leaf) {
	case 1:
		*c = cpu.full_write ? 1u << 15 : 0;
		break;
	case 0xa:
		*a = cpu.version | cpu.general << 8 | cpu.width << 16 | 7 << 24;
		*b = cpu.ebx;
		*d = cpu.fixed | cpu.width << 5;
		break;
	case 0x80000001:
		*c = cpu.old_amd ? 0 : 1u << 23;
		break;
	}
}

u32 cpuid_ecx(u32 leaf)
{
	u32 a, b, c, d;

	cpuid(leaf, &a, &b, &c, &d);
	return c;
}

int vmx_add_msr(struct vcpu *vcpu, u32 msr, u64 value,
		enum vmx_msr_list_type type)
{
	FAKE_CHECK(vcpu == &v && vcpu->hvm && is_intel() && msr == 0x38f);
	if (cpu.no_memory)
		return -12;
	if (type == VMX_MSR_HOST) {
		cpu.exit_added = true;
		cpu.exit.data = value;
	} else {
		FAKE_CHECK(type == VMX_MSR_GUEST_LOADONLY);
		cpu.entry_added = true;
		cpu.entry.data = value;
	}
	return 0;
}

struct vmx_msr_entry *vmx_find_msr(const struct vcpu *vcpu, u32 msr,
				   enum vmx_msr_list_type type)
{
	FAKE_CHECK(vcpu == &v && msr == 0x38f && cpu.entry_added);
	FAKE_CHECK(type == VMX_MSR_GUEST_LOADONLY);
	return &cpu.entry;
}

/*
 * The registers
 */

/* AMD's: which counter, and whether it is the select register; -1 for none */
static int amd_counter(u32 msr, bool *select)
{
	u32 base = cpu.old_amd ? 0xc0010000 : 0xc0010200;
	u32 n = msr - base;

	if (cpu.old_amd) {
		*select = n < 4;
		return n < 8 ? (int)(n % 4) : -1;
	}
	*select = n % 2 == 0;
	return n < 12 ? (int)(n / 2) : -1;
}

static u64 intel_all(void)
{
	return ((1ull << cpu.general) - 1) | ((1ull << cpu.fixed) - 1) << 32;
}

static u64 fixed_ctrl(void)
{
	u64 value = 0;

	for (u32 i = 0; i < cpu.fixed; i++)
		value |= cpu.counter[GENERAL + i].select << 4 * i;
	return value;
}

u64 shim_rdmsr(u32 msr)
{
	bool select;

	if (!is_intel()) {
		int n = amd_counter(msr, &select);

		FAKE_CHECK(n >= 0);
		return select ? cpu.counter[n].select : cpu.counter[n].value;
	}
	if (msr - 0xc1 < cpu.general)
		return cpu.counter[msr - 0xc1].value;
	if (msr - 0x309 < cpu.fixed)
		return cpu.counter[GENERAL + msr - 0x309].value;
	switch (msr) {
	case 0x345:
		return cpu.full_write ? 1u << 13 : 0;
	case 0x38e:
		return cpu.status;
	}
	fake_fail("no such register to read", __FILE__, __LINE__);
}

static void write_amd(u32 msr, u64 value)
{
	bool select;
	int n = amd_counter(msr, &select);

	FAKE_CHECK(n >= 0);
	if (select) {
		/* No edge, inversion, mask, host-only, nothing reserved */
		FAKE_CHECK(!(value & ~0x10f0053ffffull));
		cpu.counter[n].select = value;
	} else {
		FAKE_CHECK(!(value & ~width_mask()));
		cpu.counter[n].value = value;
	}
}

static void write_intel(u32 msr, u64 value)
{
	if (msr - 0x186 < cpu.general) {
		/* No edge, pin control, any-thread, inversion, mask */
		FAKE_CHECK(!(value & ~0x53ffffull));
		cpu.counter[msr - 0x186].select = value;
	} else if (msr - 0xc1 < cpu.general) {
		cpu.counter[msr - 0xc1].value =
			(u64)(s64)(s32)(u32)value & width_mask();
	} else if (msr - 0x4c1 < cpu.general) {
		FAKE_CHECK(cpu.full_write && !(value & ~width_mask()));
		cpu.counter[msr - 0x4c1].value = value;
	} else if (msr - 0x309 < cpu.fixed) {
		FAKE_CHECK(!(value & ~width_mask()));
		cpu.counter[GENERAL + msr - 0x309].value = value;
	} else if (msr == 0x38d) {
		FAKE_CHECK(!(value >> 4 * cpu.fixed) && !(value & 0x444));
		for (u32 i = 0; i < cpu.fixed; i++)
			cpu.counter[GENERAL + i].select = value >> 4 * i & 0xf;
	} else if (msr == 0x38f) {
		FAKE_CHECK(!(value & ~intel_all()));
		cpu.global_ctrl = value;
	} else if (msr == 0x390) {
		u64 known = intel_all() | 3ull << 62;

		if (cpu.version >= 4)
			known |= 3ull << 58;
		FAKE_CHECK(!(value & ~known));
		cpu.status &= ~value;
	} else {
		fake_fail("no such register to write", __FILE__, __LINE__);
	}
}

void wrmsrl(u32 msr, u64 value)
{
	cpu.writes++;
	if (is_intel())
		write_intel(msr, value);
	else
		write_amd(msr, value);
}

/*
 * The CPU at work
 */

static bool amd_counts(u32 n, enum mode mode)
{
	u64 select = cpu.counter[n].select;
	/* A PV kernel runs in ring 3. */
	bool ring0 = mode == XEN || (mode == GUEST_KERNEL && v.hvm);

	if (!(select & 1 << 22))
		return false;
	if (select & 1ull << 40 && (mode == XEN || !v.hvm))
		return false;
	return select & (ring0 ? 1 << 17 : 1 << 16);
}

static bool intel_counts(u32 n, enum mode mode)
{
	bool fixed = n >= GENERAL;
	u64 bit = fixed ? 1ull << (32 + n - GENERAL) : 1ull << n;
	bool ring0 = mode == XEN || (mode == GUEST_KERNEL && v.hvm);
	u64 ctrl = cpu.global_ctrl;
	u64 select = cpu.counter[n].select;

	if (v.hvm && mode != XEN && cpu.entry_added)
		ctrl = cpu.entry.data;
	if (!(ctrl & bit) || cpu.status & 1ull << 59)
		return false;
	if (fixed)
		return select & (ring0 ? 1 : 2);
	return select & 1 << 22 && select & (ring0 ? 1 << 17 : 1 << 16);
}

/* Intel's mask the entry as they deliver, and interrupt for what is new. */
static void wrap(u32 n)
{
	u64 bit = n >= GENERAL ? 1ull << (32 + n - GENERAL) : 1ull << n;
	bool asked = n >= GENERAL ? cpu.counter[n].select & 8
				  : cpu.counter[n].select & 1 << 20;

	if (is_intel() && cpu.status & bit)
		return;
	if (is_intel())
		cpu.status |= bit;
	if (!asked || cpu.lvtpc != PMU_APIC_VECTOR)
		return;
	if (is_intel())
		cpu.lvtpc |= 1u << 16;
	cpu.interrupts++;
	pvpmu_interrupt();
}

/* Leaves the guest for Xen, which looks at what there is to do. */
static void handle_softirq(void)
{
	while (cpu.softirq) {
		cpu.softirq = false;
		pvpmu_sched_poll(&x.sched);
		pvpmu_counters_polled(&x);
	}
}

static void execute_some(enum mode mode, u64 events)
{
	for (u32 n = 0; n < GENERAL + FIXED; n++) {
		struct counter *c = &cpu.counter[n];

		if (!(is_intel() ? intel_counts(n, mode) : amd_counts(n, mode)))
			continue;
		c->value += events;
		if (c->value <= width_mask())
			continue;
		c->value &= width_mask();
		wrap(n);
	}
	cpu.now += 1000;
	handle_softirq();
}

/* @events of each kind happen, in steps that an interrupt may come late in */
static void execute(enum mode mode, u64 events)
{
	const u64 step = 1ull << 29;

	for (; events > step; events -= step)
		execute_some(mode, step);
	execute_some(mode, events);
}

static void enter_kernel(void)
{
	v.arch.flags |= TF_kernel_mode;
	if (!v.hvm && v.arch.pvpmu_filtered)
		pvpmu_toggled(&v);
}

static void enter_user(void)
{
	v.arch.flags &= ~TF_kernel_mode;
	if (!v.hvm && v.arch.pvpmu_filtered)
		pvpmu_toggled(&v);
}

static void kick(struct pvpmu_vcpu *vcpu)
{
	(void)vcpu;
}

static const struct pvpmu_host_ops ops = {
	.clock = shim_now,
	.kick = kick,
};

static void boot_vcpu(bool hvm)
{
	const struct pvpmu_limits limits = PVPMU_LIMITS_DEFAULT;

	memset(&v, 0, sizeof(v));
	memset(&x, 0, sizeof(x));
	pvpmu_loaded.counter = 0;
	v.hvm = hvm;
	v.arch.pvpmu = &x;
	x.v = &v;
	pvpmu_vm_init(&vm, &limits);
	pvpmu_vcpu_init(&x.core, &vm, &ops);
	pvpmu_sched_init(&x.sched, &x.core, &pvpmu_sched_hw);
	pvpmu_sched_in(&x.sched);
}

static void boot_amd(u8 family, bool old, bool hvm)
{
	memset(&cpu, 0, sizeof(cpu));
	cpu.width = 48;
	cpu.general = old ? 4 : 6;
	cpu.old_amd = old;
	boot_cpu_data.x86 = family;
	boot_cpu_data.x86_vendor = X86_VENDOR_AMD;
	assert_non_null(pvpmu_counters_init());
	boot_vcpu(hvm);
}

static void boot_intel(u32 version, u32 general, u32 width, bool hvm)
{
	memset(&cpu, 0, sizeof(cpu));
	cpu.version = version;
	cpu.general = general;
	cpu.fixed = FIXED;
	cpu.width = width;
	cpu.full_write = version >= 3;
	/* As firmware leaves it */
	cpu.global_ctrl = (1ull << general) - 1;
	cpu.status = version >= 4 ? 1ull << 59 | 1 : 1;
	boot_cpu_data.x86 = 6;
	boot_cpu_data.x86_vendor = X86_VENDOR_INTEL;
	boot_cpu_data.cpuid_level = 0x16;
	assert_non_null(pvpmu_counters_init());
	boot_vcpu(hvm);
}

static struct pvpmu_desc hardware(u64 config, u32 flags)
{
	return (struct pvpmu_desc){
		.type = HW,
		.config = config,
		.flags = flags,
	};
}

static void start(u32 i, u64 config, u32 flags)
{
	const struct pvpmu_desc desc = hardware(config, flags);

	assert_int_equal(pvpmu_counters_create(&x.core, i, &desc), PVPMU_DONE);
	pvpmu_sched_start(&x.sched, i, 0);
}

static void start_sampling(u32 i, u64 config, u64 period)
{
	const struct pvpmu_desc desc = hardware(config, 0);

	x.core.counter[i].slot = (u8)i;
	x.core.slot[i].length = period;
	x.core.slot[i].reload = period;
	assert_int_equal(pvpmu_counters_create(&x.core, i, &desc), PVPMU_DONE);
	pvpmu_sched_start(&x.sched, i, period);
}

static u64 count_of(u32 i)
{
	struct pvpmu_reading reading;

	pvpmu_sched_read(&x.sched, i, &reading);
	return reading.count;
}

static u32 caps_of(u64 config)
{
	const struct pvpmu_desc desc = hardware(config, 0);

	return pvpmu_counters_query(&x.core, &desc);
}

/* The vCPU is scheduled out, and nothing of it is left in the CPU. */
static void leave_nothing(void)
{
	pvpmu_sched_out(&x.sched);
	for (u32 n = 0; n < GENERAL + FIXED; n++) {
		assert_int_equal(cpu.counter[n].select, 0);
		assert_int_equal(cpu.counter[n].value, 0);
	}
	assert_int_equal(pvpmu_loaded.counter, 0);
	assert_int_equal(x.running | x.gate | x.filtered, 0);
	assert_int_equal(cpu.entry.data, 0);
	if (is_intel() && cpu.lvtpc)
		assert_int_equal(cpu.global_ctrl, 0);
}

/*
 * AMD
 */

static void amd_registers_are_the_manuals(void **state)
{
	(void)state;
	boot_amd(0x17, false, true);
	start(0, INSTRUCTIONS, 0);
	start(1, CYCLES, PVPMU_FLAG_EXCLUDE_KERNEL);
	start(2, BRANCHES, PVPMU_FLAG_EXCLUDE_USER);
	/* Core takes the last that is free. */
	assert_int_equal(cpu.counter[5].select, 0x100005300c0);
	assert_int_equal(cpu.counter[4].select, 0x10000510076);
	assert_int_equal(cpu.counter[3].select, 0x100005200c2);
	leave_nothing();
}

/* Ten times into the guest's kernel and back: 30 instructions of it, 1000 of
 * user space, and what Xen does in between, which is nobody's. */
static void ten_calls(void)
{
	for (u32 i = 0; i < 10; i++) {
		enter_kernel();
		execute(GUEST_KERNEL, 3);
		execute(XEN, 500);
		enter_user();
		execute(GUEST_USER, 100);
	}
}

static void amd_counts_an_hvm_guest_only(void **state)
{
	(void)state;
	boot_amd(0x17, false, true);
	start(0, INSTRUCTIONS, 0);
	start(1, INSTRUCTIONS, PVPMU_FLAG_EXCLUDE_KERNEL);
	start(2, INSTRUCTIONS, PVPMU_FLAG_EXCLUDE_USER);
	execute(GUEST_USER, 1000);
	execute(XEN, 77777);
	execute(GUEST_KERNEL, 30);
	assert_int_equal(count_of(0), 1030);
	assert_int_equal(count_of(1), 1000);
	assert_int_equal(count_of(2), 30);
	leave_nothing();
	assert_int_equal(count_of(0), 1030);
}

static void amd_counts_modes_of_a_pv_guest(void **state)
{
	u32 writes;

	(void)state;
	boot_amd(0x19, false, false);
	start(0, INSTRUCTIONS, 0);
	start(1, INSTRUCTIONS, PVPMU_FLAG_EXCLUDE_KERNEL);
	start(2, INSTRUCTIONS, PVPMU_FLAG_EXCLUDE_USER);
	ten_calls();
	assert_int_equal(count_of(0), 1030);
	assert_int_equal(count_of(1), 1000);
	assert_int_equal(count_of(2), 30);
	/* A switch writes what it changes. */
	writes = cpu.writes;
	enter_kernel();
	assert_int_equal(cpu.writes - writes, 2);
	leave_nothing();
}

static void amd_has_six_counters_or_four(void **state)
{
	(void)state;
	for (u32 old = 0; old < 2; old++) {
		u32 n = 0;

		boot_amd(old ? 0x10 : 0x17, old, true);
		for (u32 i = 0; i < 8; i++)
			start(i, INSTRUCTIONS, 0);
		for (u32 i = 0; i < GENERAL; i++)
			n += cpu.counter[i].select != 0;
		assert_int_equal(n, old ? 4 : 6);
		execute(GUEST_USER, 500);
		assert_int_equal(count_of(0), 500);
		assert_int_equal(count_of(7), 0);
		leave_nothing();
	}
}

static void amd_family_15h_has_units(void **state)
{
	const struct pvpmu_desc miss = hardware(PVPMU_HW_CACHE_MISSES, 0);
	const struct pvpmu_desc branch = hardware(BRANCHES, 0);

	(void)state;
	boot_amd(0x15, false, true);
	start(0, CYCLES, 0);
	start(1, PVPMU_HW_CACHE_REFERENCES, 0);
	start(2, PVPMU_HW_STALLED_FRONTEND, 0);
	for (u32 i = 0; i < 3; i++)
		assert_true(cpu.counter[i].select != 0);
	start(3, INSTRUCTIONS, 0);
	assert_int_equal(cpu.counter[5].select & 0xff, 0xc0);
	/* A group of four in the first three is none. */
	assert_false(pvpmu_counters_fit(&x.core, &miss, 7));
	assert_true(pvpmu_counters_fit(&x.core, &branch, 15));
	leave_nothing();
}

static void amd_before_10h_is_not_known(void **state)
{
	(void)state;
	boot_amd(0x17, false, true);
	boot_cpu_data.x86 = 0xf;
	assert_null(pvpmu_counters_init());
	boot_cpu_data.x86_vendor = 0;
	boot_cpu_data.x86 = 0x17;
	assert_null(pvpmu_counters_init());
	boot_cpu_data.x86_vendor = X86_VENDOR_HYGON;
	boot_cpu_data.x86 = 0x18;
	assert_non_null(pvpmu_counters_init());
}

static void samples_come_where_they_are_due(void **state)
{
	(void)state;
	boot_amd(0x17, false, true);
	start_sampling(0, INSTRUCTIONS, 100000);
	for (u32 i = 0; i < 1000; i++)
		execute(GUEST_USER, 3333);
	assert_int_equal(cpu.interrupts, 33);
	assert_int_equal(x.core.slot[0].overflows, 33);
	assert_int_equal(x.core.slot[0].total, 3300000);
	assert_int_equal(count_of(0), 3333000);
	leave_nothing();
	assert_int_equal(count_of(0), 3333000);
}

/* No vCPU is scheduled out often enough for that to be left to chance. */
static void nothing_is_lost_when_a_counter_goes_round(void **state)
{
	const u64 round = 1ull << 40;
	u64 sum = 0;

	(void)state;
	boot_intel(3, 4, 40, true);
	start(0, BRANCHES, 0);
	while (sum < 5 * round) {
		execute(GUEST_USER, round / 3);
		sum += round / 3;
		assert_int_equal(count_of(0), sum);
	}
	assert_in_range(cpu.interrupts, 9, 12);
	leave_nothing();
	assert_int_equal(count_of(0), sum);
}

/*
 * Intel
 */

static void intel_registers_are_the_manuals(void **state)
{
	(void)state;
	boot_intel(3, 4, 48, false);
	start(0, INSTRUCTIONS, 0);
	start(1, CYCLES, 0);
	start(2, PVPMU_HW_REF_CYCLES, 0);
	start(3, PVPMU_HW_CACHE_MISSES, 0);
	start(4, PVPMU_HW_CACHE_REFERENCES, 0);
	/* The fixed ones are taken first; a PV guest is in ring 3 only. */
	assert_int_equal(fixed_ctrl(), 0xaaa);
	assert_int_equal(cpu.counter[3].select, 0x51412e);
	assert_int_equal(cpu.counter[2].select, 0x514f2e);
	assert_int_equal(cpu.global_ctrl, 0x70000000c);
	leave_nothing();
	boot_intel(4, 8, 48, true);
	start(0, INSTRUCTIONS, 0);
	start(1, BRANCHES, PVPMU_FLAG_EXCLUDE_USER);
	start(2, PVPMU_HW_BRANCH_MISSES, PVPMU_FLAG_EXCLUDE_KERNEL);
	start(3, PVPMU_HW_BUS_CYCLES, 0);
	assert_int_equal(fixed_ctrl(), 0x00b);
	assert_int_equal(cpu.counter[7].select, 0x5200c4);
	assert_int_equal(cpu.counter[6].select, 0x5100c5);
	assert_int_equal(cpu.counter[5].select, 0x53013c);
	leave_nothing();
}

/* What Xen does for the guest is not the guest's, in ring 0 as it may be. */
static void intel_counts_an_hvm_guest_only(void **state)
{
	(void)state;
	boot_intel(4, 8, 48, true);
	start(0, INSTRUCTIONS, 0);
	start(1, BRANCHES, 0);
	start(2, BRANCHES, PVPMU_FLAG_EXCLUDE_KERNEL);
	assert_true(cpu.exit_added && cpu.exit.data == 0);
	execute(XEN, 4444);
	execute(GUEST_USER, 1000);
	execute(XEN, 77777);
	execute(GUEST_KERNEL, 30);
	assert_int_equal(count_of(0), 1030);
	assert_int_equal(count_of(1), 1030);
	assert_int_equal(count_of(2), 1000);
	assert_int_equal(cpu.global_ctrl, 0);
	leave_nothing();
	pvpmu_sched_in(&x.sched);
	execute(GUEST_USER, 1);
	assert_int_equal(count_of(1), 1031);
	leave_nothing();
}

static void intel_counts_modes_of_a_pv_guest(void **state)
{
	u32 writes;

	(void)state;
	boot_intel(2, 2, 40, false);
	start(0, INSTRUCTIONS, PVPMU_FLAG_EXCLUDE_KERNEL);
	start(1, CYCLES, PVPMU_FLAG_EXCLUDE_USER);
	start(2, BRANCHES, PVPMU_FLAG_EXCLUDE_USER);
	start(3, PVPMU_HW_BRANCH_MISSES, 0);
	ten_calls();
	assert_int_equal(count_of(0), 1000);
	assert_int_equal(count_of(1), 30);
	assert_int_equal(count_of(2), 30);
	assert_int_equal(count_of(3), 1030);
	/* One register, however many there are to switch */
	writes = cpu.writes;
	enter_kernel();
	assert_int_equal(cpu.writes - writes, 1);
	leave_nothing();
	assert_false(cpu.entry_added);
}

static void intel_writes_32_bits_where_it_has_to(void **state)
{
	const u64 period = 5000000000;

	(void)state;
	boot_intel(2, 2, 40, true);
	/* Longer than what can be written: it is reached in several steps. */
	start_sampling(0, BRANCHES, period);
	start(1, PVPMU_HW_CACHE_MISSES, 0);
	for (u32 i = 0; i < 100; i++)
		execute(GUEST_USER, period / 10);
	assert_int_equal(count_of(0), 10 * period);
	assert_int_equal(count_of(1), 10 * period);
	assert_int_equal(x.core.slot[0].overflows, 10);
	assert_true(cpu.interrupts > 20);
	leave_nothing();
	assert_int_equal(count_of(0), 10 * period);
}

static void intel_fixed_counters_sample(void **state)
{
	(void)state;
	boot_intel(5, 8, 48, true);
	start_sampling(0, INSTRUCTIONS, 1000);
	start_sampling(1, PVPMU_HW_REF_CYCLES, 3000);
	for (u32 i = 0; i < 900; i++)
		execute(GUEST_USER, 100);
	assert_int_equal(x.core.slot[0].overflows, 90);
	assert_int_equal(x.core.slot[1].overflows, 30);
	assert_int_equal(cpu.lvtpc, PMU_APIC_VECTOR);
	assert_int_equal(cpu.status, 0);
	leave_nothing();
}

static void intel_is_not_left_frozen(void **state)
{
	(void)state;
	boot_intel(4, 8, 48, true);
	start_sampling(0, BRANCHES, 1000);
	assert_int_equal(cpu.status, 0);
	/* Someone had switched on that an overflow freezes. */
	cpu.status |= 3ull << 58;
	pvpmu_interrupt();
	handle_softirq();
	execute(GUEST_USER, 2500);
	execute(GUEST_USER, 1);
	assert_int_equal(count_of(0), 2501);
	assert_int_equal(x.core.slot[0].overflows, 2);
	leave_nothing();
}

static void intel_offers_what_it_has(void **state)
{
	const struct pvpmu_desc ref = hardware(PVPMU_HW_REF_CYCLES, 0);

	(void)state;
	boot_intel(3, 4, 48, true);
	assert_true(caps_of(PVPMU_HW_CACHE_MISSES) & PVPMU_CAP_SAMPLE);
	assert_int_equal(caps_of(PVPMU_HW_STALLED_BACKEND), 0);
	/* One counter can count it, so no group has it twice. */
	start(0, PVPMU_HW_REF_CYCLES, 0);
	assert_false(pvpmu_counters_fit(&x.core, &ref, 1));
	leave_nothing();
	cpu.ebx = 1u << 4;
	cpu.fixed = 0;
	assert_non_null(pvpmu_counters_init());
	assert_int_equal(caps_of(PVPMU_HW_CACHE_MISSES), 0);
	assert_int_equal(caps_of(PVPMU_HW_REF_CYCLES), 0);
	assert_true(caps_of(INSTRUCTIONS) & PVPMU_CAP_COUNT);
	cpu.version = 1;
	assert_null(pvpmu_counters_init());
	cpu.version = 3;
	boot_cpu_data.cpuid_level = 9;
	assert_null(pvpmu_counters_init());
}

static void intel_may_find_no_memory(void **state)
{
	const struct pvpmu_desc desc = hardware(BRANCHES, 0);

	(void)state;
	boot_intel(4, 8, 48, true);
	cpu.no_memory = true;
	assert_int_equal(pvpmu_counters_create(&x.core, 0, &desc), PVPMU_LATER);
	cpu.no_memory = false;
	start(0, BRANCHES, 0);
	execute(GUEST_KERNEL, 5);
	assert_int_equal(count_of(0), 5);
	leave_nothing();
}

/*
 * What needs no physical counter
 */

static u32 caps_of_hypervisor(u64 config)
{
	const struct pvpmu_desc desc = {
		.type = PVPMU_TYPE_HYPERVISOR,
		.config = config,
	};

	return pvpmu_counters_query(&x.core, &desc);
}

static void start_hypervisor(u32 i, u64 config)
{
	const struct pvpmu_desc desc = {
		.type = PVPMU_TYPE_HYPERVISOR,
		.config = config,
	};

	assert_int_equal(pvpmu_counters_create(&x.core, i, &desc), PVPMU_DONE);
	pvpmu_sched_start(&x.sched, i, 0);
}

static void hypervisor_events_are_xens_own(void **state)
{
	(void)state;
	boot_amd(0x17, false, true);
	v.arch.pvpmu_exits = 100;
	x.halts = 7;
	start_hypervisor(0, PVPMU_HV_EXITS);
	start_hypervisor(1, PVPMU_HV_STEAL);
	start_hypervisor(2, PVPMU_HV_PREEMPTIONS);
	start_hypervisor(3, PVPMU_HV_HALTS);
	v.arch.pvpmu_exits += 5;
	x.preempted += 2;
	x.halts += 3;
	pvpmu_sched_out(&x.sched);
	v.runnable += 1000;
	pvpmu_counters_in(&x);
	assert_int_equal(count_of(0), 5);
	assert_int_equal(count_of(1), 1000);
	assert_int_equal(count_of(2), 2);
	assert_int_equal(count_of(3), 3);
	leave_nothing();
	assert_int_equal(count_of(0), 5);
}

static void a_pv_guest_has_no_exits(void **state)
{
	(void)state;
	boot_amd(0x17, false, false);
	assert_int_equal(caps_of_hypervisor(PVPMU_HV_EXITS), 0);
	assert_int_equal(caps_of_hypervisor(PVPMU_HV_STEAL), PVPMU_CAP_COUNT);
	boot_amd(0x17, false, true);
	assert_int_equal(caps_of_hypervisor(PVPMU_HV_EXITS), PVPMU_CAP_COUNT);
}

static void a_32_bit_pv_guest_has_no_filters(void **state)
{
	(void)state;
	boot_amd(0x17, false, false);
	assert_true(caps_of(CYCLES) & PVPMU_CAP_EXCLUDE_KERNEL);
	v.pv_32bit = true;
	assert_int_equal(caps_of(CYCLES), PVPMU_CAP_COUNT | PVPMU_CAP_SAMPLE);
}

static void raw_events_are_not_offered(void **state)
{
	const struct pvpmu_desc desc = {
		.type = PVPMU_TYPE_RAW,
		.config = 0xc0,
	};

	(void)state;
	boot_amd(0x17, false, true);
	assert_int_equal(pvpmu_counters_query(&x.core, &desc), 0);
	boot_intel(4, 8, 48, true);
	assert_int_equal(pvpmu_counters_query(&x.core, &desc), 0);
}

static void the_clock_wakes_when_it_is_due(void **state)
{
	const struct pvpmu_desc desc = { .type = PVPMU_TYPE_CLOCK };

	(void)state;
	boot_amd(0x17, false, true);
	x.core.slot[0].length = x.core.slot[0].reload = 500000;
	assert_int_equal(pvpmu_counters_create(&x.core, 0, &desc), PVPMU_DONE);
	pvpmu_sched_start(&x.sched, 0, 500000);
	assert_int_equal(x.clock.at, cpu.now + 500000);
	/* Early: it is set again. */
	cpu.now += 499999;
	x.clock.at = 0;
	cpu.softirq = true;
	handle_softirq();
	assert_int_equal(x.core.slot[0].overflows, 0);
	assert_int_equal(x.clock.at, cpu.now + 1);
	cpu.now++;
	cpu.softirq = true;
	handle_softirq();
	assert_int_equal(x.core.slot[0].overflows, 1);
	assert_int_equal(x.clock.at, cpu.now + 500000);
	leave_nothing();
	assert_int_equal(x.clock.at, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(amd_registers_are_the_manuals),
		cmocka_unit_test(amd_counts_an_hvm_guest_only),
		cmocka_unit_test(amd_counts_modes_of_a_pv_guest),
		cmocka_unit_test(amd_has_six_counters_or_four),
		cmocka_unit_test(amd_family_15h_has_units),
		cmocka_unit_test(amd_before_10h_is_not_known),
		cmocka_unit_test(samples_come_where_they_are_due),
		cmocka_unit_test(nothing_is_lost_when_a_counter_goes_round),
		cmocka_unit_test(intel_registers_are_the_manuals),
		cmocka_unit_test(intel_counts_an_hvm_guest_only),
		cmocka_unit_test(intel_counts_modes_of_a_pv_guest),
		cmocka_unit_test(intel_writes_32_bits_where_it_has_to),
		cmocka_unit_test(intel_fixed_counters_sample),
		cmocka_unit_test(intel_is_not_left_frozen),
		cmocka_unit_test(intel_offers_what_it_has),
		cmocka_unit_test(intel_may_find_no_memory),
		cmocka_unit_test(hypervisor_events_are_xens_own),
		cmocka_unit_test(a_pv_guest_has_no_exits),
		cmocka_unit_test(a_32_bit_pv_guest_has_no_filters),
		cmocka_unit_test(raw_events_are_not_offered),
		cmocka_unit_test(the_clock_wakes_when_it_is_due),
	};

	return cmocka_run_group_tests_name("xen counters", tests, NULL, NULL);
}
