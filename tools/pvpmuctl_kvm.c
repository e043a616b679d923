// SPDX-License-Identifier: GPL-2.0
/* pvpmuctl on KVM: what the host module shows in debugfs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "pvpmuctl.h"

#define FOLDER "/sys/kernel/debug/pvpmu_kvm/"

static FILE *open_file(const char *path)
{
	FILE *file = fopen(path, "r");

	if (!file && errno == ENOENT)
		refuse("pvpmu_kvm.ko is not loaded, or debugfs not mounted");
	if (!file)
		die(path);
	return file;
}

static bool read_limits(FILE *file, uint32_t *vm, struct limits *limits)
{
	uint32_t *v = limits->value;

	return fscanf(file, "%u %u %u %u %u %u %u", vm, &v[0], &v[1], &v[2],
		      &v[3], &v[4], &v[5]) == 1 + LIMITS;
}

static bool limits_of(uint32_t wanted, struct limits *limits)
{
	FILE *file = open_file(FOLDER "limits");
	uint32_t vm;
	bool found = false;

	while (!found && read_limits(file, &vm, limits))
		found = vm == wanted;
	fclose(file);
	return found;
}

static int by_number(const void *a, const void *b)
{
	const struct vcpu *x = a, *y = b;

	if (x->vm != y->vm)
		return x->vm < y->vm ? -1 : 1;
	return x->vcpu < y->vcpu ? -1 : x->vcpu > y->vcpu;
}

static size_t vcpus(struct vcpu **all)
{
	FILE *file = open_file(FOLDER "vcpus");
	struct vcpu v = { 0 };
	size_t i, n = 0;
	int thread;

	*all = NULL;
	while (fscanf(file,
		      "vm %u vcpu %u thread %d area %u open %u counters %u "
		      "calls %llu refused %llu overflows %llu throttled %llu "
		      "raised %llu\n",
		      &v.vm, &v.vcpu, &thread, &v.area, &v.open, &v.counters,
		      &v.calls, &v.refused, &v.overflows, &v.throttled,
		      &v.raised) == 11) {
		*all = grow(*all, n, sizeof(v));
		(*all)[n++] = v;
	}
	fclose(file);
	for (i = 0; i < n; i++)
		limits_of((*all)[i].vm, &(*all)[i].limits);
	if (n)
		qsort(*all, n, sizeof(v), by_number);
	return n;
}

static size_t events(struct event **all)
{
	FILE *file = open_file(FOLDER "events");
	struct event e = { 0 };
	size_t n = 0;

	*all = NULL;
	while (fscanf(file,
		      "vm %u vcpu %u id %u type %u config %llx flags %u "
		      "period %llu state %u count %llu enabled %llu "
		      "running %llu overflows %llu\n",
		      &e.vm, &e.vcpu, &e.id, &e.type, &e.config, &e.flags,
		      &e.period, &e.state, &e.count, &e.enabled, &e.running,
		      &e.overflows) == 12) {
		*all = grow(*all, n, sizeof(e));
		(*all)[n++] = e;
	}
	fclose(file);
	return n;
}

static bool limits(struct limits *of)
{
	return limits_of(0, of);
}

static int limit(uint32_t vm, const struct limits *to)
{
	const uint32_t *v = to->value;
	FILE *file = fopen(FOLDER "limits", "w");

	if (!file)
		return errno;
	fprintf(file, "%u %u %u %u %u %u %u\n", vm == ALL_VMS ? 0 : vm, v[0],
		v[1], v[2], v[3], v[4], v[5]);
	/* it is the flush that writes */
	return fclose(file) ? errno : 0;
}

const struct host host_kvm = {
	.vcpus = vcpus,
	.events = events,
	.limits = limits,
	.limit = limit,
};
