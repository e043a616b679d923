/* SPDX-License-Identifier: GPL-2.0 */
/* pvbench: what the instrument counted, in rounds */
#ifndef PVBENCH_MEASURE_H
#define PVBENCH_MEASURE_H

#include <stdint.h>

enum figure { EXITS, PMU_EXITS, HYPERCALLS, HOST, GUEST_KERNEL, GUEST_USER };
#define FIGURES (GUEST_USER + 1)

struct figures {
	double of[FIGURES];
};

#define MAX_ROUNDS 400
#define TICK 0.004 /* seconds */

/* The first column of each line */
extern const char *label;

/* Does something @n times. */
typedef void (*op_fn)(void *data, int n);

void die(const char *what);
uint64_t rdpmc(uint32_t index);
/* What RDPMC says where there is no instrument; ends the program. */
void no_instrument(int sig);
/* So many instructions that belong to nobody's figures */
void spin(uint64_t n);
/* Returns for how long it did, in seconds. */
double spin_for(double length);

/* The figures at one moment; PMU exits are those for its MSRs and RDPMC. */
struct figures take(void);
double median(double *values, int n);

/* A case in rounds, each with @ops operations between @a and @b; then its line.
 * @error: of scaled counts, in percent, -1 if nothing was scaled */
void rounds_begin(void);
void round_add(const struct figures *a, const struct figures *b, double ops);
void rounds_end(const char *name, double error);
/* The same of an op; @per_op: operations in what @op does once */
void bench_op(const char *name, op_fn op, void *data, int per_op);
/* What goes on beside a loop, per tick; returns the loop's instructions. */
uint64_t measure_ticks(double length);

#endif /* PVBENCH_MEASURE_H */
