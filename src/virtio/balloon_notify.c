// SPDX-License-Identifier: GPL-2.0
/* The balloon: memory that the guest needs more urgently; see balloon.h. */
#include <linux/jiffies.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/virtio_config.h>

#include "balloon.h"

/* How much is given back now that memory has run out; lock held. */
static unsigned long oom_pages(struct vfpr_balloon *b)
{
	unsigned long step = VFPR_OOM_PAGES;

	if (b->oom && jiffies - b->oom_at < msecs_to_jiffies(VFPR_OOM_SOON_MS))
		step = min(b->oom_step * 2, VFPR_OOM_MOST_PAGES);
	b->oom_at = jiffies;
	b->oom_step = step;
	return min(step, b->pages);
}

/*
 * What the work has just allocated goes back too, now that it is told of that: so it is
 * waited for.  The work allocates nothing for which it would come here itself.
 */
static unsigned long wait_for_work(struct vfpr_balloon *b)
{
	unsigned long pages = READ_ONCE(b->in_hand);

	if (!pages || !wait_event_timeout(b->let_go, !READ_ONCE(b->in_hand),
					  msecs_to_jiffies(VFPR_OOM_WAIT_MS)))
		return 0;
	return pages;
}

/*
 * Memory has run out: some is given back, before anybody is killed.
 *
 * Context: an allocation, process context, may sleep; oom_lock held.  Who holds the
 * balloon's lock waits for the host alone, and so does the work with what it has in
 * hand.
 * Source: mm/oom_kill.c out_of_memory().
 */
static int on_oom(struct notifier_block *nb, unsigned long unused, void *data)
{
	struct vfpr_balloon *b = container_of(nb, struct vfpr_balloon, oom_nb);
	unsigned long *freed = data, got = 0;

	mutex_lock(&b->lock);
	if (b->pages)
		got = vfpr_balloon_give_back_starved(b, oom_pages(b));
	b->oom = true;
	WRITE_ONCE(b->oom_pages, b->oom_pages + got);
	mutex_unlock(&b->lock);
	*freed += got + wait_for_work(b);
	if (got)
		dev_info_ratelimited(&b->vf->vdev->dev,
				     "memory has run out: %lu MiB stay in the balloon until the host asks again\n",
				     READ_ONCE(b->pages) >> (20 - PAGE_SHIFT));
	return NOTIFY_OK;
}

/*
 * What is in chunks of memory that is to go offline is given back, and taken from
 * elsewhere later; base pages are moved by the kernel.  Its pageblocks are isolated
 * already, so that no more of it is taken but what the work has in hand.
 *
 * Context: process context, hotplug lock held.
 * Source: mm/memory_hotplug.c offline_pages(), mm/page_isolation.c.
 */
static int on_hotplug(struct notifier_block *nb, unsigned long action, void *data)
{
	struct vfpr_balloon *b = container_of(nb, struct vfpr_balloon, hotplug_nb);
	const struct memory_notify *arg = data;

	mutex_lock(&b->lock);
	switch (action) {
	case MEM_GOING_OFFLINE:
		b->offline_pfn = arg->start_pfn;
		b->offline_end = arg->start_pfn + arg->nr_pages;
		vfpr_balloon_give_back_range(b, b->offline_pfn, b->offline_end);
		break;
	case MEM_OFFLINE:
	case MEM_CANCEL_OFFLINE:
		b->offline_pfn = 0;
		b->offline_end = 0;
		break;
	}
	mutex_unlock(&b->lock);
	if (action == MEM_GOING_OFFLINE)
		vfpr_balloon_wake(b->vf);
	return NOTIFY_OK;
}

/**
 * vfpr_balloon_notify_init() - listen to what the guest needs
 * @b: the balloon
 *
 * Context: process context, may sleep.
 * Return: 0 or a negative errno, and then nothing is left.
 */
int vfpr_balloon_notify_init(struct vfpr_balloon *b)
{
	int err;

	b->hotplug_nb.notifier_call = on_hotplug;
	err = register_memory_notifier(&b->hotplug_nb);
	if (err || !virtio_has_feature(b->vf->vdev, VIRTIO_BALLOON_F_DEFLATE_ON_OOM))
		return err;
	b->oom_nb.notifier_call = on_oom;
	b->oom_nb.priority = VFPR_OOM_PRIORITY;
	err = register_oom_notifier(&b->oom_nb);
	if (err)
		unregister_memory_notifier(&b->hotplug_nb);
	return err;
}

/**
 * vfpr_balloon_notify_exit() - the mirror; waits for running calls
 * @b: the balloon
 */
void vfpr_balloon_notify_exit(struct vfpr_balloon *b)
{
	if (b->oom_nb.notifier_call)
		unregister_oom_notifier(&b->oom_nb);
	unregister_memory_notifier(&b->hotplug_nb);
}
