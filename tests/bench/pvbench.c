// SPDX-License-Identifier: GPL-2.0
/*
 * pvbench: what perf costs a guest and its host, in exits and instructions
 *
 * Runs in a guest (L2) of the lab.  The instrument counts, apart from its PMU,
 * VM exits and the instructions retired by the host's and the guest's kernel
 * and user, and lets any privilege read them with RDPMC, without an exit.
 *
 * A case is done in rounds shorter than the time between two ticks, and its
 * figures are the medians; the means, ticks and all, stand beside them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BACKDOOR 0x50430000u
#define EXIT_RDPMC 0x6f
#define EXIT_VMMCALL 0x81
#define PMU_MSRS 0x20
#define RING_PAGES 8

static const char *label = "?";

static void die(const char *what)
{
	fprintf(stderr, "pvbench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* --- the instrument's figures ----------------------------------------------- */

enum figure { EXITS, PMU_EXITS, HYPERCALLS, HOST, GUEST_KERNEL, GUEST_USER };
#define FIGURES (GUEST_USER + 1)

struct figures {
	double of[FIGURES];
};

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

/* Instructions of spin(): work that is measured with, not what it costs */
static uint64_t spun;

/* Runs @n instructions, three of them a turn. */
static void spin(uint64_t n)
{
	n /= 3;
	spun += n * 3;
	asm volatile("1: nop\n\tdec %0\n\tjnz 1b" : "+r"(n));
}

/* A PV guest of Xen: it runs in the host's mode, and all of it in ring 3. */
static int paravirtual(void)
{
	static int pv = -1;
	char type[8] = "";
	int fd;

	if (pv >= 0)
		return pv;
	fd = open("/sys/hypervisor/guest_type", O_RDONLY | O_CLOEXEC);
	pv = fd >= 0 && read(fd, type, sizeof(type) - 1) > 0 &&
	     !strncmp(type, "PV\n", 3);
	if (fd >= 0)
		close(fd);
	return pv;
}

/* The figures at one moment; PMU exits are those for its MSRs and RDPMC. */
static struct figures take(void)
{
	struct figures f;
	uint64_t pmu = rdpmc(BACKDOOR + 0x100 + EXIT_RDPMC);
	uint32_t i;

	for (i = 0; i < PMU_MSRS; i++)
		pmu += rdpmc(BACKDOOR + 0x10 + i);
	f.of[PMU_EXITS] = pmu;
	f.of[EXITS] = rdpmc(BACKDOOR + 4);
	f.of[HYPERCALLS] = rdpmc(BACKDOOR + 0x100 + EXIT_VMMCALL);
	f.of[HOST] = rdpmc(BACKDOOR + 0);
	f.of[GUEST_KERNEL] = rdpmc(BACKDOOR + 2);
	f.of[GUEST_USER] = rdpmc(BACKDOOR + 3) - spun;
	if (paravirtual())
		f.of[GUEST_USER] += rdpmc(BACKDOOR + 1);
	else
		f.of[HOST] += rdpmc(BACKDOOR + 1);
	return f;
}

/* --- rounds ------------------------------------------------------------------ */

#define MAX_ROUNDS 400
#define ROUNDS 61
/* The shortest tick is 4 ms. */
#define ROUND_SECONDS 0.0007
#define CASE_SECONDS 4

static struct {
	int n;
	double ops;
	struct figures sum;
	double per_op[FIGURES][MAX_ROUNDS];
} rounds;

static void rounds_begin(void)
{
	memset(&rounds, 0, sizeof(rounds));
}

/* What take() executes itself between the moments of two of them */
static double own_instructions(void)
{
	static double own;

	if (!own) {
		struct figures a = take(), b = take();

		own = b.of[GUEST_USER] - a.of[GUEST_USER];
	}
	return own;
}

static void round_add(const struct figures *a, const struct figures *b,
		      double ops)
{
	int i;

	if (ops <= 0 || rounds.n == MAX_ROUNDS)
		return;
	for (i = 0; i < FIGURES; i++) {
		double cost = b->of[i] - a->of[i];

		if (i == GUEST_USER)
			cost -= own_instructions();

		rounds.sum.of[i] += cost;
		rounds.per_op[i][rounds.n] = cost / ops;
	}
	rounds.ops += ops;
	rounds.n++;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int n)
{
	qsort(values, n, sizeof(*values), ascending);
	return values[n / 2];
}

