// SPDX-License-Identifier: MIT OR GPL-2.0
/* pvpmu-process: names of events */
#include <stdlib.h>
#include <string.h>

#include "names.h"

#define HARDWARE(name, event)                               \
	{                                                   \
		name, PVPMU_TYPE_HARDWARE, PVPMU_HW_##event \
	}
#define HYPERVISOR(name, event)                               \
	{                                                     \
		name, PVPMU_TYPE_HYPERVISOR, PVPMU_HV_##event \
	}
#define CACHE(name, cache, op, result)                                        \
	{                                                                     \
		name, PVPMU_TYPE_CACHE,                                       \
			PVPMU_CACHE(PVPMU_CACHE_##cache, PVPMU_CACHE_OP_##op, \
				    PVPMU_CACHE_##result)                     \
	}

/* Accesses and misses of a cache, by reads and by writes */
#define CACHE_READS(name, cache)                   \
	CACHE(name "-loads", cache, READ, ACCESS), \
		CACHE(name "-load-misses", cache, READ, MISS)
#define CACHE_WRITES(name, cache)                    \
	CACHE(name "-stores", cache, WRITE, ACCESS), \
		CACHE(name "-store-misses", cache, WRITE, MISS)

const struct pvpmu_name pvpmu_names[] = {
	{ "clock", PVPMU_TYPE_CLOCK, PVPMU_CLOCK_VCPU },
	HYPERVISOR("exits", EXITS),
	HYPERVISOR("steal", STEAL),
	HYPERVISOR("preemptions", PREEMPTIONS),
	HYPERVISOR("halts", HALTS),
	HYPERVISOR("exits-interrupt", EXITS_INTERRUPT),
	HYPERVISOR("exits-idle", EXITS_IDLE),
	HYPERVISOR("exits-io", EXITS_IO),
	HYPERVISOR("exits-memory", EXITS_MEMORY),
	HYPERVISOR("exits-instruction", EXITS_INSTRUCTION),
	HYPERVISOR("exits-hypercall", EXITS_HYPERCALL),
	HYPERVISOR("exits-other", EXITS_OTHER),
	HARDWARE("cycles", CYCLES),
	HARDWARE("instructions", INSTRUCTIONS),
	HARDWARE("cache-references", CACHE_REFERENCES),
	HARDWARE("cache-misses", CACHE_MISSES),
	HARDWARE("branches", BRANCHES),
	HARDWARE("branch-misses", BRANCH_MISSES),
	HARDWARE("bus-cycles", BUS_CYCLES),
	HARDWARE("stalled-cycles-frontend", STALLED_FRONTEND),
	HARDWARE("stalled-cycles-backend", STALLED_BACKEND),
	HARDWARE("ref-cycles", REF_CYCLES),
	CACHE_READS("L1-dcache", L1D),
	CACHE_WRITES("L1-dcache", L1D),
	CACHE_READS("L1-icache", L1I),
	CACHE_READS("LLC", LL),
	CACHE_WRITES("LLC", LL),
	CACHE_READS("dTLB", DTLB),
	CACHE_WRITES("dTLB", DTLB),
	CACHE_READS("iTLB", ITLB),
	CACHE_READS("branch", BPU),
	CACHE_READS("node", NODE),
	CACHE_WRITES("node", NODE),
};

const unsigned int pvpmu_names_count =
	sizeof(pvpmu_names) / sizeof(pvpmu_names[0]);

static bool parse_filter(const char *text, __u32 *flags)
{
	if (!*text)
		*flags = 0;
	else if (!strcmp(text, ":u"))
		*flags = PVPMU_FLAG_EXCLUDE_KERNEL;
	else if (!strcmp(text, ":k"))
		*flags = PVPMU_FLAG_EXCLUDE_USER;
	else
		return false;
	return true;
}

static bool parse_raw(const char *text, size_t len, struct pvpmu_event *event)
{
	if (len < 2 || len > 17 || text[0] != 'r' ||
	    strspn(text + 1, "0123456789abcdefABCDEF") != len - 1)
		return false;
	event->type = PVPMU_TYPE_RAW;
	event->config = strtoull(text + 1, NULL, 16);
	return true;
}

bool pvpmu_name_parse(const char *text, struct pvpmu_event *event)
{
	size_t len = strcspn(text, ":");
	unsigned int i;

	memset(event, 0, sizeof(*event));
	if (!parse_filter(text + len, &event->flags))
		return false;
	for (i = 0; i < pvpmu_names_count; i++) {
		const struct pvpmu_name *name = &pvpmu_names[i];

		if (strlen(name->name) != len || strncmp(name->name, text, len))
			continue;
		event->type = name->type;
		event->config = name->config;
		return true;
	}
	return parse_raw(text, len, event);
}
