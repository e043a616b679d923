// SPDX-License-Identifier: GPL-2.0
/* The page that a CPU shares with its host, and the calls about it. */
#include "pvpmu.h"

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/processor.h>
#include <linux/string.h>

/* A line that is odd for longer than this was copied so; see abi.h. */
#define LINE_TRIES 64

struct pvpmu_area *pvg_area(const struct pvg_cpu *cpu)
{
	return cpu->area;
}

/* The host says how long its header and slots are; we use their beginnings. */
struct pvpmu_slot *pvg_area_slot(struct pvg_cpu *cpu, u32 id)
{
	return cpu->area + cpu->host.header + id * cpu->host.stride;
}

/* Context: any, on @cpu. */
s64 pvg_call(struct pvg_cpu *cpu, u32 op, u32 a, u32 b, u32 c)
{
	return pvg_transport->call(cpu->host.number, cpu->host.op_base + op, a,
				   b, c);
}

/**
 * pvg_absent() - does this result mean that nobody serves our area?
 * @result: of a call that needs an area
 *
 * What is not in version 1's list comes from a hypervisor that does not know
 * the call.
 */
bool pvg_absent(s64 result)
{
	return result == PVPMU_ERR_NO_AREA || result == PVPMU_ERR_OPERATION ||
	       result == PVPMU_ERR_DENIED || result < PVPMU_ERR_LAST ||
	       (result < 0 && result > PVPMU_ERR_OPERATION);
}

/**
 * pvg_line() - reads a host line in one piece
 * @cpu: this CPU
 * @id: of the slot
 * @line: its contents
 *
 * The host writes it only while this CPU does not run the guest, so a second
 * try is rare.
 *
 * Context: any, on @cpu.
 * Return: false if the line cannot be read, @line is undefined then.
 */
bool pvg_line(struct pvg_cpu *cpu, u32 id, struct pvg_line *line)
{
	const struct pvpmu_slot_host *host = &pvg_area_slot(cpu, id)->host;
	int tries;
	u32 seq;

	for (tries = 0; tries < LINE_TRIES; tries++) {
		seq = READ_ONCE(host->seq);
		smp_rmb();
		line->state = READ_ONCE(host->state);
		line->count = READ_ONCE(host->count);
		line->enabled = READ_ONCE(host->time_enabled);
		line->running = READ_ONCE(host->time_running);
		line->overflow_total = READ_ONCE(host->overflow_total);
		line->error = READ_ONCE(host->error);
		smp_rmb();
		if (!(seq & 1) && READ_ONCE(host->seq) == seq)
			return true;
		cpu_relax();
	}
	return false;
}

/* How many ids we may have open.  Context: any, on @cpu. */
u32 pvg_usable(const struct pvg_cpu *cpu)
{
	if (!cpu->live)
		return cpu->host.slots;
	return min(READ_ONCE(pvg_area(cpu)->host.slots_usable),
		   cpu->host.slots);
}

/* Lets the area go.  Context: interrupts off, on @cpu. */
void pvg_detach(struct pvg_cpu *cpu)
{
	if (cpu->live)
		pvg_call(cpu, PVPMU_OP_DETACH, 0, 0, 0);
	cpu->live = false;
}

/**
 * pvg_setup() - registers this CPU's area
 * @cpu: this CPU; it has no slot that is open
 *
 * Context: interrupts off, on @cpu.
 * Return: PVPMU_OK, then the area is empty and @cpu is live; otherwise an
 *         error of SETUP, or PVPMU_ERR_NO_AREA if there is no host.
 */
s64 pvg_setup(struct pvg_cpu *cpu)
{
	struct pvg_host host;
	u64 frame = pvg_transport->frame(cpu->area);
	s64 result;
	int error;

	/* A search costs many exits, so later ones are not all thorough. */
	error = pvg_discover(&host, cpu->host.base, cpu->retries % 8 == 0);
	if (error) {
		if (error == -EPROTO && !cpu->retries)
			pvg_notice(cpu, PVG_NOTICE_VERSION);
		cpu->retries++;
		return PVPMU_ERR_NO_AREA;
	}
	cpu->retries = 0;
	/* As long as it is registered, most of it is the host's to write. */
	pvg_detach(cpu);
	cpu->host = host;
	memset(cpu->area, 0, PVPMU_AREA_SIZE);
	result = pvg_call(cpu, PVPMU_OP_SETUP, lower_32_bits(frame),
			  upper_32_bits(frame), pvg_lvtpc_open(&host));
	if (result >= 0) {
		cpu->live = true;
		cpu->lost = false;
		return PVPMU_OK;
	}
	return result;
}
