/* SPDX-License-Identifier: GPL-2.0 */
/* For arithmetic of the Linux driver that is tested in a process. */
#ifndef SHIM_LINUX_MATH64_H
#define SHIM_LINUX_MATH64_H

#include <pvpmu/env.h>

static inline u64 div64_u64(u64 dividend, u64 divisor)
{
	return dividend / divisor;
}

static inline u64 mul_u64_u64_div_u64(u64 a, u64 b, u64 divisor)
{
	__extension__ typedef unsigned __int128 u128;

	return (u64)((u128)a * b / divisor);
}

#endif /* SHIM_LINUX_MATH64_H */
