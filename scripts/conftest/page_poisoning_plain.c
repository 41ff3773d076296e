// SPDX-License-Identifier: GPL-2.0
/* Until 5.10: page poisoning by function. */
#include <linux/mm.h>

bool fpr_probe(void);
bool fpr_probe(void)
{
	return page_poisoning_enabled();
}
