// SPDX-License-Identifier: GPL-2.0
/*
 * Code that no interrupt can sample: writing N to the parameter "spin" has the
 * CPU spin for N milliseconds in a function of its own, with interrupts off.
 */
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <asm/msr.h>
#include <asm/tsc.h>

/* As long as the watchdogs of a kernel bear. */
#define MOST_MS 500

/*
 * Calls nothing, so that a sample shows this function; interrupts go off and on
 * in the caller, so that one which waited for that does not.
 */
static noinline void irqsoff_spin(unsigned int ms)
{
	u64 begin = rdtsc(), ticks = (u64)ms * tsc_khz;
	unsigned int i;

	/* An emulator is slow at reading clocks, so not all the time. */
	while (rdtsc() - begin < ticks)
		for (i = 0; i < 10000; i++)
			barrier();
}

static int spin_set(const char *text, const struct kernel_param *unused)
{
	unsigned int ms;
	int err = kstrtouint(text, 0, &ms);

	if (err)
		return err;
	if (ms > MOST_MS)
		return -ERANGE;
	local_irq_disable();
	irqsoff_spin(ms);
	local_irq_enable();
	return 0;
}

static const struct kernel_param_ops spin_ops = {
	.set = spin_set,
};

module_param_cb(spin, &spin_ops, NULL, 0200);
MODULE_PARM_DESC(spin, "spin for so many milliseconds with interrupts off");

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("code that runs with interrupts off");
