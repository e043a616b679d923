// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls the host as no driver does, and looks whether each wrong call gets its
 * documented error and changes nothing.  For a guest without pvpmu.ko; results
 * go to the kernel log ("abitest: PASS name"), loading always fails.
 */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/umh.h>
#include <xen/events.h>
#include <xen/interface/event_channel.h>
#include <xen/xen.h>
#include <asm/processor.h>
#include <asm/special_insns.h>
#include <asm/xen/hypercall.h>
#include <asm/xen/page.h>

#include <pvpmu/abi.h>

static u32 leaf[3][4];
static u32 number, opbase;
static struct pvpmu_area *area, *before;
static int passed, failed;

static s32 call(u32 op, u32 a, u32 b, u32 c)
{
	long result;

	if (xen_domain())
		return xen_single_call(number, opbase + op, a, b, c, 0);
	asm volatile("vmmcall"
		     : "=a" (result)
		     : "a" ((unsigned long)number),
		       "b" ((unsigned long)(opbase + op)),
		       "c" ((unsigned long)a), "d" ((unsigned long)b),
		       "S" ((unsigned long)c)
		     : "memory");
	return result;
}

static void verdict(bool good, const char *name, s32 got, s32 want)
{
	if (good)
		passed++;
	else
		failed++;
	if (good)
		pr_info("abitest: PASS %s: %d\n", name, got);
	else
		pr_info("abitest: FAIL %s: %d, expected %d\n", name, got, want);
}

static void gives(const char *name, s32 got, s32 want)
{
	verdict(got == want, name, got, want);
}

/* As gives(), and the host's lines are what they were. */
#define REFUSED(name, want, ...) do {					\
	s32 got_;							\
	bool same_;							\
	memcpy(before, area, PVPMU_AREA_SIZE);				\
	got_ = call(__VA_ARGS__);					\
	same_ = !memcmp(before, area, PVPMU_AREA_SIZE);			\
	verdict(got_ == (want) && same_,				\
		same_ ? name : name " (the area changed)", got_, want);	\
} while (0)

static void describe(int id, u32 type, u64 config, u64 period)
{
	struct pvpmu_slot_guest *g = &area->slot[id].guest;

	memset(g, 0, sizeof(*g));
	g->type = type;
	g->config = config;
	g->period = period;
	g->leader = id;
}

static void describe_good(int id)
{
	describe(id, PVPMU_TYPE_HARDWARE, PVPMU_HW_INSTRUCTIONS, 0);
}

static bool discover(void)
{
	u32 base, i;

	for (base = PVPMU_CPUID_FIRST; base <= PVPMU_CPUID_LAST;
	     base += PVPMU_CPUID_STEP) {
		cpuid(base, &leaf[0][0], &leaf[0][1], &leaf[0][2], &leaf[0][3]);
		if (leaf[0][1] == PVPMU_SIGNATURE_EBX &&
		    leaf[0][2] == PVPMU_SIGNATURE_ECX &&
		    leaf[0][3] == PVPMU_SIGNATURE_EDX)
			break;
	}
	if (base > PVPMU_CPUID_LAST)
		return false;
	for (i = 1; i < 3; i++)
		cpuid(base + i, &leaf[i][0], &leaf[i][1], &leaf[i][2],
		      &leaf[i][3]);
	number = leaf[1][3];
	opbase = leaf[2][0];
	return true;
}

static void without_area(void)
{
	gives("query a known event", call(PVPMU_OP_QUERY, PVPMU_TYPE_HARDWARE,
					  PVPMU_HW_INSTRUCTIONS, 0) > 0, 1);
	REFUSED("unknown operation", PVPMU_ERR_OPERATION,
		PVPMU_OP_UPDATE + 1, 0, 0, 0);
	REFUSED("operation far off", PVPMU_ERR_OPERATION, 0x1000, 0, 0, 0);
	REFUSED("query an unknown type", PVPMU_ERR_EVENT,
		PVPMU_OP_QUERY, 99, 0, 0);
	REFUSED("query an unknown event", PVPMU_ERR_EVENT,
		PVPMU_OP_QUERY, PVPMU_TYPE_HARDWARE, PVPMU_HW_END, 0);
	REFUSED("open without an area", PVPMU_ERR_NO_AREA,
		PVPMU_OP_OPEN, 0, 0, 0);
	REFUSED("close without an area", PVPMU_ERR_NO_AREA,
		PVPMU_OP_CLOSE, 0, 0, 0);
	REFUSED("enable without an area", PVPMU_ERR_NO_AREA,
		PVPMU_OP_ENABLE, 0, 0, 0);
	REFUSED("disable without an area", PVPMU_ERR_NO_AREA,
		PVPMU_OP_DISABLE, 0, 0, 0);
	REFUSED("read without an area", PVPMU_ERR_NO_AREA,
		PVPMU_OP_READ, 0, 0, 0);
	REFUSED("update without an area", PVPMU_ERR_NO_AREA,
		PVPMU_OP_UPDATE, 0, 0, 0);
	REFUSED("detach without an area", PVPMU_ERR_NO_AREA,
		PVPMU_OP_DETACH, 0, 0, 0);
}

