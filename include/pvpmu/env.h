/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * What core needs from the place it is compiled in, and nothing else:
 *
 *  u8 u16 u32 u64 s32 s64 bool, memcpy(), memset()
 *  READ_ONCE(), WRITE_ONCE()     one access, never torn up to the word size
 *  env_wmb()                     orders writes as another CPU sees them
 *  env_or32(p, bits)             atomic, full barrier, returns the old value
 *  env_xchg32(p, value)          atomic, full barrier, returns the old value
 *  env_cmpxchg32(p, old, new)    atomic, full barrier, true if it was swapped
 *  env_nospec(index, size)       index, or 0 where a CPU speculates beyond size
 *  env_div64(a, b)               a / b
 *
 * All of them may be used in NMI context.  A new environment is one more file
 * beside these.
 */
#ifndef PVPMU_ENV_H
#define PVPMU_ENV_H

#if defined(__XEN__)
#include "env_xen.h"
#elif defined(__KERNEL__)
#include "env_kernel.h"
#else
#include "env_user.h"
#endif

#endif /* PVPMU_ENV_H */
