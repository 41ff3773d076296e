// SPDX-License-Identifier: GPL-2.0
/* Since 7.0: the kernel itself puts the page that another was moved to on its list. */
#include <linux/balloon.h>

void fpr_probe(struct balloon_dev_info *info);
void fpr_probe(struct balloon_dev_info *info)
{
	info->adjust_managed_page_count = true;
}
