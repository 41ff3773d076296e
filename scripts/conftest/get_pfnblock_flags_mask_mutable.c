// SPDX-License-Identifier: GPL-2.0
/* Until 5.12 or so: likewise, of a page that is not const. */
#include <linux/mm.h>
#include <linux/mmzone.h>

unsigned long fpr_probe(struct page *page, unsigned long pfn);
unsigned long fpr_probe(struct page *page, unsigned long pfn)
{
	unsigned long (*fn)(struct page *page, unsigned long pfn,
			    unsigned long mask) = get_pfnblock_flags_mask;

	return fn(page, pfn, MIGRATETYPE_MASK);
}