static void accept(u32 features)
{
	area->guest.version = PVPMU_ABI_VERSION;
	area->guest.features = features;
}

static void setups(u64 frame)
{
	u32 delivery = xen_pv_domain() ? PVPMU_DELIVER_PV_NMI
				       : PVPMU_DELIVER_LVTPC;

	REFUSED("area on the local APIC", PVPMU_ERR_FRAME,
		PVPMU_OP_SETUP, 0xfee00, 0, PVPMU_DELIVER_NONE);
	REFUSED("area behind memory's end", PVPMU_ERR_FRAME,
		PVPMU_OP_SETUP, 0x7ffffff, 0, PVPMU_DELIVER_NONE);
	REFUSED("area beyond all addresses", PVPMU_ERR_FRAME,
		PVPMU_OP_SETUP, 0, 0xffffffff, PVPMU_DELIVER_NONE);
	REFUSED("unknown delivery", PVPMU_ERR_DELIVERY,
		PVPMU_OP_SETUP, frame, frame >> 32, 77);
	/* There is one way to interrupt each kind of guest. */
	REFUSED("a delivery that is not served here", PVPMU_ERR_DELIVERY,
		PVPMU_OP_SETUP, frame, frame >> 32,
		xen_pv_domain() ? PVPMU_DELIVER_LVTPC : PVPMU_DELIVER_PV_NMI);
	REFUSED("a guest that does not say what it is", PVPMU_ERR_VERSION,
		PVPMU_OP_SETUP, frame, frame >> 32, PVPMU_DELIVER_NONE);
	accept(leaf[1][2]);
	area->guest.version += 1u << 16;
	REFUSED("a guest of another major version", PVPMU_ERR_VERSION,
		PVPMU_OP_SETUP, frame, frame >> 32, PVPMU_DELIVER_NONE);
	accept(~leaf[1][2]);
	REFUSED("a feature that is not served", PVPMU_ERR_VERSION,
		PVPMU_OP_SETUP, frame, frame >> 32, PVPMU_DELIVER_NONE);
	accept(0);
	REFUSED("a delivery whose feature is not accepted", PVPMU_ERR_VERSION,
		PVPMU_OP_SETUP, frame, frame >> 32, delivery);
	accept(leaf[1][2]);
	gives("setup", call(PVPMU_OP_SETUP, frame, frame >> 32, delivery),
	      PVPMU_OK);
	gives("setup shows the features in use",
	      area->host.features == leaf[1][2], 1);
	gives("setup shows the version", area->host.version == leaf[1][0], 1);
}

/* Frames that a PV guest knows but may not write; counters that are not its
 * own, which in ring 0 CR4 has no say in. */
static void xen_only(void)
{
	u32 low, high;
	int error;

	if (!xen_domain())
		return;
	if (xen_pv_domain()) {
		u64 frame = virt_to_gfn(current->active_mm->pgd);

		REFUSED("area on a page table", PVPMU_ERR_FRAME,
			PVPMU_OP_SETUP, frame, frame >> 32, PVPMU_DELIVER_NONE);
		REFUSED("area on memory of another domain", PVPMU_ERR_FRAME,
			PVPMU_OP_SETUP, 0x200, 0, PVPMU_DELIVER_NONE);
	}
	asm volatile("1: rdpmc; xor %0, %0\n2:\n"
		     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_EFAULT_REG, %0)
		     : "=r" (error), "=a" (low), "=d" (high) : "c" (0));
	gives("rdpmc is refused", !!error, 1);
}

