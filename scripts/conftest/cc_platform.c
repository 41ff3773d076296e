// SPDX-License-Identifier: GPL-2.0
/* Since 5.16: one question for all kinds of encrypted memory. */
#include <linux/cc_platform.h>

bool fpr_probe(void);
bool fpr_probe(void)
{
	return cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT);
}
