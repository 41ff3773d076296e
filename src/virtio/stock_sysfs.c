// SPDX-License-Identifier: GPL-2.0
/* Files of the stock device: see docs/abi/sysfs-bus-virtio-fpr. */
#include <linux/sysfs.h>

#include "balloon.h"

#ifdef FPR_BALLOONS

static struct vfpr_balloon *balloon_of(struct device *dev)
{
	struct vfpr *vf = dev_to_virtio(dev)->priv;

	return vf->balloon;
}

static ssize_t show_pages(char *buf, unsigned long pages)
{
	return sysfs_emit(buf, "%llu\n", (u64)pages << PAGE_SHIFT);
}

static ssize_t balloon_target_bytes_show(struct device *dev,
					 struct device_attribute *attr, char *buf)
{
	return show_pages(buf, vfpr_balloon_pages(READ_ONCE(balloon_of(dev)->target)));
}

static ssize_t balloon_bytes_show(struct device *dev,
				  struct device_attribute *attr, char *buf)
{
	return show_pages(buf, READ_ONCE(balloon_of(dev)->pages));
}

static ssize_t balloon_chunk_bytes_show(struct device *dev,
					struct device_attribute *attr, char *buf)
{
	return show_pages(buf, READ_ONCE(balloon_of(dev)->chunk_pages));
}

static ssize_t balloon_oom_bytes_show(struct device *dev,
				      struct device_attribute *attr, char *buf)
{
	return show_pages(buf, READ_ONCE(balloon_of(dev)->oom_pages));
}

static DEVICE_ATTR_RO(balloon_target_bytes);
static DEVICE_ATTR_RO(balloon_bytes);
static DEVICE_ATTR_RO(balloon_chunk_bytes);
static DEVICE_ATTR_RO(balloon_oom_bytes);

#endif /* FPR_BALLOONS */

static ssize_t hinted_bytes_show(struct device *dev,
				 struct device_attribute *attr, char *buf)
{
	const struct vfpr *vf = dev_to_virtio(dev)->priv;

	return sysfs_emit(buf, "%llu\n", READ_ONCE(vf->hinted_bytes));
}

static DEVICE_ATTR_RO(hinted_bytes);

static struct attribute *attrs[] = {
#ifdef FPR_BALLOONS
	&dev_attr_balloon_target_bytes.attr,
	&dev_attr_balloon_bytes.attr,
	&dev_attr_balloon_chunk_bytes.attr,
	&dev_attr_balloon_oom_bytes.attr,
#endif
	&dev_attr_hinted_bytes.attr,
	&dev_attr_reporting.attr,
	NULL
};

static const struct attribute_group group = {
	.name = "fpr",
	.attrs = attrs,
};

const struct attribute_group *vfpr_stock_groups[] = {
	&group,
	NULL
};