static void ids(void)
{
	u32 slots = leaf[1][1] & 0xffff;

	REFUSED("open id = slots", PVPMU_ERR_ID, PVPMU_OP_OPEN, slots, 0, 0);
	REFUSED("enable a huge id", PVPMU_ERR_ID,
		PVPMU_OP_ENABLE, 0xffffffff, 0, 0);
	REFUSED("read id = slots", PVPMU_ERR_ID, PVPMU_OP_READ, slots, 0, 0);
	REFUSED("enable a closed id", PVPMU_ERR_CLOSED,
		PVPMU_OP_ENABLE, 3, 0, 0);
	REFUSED("disable a closed id", PVPMU_ERR_CLOSED,
		PVPMU_OP_DISABLE, 3, 0, 0);
	REFUSED("read a closed id", PVPMU_ERR_CLOSED, PVPMU_OP_READ, 3, 0, 0);
	REFUSED("close a closed id", PVPMU_ERR_CLOSED, PVPMU_OP_CLOSE, 3, 0, 0);
	REFUSED("a second argument that is not zero", PVPMU_ERR_RESERVED,
		PVPMU_OP_OPEN, 0, 1, 0);
	REFUSED("a third argument that is not zero", PVPMU_ERR_RESERVED,
		PVPMU_OP_READ, 0, 0, 1);
	area->guest.enable = 1u << 31;
	REFUSED("update with a bit beyond the slots", PVPMU_ERR_ID,
		PVPMU_OP_UPDATE, 0, 0, 0);
	area->guest.enable = 0;
	area->guest.flags = 1;
	REFUSED("update with flags", PVPMU_ERR_RESERVED,
		PVPMU_OP_UPDATE, 0, 0, 0);
	area->guest.flags = 0;
	REFUSED("update with an argument", PVPMU_ERR_RESERVED,
		PVPMU_OP_UPDATE, 1, 0, 0);
}

static void opens(void)
{
	struct pvpmu_slot_guest *g = &area->slot[2].guest;

	describe(2, PVPMU_TYPE_HARDWARE, PVPMU_HW_END, 0);
	REFUSED("open an unknown event", PVPMU_ERR_EVENT,
		PVPMU_OP_OPEN, 2, 0, 0);
	describe(2, 77, 0, 0);
	REFUSED("open an unknown type", PVPMU_ERR_EVENT,
		PVPMU_OP_OPEN, 2, 0, 0);
	describe(2, PVPMU_TYPE_HARDWARE, 1ull << 40, 0);
	REFUSED("open a config with high bits", PVPMU_ERR_EVENT,
		PVPMU_OP_OPEN, 2, 0, 0);
	describe_good(2);
	g->reserved[6] = 1;
	REFUSED("open with a reserved field", PVPMU_ERR_RESERVED,
		PVPMU_OP_OPEN, 2, 0, 0);
	describe_good(2);
	g->flags = 1u << 31;
	REFUSED("open with an unknown flag", PVPMU_ERR_RESERVED,
		PVPMU_OP_OPEN, 2, 0, 0);
	describe_good(2);
	g->flags = PVPMU_FLAGS_FILTERS;
	REFUSED("open with filters that leave nothing", PVPMU_ERR_FILTER,
		PVPMU_OP_OPEN, 2, 0, 0);
	describe(2, PVPMU_TYPE_HARDWARE, PVPMU_HW_INSTRUCTIONS, 1);
	REFUSED("open with a period of 1", PVPMU_ERR_PERIOD,
		PVPMU_OP_OPEN, 2, 0, 0);
	describe(2, PVPMU_TYPE_HARDWARE, PVPMU_HW_INSTRUCTIONS, ~0ull);
	REFUSED("open with a huge period", PVPMU_ERR_PERIOD,
		PVPMU_OP_OPEN, 2, 0, 0);
	describe_good(2);
	g->leader = 5;
	REFUSED("open with a closed leader", PVPMU_ERR_GROUP,
		PVPMU_OP_OPEN, 2, 0, 0);
	describe_good(2);
	gives("open", call(PVPMU_OP_OPEN, 2, 0, 0), PVPMU_OK);
	REFUSED("open twice", PVPMU_ERR_OPEN, PVPMU_OP_OPEN, 2, 0, 0);
	gives("it is stopped", area->slot[2].host.state, PVPMU_STATE_STOPPED);
	gives("enable", call(PVPMU_OP_ENABLE, 2, 0, 0), PVPMU_OK);
	gives("disable", call(PVPMU_OP_DISABLE, 2, 0, 0), PVPMU_OK);
	gives("it counted", area->slot[2].host.count > 0, 1);
	gives("read", call(PVPMU_OP_READ, 2, 0, 0), PVPMU_OK);
	gives("close", call(PVPMU_OP_CLOSE, 2, 0, 0), PVPMU_OK);
	gives("it is closed", area->slot[2].host.state, PVPMU_STATE_CLOSED);

	describe_good(0);
	describe(1, 77, 0, 0);
	area->guest.open = 0x3;
	gives("update with a bad event", call(PVPMU_OP_UPDATE, 0, 0, 0),
	      PVPMU_ERR_PARTIAL);
	gives("its good slot", area->slot[0].host.error, 0);
	gives("its bad slot", area->slot[1].host.error, PVPMU_ERR_EVENT);
	memset(&area->guest, 0, sizeof(area->guest));
	gives("detach", call(PVPMU_OP_DETACH, 0, 0, 0), PVPMU_OK);
	REFUSED("read after detach", PVPMU_ERR_NO_AREA,
		PVPMU_OP_READ, 0, 0, 0);
}

