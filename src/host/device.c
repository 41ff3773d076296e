// SPDX-License-Identifier: GPL-2.0
/* The vendor device; see device.h, and the ABI's header for the rules. */
#include "device.h"

#include <endian.h>
#include <errno.h>
#include <linux/virtio_config.h>
#include <string.h>

#include "util.h"

/* What the ABI asks of addresses and lengths, whatever the pages' size here. */
#define UNIT	4096

static struct device *to_device(struct vdev *vdev)
{
	return container_of(vdev, struct device, vdev);
}

/* Configuration */

/* Whether the granule is another than the driver may have read. */
static bool update_granule(struct device *d)
{
	uint64_t granule = discard_granule(&d->discard, &d->vdev.mem);
	uint8_t shift = (uint8_t)__builtin_ctzll(granule);

	if (d->config.granule_shift == shift)
		return false;
	d->config.granule_shift = shift;
	return true;
}

static uint64_t device_features(struct vdev *vdev)
{
	(void)vdev;
	return 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_FPR_F_ZERO |
	       1ULL << VIRTIO_FPR_F_PRESSURE | 1ULL << VIRTIO_FPR_F_REQUEST;
}

static void device_set_features(struct vdev *vdev, uint64_t features)
{
	to_device(vdev)->queues.features = features & device_features(vdev);
}

static void device_config_read(struct vdev *vdev, size_t offset, void *to,
			       size_t len)
{
	struct device *d = to_device(vdev);

	update_granule(d);
	memcpy(to, (const char *)&d->config + offset, len);
}

static void device_mem_changed(struct vdev *vdev)
{
	struct device *d = to_device(vdev);

	discard_check_all(&d->discard, &vdev->mem);
	/*
	 * vhost-user tells of the memory when the driver is ready, which is
	 * after it has read the configuration.
	 */
	if (update_granule(d))
		queues_config_changed(&d->queues);
}

/* Requests to the guest */

static struct device_request *slot(struct device *d, uint32_t number)
{
	return &d->requests[number % DEVICE_MAX_REQUESTS];
}

static uint32_t next_number(const struct device *d)
{
	uint32_t number = le32toh(d->config.request);

	number = number ? number + 1 : d->first_request;
	/* 0 says that there never was one. */
	return number ? number : 1;
}

int device_request(struct device *d, unsigned int shift, uint32_t *number)
{
	struct device_request *request;
	uint32_t next = next_number(d);

	if (shift > 63)
		return -EINVAL;
	if (ring_running(&d->queues.rings[0]) &&
	    !(d->queues.features >> VIRTIO_FPR_F_REQUEST & 1))
		return -EOPNOTSUPP;
	request = slot(d, next);
	if (request->number && !request->answered)
		return -EBUSY;
	*request = (struct device_request){
		.number = next,
		.discarded = d->counters.discarded_bytes,
		.ns = now_ns(),
	};
	d->counters.requests_made++;
	d->config.request = htole32(next);
	d->config.request_shift = (uint8_t)shift;
	*number = next;
	queues_config_changed(&d->queues);
	return 0;
}

int device_query(const struct device *d, uint32_t number,
		 struct device_request *request)
{
	const struct device_request *r =
		&d->requests[number % DEVICE_MAX_REQUESTS];

	if (!number || r->number != number)
		return -ENOENT;
	*request = *r;
	if (!r->answered) {
		request->ns = now_ns() - r->ns;
		request->discarded = d->counters.discarded_bytes - r->discarded;
	}
	return 0;
}

static void answer(struct device *d, struct device_request *r, uint64_t bytes)
{
	r->answered = true;
	r->bytes = bytes;
	r->discarded = d->counters.discarded_bytes - r->discarded;
	r->ns = now_ns() - r->ns;
	d->counters.requests_answered++;
	if (d->answered)
		d->answered(d->answered_ctx, r);
}

/*
 * The answer to a number answers those before it.  A number that was not made is
 * meant for this program's predecessor, and one that was answered comes again from
 * a driver that starts, which answers what it finds.
 */
static void answered(struct device *d, uint32_t number, uint64_t bytes)
{
	unsigned int i = DEVICE_MAX_REQUESTS;

	if (!number || slot(d, number)->number != number)
		return;
	while (i-- > 0) {
		uint32_t n = number - i;
		struct device_request *r = slot(d, n);

		if (n && r->number == n && !r->answered)
			answer(d, r, bytes);
	}
}

/* Requests from the guest */

static const char *read_ranges(struct device *d, uint32_t nr, uint64_t bytes)
{
	const struct virtio_fpr_range *ranges = d->ranges;
	uint64_t sum = 0;
	uint32_t i;

	if (nr > DEVICE_MAX_RANGES)
		return "more ranges than the device takes";
	if (!ring_read(&d->queues.chain, &d->vdev.mem,
		       sizeof(struct virtio_fpr_req), d->ranges,
		       nr * sizeof(ranges[0])))
		return "request too short for its ranges";
	for (i = 0; i < nr; i++) {
		uint64_t addr = le64toh(ranges[i].addr);
		uint64_t len = le64toh(ranges[i].len);

		if ((addr | len) & (UNIT - 1))
			return "range that is not aligned to 4096 bytes";
		if (!len)
			return "range of no length";
		if (addr + len < addr)
			return "range beyond the end of the address space";
		if (__builtin_add_overflow(sum, len, &sum))
			return "ranges of more bytes than there are addresses";
	}
	if (sum != bytes)
		return "request's bytes are not the sum of its ranges";
	return NULL;
}

