// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM that lets its vCPU wait in a call: the page that the call is about is
 * not there, and the VMM does not bring it.  That is its own affair; no other
 * VM, and no administrator, waits with it.
 */
#define _GNU_SOURCE
#include "selftest.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXTRA_GPA (64ull << 20)
#define EXTRA_FRAME (EXTRA_GPA >> 12)
#define PATIENCE 10 /* s */

static struct vmm held;

static int watch(void *page)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range = { (uintptr_t)page, 4096 },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &range))
		err(125, "userfaultfd");
	return fd;
}

static void *call(void *unused)
{
	(void)unused;
	vmm_op(&held, 0, PVPMU_OP_OPEN, 0, 0, 0);
	return NULL;
}

/* Another VM begins and ends. */
static void *live(void *result)
{
	struct vmm v;

	vmm_create(&v, false);
	vmm_discover(&v);
	*(int64_t *)result = setup(&v, 0, 0);
	vmm_destroy(&v);
	return NULL;
}

static void *list(void *result)
{
	static char text[4096];
	int fd = open("/sys/kernel/debug/pvpmu_kvm/vcpus", O_RDONLY);

	*(int64_t *)result = fd >= 0 && read(fd, text, sizeof(text)) > 0 ? 0 : -1;
	close(fd);
	return NULL;
}

static void *off(void *result)
{
	param("enable", "0");
	param("enable", "1");
	*(int64_t *)result = 0;
	return NULL;
}

/* It comes to its end, however long the other one waits. */
static void goes_on(const char *name, void *(*fn)(void *))
{
	int64_t *result = calloc(1, sizeof(*result));
	struct timespec until;
	pthread_t thread;

	*result = -1;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE;
	pthread_create(&thread, NULL, fn, result);
	if (pthread_timedjoin_np(thread, NULL, &until))
		*result = -ETIMEDOUT;
	is(name, *result, 0);
}

static void bring(int fd, void *page)
{
	struct uffdio_zeropage zero = { .range = { (uintptr_t)page, 4096 } };

	if (ioctl(fd, UFFDIO_ZEROPAGE, &zero))
		err(125, "UFFDIO_ZEROPAGE");
}

void test_blocked(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffd_msg message;
	pthread_t thread;
	int fd;

	vmm_create(&held, false);
	vmm_discover(&held);
	accept_in(&held, page);
	vmm_slot(&held, 1, 0, EXTRA_GPA, 4096, page);
	is("setup", vmm_op(&held, 0, PVPMU_OP_SETUP, EXTRA_FRAME, 0, 0),
	   PVPMU_OK);
	madvise(page, 4096, MADV_DONTNEED);
	fd = watch(page);
	pthread_create(&thread, NULL, call, NULL);
	if (read(fd, &message, sizeof(message)) != sizeof(message))
		err(125, "read of userfaultfd");

	/* The first waits for the call, and with the registry locked as it was
	 * once, the second for the first. */
	goes_on("vCPUs are listed", list);
	goes_on("another VM begins and ends", live);
	goes_on("pvpmu is switched off and on", off);
	goes_on("another VM begins and ends again", live);

	bring(fd, page);
	pthread_join(thread, NULL);
	is("switched off, it has nothing", stat_of("live_areas"), 0);
	vmm_destroy(&held);
	close(fd);
	munmap(page, 4096);
}