static s32 setup(u32 delivery)
{
	u64 frame = xen_domain() ? virt_to_gfn(area) :
				   virt_to_phys(area) >> PAGE_SHIFT;

	accept(leaf[1][2]);
	return call(PVPMU_OP_SETUP, frame, frame >> 32, delivery);
}

static s32 update(u32 close, u32 disable, u32 open, u32 enable, u32 read)
{
	area->guest = (struct pvpmu_header_guest){
		.close = close,
		.disable = disable,
		.open = open,
		.enable = enable,
		.read = read,
	};
	return call(PVPMU_OP_UPDATE, 0, 0, 0);
}

static void work(u64 rounds)
{
	asm volatile("1: dec %0; jnz 1b" : "+r" (rounds));
}

/* Events of a group: two filters of one event, as many as there are. */
static void describe_member(int id, int leader)
{
	describe_good(id);
	area->slot[id].guest.leader = leader;
}

/* More than one CPU has counters for, as many as ids for one more */
#define GROUP 20

static void groups(void)
{
	const struct pvpmu_slot_host *first = &area->slot[1].host;
	const struct pvpmu_slot_host *last = &area->slot[3].host;
	int id;

	gives("setup without an interrupt", setup(PVPMU_DELIVER_NONE), PVPMU_OK);
	describe_good(1);
	describe_member(2, 1);
	if (!(leaf[1][2] & PVPMU_FEAT_GROUPS)) {
		gives("open the first", call(PVPMU_OP_OPEN, 1, 0, 0), PVPMU_OK);
		REFUSED("groups are not served here", PVPMU_ERR_GROUP,
			PVPMU_OP_OPEN, 2, 0, 0);
		return;
	}
	describe_member(3, 1);
	gives("start a group", update(0, 0, 0xe, 0xe, 0), PVPMU_OK);
	work(100000);
	gives("read a group", update(0, 0, 0, 0, 0xe), PVPMU_OK);
	gives("it has one time enabled",
	      first->time_enabled == last->time_enabled, 1);
	gives("it has one time running",
	      first->time_running == last->time_running, 1);
	gives("it has one count", first->count == last->count &&
				  first->count > 200000, 1);
	describe_member(4, PVPMU_MAX_SLOTS + 40);
	REFUSED("a leader beyond the slots", PVPMU_ERR_GROUP,
		PVPMU_OP_OPEN, 4, 0, 0);
	/* Different events, or they would have a counter in common. */
	for (id = 4; id < GROUP; id++) {
		describe_member(id, 1);
		area->slot[id].guest.config = id % 6;
		area->slot[id].guest.flags = id / 6 % 3;
		if (call(PVPMU_OP_OPEN, id, 0, 0))
			break;
	}
	gives("a group that is too large is refused", id < GROUP, 1);
	REFUSED("with the error of groups", PVPMU_ERR_GROUP,
		PVPMU_OP_OPEN, id, 0, 0);
	area->slot[id].guest.leader = id;
	gives("by itself it is not", call(PVPMU_OP_OPEN, id, 0, 0), PVPMU_OK);
}

static int evtchn_interrupts;

static irqreturn_t evtchn_handler(int irq, void *unused)
{
	if (xchg(&area->overflow.pending, 0))
		evtchn_interrupts++;
	return IRQ_HANDLED;
}

