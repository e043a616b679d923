// SPDX-License-Identifier: GPL-2.0
#include "cpu.h"

struct cpu cpu;
struct vcpu v;
struct pvpmu_xen x;

static struct pvpmu_vm vm;

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

u64 fixed_ctrl(void)
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

int wrmsr_safe(u32 msr, u64 value)
{
	if (cpu.absent == PRESENT)
		wrmsrl(msr, value);
	return cpu.absent == FAULTS ? -14 : 0;
}

int shim_rdmsr_safe(u32 msr, u64 *value)
{
	*value = cpu.absent == PRESENT ? shim_rdmsr(msr) : 0;
	return cpu.absent == FAULTS ? -14 : 0;
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
void handle_softirq(void)
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
void execute(enum mode mode, u64 events)
{
	const u64 step = 1ull << 29;

	for (; events > step; events -= step)
		execute_some(mode, step);
	execute_some(mode, events);
}

void enter_kernel(void)
{
	v.arch.flags |= TF_kernel_mode;
	if (!v.hvm && v.arch.pvpmu_filtered)
		pvpmu_toggled(&v);
}

void enter_user(void)
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

static void make_amd(u8 family, bool old)
{
	memset(&cpu, 0, sizeof(cpu));
	cpu.width = 48;
	cpu.general = old ? 4 : 6;
	cpu.old_amd = old;
	boot_cpu_data.x86 = family;
	boot_cpu_data.x86_vendor = X86_VENDOR_AMD;
}

void boot_amd(u8 family, bool old, bool hvm)
{
	make_amd(family, old);
	pvpmu_counters_init();
	boot_vcpu(hvm);
}

/* In a virtual machine: the family is there, its counters are not. */
void boot_amd_without(enum absent absent)
{
	make_amd(0x17, false);
	cpu.absent = absent;
	pvpmu_counters_init();
	boot_vcpu(true);
}

void boot_intel(u32 version, u32 general, u32 width, bool hvm)
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
	pvpmu_counters_init();
	boot_vcpu(hvm);
}

struct pvpmu_desc hardware(u64 config, u32 flags)
{
	return (struct pvpmu_desc){
		.type = HW,
		.config = config,
		.flags = flags,
	};
}

void start(u32 i, u64 config, u32 flags)
{
	const struct pvpmu_desc desc = hardware(config, flags);

	assert_int_equal(pvpmu_counters_create(&x.core, i, &desc), PVPMU_DONE);
	pvpmu_sched_start(&x.sched, i, 0);
	pvpmu_sched_arrange(&x.sched);
}

void start_sampling(u32 i, u64 config, u64 period)
{
	const struct pvpmu_desc desc = hardware(config, 0);

	x.core.counter[i].slot = (u8)i;
	x.core.slot[i].length = period;
	x.core.slot[i].reload = period;
	assert_int_equal(pvpmu_counters_create(&x.core, i, &desc), PVPMU_DONE);
	pvpmu_sched_start(&x.sched, i, period);
	pvpmu_sched_arrange(&x.sched);
}

u64 count_of(u32 i)
{
	struct pvpmu_reading reading;

	pvpmu_sched_read(&x.sched, i, &reading);
	return reading.count;
}

u32 caps_of(u64 config)
{
	const struct pvpmu_desc desc = hardware(config, 0);

	return pvpmu_counters_query(&x.core, &desc);
}

/* The vCPU is scheduled out, and nothing of it is left in the CPU. */
void leave_nothing(void)
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

/* Ten times into the guest's kernel and back: 30 instructions of it, 1000 of
 * user space, and what Xen does in between, which is nobody's. */
void ten_calls(void)
{
	for (u32 i = 0; i < 10; i++) {
		enter_kernel();
		execute(GUEST_KERNEL, 3);
		execute(XEN, 500);
		enter_user();
		execute(GUEST_USER, 100);
	}
}
