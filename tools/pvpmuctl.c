// SPDX-License-Identifier: GPL-2.0
/* pvpmuctl: the administrator's command, the same on KVM and on Xen */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/types.h>

#include <pvpmu/abi.h>

#include "pvpmuctl.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const limit_names[LIMITS] = {
	"slots_vcpu", "slots_vm",	  "classes",
	"period_min", "clock_period_min", "overflow_rate",
};

static const char *const class_names[] = { "basic", "cache", "hypervisor",
					   "raw" };

/* What is usual to be granted, by the names that clouds give it */
static const struct {
	const char *name;
	uint32_t classes;
} tiers[] = {
	{ "none", 0x0 },
	{ "architectural", 0x1 },
	{ "standard", 0x7 },
	{ "full", 0xf },
};

static const char *const states[] = {
	[PVPMU_STATE_CLOSED] = "closed",
	[PVPMU_STATE_STOPPED] = "stopped",
	[PVPMU_STATE_COUNTING] = "counting",
	[PVPMU_STATE_WAITING] = "waiting",
	[PVPMU_STATE_FAILED] = "failed",
};

static const struct host *host;

_Noreturn void die(const char *what)
{
	fprintf(stderr, "pvpmuctl: %s: %s\n", what, strerror(errno));
	exit(1);
}

_Noreturn void refuse(const char *why)
{
	fprintf(stderr, "pvpmuctl: %s\n", why);
	exit(1);
}

_Noreturn static void wrong(const char *why, const char *what)
{
	fprintf(stderr, "pvpmuctl: %s: %s (pvpmuctl --help)\n", why, what);
	exit(2);
}

void *grow(void *array, size_t n, size_t size)
{
	void *grown = realloc(array, (n + 1) * size);

	if (!grown)
		die("memory");
	return grown;
}

/* ---- what is shown ------------------------------------------------------ */

static const char *event_name(const struct event *e)
{
	static const char *const hardware[] = {
		"cycles",
		"instructions",
		"cache-references",
		"cache-misses",
		"branches",
		"branch-misses",
		"bus-cycles",
		"stalled-cycles-frontend",
		"stalled-cycles-backend",
		"ref-cycles",
	};
	static const char *const hypervisor[] = { "exits", "steal",
						  "preemptions", "halts" };
	static char text[32];

	switch (e->type) {
	case PVPMU_TYPE_HARDWARE:
		if (e->config < COUNT(hardware))
			return hardware[e->config];
		break;
	case PVPMU_TYPE_CLOCK:
		return "vcpu-clock";
	case PVPMU_TYPE_HYPERVISOR:
		if (e->config < COUNT(hypervisor))
			return hypervisor[e->config];
		break;
	case PVPMU_TYPE_CACHE:
		snprintf(text, sizeof(text), "cache-%llx", e->config);
		return text;
	}
	snprintf(text, sizeof(text), "type%u-%llx", e->type, e->config);
	return text;
}

static const char *filter(const struct event *e)
{
	if (e->flags & PVPMU_FLAG_EXCLUDE_USER)
		return ":k";
	return e->flags & PVPMU_FLAG_EXCLUDE_KERNEL ? ":u" : "";
}

static const char *state(const struct event *e)
{
	uint32_t number = e->state & PVPMU_STATE_MASK;

	if (e->state & PVPMU_STATE_THROTTLED)
		return number == PVPMU_STATE_WAITING ? "waiting, throttled"
						     : "throttled";
	return number < COUNT(states) ? states[number] : "?";
}

static void print_classes(uint32_t classes, const char *before,
			  const char *between)
{
	const char *separator = "";
	size_t i;

	for (i = 0; i < COUNT(class_names); i++) {
		if (!(classes & 1u << i))
			continue;
		printf("%s%s%s%s", separator, before, class_names[i], before);
		separator = between;
	}
}

static void print_json_limits(const struct limits *limits)
{
	size_t i;

	for (i = 0; i < LIMITS; i++) {
		printf("%s\"%s\": ", i ? ", " : "{", limit_names[i]);
		if (i == LIMIT_CLASSES) {
			printf("[");
			print_classes(limits->value[i], "\"", ", ");
			printf("]");
		} else {
			printf("%" PRIu32, limits->value[i]);
		}
	}
	printf("}");
}

