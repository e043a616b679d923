/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* env.h for a process; its "NMI context" is a signal handler */
#ifndef PVPMU_ENV_USER_H
#define PVPMU_ENV_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#define READ_ONCE(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), v, __ATOMIC_RELAXED)

#define env_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)

static inline u32 env_or32(u32 *p, u32 bits)
{
	return __atomic_fetch_or(p, bits, __ATOMIC_SEQ_CST);
}

static inline u32 env_xchg32(u32 *p, u32 value)
{
	return __atomic_exchange_n(p, value, __ATOMIC_SEQ_CST);
}

static inline bool env_cmpxchg32(u32 *p, u32 old, u32 value)
{
	return __atomic_compare_exchange_n(p, &old, value, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Without a branch that could be mispredicted: a mask of ones if in range. */
static inline size_t env_nospec(size_t index, size_t size)
{
	return index &
	       (size_t)((ptrdiff_t)(index - size) >> (sizeof(size_t) * 8 - 1));
}

static inline u64 env_div64(u64 a, u64 b)
{
	return a / b;
}

#endif /* PVPMU_ENV_USER_H */
