// SPDX-License-Identifier: GPL-2.0
/* Before balloon_page_finalize() */
#include <linux/balloon_compaction.h>

void fpr_probe(struct page *page);
void fpr_probe(struct page *page)
{
	balloon_page_delete(page);
}
