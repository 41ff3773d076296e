// SPDX-License-Identifier: GPL-2.0
/* Since 7.0: reclaim is counted per node, no longer with the events. */
#include <linux/mm.h>

#pragma GCC diagnostic error "-Wenum-conversion"

enum node_stat_item fpr_probe(void);
enum node_stat_item fpr_probe(void)
{
	return PGSCAN_KSWAPD;
}
