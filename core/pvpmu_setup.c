// SPDX-License-Identifier: MIT OR GPL-2.0
/* pvpmu core: SETUP: what a guest says of itself, and how an area begins */
#include "internal.h"

/* Features without which a delivery is not served; ~0 if there is none such */
static u32 delivery_needs(u32 delivery)
{
	static const u32 needs[] = {
		[PVPMU_DELIVER_NONE] = 0,
		[PVPMU_DELIVER_LVTPC] = PVPMU_FEAT_LVTPC,
		[PVPMU_DELIVER_PV_NMI] = PVPMU_FEAT_PV_NMI,
		[PVPMU_DELIVER_EVTCHN] = PVPMU_FEAT_EVTCHN,
	};
	const u32 kinds = sizeof(needs) / sizeof(needs[0]);
	u32 kind = delivery & PVPMU_DELIVER_MASK;

	return kind < kinds ? needs[env_nospec(kind, kinds)] : ~0u;
}

static u32 features_of(const struct pvpmu_vcpu *vcpu)
{
	return vcpu->ops->features & PVPMU_FEATURES;
}

/* What can be said of a SETUP before its page is looked at */
s32 pvpmu_setup_check(struct pvpmu_vcpu *vcpu, u64 frame, u32 delivery)
{
	u32 kind = delivery & PVPMU_DELIVER_MASK;

	if (!pvpmu_slots_usable(vcpu->vm))
		return PVPMU_ERR_DENIED;
	if (delivery_needs(delivery) & ~features_of(vcpu))
		return PVPMU_ERR_DELIVERY;
	if (kind != PVPMU_DELIVER_EVTCHN && delivery != kind)
		return PVPMU_ERR_RESERVED;
	if (!vcpu->ops->deliver(vcpu, kind,
				delivery >> PVPMU_DELIVER_PORT_SHIFT))
		return PVPMU_ERR_DELIVERY;
	return frame >> PVPMU_FRAME_BITS ? PVPMU_ERR_FRAME : PVPMU_OK;
}

/*
 * A guest of our major version uses features that are served, and says so of
 * the one that its delivery needs.
 */
s32 pvpmu_accept_check(const struct pvpmu_vcpu *vcpu, u32 delivery, u32 version,
		       u32 features)
{
	if (version >> 16 != PVPMU_ABI_MAJOR || features & ~features_of(vcpu) ||
	    delivery_needs(delivery) & ~features)
		return PVPMU_ERR_VERSION;
	return PVPMU_OK;
}

s32 pvpmu_attach(struct pvpmu_vcpu *vcpu, u64 frame)
{
	switch (vcpu->ops->area_attach(vcpu, frame)) {
	case PVPMU_DONE:
		return PVPMU_OK;
	case PVPMU_LATER:
		return PVPMU_ERR_RETRY;
	default:
		return PVPMU_ERR_FRAME;
	}
}

/*
 * An area that was attached is in force.  Nothing is written into the one
 * before any more; events end without a word.
 */
void pvpmu_begin(struct pvpmu_vcpu *vcpu, u64 frame, u32 delivery, u32 version,
		 u32 features)
{
	pvpmu_slot_close_all(vcpu);
	vcpu->attached = true;
	vcpu->restored = false;
	vcpu->frame = frame;
	vcpu->delivery = delivery;
	vcpu->version = version;
	vcpu->features = features;
}

/* The new area is not to be: the one before goes on, if it is still there. */
static void attach_again(struct pvpmu_vcpu *vcpu)
{
	if (!vcpu->attached)
		vcpu->ops->area_detach(vcpu);
	else if (pvpmu_attach(vcpu, vcpu->frame))
		vcpu->lost = true;
}

/* What the guest says of itself: its version, and the features that it uses */
static s32 read_accepted(struct pvpmu_vcpu *vcpu, u32 delivery, u32 accepted[2])
{
	if (!vcpu->ops->area_read(vcpu, PVPMU_OFFSET(pvpmu_area, guest.version),
				  accepted, 2 * sizeof(*accepted)))
		return PVPMU_ERR_FRAME;
	return pvpmu_accept_check(vcpu, delivery, accepted[0], accepted[1]);
}

/* Attaches the new area first: if that fails, the old one goes on as it was. */
s32 pvpmu_setup(struct pvpmu_vcpu *vcpu, u64 frame, u32 delivery)
{
	s32 error = pvpmu_setup_check(vcpu, frame, delivery);
	u32 accepted[2];

	if (error)
		return error;
	error = pvpmu_attach(vcpu, frame);
	if (error)
		return error;
	error = read_accepted(vcpu, delivery, accepted);
	if (error) {
		attach_again(vcpu);
		return error;
	}
	pvpmu_begin(vcpu, frame, delivery, accepted[0], accepted[1]);
	pvpmu_area_reset(vcpu);
	return vcpu->lost ? PVPMU_ERR_FRAME : PVPMU_OK;
}
