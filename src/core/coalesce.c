// SPDX-License-Identifier: GPL-2.0
/* Coalescing of free buddies into segments; see coalesce.h. */
#include <linux/kernel.h>
#include <linux/minmax.h>

#include "coalesce.h"

/* Pages of [pfn, pfn + npages) that the last segment can still take. */
static unsigned long room_in_last(const struct fpr_coalesce *c,
				  unsigned long pfn, unsigned long npages)
{
	const struct fpr_segment *last;

	if (c->nr == c->sealed)
		return 0;
	last = &c->segs[c->nr - 1];
	if (last->pfn + last->npages != pfn)
		return 0;
	return min(npages, c->max_pages - last->npages);
}

/**
 * fpr_coalesce_fits() - whether a range can be added
 * @c: the list
 * @pfn: first page frame, not below the end of the last segment
 * @npages: length in base pages
 *
 * A range longer than a segment may be is cut into several.
 */
bool fpr_coalesce_fits(const struct fpr_coalesce *c, unsigned long pfn,
		       unsigned long npages)
{
	unsigned long rest = npages - room_in_last(c, pfn, npages);

	return DIV_ROUND_UP(rest, c->max_pages) <= c->max - c->nr;
}

/**
 * fpr_coalesce_add() - add a range for which fpr_coalesce_fits() said yes
 * @c: the list
 * @pfn: first page frame
 * @npages: length in base pages
 */
void fpr_coalesce_add(struct fpr_coalesce *c, unsigned long pfn,
		      unsigned long npages)
{
	unsigned long part = room_in_last(c, pfn, npages);

	if (part)
		c->segs[c->nr - 1].npages += part;
	while (npages -= part) {
		pfn += part;
		part = min(npages, c->max_pages);
		c->segs[c->nr].pfn = pfn;
		c->segs[c->nr].npages = part;
		c->nr++;
	}
}
