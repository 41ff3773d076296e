// SPDX-License-Identifier: GPL-2.0
/* Since 6.13, and in stable kernels: the function after a page has left its list. */
#include <linux/balloon_compaction.h>

void fpr_probe(struct page *page);
void fpr_probe(struct page *page)
{
	balloon_page_finalize(page);
}
