// SPDX-License-Identifier: GPL-2.0
/* The session: which messages there are, features, status, configuration space. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "vhost_user_int.h"

#define BIT64(n)	(UINT64_C(1) << (n))

#define PROTOCOL_FEATURES \
	(BIT64(VHOST_USER_PROTOCOL_F_MQ) | \
	 BIT64(VHOST_USER_PROTOCOL_F_REPLY_ACK) | \
	 BIT64(VHOST_USER_PROTOCOL_F_BACKEND_REQ) | \
	 BIT64(VHOST_USER_PROTOCOL_F_CONFIG) | \
	 BIT64(VHOST_USER_PROTOCOL_F_RESET_DEVICE) | \
	 BIT64(VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS) | \
	 BIT64(VHOST_USER_PROTOCOL_F_STATUS))

/* Bits of the virtio device status (virtio 1.2, 2.1) */
#define STATUS_DRIVER_OK	0x04
#define STATUS_NEEDS_RESET	0x40

/* Messages handled before the loop gets its turn again. */
#define MESSAGES_AT_ONCE	16

enum vhost_user_result vhost_user_reply(struct vhost_user *vu,
					const void *payload, uint32_t size)
{
	int err = vhost_user_send(vu->sock, vu->msg.header.request,
				  VHOST_USER_VERSION | VHOST_USER_REPLY,
				  payload, size);

	return err ? vhost_user_bad(vu, "the answer is not read") : VU_REPLIED;
}

static enum vhost_user_result reply_u64(struct vhost_user *vu, uint64_t value)
{
	return vhost_user_reply(vu, &value, sizeof(value));
}

static bool negotiated(const struct vhost_user *vu, unsigned int feature)
{
	return vu->protocol_features & BIT64(feature);
}

static uint64_t offered_features(struct vhost_user *vu)
{
	return vu->dev->ops->features(vu->dev) |
	       BIT64(VHOST_USER_F_PROTOCOL_FEATURES);
}

static enum vhost_user_result get_features(struct vhost_user *vu)
{
	return reply_u64(vu, offered_features(vu));
}

static enum vhost_user_result set_features(struct vhost_user *vu)
{
	uint64_t features = vu->msg.payload.u64;

	if (features & ~offered_features(vu))
		return vhost_user_bad(vu, "features that were not offered");
	if (features == vu->features)
		return VU_DONE;
	for (unsigned int q = 0; q < vu->dev->ops->nr_queues; q++)
		if (vu->queues[q].running)
			return vhost_user_bad(vu, "a ring is running");
	vu->features = features;
	vu->dev->ops->set_features(vu->dev, features &
				   ~BIT64(VHOST_USER_F_PROTOCOL_FEATURES));
	return VU_DONE;
}

static enum vhost_user_result get_protocol_features(struct vhost_user *vu)
{
	return reply_u64(vu, PROTOCOL_FEATURES);
}

static enum vhost_user_result set_protocol_features(struct vhost_user *vu)
{
	if (vu->msg.payload.u64 & ~PROTOCOL_FEATURES)
		return vhost_user_bad(vu, "features that were not offered");
	vu->protocol_features = vu->msg.payload.u64;
	return VU_DONE;
}

static enum vhost_user_result set_owner(struct vhost_user *vu)
{
	(void)vu;
	return VU_DONE;
}

/* Deprecated, and of two meanings: the harmless one. */
static enum vhost_user_result reset_owner(struct vhost_user *vu)
{
	vhost_user_stop_all(vu);
	return VU_DONE;
}

static enum vhost_user_result get_queue_num(struct vhost_user *vu)
{
	return reply_u64(vu, vu->dev->ops->nr_queues);
}

static enum vhost_user_result get_max_mem_slots(struct vhost_user *vu)
{
	return reply_u64(vu, MEM_MAX_REGIONS);
}

/* As the driver found it; the rings' addresses and the memory stay. */
static void reset_device(struct vhost_user *vu)
{
	vhost_user_stop_all(vu);
	for (unsigned int q = 0; q < vu->dev->ops->nr_queues; q++)
		vu->queues[q].enabled = false;
	vu->dev->ops->reset(vu->dev);
	vu->features = 0;
	vu->status = 0;
	vu->broken = false;
	vu->breaking = NULL;
}

static enum vhost_user_result handle_reset_device(struct vhost_user *vu)
{
	reset_device(vu);
	return VU_DONE;
}

