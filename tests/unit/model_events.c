// SPDX-License-Identifier: MIT OR GPL-2.0
/* The model's tables of events, classes, filters and periods */
#include "model.h"

static const u32 hardware_class[] = {
	[PVPMU_HW_CYCLES] = PVPMU_CLASS_BASIC,
	[PVPMU_HW_INSTRUCTIONS] = PVPMU_CLASS_BASIC,
	[PVPMU_HW_CACHE_REFERENCES] = PVPMU_CLASS_CACHE,
	[PVPMU_HW_CACHE_MISSES] = PVPMU_CLASS_CACHE,
	[PVPMU_HW_BRANCHES] = PVPMU_CLASS_BASIC,
	[PVPMU_HW_BRANCH_MISSES] = PVPMU_CLASS_BASIC,
	[PVPMU_HW_BUS_CYCLES] = PVPMU_CLASS_CACHE,
	[PVPMU_HW_STALLED_FRONTEND] = PVPMU_CLASS_CACHE,
	[PVPMU_HW_STALLED_BACKEND] = PVPMU_CLASS_CACHE,
	[PVPMU_HW_REF_CYCLES] = PVPMU_CLASS_BASIC,
};

/* 0 if there is no such event */
static u32 class_of(u32 type, u64 config)
{
	switch (type) {
	case HW:
		return config < 10 ? hardware_class[config] : 0;
	case PVPMU_TYPE_CACHE:
		return (config & 0xff) < 7 && (config >> 8 & 0xff) < 3 &&
				       config >> 16 < 2
			       ? PVPMU_CLASS_CACHE
			       : 0;
	case PVPMU_TYPE_CLOCK:
		return config == 0 ? PVPMU_CLASS_BASIC : 0;
	case PVPMU_TYPE_HYPERVISOR:
		return config < 11 ? PVPMU_CLASS_HYPERVISOR : 0;
	case PVPMU_TYPE_RAW:
		return config & ~0xf0000ffffull ? 0 : PVPMU_CLASS_RAW;
	default:
		return 0;
	}
}

s32 model_query(const struct model *m, u32 type, u64 config)
{
	if (!(class_of(type, config) & m->limits->classes))
		return PVPMU_ERR_EVENT;
	return machine_caps(type, config) ? (s32)machine_caps(type, config)
					  : PVPMU_ERR_EVENT;
}

static u64 shortest(const struct model *m, const struct pvpmu_slot_guest *event)
{
	if (event->type == PVPMU_TYPE_CLOCK ||
	    (event->type == PVPMU_TYPE_HYPERVISOR &&
	     event->config == PVPMU_HV_STEAL))
		return m->limits->clock_period_min;
	return m->limits->period_min;
}

u64 model_next_length(const struct model *m,
		      const struct pvpmu_slot_guest *event, u64 next)
{
	u64 length = next ? next : event->period;

	if (length < shortest(m, event))
		return shortest(m, event);
	return length > PVPMU_PERIOD_MAX ? PVPMU_PERIOD_MAX : length;
}

u32 model_usable(const struct model *m)
{
	return m->limits->slots_vcpu < 30 ? m->limits->slots_vcpu : 30;
}

static s32 check_filter(const struct pvpmu_slot_guest *event)
{
	static const u32 cap[] = {
		PVPMU_CAP_EXCLUDE_USER,
		PVPMU_CAP_EXCLUDE_KERNEL,
		PVPMU_CAP_EXCLUDE_GUEST,
		PVPMU_CAP_EXCLUDE_HOST,
	};
	u32 i;

	if ((event->flags & 3) == 3 || (event->flags & 12) == 12)
		return PVPMU_ERR_FILTER;
	for (i = 0; i < 4; i++)
		if (event->flags & BIT(i) &&
		    !(machine_caps(event->type, event->config) & cap[i]))
			return PVPMU_ERR_FILTER;
	return PVPMU_OK;
}

static s32 check_period(const struct model *m,
			const struct pvpmu_slot_guest *event)
{
	if (!event->period)
		return event->next_period ? PVPMU_ERR_PERIOD : PVPMU_OK;
	if (!(machine_caps(event->type, event->config) & PVPMU_CAP_SAMPLE))
		return PVPMU_ERR_PERIOD;
	if (event->period > PVPMU_PERIOD_MAX)
		return PVPMU_ERR_PERIOD;
	if (!event->next_period && event->period < shortest(m, event))
		return PVPMU_ERR_PERIOD;
	return PVPMU_OK;
}

/* The checks of OPEN, in its order, up to its group */
s32 model_check_event(const struct model *m,
		      const struct pvpmu_slot_guest *event)
{
	bool rdpmc = m->features & PVPMU_FEAT_RDPMC;
	s32 error;
	u32 i;

	if (event->flags & ~(rdpmc ? 31u : 15u))
		return PVPMU_ERR_RESERVED;
	for (i = 0; i < 7; i++)
		if (event->reserved[i])
			return PVPMU_ERR_RESERVED;
	error = model_query(m, event->type, event->config);
	if (error < 0)
		return error;
	error = check_filter(event);
	return error ? error : check_period(m, event);
}
