// SPDX-License-Identifier: GPL-2.0
/* The balloon: its life, and following what the host asks for; see balloon.h. */
#include <linux/delay.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>

#include "balloon.h"

/* How long the work waits for memory: this long, and twice as long each time. */
#define MIN_WAIT_MS	200
#define MAX_WAIT_MS	12800

/* What the host asks for, pages of 4 KiB; none of a device that was given up. */
static u32 read_target(struct vfpr *vf)
{
	u32 pfns;

	if (READ_ONCE(vf->gone))
		return 0;
	virtio_cread_le(vf->vdev, struct virtio_balloon_config, num_pages, &pfns);
	/* What a device reads as that is not there any more. */
	return pfns == U32_MAX ? 0 : pfns;
}

/* Once for each size that the host asks for. */
static void tell_shortage(struct vfpr_balloon *b, u32 target)
{
	if (b->short_target == target)
		return;
	b->short_target = target;
	dev_info(&b->vf->vdev->dev,
		 "no memory to inflate the balloon further: %lu of %lu MiB; going on as memory becomes free\n",
		 b->pages >> (20 - PAGE_SHIFT), vfpr_balloon_pages(target) >> (20 - PAGE_SHIFT));
}

/* One step; returns whether there is more to do, and in @delay_ms how soon. */
static bool step(struct vfpr_balloon *b, unsigned int *delay_ms)
{
	unsigned long pages = READ_ONCE(b->pages), want, done;
	u32 target = read_target(b->vf);

	WRITE_ONCE(b->target, target);
	want = vfpr_balloon_pages(target);
	*delay_ms = 0;
	if (want == pages) {
		/* When it is to grow again, other memory may be free. */
		b->no_chunks = 0;
		b->last_order = pageblock_order;
		return false;
	}
	if (want < pages) {
		/* Isolated pages are back in a moment. */
		if (!vfpr_balloon_deflate(b, pages - want))
			*delay_ms = MIN_WAIT_MS / 10;
		return true;
	}
	mutex_lock(&b->lock);
	pages = b->oom ? want : b->pages;
	mutex_unlock(&b->lock);
	if (pages >= want)
		return false;
	done = vfpr_balloon_inflate(b, want - pages);
	if (done >= min(want - pages, VFPR_LITTLE_PAGES)) {
		b->wait_ms = MIN_WAIT_MS;
		return true;
	}
	if (!READ_ONCE(b->stopping) && !READ_ONCE(b->vf->gone))
		tell_shortage(b, target);
	*delay_ms = b->wait_ms;
	b->wait_ms = min_t(unsigned int, b->wait_ms * 2, MAX_WAIT_MS);
	return true;
}

/* Step by step, so that freezing need not wait for all of it. */
static void balloon_work(struct work_struct *work)
{
	struct vfpr_balloon *b = container_of(to_delayed_work(work),
					      struct vfpr_balloon, work);
	unsigned int delay_ms = 0;
	bool more = !READ_ONCE(b->stopping) && step(b, &delay_ms) &&
		    !READ_ONCE(b->stopping);

	if (more)
		queue_delayed_work(system_freezable_wq, &b->work,
				   msecs_to_jiffies(delay_ms));
	/* Who waits for memory may sleep. */
	if (!more || delay_ms)
		pm_relax(&b->vf->vdev->dev);
}

/**
 * vfpr_balloon_wake() - look at what the host asks for, now
 * @vf: the device
 *
 * Context: any.
 */
void vfpr_balloon_wake(struct vfpr *vf)
{
	struct vfpr_balloon *b = vf->balloon;

	if (!READ_ONCE(b->stopping))
		mod_delayed_work(system_freezable_wq, &b->work, 0);
}

/**
 * vfpr_balloon_asked() - the host says that its wishes may have changed
 * @vf: the device
 *
 * What memory had run out for is tried once more, as virtio_balloon does.
 * Context: process context, may sleep.
 */
