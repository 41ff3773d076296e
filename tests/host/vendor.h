/* SPDX-License-Identifier: GPL-2.0 */
/* A driver of the vendor device, for tests: one request at a time. */
#ifndef TEST_VENDOR_H
#define TEST_VENDOR_H

#include "guest.h"

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "../../src/host/device.h"

#define N	VRING_DESC_F_NEXT
#define W	VRING_DESC_F_WRITE
#define REQ	BUFFERS
#define RESP	(BUFFERS + 0x80000)
#define ALL	(1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_FPR_F_ZERO | \
		 1ULL << VIRTIO_FPR_F_PRESSURE | 1ULL << VIRTIO_FPR_F_REQUEST)

static struct device device;
static struct guest guest;
static struct virtio_fpr_resp resp;

static inline int vendor_boot(void)
{
	device_init(&device);
	device.discard.say = guest_hear;
	device.discard.ctx = &guest;
	guest_boot(&guest, &device.vdev, QUEUE_SIZE);
	return 0;
}

/* The request as it lies at REQ, @len bytes, with room for @room at RESP */
static inline void submit(uint32_t len, uint32_t room)
{
	memset(guest_at(&guest, RESP), 0xee, 64);
	guest_desc(&guest, 0, 0, REQ, len, room ? N : 0, 1);
	guest_desc(&guest, 0, 1, RESP, room, W, 0);
	guest_avail(&guest, 0, 0);
}

/* Takes the answer; returns the used length. */
static inline uint32_t take(void)
{
	uint32_t id, len;

	assert_true(guest_used(&guest, 0, &id, &len));
	assert_int_equal(id, 0);
	memcpy(&resp, guest_at(&guest, RESP), sizeof(resp));
	return len;
}

static inline void request(uint32_t type, uint32_t nr, uint32_t number, uint64_t bytes)
{
	struct virtio_fpr_req *req = guest_at(&guest, REQ);

	*req = (struct virtio_fpr_req){
		.type = type, .nr_ranges = nr, .request = number, .bytes = bytes,
	};
}

static inline void range(unsigned int i, uint64_t addr, uint64_t len)
{
	struct virtio_fpr_range *r = guest_at(&guest, REQ + 24 + 16ULL * i);

	*r = (struct virtio_fpr_range){ addr, len };
}

static inline uint32_t report_one(uint64_t addr, uint64_t len)
{
	request(VIRTIO_FPR_T_REPORT, 1, 0, len);
	range(0, addr, len);
	submit(40, sizeof(resp));
	assert_false(guest_kick(&guest, 0));
	return take();
}

#endif /* TEST_VENDOR_H */
