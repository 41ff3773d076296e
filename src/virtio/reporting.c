// SPDX-License-Identifier: GPL-2.0
/* The reporting queue: one request at a time, and what if it is not answered. */
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

static unsigned int report_timeout_ms = 30000;

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
	report_timeout_ms = ms;
	return 0;
}

static const struct kernel_param_ops timeout_ops = {
	.set = timeout_set,
	.get = param_get_uint,
};

module_param_cb(report_timeout_ms, &timeout_ops, &report_timeout_ms, 0644);
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

static int submit(struct vfpr *vf, enum vfpr_queue q, struct scatterlist *sgs[],
		  unsigned int out, unsigned int in)
{
	struct virtqueue *vq = vf->vqs[q];
	int err = -ENODEV;

	mutex_lock(&vf->lock);
	if (!vf->gone)
		err = idle(vq) ? 0 : -EIO;
	if (!err)
		err = virtqueue_add_sgs(vq, sgs, out, in, &vf->vqs[q], GFP_KERNEL);
	if (!err && !virtqueue_kick(vq))
		err = -EIO;
	mutex_unlock(&vf->lock);
	return err;
}

/*
 * Whether the wait is over; a callback alone says nothing.  One request is in
 * flight, so a good answer is that one, whole and alone.  The queue is broken
 * once the device has returned a buffer that it was not given.  A second answer
 * that comes when the next request is in flight cannot be told from that one's:
 * it has the same descriptor.
 */
static bool answered(struct vfpr *vf, enum vfpr_queue q, unsigned int *len,
		     int *err)
{
	struct virtqueue *vq = vf->vqs[q];
	void *token = virtqueue_get_buf(vq, len);

	if (READ_ONCE(vf->gone)) {
		*err = -ENODEV;
		return true;
	}
	if (!token && !virtqueue_is_broken(vq))
		return false;
	if (token != &vf->vqs[q] || !idle(vq))
		*err = -EIO;
	return true;
}

/**
 * vfpr_give_up() - the device breaks the rules: it is reset and not used again
 * @vf: the device
 * @why: for the log
 *
 * Context: process context, may sleep; from an operation of the device too.
 * Return: -EIO.
 */
int vfpr_give_up(struct vfpr *vf, const char *why)
{
	dev_err(&vf->vdev->dev, "%s: " GIVEN_UP, why);
	reset_for_good(vf);
	queue_work(system_freezable_wq, &vf->give_up);
	return -EIO;
}

/**
 * vfpr_transact() - send a request, and wait until the device is done with it
 * @vf: the device
 * @q: the queue
 * @sgs: what the device reads, then what it may write
 * @out: how many of the former
 * @in: how many of the latter
 * @len: set to the bytes it says it has written
 *
 * When it returns the device touches none of that any more: it has answered, or
 * was reset.
 * Context: process context, may sleep; one call at a time for each queue.
 * Return: 0; -ENODEV when the device goes; else the error after which it was
 * given up.
 */
int vfpr_transact(struct vfpr *vf, enum vfpr_queue q, struct scatterlist *sgs[],
		  unsigned int out, unsigned int in, unsigned int *len)
{
	unsigned long timeout = msecs_to_jiffies(report_timeout_ms);
	int err = submit(vf, q, sgs, out, in);
	char why[64];

	if (!err &&
	    !wait_event_timeout(vf->answered, answered(vf, q, len, &err),
				timeout))
		err = -ETIMEDOUT;
	if (!err || err == -ENODEV)
		return err;
	if (err == -ETIMEDOUT)
		snprintf(why, sizeof(why), "no answer to a report within %u ms",
			 report_timeout_ms);
	else
		snprintf(why, sizeof(why), "the reporting queue is broken (%d)",
			 err);
	vfpr_give_up(vf, why);
	return err;
}

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
	fdev->ops = vf->kind->ops;
	vf->kind->limits(vf);
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
