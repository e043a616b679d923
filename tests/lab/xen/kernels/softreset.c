// SPDX-License-Identifier: GPL-2.0-only
/*
 * softreset DOMAIN: what a toolstack does for a guest that asked for it and is
 * shut down, but for its console and store.  It stays paused.  For dom0.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define __XEN_TOOLS__ 1
#include <public/xen.h>
#include <public/domctl.h>

struct privcmd_hypercall {
	uint64_t op;
	uint64_t arg[5];
};
#define IOCTL_PRIVCMD_HYPERCALL \
	_IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall))

/* Xen does not fault it in. */
static struct xen_domctl domctl __attribute__((aligned(4096)));

static int control(int privcmd, unsigned int command, unsigned int domain)
{
	struct privcmd_hypercall call = {
		.op = __HYPERVISOR_domctl,
		.arg = { (uintptr_t)&domctl },
	};

	domctl.cmd = command;
	domctl.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	domctl.domain = domain;
	return ioctl(privcmd, IOCTL_PRIVCMD_HYPERCALL, &call);
}

int main(int argc, char **argv)
{
	int privcmd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);

	if (argc != 2)
		return 2;
	if (mlock(&domctl, sizeof(domctl)) ||
	    control(privcmd, XEN_DOMCTL_pausedomain, atoi(argv[1])) ||
	    control(privcmd, XEN_DOMCTL_soft_reset, atoi(argv[1]))) {
		perror("softreset");
		return 1;
	}
	return 0;
}
