// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The process backend at work: real counters of the kernel, real signals
 *
 * The thread that runs the test is the vCPU.  The clock event exists on every
 * Linux machine; where even that may not be opened, the tests are skipped.
 *
 * How long anything takes is the machine's affair.  Counts are compared with
 * those of another clock event of the thread, read before and after: that has
 * the same idea of time, whatever is stolen from the machine meanwhile.
 */
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include <guest.h>
#include <process.h>

#include "unit.h"

#define MS 1000000ull

static const struct pvpmu_event clock_event = { .type = PVPMU_TYPE_CLOCK };

/**
 * struct setup - a machine and its guest
 * @ram: three pages, the second is the area
 * @vm: the machine
 * @vcpu: this thread
 * @machine: the guest's instructions
 * @guest: its view
 * @interrupts: how often it was interrupted
 * @weight: events that its samples stand for
 * @call_inside: its interrupt function makes a call
 * @reference: a clock event that runs all the time, -1 if there is none
 */
struct setup {
	_Alignas(PVPMU_AREA_SIZE) unsigned char ram[3 * PVPMU_AREA_SIZE];
	struct pvpmu_process_vm vm;
	struct pvpmu_process_vcpu vcpu;
	struct pvpmu_machine machine;
	struct pvpmu_guest guest;
	volatile u32 interrupts;
	volatile u64 weight;
	bool call_inside;
	int reference;
};

static struct setup setup;

/* CPU time of this thread. */
static u64 now(const struct setup *s)
{
	u64 values[3] = { 0 };

	if (s->reference < 0)
		skip();
	assert_int_equal(read(s->reference, values, sizeof(values)),
			 sizeof(values));
	return values[0];
}

static void on_interrupt(void *data)
{
	struct setup *s = data;
	u32 ids = pvpmu_guest_take_pending(&s->guest);
	struct pvpmu_slot_host line;

	s->interrupts++;
	if (ids & 1 && pvpmu_guest_read(&s->guest, 0, &line))
		s->weight = line.overflow_total;
	if (s->call_inside)
		pvpmu_guest_call(&s->guest, PVPMU_OP_DISABLE, 0, 0, 0);
}

static int begin(void **state)
{
	const struct pvpmu_limits limits = PVPMU_LIMITS_DEFAULT;
	const struct pvpmu_process_guest guest = {
		.target = 0,
		.interrupt = on_interrupt,
		.data = &setup,
	};

	memset(&setup, 0, sizeof(setup));
	pvpmu_process_vm_init(&setup.vm, &limits, setup.ram, 3);
	setup.machine = (struct pvpmu_machine){
		.cpuid = pvpmu_process_cpuid,
		.call = pvpmu_process_call,
		.data = &setup.vcpu,
	};
	*state = &setup;
	setup.reference = process_event_open(
		&guest,
		&(const struct pvpmu_desc){ .type = PVPMU_TYPE_CLOCK });
	ioctl(setup.reference, PERF_EVENT_IOC_ENABLE, 0);
	if (!pvpmu_process_vcpu_init(&setup.vcpu, &setup.vm, &guest))
		return -1;
	return pvpmu_guest_setup(&setup.guest, &setup.machine,
				 (void *)(setup.ram + PVPMU_AREA_SIZE), 1,
				 PVPMU_DELIVER_LVTPC);
}

static int end(void **state)
{
	struct setup *s = *state;

	pvpmu_process_vcpu_end(&s->vcpu);
	close(s->reference);
	assert_int_equal(s->vm.vm.slots_open, 0);
	return 0;
}

/* The CPU time of this thread goes on by @ns. */
static void work(const struct setup *s, u64 ns)
{
	u64 start = now(s);

	while (now(s) - start < ns)
		;
}

static s32 call(struct setup *s, u32 op, u32 id)
{
	return pvpmu_guest_call(&s->guest, op, id, 0, 0);
}

static void start(struct setup *s, u32 id, u64 period)
{
	struct pvpmu_event event = clock_event;
	const struct pvpmu_masks masks = { .open = BIT(id), .enable = BIT(id) };

	event.period = period;
	if (pvpmu_guest_query(&s->guest, &event) < 0)
		skip();
	pvpmu_guest_describe(&s->guest, id, &event);
	assert_int_equal(pvpmu_guest_update(&s->guest, &masks), PVPMU_OK);
}

static struct pvpmu_slot_host line_of(struct setup *s, u32 id)
{
	struct pvpmu_slot_host line;

	assert_true(pvpmu_guest_read(&s->guest, id, &line));
	return line;
}

static void guest_discovers_its_host(void **state)
{
	struct setup *s = *state;

	assert_int_equal(s->guest.version, PVPMU_ABI_VERSION);
	assert_int_equal(s->guest.slots, PVPMU_MAX_SLOTS);
	assert_int_equal(s->guest.features, PVPMU_FEAT_LVTPC);
	assert_int_equal(s->guest.number, PVPMU_PROCESS_HYPERCALL);
}

