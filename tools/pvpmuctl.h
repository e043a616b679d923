/* SPDX-License-Identifier: GPL-2.0 */
/* pvpmuctl: what its files share, the same on every hypervisor. */
#ifndef PVPMUCTL_H
#define PVPMUCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In place of a VM's number: all that there are and will be */
#define ALL_VMS UINT64_MAX
/* All that will be */
#define LATER_VMS (UINT64_MAX - 1)

/* In the order of struct pvpmu_limits */
#define LIMITS 6
#define LIMIT_SLOTS_VCPU 0
#define LIMIT_CLASSES 2

struct limits {
	uint32_t value[LIMITS];
};

struct vcpu {
	uint32_t vm, vcpu, area, open, counters;
	unsigned long long calls, refused, overflows, throttled, raised;
	struct limits limits; /* of its VM */
};

struct event {
	uint32_t vm, vcpu, id, type, flags, state;
	unsigned long long config, period, count, enabled, running, overflows;
};

/**
 * struct host - a hypervisor
 * @vcpus: all vCPUs, in an array to be freed, sorted by VM and number; exits
 *         with a message if the host cannot tell
 * @events: the same of events that are open
 * @limits: what a VM may do that has no vCPU yet, or LATER_VMS may; false if the
 *          host does not tell
 * @limit: sets all limits of a VM, of ALL_VMS or of LATER_VMS; 0, or a positive
 *         errno
 * @limited: VMs with limits of their own, whether they have called or not, as
 *           @vcpus, with no more than @vm and @limits; null: see @vcpus
 * @name: what people call a VM, empty if nothing; null if the host does not tell
 * @find: calls back with each VM of that name, and returns how many there were;
 *        null if the host does not tell
 */
struct host {
	size_t (*vcpus)(struct vcpu **all);
	size_t (*events)(struct event **all);
	bool (*limits)(uint64_t vm, struct limits *limits);
	int (*limit)(uint64_t vm, const struct limits *limits);
	size_t (*limited)(struct vcpu **all);
	void (*name)(uint32_t vm, char *name, size_t size);
	size_t (*find)(const char *name, void (*found)(uint32_t vm, void *data),
		       void *data);
};

extern const struct host host_kvm, host_xen;
bool on_xen(void);

/* The next place of a growing array; exits if there is no memory */
void *grow(void *array, size_t n, size_t size);
_Noreturn void die(const char *what);
_Noreturn void refuse(const char *why);

#endif
