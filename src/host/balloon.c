// SPDX-License-Identifier: GPL-2.0
/* The balloon device's reporting queue; see balloon.h. */
#include "balloon.h"

#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <string.h>

#include "util.h"

_Static_assert(BALLOON_VIRTIO_ID == VIRTIO_ID_BALLOON, "as the kernel has it");

static struct balloon *to_balloon(struct vdev *vdev)
{
	return container_of(vdev, struct balloon, vdev);
}

/*
 * The buffers are the ranges.  Virtio wants them device-writable, since what they
 * contain may change; that is also why no other is one.
 */
static const char *serve(struct queues *q, unsigned int index,
			 uint32_t *written)
{
	struct balloon *b = container_of(q, struct balloon, queues);
	struct discard_result result = { 0 };
	uint64_t start = now_ns();
	unsigned int i;

	*written = 0;
	if (index != BALLOON_REPORTING)
		return NULL;
	if (q->chain.nr_readable)
		return "device-readable buffer in the reporting queue";
	for (i = 0; i < q->chain.nr_writable; i++)
		discard_range(&b->discard, &b->vdev.mem, q->chain.bufs[i].gpa,
			      q->chain.bufs[i].len, &result);
	counters_report(&b->counters, i, &result, now_ns() - start);
	return NULL;
}

static uint64_t balloon_features(struct vdev *vdev)
{
	(void)vdev;
	return 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_BALLOON_F_REPORTING;
}

static void balloon_set_features(struct vdev *vdev, uint64_t features)
{
	to_balloon(vdev)->queues.features = features & balloon_features(vdev);
}

/* All zeros: no balloon is asked for, and no poison value known. */
static void balloon_config_read(struct vdev *vdev, size_t offset, void *to,
				size_t len)
{
	(void)vdev;
	(void)offset;
	memset(to, 0, len);
}

static void balloon_mem_changed(struct vdev *vdev)
{
	discard_check_all(&to_balloon(vdev)->discard, &vdev->mem);
}

static int balloon_queue_start(struct vdev *vdev, unsigned int q,
			       const struct vdev_queue_setup *setup)
{
	return queues_start(&to_balloon(vdev)->queues, q, setup);
}

static uint16_t balloon_queue_stop(struct vdev *vdev, unsigned int q)
{
	return queues_stop(&to_balloon(vdev)->queues, q);
}

static bool balloon_kick(struct vdev *vdev, unsigned int q)
{
	return queues_kick(&to_balloon(vdev)->queues, q);
}

static void balloon_set_broken(struct vdev *vdev, const char *why)
{
	queues_broken(&to_balloon(vdev)->queues, why);
}

static void balloon_reset(struct vdev *vdev)
{
	queues_reset(&to_balloon(vdev)->queues);
}

static const struct vdev_ops balloon_ops = {
	.nr_queues = BALLOON_NR_QUEUES,
	.features = balloon_features,
	.set_features = balloon_set_features,
	.config_size = sizeof(struct virtio_balloon_config),
	.config_read = balloon_config_read,
	.mem_changed = balloon_mem_changed,
	.queue_start = balloon_queue_start,
	.queue_stop = balloon_queue_stop,
	.kick = balloon_kick,
	.broken = balloon_set_broken,
	.reset = balloon_reset,
};

void balloon_init(struct balloon *b)
{
	memset(b, 0, sizeof(*b));
	b->vdev.ops = &balloon_ops;
	mem_init(&b->vdev.mem);
	b->queues.dev = &b->vdev;
	b->queues.serve = serve;
	b->queues.counters = &b->counters;
	b->queues.discard = &b->discard;
	/* Ranges are discarded, inflated pages ignored: none is accessed. */
	b->queues.access = false;
}

const char *balloon_broken(const struct balloon *b)
{
	return b->queues.broken;
}
