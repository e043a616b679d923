// SPDX-License-Identifier: GPL-2.0
/*
 * pvbench: what perf costs a guest and its host, in exits and instructions
 *
 * Runs in a guest (L2) of the lab.  A case is done in rounds shorter than the
 * time between two ticks, and its figures are the medians; the means, ticks and
 * all, stand beside them.
 */
#define _GNU_SOURCE
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "events.h"
#include "measure.h"

/* --- context switches ---------------------------------------------------------- */

/* Event counters: a pipe would allocate a page now and then. */
struct ways {
	int out, in;
};

enum { GO_ON = 1, END };

/* Each turn is two context switches: there and back. */
static void ping(void *data, int turns)
{
	const struct ways *ways = data;
	uint64_t word;

	while (turns--)
		if (eventfd_write(ways->out, GO_ON) ||
		    eventfd_read(ways->in, &word))
			die("ping");
}

static void pong(struct ways ways)
{
	uint64_t word;

	while (!eventfd_read(ways.in, &word) && word == GO_ON)
		if (eventfd_write(ways.out, GO_ON))
			die("pong");
}

/* Events of the two tasks' own, or that both got from their parent */
struct tasks {
	int own_a, own_b, inherited;
	uint64_t period; /* they sample */
};

static void open_own(int n, uint64_t period)
{
	int i;

	for (i = 0; i < n; i++) {
		struct perf_event_attr attr = { .sample_period = period };

		open_event(&attr, i, -1);
	}
}

static void bench_tasks(const char *name, struct tasks tasks)
{
	struct ways ways = { eventfd(0, EFD_CLOEXEC), eventfd(0, EFD_CLOEXEC) };
	pid_t ponger, pinger;
	int fd[6], i;

	for (i = 0; i < tasks.inherited; i++) {
		struct perf_event_attr attr = { .inherit = 1 };

		fd[i] = open_event(&attr, i, -1);
	}
	if (ways.out < 0 || ways.in < 0)
		die("eventfd");
	ponger = fork();
	if (!ponger) {
		open_own(tasks.own_b, tasks.period);
		pong((struct ways){ ways.in, ways.out });
		_exit(0);
	}
	pinger = fork();
	if (!pinger) {
		open_own(tasks.own_a, tasks.period);
		bench_op(name, ping, &ways, 2);
		_exit(0);
	}
	waitpid(pinger, NULL, 0);
	eventfd_write(ways.out, END);
	waitpid(ponger, NULL, 0);
	close(ways.out);
	close(ways.in);
	close_events(fd, tasks.inherited);
}

static void bench_switch(void)
{
	static const int own[] = { 1, 2, 4, 6 };
	char name[64];
	size_t i;

	bench_tasks("switch, no events", (struct tasks){ 0 });
	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		snprintf(name, sizeof(name), "switch, %d own event%s", own[i],
			 own[i] > 1 ? "s" : "");
		bench_tasks(name, (struct tasks){ own[i], own[i], 0, 0 });
	}
	bench_tasks("switch, 1 event in one task only",
		    (struct tasks){ 1, 0, 0, 0 });
	bench_tasks("switch, 6 events in one task only",
		    (struct tasks){ 6, 0, 0, 0 });
	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		snprintf(name, sizeof(name), "switch, %d inherited event%s",
			 own[i], own[i] > 1 ? "s" : "");
		bench_tasks(name, (struct tasks){ 0, 0, own[i], 0 });
	}
}

/* --- reads ----------------------------------------------------------------------- */

static void read_fd(void *data, int n)
{
	const int *fd = data;
	uint64_t buf[32];

	while (n--)
		if (read(*fd, buf, sizeof(buf)) < 0)
			die("read");
}

static void bench_read(void)
{
	static const int sizes[] = { 2, 4, 6 };
	struct perf_event_attr attr = { 0 };
	int fd[6], i;
	char name[64];
	size_t k;

	fd[0] = open_event(&attr, 0, -1);
	bench_op("read, running event", read_fd, fd, 1);
	ioctl(fd[0], PERF_EVENT_IOC_DISABLE, 0);
	bench_op("read, stopped event", read_fd, fd, 1);
	close(fd[0]);

	for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		for (i = 0; i < sizes[k]; i++) {
			struct perf_event_attr member = {
				.read_format = PERF_FORMAT_GROUP
			};

			fd[i] = open_event(&member, i, i ? fd[0] : -1);
		}
		snprintf(name, sizeof(name), "read, running group of %d",
			 sizes[k]);
		bench_op(name, read_fd, fd, 1);
		close_events(fd, sizes[k]);
	}
}

static void read_index(void *data, int n)
{
	const struct perf_event_mmap_page *page = data;

	while (n--)
		rdpmc(page->index - 1);
}

