// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmuctl: the administrator's command, on KVM and on Xen
 *
 * On KVM it reads and writes what the host module shows in sysfs and debugfs;
 * on Xen it makes the hypercall of backends/xen/control.h through /dev/xen.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cpuid.h>
#include <linux/types.h>

#include <pvpmu/abi.h>

#include "../backends/xen/control.h"

#define KVM_VCPUS "/sys/kernel/debug/pvpmu_kvm/vcpus"
#define KVM_PARAMETERS "/sys/module/pvpmu_kvm/parameters"

/* A vCPU, on either */
struct vcpu {
	unsigned int vm, vcpu, area, open, counters;
	unsigned long long calls, refused, overflows, throttled, raised;
	bool has_limits;
	struct pvpmu_control control; /* on Xen, for its limits */
};

static const char *const limit_names[] = {
	"slots_vcpu", "slots_vm",	  "classes",
	"period_min", "clock_period_min", "overflow_rate",
};
#define LIMITS (sizeof(limit_names) / sizeof(limit_names[0]))

static const char *const class_names[] = { "basic", "cache", "hypervisor",
					   "raw" };

_Noreturn static void die(const char *what)
{
	fprintf(stderr, "pvpmuctl: %s: %s\n", what, strerror(errno));
	exit(1);
}

_Noreturn static void wrong(const char *why, const char *what)
{
	fprintf(stderr, "pvpmuctl: %s: %s (pvpmuctl --help)\n", why, what);
	exit(2);
}

/* ---- Xen ---------------------------------------------------------------- */

struct privcmd_hypercall {
	__u64 op;
	__u64 arg[5];
};
#define IOCTL_PRIVCMD_HYPERCALL \
	_IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall))

static bool on_xen(void)
{
	return access("/dev/xen/privcmd", F_OK) == 0;
}

static bool is_pv(void)
{
	char type[8] = "";
	FILE *file = fopen("/sys/hypervisor/guest_type", "r");

	if (file && !fgets(type, sizeof(type), file))
		type[0] = '\0';
	if (file)
		fclose(file);
	return !strcmp(type, "PV\n");
}

/*
 * The number of the hypercall is in the leaves, which a PV dom0 sees only with
 * Xen's prefix before the instruction; anywhere else it is not an instruction.
 */
static void xen_leaf(uint32_t leaf, uint32_t regs[4])
{
	if (!is_pv()) {
		__cpuid(leaf, regs[0], regs[1], regs[2], regs[3]);
		return;
	}
	__asm__ volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; cpuid"
			 : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]),
			   "=d"(regs[3])
			 : "0"(leaf), "2"(0));
}

static uint32_t xen_number(void)
{
	uint32_t base, regs[4];

	for (base = PVPMU_CPUID_FIRST; base <= PVPMU_CPUID_LAST;
	     base += PVPMU_CPUID_STEP) {
		xen_leaf(base, regs);
		if (regs[1] != PVPMU_SIGNATURE_EBX ||
		    regs[2] != PVPMU_SIGNATURE_ECX ||
		    regs[3] != PVPMU_SIGNATURE_EDX)
			continue;
		xen_leaf(base + 1, regs);
		return regs[3];
	}
	errno = ENODEV;
	die("Xen was not booted with pvpmu, or hides it from this domain");
}

/* The control operation, in a page that stays where it is; -1 and errno */
static int xen_control(struct pvpmu_control *control)
{
	static struct pvpmu_control *page;
	static uint32_t number;
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
		number = xen_number();
	}
	*page = *control;
	call = (struct privcmd_hypercall){
		.op = number,
		.arg = { PVPMU_CONTROL, (uintptr_t)page },
	};
	rc = ioctl(privcmd, IOCTL_PRIVCMD_HYPERCALL, &call);
	*control = *page;
	return rc;
}

