// SPDX-License-Identifier: GPL-2.0
/*
 * Reads from user space: the page that perf shares with it, and RDPMC.
 *
 * Off unless the administrator switches it on (attribute "rdpmc"): the host
 * serves RDPMC with an exit, like a call, so that what is saved is the system
 * call.  A task may read events that its own process has opened for it, and no
 * others: those are marked when they are opened here, and the host answers with
 * zero for all that is not marked.  CR4.PCE, without which RDPMC is a fault, is
 * set for processes that have mapped the page of such an event.
 *
 * perf's own x86 code does the same for the CPU's counters, but keeps what it
 * takes to itself.  In each update of a page it also writes how wide the counters
 * of the PMU that it knows are, which is zero where it knows none: where that
 * function returns, the page gets the width of ours.
 */
#include "pvpmu.h"

#include <linux/device.h>
#include <linux/errno.h>
#include <linux/kprobes.h>
#include <linux/kstrtox.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>
#include <linux/sysfs.h>

/* Of what RDPMC reads; user space takes it for a signed number. */
#define COUNT_BITS 48
#define COUNT_MAX (1ULL << (COUNT_BITS - 2))

/*
 * What the administrator may write.  With the last one, the CPU's own PMU lets
 * processes execute RDPMC that have mapped no event; here they could read
 * nothing, so it is the same as the one before.
 */
enum {
	RDPMC_NEVER, /* the default */
	RDPMC_MAPPED,
	RDPMC_ALWAYS,
};

static void (*update_pce)(void *unused);
static u8 allowed; /* as the administrator wants it */

/* May user space read it?  Context: any. */
bool pvg_for_user(const struct perf_event *event)
{
	return event->hw.flags & PERF_EVENT_FLAG_USER_READ_CNT;
}

/**
 * pvg_rdpmc_event_init() - marks an event that user space may read
 * @event: perf makes it
 *
 * Not one that samples: an NMI could move its count while its page is written.
 * Not one that is inherited: what it shows is not one task's count.
 *
 * Context: process, the one that opens it.
 */
void pvg_rdpmc_event_init(struct perf_event *event)
{
	if (!READ_ONCE(allowed) || !(event->attach_state & PERF_ATTACH_TASK) ||
	    event->attr.inherit || is_sampling_event(event))
		return;
	if (same_thread_group(event->hw.target, current))
		event->hw.flags |= PERF_EVENT_FLAG_USER_READ_CNT;
}

/* What the host is to be told of it.  Context: any, on @cpu. */
u32 pvg_rdpmc_flag(struct pvg_cpu *cpu, const struct perf_event *event)
{
	if (!pvg_for_user(event) || !(cpu->host.features & PVPMU_FEAT_RDPMC))
		return 0;
	return PVPMU_FLAG_USER_READ;
}

/**
 * pvg_rdpmc_show() - shows user space whether RDPMC reads an event now
 * @event: in a slot that has changed
 *
 * Context: interrupts off, on the event's CPU.
 */
void pvg_rdpmc_show(struct perf_event *event)
{
	if (pvg_for_user(event))
		perf_event_update_userpage(event);
}

/**
 * pvg_rdpmc_index() - struct pmu's event_idx
 * @event: of which perf writes the page
 *
 * The page's offset is what RDPMC's value is added to: perf makes it of the
 * event's count and of prev_count, which is not used for anything else here.
 *
 * Return: index for RDPMC plus 1, or 0.
 */
int pvg_rdpmc_index(struct perf_event *event)
{
	int id = pvg_id(&event->hw), number = READ_ONCE(event->oncpu);
	struct pvg_slot *slot;
	struct pvg_cpu *cpu;
	u64 count;

	if (!pvg_for_user(event) || id < 0 || number < 0)
		return 0;
	cpu = per_cpu_ptr(&pvg_cpus, number);
	slot = &cpu->slot[id];
	count = local64_read(&slot->count);
	if (slot->event != event || !slot->on || count >= COUNT_MAX)
		return 0;
	local64_set(&event->hw.prev_count, count);
	return READ_ONCE(pvg_area_slot(cpu, id)->host.index);
}

/* A process maps the page of an event.  Context: process. */
void pvg_rdpmc_mapped(struct perf_event *event, struct mm_struct *mm)
{
	if (pvg_for_user(event) &&
	    atomic_inc_return(&mm->context.perf_rdpmc_allowed) == 1)
		on_each_cpu_mask(mm_cpumask(mm), update_pce, NULL, 1);
}

void pvg_rdpmc_unmapped(struct perf_event *event, struct mm_struct *mm)
{
	if (pvg_for_user(event) &&
	    atomic_dec_and_test(&mm->context.perf_rdpmc_allowed))
		on_each_cpu_mask(mm_cpumask(mm), update_pce, NULL, 1);
}

/* Of perf's function only calls for pages that RDPMC is used with. */
static int page_begins(struct kretprobe_instance *instance,
		       struct pt_regs *regs)
{
	struct perf_event_mmap_page **page = (void *)instance->data;
	struct perf_event *event = (void *)regs_get_kernel_argument(regs, 0);

	if (event->pmu != &pvg_pmu || !pvg_for_user(event))
		return 1;
	*page = (void *)regs_get_kernel_argument(regs, 1);
	return 0;
}

static int page_is_written(struct kretprobe_instance *instance,
			   struct pt_regs *regs)
{
	struct perf_event_mmap_page **page = (void *)instance->data;

	(*page)->pmc_width = COUNT_BITS;
	return 0;
}

static struct kretprobe page_probe = {
	.kp.symbol_name = "arch_perf_update_userpage",
	.entry_handler = page_begins,
	.handler = page_is_written,
	.data_size = sizeof(struct perf_event_mmap_page *),
};

static DEFINE_MUTEX(lock); /* changes of "allowed", and the one below */
static bool probed;

/* Without that there is no width, and nothing that user space could do. */
static int allow(u8 wanted)
{
	int error = 0;

	mutex_lock(&lock);
	if (wanted && !update_pce)
		error = -EOPNOTSUPP;
	else if (wanted && !probed)
		error = register_kretprobe(&page_probe);
	if (wanted && !error)
		probed = true;
	if (!error)
		WRITE_ONCE(allowed, wanted);
	mutex_unlock(&lock);
	return error;
}

static ssize_t rdpmc_show(struct device *dev, struct device_attribute *attr,
			  char *page)
{
	return sysfs_emit(page, "%d\n", READ_ONCE(allowed));
}

static ssize_t rdpmc_store(struct device *dev, struct device_attribute *attr,
			   const char *text, size_t length)
{
	u8 wanted;
	int error = kstrtou8(text, 0, &wanted);

	if (!error && wanted > RDPMC_ALWAYS)
		error = -EINVAL;
	if (!error)
		error = allow(wanted);
	return error ? error : (ssize_t)length;
}

struct device_attribute pvg_rdpmc_attr = __ATTR_RW(rdpmc);

/* Context: process. */
void pvg_rdpmc_init(void)
{
	update_pce = pvg_resolve("cr4_update_pce");
}

/* All events are gone, and so is the attribute.  Context: process. */
void pvg_rdpmc_exit(void)
{
	if (probed)
		unregister_kretprobe(&page_probe);
	probed = false;
}
