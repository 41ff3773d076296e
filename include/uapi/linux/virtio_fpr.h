/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause */
/*
 * virtio_fpr - the free page reporting device: what guest and host agree on.
 *
 * The guest tells the host which of its memory is free; the host discards it,
 * says how much, and may ask for more.  This file is all that either side needs
 * beside the virtio specification (1.2).  "Driver" is the guest's side, "device"
 * the host's.
 *
 * 1. Which device it is
 *
 * Virtio device id 13 by default, which the specification reserves and nobody
 * uses; or, on PCI, whatever ids a vendor gives it, if its configuration space is
 * that of a virtio 1.x device.  Either way the device is told by
 * &virtio_fpr_config.magic.  A driver that finds another magic, or a major version
 * that it does not know, leaves the device alone.  A minor version adds: fields at
 * the end of a structure, feature bits, request types, levels, status codes.  Each
 * side ignores fields that it does not know, takes an unknown status for
 * %VIRTIO_FPR_S_ERROR, and an unknown level for the highest that it knows.
 *
 * VIRTIO_F_VERSION_1 is required.  All fields are little-endian.  All addresses
 * are guest physical, also with VIRTIO_F_ACCESS_PLATFORM: they name memory, the
 * device accesses none of it.
 *
 * 2. Configuration space: struct virtio_fpr_config
 *
 * Read-only for the driver.  The device announces changes of @pressure, @request
 * and @request_shift with a configuration change interrupt.  All other fields are
 * constant from DRIVER_OK until the device is reset; before that a host may not
 * know what the guest's memory is made of, nor, then, @granule_shift.  Fields that
 * change together are read together: the driver reads all, and again if the
 * configuration generation has changed meanwhile.
 *
 * 3. The queue, index 0: requests
 *
 * A request is one descriptor chain:
 *
 *	device-readable		struct virtio_fpr_req
 *				struct virtio_fpr_range[req.nr_ranges]
 *	device-writable		struct virtio_fpr_resp
 *
 * How the bytes are divided into descriptors means nothing.  The device returns
 * requests in the order in which they were made available.  The used length is
 * the number of bytes written: size of the response, or 0 for a chain that has no
 * room for one.
 *
 * %VIRTIO_FPR_T_REPORT: the contents of the ranges are not needed.  From the
 * moment the request is available until it is used, the ranges belong to the
 * device, which may discard them or not, and answers with how much it has
 * discarded.  **When the request is used, or the device was reset, it must not
 * touch them any more**: the driver hands them to whoever asks for memory.  The
 * driver reads and writes none of a range meanwhile.
 *
 * A range is discarded as far as it covers whole granules of memory of the guest;
 * the rest is refused, which harms nobody.  Ranges of one request do not overlap.
 * They may span memory regions.
 *
 * %VIRTIO_FPR_T_DONE: the driver has reported all that the host asked for with
 * request number @request: every report that belongs to it was used before this
 * one was made available.  No ranges.
 *
 * 4. Contents
 *
 * What is read of a discarded range before it is written is arbitrary, and may be
 * the former contents; with %VIRTIO_FPR_F_ZERO it is zeros, of the discarded
 * granules and of those alone: the former contents stay where the device refused.
 * A driver whose kernel relies on zeros (init_on_free) therefore reports zeroed
 * pages only, and any other content it relies on forbids it to report.
 *
 * 5. The host asks
 *
 * @request is a number that the device raises by one when it wants all free
 * memory at once, that is in contiguous pieces of 2^@request_shift bytes and more;
 * 0 says that it never did.  The first number is the device's choice, one that
 * another in its place has hardly used: a driver that stays while the process
 * behind the device is replaced takes a number that it knows for answered.  The
 * driver reports what is free and was not
 * reported, and answers with %VIRTIO_FPR_T_DONE and the number it has read.  When
 * the number changes before it could, the answer to the last covers all before.
 * A driver that starts answers the number it finds.
 */
#ifndef _UAPI_LINUX_VIRTIO_FPR_H
#define _UAPI_LINUX_VIRTIO_FPR_H

#include <linux/types.h>

/* Virtio device id by default: "memory balloon", reserved (virtio 1.2, 5). */
#define VIRTIO_FPR_ID		13

/* &virtio_fpr_config.magic: "fprv" in the order of the bytes */
#define VIRTIO_FPR_MAGIC	0x76727066
/* &virtio_fpr_config.version: major in the upper byte, minor in the lower */
#define VIRTIO_FPR_VERSION	0x0100
#define VIRTIO_FPR_MAJOR(version)	((version) >> 8)

/* Feature bits */
#define VIRTIO_FPR_F_ZERO	0	/* discarded memory reads as zeros */
#define VIRTIO_FPR_F_PRESSURE	1	/* @pressure is kept up to date */
#define VIRTIO_FPR_F_REQUEST	2	/* the host may ask; see 5. */

