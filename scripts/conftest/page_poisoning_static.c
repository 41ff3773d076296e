// SPDX-License-Identifier: GPL-2.0
/* Since 5.11: page poisoning by static key. */
#include <linux/mm.h>

bool fpr_probe(void);
bool fpr_probe(void)
{
	return page_poisoning_enabled_static();
}
