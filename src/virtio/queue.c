// SPDX-License-Identifier: GPL-2.0
/* Requests to the device, and what if it does not answer them. */
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/scatterlist.h>
#include <linux/virtio_config.h>

#include "../compat/virtio.h"
#include "driver.h"

#define MIN_TIMEOUT_MS 100
#define MAX_TIMEOUT_MS 100000

/* Until the hinting queue is kicked once more, see wait_for_answers(). */
#define KICK_AGAIN_MS 20

/*
 * How long a device that was given up is left alone: this long, and twice as long each
 * time.  One that has done its work for longer than the most begins at the least again.
 */
#define MIN_REVIVE_S	4

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
		 "milliseconds to wait for the host's answer before the device is reset (100 to 100000; default 30000)");

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

/**
 * vfpr_reset() - reset the device, so that the host owns no page of ours
 * @vf: the device; what waits for its answers is woken
 *
 * Context: process context, may sleep.
 */
void vfpr_reset(struct vfpr *vf)
{
	mutex_lock(&vf->lock);
	if (!vf->gone || ready_again(vf->vdev)) {
		fpr_reset_device(vf->vdev);
		WRITE_ONCE(vf->gone, true);
	}
	mutex_unlock(&vf->lock);
	/* After the reset: what waits looks at @gone. */
	wake_up_all(&vf->answered);
}

/* Nothing is in flight: a used buffer now is one that the device returned twice. */
static bool idle(struct virtqueue *vq)
{
	unsigned int len;

	return !virtqueue_get_buf(vq, &len) && !virtqueue_is_broken(vq);
}

/* Add the buffers and tell the device; @chain: they are one request. */
static int submit(struct vfpr *vf, enum vfpr_queue q, struct scatterlist *sgs[],
		  unsigned int out, unsigned int in, bool chain)
{
	struct virtqueue *vq = vf->vqs[q];
	unsigned int i, n = chain ? 1 : out;
	int err = -ENODEV;

	mutex_lock(&vf->lock);
	if (!vf->gone)
		err = idle(vq) ? 0 : -EIO;
	for (i = 0; !err && i < n; i++)
		err = virtqueue_add_sgs(vq, sgs + i, chain ? out : 1, in, vf,
					GFP_KERNEL);
	if (!err && !virtqueue_kick(vq))
		err = -EIO;
	mutex_unlock(&vf->lock);
	return err;
}

/*
 * Whether the wait is over; a callback alone says nothing.  What was submitted
 * together is all that is in flight, so good answers are to those, whole and
 * alone.  The queue is broken once the device has returned a buffer that it was
 * not given.  A second answer that comes when the next request is in flight cannot
 * be told from that one's: it has the same descriptor.
 */
static bool answered(struct vfpr *vf, enum vfpr_queue q, unsigned int *left,
		     unsigned int *len, int *err)
{
	struct virtqueue *vq = vf->vqs[q];

	while (*left && virtqueue_get_buf(vq, len) == vf)
		--*left;
	if (READ_ONCE(vf->gone)) {
		*err = -ENODEV;
		return true;
	}
	if (*left && !virtqueue_is_broken(vq))
		return false;
	if (*left || !idle(vq))
		*err = -EIO;
	return true;
}

/**
 * vfpr_revive_later() - have a device that was given up started anew, later
 * @vf: the device
 *
 * Context: any; once the device was reset.
 * Return: in how many seconds.
 */
unsigned int vfpr_revive_later(struct vfpr *vf)
{
	unsigned int s = READ_ONCE(vf->revive_s);

	if (!delayed_work_pending(&vf->revive)) {
		if (jiffies - vf->began_at > VFPR_MAX_REVIVE_S * HZ)
			s = 0;
		s = clamp_t(unsigned int, 2 * s, MIN_REVIVE_S, VFPR_MAX_REVIVE_S);
		WRITE_ONCE(vf->revive_s, s);
		queue_delayed_work(system_freezable_wq, &vf->revive, s * HZ);
	}
	return s;
}

