/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Looking at what is free without a lock: hints, but for fpr_peek_buddy() under
 * zone->lock.
 */
#ifndef _FPR_PEEK_H
#define _FPR_PEEK_H

#include <linux/mm.h>
#include <linux/types.h>

#include "../compat/compat.h"

/* A block of the block map is 2 MiB, whatever the base page size. */
#define FPR_BLOCK_ORDER		(21 - PAGE_SHIFT)
#define FPR_BLOCK_PAGES		(1UL << FPR_BLOCK_ORDER)

/* Where a walk by buddies goes on after @pfn, at which none of @order was found. */
static inline unsigned long fpr_next_pfn(unsigned long pfn, unsigned int order)
{
	return round_down(pfn, 1UL << order) + (1UL << order);
}

struct page *fpr_peek_buddy(unsigned long pfn, unsigned int *order);
unsigned long fpr_peek_run_end(unsigned long pfn, unsigned long end,
			       unsigned int order);
unsigned long fpr_peek_free(unsigned long pfn, unsigned long end,
			    unsigned int order, unsigned long run);
unsigned long fpr_peek_unused(unsigned long block);
bool fpr_peek_stuck(unsigned long block);

#endif /* _FPR_PEEK_H */
