// SPDX-License-Identifier: GPL-2.0
/*
 * The global registers of AMD's PerfMonV2, tested without a driver: each check is
 * a line PASS or FAIL in the kernel log.  Interrupts are off, so that counts are
 * exact.  Nobody else may use the PMU meanwhile.
 */
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <asm/asm.h>
#include <asm/processor.h>

#undef pr_fmt
#define pr_fmt(fmt) "perfmon_v2_test: " fmt

#define COUNTERS 6
#define ALL GENMASK_ULL(COUNTERS - 1, 0)
#define WIDTH 48

#define GLOBAL_STATUS 0xc0000300
#define GLOBAL_CTL 0xc0000301
#define GLOBAL_STATUS_CLR 0xc0000302
#define GLOBAL_STATUS_SET 0xc0000303
#define SELECT(i) (0xc0010200 + 2 * (i))
#define COUNTER(i) (0xc0010201 + 2 * (i))
#define OLD_SELECT(i) (0xc0010000 + (i))
#define OLD_COUNTER(i) (0xc0010004 + (i))

/* Retired instructions of the kernel; no interrupt at overflow. */
#define INSTRUCTIONS (0xc0ull | 1ull << 17 | 1ull << 22)

/* Enough for the code that is counted in addition to the loop. */
#define FEW 100

static bool reset;
module_param(reset, bool, 0);
MODULE_PARM_DESC(reset, "nobody has written the registers since reset");

static bool absent;
module_param(absent, bool, 0);
MODULE_PARM_DESC(absent, "the CPU is to have no such registers");

/* False when the access faults. */
static bool msr_read(u32 msr, u64 *value)
{
	u32 low = 0, high = 0, ok = 0;

	asm volatile("1: rdmsr\n"
		     "mov $1, %2\n"
		     "2:\n" _ASM_EXTABLE(1b, 2b)
		     : "+a"(low), "+d"(high), "+r"(ok)
		     : "c"(msr));
	*value = (u64)high << 32 | low;
	return ok;
}

static u64 get(u32 msr)
{
	u64 value;

	return msr_read(msr, &value) ? value : ~0ull;
}

static void set(u32 msr, u64 value)
{
	asm volatile("wrmsr"
		     :
		     : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32))
		     : "memory");
}

static void is(const char *name, u64 got, u64 wanted)
{
	if (got == wanted)
		pr_info("PASS %s: %#llx\n", name, got);
	else
		pr_info("FAIL %s: %#llx, expected %#llx\n", name, got, wanted);
}

/* Two instructions a round, with the counters of mask enabled globally. */
static noinline void run(u64 mask, unsigned long rounds)
{
	set(GLOBAL_CTL, mask);
	asm volatile("1: dec %0\n"
		     "jnz 1b"
		     : "+r"(rounds));
	set(GLOBAL_CTL, 0);
}

static void prepare(u64 first)
{
	int i;

	set(GLOBAL_CTL, 0);
	for (i = 0; i < COUNTERS; i++) {
		set(COUNTER(i), first);
		set(SELECT(i), INSTRUCTIONS);
	}
	set(GLOBAL_STATUS_CLR, ALL);
}

static void finish(void)
{
	int i;

	for (i = 0; i < COUNTERS; i++) {
		set(SELECT(i), 0);
		set(COUNTER(i), 0);
	}
	set(GLOBAL_STATUS_CLR, ALL);
}

static void test_cpuid(void)
{
	is("CPUID names the feature and no freeze and no LBR",
	   cpuid_eax(0x80000022), 1);
	is("CPUID names six counters", cpuid_ebx(0x80000022), COUNTERS);
}

static void test_reset(void)
{
	u64 before;

	is("after reset all counters are enabled", get(GLOBAL_CTL), ALL);
	is("after reset the status is clear", get(GLOBAL_STATUS), 0);
	set(OLD_COUNTER(3), 0);
	set(OLD_SELECT(3), INSTRUCTIONS);
	before = get(OLD_COUNTER(3));
	is("software that does not know of the register counts",
	   get(OLD_COUNTER(3)) > before, 1);
	set(OLD_SELECT(3), 0);
}

