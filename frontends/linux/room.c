// SPDX-License-Identifier: GPL-2.0
/*
 * How many events a CPU keeps on its host.
 *
 * The host may refuse one that was added, because the VM has as many as it may,
 * or for want of a counter.  Then perf is told that there is no more room: it adds
 * the CPU's events anew, as many as were not refused, and takes turns among all.
 * Without that, the same ones would be left out for as long as the others stay.
 *
 * What the VM may have is shared by its CPUs.  One that has less than its part
 * has the others give up what is more than theirs.
 *
 * All functions here: interrupts off, on the CPU that they are about.
 */
#include "pvpmu.h"

#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/minmax.h>

/* How long the CPUs keep to their parts after one had less than its own */
#define SHARE_NS (10 * NSEC_PER_SEC)

static u32 share;
static u64 share_since;

static u32 opened(const struct pvg_cpu *cpu)
{
	u32 n = 0;

	for_each_id(id, READ_ONCE(cpu->used))
		n += READ_ONCE(cpu->slot[id].open);
	return n;
}

static bool shared(void)
{
	return READ_ONCE(share) &&
	       pvg_clock() - READ_ONCE(share_since) < SHARE_NS;
}

/* What is open now is all that the VM may have; each CPU has a part of it. */
static void divide(const struct pvg_cpu *cpu)
{
	u32 all = 0, part;
	int number;

	for_each_online_cpu(number)
		all += opened(per_cpu_ptr(&pvg_cpus, number));
	part = max(all / num_online_cpus(), 1u);
	if (opened(cpu) >= part)
		return;
	WRITE_ONCE(share, part);
	WRITE_ONCE(share_since, pvg_clock());
}

static void add_anew(struct pvg_cpu *cpu)
{
	cpu->resched = true;
	irq_work_queue(&cpu->work);
}

/**
 * pvg_room() - how many events the host has not refused
 * @cpu: this CPU
 *
 * Unlike the limit that pvg_usable() tells, it holds for those that are open, too.
 *
 * Return: at least 1.
 */
u32 pvg_room(const struct pvg_cpu *cpu)
{
	u32 room = cpu->room ? cpu->room : PVPMU_MAX_SLOTS;

	if (shared())
		room = min(room, READ_ONCE(share));
	return room;
}

/**
 * pvg_room_refused() - the host had no room for an event
 * @cpu: this CPU
 * @error: what it answered
 *
 * Return: whether it was known already, and need not be told.
 */
bool pvg_room_refused(struct pvg_cpu *cpu, s32 error)
{
	bool known = cpu->room;

	if (error != PVPMU_ERR_LIMIT && error != PVPMU_ERR_HOST)
		return false;
	if (error == PVPMU_ERR_LIMIT)
		divide(cpu);
	cpu->room = max(opened(cpu), 1u);
	cpu->room_since = pvg_clock();
	add_anew(cpu);
	return known;
}

/**
 * pvg_room_check() - gives up what is others', and tries whether there is more
 * @cpu: this CPU
 * @now: pvg_clock()
 *
 * To be called once a second.
 */
void pvg_room_check(struct pvg_cpu *cpu, u64 now)
{
	if (cpu->room && now - cpu->room_since >= NSEC_PER_SEC / 2) {
		cpu->room = cpu->room < cpu->host.slots ? cpu->room + 1 : 0;
		add_anew(cpu);
	}
	if (hweight32(cpu->used & ~cpu->closing) > pvg_room(cpu))
		add_anew(cpu);
}
