// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads by RDPMC through the page of an event.
 *
 * rdpmc                  all of it, PASS and FAIL lines
 * rdpmc fault INDEX...   is each of these a fault?
 * rdpmc starved          is there an index, while the host has no counter for it?
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop.h"

#define SWITCH "/sys/bus/event_source/devices/cpu/rdpmc"
#define SLOTS 30

static int bad;

static void check(const char *name, bool good, uint64_t seen)
{
	printf("%s rdpmc/%s: %llu\n", good ? "PASS" : "FAIL", name,
	       (unsigned long long)seen);
	fflush(stdout);
	bad |= !good;
}

static void set_switch(const char *value)
{
	int fd = open(SWITCH, O_WRONLY);

	if (fd < 0 || write(fd, value, strlen(value)) < 0) {
		perror(SWITCH);
		exit(1);
	}
	close(fd);
}

static sigjmp_buf fault;

static void on_fault(int nr)
{
	siglongjmp(fault, nr);
}

static uint64_t rdpmc(uint32_t index)
{
	uint32_t low, high;

	asm volatile("rdpmc" : "=a"(low), "=d"(high) : "c"(index));
	return (uint64_t)high << 32 | low;
}

/* Reads if that is not a fault. */
static bool try_rdpmc(uint32_t index, uint64_t *value)
{
	if (sigsetjmp(fault, 1))
		return false;
	*value = rdpmc(index);
	return true;
}

static int event(pid_t pid, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, pid, cpu, -1, 0);

	if (fd < 0) {
		perror("perf_event_open");
		exit(1);
	}
	return fd;
}

static volatile struct perf_event_mmap_page *page_of(int fd)
{
	void *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	if (page == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return page;
}

/* As linux/perf_event.h describes it; *by_rdpmc tells whether it was. */
static uint64_t read_page(volatile struct perf_event_mmap_page *page,
			  bool *by_rdpmc)
{
	uint32_t seq, index, width;
	int64_t count, more;

	do {
		seq = page->lock;
		asm volatile("" : : : "memory");
		index = page->index;
		count = page->offset;
		width = page->pmc_width;
		*by_rdpmc = page->cap_user_rdpmc && index;
		if (*by_rdpmc) {
			more = rdpmc(index - 1);
			more = (int64_t)((uint64_t)more << (64 - width));
			count += more >> (64 - width);
		}
		asm volatile("" : : : "memory");
	} while (page->lock != seq);
	return count;
}

static uint64_t read_fd(int fd)
{
	uint64_t value = 0;

	if (read(fd, &value, sizeof(value)) != sizeof(value))
		perror("read");
	return value;
}

static void switched_off(void)
{
	volatile struct perf_event_mmap_page *page = page_of(event(0, -1));
	uint64_t value;

	check("off, page says so", !page->cap_user_rdpmc, page->cap_user_rdpmc);
	check("off, a fault", !try_rdpmc(page->index - 1, &value), 0);
}

static void counts(int fd, volatile struct perf_event_mmap_page *page)
{
	uint64_t before, after, last = 0;
	bool by_rdpmc, all = true;
	int i;

	before = read_page(page, &by_rdpmc);
	loop(1000000);
	after = read_page(page, &by_rdpmc);
	check("read without a call", by_rdpmc, page->index);
	check("page tells how wide it is", page->pmc_width == 48,
	      page->pmc_width);
	check("a loop of 1000000",
	      after - before >= 1000000 && after - before < 1000100,
	      after - before);
	before = read_page(page, &by_rdpmc);
	after = read_fd(fd);
	check("read(2) right after it", after >= before && after < before + 200,
	      after - before);
	/* Switched out and in, read by the kernel and by user space in turn */
	for (i = 0; i < 200; i++) {
		uint64_t now = read_page(page, &by_rdpmc);

		all &= now >= last;
		last = now;
		if (i % 4 == 0)
			usleep(100);
		if (i % 7 == 0)
			all &= read_fd(fd) >= last;
		if (i % 50 == 0) {
			ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
			all &= read_page(page, &by_rdpmc) >= last && !by_rdpmc;
			ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
		}
	}
	after = read_fd(fd);
	check("200 reads never go back", all, last);
	check("and are right in the end", after >= last && after < last + 1000,
	      after - last);
}

/*
 * All indices around the task's own; only its own shows anything, and it has to
 * have one.  Another task may run meanwhile, and its own index be another one
 * then: looked at again.
 */
static uint64_t others_readable(volatile struct perf_event_mmap_page *page)
{
	uint32_t seq, own, index;
	uint64_t found, value;

	do {
		seq = page->lock;
		own = page->index - 1;
		found = !page->index;
		for (index = own - SLOTS; index != own + SLOTS + 1; index++)
			if (index != own && try_rdpmc(index, &value) && value)
				found++;
	} while (page->lock != seq);
	return found;
}

/*
 * It is switched out between its loops: what RDPMC itself gives may begin
 * again at zero then, and the page's offset has the rest.
 */
static void as_a_user(void)
{
	volatile struct perf_event_mmap_page *page = page_of(event(0, -1));
	uint64_t count, found;
	bool by_rdpmc;

	loop(100000);
	usleep(1000);
	loop(100000);
	count = read_page(page, &by_rdpmc);
	check("a user reads its own", by_rdpmc && count >= 200000, count);
	found = others_readable(page);
	check("a user sees nothing but its own", !found, found);
}

/* An unprivileged process, with root's events about it and on its CPU */
static void isolation(void)
{
	int status, cpu = event(-1, 0), go[2];
	char byte = 0;
	pid_t child;

	if (pipe(go))
		exit(1);
	child = fork();
	if (!child) {
		if (setuid(65534) || read(go[0], &byte, 1) != 1)
			_exit(1);
		as_a_user();
		_exit(bad);
	}
	event(child, -1);
	if (write(go[1], &byte, 1) != 1)
		exit(1);
	waitpid(child, &status, 0);
	check("a user's process ended well",
	      WIFEXITED(status) && WEXITSTATUS(status) == bad, status);
	check("root's event counted meanwhile", read_fd(cpu) > 200000,
	      read_fd(cpu));
}

int main(int argc, char **argv)
{
	volatile struct perf_event_mmap_page *page;
	struct sigaction action = { .sa_handler = on_fault };
	uint64_t value;
	cpu_set_t one;
	uint32_t index;
	int fd, status;

	sigaction(SIGSEGV, &action, NULL);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	if (argc > 1 && !strcmp(argv[1], "fault")) {
		for (argv += 2; *argv; argv++)
			check("a process without an event",
			      !try_rdpmc(atoi(*argv), &value), atoi(*argv));
		return bad;
	}
	if (argc == 1) {
		set_switch("0");
		switched_off();
	}
	set_switch("1");
	fd = event(0, -1);
	page = page_of(fd);
	if (argc > 1) {
		loop(1000000);
		read_fd(fd);
		check("starved, no index", !page->index, page->index);
		return bad;
	}
	check("on, page says so", page->cap_user_rdpmc, page->pmc_width);
	counts(fd, page);
	isolation();
	index = page->index - 1;
	if (!fork()) {
		char text[16];

		snprintf(text, sizeof(text), "%d", (int)index);
		execl("/proc/self/exe", "rdpmc", "fault", text, (char *)NULL);
		_exit(1);
	}
	wait(&status);
	bad |= !!status;
	munmap((void *)page, 4096);
	check("unmapped, a fault", !try_rdpmc(index, &value), 0);
	return bad;
}
