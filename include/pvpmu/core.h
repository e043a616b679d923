/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * pvpmu core: what a hypervisor embeds.
 *
 * Core decides, the backend translates.  Core knows the ABI: it parses what
 * the guest wrote, checks ids, keeps the state of every slot, writes the shared
 * page, enforces limits and picks every error.  The backend knows the
 * hypervisor: how guest memory is reached, how an event is counted while a
 * vCPU runs its guest, how an interrupt gets into it.
 *
 * Core allocates nothing and locks nothing.  The backend owns the memory of
 * struct pvpmu_vm and struct pvpmu_vcpu, and serialises all entry points of
 * one vCPU, but pvpmu_overflow(), which may interrupt any of them on the same
 * physical CPU, from an NMI as well.  Entry points of different vCPUs may run
 * side by side.
 */
#ifndef PVPMU_CORE_H
#define PVPMU_CORE_H

#include "env.h"
#include "abi.h"
#include "record.h"

/*
 * Host counters of one vCPU.  More than slots, so that a guest which closes
 * and opens events at every context switch finds its counters still there.
 */
#define PVPMU_MAX_COUNTERS 48u
#define PVPMU_COUNTER_BUCKETS 32u

struct pvpmu_vcpu;

/**
 * struct pvpmu_desc - what a host counter counts
 * @type: PVPMU_TYPE_*, known to core
 * @flags: PVPMU_FLAG_*
 * @config: valid for @type
 * @sampling: it is to overflow; such a counter serves one slot only
 * @group: not 0: all counters of this number count together, or none of them
 */
struct pvpmu_desc {
	u32 type;
	u32 flags;
	u64 config;
	bool sampling;
	u32 group;
};

/**
 * struct pvpmu_reading - a host counter at one moment
 * @count: events, monotonic since the counter was created
 * @enabled: ns that it was started while the vCPU was scheduled in, monotonic
 * @running: ns of @enabled in which it really counted, monotonic
 * @active: it counts now, or will as soon as the vCPU runs; false if the host
 *          took it away for the time being
 * @failed: it will never count again
 */
struct pvpmu_reading {
	u64 count;
	u64 enabled;
	u64 running;
	bool active;
	bool failed;
};

/**
 * enum pvpmu_answer - what an op says that may not be able to do its work
 * @PVPMU_DONE: it is done
 * @PVPMU_NEVER: nothing was done: what is asked for does not exist here
 * @PVPMU_LATER: nothing was done: it may work another time
 *
 * The guest's error is core's choice.
 */
enum pvpmu_answer {
	PVPMU_DONE,
	PVPMU_NEVER,
	PVPMU_LATER,
};

