/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * pvpmu: the interface between a guest and its host, version 1.0
 *
 * A guest asks its host, by hypercall, to open, enable, disable, read and
 * close performance events.  The host counts them while the calling vCPU runs
 * its guest, shares the counts in one page of guest memory per vCPU, and
 * raises an interrupt when an event overflows.
 *
 * This header is all that a guest and a host share.  docs/abi.md is the
 * normative text; it explains what the comments here state.  The header needs
 * nothing else: it compiles alone as C99, C11 and C++, 32 and 64 bit, and one
 * layout serves all of them.
 *
 * Words used below: "the host" is the hypervisor that serves a call, "the
 * guest" is the kernel that makes it.  An id is the number of a slot, chosen by
 * the guest, and means something on the calling vCPU only.
 */
#ifndef PVPMU_ABI_H
#define PVPMU_ABI_H

#if defined(__KERNEL__)
#include <linux/types.h>
#elif !defined(_ASM_GENERIC_INT_LL64_H) && !defined(__XEN__)
typedef unsigned char __u8;
typedef signed int __s32;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
#endif

/* Holds in C99, C11 and C++ alike, where no spelling of static_assert does. */
#define PVPMU_ASSERT(name, condition) \
	extern char pvpmu_assert_##name[(condition) ? 1 : -1]

#define PVPMU_ABI_MAJOR 1u
#define PVPMU_ABI_MINOR 0u
#define PVPMU_ABI_VERSION (PVPMU_ABI_MAJOR << 16 | PVPMU_ABI_MINOR)

/*
 * Discovery
 * ---------
 * The host shows three leaves of four words.  On x86 they are leaves of CPUID:
 * the guest scans the hypervisor range from 0x40000000 in steps of 0x100.  It
 * uses the first base that has the signature, all three leaves, and a major
 * version that the guest knows.  docs/abi.md says how other architectures
 * show them.
 *
 *  base+0  EAX  highest leaf of this block, at least base+2
 *          EBX, ECX, EDX  signature "pvpmupvpmu\0\0"
 *  base+1  EAX  ABI version, major in bits 31:16, minor in bits 15:0
 *          EBX  bits 15:0 number of slots (ids are below it),
 *               bits 31:16 distance between slots in bytes, a multiple of 64
 *          ECX  features, PVPMU_FEAT_*
 *          EDX  hypercall number
 *  base+2  EAX  operation base, added to every PVPMU_OP_*
 *          EBX  bits 15:0 size of the area's header in bytes, a multiple of 64,
 *               bits 31:16 size of the area in pages of 4096 bytes, which is
 *               1 in all of major version 1
 *          ECX  shortest sample period of a counted event, in events
 *          EDX  shortest sample period of a clock event, in ns
 *
 * A guest reads these leaves before every SETUP: after a migration each of
 * these figures may have changed.
 */
#define PVPMU_CPUID_FIRST 0x40000000u
#define PVPMU_CPUID_LAST 0x4000ff00u
#define PVPMU_CPUID_STEP 0x100u
#define PVPMU_CPUID_LEAVES 2u
#define PVPMU_SIGNATURE_EBX 0x6d707670u /* "pvpm" */
#define PVPMU_SIGNATURE_ECX 0x70767075u /* "upvp" */
#define PVPMU_SIGNATURE_EDX 0x0000756du /* "mu\0\0" */

/*
 * Features; a bit not named here is zero in version 1.0.  The guest names those
 * that it uses in its header line before SETUP; others are not used.
 */
#define PVPMU_FEAT_LVTPC (1u << 0) /* PVPMU_DELIVER_LVTPC is served */
#define PVPMU_FEAT_PV_NMI (1u << 1) /* PVPMU_DELIVER_PV_NMI is served */
#define PVPMU_FEAT_EVTCHN (1u << 2) /* PVPMU_DELIVER_EVTCHN is served */
#define PVPMU_FEAT_GROUPS (1u << 3) /* slots may name another as leader */
#define PVPMU_FEAT_RDPMC (1u << 4) /* PVPMU_FLAG_USER_READ is served */
#define PVPMU_FEAT_DIRECT (1u << 5) /* counters are read without an exit */

