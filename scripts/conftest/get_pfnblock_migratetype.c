// SPDX-License-Identifier: GPL-2.0
/* Since 6.17: the migratetype has a function of its own. */
#include <linux/mm.h>
#include <linux/mmzone.h>

enum migratetype fpr_probe(const struct page *page, unsigned long pfn);
enum migratetype fpr_probe(const struct page *page, unsigned long pfn)
{
	enum migratetype (*fn)(const struct page *page, unsigned long pfn) =
		get_pfnblock_migratetype;

	return fn(page, pfn);
}