/* A user-space read: the page's index says whether RDPMC serves it. */
static void bench_user_read(void)
{
	struct perf_event_attr attr = { 0 };
	int fd = open_event(&attr, 0, -1);
	struct perf_event_mmap_page *page;

	page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		die("mmap");
	if (page->cap_user_rdpmc && page->index)
		bench_op("read, from user space", read_index, page, 1);
	munmap(page, 4096);
	close(fd);
}

/* --- sampling ---------------------------------------------------------------------- */

/*
 * Instructions and cycles alternate, with periods that are no multiples of each
 * other, so that all overflow and each at moments of its own.
 */
static struct ring open_sampling(int i, uint64_t period, int freq)
{
	struct perf_event_attr attr = { .exclude_kernel = 1 };

	if (freq) {
		attr.freq = 1;
		attr.sample_freq = period;
	} else {
		attr.sample_period = (period + i * period / 7) << (i & 1);
	}
	return open_ring(&attr, i & 1);
}

static uint64_t all_samples(const struct ring *ring, int n)
{
	uint64_t sum = 0;

	while (n--)
		sum += samples(&ring[n]);
	return sum;
}

/*
 * A sample is over when user code goes on, so that rounds do not share one.
 */
static void sample_round(const struct ring *ring, int n, uint64_t length)
{
	uint64_t before = all_samples(ring, n);
	struct figures a = take(), b;

	spin(length);
	b = take();
	round_add(&a, &b, all_samples(ring, n) - before);
}

static void bench_sampling(const char *name, int n, uint64_t period)
{
	struct ring ring[4];
	int i;

	for (i = 0; i < n; i++)
		ring[i] = open_sampling(i, period, 0);
	spin(period * 8);
	rounds_begin();
	for (i = 0; i < MAX_ROUNDS; i++)
		sample_round(ring, n, period);
	rounds_end(name, -1);
	for (i = 0; i < n; i++)
		close_ring(&ring[i]);
}

/*
 * perf sets the period at each tick.  So ticks belong to the cost, which is told
 * per tick, like that of other things that happen by themselves.
 */
static void bench_frequency(const char *name, int n, int frequency)
{
	struct ring ring[4];
	int i;

	for (i = 0; i < n; i++)
		ring[i] = open_sampling(i, frequency, 1);
	spin_for(0.1);
	measure_ticks(0.4);
	rounds_end(name, -1);
	for (i = 0; i < n; i++)
		close_ring(&ring[i]);
}

static void rearm(void *data, int n)
{
	const struct ring *ring = data;

	while (n--) {
		ioctl(ring->fd, PERF_EVENT_IOC_ENABLE, 0);
		ioctl(ring->fd, PERF_EVENT_IOC_DISABLE, 0);
	}
}

static void bench_sample(void)
{
	struct perf_event_attr attr = { .sample_period = 1000000,
					.disabled = 1 };
	struct ring ring;

	bench_sampling("sample, 1 event, by period", 1, 20000);
	bench_sampling("sample, 4 events, by period", 4, 20000);
	bench_frequency("4 ms, sampling 1 event at 4000 Hz", 1, 4000);
	bench_frequency("4 ms, sampling 4 events at 4000 Hz", 4, 4000);

	ring = open_ring(&attr, 0);
	bench_op("re-arm: enable + disable, sampling", rearm, &ring, 1);
	close_ring(&ring);
	bench_tasks("re-arm: switch, 1 own event sampling",
		    (struct tasks){ 1, 1, 0, 1000000 });
	bench_tasks("re-arm: switch, 4 own events sampling",
		    (struct tasks){ 4, 4, 0, 1000000 });
}

/* --- multiplexing ------------------------------------------------------------------- */

struct scaled {
	uint64_t count, enabled, running;
};

static struct scaled read_scaled(int fd)
{
	struct scaled s;

	if (read(fd, &s, sizeof(s)) != sizeof(s))
		die("read");
	return s;
}

/* How many events of a kind the instrument counts per instruction of spin() */
static double per_instruction(int n)
{
	static const double share[HARDWARE] = {
		1, 2, 1. / 3, 1. / 48, 1. / 8, 1. / 128,
	};

	return share[n % HARDWARE];
}

#define ROTATED 10

/*
 * Ten different events of one task: six of user code, whose truth is known,
 * and four that count all.  perf rotates what does not fit every 4 ms.
 */
static void bench_rotate(const char *name, int n)
{
	struct scaled first[ROTATED], last;
	double worst = -1;
	int fd[ROTATED], i;
	uint64_t done;

	for (i = 0; i < n; i++) {
		struct perf_event_attr attr = {
			.exclude_kernel = i < (int)HARDWARE,
			.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED |
				       PERF_FORMAT_TOTAL_TIME_RUNNING,
		};

		fd[i] = open_event(&attr, i, -1);
	}
	spin(1000000);
	for (i = 0; i < n; i++)
		first[i] = read_scaled(fd[i]);
	done = measure_ticks(0.4);
	for (i = 0; i < n && i < (int)HARDWARE; i++) {
		double running, scaled, error;

		last = read_scaled(fd[i]);
		running = last.running - first[i].running;
		scaled = (last.count - first[i].count) *
			 (last.enabled - first[i].enabled) /
			 (running > 0 ? running : 1);
		error = 100 * fabs(scaled / (per_instruction(i) * done) - 1);
		if (error > worst)
			worst = error;
	}
	rounds_end(name, worst);
	close_events(fd, n);
}

