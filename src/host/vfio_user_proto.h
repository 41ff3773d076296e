/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages of the vfio-user protocol, version 0.0, as far as they are used here.
 * Numbers are in the byte order of the machine.
 */
#ifndef FPR_HOST_VFIO_USER_PROTO_H
#define FPR_HOST_VFIO_USER_PROTO_H

#include <stdint.h>

enum vfio_user_command {
	VFIO_USER_VERSION = 1,
	VFIO_USER_DMA_MAP = 2,
	VFIO_USER_DMA_UNMAP = 3,
	VFIO_USER_DEVICE_GET_INFO = 4,
	VFIO_USER_DEVICE_GET_REGION_INFO = 5,
	VFIO_USER_DEVICE_GET_IRQ_INFO = 7,
	VFIO_USER_DEVICE_SET_IRQS = 8,
	VFIO_USER_REGION_READ = 9,
	VFIO_USER_REGION_WRITE = 10,
	VFIO_USER_DEVICE_RESET = 13,
};

#define VFIO_USER_TYPE_MASK	0xf
#define VFIO_USER_TYPE_COMMAND	0x0
#define VFIO_USER_TYPE_REPLY	0x1
#define VFIO_USER_NO_REPLY	0x10
#define VFIO_USER_ERROR		0x20

/* @size is that of the whole message, @error an errno of a reply. */
struct vfio_user_header {
	uint16_t id;
	uint16_t command;
	uint32_t size;
	uint32_t flags;
	uint32_t error;
};

struct vfio_user_version {
	uint16_t major;
	uint16_t minor;
	/* JSON, with a terminating NUL, may follow */
};

#define VFIO_USER_DMA_READABLE	1
#define VFIO_USER_DMA_WRITABLE	2

struct vfio_user_dma_map {
	uint32_t argsz;
	uint32_t flags;
	uint64_t offset;
	uint64_t address;
	uint64_t size;
};

#define VFIO_USER_DMA_UNMAP_ALL	2

struct vfio_user_dma_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t address;
	uint64_t size;
};

struct vfio_user_region_access {
	uint64_t offset;
	uint32_t region;
	uint32_t count;
	/* @count bytes follow in a write, and in the reply to a read */
};

/* The others are those of linux/vfio.h: vfio_device_info, ... */

#endif /* FPR_HOST_VFIO_USER_PROTO_H */
