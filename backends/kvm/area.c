// SPDX-License-Identifier: GPL-2.0
/*
 * pvpmu on KVM: the page that the guest shares
 *
 * No page is pinned: the VMM may move, swap out or take away the guest's
 * memory at any time.  The page is reached through the VMM's address space,
 * where it lies for as long as the memory slots do not change; when they did,
 * it is looked up again.  That works in the vCPU's own context only; in any
 * other there is no area.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <asm/futex.h>

#include "callee.h"
#include "pvpmu_kvm.h"

/*
 * Looks up where the page is: in a slot for memory, KVM's private ones are
 * none, and in one that may be written.
 */
static bool look_up(struct kvm *kvm, struct gfn_to_hva_cache *area, gpa_t gpa)
{
	if (pk_cache_init(kvm, area, gpa, PVPMU_AREA_SIZE))
		return false;
	return area->memslot && area->memslot->id < KVM_USER_MEM_SLOTS;
}

/*
 * Finds out whether it is memory that can be written, by getting hold of it:
 * a device's registers, for one, cannot be got that way.
 */
static enum pvpmu_answer try_page(unsigned long hva)
{
	struct page *page;
	int got = get_user_pages_fast(hva, 1, FOLL_WRITE, &page);

	if (got == 1) {
		put_page(page);
		return PVPMU_DONE;
	}
	return got == -EFAULT ? PVPMU_NEVER : PVPMU_LATER;
}

enum pvpmu_answer pk_op_area_attach(struct pvpmu_vcpu *core, u64 frame)
{
	struct pk_vcpu *vcpu = to_pk(core);
	struct gfn_to_hva_cache area = {};
	enum pvpmu_answer answer;

	if (!vcpu->own)
		return PVPMU_LATER;
	if (!look_up(vcpu->kvm_vcpu->kvm, &area, frame * PVPMU_AREA_SIZE))
		return PVPMU_NEVER;
	answer = try_page(area.hva);
	if (answer != PVPMU_DONE)
		return answer;
	if (!core->attached)
		atomic_inc(&pk_live_areas);
	vcpu->area = area;
	vcpu->area_valid = true;
	return PVPMU_DONE;
}

void pk_op_area_detach(struct pvpmu_vcpu *core)
{
	to_pk(core)->area_valid = false;
	atomic_dec(&pk_live_areas);
}

/* Where a word of the page is now, NULL if it is gone or out of reach. */
static u32 __user *word(struct pk_vcpu *vcpu, u32 offset)
{
	struct kvm *kvm = vcpu->kvm_vcpu->kvm;
	struct gfn_to_hva_cache *area = &vcpu->area;

	if (!vcpu->own)
		return NULL;
	if (unlikely(kvm_memslots(kvm)->generation != area->generation))
		vcpu->area_valid = look_up(kvm, area, area->gpa);
	if (!vcpu->area_valid)
		return NULL;
	return (u32 __user *)(area->hva + offset);
}

/**
 * pk_area_flush() - tells a live migration that the page is to be sent again
 * @vcpu: may have written into it
 *
 * Once for all that an entry point wrote, and after it: a copy of the page that
 * was made meanwhile is made again.
 *
 * Context: the vCPU's own.
 */
void pk_area_flush(struct pk_vcpu *vcpu)
{
	if (!vcpu->area_dirty)
		return;
	vcpu->area_dirty = false;
	if (word(vcpu, 0))
		pk_mark_dirty(vcpu->kvm_vcpu->kvm, vcpu->area.memslot,
			      gpa_to_gfn(vcpu->area.gpa));
}

bool pk_op_area_read(struct pvpmu_vcpu *core, u32 offset, void *to, u32 len)
{
	const u32 __user *from = word(to_pk(core), offset);
	u32 *words = to;
	u64 value;

	if (!from || !user_read_access_begin(from, len))
		return false;
	for (; len >= sizeof(value); len -= sizeof(value)) {
		unsafe_get_user(value, (const u64 __user *)from, fault);
		memcpy(words, &value, sizeof(value));
		words += 2;
		from += 2;
	}
	if (len)
		unsafe_get_user(*words, from, fault);
	user_read_access_end();
	return true;
fault:
	user_read_access_end();
	return false;
}

/* Word by word: copy_to_user() does not promise whole ones. */
bool pk_op_area_write(struct pvpmu_vcpu *core, u32 offset, const void *from,
		      u32 len)
{
	u32 __user *to = word(to_pk(core), offset);
	const u32 *words = from;

	if (!to || !user_write_access_begin(to, len))
		return false;
	to_pk(core)->area_dirty = true;
	for (; len; len -= sizeof(*words))
		unsafe_put_user(*words++, to++, fault);
	user_write_access_end();
	return true;
fault:
	user_write_access_end();
	return false;
}

#define put(value, at) unsafe_put_user(value, at, fault)

bool pk_op_area_line(struct pvpmu_vcpu *core, u32 offset, const void *line)
{
	u32 __user *first = word(to_pk(core), offset);
	pvpmu_word __user *words = (pvpmu_word __user *)first;

	/* A page is not half the VMM's: what holds for one word of it holds for all. */
	if (!first || !user_write_access_begin(first, sizeof(*first)))
		return false;
	to_pk(core)->area_dirty = true;
	pvpmu_line_put(first, words, line, put);
	user_write_access_end();
	return true;
fault:
	user_write_access_end();
	return false;
}

bool pk_op_area_or32(struct pvpmu_vcpu *core, u32 offset, u32 bits, u32 *old)
{
	u32 __user *to = word(to_pk(core), offset);
	int was;

	if (!to || arch_futex_atomic_op_inuser(FUTEX_OP_OR, bits, &was, to))
		return false;
	*old = was;
	to_pk(core)->area_dirty = true;
	return true;
}
