// SPDX-License-Identifier: GPL-2.0
/* Before 7.0: reclaim is counted with the events. */
#include <linux/mm.h>

#pragma GCC diagnostic error "-Wenum-conversion"

enum vm_event_item fpr_probe(void);
enum vm_event_item fpr_probe(void)
{
	return PGSCAN_KSWAPD;
}