static bool xen_next(struct vcpu *v)
{
	struct pvpmu_control c = { .command = PVPMU_CONTROL_NEXT,
				   .domain = v->vm,
				   .vcpu = v->vcpu };

	if (xen_control(&c) < 0) {
		if (errno == ENOENT)
			return false;
		die("the hypervisor");
	}
	*v = (struct vcpu){
		.vm = c.domain,
		.vcpu = c.vcpu,
		.area = c.area,
		.open = c.open,
		.counters = (unsigned int)c.counters,
		.calls = c.calls,
		.refused = c.refused,
		.overflows = c.overflows,
		.throttled = c.throttled,
		.raised = c.raised,
		.has_limits = true,
		.control = c,
	};
	return true;
}

/* ---- KVM ---------------------------------------------------------------- */

static bool kvm_next(struct vcpu *v, FILE *file)
{
	int thread;

	return fscanf(file,
		      "vm %u vcpu %u thread %d area %u open %u counters %u "
		      "calls %llu refused %llu overflows %llu throttled %llu "
		      "raised %llu\n",
		      &v->vm, &v->vcpu, &thread, &v->area, &v->open,
		      &v->counters, &v->calls, &v->refused, &v->overflows,
		      &v->throttled, &v->raised) == 11;
}

/* Sets a parameter of the module; @vm is as the user has it. */
static void kvm_set(const char *vm, const char *name, const char *value)
{
	char path[256];
	FILE *file;

	if (strcmp(vm, "all"))
		wrong("KVM's limits are those of all VMs, not of one", vm);
	snprintf(path, sizeof(path), KVM_PARAMETERS "/%s", name);
	file = fopen(path, "w");
	if (!file || fputs(value, file) < 0 || fclose(file))
		die(path);
}

/* ---- both --------------------------------------------------------------- */

static size_t read_all(struct vcpu **all)
{
	struct vcpu v = { 0 };
	FILE *file = NULL;
	size_t n = 0;

	*all = NULL;
	if (!on_xen()) {
		file = fopen(KVM_VCPUS, "r");
		if (!file)
			die(KVM_VCPUS);
	}
	while (file ? kvm_next(&v, file) : xen_next(&v)) {
		*all = realloc(*all, (n + 1) * sizeof(v));
		if (!*all)
			die("memory");
		(*all)[n++] = v;
		if (!file)
			v.vcpu++;
	}
	if (file)
		fclose(file);
	return n;
}

static uint32_t *limit_of(struct pvpmu_control *c, size_t i)
{
	uint32_t *const limits[LIMITS] = {
		&c->limits.slots_vcpu,	     &c->limits.slots_vm,
		&c->limits.classes,	     &c->limits.period_min,
		&c->limits.clock_period_min, &c->limits.overflow_rate,
	};

	return limits[i];
}

static void print_json(struct vcpu *all, size_t n)
{
	size_t i, j;

	printf("[");
	for (i = 0; i < n; i++) {
		struct vcpu *v = &all[i];

		printf("%s\n  {\"vm\": %u, \"vcpu\": %u, \"area\": %s, "
		       "\"open\": %u, \"counters\": %u, \"calls\": %llu, "
		       "\"refused\": %llu, \"overflows\": %llu, \"throttled\": "
		       "%llu, \"raised\": %llu",
		       i ? "," : "", v->vm, v->vcpu, v->area ? "true" : "false",
		       v->open, v->counters, v->calls, v->refused, v->overflows,
		       v->throttled, v->raised);
		for (j = 0; v->has_limits && j < LIMITS; j++)
			printf("%s\"%s\": %u", j ? ", " : ", \"limits\": {",
			       limit_names[j], *limit_of(&v->control, j));
		printf("%s}", v->has_limits ? "}" : "");
	}
	printf("\n]\n");
}

static void print_table(const struct vcpu *all, size_t n)
{
	size_t i;

	printf("%6s %5s %5s %5s %9s %8s %10s %10s %8s\n", "vm", "vcpu", "area",
	       "open", "calls", "refused", "overflows", "throttled", "raised");
	for (i = 0; i < n; i++)
		printf("%6u %5u %5s %5u %9llu %8llu %10llu %10llu %8llu\n",
		       all[i].vm, all[i].vcpu, all[i].area ? "yes" : "no",
		       all[i].open, all[i].calls, all[i].refused,
		       all[i].overflows, all[i].throttled, all[i].raised);
}

static int list(bool json)
{
	struct vcpu *all;
	size_t n = read_all(&all);

	if (json)
		print_json(all, n);
	else
		print_table(all, n);
	free(all);
	return 0;
}

