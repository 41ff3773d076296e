// SPDX-License-Identifier: GPL-2.0
/* Since 6.16: /proc/meminfo says how much is in balloons. */
#include <linux/vmstat.h>

void fpr_probe(struct page *page);
void fpr_probe(struct page *page)
{
	mod_node_page_state(page_pgdat(page), NR_BALLOON_PAGES, 1);
}
