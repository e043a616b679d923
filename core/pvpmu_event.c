// SPDX-License-Identifier: MIT OR GPL-2.0
/* pvpmu core: which events there are, who may have them, and how */
#include "internal.h"

#define HW_BASIC                                                  \
	(1u << PVPMU_HW_CYCLES | 1u << PVPMU_HW_INSTRUCTIONS |    \
	 1u << PVPMU_HW_BRANCHES | 1u << PVPMU_HW_BRANCH_MISSES | \
	 1u << PVPMU_HW_REF_CYCLES)

static u32 hardware_class(u64 config)
{
	if (config >= PVPMU_HW_END)
		return 0;
	return HW_BASIC & 1u << config ? PVPMU_CLASS_BASIC : PVPMU_CLASS_CACHE;
}

static u32 cache_class(u64 config)
{
	u64 cache = config & 0xff;
	u64 op = config >> 8 & 0xff;
	u64 result = config >> 16;

	if (cache >= PVPMU_CACHE_END || op >= PVPMU_CACHE_OP_END ||
	    result >= PVPMU_CACHE_RESULT_END)
		return 0;
	return PVPMU_CLASS_CACHE;
}

#define RAW_ALL ((1ull << PVPMU_RAW_BITS) - 1)

/* The class an event belongs to, 0 if version 1 knows no such event. */
static u32 event_class(const struct pvpmu_host_ops *ops, u32 type, u64 config)
{
	switch (type) {
	case PVPMU_TYPE_HARDWARE:
		return hardware_class(config);
	case PVPMU_TYPE_CACHE:
		return cache_class(config);
	case PVPMU_TYPE_CLOCK:
		return config < PVPMU_CLOCK_END ? PVPMU_CLASS_BASIC : 0;
	case PVPMU_TYPE_HYPERVISOR:
		return config < PVPMU_HV_END ? PVPMU_CLASS_HYPERVISOR : 0;
	case PVPMU_TYPE_RAW:
		return config & ~(ops->raw & RAW_ALL) ? 0 : PVPMU_CLASS_RAW;
	default:
		return 0;
	}
}

/* PVPMU_CAP_* of an event, or PVPMU_ERR_EVENT. */
s32 pvpmu_event_caps(struct pvpmu_vcpu *vcpu, u32 type, u64 config)
{
	const struct pvpmu_desc desc = { .type = type, .config = config };
	u32 class = event_class(vcpu->ops, type, config);
	u32 caps;

	if (!(class & READ_ONCE(vcpu->vm->limits.classes)))
		return PVPMU_ERR_EVENT;
	caps = vcpu->ops->query(vcpu, &desc);
	if (!caps)
		return PVPMU_ERR_EVENT;
	return (s32)(caps | PVPMU_CAP_COUNT);
}

static bool measured_in_ns(u32 type, u64 config)
{
	return type == PVPMU_TYPE_CLOCK ||
	       (type == PVPMU_TYPE_HYPERVISOR && config == PVPMU_HV_STEAL);
}

static u64 period_min(const struct pvpmu_vm *vm, u32 type, u64 config)
{
	u32 min = measured_in_ns(type, config)
			  ? READ_ONCE(vm->limits.clock_period_min)
			  : READ_ONCE(vm->limits.period_min);

	return min ? min : 1;
}

/* The period nearest to @period that a guest may have for each but the first */
u64 pvpmu_period_clamp(const struct pvpmu_vm *vm, u32 type, u64 config,
		       u64 period)
{
	u64 min = period_min(vm, type, config);

	if (period < min)
		return min;
	return period < PVPMU_PERIOD_MAX ? period : PVPMU_PERIOD_MAX;
}

static s32 check_reserved(const struct pvpmu_vcpu *vcpu,
			  const struct pvpmu_slot_guest *line)
{
	u32 known = PVPMU_FLAGS_FILTERS;
	u32 i, any;

	if (vcpu->features & PVPMU_FEAT_RDPMC)
		known |= PVPMU_FLAG_USER_READ;
	any = line->flags & ~known;

	for (i = 0; i < sizeof(line->reserved) / sizeof(line->reserved[0]); i++)
		any |= line->reserved[i];
	return any ? PVPMU_ERR_RESERVED : PVPMU_OK;
}

/* A filter's bit in what QUERY answers is so much further up than its flag. */
#define CAPS_SHIFT 2

PVPMU_ASSERT(caps_of_flags,
	     PVPMU_FLAGS_FILTERS << CAPS_SHIFT ==
		     (PVPMU_CAP_EXCLUDE_USER | PVPMU_CAP_EXCLUDE_KERNEL |
		      PVPMU_CAP_EXCLUDE_GUEST | PVPMU_CAP_EXCLUDE_HOST));

static bool has_both(u32 flags, u32 one, u32 other)
{
	return flags & one && flags & other;
}

static s32 check_filter(u32 caps, u32 flags)
{
	if (has_both(flags, PVPMU_FLAG_EXCLUDE_USER,
		     PVPMU_FLAG_EXCLUDE_KERNEL) ||
	    has_both(flags, PVPMU_FLAG_EXCLUDE_GUEST, PVPMU_FLAG_EXCLUDE_HOST))
		return PVPMU_ERR_FILTER;
	return flags << CAPS_SHIFT & ~caps ? PVPMU_ERR_FILTER : PVPMU_OK;
}

static s32 check_period(const struct pvpmu_vm *vm, u32 caps,
			const struct pvpmu_slot_guest *line)
{
	if (!line->period)
		return line->next_period ? PVPMU_ERR_PERIOD : PVPMU_OK;
	if (!(caps & PVPMU_CAP_SAMPLE) || line->period > PVPMU_PERIOD_MAX)
		return PVPMU_ERR_PERIOD;
	/* The first one may be the rest of a longer one; it costs a call. */
	if (!line->next_period &&
	    line->period < period_min(vm, line->type, line->config))
		return PVPMU_ERR_PERIOD;
	return PVPMU_OK;
}

/* Checks a private copy of the guest's description, in the ABI's order. */
s32 pvpmu_event_check(struct pvpmu_vcpu *vcpu, u32 id,
		      const struct pvpmu_slot_guest *line)
{
	s32 error = check_reserved(vcpu, line);
	s32 caps;

	if (error)
		return error;
	caps = pvpmu_event_caps(vcpu, line->type, line->config);
	if (caps < 0)
		return caps;
	error = check_filter((u32)caps, line->flags & PVPMU_FLAGS_FILTERS);
	if (error)
		return error;
	error = check_period(vcpu->vm, (u32)caps, line);
	if (error)
		return error;
	return pvpmu_group_check(vcpu, id, line);
}

/* What a counter for it counts, if it is in no group. */
struct pvpmu_desc pvpmu_event_desc(const struct pvpmu_slot_guest *line)
{
	return (struct pvpmu_desc){
		.type = line->type,
		.flags = line->flags & PVPMU_FLAGS_FILTERS,
		.config = line->config,
		.sampling = line->period != 0,
	};
}

u32 pvpmu_slots_usable(const struct pvpmu_vm *vm)
{
	u32 slots = READ_ONCE(vm->limits.slots_vcpu);

	return slots < PVPMU_MAX_SLOTS ? slots : PVPMU_MAX_SLOTS;
}