static uint32_t status(const struct discard_result *result)
{
	enum discard_reason reason = discard_main_reason(result);

	if (reason == DISCARD_NR_REASONS)
		return VIRTIO_FPR_S_OK;
	return VIRTIO_FPR_S_GRANULE + (uint32_t)reason;
}

_Static_assert(VIRTIO_FPR_S_GRANULE + DISCARD_RANGE == VIRTIO_FPR_S_RANGE &&
	       VIRTIO_FPR_S_GRANULE + DISCARD_DISABLED == VIRTIO_FPR_S_DISABLED &&
	       VIRTIO_FPR_S_GRANULE + DISCARD_ERROR == VIRTIO_FPR_S_ERROR,
	       "reasons are in the order of their statuses");

static const char *serve_report(struct device *d,
				const struct virtio_fpr_req *req,
				struct virtio_fpr_resp *resp)
{
	struct discard_result result = { 0 };
	uint32_t nr = le32toh(req->nr_ranges), i;
	uint64_t start = now_ns();
	const char *why;

	why = read_ranges(d, nr, le64toh(req->bytes));
	if (why)
		return why;
	for (i = 0; i < nr; i++)
		discard_range(&d->discard, &d->vdev.mem,
			      le64toh(d->ranges[i].addr),
			      le64toh(d->ranges[i].len), &result);
	counters_report(&d->counters, nr, &result, now_ns() - start);
	resp->status = htole32(status(&result));
	resp->discarded = htole64(result.discarded);
	resp->refused = htole64(discard_refused(&result));
	return NULL;
}

static const char *serve(struct queues *q, unsigned int index,
			 uint32_t *written)
{
	struct device *d = container_of(q, struct device, queues);
	struct virtio_fpr_resp resp = { 0 };
	struct virtio_fpr_req req;
	const char *why = NULL;

	(void)index;
	if (!ring_read(&q->chain, &d->vdev.mem, 0, &req, sizeof(req)))
		return "request too short for its header";
	switch (le32toh(req.type)) {
	case VIRTIO_FPR_T_REPORT:
		why = serve_report(d, &req, &resp);
		break;
	case VIRTIO_FPR_T_DONE:
		if (req.nr_ranges)
			return "answer with ranges";
		answered(d, le32toh(req.request), le64toh(req.bytes));
		break;
	default:
		d->counters.unsupported++;
		resp.status = htole32(VIRTIO_FPR_S_UNSUPPORTED);
	}
	if (!why && ring_write(&q->chain, &d->vdev.mem, &resp, sizeof(resp)))
		*written = sizeof(resp);
	return why;
}

/* For the protocol */

static int device_queue_start(struct vdev *vdev, unsigned int q,
			      const struct vdev_queue_setup *setup)
{
	return queues_start(&to_device(vdev)->queues, q, setup);
}

static uint16_t device_queue_stop(struct vdev *vdev, unsigned int q)
{
	return queues_stop(&to_device(vdev)->queues, q);
}

static bool device_kick(struct vdev *vdev, unsigned int q)
{
	return queues_kick(&to_device(vdev)->queues, q);
}

static void device_set_broken(struct vdev *vdev, const char *why)
{
	queues_broken(&to_device(vdev)->queues, why);
}

static void device_reset(struct vdev *vdev)
{
	queues_reset(&to_device(vdev)->queues);
}

static const struct vdev_ops device_ops = {
	.nr_queues = 1,
	.features = device_features,
	.set_features = device_set_features,
	.config_size = sizeof(struct virtio_fpr_config),
	.config_read = device_config_read,
	.mem_changed = device_mem_changed,
	.queue_start = device_queue_start,
	.queue_stop = device_queue_stop,
	.kick = device_kick,
	.broken = device_set_broken,
	.reset = device_reset,
};

/* For the program */

void device_init(struct device *d)
{
	memset(d, 0, sizeof(*d));
	d->vdev.ops = &device_ops;
	mem_init(&d->vdev.mem);
	d->queues.dev = &d->vdev;
	d->queues.serve = serve;
	d->queues.counters = &d->counters;
	d->queues.discard = &d->discard;
	d->queues.access = true;
	d->config.magic = htole32(VIRTIO_FPR_MAGIC);
	d->config.version = htole16(VIRTIO_FPR_VERSION);
	d->config.config_size = htole16(sizeof(d->config));
	d->config.max_ranges = htole32(DEVICE_MAX_RANGES);
	update_granule(d);
}

int device_set_pressure(struct device *d, unsigned int level)
{
	if (level > VIRTIO_FPR_P_CRITICAL)
		return -EINVAL;
	if (le32toh(d->config.pressure) == level)
		return 0;
	d->config.pressure = htole32(level);
	queues_config_changed(&d->queues);
	return 0;
}

void device_set_discard(struct device *d, enum discard_mode mode)
{
	d->discard.mode = mode;
}

const char *device_broken(const struct device *d)
{
	return d->queues.broken;
}
