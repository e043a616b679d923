// SPDX-License-Identifier: MIT OR GPL-2.0
/* Guests that read lines in other threads while the host writes them */
#include <pthread.h>
#include <stdlib.h>

#include <guest.h>

#include "unit.h"

#define READERS 3
#define ROUNDS 20000
#define ENOUGH 1000

/* More than 32 bits each step, so that a torn field cannot go unnoticed */
#define STEP 0x100000003ull

/**
 * struct reader - a thread that reads slot 0
 * @thread: the thread
 * @guest: what it reads through
 * @stop: the host has ended
 * @waiting: readers that have not read enough yet
 * @good: readings of one moment
 * @wrong: readings that mix two moments
 * @back: readings older than one before
 */
struct reader {
	pthread_t thread;
	struct pvpmu_guest guest;
	u32 *stop;
	u32 *waiting;
	u64 good;
	u64 wrong;
	u64 back;
};

/* The hardware of these tests: for each event, 2 ns running, 3 enabled. */
static bool is_of_one_moment(const struct pvpmu_slot_host *line)
{
	return line->time_running == 2 * line->count &&
	       line->time_enabled == 3 * line->count;
}

static void *read_lines(void *data)
{
	struct reader *reader = data;
	struct pvpmu_slot_host line;
	u64 last = 0;

	while (!__atomic_load_n(reader->stop, __ATOMIC_ACQUIRE)) {
		if (!pvpmu_guest_read(&reader->guest, 0, &line))
			continue;
		/* The host goes on until all have seen something. */
		if (++reader->good == ENOUGH)
			__atomic_sub_fetch(reader->waiting, 1,
					   __ATOMIC_RELEASE);
		reader->wrong += !is_of_one_moment(&line);
		reader->back += line.count < last;
		last = line.count;
	}
	return NULL;
}

