/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The queues of a device: what device.c and balloon.c do alike.  Requests are
 * served in order, one at a time; a driver that breaks the rules stops all queues
 * until the device is reset.
 */
#ifndef FPR_HOST_QUEUES_H
#define FPR_HOST_QUEUES_H

#include "counters.h"
#include "discard.h"
#include "ring.h"

struct queues;

/**
 * typedef queues_serve_fn - serve a request
 * @q: the queues
 * @index: the queue it came from
 * @written: set to the number of bytes written to it; 0 before
 *
 * The request is &queues.chain.
 * Return: NULL, or a sentence that says which rule the driver broke.
 */
typedef const char *(*queues_serve_fn)(struct queues *q, unsigned int index,
				       uint32_t *written);

/**
 * struct queues - the queues of a device
 * @dev: the device
 * @serve: serves a request
 * @counters: of the device
 * @discard: of the device, which knows whom to tell
 * @access: buffers are read and written, not merely named, so they have to be
 *	guest memory
 * @broken: which rule was broken; NULL if none.  Until the reset nothing is served
 * @features: accepted by the driver
 * @empty_kicks: kicks that found nothing since a queue was started; not counted
 *	any more once something came
 * @rings: the queues
 * @chain: the request that is being served
 */
struct queues {
	struct vdev *dev;
	queues_serve_fn serve;
	struct counters *counters;
	struct discard *discard;
	bool access;
	const char *broken;
	uint64_t features;
	unsigned int empty_kicks;
	struct ring rings[VDEV_MAX_QUEUES];
	struct ring_chain chain;
};

/* -EINVAL for no such queue, VIRTIO_F_VERSION_1 not accepted, or as ring_start(). */
int queues_start(struct queues *q, unsigned int index,
		 const struct vdev_queue_setup *setup);
uint16_t queues_stop(struct queues *q, unsigned int index);

/**
 * queues_kick() - serve what is available, but no more than a queue full, and
 *	none after 50 ms
 * Return: whether there may be more.
 */
bool queues_kick(struct queues *q, unsigned int index);

/* The driver broke a rule, the protocol says; counted once until the reset. */
void queues_broken(struct queues *q, const char *why);

/* All queues stopped, no feature accepted, nothing broken. */
void queues_reset(struct queues *q);

/* Tell the driver, if a protocol is connected. */
void queues_config_changed(struct queues *q);

#endif /* FPR_HOST_QUEUES_H */
