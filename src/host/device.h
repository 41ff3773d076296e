/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The vendor device of include/uapi/linux/virtio_fpr.h, and what the program
 * around it can do with it.
 *
 * One thread: nothing here may be called from a callback of the transport or from
 * &device.answered, but device_query() and reading &device.counters.
 *
 *	static struct device dev;
 *
 *	device_init(&dev);
 *	dev.discard.say = ...;			(if wanted)
 *	protocol_run(&dev.vdev);
 *
 * struct device is large (some 60 KiB): not for a stack.
 */
#ifndef FPR_HOST_DEVICE_H
#define FPR_HOST_DEVICE_H

#include "counters.h"
#include "discard.h"
#include "queues.h"

#include "../../include/uapi/linux/virtio_fpr.h"

/* Most ranges of a request: &virtio_fpr_config.max_ranges */
#define DEVICE_MAX_RANGES	1024
/* Most requests to the guest that wait for an answer. */
#define DEVICE_MAX_REQUESTS	16

/**
 * struct device_request - a request to the guest: "report all that is free"
 * @number: its number, not 0
 * @answered: the guest has reported all
 * @bytes: what the guest says it reported for it; of several requests that it
 *	answered with one, each has the same
 * @discarded: bytes discarded, of any report, from the request to the answer
 * @ns: how long that took; until now, if it is not answered
 */
struct device_request {
	uint32_t number;
	bool answered;
	uint64_t bytes;
	uint64_t discarded;
	uint64_t ns;
};

/**
 * struct device - the vendor device
 * @vdev: for the protocol; @vdev.mem is the guest's memory
 * @discard: how to discard.  @discard.granule and @discard.say may be set before
 *	the first driver comes, the mode with device_set_discard()
 * @counters: what it has done; for reading
 * @first_request: number of the first request; 0 stands for 1
 * @answered: called, if not NULL, when the guest has answered a request
 * @answered_ctx: handed to it
 * @queues: its one queue
 * @config: configuration space as the driver reads it
 * @requests: the latest requests, number N at N modulo %DEVICE_MAX_REQUESTS; while
 *	one is not answered its @ns is when it was made, and its @discarded what had
 *	been discarded by then
 * @ranges: those of the request that is being served
 */
struct device {
	struct vdev vdev;
	struct discard discard;
	struct counters counters;
	uint32_t first_request;
	void (*answered)(void *ctx, const struct device_request *request);
	void *answered_ctx;

	/* private */
	struct queues queues;
	struct virtio_fpr_config config;
	struct device_request requests[DEVICE_MAX_REQUESTS];
	struct virtio_fpr_range ranges[DEVICE_MAX_RANGES];
};

/* A device without memory, mode %DISCARD_PUNCH, the granule that of the memory. */
void device_init(struct device *d);

/**
 * device_set_pressure() - say how badly the host needs memory
 * @d: device
 * @level: %VIRTIO_FPR_P_NONE to %VIRTIO_FPR_P_CRITICAL
 *
 * The driver is told if that is another level than before.
 * Return: 0 or -EINVAL.
 */
int device_set_pressure(struct device *d, unsigned int level);

/**
 * device_request() - ask the guest for all free memory, now
 * @d: device
 * @shift: log2 of the smallest piece that is wanted, bytes; 0 for the granule
 * @number: set to the request's number
 *
 * May be made before there is a driver: the next one answers it.
 * Return: 0; -EINVAL for a shift above 63; -EBUSY if %DEVICE_MAX_REQUESTS wait for
 * an answer already; -EOPNOTSUPP if the driver does not take requests.
 */
int device_request(struct device *d, unsigned int shift, uint32_t *number);

/**
 * device_query() - what became of a request
 * @d: device
 * @number: number of the request
 * @request: set to what is known of it
 *
 * Return: 0, or -ENOENT if there is no such request or it was too long ago: the
 * last %DEVICE_MAX_REQUESTS are remembered.
 */
int device_query(const struct device *d, uint32_t number,
		 struct device_request *request);

/* Effective with the next request. */
void device_set_discard(struct device *d, enum discard_mode mode);

/* Why the device needs a reset, or NULL. */
const char *device_broken(const struct device *d);

#endif /* FPR_HOST_DEVICE_H */
