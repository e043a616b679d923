// SPDX-License-Identifier: GPL-2.0-only
/*
 * nextkernel run     ends this kernel, and begins another (kexec)
 * nextkernel crash   has it begin when this kernel crashes, which needs
 *                    crashkernel= on the command line
 *
 * The other kernel writes "mark next" to the third serial port, as lab-mark
 * does, and to the port whose lines Xen logs, and then executes instructions
 * for ever.
 */
#define _GNU_SOURCE
#include <err.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ANY_RAM (32ul << 20)
#define PAGE 4096ul

/* In 64 bit mode, wherever it is, with nothing set up. */
__asm__("	.pushsection .rodata\n"
	"next:	lea	message(%rip), %rsi\n"
	"1:	mov	$0x3ed, %dx\n"
	"2:	in	%dx, %al\n"
	"	test	$0x20, %al\n"
	"	jz	2b\n"
	"	mov	$0x3e8, %dx\n"
	"	lodsb\n"
	"	out	%al, %dx\n"
	"	out	%al, $0xe9\n"
	"	cmp	$10, %al\n"
	"	jne	1b\n"
	"3:	add	$1, %rax\n"
	"	jmp	3b\n"
	"message: .ascii \"mark next\\n\"\n"
	"next_end:\n"
	"	.popsection\n");
extern const char next[], next_end[];

static unsigned long reserved_for_crashes(void)
{
	FILE *f = fopen("/proc/iomem", "r");
	unsigned long begin;
	char line[128];

	if (!f)
		err(1, "/proc/iomem");
	while (fgets(line, sizeof(line), f))
		if (strstr(line, "Crash kernel") &&
		    sscanf(line, "%lx", &begin) == 1)
			return begin;
	errx(1, "no memory is reserved for a crash kernel");
}

static void load(unsigned long where, unsigned long flags)
{
	struct kexec_segment segment = {
		.buf = next,
		.bufsz = next_end - next,
		.mem = (void *)where,
		.memsz = PAGE,
	};

	if (syscall(SYS_kexec_load, where, 1, &segment, flags))
		err(1, "kexec_load");
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "crash")) {
		load(reserved_for_crashes(), KEXEC_ON_CRASH);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "run")) {
		load(ANY_RAM, 0);
		reboot(LINUX_REBOOT_CMD_KEXEC);
		err(1, "reboot");
	}
	errx(2, "usage: nextkernel run | crash");
}
