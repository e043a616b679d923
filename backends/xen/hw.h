/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvpmu in Xen: a family of physical counters
 *
 * Everything here is called on the physical CPU whose counters it is about, in
 * Xen and with the vCPU loaded, so that nothing counts meanwhile: a PV guest's
 * counters count ring 3 only, an HVM guest's only between entry and exit.
 */
#ifndef PVPMU_XEN_HW_H
#define PVPMU_XEN_HW_H

#include "pvpmu_xen.h"

/* Modes that a counter counts, as the CPU tells them apart */
#define PVPMU_HW_USER (1u << 0)
#define PVPMU_HW_SYSTEM (1u << 1)

/**
 * struct pvpmu_hw - a family
 * @name: for the log
 * @probe: is it this CPU's, and what is there to know of it?  At boot
 * @event: what a counter is told to count @desc, and in @fits which ones can;
 *         0 if none can, with @fits 0 then
 * @prepare: makes ready what a vCPU needs before its first counter; null if it
 *           needs nothing.  False if there is no memory for it
 * @begin: before the first of a vCPU's counters is programmed: nothing of
 *         whoever had the CPU before counts or interrupts
 * @program: lets @phys, which is stopped, count @event in @modes from @value
 *           on, and interrupt when it wraps.  It does not count before @gate
 * @gate: from now on those of the mask count that are programmed, no other
 * @stop: lets @phys stop, whatever it was told; its value stays
 * @read: the value of @phys
 * @write: changes it; @value is masked
 * @mask: of the bits that @phys has
 * @far: how far from wrapping @phys may begin at most
 * @ack: an interrupt came: lets the next one come
 */
struct pvpmu_hw {
	const char *name;
	bool (*probe)(void);
	u64 (*event)(const struct pvpmu_desc *desc, u32 *fits);
	bool (*prepare)(struct pvpmu_xen *x);
	void (*begin)(struct pvpmu_xen *x);
	void (*program)(struct pvpmu_xen *x, u32 phys, u64 event, u32 modes,
			u64 value);
	void (*gate)(struct pvpmu_xen *x, u32 phys);
	void (*stop)(struct pvpmu_xen *x, u32 phys);
	u64 (*read)(u32 phys);
	void (*write)(u32 phys, u64 value);
	u64 (*mask)(u32 phys);
	u64 (*far)(u32 phys);
	void (*ack)(void);
};

extern const struct pvpmu_hw pvpmu_hw_amd, pvpmu_hw_intel;

#endif /* PVPMU_XEN_HW_H */