/**
 * struct pvpmu_host_ops - what a hypervisor does for core
 *
 * Counters have an index below PVPMU_MAX_COUNTERS, given by core; the backend
 * keeps what it needs for each in an array of its own.  Unless said otherwise
 * an op is called from within the entry points, in the context that the
 * backend called them in.
 *
 * @features: PVPMU_FEAT_* that the backend can serve
 * @query: PVPMU_CAP_* of the event @desc (flags and sampling are zero there),
 *         0 if it cannot be counted here.  Filters that a @create would not
 *         honour exactly are left out.
 * @area_attach: makes the page of that guest frame, below 1 << PVPMU_FRAME_BITS,
 *         the vCPU's area, instead of one attached before.  PVPMU_NEVER: it is
 *         not RAM that the guest may write.
 * @area_detach: lets the area go.  Only called while attached.
 * @area_read: copies from the area; false if it is gone.
 * @area_write: copies into the area, and sees to it that a live migration
 *         takes note; false if the area is gone.  @offset and @len are
 *         multiples of 4, and aligned words of 4 bytes are never torn.
 * @area_line: does the same with a line of PVPMU_LINE_SIZE bytes that begins
 *         with its sequence, an even one.  The guest's CPUs see the sequence
 *         less one first, then the rest change, then the sequence:
 *         pvpmu_line_store() or, where a store is more than that,
 *         pvpmu_line_put().
 * @area_or32: atomically sets bits in a word of the area, as seen by the
 *         guest's CPUs, and returns the old word in @old; false if it is gone.
 * @deliver: how to interrupt this vCPU from now on.  Core has checked
 *         @delivery against @features.  False, and nothing changed, if the
 *         port is not the guest's, or this kind of guest has no such thing.
 * @create: makes a counter, stopped.  May be slow.  PVPMU_NEVER: the event
 *         cannot be counted here after all.
 * @destroy: gives a stopped counter back.  May be slow.
 * @fit: could an event be counted at one time with all @counters of the mask,
 *       if nothing else was?  Without PVPMU_FEAT_GROUPS it is not called and
 *       may be null.
 * @start: lets the counter count.  Sampling counters overflow once after @left
 *         more events, then every pvpmu_overflow() events; @left is 0 for
 *         others.  A backend whose counters can run on at no cost may ignore
 *         it for those.  False, and nothing changed, if there is no counter
 *         for it now.
 * @stop: lets it stop; of a sampling counter, no overflow is reported after
 *         the return.  The next reading shows what was counted until now.
 * @read: the counter's values now.  In an UPDATE, core asks once for a counter
 *         that is not sampling, unless it starts or stops it.
 * @arrange: counters were started and stopped, or an entry point ends: who is
 *         to count where not all can, may be decided anew.  True if @active of
 *         a counter that is started may have changed.  May be null if it never
 *         does.
 * @kick: asks to have pvpmu_publish() called on the vCPU before it runs its
 *         guest again, or, if it sleeps in the host, soon.  NMI context.
 * @raise: interrupts the guest as chosen with @deliver.
 * @clock: a monotonic clock in ns.  Any context, NMI as well.
 * @idle: a counter was left without a user by the entry point that ends: have
 *         pvpmu_reap() called after a while.  On the guest's path, so it is
 *         quick.
 */
struct pvpmu_host_ops {
	u32 features;

	u32 (*query)(struct pvpmu_vcpu *vcpu, const struct pvpmu_desc *desc);

	enum pvpmu_answer (*area_attach)(struct pvpmu_vcpu *vcpu, u64 frame);
	void (*area_detach)(struct pvpmu_vcpu *vcpu);
	bool (*area_read)(struct pvpmu_vcpu *vcpu, u32 offset, void *to,
			  u32 len);
	bool (*area_write)(struct pvpmu_vcpu *vcpu, u32 offset,
			   const void *from, u32 len);
	bool (*area_line)(struct pvpmu_vcpu *vcpu, u32 offset,
			  const void *line);
	bool (*area_or32)(struct pvpmu_vcpu *vcpu, u32 offset, u32 bits,
			  u32 *old);

	bool (*deliver)(struct pvpmu_vcpu *vcpu, u32 delivery, u32 port);

	enum pvpmu_answer (*create)(struct pvpmu_vcpu *vcpu, u32 counter,
				    const struct pvpmu_desc *desc);
	void (*destroy)(struct pvpmu_vcpu *vcpu, u32 counter);
	bool (*fit)(struct pvpmu_vcpu *vcpu, const struct pvpmu_desc *desc,
		    u64 counters);
	bool (*start)(struct pvpmu_vcpu *vcpu, u32 counter, u64 left);
	void (*stop)(struct pvpmu_vcpu *vcpu, u32 counter);
	void (*read)(struct pvpmu_vcpu *vcpu, u32 counter,
		     struct pvpmu_reading *reading);
	bool (*arrange)(struct pvpmu_vcpu *vcpu);

	void (*kick)(struct pvpmu_vcpu *vcpu);
	void (*raise)(struct pvpmu_vcpu *vcpu);
	u64 (*clock)(void);
	void (*idle)(struct pvpmu_vcpu *vcpu);
};

/* As much of memory as one instruction writes */
typedef unsigned long __attribute__((__may_alias__)) pvpmu_word;

static inline pvpmu_word pvpmu_line_word(const void *line, u32 i)
{
	pvpmu_word word;

	memcpy(&word, (const char *)line + i * sizeof(word), sizeof(word));
	return word;
}

