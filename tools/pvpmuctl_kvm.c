// SPDX-License-Identifier: GPL-2.0
/* pvpmuctl on KVM: what the host module shows in debugfs, and its device. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pvpmuctl.h"

#define FOLDER "/sys/kernel/debug/pvpmu_kvm/"
#define CONTROL "/dev/pvpmu_kvm_control"
#define CGROUPS "/sys/fs/cgroup/"

/* How the device calls those to come, and in a line that is written, all */
#define NUMBER_DEFAULT 0u
#define NUMBER_ALL 0u
#define NUMBER_LATER UINT32_MAX

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
	FILE *file = open_file(CONTROL);
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

static bool limits(uint64_t vm, struct limits *of)
{
	if (vm != LATER_VMS && limits_of((uint32_t)vm, of))
		return true;
	return limits_of(NUMBER_DEFAULT, of);
}

static int limit(uint64_t vm, const struct limits *to)
{
	uint32_t number = vm == ALL_VMS	  ? NUMBER_ALL :
			  vm == LATER_VMS ? NUMBER_LATER :
					    (uint32_t)vm;
	const uint32_t *v = to->value;
	FILE *file;

	/* Process numbers are positive, and fewer. */
	if (vm < LATER_VMS && (!vm || vm > INT32_MAX))
		return ESRCH;
	file = fopen(CONTROL, "w");
	if (!file)
		return errno;
	fprintf(file, "%u %u %u %u %u %u %u\n", number, v[0], v[1], v[2], v[3],
		v[4], v[5]);
	/* it is the flush that writes */
	return fclose(file) ? errno : 0;
}

/* What a VM has comes before what its process will have. */
static size_t limited(struct vcpu **all)
{
	FILE *file = open_file(CONTROL);
	struct vcpu v = { 0 };
	size_t i, n = 0;

	*all = NULL;
	while (read_limits(file, &v.vm, &v.limits)) {
		for (i = 0; i < n && (*all)[i].vm != v.vm; i++)
			;
		if (v.vm == NUMBER_DEFAULT || i < n)
			continue;
		*all = grow(*all, n, sizeof(v));
		(*all)[n++] = v;
	}
	fclose(file);
	return n;
}

/* The words of a process's command line, each with a zero behind it */
static size_t command_line(uint32_t process, char *text, size_t size)
{
	char path[64];
	size_t n = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/cmdline", process);
	file = fopen(path, "r");
	if (file) {
		n = fread(text, 1, size - 1, file);
		fclose(file);
	}
	text[n] = '\0';
	return n;
}

/* QEMU's option: -name NAME[,...] or -name guest=NAME[,...], as libvirt has it */
static void name(uint32_t vm, char *to, size_t size)
{
	static char text[65536];
	size_t n = command_line(vm, text, sizeof(text));
	const char *word, *value;

	*to = '\0';
	for (word = text; word < text + n; word += strlen(word) + 1) {
		if (strcmp(word, "-name"))
			continue;
		value = word + strlen(word) + 1;
		if (value >= text + n)
			return;
		if (!strncmp(value, "guest=", 6))
			value += 6;
		snprintf(to, size, "%.*s", (int)strcspn(value, ","), value);
		return;
	}
}

static size_t find_in_cgroup(const char *group,
			     void (*found)(uint32_t vm, void *data), void *data)
{
	char path[4096];
	uint32_t process;
	size_t n = 0;
	FILE *file;

	snprintf(path, sizeof(path), CGROUPS "%s/cgroup.procs", group);
	file = fopen(path, "r");
	if (!file)
		die(path);
	for (; fscanf(file, "%u", &process) == 1; n++)
		found(process, data);
	fclose(file);
	return n;
}

/* The name of a VM, or cgroup:PATH for the processes in a control group */
static size_t find(const char *wanted, void (*found)(uint32_t vm, void *data),
		   void *data)
{
	struct dirent *entry;
	char other[256];
	size_t n = 0;
	DIR *dir;

	if (!strncmp(wanted, "cgroup:", 7))
		return find_in_cgroup(wanted + 7, found, data);
	dir = opendir("/proc");
	if (!dir)
		die("/proc");
	while ((entry = readdir(dir))) {
		uint32_t process = (uint32_t)strtoul(entry->d_name, NULL, 10);

		if (!process)
			continue;
		name(process, other, sizeof(other));
		if (strcmp(other, wanted))
			continue;
		found(process, data);
		n++;
	}
	closedir(dir);
	return n;
}

const struct host host_kvm = {
	.vcpus = vcpus,
	.events = events,
	.limits = limits,
	.limit = limit,
	.limited = limited,
	.name = name,
	.find = find,
};
