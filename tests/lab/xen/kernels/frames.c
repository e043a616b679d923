// SPDX-License-Identifier: GPL-2.0-only
/* Frames that are not RAM which this guest may write: none becomes its area. */
#include "kernel.h"

#include <public/grant_table.h>
#include <public/memory.h>
#include <public/sched.h>

#define LAPIC_FRAME 0xfee00u
#define GRANT_WRITABLE 8u /* the references that one guest gives to the other */
#define GRANT_READ_ONLY 9u
#define PTE_USER_WRITABLE 0x7u

static char spare[4][4096] __attribute__((aligned(4096)));
static struct grant_entry_v1 *grants;

/* The old area, its event and its count go on as if nothing had been asked. */
static void refused(const char *name, uint64_t frame)
{
	uint64_t count = area.slot[0].host.count;

	gives(name,
	      call(PVPMU_OP_SETUP, frame, frame >> 32, PVPMU_DELIVER_NONE),
	      PVPMU_ERR_FRAME);
	if (call(PVPMU_OP_READ, 0, 0, 0) || area.slot[0].host.count <= count)
		result(false, "the area goes on", 0);
}

static void begin(void)
{
	gives("setup", setup(&area), PVPMU_OK);
	describe(0, PVPMU_TYPE_HARDWARE, PVPMU_HW_INSTRUCTIONS, 0, 0);
	gives("open", call(PVPMU_OP_OPEN, 0, 0, 0), PVPMU_OK);
	gives("enable", call(PVPMU_OP_ENABLE, 0, 0, 0), PVPMU_OK);
}

static long memory_op(unsigned int op, void *argument)
{
	return hypercall(__HYPERVISOR_memory_op, op, (uintptr_t)argument, 0, 0,
			 0);
}

/* Gives a page back to Xen; where it is mapped by us, that ends first. */
static uint64_t balloon_out(void *page)
{
	xen_pfn_t pfn = frame_of(page);
	struct xen_memory_reservation reservation = {
		.nr_extents = 1,
		.domid = DOMID_SELF,
	};

	set_xen_guest_handle(reservation.extent_start, &pfn);
	if (guest.pv)
		set_page(page, 0);
	gives("a page is given back",
	      (int)memory_op(XENMEM_decrease_reservation, &reservation), 1);
	return pfn;
}

/* Puts a page of Xen's where the page was; PVH */
static long map_from_xen(unsigned int space, unsigned int index, void *page)
{
	struct xen_add_to_physmap map = {
		.domid = DOMID_SELF,
		.space = space,
		.idx = index,
		.gpfn = frame_of(page),
	};

	return memory_op(XENMEM_add_to_physmap, &map);
}

/* Where the grant table is seen; sets grants */
static uint64_t map_grants(void *page)
{
	xen_pfn_t frame = 0;
	struct gnttab_setup_table table = {
		.dom = DOMID_SELF,
		.nr_frames = 1,
	};

	grants = page;
	if (!guest.pv) {
		map_from_xen(XENMAPSPACE_grant_table, 0, page);
		return frame_of(page);
	}
	set_xen_guest_handle(table.frame_list, &frame);
	hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table,
		  (uintptr_t)&table, 1, 0, 0);
	set_page(page, (uint64_t)frame << 12 | PTE_USER_WRITABLE);
	return frame;
}

static void pv_frames(void)
{
	static uint64_t descriptors[512] __attribute__((aligned(4096)));
	uint64_t tables = frame_of((void *)guest.start->pt_base);
	unsigned long table = frame_of(descriptors);

	refused("a page table", tables);
	refused("the shared info page", guest.start->shared_info / PAGE_SIZE);
	refused("memory of the hypervisor", 0x200);
	if (set_page(descriptors, (uint64_t)table << 12 | 5) &&
	    !hypercall(__HYPERVISOR_set_gdt, (uintptr_t)&table, 512, 0, 0, 0))
		refused("a page with segment descriptors", table);
	else
		result(false, "a page with segment descriptors", 0);
}

static void pvh_frames(void)
{
	gives("shared info is mapped",
	      (int)map_from_xen(XENMAPSPACE_shared_info, 0, spare[2]), 0);
	refused("the shared info page", frame_of(spare[2]));
	refused("behind the end of memory", 0x7ffff);
	refused("beyond all addresses", 0xffffffff00000000ull);
}

/* The area itself is given back; what is written to it then reaches nobody. */
static void area_goes(void)
{
	void *page = spare[3];
	uint64_t frame = frame_of(page);

	gives("setup of a page that will go", setup(page), PVPMU_OK);
	balloon_out(page);
	gives("detach", call(PVPMU_OP_DETACH, 0, 0, 0), PVPMU_OK);
	gives("the page is not there any more",
	      call(PVPMU_OP_SETUP, frame, frame >> 32, PVPMU_DELIVER_NONE),
	      PVPMU_ERR_FRAME);
}

void test_frames(void)
{
	begin();
	refused("the local APIC", LAPIC_FRAME);
	refused("no frame at all", 0x0fffffffffffull);
	refused("a page that was given back", balloon_out(spare[0]));
	refused("the grant table", map_grants(spare[1]));
	if (guest.pv)
		pv_frames();
	else
		pvh_frames();
	area_goes();
}

/* A page of another guest that it granted to us */
static void mapped(const char *name, unsigned int owner, unsigned int reference,
		   bool read_only, void *at)
{
	struct gnttab_map_grant_ref map = {
		.host_addr = (uintptr_t)at,
		.flags = GNTMAP_host_map | (read_only ? GNTMAP_readonly : 0),
		.ref = reference,
		.dom = owner,
	};

	hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref,
		  (uintptr_t)&map, 1, 0, 0);
	gives(name, map.status, GNTST_okay);
	if (map.status == GNTST_okay)
		refused(name, guest.pv ? map.dev_bus_addr / PAGE_SIZE :
					 frame_of(at));
}

/*
 * dom0 says who grants, and in PV where that guest's other memory is: the guest
 * must be there before it can be granted to.
 */
void test_granted(void)
{
	unsigned int owner;

	begin();
	print("@lab mark up\n");
	owner = read_number();
	if (guest.pv)
		refused("a page of another guest", read_number());
	balloon_out(spare[0]);
	balloon_out(spare[1]);
	mapped("a page granted by another guest", owner, GRANT_WRITABLE, false,
	       spare[0]);
	mapped("a page granted to be read", owner, GRANT_READ_ONLY, true,
	       spare[1]);
	gives("detach", call(PVPMU_OP_DETACH, 0, 0, 0), PVPMU_OK);
}

/* dom0 makes one of our pages what a device model can make of it; PVH */
void test_typed(void)
{
	begin();
	print("@lab frame %u\n@lab mark up\n",
	      (unsigned int)frame_of(spare[0]));
	read_number();
	refused("a page that is not as it was", frame_of(spare[0]));
}

static void grant(unsigned int reference, unsigned int domain, void *page,
		  unsigned int flags)
{
	grants[reference].domid = domain;
	grants[reference].frame = frame_of(page);
	__sync_synchronize();
	grants[reference].flags = GTF_permit_access | flags;
}

void grant_to(unsigned int domain)
{
	map_grants(spare[0]);
	grant(GRANT_WRITABLE, domain, spare[1], 0);
	grant(GRANT_READ_ONLY, domain, spare[2], GTF_readonly);
	/* its own area, too, may be a page that others can write to */
	gives("setup of a page that is granted", setup(spare[1]), PVPMU_OK);
	print("@lab frame %u\n@lab mark up\n",
	      (unsigned int)frame_of(spare[3]));
	read_number();
}