/**
 * pvpmu_line_put() - writes a line as area_line is to do it
 * @first: u32 pointer to where it is in the area
 * @words: pvpmu_word pointer to the same place
 * @line: its new contents
 * @put: put(value, pointer) is a store that is neither torn nor left out
 */
#define pvpmu_line_put(first, words, line, put)                              \
	do {                                                                 \
		const u32 *_line = (line);                                   \
		u32 _i = 2 * sizeof(u32) / sizeof(pvpmu_word);               \
									     \
		put(_line[0] - 1, (first));                                  \
		env_wmb();                                                   \
		put(_line[1], (first) + 1);                                  \
		for (; _i < PVPMU_LINE_SIZE / sizeof(pvpmu_word); _i++)      \
			put(pvpmu_line_word(_line, _i), (words) + _i);       \
		env_wmb();                                                   \
		put(_line[0], (first));                                      \
	} while (0)

#define pvpmu_memory_put(value, at) WRITE_ONCE(*(at), value)

/**
 * pvpmu_line_store() - does so where the area is memory
 * @to: where it is in the area
 * @line: its new contents
 */
static inline void pvpmu_line_store(void *to, const void *line)
{
	u32 *first = to;
	pvpmu_word *words = to;

	pvpmu_line_put(first, words, line, pvpmu_memory_put);
}

/* No page of PVPMU_AREA_SIZE has a physical address of more than 52 bits. */
#define PVPMU_FRAME_BITS 40

/* Classes of events that an administrator grants, a bit each */
#define PVPMU_CLASS_BASIC (1u << 0) /* cycles, instructions, branches, clock */
#define PVPMU_CLASS_CACHE (1u << 1) /* caches, stalls, bus */
#define PVPMU_CLASS_HYPERVISOR (1u << 2) /* the guest's own exits, steal */
#define PVPMU_CLASS_RAW (1u << 3) /* event numbers of the CPU */
#define PVPMU_CLASSES_ALL                                               \
	(PVPMU_CLASS_BASIC | PVPMU_CLASS_CACHE | PVPMU_CLASS_HYPERVISOR | \
	 PVPMU_CLASS_RAW)

/* A clock that overflows more often would leave no time for anything else. */
#define PVPMU_CLOCK_PERIOD_LEAST 10000u /* ns */

/**
 * struct pvpmu_limits - what the host's administrator allows
 * @slots_vcpu: open ids per vCPU, at most PVPMU_MAX_SLOTS; 0 hides pvpmu from
 *              the VM and denies it
 * @slots_vm: open ids of all vCPUs of the VM together
 * @classes: PVPMU_CLASS_*
 * @period_min: shortest period of a counted event, in events, at least 1
 * @clock_period_min: shortest period of a clock event, in ns
 * @overflow_rate: overflows per second and vCPU, above which an event is
 *                 throttled, at least 1
 */
struct pvpmu_limits {
	u32 slots_vcpu;
	u32 slots_vm;
	u32 classes;
	u32 period_min;
	u32 clock_period_min;
	u32 overflow_rate;
};

#define PVPMU_LIMITS_DEFAULT                                       \
	{                                                          \
		.slots_vcpu = PVPMU_MAX_SLOTS, .slots_vm = 1024,   \
		.classes = PVPMU_CLASS_BASIC | PVPMU_CLASS_CACHE | \
			   PVPMU_CLASS_HYPERVISOR,                 \
		.period_min = 1000, .clock_period_min = 100000,    \
		.overflow_rate = 50000,                            \
	}

/**
 * struct pvpmu_vm - what the vCPUs of a VM have in common
 * @limits: see struct pvpmu_limits; changed by pvpmu_vm_limit()
 * @slots_open: open ids of all its vCPUs; core changes it, atomically, and
 *              not in a call that opens as many as it closes
 */
struct pvpmu_vm {
	struct pvpmu_limits limits;
	u32 slots_open;
};

/**
 * struct pvpmu_stats - what a vCPU did, for the administrator
 * @calls: calls by operation; those that were no operation come last
 * @refused: calls that had an error for answer
 * @overflows: overflows reported by the backend
 * @missed: overflows that core found when it stopped a counter
 * @throttled: times an event was throttled
 * @raised: interrupts raised
 * @created: host counters made
 * @destroyed: host counters given back
 */
