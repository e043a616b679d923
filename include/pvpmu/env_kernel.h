/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* env.h for the Linux kernel */
#ifndef PVPMU_ENV_KERNEL_H
#define PVPMU_ENV_KERNEL_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/math64.h>
#include <linux/nospec.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/barrier.h>

#define env_wmb() smp_wmb()
#define env_nospec(index, size) array_index_nospec(index, size)

static inline u32 env_or32(u32 *p, u32 bits)
{
	return (u32)atomic_fetch_or((int)bits, (atomic_t *)p);
}

static inline u32 env_xchg32(u32 *p, u32 value)
{
	return xchg(p, value);
}

static inline bool env_cmpxchg32(u32 *p, u32 old, u32 value)
{
	return cmpxchg(p, old, value) == old;
}

static inline u64 env_div64(u64 a, u64 b)
{
	return div64_u64(a, b);
}

#endif /* PVPMU_ENV_KERNEL_H */
