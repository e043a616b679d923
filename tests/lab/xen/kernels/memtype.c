// SPDX-License-Identifier: GPL-2.0-only
/* memtype DOMAIN FRAME ro|mmio: what a device model can make of a page of an
 * HVM or PVH guest.  For dom0. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define __XEN_TOOLS__ 1
#include <public/xen.h>
#include <public/hvm/dm_op.h>
#include <public/hvm/hvm_op.h>

struct privcmd_buffer {
	void *address;
	size_t size;
};

struct privcmd_dm_op {
	uint16_t domain;
	uint16_t count;
	const struct privcmd_buffer *buffers;
};
#define IOCTL_PRIVCMD_DM_OP _IOC(_IOC_NONE, 'P', 5, sizeof(struct privcmd_dm_op))

int main(int argc, char **argv)
{
	struct xen_dm_op op = { .op = XEN_DMOP_set_mem_type };
	struct privcmd_buffer buffer = { &op, sizeof(op) };
	struct privcmd_dm_op call = { .count = 1, .buffers = &buffer };
	int privcmd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);

	if (argc != 4)
		return 2;
	call.domain = atoi(argv[1]);
	op.u.set_mem_type.nr = 1;
	op.u.set_mem_type.first_pfn = strtoull(argv[2], NULL, 0);
	op.u.set_mem_type.mem_type =
		strcmp(argv[3], "ro") ? HVMMEM_mmio_dm : HVMMEM_ram_ro;
	if (ioctl(privcmd, IOCTL_PRIVCMD_DM_OP, &call) < 0) {
		perror("memtype");
		return 1;
	}
	return 0;
}