struct pvpmu_stats {
	u64 calls[PVPMU_OP_UPDATE + 2];
	u64 refused;
	u64 overflows;
	u64 missed;
	u64 throttled;
	u64 raised;
	u64 created;
	u64 destroyed;
};

/**
 * struct pvpmu_counter - a host counter, core's side of it; private to core
 * @desc: what it counts
 * @last: its last reading
 * @idle_since: clock at the end of the entry point in which @users became 0
 * @users: slots that are open on it
 * @started: slots that are enabled on it
 * @next: next counter in the same bucket
 * @slot: id it serves, if sampling
 * @failed: the host gave it up, so no other slot may come to it
 */
struct pvpmu_counter {
	struct pvpmu_desc desc;
	struct pvpmu_reading last;
	u64 idle_since;
	u8 users;
	u8 started;
	u8 next;
	u8 slot;
	bool failed;
};

/**
 * struct pvpmu_slot_state - a slot as the host sees it; private to core
 *
 * The page is written from here and never read back.  The second part belongs
 * to pvpmu_overflow() while the slot is armed, and to the entry points
 * otherwise.
 *
 * @host: the slot's line as last written
 * @base: the counter's reading when the slot was enabled
 * @done: sums of all the times it was enabled before
 * @counter: index of its counter
 * @enabled: between ENABLE and DISABLE
 * @sampling: it has a period
 * @user_read: user space may read it by RDPMC
 * @group: number of the group it is in, 0 if it is in none
 * @period: length of the periods that are not said otherwise
 * @length: length of the period that runs
 * @reload: length of the next one
 * @total: where the last overflow was, on the scale of the count
 * @overflows: overflows since OPEN
 * @throttled: no overflow until the next ENABLE
 */
struct pvpmu_slot_state {
	struct pvpmu_slot_host host;
	struct pvpmu_reading base;
	struct pvpmu_reading done;
	u8 counter;
	bool enabled;
	bool sampling;
	bool user_read;
	u32 group;
	u64 period;

	u64 length;
	u64 reload;
	u64 total;
	u32 overflows;
	bool throttled;
};

/**
 * struct pvpmu_vcpu - a vCPU; the backend embeds it, core owns the contents
 * @ops: the backend
 * @vm: what it shares with its siblings
 * @stats: for the backend to show
 * @attached: it has an area
 * @lost: an access to the area failed, which closes everything at the end of
 *        the entry point that met it
 * @pending: the area's pending word may not be zero
 * @frame: first two arguments of the SETUP that is in force
 * @delivery: its third
 * @header: the area's header as last written
 * @open: ids that are open
 * @opened: how many they are
 * @returned: ids that this entry point closed, which slots_open still has
 * @restored: from a record, and did not run since
 * @resuming: ids of the record that are to be enabled then
 * @groups: number of the last group that began
 * @overflowed: ids with an overflow that is not published; atomic
 * @window: start of the second in which @budget is counted; NMI
 * @budget: overflows left in this second; NMI
 * @made: counters that exist
 * @unused: counters that exist and have no user
 * @vacated: those of @unused that lost their user in this entry point
 * @batch: readings hold until the end of this UPDATE
 * @fresh: counters whose last reading does
 * @bucket: first counter of each bucket
 * @counter: counters
 * @slot: slots
 */
struct pvpmu_vcpu {
	const struct pvpmu_host_ops *ops;
	struct pvpmu_vm *vm;
	struct pvpmu_stats stats;

	bool attached;
	bool lost;
	bool pending;
	bool restored;
	u64 frame;
	u32 delivery;
	struct pvpmu_header_host header;
	u32 open;
	u32 opened;
	u32 returned;
	u32 resuming;
	u32 groups;
	u32 overflowed;
	u64 window;
	u32 budget;