/*
 * Operations
 * ----------
 * A call passes the operation word, operation base + PVPMU_OP_*, and three
 * scalars of 32 bits; those not named for an operation are zero.  The result
 * is a signed 32 bit number: negative is a PVPMU_ERR_*, anything else success.
 * Only the guest's kernel may call: DENIED otherwise.
 *
 * A call that is refused does nothing of what it asks for.  Each call ends with
 * showing what overflowed before.  Answers of a hypervisor that does not know
 * the hypercall (Xen -38, KVM -1000) mean that pvpmu is absent.
 *
 * Every operation may answer OPERATION, DENIED or RESERVED.  All but QUERY and
 * SETUP need an area: NO_AREA if there is none (any more), upon which the guest
 * reads the leaves again, calls SETUP and opens its events again.
 *
 * An operation on one id may be called in any context, also from an NMI that
 * interrupted the preparation of an UPDATE.  UPDATE may not.
 */

/* QUERY (type, config low, config high): bits PVPMU_CAP_*, or EVENT. */
#define PVPMU_OP_QUERY 0u
/*
 * SETUP (frame low, frame high, delivery): registers the area of the calling
 * vCPU by its frame number, its address divided by 4096.  The header's guest
 * line says what the guest is.  An area registered before is let go, all
 * events on it are closed.  delivery: PVPMU_DELIVER_* in bits 7:0; the event
 * channel port in bits 31:8 where that delivery is chosen, zero otherwise.
 * Errors: DENIED, DELIVERY, RESERVED, FRAME, RETRY, VERSION, NO_AREA (the page
 * registered before went away during a SETUP that was refused).
 */
#define PVPMU_OP_SETUP 1u
/* DETACH (): closes all events, lets the area go.  Errors: those of every
 * operation. */
#define PVPMU_OP_DETACH 2u
/*
 * OPEN (id): opens the event that the slot's guest line describes; it starts
 * stopped, its count, times and overflows at zero.
 * Errors: ID, OPEN, RESERVED, EVENT, FILTER, PERIOD, GROUP, LIMIT, HOST.
 */
#define PVPMU_OP_OPEN 3u
/* CLOSE (id): stops and closes; the last count stays readable.
 * Errors: ID, CLOSED. */
#define PVPMU_OP_CLOSE 4u
/* ENABLE (id): starts, or arms a throttled event again; no change if it
 * counts.  Errors: ID, CLOSED, HOST (a throttled event is stopped then). */
#define PVPMU_OP_ENABLE 5u
/* DISABLE (id): stops; the slot is exact when the call returns.  No change if
 * it is stopped.  Errors: ID, CLOSED. */
#define PVPMU_OP_DISABLE 6u
/* READ (id): brings the slot's host line up to date; no event changes.
 * Errors: ID, CLOSED. */
#define PVPMU_OP_READ 7u
/*
 * UPDATE (): carries out the five masks of the area's header, whole masks in
 * the order close, disable, open, enable, read, ids ascending within each.
 * Each id named answers for itself in the error field of its slot: the first
 * error it met, or zero; an id goes on with its next mask after an error.
 * Errors of the call: ID (a mask names an id too large; nothing was done),
 * RESERVED (nothing was done), PARTIAL (at least one id has an error).
 */
#define PVPMU_OP_UPDATE 8u

/* Results. The list is closed: version 1 has no others. */
#define PVPMU_OK 0
#define PVPMU_ERR_OPERATION (-3001) /* no such operation */
#define PVPMU_ERR_DENIED (-3002) /* not from this guest, or not from there */
#define PVPMU_ERR_RESERVED (-3003) /* a reserved bit or argument is not zero */
#define PVPMU_ERR_NO_AREA (-3004) /* no area registered on this vCPU */
#define PVPMU_ERR_FRAME (-3005) /* not writable RAM of the guest's own */
#define PVPMU_ERR_DELIVERY (-3006) /* a delivery that is not served */
#define PVPMU_ERR_RETRY (-3007) /* not now: the same call may work later */
#define PVPMU_ERR_ID (-3008) /* id not below the number of slots */
#define PVPMU_ERR_OPEN (-3009) /* the id is open already */
#define PVPMU_ERR_CLOSED (-3010) /* the id is not open */
#define PVPMU_ERR_EVENT (-3011) /* event unknown, or not offered here */
#define PVPMU_ERR_FILTER (-3012) /* a filter that cannot be honoured here */
#define PVPMU_ERR_PERIOD (-3013) /* too short, too long, or not samplable */
#define PVPMU_ERR_GROUP (-3014) /* leader closed, group too large, no groups */
#define PVPMU_ERR_LIMIT (-3015) /* more events than the administrator allows */
#define PVPMU_ERR_HOST (-3016) /* the host found no counter or memory for it */
#define PVPMU_ERR_PARTIAL (-3017) /* UPDATE: see the error of each slot */
#define PVPMU_ERR_VERSION (-3018) /* the guest's version or features */
#define PVPMU_ERR_LAST PVPMU_ERR_VERSION

