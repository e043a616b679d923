// SPDX-License-Identifier: GPL-2.0
/*
 * A VM goes from one process to another with its memory and the records of its
 * vCPUs.  What its events count is the same, to the last instruction, as if it
 * had stayed.  This is also the example for VMMs: all that one has to do for
 * pvpmu is vmm_save() and vmm_restore().
 */
#define _GNU_SOURCE
#include "selftest.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PERIOD 30011
#define ROUNDS 4

/**
 * struct journey - what goes from the one process to the other, and comes back
 * @memory: of the guest
 * @record: of its only vCPU that uses pvpmu
 * @result: of the last save or restore
 * @hypercall: what the guest knows of its host
 * @op_base: the same
 * @line: what the guest saw in the end, by event
 * @pending: the same
 */
struct journey {
	uint8_t memory[VMM_MEMORY];
	struct pvpmu_record record;
	int32_t result;
	uint32_t hypercall;
	uint32_t op_base;
	struct pvpmu_slot_host line[3];
	uint32_t pending;
};

enum { COUNTS, SAMPLES, TICKS };

static void begin(struct vmm *v)
{
	uint32_t id;

	vmm_create(v, false);
	vmm_discover(v);
	setup(v, 0, 0);
	open_event(v, 0, 0, COUNTS, PVPMU_TYPE_HARDWARE, PVPMU_HW_INSTRUCTIONS,
		   0);
	open_event(v, 0, 0, SAMPLES, PVPMU_TYPE_HARDWARE, PVPMU_HW_BRANCHES,
		   PERIOD);
	open_event(v, 0, 0, TICKS, PVPMU_TYPE_CLOCK, PVPMU_CLOCK_VCPU, 1000000);
	for (id = 0; id <= TICKS; id++)
		vmm_op(v, 0, PVPMU_OP_ENABLE, id, 0, 0);
}

/* What the guest does at each host; it makes no call that begins anything. */
static void stay(struct vmm *v)
{
	vmm_loop(v, 0, 123457);
	vmm_op(v, 0, PVPMU_OP_READ, COUNTS, 0, 0);
	vmm_loop(v, 0, 76543);
}

static void look(struct vmm *v, struct journey *j)
{
	uint32_t id;

	for (id = 0; id <= TICKS; id++) {
		vmm_op(v, 0, PVPMU_OP_DISABLE, id, 0, 0);
		j->line[id] = vmm_area(v, 0)->slot[id].host;
	}
	j->pending = vmm_area(v, 0)->overflow.pending;
}

static void leave(struct vmm *v, struct journey *j)
{
	j->result = vmm_save(v, 0, &j->record);
	memcpy(j->memory, v->memory, VMM_MEMORY);
	j->hypercall = v->hypercall;
	j->op_base = v->op_base;
}

static void *restore_in_thread(void *arg)
{
	struct vmm *v = arg;
	static int32_t result;

	result = vmm_restore(v, 0, &v->incoming);
	return &result;
}

/* Any thread may take it, not only the one that will run the vCPU. */
static void arrive(struct vmm *v, struct journey *j)
{
	pthread_t thread;
	void *result;

	vmm_create(v, false);
	memcpy(v->memory, j->memory, VMM_MEMORY);
	v->hypercall = j->hypercall;
	v->op_base = j->op_base;
	v->incoming = j->record;
	pthread_create(&thread, NULL, restore_in_thread, v);
	pthread_join(thread, &result);
	j->result = *(int32_t *)result;
}

static void first_host(struct journey *j)
{
	struct vmm v;

	begin(&v);
	stay(&v);
	leave(&v, j);
}

static void next_host(struct journey *j)
{
	struct vmm v;

	arrive(&v, j);
	stay(&v);
	leave(&v, j);
}

static void last_host(struct journey *j)
{
	struct vmm v;

	arrive(&v, j);
	stay(&v);
	look(&v, j);
}

static void only_host(struct journey *j)
{
	struct vmm v;
	int i;

	begin(&v);
	for (i = 0; i < ROUNDS; i++)
		stay(&v);
	look(&v, j);
}

static void in_process(void (*host)(struct journey *j), struct journey *j)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		host(j);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		errx(125, "a host did not end well");
}