/* --- life, idleness ------------------------------------------------------------------ */

static void open_close(void *data, int n)
{
	(void)data;
	while (n--) {
		struct perf_event_attr attr = { 0 };

		close(open_event(&attr, 0, -1));
	}
}

static void bench_open(void)
{
	bench_op("open + close", open_close, NULL, 1);
}

static void cpuid(void *data, int n)
{
	(void)data;
	while (n--) {
		uint32_t eax = 0, ebx, ecx = 0, edx;

		asm volatile("cpuid"
			     : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	}
}

static void bench_cpuid(void)
{
	bench_op("exit: CPUID", cpuid, NULL, 1);
}

/* KVM refuses it here, as it refuses all from user code: a hypercall it is. */
static void vmmcall(void *data, int n)
{
	(void)data;
	while (n--) {
		uint64_t rax = 1;

		asm volatile("vmmcall" : "+a"(rax) : "b"(0), "c"(0), "d"(0));
	}
}

static void port(void *data, int n)
{
	(void)data;
	while (n--)
		outb(0, 0x80);
}

#define IDLE_SECONDS 15

/* What one has to pay who does not use it */
static void bench_idle(void)
{
	int i;

	bench_op("exit: a hypercall of others", vmmcall, NULL, 1);
	if (iopl(3))
		die("iopl");
	bench_op("exit: to the VMM, an I/O port", port, NULL, 1);
	/* what has just begun comes to rest first */
	sleep(2);
	rounds_begin();
	for (i = 0; i < IDLE_SECONDS; i++) {
		struct figures a = take(), b;

		sleep(1);
		b = take();
		round_add(&a, &b, 1);
	}
	rounds_end("an idle second", -1);
}

/* --- a load like a compiler's: many short processes ----------------------------------- */

static void spawn(void *data, int n)
{
	(void)data;
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
}

/* --- which ------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*fn)(void);
} cases[] = {
	{ "cpuid", bench_cpuid },	  { "idle", bench_idle },
	{ "switch", bench_switch },	  { "read", bench_read },
	{ "user-read", bench_user_read }, { "sample", bench_sample },
	{ "open", bench_open },
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

static void usage(FILE *to)
{
	size_t i;

	fputs("usage: pvbench LABEL CASE...\n"
	      "       pvbench LABEL rotate N NAME  N events, at most 10, of "
	      "one "
	      "task, per 4 ms\n"
	      "       pvbench LABEL load NAME      short processes, each of "
	      "them\n"
	      "       pvbench spin N               N instructions\n"
	      "cases:",
	      to);
	for (i = 0; i < CASES; i++)
		fprintf(to, " %s", cases[i].name);
	fputs("\n"
	      "columns: LABEL, case, operations; per operation, the median of "
	      "many short\n"
	      "         rounds: VM exits, those for the PMU, hypercalls, "
	      "instructions of the\n"
	      "         host, of the guest's kernel, its user code; the same "
	      "six as means;\n"
	      "         error of scaled counts in %, -1 if nothing was "
	      "scaled\n",
	      to);
}

static int run(int argc, char **argv)
{
	size_t i;

	if (!strcmp(argv[0], "rotate") && argc == 3) {
		int n = atoi(argv[1]);

		if (n < 0 || n > ROTATED)
			return 2;
		bench_rotate(argv[2], n);
		return 0;
	}
	if (!strcmp(argv[0], "load") && argc == 2) {
		bench_op(argv[1], spawn, NULL, 1);
		return 0;
	}
	for (; argc; argc--, argv++) {
		for (i = 0; i < CASES && strcmp(cases[i].name, argv[0]); i++)
			;
		if (i == CASES)
			return 2;
		cases[i].fn();
	}
	return 0;
}

int main(int argc, char **argv)
{
	cpu_set_t first;
	int rc;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		usage(stdout);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "spin")) {
		spin(strtoull(argv[2], NULL, 0));
		return 0;
	}
	if (argc < 3) {
		usage(stderr);
		return 2;
	}

	signal(SIGSEGV, no_instrument);
	signal(SIGILL, no_instrument);
	/* Who is woken waits for his turn: a switch is always the same. */
	if (sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 }))
		die("sched_setscheduler");
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first))
		die("sched_setaffinity");
	label = argv[1];
	rc = run(argc - 2, argv + 2);
	if (rc)
		usage(stderr);
	return rc;
}
