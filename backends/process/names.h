/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* pvpmu-process: names of events, after those of perf where it has one */
#ifndef PVPMU_NAMES_H
#define PVPMU_NAMES_H

#include "guest.h"

struct pvpmu_name {
	const char *name;
	__u32 type;
	__u64 config;
};

extern const struct pvpmu_name pvpmu_names[];
extern const unsigned int pvpmu_names_count;

/* Parses "NAME", "rHEX" for a raw event, and either with ":u" or ":k" after
 * it; false if there is no such name. */
bool pvpmu_name_parse(const char *text, struct pvpmu_event *event);

#endif /* PVPMU_NAMES_H */
