/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTEST_H
#define SELFTEST_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "vmm.h"

/* main.c */
void is(const char *name, int64_t got, int64_t wanted);
void between(const char *name, int64_t got, int64_t least, int64_t most);
uint64_t ns_of(clockid_t clock);
void param(const char *name, const char *value);
int64_t stat_of(const char *name);
void accept_in(struct vmm *v, struct pvpmu_area *area);
int64_t setup(struct vmm *v, int vcpu, int area);
int64_t open_event(struct vmm *v, int vcpu, int area, uint32_t id,
		   uint32_t type, uint64_t config, uint64_t period);

void test_calls(void);
void test_memory(void);
void test_reset(void);
void test_record(void);
void test_counts(void);
void test_clock(void);
void test_threads(void);
void test_blocked(void);
void test_hostile(void);
void test_perf(void);
void attack_for(unsigned int ms);

#endif
