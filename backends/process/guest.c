// SPDX-License-Identifier: MIT OR GPL-2.0
/* pvpmu: a guest in a few functions, see guest.h */
#include <string.h>

#include "guest.h"

/* A host changes a line within microseconds; one that is odd for longer is a
 * copy that was made at a bad moment. */
#define READ_TRIES 1000

/* Features that the functions here use */
#define FEATURES (PVPMU_FEAT_LVTPC | PVPMU_FEAT_PV_NMI | PVPMU_FEAT_EVTCHN)

/* Is there a host of our major version at @base? */
static bool is_host(const struct pvpmu_machine *machine, __u32 base)
{
	__u32 regs[4];

	machine->cpuid(machine->data, base, regs);
	if (regs[1] != PVPMU_SIGNATURE_EBX || regs[2] != PVPMU_SIGNATURE_ECX ||
	    regs[3] != PVPMU_SIGNATURE_EDX ||
	    regs[0] < base + PVPMU_CPUID_LEAVES)
		return false;
	machine->cpuid(machine->data, base + 1, regs);
	return regs[0] >> 16 == PVPMU_ABI_MAJOR;
}

static bool find_base(const struct pvpmu_machine *machine, __u32 *base)
{
	for (*base = PVPMU_CPUID_FIRST; *base <= PVPMU_CPUID_LAST;
	     *base += PVPMU_CPUID_STEP)
		if (is_host(machine, *base))
			return true;
	return false;
}

/* An area is one page; its header and slots may be longer than those of 1.0. */
static bool is_page(const struct pvpmu_guest *guest, __u32 pages)
{
	return pages == PVPMU_AREA_PAGES && guest->slots > 0 &&
	       guest->slot_size % PVPMU_LINE_SIZE == 0 &&
	       guest->header_size % PVPMU_LINE_SIZE == 0 &&
	       guest->slot_size >= PVPMU_SLOT_SIZE &&
	       guest->header_size >= PVPMU_HEADER_SIZE &&
	       guest->header_size + guest->slots * guest->slot_size <=
		       PVPMU_AREA_SIZE;
}

bool pvpmu_guest_discover(struct pvpmu_guest *guest,
			  const struct pvpmu_machine *machine)
{
	__u32 base, regs[4];

	memset(guest, 0, sizeof(*guest));
	guest->machine = *machine;
	if (!find_base(machine, &base))
		return false;

	machine->cpuid(machine->data, base + 1, regs);
	guest->version = regs[0];
	guest->slots = regs[1] & 0xffff;
	guest->slot_size = regs[1] >> 16;
	guest->features = regs[2];
	guest->number = regs[3];
	machine->cpuid(machine->data, base + 2, regs);
	guest->op_base = regs[0];
	guest->header_size = regs[1] & 0xffff;
	return is_page(guest, regs[1] >> 16);
}

__s32 pvpmu_guest_setup(struct pvpmu_guest *guest,
			const struct pvpmu_machine *machine,
			struct pvpmu_area *area, __u64 frame, __u32 delivery)
{
	if (!pvpmu_guest_discover(guest, machine))
		return PVPMU_ERR_NO_AREA;
	guest->area = area;
	/* If it is registered already, most of it is the host's to write. */
	pvpmu_guest_call(guest, PVPMU_OP_DETACH, 0, 0, 0);
	memset(area, 0, sizeof(*area));
	area->guest.version = PVPMU_ABI_VERSION;
	area->guest.features = guest->features & FEATURES;
	return pvpmu_guest_call(guest, PVPMU_OP_SETUP, (__u32)frame,
				(__u32)(frame >> 32), delivery);
}

__s32 pvpmu_guest_call(struct pvpmu_guest *guest, __u32 op, __u32 a, __u32 b,
		       __u32 c)
{
	/* The host reads what was written before the call. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return guest->machine.call(guest->machine.data, guest->number,
				   guest->op_base + op, a, b, c);
}

__s32 pvpmu_guest_query(struct pvpmu_guest *guest,
			const struct pvpmu_event *event)
{
	return pvpmu_guest_call(guest, PVPMU_OP_QUERY, event->type,
				(__u32)event->config,
				(__u32)(event->config >> 32));
}

static struct pvpmu_slot *slot_of(const struct pvpmu_guest *guest, __u32 id)
{
	return (struct pvpmu_slot *)((char *)guest->area + guest->header_size +
				     id * guest->slot_size);
}

void pvpmu_guest_describe(struct pvpmu_guest *guest, __u32 id,
			  const struct pvpmu_event *event)
{
	struct pvpmu_slot_guest *line = &slot_of(guest, id)->guest;

	memset(line, 0, sizeof(*line));
	line->type = event->type;
	line->flags = event->flags;
	line->config = event->config;
	line->period = event->period;
	line->leader = id;
}

__s32 pvpmu_guest_update(struct pvpmu_guest *guest,
			 const struct pvpmu_masks *masks)
{
	struct pvpmu_header_guest *line = &guest->area->guest;

	line->close = masks->close;
	line->disable = masks->disable;
	line->open = masks->open;
	line->enable = masks->enable;
	line->read = masks->read;
	return pvpmu_guest_call(guest, PVPMU_OP_UPDATE, 0, 0, 0);
}

bool pvpmu_guest_read(const struct pvpmu_guest *guest, __u32 id,
		      struct pvpmu_slot_host *copy)
{
	const __u32 *line = &slot_of(guest, id)->host.seq;
	__u32 words[sizeof(*copy) / sizeof(__u32)];
	int tries;
	__u32 i;

	for (tries = 0; tries < READ_TRIES; tries++) {
		words[0] = __atomic_load_n(&line[0], __ATOMIC_ACQUIRE);
		for (i = 1; i < sizeof(words) / sizeof(words[0]); i++)
			words[i] = __atomic_load_n(&line[i], __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (words[0] & 1 ||
		    words[0] != __atomic_load_n(&line[0], __ATOMIC_RELAXED))
			continue;
		memcpy(copy, words, sizeof(*copy));
		return true;
	}
	return false;
}

__u32 pvpmu_guest_take_pending(struct pvpmu_guest *guest)
{
	return __atomic_exchange_n(&guest->area->overflow.pending, 0,
				   __ATOMIC_SEQ_CST);
}
