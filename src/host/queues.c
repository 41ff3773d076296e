// SPDX-License-Identifier: GPL-2.0
/* The queues of a device; see queues.h. */
#include "queues.h"

#include <errno.h>
#include <linux/virtio_config.h>

#include "util.h"

/* A guest that keeps its queue full does not keep the program from the rest. */
#define MAX_KICK_NS	50000000

/*
 * Of memory that the VMM has mapped privately this program sees a copy, in which
 * all rings stay empty.  Two kicks may well find nothing: the protocol's and the
 * VMM's when the queue starts.
 */
#define MAX_EMPTY_KICKS	3

static bool exists(const struct queues *q, unsigned int index)
{
	return index < q->dev->ops->nr_queues;
}

int queues_start(struct queues *q, unsigned int index,
		 const struct vdev_queue_setup *setup)
{
	/* Without it the rings would have the guest's byte order. */
	if (!(q->features >> VIRTIO_F_VERSION_1 & 1))
		return -EINVAL;
	if (!exists(q, index))
		return -EINVAL;
	q->empty_kicks = 0;
	return ring_start(&q->rings[index], setup);
}

uint16_t queues_stop(struct queues *q, unsigned int index)
{
	return exists(q, index) ? ring_stop(&q->rings[index]) : 0;
}

void queues_broken(struct queues *q, const char *why)
{
	if (q->broken)
		return;
	q->broken = why;
	q->counters->needs_reset++;
}

static void needs_reset(struct queues *q, const char *why)
{
	struct vdev *dev = q->dev;

	queues_broken(q, why);
	if (dev->transport_ops)
		dev->transport_ops->needs_reset(dev->transport, why);
}

/* Serves one request; false if there was none, or may be no more. */
static bool serve_one(struct queues *q, unsigned int index)
{
	struct ring *ring = &q->rings[index];
	struct vdev *dev = q->dev;
	uint32_t written = 0;
	const char *why;
	int ret;

	/* The protocol may have closed the connection meanwhile. */
	if (!ring_running(ring))
		return false;
	ret = ring_pop(ring, q->access ? &dev->mem : NULL, &q->chain, &why);
	if (!ret)
		return false;
	q->empty_kicks = MAX_EMPTY_KICKS;
	if (ret > 0)
		why = q->serve(q, index, &written);
	if (why) {
		needs_reset(q, why);
		return false;
	}
	ring_push(ring, q->chain.head, written);
	if (ring_wants_interrupt(ring) && dev->transport_ops)
		dev->transport_ops->interrupt(dev->transport, index);
	return true;
}

static void count_empty_kick(struct queues *q)
{
	if (q->empty_kicks >= MAX_EMPTY_KICKS ||
	    ++q->empty_kicks < MAX_EMPTY_KICKS || !q->discard->say)
		return;
	q->discard->say(q->discard->ctx,
			"the driver has kicked, but the queue is empty: is the guest's memory shared (share=on)?");
}

bool queues_kick(struct queues *q, unsigned int index)
{
	uint64_t start = now_ns();
	unsigned int budget;

	if (!exists(q, index) || q->broken)
		return false;
	for (budget = q->rings[index].size; budget; budget--) {
		if (!serve_one(q, index)) {
			count_empty_kick(q);
			return false;
		}
		if (now_ns() - start > MAX_KICK_NS)
			break;
	}
	return ring_running(&q->rings[index]);
}

void queues_reset(struct queues *q)
{
	unsigned int i;

	for (i = 0; i < q->dev->ops->nr_queues; i++)
		ring_stop(&q->rings[i]);
	q->features = 0;
	q->broken = NULL;
}

void queues_config_changed(struct queues *q)
{
	struct vdev *dev = q->dev;

	if (dev->transport_ops)
		dev->transport_ops->config_changed(dev->transport);
}
