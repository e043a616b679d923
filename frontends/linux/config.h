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

/* The CPU's own event number: event and unit mask, and what may be beside them */
#define PVG_RAW_NARROW GENMASK_ULL(15, 0)
#define PVG_RAW_WIDE (GENMASK_ULL(35, 32) | PVG_RAW_NARROW)
#define PVG_RAW_EDGE BIT_ULL(18)
#define PVG_RAW_ANY BIT_ULL(21)
#define PVG_RAW_INVERT BIT_ULL(23)
#define PVG_RAW_THRESHOLD GENMASK_ULL(31, 24)
#define PVG_RAW_UPPER GENMASK_ULL(55, 32)

#endif /* PVG_CONFIG_H */