/* @error: of a count that was scaled up, in percent; negative if there is none */
static void rounds_end(const char *name, double error)
{
	int i;

	if (!rounds.n)
		return;
	printf("%s\t%s\t%.0f", label, name, rounds.ops);
	for (i = 0; i < FIGURES; i++)
		printf("\t%.2f", median(rounds.per_op[i], rounds.n));
	for (i = 0; i < FIGURES; i++)
		printf("\t%.2f", rounds.sum.of[i] / rounds.ops);
	printf("\t%.2f\n", error);
	fflush(stdout);
}

/* Does something @n times. */
typedef void (*op_fn)(void *data, int n);

/* As many operations as fit into a round */
static int round_size(op_fn op, void *data)
{
	int n = 1;

	op(data, 1);
	for (;;) {
		double start = seconds();

		op(data, n);
		if (seconds() - start > ROUND_SECONDS / 2 || n >= 4096)
			return n;
		n *= 2;
	}
}

/* @per_op: operations in what @op does once */
static void bench_op(const char *name, op_fn op, void *data, int per_op)
{
	int n = round_size(op, data), i;
	double end = seconds() + CASE_SECONDS;

	rounds_begin();
	for (i = 0; i < ROUNDS && seconds() < end; i++) {
		struct figures a = take(), b;

		op(data, n);
		b = take();
		round_add(&a, &b, (double)n * per_op);
	}
	rounds_end(name, -1);
}

#define TICK 0.004

/* Returns for how long it did. */
static double spin_for(double length)
{
	double start = seconds(), now;

	do {
		spin(300000);
		now = seconds();
	} while (now - start < length);
	return now - start;
}

/* What goes on beside a loop, per tick; returns the loop's instructions. */
static uint64_t measure_ticks(double length)
{
	uint64_t before = spun;
	struct figures a = take(), b;

	length = spin_for(length);
	b = take();
	rounds_begin();
	round_add(&a, &b, length / TICK);
	return spun - before;
}

/* --- events ------------------------------------------------------------------ */

/* The generic events that both sides of the comparison offer */
static const uint64_t hardware[] = {
	PERF_COUNT_HW_INSTRUCTIONS,	   PERF_COUNT_HW_CPU_CYCLES,
	PERF_COUNT_HW_BRANCH_INSTRUCTIONS, PERF_COUNT_HW_BRANCH_MISSES,
	PERF_COUNT_HW_CACHE_REFERENCES,	   PERF_COUNT_HW_CACHE_MISSES,
};

#define HARDWARE (sizeof(hardware) / sizeof(hardware[0]))

static int open_event(struct perf_event_attr *attr, int n, int leader)
{
	int fd;

	attr->size = sizeof(*attr);
	attr->type = PERF_TYPE_HARDWARE;
	attr->config = hardware[n % HARDWARE];
	fd = syscall(SYS_perf_event_open, attr, 0, -1, leader,
		     PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		die("perf_event_open");
	return fd;
}

static void close_events(int *fd, int n)
{
	while (n--)
		close(fd[n]);
}

struct ring {
	int fd;
	struct perf_event_mmap_page *page;
};

/* A ring that perf overwrites: it takes samples for ever without a reader. */
static struct ring open_ring(struct perf_event_attr *attr, int n)
{
	struct ring ring;

	attr->sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_PERIOD;
	ring.fd = open_event(attr, n, -1);
	ring.page = mmap(NULL, (1 + RING_PAGES) * 4096, PROT_READ, MAP_SHARED,
			 ring.fd, 0);
	if (ring.page == MAP_FAILED)
		die("mmap");
	return ring;
}

static void close_ring(struct ring *ring)
{
	munmap(ring->page, (1 + RING_PAGES) * 4096);
	close(ring->fd);
}

/* Records are of one size: a header, the address, the period. */
static uint64_t samples(const struct ring *ring)
{
	const volatile struct perf_event_mmap_page *page = ring->page;

	return page->data_head / 24;
}

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