/* What QUERY tells of an event */
#define PVPMU_CAP_COUNT (1u << 0) /* it can be counted (always set) */
#define PVPMU_CAP_SAMPLE (1u << 1) /* it can have a sample period */
#define PVPMU_CAP_EXCLUDE_USER (1u << 2) /* that filter is honoured */
#define PVPMU_CAP_EXCLUDE_KERNEL (1u << 3) /* that filter is honoured */
#define PVPMU_CAP_EXCLUDE_GUEST (1u << 4) /* that filter is honoured */
#define PVPMU_CAP_EXCLUDE_HOST (1u << 5) /* that filter is honoured */

/* How the host tells of an overflow */
#define PVPMU_DELIVER_NONE 0u /* not at all: the guest polls */
#define PVPMU_DELIVER_LVTPC 1u /* as the local APIC's LVTPC says */
#define PVPMU_DELIVER_PV_NMI 2u /* as an NMI, without a local APIC */
#define PVPMU_DELIVER_EVTCHN 3u /* by an event channel, with its port */
#define PVPMU_DELIVER_MASK 0xffu
#define PVPMU_DELIVER_PORT_SHIFT 8

/*
 * Events
 * ------
 * An event is a type and a config.  Numbers are never used again for another
 * meaning.  All of them count only what the calling vCPU did in its guest, and
 * in guests of that guest unless PVPMU_FLAG_EXCLUDE_GUEST leaves them out.
 */
#define PVPMU_TYPE_HARDWARE 1u /* config: PVPMU_HW_* */
#define PVPMU_TYPE_CACHE 2u /* config: PVPMU_CACHE(cache, op, result) */
#define PVPMU_TYPE_CLOCK 3u /* config: PVPMU_CLOCK_* */
#define PVPMU_TYPE_HYPERVISOR 4u /* config: PVPMU_HV_* */
#define PVPMU_TYPE_RAW 5u /* config: the processor's own, see PVPMU_RAW_BITS */

#define PVPMU_HW_CYCLES 0u
#define PVPMU_HW_INSTRUCTIONS 1u
#define PVPMU_HW_CACHE_REFERENCES 2u
#define PVPMU_HW_CACHE_MISSES 3u
#define PVPMU_HW_BRANCHES 4u
#define PVPMU_HW_BRANCH_MISSES 5u
#define PVPMU_HW_BUS_CYCLES 6u
#define PVPMU_HW_STALLED_FRONTEND 7u
#define PVPMU_HW_STALLED_BACKEND 8u
#define PVPMU_HW_REF_CYCLES 9u
#define PVPMU_HW_END 10u

#define PVPMU_CACHE_L1D 0u
#define PVPMU_CACHE_L1I 1u
#define PVPMU_CACHE_LL 2u
#define PVPMU_CACHE_DTLB 3u
#define PVPMU_CACHE_ITLB 4u
#define PVPMU_CACHE_BPU 5u
#define PVPMU_CACHE_NODE 6u
#define PVPMU_CACHE_END 7u
#define PVPMU_CACHE_OP_READ 0u
#define PVPMU_CACHE_OP_WRITE 1u
#define PVPMU_CACHE_OP_PREFETCH 2u
#define PVPMU_CACHE_OP_END 3u
#define PVPMU_CACHE_ACCESS 0u
#define PVPMU_CACHE_MISS 1u
#define PVPMU_CACHE_RESULT_END 2u
#define PVPMU_CACHE(cache, op, result) ((cache) | (op) << 8 | (result) << 16)

