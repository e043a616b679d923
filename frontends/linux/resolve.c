// SPDX-License-Identifier: GPL-2.0
/* Functions of the kernel that it has, but does not export. */
#include "pvpmu.h"

#include <linux/kprobes.h>

#define ENDBR64 0xfa1e0ff3u

/**
 * pvg_resolve() - finds a function of the kernel
 * @name: of the function
 *
 * A kprobe may be put on any function, and tells where it is.  This one is
 * taken away before it can be hit.  Where functions begin with an ENDBR, the
 * probe goes behind it, a call must not.
 *
 * Context: process.
 * Return: its address, or NULL if there is none or kprobes are not to be had.
 */
void *pvg_resolve(const char *name)
{
	struct kprobe probe = {
		.symbol_name = name,
		.flags = KPROBE_FLAG_DISABLED,
	};
	void *address;

	if (register_kprobe(&probe))
		return NULL;
	address = probe.addr;
	unregister_kprobe(&probe);
	if (*(u32 *)(address - sizeof(u32)) == ENDBR64)
		address -= sizeof(u32);
	return address;
}
