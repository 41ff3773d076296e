// SPDX-License-Identifier: GPL-2.0
/*
 * The stock device: virtio-balloon with free page reporting, which every
 * hypervisor has, in the place of the kernel's own driver.
 */
#include <linux/module.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>

#include "../compat/virtio.h"
#include "balloon.h"
#include "driver.h"

/* Up to the last field that is read or written. */
static u32 config_needed(struct virtio_device *vdev)
{
	if (virtio_has_feature(vdev, VIRTIO_BALLOON_F_PAGE_POISON))
		return offsetofend(struct virtio_balloon_config, poison_val);
	if (virtio_has_feature(vdev, VIRTIO_BALLOON_F_FREE_PAGE_HINT))
		return offsetofend(struct virtio_balloon_config, free_page_hint_cmd_id);
	return offsetofend(struct virtio_balloon_config, actual);
}

/*
 * A device that reports nothing is taken all the same, for its balloon: one on MMIO that
 * a driver has refused would be left to none, since virtio marks it as failed.
 */
static int check(struct virtio_device *vdev)
{
	u32 bytes = vfpr_config_bytes(vdev), needed = config_needed(vdev);

	if (bytes < needed) {
		dev_err(&vdev->dev, "the device's configuration has %u bytes, what it offers takes %u\n",
			bytes, needed);
		return -EINVAL;
	}
	if (!virtio_has_feature(vdev, VIRTIO_BALLOON_F_REPORTING))
		dev_warn(&vdev->dev, "the host does not offer free page reporting: add free-page-reporting=on to QEMU's virtio-balloon device (libvirt: freePageReporting='on'); without it there is the balloon alone\n");
	return 0;
}

static int init(struct vfpr *vf)
{
	vfpr_stats_init(vf);
	return vfpr_balloon_init(vf);
}

static int find_queues(struct vfpr *vf)
{
	struct fpr_vq want[VFPR_NR_QUEUES] = {};
	static const struct fpr_vq all[VFPR_NR_QUEUES] = {
		[VFPR_INFLATE] = { "inflate", vfpr_answered },
		[VFPR_DEFLATE] = { "deflate", vfpr_answered },
		[VFPR_STATS] = { "stats", vfpr_stats_requested },
		[VFPR_HINTING] = { "free_page_vq", vfpr_answered },
		[VFPR_REPORTING] = { "reporting_vq", vfpr_answered },
	};
	int index[VFPR_NR_QUEUES], q, n, err;

	n = vfpr_layout(vf->vdev->features, index);
	for (q = 0; q < VFPR_NR_QUEUES; q++)
		if (index[q] >= 0)
			want[index[q]] = all[q];
	err = fpr_find_vqs(vf->vdev, n, want);
	if (err)
		return err;
	for (q = 0; q < VFPR_NR_QUEUES; q++)
		vf->vqs[q] = index[q] >= 0 ? want[index[q]].vq : NULL;
	return 0;
}

static void configure(struct vfpr *vf)
{
	u32 poison = fpr_fill_value() * 0x01010101U;

	if (virtio_has_feature(vf->vdev, VIRTIO_BALLOON_F_PAGE_POISON))
		virtio_cwrite_le(vf->vdev, struct virtio_balloon_config,
				 poison_val, &poison);
}

static void limits(struct vfpr *vf)
{
	struct fpr_device *fdev = &vf->fdev;

	/* A chain must not be longer than the queue (virtio 1.2, 2.7.5.3.1). */
	fdev->max_entries =
		virtqueue_get_vring_size(vf->vqs[VFPR_REPORTING]);
	fdev->max_entry_bytes = 0;
	fdev->min_order = 0;
	fdev->fills = BIT(FPR_FILL_ANY);
	if (virtio_has_feature(vf->vdev, VIRTIO_BALLOON_F_PAGE_POISON)) {
		fdev->fills |= BIT(fpr_fill_needed());
		if (fpr_fill_value())
			dev_warn(&vf->vdev->dev,
				 "page poisoning is on: hosts such as QEMU accept reports but discard nothing; boot with page_poison=0 to get memory back\n");
	}
}

static void started(struct vfpr *vf)
{
	vfpr_stats_start(vf);
	vfpr_balloon_start(vf);
}

static void stopped(struct vfpr *vf)
{
	cancel_work_sync(&vf->stats_work);
	vfpr_hinting_stopped(vf);
	vfpr_balloon_stopped(vf);
}

static void config_changed(struct vfpr *vf)
{
	vfpr_hinting_changed(vf);
	vfpr_balloon_asked(vf);
}

static int report(struct fpr_device *fdev, struct scatterlist *sgl,
		  unsigned int nents)
{
	return vfpr_report(container_of(fdev, struct vfpr, fdev), sgl);
}

static const struct fpr_device_ops ops = {
	.report = report,
	.hint = vfpr_hint,
	.hint_done = vfpr_hint_done,
};

/*
 * Which features make sense is decided before they are negotiated.  As in
 * virtio_balloon, reported addresses are physical ones, and no memory is
 * allocated for descriptors while free memory is taken away.
 */
static int validate(struct virtio_device *vdev)
{
	if (fpr_fill_needed() == FPR_FILL_ANY)
		__virtio_clear_bit(vdev, VIRTIO_BALLOON_F_PAGE_POISON);
	/* Hints are the core's, which takes no device without reports.  It is the last
	 * queue then, so no other moves up.
	 */
	if (!virtio_has_feature(vdev, VIRTIO_BALLOON_F_REPORTING))
		__virtio_clear_bit(vdev, VIRTIO_BALLOON_F_FREE_PAGE_HINT);
	__virtio_clear_bit(vdev, VIRTIO_RING_F_INDIRECT_DESC);
	__virtio_clear_bit(vdev, VIRTIO_F_ACCESS_PLATFORM);
	return 0;
}

static const unsigned int features[] = {
	VIRTIO_BALLOON_F_MUST_TELL_HOST,
	VIRTIO_BALLOON_F_STATS_VQ,
	VIRTIO_BALLOON_F_DEFLATE_ON_OOM,
	VIRTIO_BALLOON_F_FREE_PAGE_HINT,
	VIRTIO_BALLOON_F_PAGE_POISON,
	VIRTIO_BALLOON_F_REPORTING,
};

static const struct virtio_device_id stock_ids[] = {
	{ VIRTIO_ID_BALLOON, VIRTIO_DEV_ANY_ID },
	{ 0 },
};

struct vfpr_kind vfpr_stock = {
	.driver = {
		.feature_table = features,
		.feature_table_size = ARRAY_SIZE(features),
		.driver.name = KBUILD_MODNAME,
		.driver.owner = THIS_MODULE,
		.driver.dev_groups = vfpr_stock_groups,
		.id_table = stock_ids,
		.validate = validate,
		.probe = vfpr_probe,
		.remove = vfpr_remove,
		.config_changed = vfpr_config_changed,
#ifdef CONFIG_PM_SLEEP
		.freeze = vfpr_freeze,
		.restore = vfpr_restore,
#endif
	},
	.ops = &ops,
	.revived = true,
	.useful_without = true,
	.check = check,
	.init = init,
	.find_queues = find_queues,
	.configure = configure,
	.limits = limits,
	.started = started,
	.config_changed = config_changed,
	.stopping = vfpr_balloon_stop,
	.stopped = stopped,
	.exit = vfpr_balloon_exit,
};

MODULE_DEVICE_TABLE(virtio, stock_ids);
