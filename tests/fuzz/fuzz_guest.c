// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The other way round: a guest and a host that cannot be trusted.  CPUID,
 * answers and the page hold anything; guest.c must stay within its page and
 * come to an end.
 */
#include <stdlib.h>

#include <guest.h>

#include "fuzz.h"

struct host {
	struct input in;
	struct pvpmu_area *area;
};

static void cpuid(void *data, __u32 leaf, __u32 regs[4])
{
	struct host *host = data;
	u32 i;

	for (i = 0; i < 4; i++)
		regs[i] = (u32)take(&host->in, 4);
	/* Else nothing would ever be found: what a guest looks for first. */
	if (!(take8(&host->in) & 3))
		return;
	switch (leaf & 0xff) {
	case 0:
		regs[0] = leaf + 2 + take8(&host->in);
		regs[1] = PVPMU_SIGNATURE_EBX;
		regs[2] = PVPMU_SIGNATURE_ECX;
		regs[3] = PVPMU_SIGNATURE_EDX;
		break;
	case 1:
		regs[0] = PVPMU_ABI_MAJOR << 16 | take8(&host->in);
		regs[1] = (regs[1] & 0x1ff) << 16 | take8(&host->in);
		break;
	case 2:
		regs[1] = PVPMU_AREA_PAGES << 16 | (regs[1] & 0xfff);
		break;
	}
}

static __s32 call(void *data, __u32 number, __u32 op, __u32 a, __u32 b, __u32 c)
{
	struct host *host = data;
	u32 words = take8(&host->in);
	u32 offset;

	(void)number;
	(void)op;
	(void)a;
	(void)b;
	(void)c;
	while (words--) {
		offset = take8(&host->in) | (take8(&host->in) & 3u) << 8;
		((u32 *)host->area)[offset] = (u32)take(&host->in, 4);
	}
	return (s32)take(&host->in, 4);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct host host = { .in = { data, len } };
	const struct pvpmu_machine machine = { cpuid, call, &host };
	const struct pvpmu_event event = { .type = 1, .config = 1 };
	const struct pvpmu_masks masks = { .open = 1, .enable = 1 };
	struct pvpmu_slot_host line;
	struct pvpmu_guest guest;
	s32 ret;
	u32 id;

	/* A page of its own, so that a step beside it is seen. */
	host.area = malloc(sizeof(*host.area));
	FAKE_CHECK(host.area != NULL);
	ret = pvpmu_guest_setup(&guest, &machine, host.area, 1, 0);
	if (ret >= 0 && guest.area) {
		FAKE_CHECK(guest.slots <= PVPMU_MAX_SLOTS);
		for (id = 0; id < guest.slots; id++) {
			pvpmu_guest_describe(&guest, id, &event);
			pvpmu_guest_query(&guest, &event);
			pvpmu_guest_update(&guest, &masks);
			pvpmu_guest_read(&guest, id, &line);
			pvpmu_guest_take_pending(&guest);
		}
	}
	free(host.area);
	return 0;
}
