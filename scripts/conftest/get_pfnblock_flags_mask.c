// SPDX-License-Identifier: GPL-2.0
/* Until 6.16: the migratetype is read through a mask. */
#include <linux/mm.h>
#include <linux/mmzone.h>

unsigned long fpr_probe(const struct page *page, unsigned long pfn);
unsigned long fpr_probe(const struct page *page, unsigned long pfn)
{
	unsigned long (*fn)(const struct page *page, unsigned long pfn,
			    unsigned long mask) = get_pfnblock_flags_mask;

	return fn(page, pfn, MIGRATETYPE_MASK);
}
