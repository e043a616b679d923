// SPDX-License-Identifier: GPL-2.0
/*
 * pvbench: what profiling costs a guest and its host, in exits and instructions
 *
 * Runs in a guest (L2) of the lab.  The instrument counts, apart from its PMU,
 * VM exits and the instructions retired by the host's and the guest's kernel
 * and user, and lets any privilege read them with RDPMC, without an exit.
 * Each case prints one line of tab separated figures, the costs divided by the
 * number of operations; `bench` makes tables of them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BACKDOOR 0x50430000u
#define EXIT_RDPMC 0x6f
#define EXIT_VMMCALL 0x81
#define MSR_EXITS 0x20
#define RING_PAGES 8

/* The instrument's figures at one moment */
struct figures {
	uint64_t exits, msr, rdpmc, vmmcall, host, guest_kernel, guest_user;
};

static const char *label = "?";

static void die(const char *what)
{
	fprintf(stderr, "pvbench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t rdpmc(uint32_t index)
{
	uint32_t low, high;

	asm volatile("rdpmc" : "=a"(low), "=d"(high) : "c"(index));
	return (uint64_t)high << 32 | low;
}

static void no_instrument(int sig)
{
	static const char text[] =
		"pvbench: this machine is not the lab's instrument\n";

	(void)sig;
	if (write(2, text, sizeof(text) - 1) < 0)
		_exit(3);
	_exit(2);
}

static struct figures take(void)
{
	struct figures f = { 0 };
	uint32_t i;

	f.host = rdpmc(BACKDOOR + 0) + rdpmc(BACKDOOR + 1);
	f.guest_kernel = rdpmc(BACKDOOR + 2);
	f.guest_user = rdpmc(BACKDOOR + 3);
	f.exits = rdpmc(BACKDOOR + 4);
	for (i = 0; i < MSR_EXITS; i++)
		f.msr += rdpmc(BACKDOOR + 0x10 + i);
	f.rdpmc = rdpmc(BACKDOOR + 0x100 + EXIT_RDPMC);
	f.vmmcall = rdpmc(BACKDOOR + 0x100 + EXIT_VMMCALL);
	return f;
}

static void report(const char *name, const struct figures *a,
		   const struct figures *b, double ops)
{
	printf("%s\t%s\t%.0f\t%.2f\t%.2f\t%.2f\t%.2f\t%.0f\t%.0f\n", label,
	       name, ops, (b->exits - a->exits) / ops, (b->msr - a->msr) / ops,
	       (b->rdpmc - a->rdpmc) / ops, (b->vmmcall - a->vmmcall) / ops,
	       (b->host - a->host) / ops,
	       (b->guest_kernel - a->guest_kernel + b->guest_user -
		a->guest_user) /
		       ops);
	fflush(stdout);
}

/* The generic events that both sides of the comparison offer */
static const uint64_t hardware[] = {
	PERF_COUNT_HW_INSTRUCTIONS,	   PERF_COUNT_HW_CPU_CYCLES,
	PERF_COUNT_HW_BRANCH_INSTRUCTIONS, PERF_COUNT_HW_BRANCH_MISSES,
	PERF_COUNT_HW_CACHE_REFERENCES,	   PERF_COUNT_HW_CACHE_MISSES,
};

static int open_event(struct perf_event_attr *attr, int n, int leader)
{
	int fd;

	attr->size = sizeof(*attr);
	attr->type = PERF_TYPE_HARDWARE;
	attr->config = hardware[n % 6];
	fd = syscall(SYS_perf_event_open, attr, 0, -1, leader,
		     PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		die("perf_event_open");
	return fd;
}

static void open_events(int *fd, int n, int inherit)
{
	int i;

	for (i = 0; i < n; i++) {
		struct perf_event_attr attr = { .inherit = inherit };

		fd[i] = open_event(&attr, i, -1);
	}
}

static void close_events(int *fd, int n)
{
	while (n--)
		close(fd[n]);
}

/* Runs @n instructions, three of them a turn. */
static void spin(uint64_t n)
{
	n /= 3;
	asm volatile("1: nop\n\tdec %0\n\tjnz 1b" : "+r"(n));
}

/* --- context switches ----------------------------------------------------- */

/* Each turn is two context switches: there and back. */
static void ping(int out, int in, int turns)
{
	char c = 0;

	while (turns--)
		if (write(out, &c, 1) != 1 || read(in, &c, 1) != 1)
			die("ping");
}

static void pong(int out, int in)
{
	char c;

	while (read(in, &c, 1) == 1)
		if (write(out, &c, 1) != 1)
			return;
}

/*
 * @own_a, @own_b: events of the two tasks' own; @inherited: events that both
 * got from their parent, so that perf can swap their contexts.
 */
static void bench_switch(const char *name, int own_a, int own_b, int inherited)
{
	enum { TURNS = 400 };
	int to[2], from[2], fd[16];
	struct figures a, b;
	pid_t ponger, pinger;

	if (inherited)
		open_events(fd, inherited, 1);
	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		die("pipe");
	ponger = fork();
	if (!ponger) {
		close(to[1]);
		close(from[0]);
		open_events(fd, own_b, 0);
		pong(from[1], to[0]);
		_exit(0);
	}
	pinger = fork();
	if (!pinger) {
		open_events(fd, own_a, 0);
		ping(to[1], from[0], 50);
		a = take();
		ping(to[1], from[0], TURNS);
		b = take();
		report(name, &a, &b, TURNS * 2);
		_exit(0);
	}
	close(to[0]);
	close(to[1]);
	close(from[0]);
	close(from[1]);
	waitpid(pinger, NULL, 0);
	waitpid(ponger, NULL, 0);
	if (inherited)
		close_events(fd, inherited);
}

/* --- reads ---------------------------------------------------------------- */

static void read_fd(int fd)
{
	uint64_t buf[32];

	if (read(fd, buf, sizeof(buf)) < 0)
		die("read");
}

static void bench_reads(const char *name, int fd, int n)
{
	struct figures a, b;
	int i;

	for (i = 0; i < 10; i++)
		read_fd(fd);
	a = take();
	for (i = 0; i < n; i++)
		read_fd(fd);
	b = take();
	report(name, &a, &b, n);
}

static void bench_read(void)
{
	struct perf_event_attr attr = { 0 };
	int fd = open_event(&attr, 0, -1);

	bench_reads("read, running event", fd, 1000);
	ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
	bench_reads("read, stopped event", fd, 1000);
	close(fd);
}

static void bench_read_group(void)
{
	int fd[6], i;

	for (i = 0; i < 6; i++) {
		struct perf_event_attr attr = { .read_format =
							PERF_FORMAT_GROUP };

		fd[i] = open_event(&attr, i, i ? fd[0] : -1);
	}
	bench_reads("read, running group of 6", fd[0], 500);
	close_events(fd, 6);
}

/* A user-space read: the page's index says whether RDPMC serves it. */
static void bench_read_user(void)
{
	struct perf_event_attr attr = { 0 };
	int fd = open_event(&attr, 0, -1), i;
	struct perf_event_mmap_page *page;
	struct figures a, b;

	page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		die("mmap");
	if (page->cap_user_rdpmc && page->index) {
		a = take();
		for (i = 0; i < 1000; i++)
			rdpmc(page->index - 1);
		b = take();
		report("read, from user space", &a, &b, 1000);
	}
	munmap(page, 4096);
	close(fd);
}

/* --- sampling ------------------------------------------------------------- */

struct ring {
	int fd;
	struct perf_event_mmap_page *page;
};

/* A ring that perf overwrites: it takes samples for ever without a reader. */
static struct ring open_ring(struct perf_event_attr *attr, int n)
{
	struct ring ring;

	attr->sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_PERIOD;
	attr->disabled = 1;
	ring.fd = open_event(attr, n, -1);
	ring.page = mmap(NULL, (1 + RING_PAGES) * 4096, PROT_READ, MAP_SHARED,
			 ring.fd, 0);
	if (ring.page == MAP_FAILED)
		die("mmap");
	return ring;
}

/* Records are of one size: a header, the address, the period. */
static uint64_t samples(const struct ring *ring)
{
	const volatile struct perf_event_mmap_page *page = ring->page;

	return page->data_head / 24;
}

static void bench_sample(const char *name, int n, uint64_t period, int freq)
{
	struct ring ring[4];
	struct figures a, b;
	uint64_t before = 0, after = 0;
	int i;

	for (i = 0; i < n; i++) {
		/* Two events that advance in the loop, so that all overflow,
		 * each at moments of its own. */
		struct perf_event_attr attr = { .exclude_kernel = 1 };

		if (freq) {
			attr.freq = 1;
			attr.sample_freq = period;
		} else {
			attr.sample_period = (period + i * period / 7)
					     << (i & 1);
		}
		ring[i] = open_ring(&attr, i & 1);
	}
	for (i = 0; i < n; i++)
		ioctl(ring[i].fd, PERF_EVENT_IOC_ENABLE, 0);
	spin(freq ? 30000000 : period * 4);
	for (i = 0; i < n; i++)
		before += samples(&ring[i]);
	a = take();
	spin(freq ? 60000000 : period * 300);
	b = take();
	for (i = 0; i < n; i++) {
		after += samples(&ring[i]);
		munmap(ring[i].page, (1 + RING_PAGES) * 4096);
		close(ring[i].fd);
	}
	/* the loop itself is not what a sample costs */
	b.guest_user = a.guest_user;
	if (after > before)
		report(name, &a, &b, after - before);
}

/* Disable and enable a sampling event: what re-arming costs. */
static void bench_rearm(void)
{
	struct perf_event_attr attr = { .sample_period = 1000000 };
	struct ring ring = open_ring(&attr, 0);
	struct figures a, b;
	int i;

	a = take();
	for (i = 0; i < 300; i++) {
		ioctl(ring.fd, PERF_EVENT_IOC_ENABLE, 0);
		ioctl(ring.fd, PERF_EVENT_IOC_DISABLE, 0);
	}
	b = take();
	report("re-arm, sampling event", &a, &b, 300);
	munmap(ring.page, (1 + RING_PAGES) * 4096);
	close(ring.fd);
}

/* --- multiplexing, life, idleness ------------------------------------------ */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Ten events for one task; perf rotates what does not fit every 4 ms. */
static void bench_rotate(const char *name, int n)
{
	int fd[10];
	struct figures a, b;
	double start, end;

	open_events(fd, n, 0);
	spin(1000000);
	a = take();
	start = seconds();
	do {
		spin(1000000);
		end = seconds();
	} while (end - start < 2);
	b = take();
	b.guest_user = a.guest_user;
	report(name, &a, &b, (end - start) / 0.004);
	close_events(fd, n);
}

static void bench_open(void)
{
	struct figures a, b;
	int i;

	a = take();
	for (i = 0; i < 200; i++) {
		struct perf_event_attr attr = { 0 };

		close(open_event(&attr, 0, -1));
	}
	b = take();
	report("open + close", &a, &b, 200);
}

static void bench_idle(void)
{
	struct figures a, b;
	uint32_t i;

	a = take();
	for (i = 0; i < 5000; i++) {
		uint32_t eax = 0, ebx, ecx = 0, edx;

		asm volatile("cpuid"
			     : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	}
	b = take();
	report("bare exit (CPUID)", &a, &b, 5000);

	a = take();
	sleep(2);
	b = take();
	report("idle second", &a, &b, 2);
}

/* --- a load like a compiler's: many short processes ------------------------ */

static int load(int n)
{
	while (n--) {
		pid_t child = fork();

		if (child < 0)
			die("fork");
		if (!child) {
			execl("/proc/self/exe", "pvbench", "spin", "500000",
			      (char *)NULL);
			_exit(127);
		}
		waitpid(child, NULL, 0);
	}
	return 0;
}

static int run_command(const char *name, char **argv)
{
	struct figures a = take(), b;
	pid_t child = fork();
	int status;

	if (child < 0)
		die("fork");
	if (!child) {
		if (dup2(2, 1) < 0)
			_exit(126);
		execvp(argv[0], argv);
		_exit(127);
	}
	waitpid(child, &status, 0);
	b = take();
	report(name, &a, &b, 1);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void all(void)
{
	static const int counts[] = { 1, 2, 4, 6 };
	char name[64];
	size_t i;

	bench_idle();
	bench_switch("switch, no events", 0, 0, 0);
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		snprintf(name, sizeof(name), "switch, %d own events",
			 counts[i]);
		bench_switch(name, counts[i], counts[i], 0);
	}
	bench_switch("switch, 6 events in one task", 6, 0, 0);
	bench_switch("switch, 1 inherited event", 0, 0, 1);
	bench_switch("switch, 6 inherited events", 0, 0, 6);
	bench_read();
	bench_read_group();
	bench_read_user();
	bench_sample("sample, 1 event, period", 1, 200000, 0);
	bench_sample("sample, 4 events, period", 4, 200000, 0);
	bench_sample("sample, 1 event, 4000 Hz", 1, 4000, 1);
	bench_rearm();
	bench_rotate("4 ms, no events", 0);
	bench_rotate("4 ms, 10 events", 10);
	bench_open();
}

static void usage(FILE *to)
{
	fputs("usage: pvbench LABEL all          every case, a line each\n"
	      "       pvbench LABEL idle         exits of a guest that does nothing\n"
	      "       pvbench LABEL rotate NAME  ten events of one task, per 4 "
	      "ms\n"
	      "       pvbench LABEL run NAME -- COMMAND…  a command as one "
	      "case\n"
	      "       pvbench load N             N short processes\n"
	      "       pvbench spin N             N instructions\n"
	      "columns: label, case, operations, then per operation: exits, "
	      "exits for\n"
	      "         PMU MSRs, for RDPMC, for VMMCALL, host and guest "
	      "instructions\n",
	      to);
}

int main(int argc, char **argv)
{
	cpu_set_t first;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		usage(stdout);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "spin")) {
		spin(strtoull(argv[2], NULL, 0));
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "load"))
		return load(atoi(argv[2]));
	if (argc < 3) {
		usage(stderr);
		return 2;
	}

	signal(SIGSEGV, no_instrument);
	signal(SIGILL, no_instrument);
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first))
		die("sched_setaffinity");
	label = argv[1];
	if (!strcmp(argv[2], "all") && argc == 3) {
		all();
		return 0;
	}
	if (!strcmp(argv[2], "idle") && argc == 3) {
		bench_idle();
		return 0;
	}
	if (!strcmp(argv[2], "rotate") && argc == 4) {
		bench_rotate(argv[3], 10);
		return 0;
	}
	if (!strcmp(argv[2], "run") && argc > 5 && !strcmp(argv[4], "--"))
		return run_command(argv[3], argv + 5);
	usage(stderr);
	return 2;
}