static enum vhost_user_result set_status(struct vhost_user *vu)
{
	uint64_t status = vu->msg.payload.u64;

	if (status > UINT8_MAX)
		return vhost_user_bad(vu, "no such status");
	if (!status) {
		reset_device(vu);
		return VU_DONE;
	}
	if ((status ^ vu->status) & STATUS_DRIVER_OK)
		log_info("driver %s features=%#" PRIx64,
			 status & STATUS_DRIVER_OK ? "ready" : "not ready",
			 vu->features);
	/* Only a reset takes this one back. */
	vu->status = (uint8_t)status | (vu->status & STATUS_NEEDS_RESET);
	return VU_DONE;
}

static enum vhost_user_result get_status(struct vhost_user *vu)
{
	return reply_u64(vu, vu->status);
}

/* What lies behind the device's fields reads as zeros, as far as the protocol goes. */
static enum vhost_user_result get_config(struct vhost_user *vu)
{
	struct vhost_user_config config = vu->msg.payload.config;
	size_t have = vu->dev->ops->config_size;

	memset(config.data, 0, sizeof(config.data));
	if (config.size > VHOST_USER_MAX_CONFIG ||
	    config.offset > VHOST_USER_MAX_CONFIG - config.size ||
	    vu->msg.header.size != VHOST_USER_CONFIG_HEADER + config.size)
		return vhost_user_bad(vu, "beyond 256 bytes, or lengths differ");
	if (config.offset < have) {
		size_t len = have - config.offset;

		vu->dev->ops->config_read(vu->dev, config.offset, config.data,
					  len < config.size ? len : config.size);
	}
	return vhost_user_reply(vu, &config,
				VHOST_USER_CONFIG_HEADER + config.size);
}

/* The guest wrote: its mistake, not the VMM's. */
static enum vhost_user_result set_config(struct vhost_user *vu)
{
	log_debug("configuration space is read-only offset=%u size=%u",
		  vu->msg.payload.config.offset, vu->msg.payload.config.size);
	return VU_REFUSED;
}

static enum vhost_user_result set_backend_req_fd(struct vhost_user *vu)
{
	socklen_t len = sizeof(int);
	int type;

	if (getsockopt(vu->msg.fds[0], SOL_SOCKET, SO_TYPE, &type, &len) ||
	    type != SOCK_STREAM)
		return vhost_user_bad(vu, "not a stream socket");
	if (vu->backend >= 0)
		close(vu->backend);
	vu->backend = vhost_user_msg_take_fd(&vu->msg);
	return VU_DONE;
}

#define ANY_SIZE	UINT32_MAX
#define ANY_FDS		UINT8_MAX
#define NO_FEATURE	UINT8_MAX

