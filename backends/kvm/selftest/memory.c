// SPDX-License-Identifier: GPL-2.0
/* Where an area may be, and what happens when its memory goes */
#include "selftest.h"

#include <err.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXTRA_GPA (64ull << 20)
#define EXTRA_FRAME (EXTRA_GPA >> 12)

static int64_t setup_frame(struct vmm *v, uint64_t frame)
{
	return vmm_op(v, 0, PVPMU_OP_SETUP, frame, frame >> 32, 0);
}

static void *pages(size_t size, int prot)
{
	void *p = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		err(125, "mmap");
	return p;
}

static void frames(struct vmm *v)
{
	void *memory = pages(8192, PROT_READ | PROT_WRITE);
	void *none = pages(8192, PROT_NONE);
	int dev;

	is("setup", setup(v, 0, 0), PVPMU_OK);
	is("no memory there", setup_frame(v, VMM_MEMORY >> 12),
	   PVPMU_ERR_FRAME);
	is("beyond all addresses", setup_frame(v, 1ull << 40), PVPMU_ERR_FRAME);
	is("largest frame", setup_frame(v, ~0ull), PVPMU_ERR_FRAME);
	is("frame that wraps", setup_frame(v, (1ull << 52) + 1),
	   PVPMU_ERR_FRAME);
	vmm_slot(v, 1, KVM_MEM_READONLY, EXTRA_GPA, 8192, memory);
	is("read only slot", setup_frame(v, EXTRA_FRAME), PVPMU_ERR_FRAME);
	vmm_slot(v, 1, 0, EXTRA_GPA, 0, memory);
	vmm_slot(v, 1, 0, EXTRA_GPA, 8192, none);
	is("memory that cannot be reached", setup_frame(v, EXTRA_FRAME),
	   PVPMU_ERR_FRAME);
	vmm_slot(v, 1, 0, EXTRA_GPA, 0, none);

	/* Registers of a device, as in a slot for one that is passed through */
	dev = open("/dev/mem", O_RDWR);
	if (dev >= 0) {
		void *apic = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				  MAP_SHARED, dev, 0xfed00000);

		if (apic != MAP_FAILED) {
			vmm_slot(v, 1, 0, EXTRA_GPA, 4096, apic);
			is("device registers", setup_frame(v, EXTRA_FRAME),
			   PVPMU_ERR_FRAME);
			vmm_slot(v, 1, 0, EXTRA_GPA, 0, apic);
		}
		close(dev);
	}
	is("the first area is still there",
	   open_event(v, 0, 0, 0, PVPMU_TYPE_CLOCK, 0, 0), PVPMU_OK);
	munmap(memory, 8192);
	munmap(none, 8192);
}

static void slot_goes(struct vmm *v)
{
	void *memory = pages(8192, PROT_READ | PROT_WRITE);

	accept_in(v, memory);
	vmm_slot(v, 1, 0, EXTRA_GPA, 8192, memory);
	is("setup in a second slot", setup_frame(v, EXTRA_FRAME), PVPMU_OK);
	vmm_slot(v, 1, 0, EXTRA_GPA, 0, memory);
	is("its slot is gone", vmm_op(v, 0, PVPMU_OP_UPDATE, 0, 0, 0),
	   PVPMU_ERR_NO_AREA);
	is("no area any more", stat_of("live_areas"), 0);
	munmap(memory, 8192);
}

static void memory_goes(struct vmm *v)
{
	void *memory = pages(8192, PROT_READ | PROT_WRITE);

	accept_in(v, memory);
	vmm_slot(v, 1, 0, EXTRA_GPA, 8192, memory);
	is("setup", setup_frame(v, EXTRA_FRAME), PVPMU_OK);
	madvise(memory, 8192, MADV_DONTNEED);
	is("ballooned away, comes back empty",
	   vmm_op(v, 0, PVPMU_OP_UPDATE, 0, 0, 0), PVPMU_OK);
	mprotect(memory, 8192, PROT_READ);
	is("write protected, READ of a closed id",
	   vmm_op(v, 0, PVPMU_OP_READ, 0, 0, 0), PVPMU_ERR_CLOSED);
	mprotect(memory, 8192, PROT_NONE);
	is("out of reach", vmm_op(v, 0, PVPMU_OP_UPDATE, 0, 0, 0),
	   PVPMU_ERR_NO_AREA);
	vmm_slot(v, 1, 0, EXTRA_GPA, 0, memory);
	munmap(memory, 8192);
}

/* Slots that have nothing to do with the area come and go. */
static void slots_change(struct vmm *v)
{
	void *memory = pages(8192, PROT_READ | PROT_WRITE);
	int64_t bad = 0;
	int i;

	setup(v, 0, 0);
	for (i = 0; i < 20; i++) {
		vmm_slot(v, 1, 0, EXTRA_GPA, i % 2 ? 0 : 8192, memory);
		bad += vmm_op(v, 0, PVPMU_OP_UPDATE, 0, 0, 0) != PVPMU_OK;
	}
	is("calls that other slots disturbed", bad, 0);
	munmap(memory, 8192);
}

/* Was the area written since this was asked last? */
static bool is_dirty(struct vmm *v)
{
	uint64_t bitmap[VMM_MEMORY >> 12 >> 6];
	struct kvm_dirty_log log = { .slot = 0, .dirty_bitmap = bitmap };
	int frame = VMM_AREA(0);

	if (ioctl(v->vm, KVM_GET_DIRTY_LOG, &log))
		err(125, "KVM_GET_DIRTY_LOG");
	return bitmap[frame / 64] >> frame % 64 & 1;
}

/* What the host writes is seen by dirty logging. */
static void dirty(struct vmm *v)
{
	setup(v, 0, 0);
	open_event(v, 0, 0, 0, PVPMU_TYPE_HARDWARE, PVPMU_HW_INSTRUCTIONS,
		   100000);
	vmm_op(v, 0, PVPMU_OP_ENABLE, 0, 0, 0);
	vmm_slot(v, 0, KVM_MEM_LOG_DIRTY_PAGES, 0, VMM_MEMORY, v->guest);
	is_dirty(v);
	vmm_loop(v, 0, 1000);
	is("not dirty while nothing happens", is_dirty(v), false);
	vmm_op(v, 0, PVPMU_OP_READ, 0, 0, 0);
	is("dirty after a call", is_dirty(v), true);
	vmm_loop(v, 0, 200000);
	is("dirty after an overflow, without a call", is_dirty(v), true);
	vmm_slot(v, 0, 0, 0, VMM_MEMORY, v->guest);
}

void test_memory(void)
{
	struct vmm v;

	vmm_create(&v, false);
	vmm_discover(&v);
	frames(&v);
	slot_goes(&v);
	memory_goes(&v);
	slots_change(&v);
	dirty(&v);
	vmm_destroy(&v);
}