	u64 made;
	u64 unused;
	u64 vacated;
	bool batch;
	u64 fresh;
	u8 bucket[PVPMU_COUNTER_BUCKETS];
	struct pvpmu_counter counter[PVPMU_MAX_COUNTERS];
	struct pvpmu_slot_state slot[PVPMU_MAX_SLOTS];
};

/**
 * struct pvpmu_open_event - an event that a guest has open, for the administrator
 * @id: of its slot
 * @desc: what it counts
 * @period: length of its periods, 0 if it does not sample
 * @line: what the guest was shown last
 */
struct pvpmu_open_event {
	u32 id;
	struct pvpmu_desc desc;
	u64 period;
	struct pvpmu_slot_host line;
};

/**
 * struct pvpmu_call - a hypercall, its registers cut to 32 bits
 * @op: operation word
 * @arg: the three scalars
 * @kernel: it came from the guest's most privileged mode
 */
struct pvpmu_call {
	u32 op;
	u32 arg[3];
	bool kernel;
};

/**
 * pvpmu_vm_init() - prepares the part that vCPUs share
 * @vm: memory of the backend, any contents
 * @limits: copied; values beyond what version 1 can do count as its most
 */
void pvpmu_vm_init(struct pvpmu_vm *vm, const struct pvpmu_limits *limits);

/**
 * pvpmu_limits_make_sense() - may an administrator set these?
 * @limits: any
 *
 * Return: false if a limit is not a number that version 1 knows to keep to:
 *         more slots than there are, unknown classes, a period or a rate of
 *         zero, a clock period below PVPMU_CLOCK_PERIOD_LEAST.
 */
bool pvpmu_limits_make_sense(const struct pvpmu_limits *limits);

/**
 * pvpmu_vm_limit() - changes what a VM may do
 * @vm: its vCPUs may run; the next call of each sees the new limits
 * @limits: copied word by word, as with pvpmu_vm_init()
 *
 * Events that are open stay open.
 *
 * Context: any; two at a time may mix their limits.
 */
void pvpmu_vm_limit(struct pvpmu_vm *vm, const struct pvpmu_limits *limits);

/**
 * pvpmu_stats_calls() - calls of all kinds
 * @stats: may grow meanwhile
 *
 * Return: their sum.
 */
u64 pvpmu_stats_calls(const struct pvpmu_stats *stats);

/**
 * pvpmu_next_event() - an event that a vCPU has open
 * @vcpu: may be running; what is copied may be of two moments then
 * @id: where to begin, any value
 * @event: the open one with that id, or with the next
 *
 * Context: any; @vcpu does not end meanwhile.
 * Return: false if there are no more.
 */
bool pvpmu_next_event(const struct pvpmu_vcpu *vcpu, u32 id,
		      struct pvpmu_open_event *event);

/**
 * pvpmu_vcpu_init() - prepares a vCPU, which has no area then
 * @vcpu: memory of the backend, any contents
 * @vm: lives longer than @vcpu
 * @ops: lives longer than @vcpu
 */
void pvpmu_vcpu_init(struct pvpmu_vcpu *vcpu, struct pvpmu_vm *vm,
		     const struct pvpmu_host_ops *ops);

/**
 * pvpmu_cpuid() - the discovery leaves, but for where they are
 * @vm: whose limits they show
 * @ops: whose features they show
 * @base: EAX of the first leaf, where the backend put the block
 * @hypercall: the number that the backend answers to
 * @leaf: EAX that was asked for, any value
 * @regs: EAX, EBX, ECX, EDX are left here
 *
 * Return: true if @leaf is one of this block.
 */
bool pvpmu_cpuid(const struct pvpmu_vm *vm, const struct pvpmu_host_ops *ops,
		 u32 base, u32 hypercall, u32 leaf, u32 regs[4]);

/**
 * pvpmu_call() - serves a hypercall
 * @vcpu: the caller
 * @call: what it asks for, unchecked
 *
 * Context: the vCPU's own, its guest stopped in the call.
 * Return: what the guest gets, sign extended to its register.
 */
s32 pvpmu_call(struct pvpmu_vcpu *vcpu, const struct pvpmu_call *call);