static void readers_see_one_moment_only(void **state)
{
	struct fake *fake = *state;
	struct reader readers[READERS] = { 0 };
	struct pvpmu_reading *reading;
	u32 waiting = READERS;
	u32 stop = 0;
	u32 i;

	start_event(fake, 0, CYCLES, 0);
	reading = &fake->counter[fake_find(fake, HW, CYCLES)].reading;
	for (i = 0; i < READERS; i++) {
		readers[i].stop = &stop;
		readers[i].waiting = &waiting;
		readers[i].guest.area = &fake->area;
		readers[i].guest.header_size = PVPMU_HEADER_SIZE;
		readers[i].guest.slot_size = PVPMU_SLOT_SIZE;
		assert_int_equal(pthread_create(&readers[i].thread, NULL,
						read_lines, &readers[i]),
				 0);
	}
	for (i = 0; i < ROUNDS || __atomic_load_n(&waiting, __ATOMIC_ACQUIRE);
	     i++) {
		reading->count += STEP;
		reading->running += 2 * STEP;
		reading->enabled += 3 * STEP;
		if (i % 3)
			assert_done(fake, PVPMU_OP_READ, 0);
		else
			guest_update(fake, 0, 1, 0, 1, 0);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	for (i = 0; i < READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		assert_int_equal(readers[i].wrong, 0);
		assert_int_equal(readers[i].back, 0);
	}
}

/* A page that was copied while a line was being written: nobody ends that. */
static void line_that_stays_odd_is_given_up_until_setup(void **state)
{
	struct fake *fake = *state;
	struct pvpmu_guest guest = {
		.area = &fake->area,
		.header_size = PVPMU_HEADER_SIZE,
		.slot_size = PVPMU_SLOT_SIZE,
	};
	struct pvpmu_slot_host line = { .count = 77 };

	start_event(fake, 0, CYCLES, 0);
	fake->area.slot[0].host.seq++;
	fake->area.slot[0].host.count = ~0ull;
	assert_false(pvpmu_guest_read(&guest, 0, &line));
	assert_int_equal(line.count, 77);
	/* The host it was copied to knows of no area. */
	pvpmu_vcpu_detach(&fake->vcpu);
	assert_int_equal(guest_call(fake, PVPMU_OP_READ, 0, 0, 0),
			 PVPMU_ERR_NO_AREA);
	assert_false(pvpmu_guest_read(&guest, 0, &line));
	assert_int_equal(guest_setup(fake), PVPMU_OK);
	start_event(fake, 0, CYCLES, 0);
	assert_true(pvpmu_guest_read(&guest, 0, &line));
	assert_int_equal(line.count, 0);
}

/* The guest's side of the pending word, in a thread of its own */
static void *take_bits(void *data)
{
	struct reader *reader = data;
	bool last;

	do {
		last = __atomic_load_n(reader->stop, __ATOMIC_ACQUIRE);
		if (pvpmu_guest_take_pending(&reader->guest))
			reader->good++;
	} while (!last);
	return NULL;
}

static void each_interrupt_finds_its_bits(void **state)
{
	struct fake *fake = *state;
	struct reader reader = { .guest.area = &fake->area };
	u32 stop = 0;
	u32 i;

	fake->own_vm.limits.overflow_rate = ~0u;
	fake->now += 1000000000;
	reader.stop = &stop;
	start_event(fake, 0, CYCLES, 1000);
	assert_int_equal(
		pthread_create(&reader.thread, NULL, take_bits, &reader), 0);
	for (i = 0; i < ROUNDS; i++)
		fake_run(fake, 1, 1000);
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	pthread_join(reader.thread, NULL);
	/* Each change from zero was raised once, and found once. */
	assert_int_equal(reader.good, fake->calls[FAKE_RAISE]);
	assert_int_equal(fake->area.overflow.pending, 0);
}

/* vCPUs of one VM open and close side by side. */
struct cpu {
	pthread_t thread;
	struct fake fake;
	u64 opened;
	u64 refused;
};

static void *open_and_close(void *data)
{
	struct cpu *cpu = data;
	u32 i;

	guest_setup(&cpu->fake);
	for (i = 0; i < ROUNDS; i++) {
		if (guest_open(&cpu->fake, i % 2, HW, CYCLES, 0) == PVPMU_OK)
			cpu->opened++;
		else
			cpu->refused++;
		if (i % 2)
			guest_update(&cpu->fake, 3, 0, 0, 0, 0);
	}
	return NULL;
}

static void limit_of_the_vm_holds_while_vcpus_race(void **state)
{
	const struct pvpmu_limits limits = {
		.slots_vcpu = 2,
		.slots_vm = 3,
		.classes = PVPMU_CLASS_BASIC,
		.period_min = 1,
		.clock_period_min = 1,
	};
	struct cpu *cpus = calloc(READERS, sizeof(*cpus));
	struct pvpmu_vm vm;
	u64 opened = 0;
	u32 i;

	(void)state;
	assert_non_null(cpus);
	pvpmu_vm_init(&vm, &limits);
	for (i = 0; i < READERS; i++)
		fake_init(&cpus[i].fake, &vm);
	for (i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&cpus[i].thread, NULL,
						open_and_close, &cpus[i]),
				 0);
	for (i = 0; i < READERS; i++) {
		pthread_join(cpus[i].thread, NULL);
		assert_int_equal(cpus[i].opened + cpus[i].refused, ROUNDS);
		opened += cpus[i].opened;
	}
	assert_true(opened >= ROUNDS / 2);
	assert_true(vm.slots_open <= 3);
	for (i = 0; i < READERS; i++)
		fake_end(&cpus[i].fake);
	assert_int_equal(vm.slots_open, 0);
	free(cpus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(readers_see_one_moment_only),
		UNIT(line_that_stays_odd_is_given_up_until_setup),
		UNIT(each_interrupt_finds_its_bits),
		cmocka_unit_test(limit_of_the_vm_holds_while_vcpus_race),
	};

	return cmocka_run_group_tests_name("readers", tests, NULL, NULL);
}
