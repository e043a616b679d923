// SPDX-License-Identifier: GPL-2.0
/* Which host two guests find in CPUID: the Linux driver, and guest.c */
#include "unit.h"

#include <guest.h>

#include "../../frontends/linux/pvpmu.h"

/* What is at a base; without a highest leaf there is nothing. */
struct block {
	u32 base;
	u32 highest;
	u32 version;
	u32 sizes;
	u32 slots;
};

#define BLOCKS 2
#define FIRST 0x40000100u
#define SECOND 0x40000500u

static struct block block[BLOCKS];

static void read_leaf(u32 leaf, u32 regs[4])
{
	u32 i;

	memset(regs, 0, 4 * sizeof(*regs));
	for (i = 0; i < BLOCKS; i++) {
		const struct block *b = &block[i];

		if (leaf < b->base || leaf > b->highest)
			continue;
		switch (leaf - b->base) {
		case 0:
			regs[0] = b->highest;
			regs[1] = PVPMU_SIGNATURE_EBX;
			regs[2] = PVPMU_SIGNATURE_ECX;
			regs[3] = PVPMU_SIGNATURE_EDX;
			break;
		case 1:
			regs[0] = b->version;
			regs[1] = b->slots;
			regs[2] = ~0u;
			regs[3] = b->base;
			break;
		case 2:
			regs[0] = 1000;
			regs[1] = b->sizes;
			break;
		}
	}
}

static const struct pvg_transport transport = { .cpuid = read_leaf };
const struct pvg_transport *pvg_transport = &transport;

static void machine_cpuid(void *data, __u32 leaf, __u32 regs[4])
{
	(void)data;
	read_leaf(leaf, regs);
}

/* The base that both guests choose, 0 if they find none for them */
static u32 found(void)
{
	const struct pvpmu_machine machine = { .cpuid = machine_cpuid };
	struct pvpmu_guest guest;
	struct pvg_host host = { 0 };
	bool one = pvpmu_guest_discover(&guest, &machine);
	bool other = !pvg_discover(&host, 0, true);

	assert_int_equal(one, other);
	if (!one)
		return 0;
	assert_int_equal(guest.number, host.number);
	assert_int_equal(host.base, host.number);
	assert_int_equal(host.features & ~PVG_FEATURES, 0);
	return host.base;
}

static int two_hosts(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < BLOCKS; i++) {
		struct block *b = &block[i];

		b->base = i ? SECOND : FIRST;
		b->highest = b->base + PVPMU_CPUID_LEAVES;
		b->version = PVPMU_ABI_VERSION;
		b->sizes = PVPMU_AREA_PAGES << 16 | PVPMU_HEADER_SIZE;
		b->slots = PVPMU_SLOT_SIZE << 16 | PVPMU_MAX_SLOTS;
	}
	return 0;
}

static void first_base_is_taken(void **state)
{
	(void)state;
	assert_int_equal(found(), FIRST);
	block[0].highest = 0;
	assert_int_equal(found(), SECOND);
	block[1].highest = 0;
	assert_int_equal(found(), 0);
}

static void base_of_another_major_version_is_passed_over(void **state)
{
	(void)state;
	block[0].version = 2u << 16;
	assert_int_equal(found(), SECOND);
	block[1].version = 3u << 16 | 7;
	assert_int_equal(found(), 0);
	block[1].version = PVPMU_ABI_VERSION + 7;
	assert_int_equal(found(), SECOND);
}

static void host_where_it_was_may_be_of_another_major_now(void **state)
{
	struct pvg_host host = { 0 };

	(void)state;
	assert_int_equal(pvg_discover(&host, FIRST, false), 0);
	block[0].version = 2u << 16;
	assert_int_equal(pvg_discover(&host, FIRST, false), -EPROTO);
	assert_int_equal(pvg_discover(&host, FIRST, true), 0);
	assert_int_equal(host.base, SECOND);
}

static void signature_without_its_leaves_is_passed_over(void **state)
{
	(void)state;
	block[0].highest = FIRST + PVPMU_CPUID_LEAVES - 1;
	assert_int_equal(found(), SECOND);
}

/* SETUP registers one page: a host with two would write beyond it. */
static void area_of_two_pages_is_none(void **state)
{
	(void)state;
	block[0].sizes = 2u << 16 | PVPMU_HEADER_SIZE;
	assert_int_equal(found(), 0);
	block[0].sizes = PVPMU_HEADER_SIZE;
	assert_int_equal(found(), 0);
}

static void slots_stay_in_the_page(void **state)
{
	(void)state;
	block[0].slots = PVPMU_SLOT_SIZE << 16 | (PVPMU_MAX_SLOTS + 1);
	assert_int_equal(found(), 0);
	block[0].slots = PVPMU_SLOT_SIZE * 2 << 16 | PVPMU_MAX_SLOTS;
	assert_int_equal(found(), 0);
	block[0].slots = PVPMU_SLOT_SIZE * 2 << 16 | PVPMU_MAX_SLOTS / 2;
	assert_int_equal(found(), FIRST);
	block[0].slots = PVPMU_SLOT_SIZE << 16;
	assert_int_equal(found(), 0);
}

#define TEST(name) cmocka_unit_test_setup(name, two_hosts)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(first_base_is_taken),
		TEST(base_of_another_major_version_is_passed_over),
		TEST(host_where_it_was_may_be_of_another_major_now),
		TEST(signature_without_its_leaves_is_passed_over),
		TEST(area_of_two_pages_is_none),
		TEST(slots_stay_in_the_page),
	};

	return cmocka_run_group_tests_name("leaves", tests, NULL, NULL);
}
