// SPDX-License-Identifier: GPL-2.0
/*
 * Tests a pvpmu_kvm.ko that is loaded: pvpmu-kvm-selftest [GROUP]...
 *
 * Runs as root on the host.  Prints PASS or FAIL for each check; the exit
 * status is 0 if none failed, 125 if the test itself could not run.
 *
 * "pvpmu-kvm-selftest attack SECONDS" is a hostile VM that checks nothing; the
 * module may come and go meanwhile.
 */
#include "selftest.h"

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int failed;

void between(const char *name, int64_t got, int64_t least, int64_t most)
{
	if (got >= least && got <= most) {
		printf("PASS %s: %lld\n", name, (long long)got);
	} else {
		printf("FAIL %s: %lld, expected %lld to %lld\n", name,
		       (long long)got, (long long)least, (long long)most);
		failed++;
	}
	fflush(stdout);
}

void is(const char *name, int64_t got, int64_t wanted)
{
	between(name, got, wanted, wanted);
}

uint64_t ns_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

void param(const char *name, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/module/pvpmu_kvm/parameters/%s",
		 name);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		err(125, "%s", path);
	close(fd);
}

int64_t stat_of(const char *name)
{
	FILE *f = fopen("/sys/kernel/debug/pvpmu_kvm/stats", "r");
	char word[64];
	long long value;

	if (!f)
		err(125, "pvpmu_kvm/stats");
	while (fscanf(f, "%63s %lld", word, &value) == 2) {
		if (!strcmp(word, name)) {
			fclose(f);
			return value;
		}
	}
	errx(125, "no statistics called %s", name);
}

void accept_in(struct vmm *v, struct pvpmu_area *area)
{
	area->guest.version = PVPMU_ABI_VERSION;
	area->guest.features = v->features;
}

int64_t setup(struct vmm *v, int vcpu, int area)
{
	accept_in(v, vmm_area(v, area));
	return vmm_op(v, vcpu, PVPMU_OP_SETUP, VMM_AREA(area), 0,
		      PVPMU_DELIVER_NONE);
}

int64_t open_event(struct vmm *v, int vcpu, int area, uint32_t id,
		   uint32_t type, uint64_t config, uint64_t period)
{
	struct pvpmu_slot_guest *g = &vmm_area(v, area)->slot[id].guest;

	memset(g, 0, sizeof(*g));
	g->type = type;
	g->config = config;
	g->period = period;
	g->leader = id;
	return vmm_op(v, vcpu, PVPMU_OP_OPEN, id, 0, 0);
}

static const struct {
	const char *name;
	void (*run)(void);
} groups[] = {
	{ "calls", test_calls },
	{ "memory", test_memory },
	{ "reset", test_reset },
	{ "record", test_record },
	{ "counts", test_counts },
	{ "clock", test_clock },
	{ "threads", test_threads },
	{ "blocked", test_blocked },
	{ "hostile", test_hostile },
	{ "perf", test_perf },
};

static bool named(const char *name, char **argv)
{
	if (!*argv)
		return true;
	for (; *argv; argv++)
		if (!strcmp(*argv, name))
			return true;
	return false;
}

static void nothing_is_left(void)
{
	is("VMs left", stat_of("live_vms"), 0);
	is("vCPUs left", stat_of("live_vcpus"), 0);
	is("areas left", stat_of("live_areas"), 0);
	is("perf events left", stat_of("live_events"), 0);
	is("counters made and not given back",
	   stat_of("created") - stat_of("destroyed"), 0);
}

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc == 3 && !strcmp(argv[1], "attack")) {
		attack_for(atoi(argv[2]) * 1000);
		return 0;
	}
	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (!named(groups[i].name, argv + 1))
			continue;
		printf("# %s\n", groups[i].name);
		groups[i].run();
		nothing_is_left();
	}
	return failed ? 1 : 0;
}
