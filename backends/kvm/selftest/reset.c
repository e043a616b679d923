// SPDX-License-Identifier: GPL-2.0
/* vCPUs that begin anew without having let their area go */
#include "selftest.h"

#include <string.h>

static void begin_sampling(struct vmm *v)
{
	setup(v, 0, 0);
	is("open", open_event(v, 0, 0, 0, PVPMU_TYPE_HARDWARE,
			      PVPMU_HW_INSTRUCTIONS, 10000), PVPMU_OK);
	vmm_op(v, 0, PVPMU_OP_ENABLE, 0, 0, 0);
	vmm_loop(v, 0, 100000);
	between("overflows before", vmm_area(v, 0)->slot[0].host.overflows, 19,
		21);
}

/* The page is another kernel's now. */
static void nothing_is_written(struct vmm *v, const char *after)
{
	uint8_t *page = (uint8_t *)vmm_area(v, 0);
	int i, changed = 0;

	is(after, stat_of("live_areas"), 0);
	memset(page, 0x5a, PVPMU_AREA_SIZE);
	vmm_make_runnable(v, 0);
	vmm_mode(v, 0, KERNEL64);
	vmm_loop(v, 0, 100000);
	for (i = 0; i < (int)PVPMU_AREA_SIZE; i++)
		changed += page[i] != 0x5a;
	is("bytes written after that", changed, 0);
	is("no area", vmm_op(v, 0, PVPMU_OP_READ, 0, 0, 0), PVPMU_ERR_NO_AREA);
	memset(page, 0, PVPMU_AREA_SIZE);
}

void test_reset(void)
{
	struct vmm v;

	vmm_create(&v, true);
	vmm_discover(&v);
	begin_sampling(&v);
	vmm_make_runnable(&v, 0);
	nothing_is_written(&v, "areas after a reset by the VMM");

	begin_sampling(&v);
	vmm_crash(&v, 0);
	/* Elsewhere it is the VMM that resets after a triple fault. */
	if (!vmm_is_amd())
		vmm_make_runnable(&v, 0);
	nothing_is_written(&v, "areas after a triple fault");

	setup(&v, 0, 0);
	setup(&v, 1, 1);
	vmm_make_runnable(&v, 1);
	is("the other vCPU keeps its area", stat_of("live_areas"), 1);
	vmm_destroy(&v);
}