static void absent_cpuid(void *data, __u32 leaf, __u32 regs[4])
{
	(void)data;
	(void)leaf;
	memset(regs, 0, 4 * sizeof(regs[0]));
}

/* A host of another major version, or with a page that is too small for what
 * it says, seen through the leaves of the real one. */
static u32 lie_leaf, lie_register, lie_value;

static void lying_cpuid(void *data, __u32 leaf, __u32 regs[4])
{
	pvpmu_process_cpuid(data, leaf, regs);
	if (leaf == PVPMU_PROCESS_CPUID_BASE + lie_leaf)
		regs[lie_register] = lie_value;
}

static bool discovers(struct setup *s, u32 leaf, u32 reg, u32 value)
{
	struct pvpmu_machine machine = s->machine;
	struct pvpmu_guest guest;

	machine.cpuid = lying_cpuid;
	lie_leaf = leaf;
	lie_register = reg;
	lie_value = value;
	return pvpmu_guest_discover(&guest, &machine);
}

static void guest_stays_away_from_what_it_does_not_know(void **state)
{
	struct setup *s = *state;
	struct pvpmu_machine machine = s->machine;
	struct pvpmu_guest guest;

	machine.cpuid = absent_cpuid;
	assert_false(pvpmu_guest_discover(&guest, &machine));
	assert_true(discovers(s, 1, 0, 1 << 16 | 7));
	assert_false(discovers(s, 1, 0, 2 << 16));
	assert_false(discovers(s, 0, 0, PVPMU_PROCESS_CPUID_BASE + 1));
	assert_false(discovers(s, 0, 0, 0));
	assert_false(discovers(s, 2, 1, 2 << 16 | 256));
	assert_false(discovers(s, 1, 1, 256u << 16 | 30));
	assert_false(discovers(s, 1, 1, 64 << 16 | 30));
	assert_false(discovers(s, 1, 1, 129u << 16 | 5));
	assert_false(discovers(s, 2, 1, 1 << 16 | 260));
	/* Fewer slots further apart are nothing to be afraid of. */
	assert_true(discovers(s, 1, 1, 192u << 16 | 20));
}

static void other_numbers_are_not_served(void **state)
{
	struct setup *s = *state;

	assert_int_equal(
		pvpmu_process_call(&s->vcpu, 1, s->guest.op_base, 0, 0, 0),
		-38);
}

static void frame_outside_of_memory_is_refused(void **state)
{
	struct setup *s = *state;
	struct pvpmu_area *last = (void *)&s->ram[2 * PVPMU_AREA_SIZE];

	last->guest.version = PVPMU_ABI_VERSION;
	assert_int_equal(pvpmu_guest_call(&s->guest, PVPMU_OP_SETUP, 3, 0, 0),
			 PVPMU_ERR_FRAME);
	assert_int_equal(pvpmu_guest_call(&s->guest, PVPMU_OP_SETUP, 0, 1, 0),
			 PVPMU_ERR_FRAME);
	assert_int_equal(pvpmu_guest_call(&s->guest, PVPMU_OP_SETUP, 2, 0, 0),
			 PVPMU_OK);
}

static void clock_counts_the_thread_only_while_enabled(void **state)
{
	struct setup *s = *state;
	struct pvpmu_slot_host line;
	u64 before = now(s), began, ended;

	start(s, 0, 0);
	began = now(s);
	work(s, 5 * MS);
	ended = now(s);
	assert_int_equal(call(s, PVPMU_OP_DISABLE, 0), PVPMU_OK);
	line = line_of(s, 0);
	assert_int_equal(line.state, PVPMU_STATE_STOPPED);
	assert_in_range(line.count, ended - began, now(s) - before);
	assert_true(line.time_running == line.time_enabled);
	work(s, 5 * MS);
	assert_int_equal(call(s, PVPMU_OP_READ, 0), PVPMU_OK);
	assert_true(line_of(s, 0).count == line.count);
	assert_int_equal(call(s, PVPMU_OP_ENABLE, 0), PVPMU_OK);
	work(s, 5 * MS);
	assert_int_equal(call(s, PVPMU_OP_CLOSE, 0), PVPMU_OK);
	assert_true(line_of(s, 0).count >= line.count + 5 * MS);
}

static u64 wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000 * MS + (u64)t.tv_nsec;
}

static void sleep_is_not_counted(void **state)
{
	const struct timespec nap = { .tv_nsec = 50 * MS };
	struct setup *s = *state;
	u64 began = wall(), took;

	start(s, 0, 0);
	assert_int_equal(nanosleep(&nap, NULL), 0);
	assert_int_equal(call(s, PVPMU_OP_DISABLE, 0), PVPMU_OK);
	took = wall() - began;
	/* The two clocks may be adjusted differently, by less than this. */
	assert_in_range(line_of(s, 0).time_enabled, 1,
			took - 50 * MS + took / 100);
}

