// SPDX-License-Identifier: GPL-2.0
/*
 * 5.10 finds the functions that move a ballooned page by way of an inode, so there
 * has to be a file system for it.
 */
#include <linux/module.h>

#include "balloon.h"

#if defined(FPR_BALLOONS) && defined(FPR_HAVE_BALLOON_COMPACTION_INODE) && \
	IS_ENABLED(CONFIG_BALLOON_COMPACTION)
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/mutex.h>
#include <linux/pseudo_fs.h>

#define FPR_FS_MAGIC 0x66707262

/* Guards the mount and its count. */
static DEFINE_MUTEX(mount_lock);
static struct vfsmount *mnt;
static int mount_count;

static int init_context(struct fs_context *fc)
{
	return init_pseudo(fc, FPR_FS_MAGIC) ? 0 : -ENOMEM;
}

static struct file_system_type balloon_fs = {
	.name = "fpr-balloon",
	.init_fs_context = init_context,
	.kill_sb = kill_anon_super,
};

static void put_mount(void)
{
	if (--mount_count)
		return;
	kern_unmount(mnt);
	mnt = NULL;
}

static int get_mount(void)
{
	if (!mount_count) {
		struct vfsmount *new = kern_mount(&balloon_fs);

		if (IS_ERR(new))
			return PTR_ERR(new);
		mnt = new;
	}
	mount_count++;
	return 0;
}

int fpr_balloon_mapping_init(struct balloon_dev_info *info)
{
	struct inode *inode;
	int err;

	mutex_lock(&mount_lock);
	err = get_mount();
	if (!err) {
		inode = alloc_anon_inode(mnt->mnt_sb);
		if (IS_ERR(inode)) {
			err = PTR_ERR(inode);
			put_mount();
		} else {
			inode->i_mapping->a_ops = &balloon_aops;
			info->inode = inode;
		}
	}
	mutex_unlock(&mount_lock);
	return err;
}

void fpr_balloon_mapping_exit(struct balloon_dev_info *info)
{
	iput(info->inode);
	mutex_lock(&mount_lock);
	put_mount();
	mutex_unlock(&mount_lock);
}
#elif defined(FPR_HAVE_BALLOON_COMPACTION_INODE)
int fpr_balloon_mapping_init(struct balloon_dev_info *info)
{
	return 0;
}

void fpr_balloon_mapping_exit(struct balloon_dev_info *info)
{
}
#endif
