// SPDX-License-Identifier: GPL-2.0
/* Reports: the core's scatterlists over the reporting queue. */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/scatterlist.h>
#include <linux/virtio_config.h>

#include "../compat/virtio.h"
#include "driver.h"

#define MIN_TIMEOUT_MS 100
#define MAX_TIMEOUT_MS 100000

#define GIVEN_UP \
	"device reset, nothing is reported any more; fprctl unbind and bind start it anew\n"

unsigned int vfpr_report_timeout_ms = 30000;

static int timeout_set(const char *text, const struct kernel_param *kp)
{
	unsigned int ms;

	if (kstrtouint(text, 0, &ms) || ms < MIN_TIMEOUT_MS ||
	    ms > MAX_TIMEOUT_MS) {
		pr_err("virtio_fpr: report_timeout_ms must be a number from %u to %u, not \"%.*s\"\n",
		       MIN_TIMEOUT_MS, MAX_TIMEOUT_MS,
		       (int)strcspn(text, "\n"), text);
		return -EINVAL;
	}
	vfpr_report_timeout_ms = ms;
	return 0;
}

static const struct kernel_param_ops timeout_ops = {
	.set = timeout_set,
	.get = param_get_uint,
};

module_param_cb(report_timeout_ms, &timeout_ops, &vfpr_report_timeout_ms, 0644);
MODULE_PARM_DESC(report_timeout_ms,
		 "milliseconds to wait for the host's answer to a report before the device is reset (100 to 100000; default 30000)");

void vfpr_answered(struct virtqueue *vq)
{
	struct vfpr *vf = vq->vdev->priv;

	wake_up(&vf->answered);
}

/*
 * A device that was reset while it was probed or restored is marked as ready
 * afterwards, by virtio (virtio_dev_probe(), virtio_device_restore()): it has to be
 * reset once more.  All ones is a device that is not there any more.
 */
static bool ready_again(struct virtio_device *vdev)
{
	u8 status = vdev->config->get_status(vdev);

	return status && status != 0xff;
}

/* Reset the device, so that the host owns no page of ours, and say so. */
static void reset_for_good(struct vfpr *vf)
{
	mutex_lock(&vf->lock);
	if (!vf->gone || ready_again(vf->vdev)) {
		fpr_reset_device(vf->vdev);
		WRITE_ONCE(vf->gone, true);
	}
	mutex_unlock(&vf->lock);
	wake_up_all(&vf->answered);
}

/* Nothing is in flight: a used buffer now is one that the device returned twice. */
static bool idle(struct virtqueue *vq)
{
	unsigned int len;

	return !virtqueue_get_buf(vq, &len) && !virtqueue_is_broken(vq);
}

static int submit(struct vfpr *vf, struct scatterlist *sgl, unsigned int nents)
{
	struct virtqueue *vq = vf->vqs[VFPR_REPORTING];
	int err = -ENODEV;

	mutex_lock(&vf->lock);
	if (!vf->gone)
		err = idle(vq) ? 0 : -EIO;
	if (!err)
		/* Device-writable: the host may change what the pages hold. */
		err = virtqueue_add_inbuf(vq, sgl, nents, vf, GFP_KERNEL);
	if (!err && !virtqueue_kick(vq))
		err = -EIO;
	mutex_unlock(&vf->lock);
	return err;
}

/*
 * Whether the wait is over; a callback alone says nothing.  One report is in
 * flight, so a good answer is that one, whole and alone.  The queue is broken
 * once the device has returned a buffer that it was not given.  A second answer
 * that comes when the next report is in flight cannot be told from that one's:
 * it has the same descriptor.
 */
static bool answered(struct vfpr *vf, int *err)
{
	struct virtqueue *vq = vf->vqs[VFPR_REPORTING];
	unsigned int len;
	void *token = virtqueue_get_buf(vq, &len);

	if (READ_ONCE(vf->gone)) {
		*err = -ENODEV;
		return true;
	}
	if (!token && !virtqueue_is_broken(vq))
		return false;
	if (token != vf || !idle(vq))
		*err = -EIO;
	return true;
}

/* struct fpr_device_ops.report: returns only when the host is done, or reset. */
static int report(struct fpr_device *fdev, struct scatterlist *sgl,
		  unsigned int nents)
{
	struct vfpr *vf = container_of(fdev, struct vfpr, fdev);
	unsigned long timeout = msecs_to_jiffies(vfpr_report_timeout_ms);
	int err = submit(vf, sgl, nents);

	if (!err && !wait_event_timeout(vf->answered, answered(vf, &err), timeout))
		err = -ETIMEDOUT;
	if (err == -ENODEV)
		return err;
	if (err) {
		if (err == -ETIMEDOUT)
			dev_err(&vf->vdev->dev, "no answer to a report within %u ms: " GIVEN_UP,
				vfpr_report_timeout_ms);
		else
			dev_err(&vf->vdev->dev, "the reporting queue is broken (%d): " GIVEN_UP,
				err);
		reset_for_good(vf);
		queue_work(system_freezable_wq, &vf->give_up);
	}
	return err;
}

static const struct fpr_device_ops ops = {
	.report = report,
};

/* The core waits for report() to return, so report() cannot do this itself. */
static void give_up(struct work_struct *work)
{
	struct vfpr *vf = container_of(work, struct vfpr, give_up);

	fpr_unregister_device(&vf->fdev);
}

void vfpr_reporting_init(struct vfpr *vf)
{
	mutex_init(&vf->lock);
	init_waitqueue_head(&vf->answered);
	INIT_WORK(&vf->give_up, give_up);
}

/**
 * vfpr_reporting_start() - register with the core
 * @vf: device that is ready
 *
 * Context: process context, may sleep.
 * Return: 0 or the error of fpr_register_device().
 */
int vfpr_reporting_start(struct vfpr *vf)
{
	struct fpr_device *fdev = &vf->fdev;

	fdev->name = dev_name(&vf->vdev->dev);
	fdev->ops = &ops;
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
	return fpr_register_device(fdev);
}

/**
 * vfpr_reporting_stop() - reset the device and leave the core
 * @vf: the device
 *
 * When it returns no report is under way and the device is reset.
 * Context: process context, may sleep.
 */
void vfpr_reporting_stop(struct vfpr *vf)
{
	reset_for_good(vf);
	fpr_unregister_device(&vf->fdev);
	cancel_work_sync(&vf->give_up);
}
