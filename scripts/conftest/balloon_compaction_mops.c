// SPDX-License-Identifier: GPL-2.0
/* Since 6.0: ballooned pages need no inode. */
#include <linux/balloon_compaction.h>

int fpr_probe(struct balloon_dev_info *info);
int fpr_probe(struct balloon_dev_info *info)
{
	BUILD_BUG_ON(sizeof(struct balloon_dev_info) !=
		     offsetofend(struct balloon_dev_info, migratepage));
	spin_lock_init(&info->pages_lock);
	return 0;
}
