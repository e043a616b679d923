// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * pvpmu core: the page that a vCPU shares with its guest
 *
 * All of core's accesses to it are here.  The first one that fails marks the
 * area as lost; what comes after it in the same entry point is dropped, and
 * pvpmu_settle() closes everything in the end.
 */
#include "internal.h"

u32 pvpmu_slot_offset(u32 id)
{
	return PVPMU_HEADER_SIZE + id * PVPMU_SLOT_SIZE;
}

bool pvpmu_area_read(struct pvpmu_vcpu *vcpu, u32 offset, void *to, u32 len)
{
	if (!vcpu->lost && vcpu->ops->area_read(vcpu, offset, to, len))
		return true;
	vcpu->lost = true;
	return false;
}

/* Writes core's copy of a line, whose sequence moves on with the page's. */
static void write_line(struct pvpmu_vcpu *vcpu, u32 offset, u32 *seq,
		       const void *line)
{
	*seq += 2;
	if (!vcpu->lost && !vcpu->ops->area_line(vcpu, offset, line))
		vcpu->lost = true;
}

/* Shows the guest what the host has for @id. */
void pvpmu_area_show(struct pvpmu_vcpu *vcpu, u32 id)
{
	struct pvpmu_slot_host *host = &vcpu->slot[id].host;

	write_line(vcpu, pvpmu_slot_offset(id) + PVPMU_OFFSET(pvpmu_slot, host),
		   &host->seq, host);
}

/* What the header says of the host; it is not shown yet. */
void pvpmu_area_set_header(struct pvpmu_vcpu *vcpu)
{
	vcpu->header.version = PVPMU_ABI_VERSION;
	vcpu->header.features = vcpu->features;
	vcpu->header.slots_usable = pvpmu_slots_usable(vcpu->vm);
}

void pvpmu_area_show_header(struct pvpmu_vcpu *vcpu)
{
	struct pvpmu_header_host *host = &vcpu->header;

	write_line(vcpu, PVPMU_OFFSET(pvpmu_area, host), &host->seq, host);
}

/* Writes all that is the host's, whatever the page held before. */
void pvpmu_area_reset(struct pvpmu_vcpu *vcpu)
{
	const struct pvpmu_header_pending none = { 0 };
	u32 id;

	vcpu->header.generation++;
	pvpmu_area_set_header(vcpu);
	vcpu->pending = false;

	if (!vcpu->ops->area_write(vcpu, PVPMU_OFFSET(pvpmu_area, overflow),
				   &none, sizeof(none)))
		vcpu->lost = true;
	for (id = 0; id < PVPMU_MAX_SLOTS; id++) {
		struct pvpmu_slot_host *host = &vcpu->slot[id].host;
		u32 seq = host->seq;

		memset(host, 0, sizeof(*host));
		host->seq = seq;
		pvpmu_area_show(vcpu, id);
	}
	/* Last, so that a new generation says that the slots are in place. */
	pvpmu_area_show_header(vcpu);
}

/* The administrator may change it while the guest runs. */
void pvpmu_area_show_limit(struct pvpmu_vcpu *vcpu)
{
	u32 usable = pvpmu_slots_usable(vcpu->vm);

	if (!vcpu->attached || vcpu->header.slots_usable == usable)
		return;
	vcpu->header.slots_usable = usable;
	pvpmu_area_show_header(vcpu);
}

/* Adds @ids to the pending word; its old value, 0 if the area is gone. */
u32 pvpmu_area_pend(struct pvpmu_vcpu *vcpu, u32 ids)
{
	u32 old;

	if (vcpu->lost)
		return 0;
	if (vcpu->ops->area_or32(vcpu, PVPMU_OFFSET(pvpmu_area, overflow), ids,
				 &old))
		return old;
	vcpu->lost = true;
	return 0;
}
