/* SPDX-License-Identifier: GPL-2.0-only */
/* loop(n) executes exactly n instructions, a multiple of LOOP_LENGTH and not 0;
 * one in LOOP_LENGTH is a branch; about ten more for the call itself. */
#ifndef LOOP_H
#define LOOP_H

#include <stdint.h>

#define LOOP_LENGTH 10
void loop(uint64_t n);
extern const char loop_begin[], loop_end[];

#endif
