// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts all hypervisor events of CPU 0 while it does what makes a vCPU leave
 * its guest; prints a name and a number a line.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <pvpmu/abi.h>

#include "loop.h"

static const char *const names[PVPMU_HV_END] = {
	[PVPMU_HV_EXITS] = "exits",
	[PVPMU_HV_STEAL] = "steal",
	[PVPMU_HV_PREEMPTIONS] = "preemptions",
	[PVPMU_HV_HALTS] = "halts",
	[PVPMU_HV_EXITS_INTERRUPT] = "interrupt",
	[PVPMU_HV_EXITS_IDLE] = "idle",
	[PVPMU_HV_EXITS_IO] = "io",
	[PVPMU_HV_EXITS_MEMORY] = "memory",
	[PVPMU_HV_EXITS_INSTRUCTION] = "instruction",
	[PVPMU_HV_EXITS_HYPERCALL] = "hypercall",
	[PVPMU_HV_EXITS_OTHER] = "other",
};

static int event(uint64_t id, int leader)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_RAW,
		.size = sizeof(attr),
		.config = (uint64_t)PVPMU_TYPE_HYPERVISOR << 56 | id,
		.disabled = leader < 0,
		.read_format = PERF_FORMAT_GROUP,
	};
	int fd = syscall(SYS_perf_event_open, &attr, -1, 0, leader, 0);

	if (fd < 0) {
		perror(names[id]);
		exit(1);
	}
	return fd;
}

static void work(void)
{
	unsigned int i, a, b, c, d;
	char *memory;

	for (i = 0; i < 50; i++) {
		__cpuid(0x40000000, a, b, c, d);
		outb(0, 0x80);
		loop(2000000);
		if (i % 5 == 0)
			usleep(2000);
	}
	/* More than the guest has used so far. */
	memory = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; memory != MAP_FAILED && i < 64 << 20; i += 4096)
		memory[i] = 1;
}

int main(void)
{
	uint64_t counts[PVPMU_HV_END + 1];
	int leader, id;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	if (iopl(3)) {
		perror("iopl");
		return 1;
	}
	/* One that is opened disabled starts its whole group, in one call. */
	leader = event(0, -1);
	for (id = 1; id < (int)PVPMU_HV_END; id++)
		event(id, leader);
	ioctl(leader, PERF_EVENT_IOC_ENABLE, 0);
	work();
	ioctl(leader, PERF_EVENT_IOC_DISABLE, 0);
	if (read(leader, counts, sizeof(counts)) != sizeof(counts)) {
		perror("read");
		return 1;
	}
	for (id = 0; id < (int)PVPMU_HV_END; id++)
		printf("%s %llu\n", names[id],
		       (unsigned long long)counts[id + 1]);
	return 0;
}