/**
 * pvpmu_overflow() - a sampling counter overflowed
 * @vcpu: whose counter it is
 * @counter: index of the counter
 *
 * The backend lets the period begin that is returned: the next overflow is
 * that many events after this one, or there is none if it is 0 (the counter
 * goes on counting).
 *
 * Context: any, NMI too, on the physical CPU that runs @vcpu's entry points.
 * Return: length of the period that begins, or 0.
 */
u64 pvpmu_overflow(struct pvpmu_vcpu *vcpu, u32 counter);

/* Where the indices for RDPMC begin; no processor has such a counter. */
#define PVPMU_RDPMC_BASE 0x50560000u

/**
 * pvpmu_rdpmc_index() - is this one of ours?
 * @index: ECX of an RDPMC of the guest
 *
 * If it is not, RDPMC does what it does without us.  Context: any.
 */
static inline bool pvpmu_rdpmc_index(u32 index)
{
	return index - PVPMU_RDPMC_BASE < PVPMU_MAX_SLOTS;
}

/**
 * pvpmu_rdpmc() - serves the guest's RDPMC
 * @vcpu: whose guest executes it, in any mode; the processor has checked that
 *        CR4.PCE allows it
 * @index: one of ours
 *
 * For backends with PVPMU_FEAT_RDPMC.  An event that is closed, or not opened
 * for user space, reads as zero, and so should a vCPU that never called: a
 * fault would hit a program that was interrupted between reading its index and
 * using it.
 *
 * Context: as pvpmu_call().
 * Return: EDX:EAX.
 */
u64 pvpmu_rdpmc(struct pvpmu_vcpu *vcpu, u32 index);

/**
 * pvpmu_publish() - shows the guest what overflowed, and interrupts it
 * @vcpu: any, also one without an area or overflow
 *
 * Context: the vCPU's own, before it runs its guest, after @kick.
 */
void pvpmu_publish(struct pvpmu_vcpu *vcpu);

/**
 * pvpmu_reap() - gives back counters that have been without a user for long
 * @vcpu: any
 * @idle_ns: how long
 *
 * Context: not on the guest's path, may be slow.
 * Return: true if there are younger ones, for which it is to be called again.
 */
bool pvpmu_reap(struct pvpmu_vcpu *vcpu, u64 idle_ns);

/**
 * pvpmu_vcpu_detach() - closes everything, lets the area and all counters go
 * @vcpu: any; nothing happens to one without an area and counters
 *
 * For destruction, reset, and a host that stops serving.  Calls answer NO_AREA
 * afterwards, until SETUP.
 *
 * Context: the vCPU's own, or any while its guest does not run.
 */
void pvpmu_vcpu_detach(struct pvpmu_vcpu *vcpu);

/**
 * pvpmu_save() - tells all that is to be known of a vCPU
 * @vcpu: goes on as it was, if its guest is let run again
 * @record: filled in
 *
 * Context: any, while the guest does not run and nothing overflows.
 * Return: PVPMU_OK, or PVPMU_ERR_NO_AREA if there is nothing to be saved.
 */
s32 pvpmu_save(struct pvpmu_vcpu *vcpu, struct pvpmu_record *record);

/**
 * pvpmu_restore() - goes on with a vCPU that another host has saved
 * @vcpu: has no area
 * @record: whatever its source says; a private copy, which does not change
 *
 * The guest's memory is in place already.  Nothing is written into it, and
 * nothing counts, before the pvpmu_publish() that follows the @kick.
 *
 * Context: as pvpmu_call(), but the guest does not run.
 * Return: PVPMU_OK, or with nothing changed
 *         PVPMU_ERR_OPERATION  not a record, or of an unknown version
 *         PVPMU_ERR_RESERVED   a value that no host writes
 *         PVPMU_ERR_OPEN       the vCPU has an area
 *         and what SETUP and OPEN answer: DENIED, DELIVERY, FRAME, RETRY,
 *         EVENT, FILTER, PERIOD, LIMIT, HOST.
 */
s32 pvpmu_restore(struct pvpmu_vcpu *vcpu, const struct pvpmu_record *record);

#endif /* PVPMU_CORE_H */