#define PVPMU_CLOCK_VCPU 0u /* ns that the vCPU was scheduled in */
#define PVPMU_CLOCK_END 1u

#define PVPMU_HV_EXITS 0u /* times the vCPU left its guest for the host */
#define PVPMU_HV_STEAL 1u /* ns the vCPU was runnable but not scheduled in */
#define PVPMU_HV_PREEMPTIONS 2u /* times it was scheduled out while runnable */
#define PVPMU_HV_HALTS 3u /* times it had nothing to run */
/* Exits by what they were for; these seven together are all of them. */
#define PVPMU_HV_EXITS_INTERRUPT 4u /* an interrupt, the host's or the guest's */
#define PVPMU_HV_EXITS_IDLE 5u /* the guest gave the CPU away */
#define PVPMU_HV_EXITS_IO 6u /* an I/O port */
#define PVPMU_HV_EXITS_MEMORY 7u /* memory that is not there, or a device's */
#define PVPMU_HV_EXITS_INSTRUCTION 8u /* a register or instruction */
#define PVPMU_HV_EXITS_HYPERCALL 9u /* a hypercall, pvpmu's as well */
#define PVPMU_HV_EXITS_OTHER 10u /* anything else */
#define PVPMU_HV_END 11u

/* A raw config has this many bits; each architecture says which it uses. */
#define PVPMU_RAW_BITS 56
/* x86: event select in bits 35:32 and 7:0, unit mask in bits 15:8. */
#define PVPMU_RAW_X86 0xf0000ffffull

/*
 * The area
 * --------
 * One page of 4096 bytes of guest memory per vCPU: a header of four lines of
 * 64 bytes, then slots of two lines each, the first written by the guest, the
 * second by the host.  No byte has two writers, but the pending word, which
 * both change atomically only.  Fields named reserved are zero.
 */
#define PVPMU_LINE_SIZE 64u
#define PVPMU_AREA_SIZE 4096u
#define PVPMU_AREA_PAGES 1u
#define PVPMU_HEADER_SIZE 256u
#define PVPMU_SLOT_SIZE 128u
#define PVPMU_MAX_SLOTS 30u

/**
 * struct pvpmu_header_guest - what UPDATE is to do; the guest writes it
 * @close: ids to close, bit n for id n, as in all masks here
 * @disable: ids to disable
 * @open: ids to open
 * @enable: ids to enable
 * @read: ids to read
 * @flags: zero
 * @version: PVPMU_ABI_VERSION of the guest
 * @features: PVPMU_FEAT_* that the guest will use, of those that the host shows
 * @reserved: zero
 *
 * The host reads @version and @features during SETUP, once, and the other
 * fields during UPDATE, once.  It never writes the line: the masks keep their
 * bits until the guest changes them.
 */
struct pvpmu_header_guest {
	__u32 close;
	__u32 disable;
	__u32 open;
	__u32 enable;
	__u32 read;
	__u32 flags;
	__u32 version;
	__u32 features;
	__u32 reserved[8];
};

/**
 * struct pvpmu_header_host - what holds for the whole area; the host writes it
 * @seq: odd while the host changes this line, see struct pvpmu_slot_host
 * @generation: another number after each SETUP
 * @version: PVPMU_ABI_VERSION of the host
 * @features: PVPMU_FEAT_* in use: those that the guest named at SETUP
 * @slots_usable: how many ids this vCPU may have open at a time just now,
 *                at most the number of slots; an OPEN beyond answers LIMIT
 * @reserved: zero
 */
struct pvpmu_header_host {
	__u32 seq;
	__u32 generation;
	__u32 version;
	__u32 features;
	__u32 slots_usable;
	__u32 reserved[11];
};

/**
 * struct pvpmu_header_pending - which ids overflowed; both write, atomically
 * @pending: the host sets bit n after the host line of id n shows a new
 *           overflow; the guest takes all bits with one atomic exchange by 0
 * @reserved: zero
 *
 * An interrupt is raised when the host changes the word from zero, and once
 * more by each ENABLE and UPDATE that finds a bit of the host's still set, so
 * that one which the guest's interrupt controller dropped is not lost for ever.
 * SETUP clears the word.
 */
struct pvpmu_header_pending {
	__u32 pending;
	__u32 reserved[15];
};

