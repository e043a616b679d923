// SPDX-License-Identifier: GPL-2.0-only
/* What the command line asks for, and how it went. */
#include "kernel.h"

#include <public/sched.h>

static unsigned int failed;

void result(bool good, const char *name, int got)
{
	print("%s %s: %d\n", good ? "PASS" : "FAIL", name, got);
	failed += !good;
}

void gives(const char *name, int got, int wanted)
{
	result(got == wanted, name, got);
	if (got != wanted)
		print("  expected %d\n", wanted);
}

void own(const char *name, int got, int wanted)
{
	print("%s own: %s: %d\n", got == wanted ? "PASS" : "FAIL", name, got);
	failed += got != wanted;
	if (got != wanted)
		print("  expected %d\n", wanted);
}

static bool is(const char *word)
{
	const char *p = guest.command;

	while (*word && *p == *word)
		p++, word++;
	return !*word && (!*p || *p == ' ');
}

static unsigned int argument(void)
{
	const char *p = guest.command;
	unsigned int n = 0;

	while (*p && *p != ' ')
		p++;
	while (*p == ' ')
		p++;
	for (; *p >= '0' && *p <= '9'; p++)
		n = n * 10 + (*p - '0');
	return n;
}

_Noreturn static void end(unsigned int status)
{
	print("@lab end\n@lab exit %u\n", status);
	/* what reads the console may be slow */
	pause_ms(300);
	leave(SHUTDOWN_poweroff);
}

_Noreturn static void count_for_ever(void)
{
	count_on();
	print("@lab mark up\n");
	for (;;)
		pause_ms(1);
}

/* Counts, then ends in the way that dom0 asks for by number */
_Noreturn static void count_and_leave(void)
{
	count_on();
	print("@lab mark up\n");
	leave(read_number());
}

/* Counts for a moment, then ends in one of all ways, which the clock chooses. */
_Noreturn static void count_and_end(void)
{
	static const unsigned char reasons[] = {
		SHUTDOWN_poweroff, SHUTDOWN_reboot, SHUTDOWN_crash,
		SHUTDOWN_watchdog
	};
	uint32_t chance = (uint32_t)(__builtin_ia32_rdtsc() >> 8);

	count_on();
	pause_ms(chance % 32);
	chance = chance / 32 % (sizeof(reasons) + 1);
	if (chance == sizeof(reasons))
		__builtin_trap(); /* nobody is there for it */
	leave(reasons[chance]);
}

/* Counts, is reset, and counts on if all was as it should be: that is how dom0,
 * which reads no console of it any more, knows. */
_Noreturn static void count_and_reset(void)
{
	count_on();
	print("@lab mark up\n");
	console_close();
	shut_down(SHUTDOWN_soft_reset);
	test_anew();
	if (failed)
		leave(SHUTDOWN_crash);
	count_for_ever();
}

_Noreturn void main(const void *from_xen, bool pv);
_Noreturn void main(const void *from_xen, bool pv)
{
	guest_init(from_xen, pv);
	console_init();
	print("@lab ready\n");
	if (!discover()) {
		print("no pvpmu here\n");
		end(125);
	}
	if (is("calls"))
		test_calls();
	else if (is("frames"))
		test_frames();
	else if (is("granted"))
		test_granted();
	else if (is("typed"))
		test_typed();
	else if (is("grant"))
		grant_to(argument());
	else if (is("count"))
		count_for_ever();
	else if (is("leave"))
		count_and_leave();
	else if (is("end"))
		count_and_end();
	else if (is("reset"))
		count_and_reset();
	else
		failed = 125;
	end(failed);
}
