// SPDX-License-Identifier: GPL-2.0
/* pvpmuctl on Xen: the hypercall of backends/xen/control.h, through /dev/xen. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/types.h>

#include "../backends/xen/control.h"
#include "pvpmuctl.h"

#define HIGHEST_ERROR 200 /* of Linux and of Xen */
#define FIRST_RESERVED 0x7ff0u /* domain numbers that are no domain's */

struct privcmd_hypercall {
	__u64 op;
	__u64 arg[5];
};
#define IOCTL_PRIVCMD_HYPERCALL \
	_IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall))

bool on_xen(void)
{
	return access("/dev/xen/privcmd", F_OK) == 0;
}

/* The control operation, in a page that stays where it is; -1 and errno */
static int control(struct pvpmu_control *what)
{
	static struct pvpmu_control *page;
	static int privcmd;
	struct privcmd_hypercall call;
	int rc;

	if (!page) {
		int buffer = open("/dev/xen/hypercall", O_RDWR | O_CLOEXEC);

		privcmd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
		if (privcmd < 0 || buffer < 0)
			die("/dev/xen");
		page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			    buffer, 0);
		if (page == MAP_FAILED)
			die("/dev/xen/hypercall");
	}
	for (;;) {
		*page = *what;
		call = (struct privcmd_hypercall){
			.op = PVPMU_CONTROL_HYPERCALL,
			.arg = { PVPMU_CONTROL, (uintptr_t)page },
		};
		rc = ioctl(privcmd, IOCTL_PRIVCMD_HYPERCALL, &call);
		if (rc >= 0 || errno != EAGAIN)
			break;
		/* Another does the same, or the hypervisor wants a pause. */
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	if (rc < 0 && errno == ENOSYS)
		refuse("this Xen has no pvpmu, or was booted without");
	/* The operation has the version in it, and a host that does not know it
	 * takes it for a guest's. */
	if (rc < 0 && errno > HIGHEST_ERROR)
		refuse("this pvpmuctl is of another version than the hypervisor");
	if (rc < 0 && errno == EPERM)
		refuse("this domain may not control others");
	*what = *page;
	return rc;
}

static void take_limits(struct limits *to, const struct pvpmu_control *c)
{
	memcpy(to->value, &c->limits, sizeof(to->value));
}

/* The vCPU at (c->domain, c->vcpu) or after it */
static bool next_vcpu(struct pvpmu_control *c)
{
	c->command = PVPMU_CONTROL_NEXT;
	if (!control(c))
		return true;
	if (errno != ENOENT)
		die("the hypervisor");
	return false;
}

static size_t vcpus(struct vcpu **all)
{
	struct pvpmu_control c = { 0 };
	size_t n = 0;

	for (*all = NULL; next_vcpu(&c); c.vcpu++) {
		*all = grow(*all, n, sizeof(**all));
		(*all)[n] = (struct vcpu){
			.vm = c.domain,
			.vcpu = c.vcpu,
			.area = c.area,
			.open = c.open,
			.counters = (uint32_t)c.counters,
			.calls = c.calls,
			.refused = c.refused,
			.overflows = c.overflows,
			.throttled = c.throttled,
			.raised = c.raised,
		};
		take_limits(&(*all)[n++].limits, &c);
	}
	return n;
}

/* The event at c->event.id of that vCPU or after it; it may end meanwhile. */
static bool next_event(struct pvpmu_control *c)
{
	c->command = PVPMU_CONTROL_EVENT;
	if (!control(c))
		return true;
	if (errno != ENOENT && errno != ESRCH)
		die("the hypervisor");
	return false;
}

static size_t events(struct event **all)
{
	struct pvpmu_control c = { 0 };
	size_t n = 0;

	for (*all = NULL; next_vcpu(&c); c.vcpu++) {
		for (c.event.id = 0; next_event(&c); c.event.id++) {
			*all = grow(*all, n, sizeof(**all));
			(*all)[n++] = (struct event){
				.vm = c.domain,
				.vcpu = c.vcpu,
				.id = c.event.id,
				.type = c.event.type,
				.flags = c.event.flags,
				.state = c.event.state,
				.config = c.event.config,
				.period = c.event.period,
				.count = c.event.count,
				.enabled = c.event.time_enabled,
				.running = c.event.time_running,
				.overflows = c.event.overflows,
			};
		}
	}
	return n;
}

static bool limits(uint64_t vm, struct limits *of)
{
	struct pvpmu_control c = { .command = PVPMU_CONTROL_DEFAULT };

	if (vm != LATER_VMS || control(&c))
		return false;
	take_limits(of, &c);
	return true;
}

/* The hypervisor closes what one domain has in a call; one may end meanwhile. */
static void close_all(const struct limits *to)
{
	struct pvpmu_control at = { 0 };

	for (; next_vcpu(&at); at.domain++, at.vcpu = 0) {
		struct pvpmu_control c = {
			.command = PVPMU_CONTROL_LIMITS,
			.domain = at.domain,
		};

		memcpy(&c.limits, to->value, sizeof(to->value));
		if (control(&c) && errno != ESRCH)
			die("the hypervisor");
	}
}

static int limit(uint64_t vm, const struct limits *to)
{
	struct pvpmu_control c = { .command = PVPMU_CONTROL_LIMITS };

	if (vm == ALL_VMS)
		c.domain = PVPMU_CONTROL_ALL;
	else if (vm == LATER_VMS)
		return EOPNOTSUPP;
	else if (vm >= FIRST_RESERVED)
		return ESRCH;
	else
		c.domain = (uint32_t)vm;
	memcpy(&c.limits, to->value, sizeof(to->value));
	if (control(&c))
		return errno;
	if (vm == ALL_VMS && !to->value[LIMIT_SLOTS_VCPU])
		close_all(to);
	return 0;
}

const struct host host_xen = {
	.vcpus = vcpus,
	.events = events,
	.limits = limits,
	.limit = limit,
};
