// SPDX-License-Identifier: GPL-2.0
/* The session, from its socket to its end; and what the device says to the VMM. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "vhost_user_int.h"

/* Messages handled before the loop gets its turn again. */
#define MESSAGES_AT_ONCE	16

/* What the device found out within a call is acted on after it. */
static void break_if_needed(struct vhost_user *vu)
{
	if (!vu->breaking)
		return;
	log_warn("the driver broke the rules, device needs a reset reason=\"%s\"",
		 vu->breaking);
	vu->dev->ops->broken(vu->dev, vu->breaking);
	vu->breaking = NULL;
	vu->broken = true;
	vhost_user_pause_all(vu);
	if (vhost_user_negotiated(vu, VHOST_USER_PROTOCOL_F_STATUS)) {
		vu->status |= VHOST_USER_STATUS_NEEDS_RESET;
		vu->dev->transport_ops->config_changed(vu);
	}
	for (unsigned int q = 0; q < vu->dev->ops->nr_queues; q++)
		vhost_user_signal(vu->queues[q].err);
}

int vhost_user_readable(struct vhost_user *vu)
{
	for (int i = 0; i < MESSAGES_AT_ONCE; i++) {
		int got = vhost_user_msg_receive(&vu->msg, vu->sock, &vu->why);

		if (!got)
			return 0;
		if (got == -EPROTO)
			log_warn("bad message, closing the connection request=%u reason=\"%s\"",
				 vu->msg.header.request, vu->why);
		else if (got == -ECONNRESET)
			log_info("the VMM has closed the connection%s",
				 vu->msg.have ? " in the middle of a message" : "");
		else if (got < 0)
			log_warn("reading from the VMM failed errno=%d", -got);
		else
			got = vhost_user_handle(vu);
		vhost_user_msg_clear(&vu->msg);
		if (got)
			return got;
		break_if_needed(vu);
	}
	return 0;
}

void vhost_user_kicked(struct vhost_user *vu, unsigned int q)
{
	struct vhost_user_queue *queue = &vu->queues[q];
	uint64_t count;
	ssize_t got = read(queue->kick, &count, sizeof(count));

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		log_warn("the file of a queue is of no use any more queue=%u", q);
		vhost_user_stop(vu, q);
		return;
	}
	vhost_user_process(vu, q);
	break_if_needed(vu);
}

void vhost_user_continue(struct vhost_user *vu)
{
	for (unsigned int q = 0; q < vu->dev->ops->nr_queues; q++)
		if (vu->queues[q].more)
			vhost_user_process(vu, q);
	break_if_needed(vu);
}

static void transport_interrupt(void *transport, unsigned int q)
{
	struct vhost_user *vu = transport;

	vhost_user_signal(vu->queues[q].call);
}

static bool any_ring_started(const struct vhost_user *vu)
{
	for (unsigned int q = 0; q < vu->dev->ops->nr_queues; q++)
		if (vu->queues[q].kick >= 0)
			return true;
	return false;
}

/*
 * Not before a ring was started: QEMU's device (11.1, vhost-user-base.c) has no
 * guest to tell by then, and takes a null pointer for it.  Who starts later reads
 * the configuration then, and is told all the same.
 */
static void transport_config_changed(void *transport)
{
	struct vhost_user *vu = transport;
	int err;

	if (vu->backend < 0 || !vhost_user_negotiated(vu, VHOST_USER_PROTOCOL_F_CONFIG))
		return;
	vu->config_changed = !any_ring_started(vu);
	if (vu->config_changed)
		return;
	err = vhost_user_send(vu->backend, VHOST_USER_BACKEND_CONFIG_CHANGE_MSG,
			      VHOST_USER_VERSION, NULL, 0);
	/* If there is no room, such messages are waiting to be read: enough. */
	if (!err || err == -EAGAIN)
		return;
	log_warn("the VMM takes no requests any more errno=%d", -err);
	close(vu->backend);
	vu->backend = -1;
}

static void transport_needs_reset(void *transport, const char *why)
{
	struct vhost_user *vu = transport;

	vu->breaking = why;
}

static const struct vdev_transport_ops transport_ops = {
	.interrupt = transport_interrupt,
	.config_changed = transport_config_changed,
	.needs_reset = transport_needs_reset,
};

void vhost_user_open(struct vhost_user *vu, struct vdev *dev, int sock,
		     const struct vhost_user_ops *ops, void *ctx)
{
	memset(vu, 0, sizeof(*vu));
	vu->dev = dev;
	vu->ops = ops;
	vu->ctx = ctx;
	vu->sock = sock;
	vu->backend = -1;
	for (unsigned int q = 0; q < VDEV_MAX_QUEUES; q++) {
		vu->queues[q].kick = -1;
		vu->queues[q].call = -1;
		vu->queues[q].err = -1;
	}
	dev->transport = vu;
	dev->transport_ops = &transport_ops;
}

void vhost_user_close(struct vhost_user *vu)
{
	struct vdev *dev = vu->dev;

	vhost_user_close_queues(vu);
	dev->ops->reset(dev);
	mem_clear(&dev->mem);
	dev->ops->mem_changed(dev);
	dev->transport_ops = NULL;
	dev->transport = NULL;
	vhost_user_msg_clear(&vu->msg);
	if (vu->backend >= 0)
		close(vu->backend);
	close(vu->sock);
}