/**
 * vfpr_give_up() - the device breaks the rules: it is reset, and left alone
 * @vf: the device
 * @why: for the log
 * @again: it is started anew later; not in a kernel that has no way to do so
 *	(CONFIG_PM_SLEEP)
 *
 * Context: process context, may sleep; from an operation of the device too.
 * Return: -EIO.
 */
int vfpr_give_up(struct vfpr *vf, const char *why, bool again)
{
	vfpr_reset(vf);
	if (again && IS_ENABLED(CONFIG_PM_SLEEP))
		dev_err(&vf->vdev->dev, "%s: device reset, to be started anew in %u s\n",
			why, vfpr_revive_later(vf));
	else
		dev_err(&vf->vdev->dev, "%s: device reset and not used any more; fprctl unbind and bind start it anew\n",
			why);
	queue_work(system_freezable_wq, &vf->give_up);
	/* What the device had is the guest's again. */
	vfpr_config_changed(vf->vdev);
	return -EIO;
}

static void kick_again(struct vfpr *vf, enum vfpr_queue q)
{
	mutex_lock(&vf->lock);
	if (!vf->gone)
		virtqueue_notify(vf->vqs[q]);
	mutex_unlock(&vf->lock);
}

/*
 * Wait for @left answers; without them the device is given up.
 *
 * QEMU polls the hinting queue, with kicks turned off, until it wants no more; it
 * looks a last time, turns them on and does not look again, so that the kick for
 * what came in between is not sent.
 * Source: QEMU hw/virtio/virtio-balloon.c virtio_ballloon_get_free_page_hints().
 */
static int wait_for_answers(struct vfpr *vf, enum vfpr_queue q, unsigned int left,
			    unsigned int *len, int err)
{
	unsigned int ms = READ_ONCE(report_timeout_ms);
	unsigned long end = jiffies + msecs_to_jiffies(ms);
	unsigned long part = msecs_to_jiffies(q == VFPR_HINTING ?
					      min(ms, KICK_AGAIN_MS) : ms);
	const char *name = vf->vqs[q]->name;
	char why[64];

	while (!err && !wait_event_timeout(vf->answered,
					   answered(vf, q, &left, len, &err), part)) {
		if (time_after_eq(jiffies, end))
			err = -ETIMEDOUT;
		else
			kick_again(vf, q);
	}
	if (!err || err == -ENODEV)
		return err;
	if (err == -ETIMEDOUT)
		snprintf(why, sizeof(why), "no answer on queue %s within %u ms",
			 name, ms);
	else
		snprintf(why, sizeof(why), "queue %s is broken (%d)", name, err);
	vfpr_give_up(vf, why, vf->kind->revived);
	return err;
}

/**
 * vfpr_transact() - send a request, and wait until the device is done with it
 * @vf: the device
 * @q: on which queue
 * @sgs: what the device reads, then what it may write
 * @out: how many of the former
 * @in: how many of the latter
 * @len: set to the bytes it says it has written
 *
 * When it returns the device touches none of that any more: it has answered, or
 * was reset.
 * Context: process context, may sleep; one call at a time on a queue.
 * Return: 0; -ENODEV when the device goes; else the error after which it was
 * given up.
 */
int vfpr_transact(struct vfpr *vf, enum vfpr_queue q, struct scatterlist *sgs[],
		  unsigned int out, unsigned int in, unsigned int *len)
{
	int err = submit(vf, q, sgs, out, in, true);

	return wait_for_answers(vf, q, 1, len, err);
}

/**
 * vfpr_tell() - have the device read buffers, and wait until it has read all
 * @vf: the device
 * @q: on which queue
 * @sgs: the buffers, one entry each
 * @n: how many, at least one and no more than the queue holds
 *
 * Context and result as for vfpr_transact().
 */
int vfpr_tell(struct vfpr *vf, enum vfpr_queue q, struct scatterlist *sgs[],
	      unsigned int n)
{
	unsigned int len;
	int err = submit(vf, q, sgs, n, 0, false);

	return wait_for_answers(vf, q, n, &len, err);
}

void vfpr_queue_init(struct vfpr *vf)
{
	mutex_init(&vf->lock);
	init_waitqueue_head(&vf->answered);
}