static struct journey *new_journey(void)
{
	struct journey *j = mmap(NULL, sizeof(*j), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (j == MAP_FAILED)
		err(125, "mmap");
	return j;
}

static void exact(void)
{
	struct journey *stays = new_journey();
	struct journey *goes = new_journey();
	const struct pvpmu_slot_host *h = goes->line;
	uint64_t passed;
	int i;

	in_process(only_host, stays);
	passed = ns_of(CLOCK_MONOTONIC);
	in_process(first_host, goes);
	is("saved", goes->result, PVPMU_OK);
	for (i = 2; i < ROUNDS; i++) {
		in_process(next_host, goes);
		is("restored and saved", goes->result, PVPMU_OK);
	}
	in_process(last_host, goes);
	passed = ns_of(CLOCK_MONOTONIC) - passed;
	is("restored", goes->result, PVPMU_OK);
	is("count of a guest that moved, as of one that stayed",
	   h[COUNTS].count, stays->line[COUNTS].count);
	is("no time is missing", h[COUNTS].time_running,
	   h[COUNTS].time_enabled);
	is("count of a sampling event", h[SAMPLES].count,
	   stays->line[SAMPLES].count);
	is("its overflows", h[SAMPLES].overflows, h[SAMPLES].count / PERIOD);
	is("the events up to the last", h[SAMPLES].overflow_total,
	   stays->line[SAMPLES].overflow_total);
	between("clock", h[TICKS].count, 1000000, passed);
	is("overflows of the clock", h[TICKS].overflows,
	   h[TICKS].count / 1000000);
	is("pending", goes->pending, stays->pending);
	munmap(stays, sizeof(*stays));
	munmap(goes, sizeof(*goes));
}

static int32_t errno_of(int device, struct pvpmu_kvm_record *arg)
{
	return ioctl(device, PVPMU_KVM_SAVE, arg) ? errno : 0;
}

static void in_another_process(int device, struct pvpmu_kvm_record *arg)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(errno_of(device, arg));
	waitpid(pid, &status, 0);
	is("another process's VM", WEXITSTATUS(status), EIO);
}

static void who_may_ask(struct vmm *v)
{
	static struct pvpmu_kvm_record arg;
	int device = open("/dev/" PVPMU_KVM_DEVICE, O_RDWR | O_CLOEXEC);

	is("another ioctl", ioctl(device, _IO(0xd8, 7), 0) ? errno : 0, ENOTTY);
	is("no argument", errno_of(device, NULL), EFAULT);
	arg.vm = -1;
	is("no descriptor", errno_of(device, &arg), EBADF);
	arg.vm = device;
	is("not a VM", errno_of(device, &arg), EBADF);
	arg.vm = v->vcpu[0].fd;
	is("a vCPU is not a VM", errno_of(device, &arg), EBADF);
	arg.vm = v->vm;
	arg.vcpu = VMM_VCPUS;
	is("no such vCPU", errno_of(device, &arg), ENOENT);
	arg.vcpu = ~0u;
	is("no vCPU at all", errno_of(device, &arg), ENOENT);
	arg.vcpu = 0;
	arg.reserved = 1;
	is("reserved field", errno_of(device, &arg), EINVAL);
	arg.reserved = 0;
	in_another_process(device, &arg);
	param("enable", "0");
	is("switched off", errno_of(device, &arg), ENODEV);
	param("enable", "1");
	is("a vCPU that never called", errno_of(device, &arg), 0);
	is("has nothing to be saved", arg.result, PVPMU_ERR_NO_AREA);
	close(device);
}

/*
 * Each word of a good record in turn has some bits changed: those of the
 * header, of the three slots that are open, and of one that is not.
 */
static void hostile(struct journey *j)
{
	uint32_t words = offsetof(struct pvpmu_record, slot[4]) / 4;
	uint32_t i, refused = 0, taken = 0;
	struct pvpmu_record bad;
	struct vmm v;

	vmm_create(&v, false);
	memcpy(v.memory, j->memory, VMM_MEMORY);
	v.hypercall = j->hypercall;
	v.op_base = j->op_base;
	for (i = 0; i < words; i++) {
		bad = j->record;
		((uint32_t *)&bad)[i] ^= 0x80000001u << i % 31;
		if (vmm_restore(&v, 0, &bad)) {
			refused++;
			continue;
		}
		taken++;
		vmm_loop(&v, 0, 1000);
		vmm_op(&v, 0, PVPMU_OP_READ, SAMPLES, 0, 0);
		vmm_make_runnable(&v, 0);
	}
	is("records taken or refused", taken + refused, words);
	between("refused", refused, words / 4, words);
	is("areas left", stat_of("live_areas"), 0);
	is("perf events left", stat_of("live_events"), 0);
	is("the right one is taken", vmm_restore(&v, 0, &j->record), PVPMU_OK);
	is("not twice", vmm_restore(&v, 0, &j->record), PVPMU_ERR_OPEN);
	vmm_destroy(&v);
}

static void destinations(struct journey *j)
{
	struct vmm v;

	vmm_create(&v, false);
	memcpy(v.memory, j->memory, VMM_MEMORY);
	param("slots_vcpu", "2");
	is("host with lower limits", vmm_restore(&v, 0, &j->record),
	   PVPMU_ERR_LIMIT);
	param("slots_vcpu", "0");
	is("host without slots", vmm_restore(&v, 0, &j->record),
	   PVPMU_ERR_DENIED);
	param("slots_vcpu", "30");
	param("classes", "cache");
	is("host with fewer events", vmm_restore(&v, 0, &j->record),
	   PVPMU_ERR_EVENT);
	param("classes", "basic,cache,hypervisor");
	is("areas left", stat_of("live_areas"), 0);
	vmm_destroy(&v);
}

void test_record(void)
{
	struct journey *j = new_journey();
	struct vmm v;

	exact();
	vmm_create(&v, false);
	vmm_discover(&v);
	who_may_ask(&v);
	vmm_destroy(&v);
	in_process(first_host, j);
	hostile(j);
	destinations(j);
	munmap(j, sizeof(*j));
}
