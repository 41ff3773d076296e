// SPDX-License-Identifier: GPL-2.0
/* Before 6.0: an inode says how a ballooned page is moved. */
#include <linux/balloon_compaction.h>

struct inode *fpr_probe(struct balloon_dev_info *info);
struct inode *fpr_probe(struct balloon_dev_info *info)
{
	return info->inode;
}
