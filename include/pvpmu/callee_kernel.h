/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions of the Linux kernel that are found by name and called by address,
 * for modules: it has them, and does not export them, or not to us.
 */
#ifndef PVPMU_CALLEE_KERNEL_H
#define PVPMU_CALLEE_KERNEL_H

#include <linux/kprobes.h>
#include <linux/static_call.h>

/**
 * struct pvpmu_callee - a function that is called by its address
 * @symbol: its name
 * @key: of the static call
 * @tramp: of the static call
 */
struct pvpmu_callee {
	const char *symbol;
	struct static_call_key *key;
	void *tramp;
};

/*
 * Defines the callee @name_, which static_call(name_)() calls once it was found.
 * @type: of the function.
 *
 * Where the kernel itself takes no pointer to a function, its landing pad is
 * sealed if the CPU tracks indirect branches: a pointer to it must not be called.
 * A static call is a call instruction, made at run time, to behind the pad.
 */
#define PVPMU_CALLEE(name_, symbol_, type)                                   \
	extern typeof(type) name_##_fn;                                      \
	DEFINE_STATIC_CALL_NULL(name_, name_##_fn);                          \
	static const struct pvpmu_callee name_##_callee = {                  \
		.symbol = symbol_,                                           \
		.key = &STATIC_CALL_KEY(name_),                              \
		.tramp = STATIC_CALL_TRAMP_ADDR(name_),                      \
	}

/**
 * pvpmu_address_of() - finds a function of the kernel
 * @symbol: its name; it need not be exported
 *
 * A kprobe may be put on any function, and tells where it is.  This one is
 * taken away before it can be hit.
 *
 * Context: Process, sleeps.
 * Return: where it may be called, behind its landing pad if it has one, and
 * where ftrace calls from if it can; 0 if there is none.
 */
static inline unsigned long pvpmu_address_of(const char *symbol)
{
	struct kprobe probe = {
		.symbol_name = symbol,
		.flags = KPROBE_FLAG_DISABLED,
	};
	unsigned long address;

	if (register_kprobe(&probe))
		return 0;
	address = (unsigned long)probe.addr;
	unregister_kprobe(&probe);
	return address;
}

/**
 * pvpmu_callee_set() - tells where a callee is
 * @callee: nobody calls it yet
 * @address: where it may be called, behind its landing pad
 *
 * Context: Process, sleeps.
 */
static inline void pvpmu_callee_set(const struct pvpmu_callee *callee,
				    unsigned long address)
{
	__static_call_update(callee->key, callee->tramp, (void *)address);
}

/**
 * pvpmu_callee_find() - looks a callee up
 * @callee: nobody calls it yet
 *
 * Context: Process, sleeps.
 * Return: false if the kernel has no such function.
 */
static inline bool pvpmu_callee_find(const struct pvpmu_callee *callee)
{
	unsigned long address = pvpmu_address_of(callee->symbol);

	if (address)
		pvpmu_callee_set(callee, address);
	return address;
}

#endif /* PVPMU_CALLEE_KERNEL_H */
