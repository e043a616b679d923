// SPDX-License-Identifier: GPL-2.0-only
/* What differs between the kinds of guests, so that nothing else does. */
#include "kernel.h"

#include <public/arch-x86/cpuid.h>
#include <public/arch-x86/hvm/start_info.h>
#include <public/sched.h>
#include <public/vcpu.h>

struct guest guest;
extern char hypercall_page[];

#ifdef __x86_64__
long hypercall(unsigned int number, unsigned long a, unsigned long b,
	       unsigned long c, unsigned long d, unsigned long e)
{
	register unsigned long r10 __asm__("r10") = d;
	register unsigned long r8 __asm__("r8") = e;
	long result;

	__asm__ volatile("call *%[stub]"
			 : "=a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(r10),
			   "+r"(r8)
			 : [stub] "0"(hypercall_page + number * 32)
			 : "rcx", "r11", "memory");
	return result;
}
#else
long hypercall(unsigned int number, unsigned long a, unsigned long b,
	       unsigned long c, unsigned long d, unsigned long e)
{
	long result;

	__asm__ volatile("call *%[stub]"
			 : "=a"(result), "+b"(a), "+c"(b), "+d"(c), "+S"(d),
			   "+D"(e)
			 : [stub] "0"(hypercall_page + number * 32)
			 : "memory");
	return result;
}
#endif

/* In PV, Xen's leaves are seen with its prefix only. */
void cpuid(uint32_t leaf, uint32_t regs[4])
{
	if (guest.pv)
		__asm__ volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; cpuid"
				 : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]),
				   "=d"(regs[3])
				 : "0"(leaf), "2"(0));
	else
		__asm__ volatile("cpuid"
				 : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]),
				   "=d"(regs[3])
				 : "0"(leaf), "2"(0));
}

static void pvh_init(const struct hvm_start_info *info)
{
	uint32_t regs[4];

	guest.command = (const char *)(uintptr_t)info->cmdline_paddr;
	cpuid(XEN_CPUID_FIRST_LEAF + 2, regs);
	__asm__ volatile("wrmsr"
			 :
			 : "c"(regs[1]), "a"((uintptr_t)hypercall_page), "d"(0)
			 : "memory");
}

void guest_init(const void *from_xen, bool pv)
{
	guest.pv = pv;
	if (!pv) {
		pvh_init(from_xen);
		return;
	}
	guest.start = from_xen;
	guest.command = (const char *)guest.start->cmd_line;
}

static const unsigned long *machine_frames(void)
{
	return (const unsigned long *)guest.start->mfn_list;
}

/* As SETUP wants it: that of the machine in PV */
uint64_t frame_of(const void *address)
{
	unsigned long page = (uintptr_t)address / PAGE_SIZE;

	return guest.pv ? machine_frames()[page] : page;
}

/* One of those that we were given at the start, which are mapped in order */
void *page_of_frame(uint64_t frame)
{
	unsigned long page;

	if (!guest.pv)
		return (void *)(uintptr_t)(frame * PAGE_SIZE);
	for (page = 0; machine_frames()[page] != frame; page++)
		;
	return (void *)(page * PAGE_SIZE);
}

bool set_page(void *address, uint64_t entry)
{
#ifdef __x86_64__
	return !hypercall(__HYPERVISOR_update_va_mapping, (uintptr_t)address,
			  entry, UVMF_INVLPG, 0, 0);
#else
	return !hypercall(__HYPERVISOR_update_va_mapping, (uintptr_t)address,
			  entry, entry >> 32, UVMF_INVLPG, 0);
#endif
}

void pause_ms(unsigned int ms)
{
	struct vcpu_runstate_info now;
	struct sched_poll poll = { .nr_ports = 0 };

	hypercall(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0,
		  (uintptr_t)&now, 0, 0);
	poll.timeout = now.state_entry_time + ms * 1000000ull;
	hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, (uintptr_t)&poll, 0, 0,
		  0);
}

/* Returns where the domain goes on: after a reset, a restore. */
void shut_down(unsigned int reason)
{
	struct sched_shutdown shutdown = { .reason = reason };

	hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown,
		  (uintptr_t)&shutdown, 0, 0, 0);
}

_Noreturn void leave(unsigned int reason)
{
	for (;;)
		shut_down(reason);
}

void *memset(void *to, int byte, size_t size)
{
	char *p = to;

	while (size--)
		*p++ = byte;
	return to;
}

void *memcpy(void *to, const void *from, size_t size)
{
	const char *q = from;
	char *p = to;

	while (size--)
		*p++ = *q++;
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *p = a, *q = b;

	for (; size; size--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}