/* An event channel of the guest's own, if it is bound to this vCPU */
static void event_channel(void)
{
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };
	struct evtchn_alloc_unbound other = {
		.dom = DOMID_SELF,
		.remote_dom = 0,
	};
	int irq, i;

	if (!(leaf[1][2] & PVPMU_FEAT_EVTCHN))
		return;
	REFUSED("a port that there is not", PVPMU_ERR_DELIVERY, PVPMU_OP_SETUP,
		virt_to_gfn(area), 0, PVPMU_DELIVER_EVTCHN | 4000 << 8);
	if (HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &other) ||
	    HYPERVISOR_event_channel_op(EVTCHNOP_bind_ipi, &ipi)) {
		gives("event channels", -1, 0);
		return;
	}
	REFUSED("a port of another kind", PVPMU_ERR_DELIVERY, PVPMU_OP_SETUP,
		virt_to_gfn(area), 0, PVPMU_DELIVER_EVTCHN | other.port << 8);
	irq = bind_evtchn_to_irqhandler(ipi.port, evtchn_handler, 0, "abitest",
					area);
	gives("setup with an event channel",
	      setup(PVPMU_DELIVER_EVTCHN | ipi.port << 8), PVPMU_OK);
	describe(5, PVPMU_TYPE_HARDWARE, PVPMU_HW_INSTRUCTIONS, 1000000);
	gives("start a sampling event", update(0, 0, BIT(5), BIT(5), 0),
	      PVPMU_OK);
	for (i = 0; i < 100 && !READ_ONCE(evtchn_interrupts); i++)
		work(1000000);
	gives("the event channel interrupts", evtchn_interrupts > 0, 1);
	gives("and the line tells why", area->slot[5].host.overflows > 0, 1);
	gives("stop it", call(PVPMU_OP_CLOSE, 5, 0, 0), PVPMU_OK);
	/* A port that is gone interrupts nobody. */
	unbind_from_irqhandler(irq, area);
	gives("start it without the port", update(0, 0, BIT(5), BIT(5), 0),
	      PVPMU_OK);
	for (i = 0; i < 100 && !READ_ONCE(area->overflow.pending); i++)
		work(1000000);
	gives("it overflows all the same", !!area->overflow.pending, 1);
}

/* The CPU's six counters, from ring 3, where CR4.PCE does have a say */
static int rdpmc_of_users(void)
{
	static char *argv[] = { "/lab/bin/rdpmc", "fault", "0", "1", "2", "3",
				"4", "5", NULL };
	static char *envp[] = { NULL };

	return call_usermodehelper(argv[0], argv, envp, UMH_WAIT_PROC);
}

/* The guest may set CR4.PCE; nobody else's counters become readable. */
static void rdpmc_with_pce(void)
{
	unsigned long cr4 = __read_cr4();
	u32 low, high;
	int error;

	if (!xen_domain())
		return;
	__write_cr4(cr4 | X86_CR4_PCE);
	asm volatile("1: rdpmc; xor %0, %0\n2:\n"
		     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_EFAULT_REG, %0)
		     : "=r" (error), "=a" (low), "=d" (high) : "c" (0));
	gives("rdpmc is refused with CR4.PCE set", !!error, 1);
	gives("in user mode as well", rdpmc_of_users(), 0);
	/* Linux does not let a PV guest's be set. */
	gives("all the while it was set", !!(__read_cr4() & X86_CR4_PCE),
	      !xen_pv_domain());
	__write_cr4(cr4);
}

/* Exits of a guest that has a counter of them; others say so. */
static void exits(void)
{
	u32 a, b, c, d, i;

	if (xen_pv_domain()) {
		REFUSED("exits of a PV guest", PVPMU_ERR_EVENT, PVPMU_OP_QUERY,
			PVPMU_TYPE_HYPERVISOR, PVPMU_HV_EXITS, 0);
		return;
	}
	gives("setup again closes all", setup(PVPMU_DELIVER_NONE), PVPMU_OK);
	describe(6, PVPMU_TYPE_HYPERVISOR, PVPMU_HV_EXITS, 0);
	gives("count exits", update(0, 0, BIT(6), BIT(6), 0), PVPMU_OK);
	for (i = 0; i < 1000; i++)
		cpuid(0, &a, &b, &c, &d);
	gives("stop counting them", update(0, BIT(6), 0, 0, 0), PVPMU_OK);
	gives("a thousand at the least", area->slot[6].host.count >= 1000, 1);
}

static int __init abitest_init(void)
{
	area = (void *)get_zeroed_page(GFP_KERNEL);
	before = (void *)get_zeroed_page(GFP_KERNEL);
	if (!area || !before)
		goto out;
	if (!discover()) {
		pr_info("abitest: FAIL no pvpmu in CPUID\n");
		goto out;
	}
	gives("major version", leaf[1][0] >> 16, PVPMU_ABI_MAJOR);
	/* one vCPU throughout */
	migrate_disable();
	without_area();
	setups(xen_domain() ? virt_to_gfn(area) :
			      virt_to_phys(area) >> PAGE_SHIFT);
	xen_only();
	ids();
	opens();
	groups();
	exits();
	rdpmc_with_pce();
	event_channel();
	call(PVPMU_OP_DETACH, 0, 0, 0);
	migrate_enable();
	pr_info("abitest: %d passed, %d failed\n", passed, failed);
out:
	free_page((unsigned long)area);
	free_page((unsigned long)before);
	return -ECANCELED;
}
module_init(abitest_init);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("conformance of a pvpmu host, from its guest");
