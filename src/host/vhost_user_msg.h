/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One vhost-user message at a time off a socket that does not block, with the
 * files that come with it; and replies.  Knows no meaning of any message.
 */
#ifndef FPR_HOST_VHOST_USER_MSG_H
#define FPR_HOST_VHOST_USER_MSG_H

#include <stddef.h>

#include "vhost_user_proto.h"

/**
 * struct vhost_user_msg - a message, perhaps not wholly here yet
 * @header: its header
 * @payload: what follows it; zeros behind @header.size bytes
 * @have: bytes of header and payload that have arrived
 * @fds: files that came with it, owned by the message; -1 once taken
 * @nr_fds: how many came
 */
struct vhost_user_msg {
	struct vhost_user_header header;
	union vhost_user_payload payload;
	size_t have;
	int fds[VHOST_USER_MAX_FDS];
	unsigned int nr_fds;
};

/**
 * vhost_user_msg_receive() - read on
 * @msg: all zeros before the first byte
 * @sock: the socket
 * @why: set to what is wrong when it returns -EPROTO
 *
 * Never reads beyond the message.
 * Return: 1 when the message is complete, 0 when more has to come, -ECONNRESET when
 * the peer is gone, -EPROTO when it sent nonsense, or another negative errno.
 */
int vhost_user_msg_receive(struct vhost_user_msg *msg, int sock,
			   const char **why);

/* Close what files are left, and make it ready for the next message. */
void vhost_user_msg_clear(struct vhost_user_msg *msg);

/* The only file, which is the caller's from now on; -1 unless there is just one. */
int vhost_user_msg_take_fd(struct vhost_user_msg *msg);

/**
 * vhost_user_send() - write one message without waiting
 * Return: 0, -EAGAIN if the peer does not read, or another negative errno.
 */
int vhost_user_send(int sock, uint32_t request, uint32_t flags,
		    const void *payload, uint32_t size);

#endif /* FPR_HOST_VHOST_USER_MSG_H */
