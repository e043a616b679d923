/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pvpmu in Xen: the page that a guest shares with us
 *
 * It is held by reference and type from SETUP to the end, so it stays memory
 * of the guest that can be written, whatever the guest does with its map.
 */
#include <xen/domain_page.h>
#include <xen/mm.h>
#include <asm/p2m.h>
#include <asm/paging.h>

#include "pvpmu_xen.h"

/* RAM of the guest's own, writable, and not one that Xen uses itself. */
static bool is_own_ram(const struct pvpmu_xen *x, const struct page_info *page,
		       p2m_type_t type)
{
	return (type == p2m_ram_rw || type == p2m_ram_logdirty) &&
	       page_get_owner(page) == x->v->domain && !is_special_page(page);
}

enum pvpmu_answer pvpmu_area_attach(struct pvpmu_vcpu *core, u64 frame)
{
	struct pvpmu_xen *x = pvpmu_of(core);
	struct page_info *page;
	p2m_type_t type;
	void *area;
	int rc;

	rc = check_get_page_from_gfn(x->v->domain, _gfn(frame), false, &type,
				     &page);
	if (rc)
		return rc == -EAGAIN ? PVPMU_LATER : PVPMU_NEVER;
	if (!is_own_ram(x, page, type) ||
	    !get_page_type(page, PGT_writable_page)) {
		put_page(page);
		return PVPMU_NEVER;
	}
	area = __map_domain_page_global(page);
	if (!area) {
		put_page_and_type(page);
		return PVPMU_LATER;
	}

	if (x->page)
		pvpmu_area_detach(core);
	x->page = page;
	x->area = area;
	atomic_inc(&pvpmu_areas);
	return PVPMU_DONE;
}

void pvpmu_area_detach(struct pvpmu_vcpu *core)
{
	struct pvpmu_xen *x = pvpmu_of(core);

	unmap_domain_page_global(x->area);
	put_page_and_type(x->page);
	x->page = NULL;
	x->area = NULL;
	x->dirtied = false;
	atomic_dec(&pvpmu_areas);
}

bool pvpmu_area_copy_from(struct pvpmu_vcpu *core, u32 offset, void *to,
			  u32 len)
{
	memcpy(to, pvpmu_of(core)->area + offset, len);
	return true;
}

/* Word by word: none is torn. */
bool pvpmu_area_copy_to(struct pvpmu_vcpu *core, u32 offset, const void *from,
			u32 len)
{
	struct pvpmu_xen *x = pvpmu_of(core);
	volatile u32 *to = x->area + offset;
	const u32 *word = from;
	u32 i;

	for (i = 0; i < len / sizeof(*word); i++)
		to[i] = word[i];
	x->dirtied = true;
	return true;
}

bool pvpmu_area_set_line(struct pvpmu_vcpu *core, u32 offset, const void *line)
{
	struct pvpmu_xen *x = pvpmu_of(core);

	pvpmu_line_store(x->area + offset, line);
	x->dirtied = true;
	return true;
}

bool pvpmu_area_set_bits(struct pvpmu_vcpu *core, u32 offset, u32 bits,
			 u32 *old)
{
	struct pvpmu_xen *x = pvpmu_of(core);

	*old = env_or32(x->area + offset, bits);
	x->dirtied = true;
	return true;
}

/* Our own mapping is writable always: log-dirty mode would not notice. */
void pvpmu_area_mark_dirty(struct pvpmu_xen *x)
{
	if (!x->dirtied)
		return;
	x->dirtied = false;
	paging_mark_dirty(x->v->domain, page_to_mfn(x->page));
}
