// SPDX-License-Identifier: GPL-2.0
/* Messages: which there are, and those about features, status and configuration. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "util.h"
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
	/* Only a reset takes this one back. */
	vu->status = (uint8_t)status |
		(vu->status & VHOST_USER_STATUS_NEEDS_RESET);
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

	if (msg->header.request < ARRAY_SIZE(messages))
		row = &messages[msg->header.request];
	if (!row || !row->handle)
		vu->why = "unknown";
	else if (row->feature != NO_FEATURE && !vhost_user_negotiated(vu, row->feature))
		vu->why = "its feature was not negotiated";
	else if (row->size != ANY_SIZE && row->size != msg->header.size)
		vu->why = "wrong length";
	else if (msg->nr_fds < row->min_fds || msg->nr_fds > row->max_fds)
		vu->why = "wrong number of files";
	else
		return row;
	return NULL;
}

int vhost_user_handle(struct vhost_user *vu)
{
	const struct vhost_user_header header = vu->msg.header;
	const struct message *row = known_message(vu);
	enum vhost_user_result result = VU_BAD;
	bool ack = header.flags & VHOST_USER_NEED_REPLY &&
		   vhost_user_negotiated(vu, VHOST_USER_PROTOCOL_F_REPLY_ACK);

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