static void print_json_events(const struct vcpu *v, const struct event *events,
			      size_t n)
{
	const char *separator = "";
	size_t i;

	for (i = 0; i < n; i++) {
		const struct event *e = &events[i];

		if (e->vm != v->vm || e->vcpu != v->vcpu)
			continue;
		printf("%s\n    {\"id\": %u, \"event\": \"%s%s\", \"type\": %u, "
		       "\"config\": %llu, \"state\": \"%s\", \"period\": %llu, "
		       "\"count\": %llu, \"enabled_ns\": %llu, "
		       "\"running_ns\": %llu, \"overflows\": %llu}",
		       separator, e->id, event_name(e), filter(e), e->type,
		       e->config, state(e), e->period, e->count, e->enabled,
		       e->running, e->overflows);
		separator = ",";
	}
}

static int list_json(void)
{
	struct event *events;
	struct vcpu *all;
	size_t i, n = host->vcpus(&all), events_n = host->events(&events);

	printf("[");
	for (i = 0; i < n; i++) {
		struct vcpu *v = &all[i];

		printf("%s\n  {\"vm\": %u, \"vcpu\": %u, \"area\": %s, "
		       "\"open\": %u, \"counters\": %u, \"calls\": %llu, "
		       "\"refused\": %llu, \"overflows\": %llu, \"throttled\": "
		       "%llu, \"raised\": %llu, \"limits\": ",
		       i ? "," : "", v->vm, v->vcpu, v->area ? "true" : "false",
		       v->open, v->counters, v->calls, v->refused, v->overflows,
		       v->throttled, v->raised);
		print_json_limits(&v->limits);
		printf(", \"events\": [");
		print_json_events(v, events, events_n);
		printf("]}");
	}
	printf("\n]\n");
	free(events);
	free(all);
	return 0;
}

/* What people call it, empty if nothing or if the host does not tell */
static const char *name_of(uint32_t vm)
{
	static char text[256];
	char *c;

	*text = '\0';
	if (host->name)
		host->name(vm, text, sizeof(text));
	/* Whoever chose it has no business with our terminal. */
	for (c = text; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
	return text;
}

static int list(void)
{
	struct vcpu *all;
	size_t i, n = host->vcpus(&all);

	printf("%8s %5s %5s %5s %10s %8s %10s %10s %8s  %s\n", "vm", "vcpu",
	       "area", "open", "calls", "refused", "overflows", "throttled",
	       "raised", "name");
	for (i = 0; i < n; i++)
		printf("%8u %5u %5s %5u %10llu %8llu %10llu %10llu %8llu  %s\n",
		       all[i].vm, all[i].vcpu, all[i].area ? "yes" : "no",
		       all[i].open, all[i].calls, all[i].refused,
		       all[i].overflows, all[i].throttled, all[i].raised,
		       name_of(all[i].vm));
	free(all);
	return 0;
}

static int list_events(void)
{
	struct event *all;
	size_t i, n = host->events(&all);

	printf("%8s %5s %3s %-26s %-9s %16s %10s %16s %9s\n", "vm", "vcpu",
	       "id", "event", "state", "count", "period", "running ns",
	       "of time");
	for (i = 0; i < n; i++) {
		const struct event *e = &all[i];
		char name[40];

		snprintf(name, sizeof(name), "%s%s", event_name(e), filter(e));
		printf("%8u %5u %3u %-26s %-9s %16llu %10llu %16llu %8.1f%%\n",
		       e->vm, e->vcpu, e->id, name, state(e), e->count,
		       e->period, e->running,
		       e->enabled ? 100.0 * e->running / e->enabled : 100.0);
	}
	free(all);
	return 0;
}

static void print_limits_row(const char *vm, const struct limits *limits)
{
	const uint32_t *v = limits->value;

	printf("%8s %10u %10u %10u %16u %13u  ", vm, v[0], v[1], v[3], v[4],
	       v[5]);
	print_classes(v[LIMIT_CLASSES], "", ",");
	printf("%s\n", v[LIMIT_CLASSES] ? "" : "none");
}

static int list_limits(void)
{
	struct limits later;
	struct vcpu *all;
	size_t i, n = host->limited ? host->limited(&all) : host->vcpus(&all);
	char vm[16];

	printf("%8s %10s %10s %10s %16s %13s  %s\n", "vm", limit_names[0],
	       limit_names[1], limit_names[3], limit_names[4], limit_names[5],
	       limit_names[2]);
	if (host->limits(LATER_VMS, &later))
		print_limits_row("later", &later);
	for (i = 0; i < n; i++) {
		if (i && all[i].vm == all[i - 1].vm)
			continue;
		snprintf(vm, sizeof(vm), "%u", all[i].vm);
		print_limits_row(vm, &all[i].limits);
	}
	free(all);
	return 0;
}

/* What grew from @before to @now, if both are of the same vCPU; a second */
static double rate(unsigned long long before, unsigned long long now,
		   double seconds)
{
	return now < before ? 0 : (now - before) / seconds;
}

static const struct vcpu *same(const struct vcpu *all, size_t n,
			       const struct vcpu *v)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (all[i].vm == v->vm && all[i].vcpu == v->vcpu)
			return &all[i];
	return NULL;
}

