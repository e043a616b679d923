/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Our PMU's perf_event_attr.config, as sysfs format/ describes it to tools:
 *
 *  class (63:56) 0: the CPU's own event number, where CPUs have it; otherwise
 *                a type of the ABI
 *  id (31:0)     with a class: config of the ABI
 */
#ifndef PVG_CONFIG_H
#define PVG_CONFIG_H

#include <linux/bits.h>

#define PVG_CLASS_SHIFT 56
#define PVG_CLASS_MASK GENMASK_ULL(63, 56)
#define PVG_ID_MASK GENMASK_ULL(31, 0)
#define PVG_RAW_MASK (GENMASK_ULL(35, 32) | GENMASK_ULL(15, 0))

#endif /* PVG_CONFIG_H */