/* Flags of a slot: filters */
#define PVPMU_FLAG_EXCLUDE_USER (1u << 0) /* do not count in user mode */
#define PVPMU_FLAG_EXCLUDE_KERNEL (1u << 1) /* do not count in kernel mode */
/* Where the guest is itself the host of guests: leave out what they do, or
 * count nothing else. */
#define PVPMU_FLAG_EXCLUDE_GUEST (1u << 2)
#define PVPMU_FLAG_EXCLUDE_HOST (1u << 3)
#define PVPMU_FLAGS_FILTERS                                  \
	(PVPMU_FLAG_EXCLUDE_USER | PVPMU_FLAG_EXCLUDE_KERNEL | \
	 PVPMU_FLAG_EXCLUDE_GUEST | PVPMU_FLAG_EXCLUDE_HOST)
/* User space may read it by RDPMC; only where PVPMU_FEAT_RDPMC is served. */
#define PVPMU_FLAG_USER_READ (1u << 4)

/**
 * struct pvpmu_slot_guest - the description of an event; the guest writes it
 * @type: PVPMU_TYPE_*
 * @flags: PVPMU_FLAG_*; user and kernel at once, or guest and host, are refused
 *         with FILTER
 * @config: the event, according to @type
 * @period: events from ENABLE to the first overflow, 1 to PVPMU_PERIOD_MAX;
 *          0 for an event that does not overflow.  What is left of it
 *          survives DISABLE.
 * @next_period: length of each later period.  One below the shortest of CPUID
 *          leaf base+2 counts as the shortest, one above PVPMU_PERIOD_MAX as
 *          that.  0 if all are @period long, which then is not below the
 *          shortest.  Zero if @period is.
 * @leader: its own id, or that of an open slot whose group it joins.  The host
 *          counts the events of a group that are enabled all together or not
 *          at all.
 * @reserved: zero
 *
 * The host reads the line at OPEN, once.  Only @next_period may change while
 * the event is open; the host looks at it when it publishes an overflow, and
 * what it finds holds from the overflow after that one.
 */
struct pvpmu_slot_guest {
	__u32 type;
	__u32 flags;
	__u64 config;
	__u64 period;
	__u64 next_period;
	__u32 leader;
	__u32 reserved[7];
};

#define PVPMU_PERIOD_MAX ((1ull << 47) - 1)

/* States of a slot: one of these in bits 7:0 */
#define PVPMU_STATE_CLOSED 0u /* not open; the other fields are the last ones */
#define PVPMU_STATE_STOPPED 1u /* open, not enabled */
#define PVPMU_STATE_COUNTING 2u /* enabled, and it has a counter */
#define PVPMU_STATE_WAITING 3u /* enabled, but the host took the counter away */
#define PVPMU_STATE_FAILED 4u /* enabled, and gets no counter any more */
#define PVPMU_STATE_MASK 0xffu
/* With COUNTING or WAITING: no overflow until ENABLE */
#define PVPMU_STATE_THROTTLED (1u << 8)

/**
 * struct pvpmu_slot_host - the answer; the host writes it
 * @seq: odd while the host changes the line.  A reader takes an even @seq,
 *       reads the fields, and is done if @seq still is the same; it bounds
 *       its tries, for a page that was copied at a bad moment stays odd until
 *       the next SETUP.
 * @state: PVPMU_STATE_*; a guest ignores bits that it does not know
 * @count: events counted since OPEN
 * @time_enabled: ns enabled since OPEN, while the vCPU was scheduled in
 * @time_running: ns of @time_enabled in which it had a counter; less than
 *       @time_enabled says that @count is not complete
 * @overflow_total: events up to the last overflow; the weight of a sample is
 *       what it grew by since the last sample.  More than @count for a moment
 *       where the host reports overflows early.
 * @overflows: overflows since OPEN, modulo 2^32; it only grows
 * @error: the answer of the last UPDATE that named this id, PVPMU_ERR_* or 0
 * @index: number of the counter register plus 1 while the guest may read the
 *       event there, otherwise 0
 * @width: bits of that register, 1 to 64; 0 if @index is
 * @base: the count is @base plus the register, sign-extended from @width bits
 *
 * Up to date after each call that succeeds for the id, and when an overflow
 * of it is delivered; in between it is a moment of the past.
 */