/* Of the protocol: what a message looks like, and when it is allowed. */
static const struct message {
	const char *name;
	vhost_user_handler *handle;
	uint32_t size;
	uint8_t min_fds;
	uint8_t max_fds;
	uint8_t feature;
} messages[] = {
#define MESSAGE(id, fn, len, min, max, bit) \
	[VHOST_USER_##id] = { #id, fn, len, min, max, bit }
#define PLAIN(id, fn, len) MESSAGE(id, fn, len, 0, 0, NO_FEATURE)
#define GATED(id, fn, len, bit) \
	MESSAGE(id, fn, len, 0, 0, VHOST_USER_PROTOCOL_F_##bit)
	PLAIN(GET_FEATURES, get_features, 0),
	PLAIN(SET_FEATURES, set_features, 8),
	PLAIN(SET_OWNER, set_owner, 0),
	PLAIN(RESET_OWNER, reset_owner, 0),
	MESSAGE(SET_MEM_TABLE, vhost_user_set_mem_table, ANY_SIZE, 0,
		VHOST_USER_MAX_FDS, NO_FEATURE),
	PLAIN(SET_VRING_NUM, vhost_user_set_vring_num, 8),
	PLAIN(SET_VRING_ADDR, vhost_user_set_vring_addr, 40),
	PLAIN(SET_VRING_BASE, vhost_user_set_vring_base, 8),
	PLAIN(GET_VRING_BASE, vhost_user_get_vring_base, 8),
	MESSAGE(SET_VRING_KICK, vhost_user_set_vring_kick, 8, 0, 1, NO_FEATURE),
	MESSAGE(SET_VRING_CALL, vhost_user_set_vring_call, 8, 0, 1, NO_FEATURE),
	MESSAGE(SET_VRING_ERR, vhost_user_set_vring_err, 8, 0, 1, NO_FEATURE),
	PLAIN(GET_PROTOCOL_FEATURES, get_protocol_features, 0),
	PLAIN(SET_PROTOCOL_FEATURES, set_protocol_features, 8),
	GATED(GET_QUEUE_NUM, get_queue_num, 0, MQ),
	PLAIN(SET_VRING_ENABLE, vhost_user_set_vring_enable, 8),
	MESSAGE(SET_BACKEND_REQ_FD, set_backend_req_fd, 0, 1, 1,
		VHOST_USER_PROTOCOL_F_BACKEND_REQ),
	GATED(GET_CONFIG, get_config, ANY_SIZE, CONFIG),
	GATED(SET_CONFIG, set_config, ANY_SIZE, CONFIG),
	GATED(RESET_DEVICE, handle_reset_device, 0, RESET_DEVICE),
	GATED(GET_MAX_MEM_SLOTS, get_max_mem_slots, 0, CONFIGURE_MEM_SLOTS),
	MESSAGE(ADD_MEM_REG, vhost_user_add_mem_reg, 40, 1, 1,
		VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS),
	/* Older VMMs send the file again. */
	MESSAGE(REM_MEM_REG, vhost_user_rem_mem_reg, 40, 0, 1,
		VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS),
	GATED(SET_STATUS, set_status, 8, STATUS),
	GATED(GET_STATUS, get_status, 0, STATUS),
};

/* The row for the message in hand; NULL, with a reason, if it must not be. */
static const struct message *known_message(struct vhost_user *vu)
{
	const struct vhost_user_msg *msg = &vu->msg;
	const struct message *row = NULL;

	if (msg->header.request < sizeof(messages) / sizeof(messages[0]))
		row = &messages[msg->header.request];
	if (!row || !row->handle)
		vu->why = "unknown";
	else if (row->feature != NO_FEATURE && !negotiated(vu, row->feature))
		vu->why = "its feature was not negotiated";
	else if (row->size != ANY_SIZE && row->size != msg->header.size)
		vu->why = "wrong length";
	else if (msg->nr_fds < row->min_fds || msg->nr_fds > row->max_fds)
		vu->why = "wrong number of files";
	else
		return row;
	return NULL;
}

/* Act on the message in hand; -EPROTO if it is none. */
static int handle_message(struct vhost_user *vu)
{
	const struct vhost_user_header header = vu->msg.header;
	const struct message *row = known_message(vu);
	enum vhost_user_result result = VU_BAD;
	bool ack = header.flags & VHOST_USER_NEED_REPLY &&
		   negotiated(vu, VHOST_USER_PROTOCOL_F_REPLY_ACK);

	if (row) {
		log_debug("message %s size=%u fds=%u", row->name, header.size,
			  vu->msg.nr_fds);
		result = row->handle(vu);
	}
	if (ack && (result == VU_DONE || result == VU_REFUSED || result == VU_BAD))
		if (reply_u64(vu, result != VU_DONE) == VU_BAD)
			result = VU_BAD;
	if (result != VU_BAD)
		return 0;
	log_warn("bad message, closing the connection request=%u name=%s size=%u fds=%u reason=\"%s\"",
		 header.request, row ? row->name : "-", header.size,
		 vu->msg.nr_fds, vu->why);
	return -EPROTO;
}

/* What the device found out within a call is acted on after it. */
static void break_if_needed(struct vhost_user *vu)
{
	if (!vu->breaking)
		return;
	log_warn("the driver broke the rules, device needs a reset reason=\"%s\"",
		 vu->breaking);
	vu->breaking = NULL;
	vu->broken = true;
	vhost_user_pause_all(vu);
	if (negotiated(vu, VHOST_USER_PROTOCOL_F_STATUS)) {
		vu->status |= STATUS_NEEDS_RESET;
		vu->dev->transport_ops->config_changed(vu);
	}
	for (unsigned int q = 0; q < vu->dev->ops->nr_queues; q++)
		vhost_user_signal(vu->queues[q].err);
}

int vhost_user_readable(struct vhost_user *vu)
{
	int got;

	for (int i = 0; i < MESSAGES_AT_ONCE; i++) {
		got = vhost_user_msg_receive(&vu->msg, vu->sock, &vu->why);
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
			got = handle_message(vu);
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

	if (vu->backend < 0 || !negotiated(vu, VHOST_USER_PROTOCOL_F_CONFIG))
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
