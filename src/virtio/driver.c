// SPDX-License-Identifier: GPL-2.0
/*
 * virtio_fpr - binds a virtio-balloon device, in the place of the kernel's own
 * driver, and reports free memory to it for fpr.
 *
 * Start-up and tear-down; reports are in reporting.c, statistics in stats.c.
 * Inflating and deflating are not served: a host that asks for it is told so in
 * the log.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>

#include "../compat/virtio.h"
#include "driver.h"

static void config_work(struct work_struct *work)
{
	struct vfpr *vf = container_of(work, struct vfpr, config_work);
	u32 pages;

	virtio_cread_le(vf->vdev, struct virtio_balloon_config, num_pages,
			&pages);
	if (pages == vf->told_pages)
		return;
	vf->told_pages = pages;
	if (pages)
		dev_warn(&vf->vdev->dev,
			 "the host asks for a balloon of %u MiB: virtio_fpr does not inflate; for that, go back to virtio_balloon (fprctl unbind)\n",
			 pages >> (20 - VIRTIO_BALLOON_PFN_SHIFT));
}

static void config_changed(struct virtio_device *vdev)
{
	struct vfpr *vf = vdev->priv;

	queue_work(system_freezable_wq, &vf->config_work);
}

static int find_queues(struct vfpr *vf)
{
	struct fpr_vq want[VFPR_NR_QUEUES] = {};
	static const struct fpr_vq all[VFPR_NR_QUEUES] = {
		[VFPR_INFLATE] = { "inflate", NULL },
		[VFPR_DEFLATE] = { "deflate", NULL },
		[VFPR_STATS] = { "stats", vfpr_stats_requested },
		[VFPR_HINTING] = { "free_page_vq", NULL },
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

/* The mirror of bring_up(): the device is reset first, so that nothing waits for it. */
static void tear_down(struct vfpr *vf)
{
	vfpr_reporting_stop(vf);
	cancel_work_sync(&vf->config_work);
	cancel_work_sync(&vf->stats_work);
	vf->vdev->config->del_vqs(vf->vdev);
}

/* From a fresh or reset device to one that reports. */
static int bring_up(struct vfpr *vf)
{
	struct virtio_device *vdev = vf->vdev;
	u32 poison = fpr_fill_value() * 0x01010101U;
	int err;

	err = find_queues(vf);
	if (err) {
		dev_err(&vdev->dev, "cannot set up the virtqueues (error %d)\n",
			err);
		return err;
	}
	if (virtio_has_feature(vdev, VIRTIO_BALLOON_F_PAGE_POISON))
		virtio_cwrite_le(vdev, struct virtio_balloon_config, poison_val,
				 &poison);
	WRITE_ONCE(vf->gone, false);
	virtio_device_ready(vdev);
	vfpr_stats_start(vf);
	err = vfpr_reporting_start(vf);
	if (!err)
		return 0;

	tear_down(vf);
	return err;
}

/*
 * Which features make sense is decided before they are negotiated.  As in
 * virtio_balloon, reported addresses are physical ones, and no memory is
 * allocated for descriptors while free memory is taken away.
 */
static int validate(struct virtio_device *vdev)
{
	if (fpr_fill_needed() == FPR_FILL_ANY)
		__virtio_clear_bit(vdev, VIRTIO_BALLOON_F_PAGE_POISON);
	__virtio_clear_bit(vdev, VIRTIO_RING_F_INDIRECT_DESC);
	__virtio_clear_bit(vdev, VIRTIO_F_ACCESS_PLATFORM);
	return 0;
}

static int probe(struct virtio_device *vdev)
{
	struct vfpr *vf;
	int err;

	if (!vdev->config->get) {
		dev_err(&vdev->dev, "the device gives no access to its configuration\n");
		return -EINVAL;
	}
	if (!virtio_has_feature(vdev, VIRTIO_BALLOON_F_REPORTING)) {
		dev_err(&vdev->dev, "the host does not offer free page reporting: add free-page-reporting=on to QEMU's virtio-balloon device (libvirt: freePageReporting='on')\n");
		return -ENODEV;
	}
	vf = kzalloc(sizeof(*vf), GFP_KERNEL);
	if (!vf)
		return -ENOMEM;
	vdev->priv = vf;
	vf->vdev = vdev;
	INIT_WORK(&vf->config_work, config_work);
	vfpr_reporting_init(vf);
	vfpr_stats_init(vf);

	err = bring_up(vf);
	if (err) {
		kfree(vf);
		return err;
	}
	config_changed(vdev);
	return 0;
}

static void remove(struct virtio_device *vdev)
{
	struct vfpr *vf = vdev->priv;

	tear_down(vf);
	kfree(vf);
}

#ifdef CONFIG_PM_SLEEP
static int freeze(struct virtio_device *vdev)
{
	/* User space and the core's work are frozen: no report is under way. */
	tear_down(vdev->priv);
	return 0;
}

static int restore(struct virtio_device *vdev)
{
	/* All free memory is reported anew: a resumed host has filled it. */
	return bring_up(vdev->priv);
}
#endif

static const unsigned int features[] = {
	VIRTIO_BALLOON_F_STATS_VQ,
	VIRTIO_BALLOON_F_FREE_PAGE_HINT,
	VIRTIO_BALLOON_F_PAGE_POISON,
	VIRTIO_BALLOON_F_REPORTING,
};

static const struct virtio_device_id id_table[] = {
	{ VIRTIO_ID_BALLOON, VIRTIO_DEV_ANY_ID },
	{ 0 },
};

static struct virtio_driver virtio_fpr = {
	.feature_table = features,
	.feature_table_size = ARRAY_SIZE(features),
	.driver.name = KBUILD_MODNAME,
	.driver.owner = THIS_MODULE,
	.id_table = id_table,
	.validate = validate,
	.probe = probe,
	.remove = remove,
	.config_changed = config_changed,
#ifdef CONFIG_PM_SLEEP
	.freeze = freeze,
	.restore = restore,
#endif
};

module_virtio_driver(virtio_fpr);

MODULE_DEVICE_TABLE(virtio, id_table);
MODULE_LICENSE("GPL");
MODULE_AUTHOR("the fpr authors");
MODULE_DESCRIPTION("Reports free memory to a virtio-balloon device, for fpr");
MODULE_VERSION("0.1.0");
