// SPDX-License-Identifier: GPL-2.0-only
/*
 * oddpage PID: what a copy of an area looks like that was made in the middle of
 * a write.  In each area found in the memory of a VMM whose VM is stopped, all
 * sequences become odd, and the counts nonsense.  Prints how many areas it found.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pvpmu/abi.h>

/* By what a host writes into its lines: no other page looks so. */
static bool is_area(const struct pvpmu_area *area)
{
	unsigned int id, i, open = 0;

	if (area->host.version != PVPMU_ABI_VERSION || area->host.seq & 1 ||
	    !area->host.seq || area->host.slots_usable > PVPMU_MAX_SLOTS)
		return false;
	for (i = 0; i < 11; i++)
		if (area->host.reserved[i])
			return false;
	for (id = 0; id < PVPMU_MAX_SLOTS; id++) {
		const struct pvpmu_slot_host *host = &area->slot[id].host;

		if (host->seq & 1 || !host->seq ||
		    (host->state & PVPMU_STATE_MASK) > PVPMU_STATE_FAILED ||
		    host->time_running > host->time_enabled)
			return false;
		open += host->state != PVPMU_STATE_CLOSED;
	}
	return open;
}

static void spoil(struct pvpmu_area *area)
{
	unsigned int id;

	area->host.seq++;
	for (id = 0; id < PVPMU_MAX_SLOTS; id++) {
		area->slot[id].host.seq++;
		area->slot[id].host.count = ~0ull >> 1;
		area->slot[id].host.time_enabled = ~0ull;
	}
}

static int spoil_all(int mem, uint64_t begin, uint64_t end)
{
	struct pvpmu_area area;
	int found = 0;

	for (; begin < end; begin += sizeof(area)) {
		if (pread(mem, &area, sizeof(area), begin) != sizeof(area))
			continue;
		if (!is_area(&area))
			continue;
		spoil(&area);
		if (pwrite(mem, &area, sizeof(area), begin) != sizeof(area))
			perror("pwrite");
		found++;
	}
	return found;
}

int main(int argc, char **argv)
{
	char path[64], line[512], mode[8];
	unsigned long long begin, end;
	int mem, found = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/mem", argc == 2 ? atoi(argv[1]) : 0);
	mem = open(path, O_RDWR);
	snprintf(path, sizeof(path), "/proc/%d/maps", argc == 2 ? atoi(argv[1]) : 0);
	maps = fopen(path, "r");
	if (mem < 0 || !maps) {
		fprintf(stderr, "usage: oddpage PID\n");
		return 2;
	}
	/* The guest's memory is the one that is large. */
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%llx-%llx %7s", &begin, &end, mode) == 3 &&
		    !strncmp(mode, "rw", 2) && end - begin >= 64u << 20)
			found += spoil_all(mem, begin, end);
	printf("%d\n", found);
	return found ? 0 : 1;
}
