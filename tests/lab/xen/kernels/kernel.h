/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small kernels that test Xen's side of pvpmu: one source, compiled for 64 and
 * for 32 bits, each started as a PV and as a PVH guest.  They have one vCPU, no
 * interrupts and no faults: what goes wrong kills them, and the console shows
 * how far they came.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <public/xen.h>

#include <pvpmu/abi.h>

#define PAGE_SIZE 4096ul

/* What Xen says of us; set before anything else runs */
struct guest {
	bool pv;
	const char *command; /* words for main() */
	const struct start_info *start; /* PV */
};
extern struct guest guest;

/* guest.c: the same in PV and PVH, in 64 and 32 bits */
long hypercall(unsigned int number, unsigned long a, unsigned long b,
	       unsigned long c, unsigned long d, unsigned long e);
void cpuid(uint32_t leaf, uint32_t regs[4]);
void guest_init(const void *from_xen, bool pv);
uint64_t frame_of(const void *address);
void *page_of_frame(uint64_t frame);
bool set_page(void *address, uint64_t entry); /* PV: maps it there, or 0 */
void pause_ms(unsigned int ms);
void shut_down(unsigned int reason);
_Noreturn void leave(unsigned int reason);
void *memset(void *to, int byte, size_t size);
void *memcpy(void *to, const void *from, size_t size);
int memcmp(const void *a, const void *b, size_t size);

/* console.c */
void console_init(void);
void console_close(void);
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
unsigned int read_number(void); /* waits for a line that is one */

/* main.c: results; a line that only some kinds of guests have says "own" */
void result(bool good, const char *name, int got);
void gives(const char *name, int got, int wanted);
void own(const char *name, int got, int wanted);

/* calls.c */
bool discover(void);
extern uint32_t leaf[3][4];
extern struct pvpmu_area area;
int call(uint32_t op, uint32_t a, uint32_t b, uint32_t c);
int setup(void *page);
void describe(unsigned int id, uint32_t type, uint64_t config, uint32_t flags,
	      uint64_t period);
void test_calls(void);
void test_anew(void);
void count_on(void);

/* frames.c */
void test_frames(void);
void test_granted(void);
void test_typed(void);
void grant_to(unsigned int domain);

#endif