/* How badly the host needs memory: &virtio_fpr_config.pressure */
#define VIRTIO_FPR_P_NONE	0	/* plenty: report what stays free for long */
#define VIRTIO_FPR_P_LOW	1	/* report what stays free */
#define VIRTIO_FPR_P_HIGH	2	/* report soon */
#define VIRTIO_FPR_P_CRITICAL	3	/* report all that is free, now */

/**
 * struct virtio_fpr_config - configuration space
 * @magic: %VIRTIO_FPR_MAGIC
 * @version: %VIRTIO_FPR_VERSION
 * @config_size: bytes of this structure that the device has
 * @granule_shift: log2 of the discard granule, bytes: what is smaller, or not
 *	aligned to it, cannot be discarded (12 for 4 KiB pages, 21 for memory of
 *	2 MiB hugetlb pages, 30 for 1 GiB); 12 to 63
 * @reserved: 0
 * @max_ranges: most ranges of a request; at least 1
 * @max_range: longest range, bytes; 0 for no limit, else at least one granule
 * @pressure: %VIRTIO_FPR_P_NONE ... %VIRTIO_FPR_P_CRITICAL, with
 *	%VIRTIO_FPR_F_PRESSURE
 * @request: number of the latest request, with %VIRTIO_FPR_F_REQUEST
 * @request_shift: log2 of the smallest piece that @request wants, bytes; less
 *	than @granule_shift means the granule
 * @reserved2: 0
 */
struct virtio_fpr_config {
	__le32 magic;
	__le16 version;
	__le16 config_size;
	__u8 granule_shift;
	__u8 reserved[3];
	__le32 max_ranges;
	__le64 max_range;
	__le32 pressure;
	__le32 request;
	__u8 request_shift;
	__u8 reserved2[7];
};

/* Request types: &virtio_fpr_req.type */
#define VIRTIO_FPR_T_REPORT	0
#define VIRTIO_FPR_T_DONE	1

/**
 * struct virtio_fpr_req - what every request begins with
 * @type: %VIRTIO_FPR_T_REPORT or %VIRTIO_FPR_T_DONE
 * @nr_ranges: ranges that follow; 0 for %VIRTIO_FPR_T_DONE
 * @request: for %VIRTIO_FPR_T_DONE the number that is answered, else 0
 * @reserved: 0
 * @bytes: for %VIRTIO_FPR_T_DONE what was reported for it, for statistics; for
 *	%VIRTIO_FPR_T_REPORT the sum of the ranges
 */
struct virtio_fpr_req {
	__le32 type;
	__le32 nr_ranges;
	__le32 request;
	__le32 reserved;
	__le64 bytes;
};

/**
 * struct virtio_fpr_range - free memory of the guest
 * @addr: guest physical address, bytes; a multiple of 4096
 * @len: bytes; a multiple of 4096, not 0
 */
struct virtio_fpr_range {
	__le64 addr;
	__le64 len;
};

/* &virtio_fpr_resp.status: why something was refused, if it was */
#define VIRTIO_FPR_S_OK		0	/* all was discarded, or done */
#define VIRTIO_FPR_S_GRANULE	1	/* parts do not cover whole granules */
#define VIRTIO_FPR_S_RANGE	2	/* parts are no memory of this guest */
#define VIRTIO_FPR_S_DISABLED	3	/* the host does not discard now */
#define VIRTIO_FPR_S_ERROR	4	/* the host tried and failed */
#define VIRTIO_FPR_S_UNSUPPORTED 5	/* unknown type; nothing was done */

/**
 * struct virtio_fpr_resp - the device's answer
 * @status: %VIRTIO_FPR_S_OK or the reason for most of what was refused
 * @reserved: 0
 * @discarded: bytes that the host has discarded
 * @refused: bytes of the ranges that it has not
 *
 * @discarded and @refused make the sum of the ranges, unless the request was not
 * understood.  A request that breaks the rules of this file (too many ranges, a
 * chain too short for them, an address that is not aligned) is no matter of an
 * answer: the device sets DEVICE_NEEDS_RESET and stops.
 */
struct virtio_fpr_resp {
	__le32 status;
	__le32 reserved;
	__le64 discarded;
	__le64 refused;
};

/* Sizes that both sides are built on, whatever the compiler thinks */
#define VIRTIO_FPR_ASSERT_SIZE(type, size) \
	typedef char __virtio_fpr_##type##_is_##size##_bytes \
		[sizeof(struct virtio_fpr_##type) == (size) ? 1 : -1]
VIRTIO_FPR_ASSERT_SIZE(config, 40);
VIRTIO_FPR_ASSERT_SIZE(req, 24);
VIRTIO_FPR_ASSERT_SIZE(range, 16);
VIRTIO_FPR_ASSERT_SIZE(resp, 24);
#undef VIRTIO_FPR_ASSERT_SIZE

#endif /* _UAPI_LINUX_VIRTIO_FPR_H */
