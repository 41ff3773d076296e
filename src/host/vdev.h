/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What lies between a virtio device and the protocol that carries it: the device
 * (device.c, balloon.c) knows neither vhost-user nor vfio-user nor an event loop,
 * the protocols (vhost_user.c, vfio_user.c) know no device.
 *
 * One thread.  Nothing here blocks but the discarding of memory.
 */
#ifndef FPR_HOST_VDEV_H
#define FPR_HOST_VDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"

#define VDEV_MAX_QUEUES	8
/* Largest queue; a power of two. */
#define VDEV_MAX_QUEUE_SIZE 1024

struct vdev;

/**
 * struct vdev_queue_setup - a virtqueue as the protocol has it from the peer
 * @size: entries; 1 to %VDEV_MAX_QUEUE_SIZE, a power of two
 * @desc: descriptor table, 16 * @size bytes, checked to be guest memory
 * @avail: available ring, 6 + 2 * @size bytes, checked
 * @used: used ring, 6 + 8 * @size bytes, checked
 * @next_avail: index of the first entry not yet processed
 *
 * The memory behind the pointers is the guest's: it changes at any time.
 */
struct vdev_queue_setup {
	unsigned int size;
	void *desc;
	void *avail;
	void *used;
	uint16_t next_avail;
};

/**
 * struct vdev_transport_ops - what the protocol does for the device
 * @interrupt: buffers of queue @q were used
 * @config_changed: tell the driver to read the configuration space again
 * @needs_reset: the driver broke the rules: DEVICE_NEEDS_RESET, as far as the
 *	protocol has it.  The device processes nothing until it is reset
 */
struct vdev_transport_ops {
	void (*interrupt)(void *transport, unsigned int q);
	void (*config_changed)(void *transport);
	void (*needs_reset)(void *transport, const char *why);
};

/**
 * struct vdev_ops - what a device does for the protocol
 * @features: device feature bits to offer, without those of the transport;
 *	VIRTIO_F_VERSION_1 included
 * @set_features: those that the driver has accepted; a subset of @features
 * @config_size: bytes of configuration space
 * @config_read: copies [offset, offset + len) of it, which lies within
 * @mem_changed: guest memory has regions now that it had not, or has lost some
 * @queue_start: from now on the queue is processed; -EINVAL if it cannot be
 * @queue_stop: no more; returns the index of the next available entry
 * @kick: look at the queue; true if it has more than one call may do: call again
 *	when other things have had their turn.  To be called after @queue_start too
 * @broken: the driver broke a rule that the protocol watches over: nothing is
 *	processed until the reset, as after &vdev_transport_ops.needs_reset, which is
 *	not called.  Nothing new if the device said so itself
 * @reset: back to how it was before the driver came; all queues are stopped, the
 *	memory remains.  When it returns the device touches no page of the guest
 */
struct vdev_ops {
	unsigned int nr_queues;
	uint64_t (*features)(struct vdev *dev);
	void (*set_features)(struct vdev *dev, uint64_t features);
	size_t config_size;
	void (*config_read)(struct vdev *dev, size_t offset, void *to, size_t len);
	void (*mem_changed)(struct vdev *dev);
	int (*queue_start)(struct vdev *dev, unsigned int q,
			   const struct vdev_queue_setup *setup);
	uint16_t (*queue_stop)(struct vdev *dev, unsigned int q);
	bool (*kick)(struct vdev *dev, unsigned int q);
	void (*broken)(struct vdev *dev, const char *why);
	void (*reset)(struct vdev *dev);
};

/**
 * struct vdev - a device
 * @ops: what it does
 * @mem: the guest's memory, filled by the protocol
 * @transport_ops: set by the protocol while one is connected, else NULL
 * @transport: handed to them
 */
struct vdev {
	const struct vdev_ops *ops;
	struct mem mem;
	const struct vdev_transport_ops *transport_ops;
	void *transport;
};

#endif /* FPR_HOST_VDEV_H */