struct pvpmu_slot_host {
	__u32 seq;
	__u32 state;
	__u64 count;
	__u64 time_enabled;
	__u64 time_running;
	__u64 overflow_total;
	__u32 overflows;
	__s32 error;
	__u32 index;
	__u32 width;
	__u64 base;
};

/**
 * struct pvpmu_slot - a slot of the area
 * @guest: written by the guest
 * @host: written by the host
 */
struct pvpmu_slot {
	struct pvpmu_slot_guest guest;
	struct pvpmu_slot_host host;
};

/**
 * struct pvpmu_area - the page that a vCPU shares with its host
 * @guest: written by the guest
 * @host: written by the host
 * @overflow: the pending word, written by both
 * @reserved: the guest writes zero before SETUP
 * @slot: the slots, by id
 */
struct pvpmu_area {
	struct pvpmu_header_guest guest;
	struct pvpmu_header_host host;
	struct pvpmu_header_pending overflow;
	__u32 reserved[16];
	struct pvpmu_slot slot[PVPMU_MAX_SLOTS];
};

#define PVPMU_OFFSET(type, field) __builtin_offsetof(struct type, field)

PVPMU_ASSERT(u64_size, sizeof(__u64) == 8 && sizeof(__u32) == 4);
PVPMU_ASSERT(order, __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
PVPMU_ASSERT(area, sizeof(struct pvpmu_area) == PVPMU_AREA_SIZE);
PVPMU_ASSERT(slot, sizeof(struct pvpmu_slot) == PVPMU_SLOT_SIZE);
PVPMU_ASSERT(header, PVPMU_OFFSET(pvpmu_area, slot) == PVPMU_HEADER_SIZE);
PVPMU_ASSERT(hguest, sizeof(struct pvpmu_header_guest) == PVPMU_LINE_SIZE);
PVPMU_ASSERT(hhost, sizeof(struct pvpmu_header_host) == PVPMU_LINE_SIZE);
PVPMU_ASSERT(hpend, sizeof(struct pvpmu_header_pending) == PVPMU_LINE_SIZE);
PVPMU_ASSERT(sguest, sizeof(struct pvpmu_slot_guest) == PVPMU_LINE_SIZE);
PVPMU_ASSERT(shost, sizeof(struct pvpmu_slot_host) == PVPMU_LINE_SIZE);
PVPMU_ASSERT(o_hhost, PVPMU_OFFSET(pvpmu_area, host) == 64);
PVPMU_ASSERT(o_hpend, PVPMU_OFFSET(pvpmu_area, overflow) == 128);
PVPMU_ASSERT(o_shost, PVPMU_OFFSET(pvpmu_slot, host) == 64);
PVPMU_ASSERT(o_config, PVPMU_OFFSET(pvpmu_slot_guest, config) == 8);
PVPMU_ASSERT(o_period, PVPMU_OFFSET(pvpmu_slot_guest, period) == 16);
PVPMU_ASSERT(o_next, PVPMU_OFFSET(pvpmu_slot_guest, next_period) == 24);
PVPMU_ASSERT(o_leader, PVPMU_OFFSET(pvpmu_slot_guest, leader) == 32);
PVPMU_ASSERT(o_count, PVPMU_OFFSET(pvpmu_slot_host, count) == 8);
PVPMU_ASSERT(o_enabled, PVPMU_OFFSET(pvpmu_slot_host, time_enabled) == 16);
PVPMU_ASSERT(o_running, PVPMU_OFFSET(pvpmu_slot_host, time_running) == 24);
PVPMU_ASSERT(o_total, PVPMU_OFFSET(pvpmu_slot_host, overflow_total) == 32);
PVPMU_ASSERT(o_overflows, PVPMU_OFFSET(pvpmu_slot_host, overflows) == 40);
PVPMU_ASSERT(o_error, PVPMU_OFFSET(pvpmu_slot_host, error) == 44);
PVPMU_ASSERT(o_index, PVPMU_OFFSET(pvpmu_slot_host, index) == 48);
PVPMU_ASSERT(o_base, PVPMU_OFFSET(pvpmu_slot_host, base) == 56);
PVPMU_ASSERT(o_version, PVPMU_OFFSET(pvpmu_header_guest, version) == 24);

#endif /* PVPMU_ABI_H */