static void test_control(void)
{
	u64 once, all = 0, others = 0;
	int i;

	prepare(0);
	is("a counter that is not enabled globally stands", get(COUNTER(2)), 0);
	run(0, 1000);
	is("and after a loop, too", get(COUNTER(2)), 0);

	run(BIT_ULL(2), 1000);
	once = get(COUNTER(2));
	run(BIT_ULL(2), 3500);
	is("2500 rounds more are 5000 instructions more",
	   get(COUNTER(2)) - 2 * once, 5000);
	for (i = 0; i < COUNTERS; i++)
		others += i == 2 ? 0 : get(COUNTER(i));
	is("the others counted nothing", others, 0);

	prepare(0);
	set(SELECT(4), 0);
	run(ALL, 1000);
	is("a counter needs the enable bit of its own, too", get(COUNTER(4)),
	   0);
	for (i = 0; i < COUNTERS; i++)
		all += get(COUNTER(i)) == once;
	is("one write starts and stops the five others together", all,
	   COUNTERS - 1);

	set(GLOBAL_CTL, ALL);
	is("the control register reads as written", get(GLOBAL_CTL), ALL);
	set(GLOBAL_CTL, 0x15);
	is("and again", get(GLOBAL_CTL), 0x15);
	set(GLOBAL_CTL, 0);
}

static void test_status(void)
{
	u64 start = BIT_ULL(WIDTH) - 1000, length;

	prepare(0);
	run(BIT_ULL(0), 1000);
	length = get(COUNTER(0));

	prepare(0);
	set(COUNTER(1), start);
	set(COUNTER(5), start);
	is("no overflow yet", get(GLOBAL_STATUS), 0);
	run(ALL, 1000);
	is("those that overflowed are in the status", get(GLOBAL_STATUS),
	   BIT_ULL(1) | BIT_ULL(5));
	is("a counter that overflowed goes on from 0", get(COUNTER(1)),
	   length - 1000);

	set(GLOBAL_STATUS, 0);
	is("a write to the status is ignored", get(GLOBAL_STATUS),
	   BIT_ULL(1) | BIT_ULL(5));
	set(GLOBAL_STATUS_CLR, BIT_ULL(1));
	is("one bit is cleared", get(GLOBAL_STATUS), BIT_ULL(5));
	set(GLOBAL_STATUS_SET, BIT_ULL(0) | BIT_ULL(5));
	is("a bit is set, one that was set stays", get(GLOBAL_STATUS),
	   BIT_ULL(0) | BIT_ULL(5));
	is("the clear register reads as 0", get(GLOBAL_STATUS_CLR), 0);
	is("the set register reads as 0", get(GLOBAL_STATUS_SET), 0);
	set(GLOBAL_STATUS_CLR, ALL);
	is("all are cleared", get(GLOBAL_STATUS), 0);

	/* The overflow counts where it happens, not where the status is read. */
	set(COUNTER(3), BIT_ULL(WIDTH) - length);
	run(BIT_ULL(3), 999);
	is("two instructions short of an overflow", get(GLOBAL_STATUS), 0);
	run(BIT_ULL(3), 1);
	is("and over it", get(GLOBAL_STATUS), BIT_ULL(3));
	is("so far over it", get(COUNTER(3)) < FEW, 1);
}

/* VM exits of the machine for reads of a global register: see docs/lab.md. */
static u32 exits_for(u32 msr)
{
	u32 low, high;

	asm volatile("rdpmc"
		     : "=a"(low), "=d"(high)
		     : "c"(0x50430031 + (msr - GLOBAL_STATUS)));
	return low;
}

static void test_absent(void)
{
	u32 msr, before;
	u64 value;

	for (msr = GLOBAL_STATUS; msr <= GLOBAL_STATUS_SET; msr++) {
		before = exits_for(msr);
		is("reading a register faults", msr_read(msr, &value), false);
		is("and is one VM exit", exits_for(msr) - before, 1);
	}
}

static int __init perfmon_v2_test_init(void)
{
	unsigned long flags;

	local_irq_save(flags);
	if (absent) {
		test_absent();
	} else {
		u64 control = get(GLOBAL_CTL);

		test_cpuid();
		if (reset)
			test_reset();
		test_control();
		test_status();
		finish();
		set(GLOBAL_CTL, control);
	}
	local_irq_restore(flags);
	return 0;
}

static void __exit perfmon_v2_test_exit(void)
{
}

module_init(perfmon_v2_test_init);
module_exit(perfmon_v2_test_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("test of the registers of PerfMonV2");
