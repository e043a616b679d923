// SPDX-License-Identifier: GPL-2.0
/*
 * pvbench: what the instrument counted, in rounds
 *
 * The instrument counts, apart from its PMU, VM exits and the instructions
 * retired by the host's and the guest's kernel and user, and lets any privilege
 * read them with RDPMC, without an exit.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"

#define BACKDOOR 0x50430000u
#define EXIT_RDPMC 0x6f
#define EXIT_VMMCALL 0x81
#define PMU_MSRS 0x20

const char *label = "?";

void die(const char *what)
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

uint64_t rdpmc(uint32_t index)
{
	uint32_t low, high;

	asm volatile("rdpmc" : "=a"(low), "=d"(high) : "c"(index));
	return (uint64_t)high << 32 | low;
}

void no_instrument(int sig)
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
void spin(uint64_t n)
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

struct figures take(void)
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

void rounds_begin(void)
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

void round_add(const struct figures *a, const struct figures *b, double ops)
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

double median(double *values, int n)
{
	qsort(values, n, sizeof(*values), ascending);
	return values[n / 2];
}

/* @error: of a count that was scaled up, in percent; negative if there is none */
void rounds_end(const char *name, double error)
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

void bench_op(const char *name, op_fn op, void *data, int per_op)
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

double spin_for(double length)
{
	double start = seconds(), now;

	do {
		spin(300000);
		now = seconds();
	} while (now - start < length);
	return now - start;
}

uint64_t measure_ticks(double length)
{
	uint64_t before = spun;
	struct figures a = take(), b;

	length = spin_for(length);
	b = take();
	rounds_begin();
	round_add(&a, &b, length / TICK);
	return spun - before;
}