static void overflows_interrupt_and_add_up_to_the_count(void **state)
{
	struct setup *s = *state;
	struct pvpmu_slot_host line;

	start(s, 0, MS);
	while (s->interrupts < 10)
		work(s, MS);
	assert_int_equal(call(s, PVPMU_OP_DISABLE, 0), PVPMU_OK);
	line = line_of(s, 0);
	assert_true(line.overflows >= s->interrupts);
	assert_int_equal(line.overflow_total, line.overflows * MS);
	assert_true(line.count - line.overflow_total < MS);
	assert_int_equal(line.overflow_total, s->weight);
}

static void interrupt_function_may_make_calls(void **state)
{
	struct setup *s = *state;
	u32 interrupts;

	s->call_inside = true;
	start(s, 0, MS);
	while (!s->interrupts)
		work(s, MS);
	assert_int_equal(line_of(s, 0).state, PVPMU_STATE_STOPPED);
	/* A second period may have ended before the call. */
	interrupts = s->interrupts;
	assert_in_range(interrupts, 1, 2);
	work(s, 5 * MS);
	assert_int_equal(s->interrupts, interrupts);
}

static void masked_interrupts_leave_the_pending_word(void **state)
{
	struct setup *s = *state;

	s->vcpu.guest.interrupt = NULL;
	start(s, 0, MS);
	work(s, 5 * MS);
	assert_int_equal(call(s, PVPMU_OP_DISABLE, 0), PVPMU_OK);
	assert_int_equal(s->interrupts, 0);
	assert_int_equal(pvpmu_guest_take_pending(&s->guest), BIT(0));
}

static void event_that_does_not_exist_here_is_refused(void **state)
{
	const struct pvpmu_event steal = {
		.type = PVPMU_TYPE_HYPERVISOR,
		.config = PVPMU_HV_STEAL,
	};
	struct setup *s = *state;

	assert_int_equal(pvpmu_guest_query(&s->guest, &steal), PVPMU_ERR_EVENT);
	pvpmu_guest_describe(&s->guest, 3, &steal);
	assert_int_equal(call(s, PVPMU_OP_OPEN, 3), PVPMU_ERR_EVENT);
}

/* What QUERY says of an event holds when it is opened, on any machine. */
static void query_and_open_agree_on_every_event(void **state)
{
	struct setup *s = *state;
	u32 config, flags;

	for (config = 0; config < PVPMU_HW_END; config++) {
		struct pvpmu_event event = { .type = HW, .config = config };
		s32 caps = pvpmu_guest_query(&s->guest, &event);

		for (flags = 1; flags <= PVPMU_FLAGS_FILTERS; flags <<= 1) {
			/* a filter's bits are in the same order in both */
			u32 cap = flags * PVPMU_CAP_EXCLUDE_USER;

			event.flags = flags;
			pvpmu_guest_describe(&s->guest, 0, &event);
			if (caps < 0) {
				assert_int_equal(call(s, PVPMU_OP_OPEN, 0),
						 PVPMU_ERR_EVENT);
				continue;
			}
			if (!((u32)caps & cap)) {
				assert_int_equal(call(s, PVPMU_OP_OPEN, 0),
						 PVPMU_ERR_FILTER);
				continue;
			}
			assert_int_equal(call(s, PVPMU_OP_OPEN, 0), PVPMU_OK);
			assert_int_equal(call(s, PVPMU_OP_CLOSE, 0), PVPMU_OK);
		}
	}
}

static u32 open_files(void)
{
	u32 n = 0;
	int fd;

	for (fd = 0; fd < 256; fd++)
		n += dup2(fd, fd) == fd;
	return n;
}

static void end_of_the_vcpu_closes_all_files(void **state)
{
	struct setup *s = *state;
	u32 before = open_files();

	start(s, 0, MS);
	start(s, 1, 0);
	assert_true(open_files() > before);
	pvpmu_process_vcpu_end(&s->vcpu);
	assert_int_equal(open_files(), before);
}

static void equal_events_share_one_file(void **state)
{
	struct setup *s = *state;
	u32 one;

	start(s, 0, 0);
	one = open_files();
	start(s, 1, 0);
	assert_int_equal(open_files(), one);
}

int main(void)
{
#define PROCESS(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		PROCESS(guest_discovers_its_host),
		PROCESS(guest_stays_away_from_what_it_does_not_know),
		PROCESS(other_numbers_are_not_served),
		PROCESS(frame_outside_of_memory_is_refused),
		PROCESS(clock_counts_the_thread_only_while_enabled),
		PROCESS(sleep_is_not_counted),
		PROCESS(overflows_interrupt_and_add_up_to_the_count),
		PROCESS(interrupt_function_may_make_calls),
		PROCESS(masked_interrupts_leave_the_pending_word),
		PROCESS(event_that_does_not_exist_here_is_refused),
		PROCESS(query_and_open_agree_on_every_event),
		PROCESS(end_of_the_vcpu_closes_all_files),
		PROCESS(equal_events_share_one_file),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
