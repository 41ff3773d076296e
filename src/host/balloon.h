/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stock balloon device (virtio id 5) as far as free page reporting needs it:
 * a host that gives a guest with the kernel's own driver the same discards.
 *
 * Three queues, inflate, deflate and reporting: neither statistics nor hinting is
 * offered, so reporting is queue 2.  No balloon is ever asked for; what a driver
 * puts into the first two queues comes back untouched.  The buffers of the third
 * are the ranges that are free.
 */
#ifndef FPR_HOST_BALLOON_H
#define FPR_HOST_BALLOON_H

#include "counters.h"
#include "discard.h"
#include "queues.h"

#define BALLOON_VIRTIO_ID	5

enum balloon_queue {
	BALLOON_INFLATE,
	BALLOON_DEFLATE,
	BALLOON_REPORTING,
	BALLOON_NR_QUEUES
};

/**
 * struct balloon - the balloon device
 * @vdev: for the protocol; @vdev.mem is the guest's memory
 * @discard: how to discard; @discard.granule, @discard.say and @discard.mode may be
 *	set at any time
 * @counters: what it has done; for reading
 * @queues: its queues
 */
struct balloon {
	struct vdev vdev;
	struct discard discard;
	struct counters counters;

	/* private */
	struct queues queues;
};

/* A device without memory, mode %DISCARD_PUNCH, the granule that of the memory. */
void balloon_init(struct balloon *b);

/* Why the device needs a reset, or NULL. */
const char *balloon_broken(const struct balloon *b);

#endif /* FPR_HOST_BALLOON_H */
