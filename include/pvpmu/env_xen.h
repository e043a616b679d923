/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* env.h for the Xen hypervisor */
#ifndef PVPMU_ENV_XEN_H
#define PVPMU_ENV_XEN_H

#include <xen/lib.h>
#include <xen/nospec.h>
#include <xen/string.h>
#include <xen/types.h>
#include <asm/system.h>

/* Names that Xen has had once; the same again where it still has them. */
typedef uint8_t __u8;
typedef uint16_t __u16;
typedef int32_t __s32;
typedef uint32_t __u32;
typedef uint64_t __u64;
typedef int32_t s32;
typedef int64_t s64;

#ifndef READ_ONCE
#define READ_ONCE(x) ACCESS_ONCE(x)
#endif
#ifndef WRITE_ONCE
#define WRITE_ONCE(x, v) (ACCESS_ONCE(x) = (v))
#endif

#define env_wmb() smp_wmb()
#define env_nospec(index, size) array_index_nospec(index, size)

static inline u32 env_xchg32(u32 *p, u32 value)
{
	return xchg(p, value);
}

static inline bool env_cmpxchg32(u32 *p, u32 old, u32 value)
{
	return cmpxchg(p, old, value) == old;
}

static inline u32 env_or32(u32 *p, u32 bits)
{
	u32 old;

	do {
		old = READ_ONCE(*p);
	} while (!env_cmpxchg32(p, old, old | bits));
	return old;
}

static inline u64 env_div64(u64 a, u64 b)
{
	return a / b;
}

#endif /* PVPMU_ENV_XEN_H */