static void print_rates(const struct vcpu *before, size_t before_n,
			const struct vcpu *now, size_t n, double seconds)
{
	size_t i;

	printf("%8s %5s %5s %12s %12s %12s %12s\n", "vm", "vcpu", "open",
	       "calls/s", "refused/s", "overflows/s", "raised/s");
	for (i = 0; i < n; i++) {
		const struct vcpu *v = &now[i], *b = same(before, before_n, v);

		if (!b)
			continue;
		printf("%8u %5u %5u %12.1f %12.1f %12.1f %12.1f\n", v->vm,
		       v->vcpu, v->open, rate(b->calls, v->calls, seconds),
		       rate(b->refused, v->refused, seconds),
		       rate(b->overflows, v->overflows, seconds),
		       rate(b->raised, v->raised, seconds));
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int top(unsigned int seconds, unsigned int times)
{
	bool screen = isatty(STDOUT_FILENO);
	struct vcpu *before, *after;
	size_t before_n = host->vcpus(&before), n;
	double began = now(), ended;
	unsigned int i;

	for (i = 0; !times || i < times; i++) {
		sleep(seconds);
		n = host->vcpus(&after);
		ended = now();
		if (screen)
			printf("\033[H\033[2J");
		print_rates(before, before_n, after, n, ended - began);
		fflush(stdout);
		free(before);
		before = after;
		before_n = n;
		began = ended;
	}
	free(before);
	return 0;
}

/* ---- what is changed ---------------------------------------------------- */

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

static uint32_t class_of(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(class_names); i++)
		if (!strcmp(name, class_names[i]))
			return 1u << i;
	for (i = 0; i < COUNT(tiers); i++)
		if (!strcmp(name, tiers[i].name))
			return tiers[i].classes;
	wrong("no such class or tier", name);
}

static uint32_t classes(const char *text)
{
	char *copy = strdup(text), *name;
	uint32_t mask = 0;

	if (!copy)
		die("memory");
	for (name = strtok(copy, ","); name; name = strtok(NULL, ","))
		mask |= class_of(name);
	free(copy);
	return mask;
}

/* NAME=VALUE */
static void change(struct limits *limits, const char *setting)
{
	const char *value = strchr(setting, '=');
	size_t i;

	if (!value)
		wrong("not NAME=VALUE", setting);
	for (i = 0; i < LIMITS; i++) {
		size_t length = strlen(limit_names[i]);

		if (length == (size_t)(value - setting) &&
		    !strncmp(setting, limit_names[i], length))
			break;
	}
	if (i == LIMITS)
		wrong("no such limit", setting);
	value++;
	limits->value[i] = i == LIMIT_CLASSES && !isdigit(*value) ?
				   classes(value) :
				   number(value);
}

static struct limits limits_of(uint64_t vm)
{
	struct limits limits;
	struct vcpu *all;
	size_t i, n;

	if (vm == ALL_VMS)
		vm = LATER_VMS;
	n = host->vcpus(&all);
	for (i = 0; i < n && all[i].vm != vm; i++)
		;
	if (i < n)
		limits = all[i].limits;
	else if (!host->limits(vm, &limits))
		refuse(vm == LATER_VMS ? "the host does not tell its limits" :
					 "there is no such VM");
	free(all);
	return limits;
}

/* NAME=VALUE, several of them */
struct settings {
	int n;
	char **text;
};

static void set_vm(uint64_t vm, const struct settings *settings)
{
	struct limits limits = limits_of(vm);
	int i, error;

	for (i = 0; i < settings->n; i++)
		change(&limits, settings->text[i]);
	error = host->limit(vm, &limits);
	switch (error) {
	case 0:
		return;
	case EINVAL:
		refuse("a limit makes no sense: see pvpmuctl(1) for its range");
	case ESRCH:
		refuse("there is no such VM");
	default:
		errno = error;
		die("limits");
	}
}

static void set_found(uint32_t vm, void *settings)
{
	set_vm(vm, settings);
}

/* A word that is not a number is a name. */
static int set(const char *vm, int n, char **text)
{
	struct settings settings = { n, text };

	if (!strcmp(vm, "all"))
		set_vm(ALL_VMS, &settings);
	else if (!strcmp(vm, "later"))
		set_vm(LATER_VMS, &settings);
	else if (isdigit(*vm) || *vm == '-')
		set_vm(number(vm), &settings);
	else if (!host->find)
		wrong("not a number", vm);
	else if (!host->find(vm, set_found, &settings))
		refuse("there is no VM of that name");
	return 0;
}

static int usage(FILE *to, int status)
{
	fputs("usage: pvpmuctl list [--json]          what vCPUs do\n"
	      "       pvpmuctl events                 what they count\n"
	      "       pvpmuctl limits                 what they may\n"
	      "       pvpmuctl top [SECONDS [TIMES]]  how often they do it\n"
	      "       pvpmuctl set VM NAME=VALUE...   limits, from now on\n"
	      "       pvpmuctl off VM                 closes its events, hides "
	      "pvpmu\n"
	      "       pvpmuctl on VM                  serves it again\n"
	      "\n"
	      "VM: on Xen a domain's number; on KVM the process of its VMM, its "
	      "name, or\n"
	      "    cgroup:PATH; or \"all\", that are there and that will be, or "
	      "\"later\", that will be\n"
	      "limits: slots_vcpu, slots_vm, period_min, clock_period_min, "
	      "overflow_rate;\n"
	      "        classes: a list of basic, cache, hypervisor and raw, or "
	      "one of none,\n"
	      "        architectural, standard and full\n"
	      "Exit status: 0, 1 if the host refused, 2 for a wrong command "
	      "line.\n",
	      to);
	return status;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	char on[] = "slots_vcpu=30", off[] = "slots_vcpu=0";
	char *setting;

	host = on_xen() ? &host_xen : &host_kvm;
	if (!strcmp(what, "--help") || !strcmp(what, "-h"))
		return usage(stdout, 0);
	if (!strcmp(what, "list") && argc == 2)
		return list();
	if (!strcmp(what, "list") && argc == 3 && !strcmp(argv[2], "--json"))
		return list_json();
	if (!strcmp(what, "events") && argc == 2)
		return list_events();
	if (!strcmp(what, "limits") && argc == 2)
		return list_limits();
	if (!strcmp(what, "top") && argc <= 4)
		return top(argc > 2 ? number(argv[2]) : 2,
			   argc > 3 ? number(argv[3]) : 0);
	if (!strcmp(what, "set") && argc >= 4)
		return set(argv[2], argc - 3, argv + 3);
	if ((!strcmp(what, "on") || !strcmp(what, "off")) && argc == 3) {
		setting = what[1] == 'n' ? on : off;
		return set(argv[2], 1, &setting);
	}
	return usage(stderr, 2);
}
