/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vhost-user, the backend's side: between a connected socket and a &struct vdev.
 * No event loop: whoever has one calls in when a file is readable, and is told which
 * to watch.  No policy: what the device does is not known here.
 *
 * All that the VMM says is checked.  What is wrong or unknown ends the session with
 * a log line; the files that came are closed in any case.
 */
#ifndef FPR_HOST_VHOST_USER_H
#define FPR_HOST_VHOST_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "vdev.h"
#include "vhost_user_msg.h"

/**
 * struct vhost_user_ops - what a session needs of its surroundings
 * @watch: call vhost_user_kicked() for queue @q whenever @fd is readable; non-zero
 *	if that file cannot be watched
 * @unwatch: no more; called before the file is closed
 * @again: call vhost_user_continue() when other things have had their turn; it may
 *	come several times before that
 */
struct vhost_user_ops {
	int (*watch)(void *ctx, unsigned int q, int fd);
	void (*unwatch)(void *ctx, unsigned int q);
	void (*again)(void *ctx);
};

/**
 * struct vhost_user_queue - a ring as the VMM has described it so far
 * @size: entries, 0 before it was said
 * @desc: descriptor table, address of the VMM; likewise @avail, @used
 * @have_addr: the addresses were said
 * @base: where to begin in the available ring
 * @kick: the VMM signals it, -1 for none: the ring is stopped
 * @call: we signal it when buffers were used, -1 for none
 * @err: we signal it when the driver broke the rules, -1 for none
 * @enabled: the VMM has enabled it
 * @running: the device processes it
 * @more: it had more than one turn allows
 */
struct vhost_user_queue {
	unsigned int size;
	uint64_t desc;
	uint64_t avail;
	uint64_t used;
	bool have_addr;
	uint16_t base;
	int kick;
	int call;
	int err;
	bool enabled;
	bool running;
	bool more;
};

/**
 * struct vhost_user - a session with a VMM
 * @dev: the device it drives
 * @ops: see there; @ctx is handed to them
 * @sock: the connection
 * @backend: the socket for our own requests, -1 for none
 * @features: accepted device features, %VHOST_USER_F_PROTOCOL_FEATURES included
 * @protocol_features: accepted features of the protocol
 * @status: virtio device status
 * @config_changed: the configuration has, while no ring was started
 * @broken: the driver broke the rules: nothing runs until a reset
 * @breaking: why, when that was found out within a call of the device
 * @why: what is wrong with the message in hand
 * @msg: the message in hand
 * @queues: the rings
 */
struct vhost_user {
	struct vdev *dev;
	const struct vhost_user_ops *ops;
	void *ctx;
	int sock;
	int backend;
	uint64_t features;
	uint64_t protocol_features;
	uint8_t status;
	bool config_changed;
	bool broken;
	const char *breaking;
	const char *why;
	struct vhost_user_msg msg;
	struct vhost_user_queue queues[VDEV_MAX_QUEUES];
};

/**
 * vhost_user_open() - begin a session
 * @vu: the session
 * @dev: the device; nothing else may drive it until the session is closed
 * @sock: connected socket, the session's from now on
 * @ops: see there; they stay
 * @ctx: handed to them
 */
void vhost_user_open(struct vhost_user *vu, struct vdev *dev, int sock,
		     const struct vhost_user_ops *ops, void *ctx);

/**
 * vhost_user_readable() - the socket is readable
 * Return: 0, or a negative errno when the session is over, which has been logged;
 * then call vhost_user_close().
 */
int vhost_user_readable(struct vhost_user *vu);

/* The file that @ops->watch got for queue @q is readable. */
void vhost_user_kicked(struct vhost_user *vu, unsigned int q);

/* Go on with what was too much for one turn. */
void vhost_user_continue(struct vhost_user *vu);

/* End the session: the device is reset, all files and memory are given up. */
void vhost_user_close(struct vhost_user *vu);

#endif /* FPR_HOST_VHOST_USER_H */
