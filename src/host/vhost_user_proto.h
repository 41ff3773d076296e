/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What goes over a vhost-user socket, as far as it is used here: names and numbers
 * of QEMU's docs/interop/vhost-user.  All in the machine's byte order.
 */
#ifndef FPR_HOST_VHOST_USER_PROTO_H
#define FPR_HOST_VHOST_USER_PROTO_H

#include <stdint.h>

/* Bit of the device's features that opens the protocol's own */
#define VHOST_USER_F_PROTOCOL_FEATURES	30

#define VHOST_USER_PROTOCOL_F_MQ			0
#define VHOST_USER_PROTOCOL_F_REPLY_ACK			3
#define VHOST_USER_PROTOCOL_F_BACKEND_REQ		5
#define VHOST_USER_PROTOCOL_F_CONFIG			9
#define VHOST_USER_PROTOCOL_F_RESET_DEVICE		13
#define VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS	15
#define VHOST_USER_PROTOCOL_F_STATUS			16

enum vhost_user_request {
	VHOST_USER_GET_FEATURES = 1,
	VHOST_USER_SET_FEATURES = 2,
	VHOST_USER_SET_OWNER = 3,
	VHOST_USER_RESET_OWNER = 4,
	VHOST_USER_SET_MEM_TABLE = 5,
	VHOST_USER_SET_VRING_NUM = 8,
	VHOST_USER_SET_VRING_ADDR = 9,
	VHOST_USER_SET_VRING_BASE = 10,
	VHOST_USER_GET_VRING_BASE = 11,
	VHOST_USER_SET_VRING_KICK = 12,
	VHOST_USER_SET_VRING_CALL = 13,
	VHOST_USER_SET_VRING_ERR = 14,
	VHOST_USER_GET_PROTOCOL_FEATURES = 15,
	VHOST_USER_SET_PROTOCOL_FEATURES = 16,
	VHOST_USER_GET_QUEUE_NUM = 17,
	VHOST_USER_SET_VRING_ENABLE = 18,
	VHOST_USER_SET_BACKEND_REQ_FD = 21,
	VHOST_USER_GET_CONFIG = 24,
	VHOST_USER_SET_CONFIG = 25,
	VHOST_USER_RESET_DEVICE = 34,
	VHOST_USER_GET_MAX_MEM_SLOTS = 36,
	VHOST_USER_ADD_MEM_REG = 37,
	VHOST_USER_REM_MEM_REG = 38,
	VHOST_USER_SET_STATUS = 39,
	VHOST_USER_GET_STATUS = 40,
};

/* What the backend asks the VMM, on a socket of its own */
#define VHOST_USER_BACKEND_CONFIG_CHANGE_MSG	2

#define VHOST_USER_VERSION	1
#define VHOST_USER_VERSION_MASK	3
#define VHOST_USER_REPLY	(1u << 2)
#define VHOST_USER_NEED_REPLY	(1u << 3)

/* Of the 64 bits that come with the files of a ring */
#define VHOST_USER_VRING_INDEX_MASK	0xffu
#define VHOST_USER_VRING_NO_FD		(1u << 8)

/* Of the virtio device status (virtio 1.2, 2.1) */
#define VHOST_USER_STATUS_NEEDS_RESET	0x40

#define VHOST_USER_MAX_FDS		8
#define VHOST_USER_MAX_CONFIG		256

struct vhost_user_header {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
};

struct vhost_user_vring_state {
	uint32_t index;
	uint32_t num;
};

struct vhost_user_vring_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc;
	uint64_t used;
	uint64_t avail;
	uint64_t log;
};

struct vhost_user_region {
	uint64_t gpa;
	uint64_t size;
	uint64_t uva;
	uint64_t offset;
};

struct vhost_user_mem_table {
	uint32_t nr;
	uint32_t padding;
	struct vhost_user_region regions[VHOST_USER_MAX_FDS];
};

struct vhost_user_mem_reg {
	uint64_t padding;
	struct vhost_user_region region;
};

struct vhost_user_config {
	uint32_t offset;
	uint32_t size;
	uint32_t flags;
	uint8_t data[VHOST_USER_MAX_CONFIG];
};

#define VHOST_USER_CONFIG_HEADER	12

union vhost_user_payload {
	uint64_t u64;
	struct vhost_user_vring_state state;
	struct vhost_user_vring_addr addr;
	struct vhost_user_mem_table table;
	struct vhost_user_mem_reg reg;
	struct vhost_user_config config;
};

_Static_assert(sizeof(struct vhost_user_header) == 12, "wire");
_Static_assert(sizeof(struct vhost_user_vring_addr) == 40, "wire");
_Static_assert(sizeof(struct vhost_user_mem_table) == 264, "wire");
_Static_assert(sizeof(struct vhost_user_mem_reg) == 40, "wire");
_Static_assert(sizeof(struct vhost_user_config) == 268, "wire");

#endif /* FPR_HOST_VHOST_USER_PROTO_H */