void vfpr_balloon_asked(struct vfpr *vf)
{
	struct vfpr_balloon *b = vf->balloon;

	mutex_lock(&b->lock);
	b->oom = false;
	mutex_unlock(&b->lock);
	vfpr_balloon_wake(vf);
}

/**
 * vfpr_balloon_start() - the device is ready, the balloon empty
 * @vf: the device
 *
 * Context: process context, may sleep.
 */
void vfpr_balloon_start(struct vfpr *vf)
{
	struct vfpr_balloon *b = vf->balloon;

	b->wait_ms = MIN_WAIT_MS;
	b->short_target = 0;
	b->oom = false;
	WRITE_ONCE(b->stopping, false);
}

/**
 * vfpr_balloon_stop() - give all of the balloon back
 * @vf: the device, not reset yet
 *
 * What the host does not take back within its time it loses: the device is given
 * up, and the memory is the guest's all the same.
 * Context: process context, may sleep; also while tasks are frozen.
 */
void vfpr_balloon_stop(struct vfpr *vf)
{
	struct vfpr_balloon *b = vf->balloon;

	WRITE_ONCE(b->stopping, true);
	cancel_delayed_work_sync(&b->work);
	while (READ_ONCE(b->pages)) {
		/* All that is left is being moved, by somebody who comes to an end. */
		if (!vfpr_balloon_deflate(b, b->pages))
			msleep(20);
	}
}

/**
 * vfpr_balloon_stopped() - nobody wakes the work any more
 * @vf: the device
 *
 * Context: process context, may sleep.
 */
void vfpr_balloon_stopped(struct vfpr *vf)
{
	cancel_delayed_work_sync(&vf->balloon->work);
}

/**
 * vfpr_balloon_init() - an empty balloon
 * @vf: device with its features negotiated
 *
 * Context: process context, may sleep.
 * Return: 0 or a negative errno.
 */
int vfpr_balloon_init(struct vfpr *vf)
{
	struct vfpr_balloon *b = kzalloc(sizeof(*b), GFP_KERNEL);
	int err = -ENOMEM;

	if (!b)
		return -ENOMEM;
	b->vf = vf;
	mutex_init(&b->lock);
	init_waitqueue_head(&b->let_go);
	INIT_LIST_HEAD(&b->chunks);
	INIT_DELAYED_WORK(&b->work, balloon_work);
	b->stopping = true;
	/* As virtio_balloon has it: else an OOM could not free memory that counts. */
	b->unmanaged = !virtio_has_feature(vf->vdev, VIRTIO_BALLOON_F_DEFLATE_ON_OOM);
	b->pfns = kmalloc_array(VFPR_BUFFERS * VFPR_BUFFER_PFNS, sizeof(*b->pfns),
				GFP_KERNEL);
	if (!b->pfns)
		goto free;
	err = fpr_balloon_list_init(&b->base, vfpr_balloon_move, b->unmanaged);
	if (err)
		goto free_pfns;
	device_set_wakeup_capable(&vf->vdev->dev, true);
	/* The notifiers look for it. */
	vf->balloon = b;
	err = vfpr_balloon_notify_init(b);
	if (err)
		goto exit_list;
	return 0;

exit_list:
	vf->balloon = NULL;
	device_init_wakeup(&vf->vdev->dev, false);
	fpr_balloon_list_exit(&b->base);
free_pfns:
	kfree(b->pfns);
free:
	kfree(b);
	return err;
}

/**
 * vfpr_balloon_exit() - the mirror; the balloon is stopped
 * @vf: the device
 *
 * Context: process context, may sleep.
 */
void vfpr_balloon_exit(struct vfpr *vf)
{
	struct vfpr_balloon *b = vf->balloon;

	vfpr_balloon_notify_exit(b);
	device_init_wakeup(&vf->vdev->dev, false);
	/* One of the notifiers may have woken it a moment ago. */
	cancel_delayed_work_sync(&b->work);
	fpr_balloon_list_exit(&b->base);
	kfree(b->pfns);
	kfree(b);
	vf->balloon = NULL;
}