_Noreturn static void top(unsigned int seconds)
{
	for (;;) {
		printf("\033[H\033[2J");
		list(false);
		fflush(stdout);
		sleep(seconds);
	}
}

static uint32_t number(const char *text)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || value > UINT32_MAX)
		wrong("not a number", text);
	return (uint32_t)value;
}

static uint32_t classes(const char *text)
{
	char *copy = strdup(text), *name;
	uint32_t mask = 0;

	if (!copy)
		die("memory");
	for (name = strtok(copy, ","); name; name = strtok(NULL, ",")) {
		size_t i;

		for (i = 0; strcmp(name, class_names[i]); i++)
			if (i == 3)
				wrong("no such class", name);
		mask |= 1u << i;
	}
	free(copy);
	return mask;
}

/* NAME=VALUE into @control, or for KVM, which has none, into its parameter */
static void set_one(const char *vm, struct pvpmu_control *control,
		    char *setting)
{
	char *value = strchr(setting, '=');
	size_t i;

	if (!value)
		wrong("not NAME=VALUE", setting);
	*value++ = '\0';
	for (i = 0; strcmp(setting, limit_names[i]); i++)
		if (i == LIMITS - 1)
			wrong("no such limit", setting);
	if (!control)
		kvm_set(vm, setting, value);
	else if (!strcmp(setting, "classes") && !isdigit(*value))
		*limit_of(control, i) = classes(value);
	else
		*limit_of(control, i) = number(value);
}

static int set(const char *vm, int n, char **settings)
{
	struct vcpu v = { 0 };
	int i;

	if (!on_xen()) {
		for (i = 0; i < n; i++)
			set_one(vm, NULL, settings[i]);
		return 0;
	}
	v.vm = number(vm);
	if (!xen_next(&v) || v.vm != number(vm))
		wrong("no such domain", vm);
	for (i = 0; i < n; i++)
		set_one(vm, &v.control, settings[i]);
	v.control.command = PVPMU_CONTROL_LIMITS;
	if (xen_control(&v.control) < 0)
		die(vm);
	return 0;
}

/* Off closes what is open: limits alone do that on Xen, and not on KVM. */
static int serve(const char *vm, bool on)
{
	char setting[] = "slots_vcpu=30";
	char *settings = setting;

	if (!on_xen()) {
		kvm_set(vm, "enable", on ? "1" : "0");
		return 0;
	}
	if (!on)
		strcpy(strchr(setting, '='), "=0");
	return set(vm, 1, &settings);
}

static int usage(FILE *to, int status)
{
	fputs("usage: pvpmuctl list [--json]          what vCPUs do\n"
	      "       pvpmuctl top [SECONDS]          the same, again and "
	      "again\n"
	      "       pvpmuctl set VM NAME=VALUE...   limits, from now on\n"
	      "       pvpmuctl off VM                 closes its events, hides "
	      "pvpmu\n"
	      "       pvpmuctl on VM                  serves it again\n"
	      "\n"
	      "VM: on Xen a domain's number; on KVM \"all\", since limits hold "
	      "for all VMs\n"
	      "limits: slots_vcpu, slots_vm, classes, period_min, "
	      "clock_period_min,\n"
	      "        overflow_rate; classes: basic,cache,hypervisor,raw\n"
	      "Exit status: 0, 1 if the host refused, 2 for a wrong command "
	      "line.\n",
	      to);
	return status;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "--help") || !strcmp(what, "-h"))
		return usage(stdout, 0);
	if (!strcmp(what, "list") && argc == 2)
		return list(false);
	if (!strcmp(what, "list") && argc == 3 && !strcmp(argv[2], "--json"))
		return list(true);
	if (!strcmp(what, "top") && argc <= 3)
		top(argc == 3 ? number(argv[2]) : 2);
	if (!strcmp(what, "set") && argc >= 4)
		return set(argv[2], argc - 3, argv + 3);
	if ((!strcmp(what, "on") || !strcmp(what, "off")) && argc == 3)
		return serve(argv[2], !strcmp(what, "on"));
	return usage(stderr, 2);
}
