// SPDX-License-Identifier: GPL-2.0
/* The vendor device, from the driver's side and from the program's. */
#include "guest.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <time.h>
#include <unistd.h>

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
static struct device_request told;
static unsigned int times_told;

static void hear_answer(void *ctx, const struct device_request *request)
{
	assert_ptr_equal(ctx, &times_told);
	told = *request;
	times_told++;
}

static int begin(void **state)
{
	(void)state;
	device_init(&device);
	device.discard.say = guest_hear;
	device.discard.ctx = &guest;
	device.answered = hear_answer;
	device.answered_ctx = &times_told;
	times_told = 0;
	guest_boot(&guest, &device.vdev, QUEUE_SIZE);
	return 0;
}

static int end(void **state)
{
	(void)state;
	guest_shutdown(&guest);
	return 0;
}

/* The request as it lies at REQ, @len bytes, with room for @room at RESP */
static void submit(uint32_t len, uint32_t room)
{
	memset(guest_at(&guest, RESP), 0xee, 64);
	guest_desc(&guest, 0, 0, REQ, len, room ? N : 0, 1);
	guest_desc(&guest, 0, 1, RESP, room, W, 0);
	guest_avail(&guest, 0, 0);
}

/* Takes the answer; returns the used length. */
static uint32_t take(void)
{
	uint32_t id, len;

	assert_true(guest_used(&guest, 0, &id, &len));
	assert_int_equal(id, 0);
	memcpy(&resp, guest_at(&guest, RESP), sizeof(resp));
	return len;
}

static void request(uint32_t type, uint32_t nr, uint32_t number, uint64_t bytes)
{
	struct virtio_fpr_req *req = guest_at(&guest, REQ);

	*req = (struct virtio_fpr_req){
		.type = type, .nr_ranges = nr, .request = number, .bytes = bytes,
	};
}

static void range(unsigned int i, uint64_t addr, uint64_t len)
{
	struct virtio_fpr_range *r = guest_at(&guest, REQ + 24 + 16 * i);

	*r = (struct virtio_fpr_range){ addr, len };
}

static uint32_t report_one(uint64_t addr, uint64_t len)
{
	request(VIRTIO_FPR_T_REPORT, 1, 0, len);
	range(0, addr, len);
	submit(40, sizeof(resp));
	assert_false(guest_kick(&guest, 0));
	return take();
}

static void done(uint32_t number, uint64_t bytes)
{
	request(VIRTIO_FPR_T_DONE, 0, number, bytes);
	submit(24, sizeof(resp));
	guest_kick(&guest, 0);
	assert_int_equal(take(), sizeof(resp));
	assert_int_equal(resp.status, VIRTIO_FPR_S_OK);
}

static struct virtio_fpr_config config(void)
{
	struct virtio_fpr_config c;

	device.vdev.ops->config_read(&device.vdev, 0, &c, sizeof(c));
	return c;
}

static void the_configuration_is_that_of_the_abi(void **state)
{
	const struct vdev_ops *ops = device.vdev.ops;
	struct virtio_fpr_config c = config();
	uint8_t bytes[4];
	uint32_t max;

	(void)state;
	assert_int_equal(ops->nr_queues, 1);
	assert_int_equal(ops->config_size, 40);
	assert_int_equal(ops->features(&device.vdev), ALL);
	assert_int_equal(c.magic, VIRTIO_FPR_MAGIC);
	assert_int_equal(c.version, VIRTIO_FPR_VERSION);
	assert_int_equal(c.config_size, 40);
	assert_int_equal(c.granule_shift, 12);
	assert_int_equal(c.max_ranges, DEVICE_MAX_RANGES);
	assert_int_equal(c.max_range, 0);
	assert_int_equal(c.pressure, VIRTIO_FPR_P_NONE);
	assert_int_equal(c.request, 0);
	assert_int_equal(c.request_shift, 0);
	ops->config_read(&device.vdev, 0, bytes, 4);
	assert_memory_equal(bytes, "fprv", 4);
	ops->config_read(&device.vdev, 12, &max, 4);
	assert_int_equal(max, DEVICE_MAX_RANGES);
}

static void a_report_discards(void **state)
{
	(void)state;
	guest_fill(&guest, HIGH, HIGH_SIZE, 5);
	assert_int_equal(report_one(HIGH, MIB), sizeof(resp));
	assert_int_equal(resp.status, VIRTIO_FPR_S_OK);
	assert_int_equal(resp.reserved, 0);
	assert_int_equal(resp.discarded, MIB);
	assert_int_equal(resp.refused, 0);
	assert_true(guest_is(&guest, HIGH, MIB, 0));
	assert_true(guest_is(&guest, HIGH + MIB, HIGH_SIZE - MIB, 5));
	assert_int_equal(guest.interrupts, 1);
	assert_int_equal(device.counters.reports, 1);
	assert_int_equal(device.counters.ranges, 1);
	assert_int_equal(device.counters.discarded_bytes, MIB);
}

static void descriptors_divide_a_request_anywhere(void **state)
{
	unsigned int i;

	(void)state;
	guest_fill(&guest, HIGH, HIGH_SIZE, 5);
	request(VIRTIO_FPR_T_REPORT, 2, 0, 3 * MIB);
	range(0, HIGH, MIB);
	range(1, HIGH + 2 * MIB, 2 * MIB);
	/* Pieces of 7 bytes, of which the last is longer than needed */
	for (i = 0; i < 8; i++)
		guest_desc(&guest, 0, i, REQ + 7 * i, i < 7 ? 7 : 100, N, i + 1);
	guest_desc(&guest, 0, 8, RESP, 5, W | N, 9);
	guest_desc(&guest, 0, 9, RESP + 5, 100, W, 0);
	guest_avail(&guest, 0, 0);
	guest_kick(&guest, 0);
	assert_int_equal(take(), sizeof(resp));
	assert_int_equal(resp.status, VIRTIO_FPR_S_OK);
	assert_int_equal(resp.discarded, 3 * MIB);
	assert_true(guest_is(&guest, HIGH, MIB, 0));
	assert_true(guest_is(&guest, HIGH + MIB, MIB, 5));
	assert_true(guest_is(&guest, HIGH + 2 * MIB, 2 * MIB, 0));
}

static void the_status_is_the_main_reason(void **state)
{
	(void)state;
	report_one(HIGH - MIB, MIB + 8192);
	assert_int_equal(resp.status, VIRTIO_FPR_S_RANGE);
	assert_int_equal(resp.discarded, 8192);
	assert_int_equal(resp.refused, MIB);
	device.discard.granule = 2 * MIB;
	report_one(HIGH, 4096);
	assert_int_equal(resp.status, VIRTIO_FPR_S_GRANULE);
	assert_int_equal(resp.refused, 4096);
	device_set_discard(&device, DISCARD_NONE);
	report_one(HIGH, 2 * MIB);
	assert_int_equal(resp.status, VIRTIO_FPR_S_DISABLED);
	device_set_discard(&device, DISCARD_PUNCH);
	report_one(HIGH, 2 * MIB);
	assert_int_equal(resp.status, VIRTIO_FPR_S_OK);
	close(device.vdev.mem.regions[2].fd);
	device.vdev.mem.regions[2].fd = -1;
	report_one(HIGH, 2 * MIB);
	assert_int_equal(resp.status, VIRTIO_FPR_S_ERROR);
	assert_int_equal(resp.refused, 2 * MIB);
	device.vdev.mem.regions[2].fd = dup(guest.fd);
	assert_int_equal(device.counters.refused_bytes[DISCARD_RANGE], MIB);
	assert_int_equal(device.counters.refused_bytes[DISCARD_GRANULE], 4096);
	assert_int_equal(device.counters.refused_bytes[DISCARD_DISABLED], 2 * MIB);
	assert_int_equal(device.counters.refused_bytes[DISCARD_ERROR], 2 * MIB);
}

static void the_largest_request_is_served(void **state)
{
	unsigned int i;

	(void)state;
	guest_fill(&guest, HIGH, HIGH_SIZE, 5);
	request(VIRTIO_FPR_T_REPORT, DEVICE_MAX_RANGES, 0,
		DEVICE_MAX_RANGES * 4096);
	for (i = 0; i < DEVICE_MAX_RANGES; i++)
		range(i, HIGH + i * 8192, 4096);
	submit(24 + 16 * DEVICE_MAX_RANGES, sizeof(resp));
	guest_kick(&guest, 0);
	assert_int_equal(take(), sizeof(resp));
	assert_int_equal(resp.discarded, DEVICE_MAX_RANGES * 4096);
	for (i = 0; i < DEVICE_MAX_RANGES; i++)
		assert_int_equal(*(uint8_t *)guest_at(&guest, HIGH + i * 4096),
				 i % 2 ? 5 : 0);
}

static void a_report_of_nothing_is_served(void **state)
{
	(void)state;
	request(VIRTIO_FPR_T_REPORT, 0, 0, 0);
	submit(24, sizeof(resp));
	guest_kick(&guest, 0);
	assert_int_equal(take(), sizeof(resp));
	assert_int_equal(resp.status, VIRTIO_FPR_S_OK);
}

static void an_unknown_type_is_answered(void **state)
{
	(void)state;
	request(2, 1000000, 0, 0);
	submit(24, sizeof(resp));
	guest_kick(&guest, 0);
	assert_int_equal(take(), sizeof(resp));
	assert_int_equal(resp.status, VIRTIO_FPR_S_UNSUPPORTED);
	assert_int_equal(resp.discarded, 0);
	assert_int_equal(resp.refused, 0);
	assert_int_equal(device.counters.unsupported, 1);
	assert_null(device_broken(&device));
}

static void no_room_means_no_answer(void **state)
{
	(void)state;
	guest_fill(&guest, HIGH, MIB, 5);
	request(VIRTIO_FPR_T_REPORT, 1, 0, MIB);
	range(0, HIGH, MIB);
	submit(40, sizeof(resp) - 1);
	guest_kick(&guest, 0);
	assert_int_equal(take(), 0);
	assert_int_equal(*(uint8_t *)guest_at(&guest, RESP), 0xee);
	assert_true(guest_is(&guest, HIGH, MIB, 0));
	submit(40, 0);
	guest_kick(&guest, 0);
	assert_int_equal(take(), 0);
	assert_int_equal(device.counters.reports, 2);
}

static const struct {
	const char *why;
	uint32_t type, nr, len;
	uint64_t bytes, addr, range_len;
} rule_breakers[] = {
	{ "short for its header", VIRTIO_FPR_T_REPORT, 0, 23, 0, 0, 0 },
	{ "short for its header", VIRTIO_FPR_T_REPORT, 0, 1, 0, 0, 0 },
	{ "short for its ranges", VIRTIO_FPR_T_REPORT, 1, 39, 4096, HIGH, 4096 },
	{ "short for its ranges", VIRTIO_FPR_T_REPORT, 2, 40, 4096, HIGH, 4096 },
	{ "more ranges", VIRTIO_FPR_T_REPORT, DEVICE_MAX_RANGES + 1, 65536, 0, 0, 0 },
	{ "more ranges", VIRTIO_FPR_T_REPORT, UINT32_MAX, 65536, 0, 0, 0 },
	/* 16 times this is 16. */
	{ "more ranges", VIRTIO_FPR_T_REPORT, 0x10000001, 40, 4096, HIGH, 4096 },
	{ "aligned", VIRTIO_FPR_T_REPORT, 1, 40, 4096, HIGH + 1, 4096 },
	{ "aligned", VIRTIO_FPR_T_REPORT, 1, 40, 4096, HIGH + 2048, 4096 },
	{ "aligned", VIRTIO_FPR_T_REPORT, 1, 40, 4097, HIGH, 4097 },
	{ "no length", VIRTIO_FPR_T_REPORT, 1, 40, 0, HIGH, 0 },
	{ "end of the address", VIRTIO_FPR_T_REPORT, 1, 40, 8192, 0 - 4096ULL, 8192 },
	{ "sum of its ranges", VIRTIO_FPR_T_REPORT, 1, 40, 8192, HIGH, 4096 },
	{ "sum of its ranges", VIRTIO_FPR_T_REPORT, 1, 40, 0, HIGH, 4096 },
	{ "answer with ranges", VIRTIO_FPR_T_DONE, 1, 40, 4096, HIGH, 4096 },
};

static void who_breaks_the_rules_is_stopped_until_reset(void **state)
{
	unsigned int i, n = sizeof(rule_breakers) / sizeof(rule_breakers[0]);
	uint32_t id, len;

	(void)state;
	guest_fill(&guest, HIGH, HIGH_SIZE, 5);
	for (i = 0; i < n; i++) {
		request(rule_breakers[i].type, rule_breakers[i].nr, 0,
			rule_breakers[i].bytes);
		range(0, rule_breakers[i].addr, rule_breakers[i].range_len);
		submit(rule_breakers[i].len, sizeof(resp));
		assert_false(guest_kick(&guest, 0));
		if (guest.resets_needed != i + 1 ||
		    !strstr(guest.why, rule_breakers[i].why))
			fail_msg("row %u: %s, not: %s", i, guest.why,
				 rule_breakers[i].why);
		assert_string_equal(device_broken(&device), guest.why);
		assert_false(guest_used(&guest, 0, &id, &len));
		/* A good one waits in vain, also in a queue started anew. */
		request(VIRTIO_FPR_T_REPORT, 0, 0, 0);
		submit(24, sizeof(resp));
		assert_false(guest_kick(&guest, 0));
		device.vdev.ops->queue_stop(&device.vdev, 0);
		guest_start_queues(&guest);
		request(VIRTIO_FPR_T_REPORT, 0, 0, 0);
		submit(24, sizeof(resp));
		assert_false(guest_kick(&guest, 0));
		assert_false(guest_used(&guest, 0, &id, &len));
		assert_int_equal(guest.resets_needed, i + 1);
		guest_reset(&guest);
		assert_null(device_broken(&device));
		guest_start_queues(&guest);
	}
	assert_int_equal(device.counters.needs_reset, n);
	assert_int_equal(device.counters.reports, 0);
	assert_int_equal(guest.interrupts, 0);
	assert_true(guest_is(&guest, HIGH, HIGH_SIZE, 5));
	assert_int_equal(report_one(HIGH, 4096), sizeof(resp));
}

static void a_broken_ring_stops_the_device(void **state)
{
	(void)state;
	guest_set_avail_idx(&guest, 0, 1000);
	assert_false(guest_kick(&guest, 0));
	assert_non_null(strstr(device_broken(&device), "available index"));
	assert_int_equal(guest.resets_needed, 1);
}

/* One bad range of many: none of them is touched. */
static void nothing_is_discarded_of_a_bad_request(void **state)
{
	unsigned int i;

	(void)state;
	guest_fill(&guest, HIGH, HIGH_SIZE, 5);
	request(VIRTIO_FPR_T_REPORT, 10, 0, 10 * 4096);
	for (i = 0; i < 10; i++)
		range(i, HIGH + i * 4096 + (i == 9), 4096);
	submit(24 + 160, sizeof(resp));
	guest_kick(&guest, 0);
	assert_non_null(device_broken(&device));
	assert_true(guest_is(&guest, HIGH, HIGH_SIZE, 5));
	guest_reset(&guest);
	guest_start_queues(&guest);
	/* The sum of the lengths overflows to 0. */
	request(VIRTIO_FPR_T_REPORT, 4, 0, 0);
	for (i = 0; i < 4; i++)
		range(i, 0, 1ULL << 62);
	submit(24 + 64, sizeof(resp));
	guest_kick(&guest, 0);
	assert_non_null(strstr(device_broken(&device), "more bytes than"));
}

static void a_kick_is_bounded(void **state)
{
	static struct vdev_queue_setup s;
	unsigned int i, served = 0;
	uint32_t id, len;

	(void)state;
	request(VIRTIO_FPR_T_REPORT, 0, 0, 0);
	for (i = 0; i < QUEUE_SIZE; i++) {
		guest_desc(&guest, 0, i, REQ, 24, 0, 0);
		guest_avail(&guest, 0, i);
	}
	/* Full: there may be more.  Then it is empty. */
	assert_true(guest_kick(&guest, 0));
	assert_int_equal(device.counters.reports, QUEUE_SIZE);
	assert_false(guest_kick(&guest, 0));
	while (guest_used(&guest, 0, &id, &len))
		assert_int_equal(id, served++);
	assert_int_equal(served, QUEUE_SIZE);
	assert_int_equal(guest.interrupts, QUEUE_SIZE);
	guest_setup(&guest, 0, &s);
	assert_int_equal(device.vdev.ops->queue_stop(&device.vdev, 0),
			 QUEUE_SIZE);
	assert_false(guest_kick(&guest, 0));
}

static void dawdle(void *transport, unsigned int q)
{
	const struct timespec ts = { .tv_nsec = 20000000 };

	(void)transport;
	(void)q;
	nanosleep(&ts, NULL);
}

/* Requests that take 20 ms each: after 50 ms other things have their turn. */
static void a_kick_is_bounded_in_time(void **state)
{
	const struct vdev_transport_ops *ops = device.vdev.transport_ops;
	struct vdev_transport_ops slow = *ops;
	unsigned int i;

	(void)state;
	slow.interrupt = dawdle;
	device.vdev.transport_ops = &slow;
	request(VIRTIO_FPR_T_REPORT, 0, 0, 0);
	guest_desc(&guest, 0, 0, REQ, 24, 0, 0);
	for (i = 0; i < 10; i++)
		guest_avail(&guest, 0, 0);
	assert_true(guest_kick(&guest, 0));
	assert_in_range(device.counters.reports, 1, 3);
	while (guest_kick(&guest, 0))
		;
	assert_int_equal(device.counters.reports, 10);
	device.vdev.transport_ops = ops;
}

static void interrupts_are_declined(void **state)
{
	(void)state;
	guest_flags(&guest, 0, VRING_AVAIL_F_NO_INTERRUPT);
	report_one(HIGH, 4096);
	assert_int_equal(guest.interrupts, 0);
}

static void without_a_protocol_nothing_is_told(void **state)
{
	const struct vdev_transport_ops *ops = device.vdev.transport_ops;
	uint32_t number;

	(void)state;
	device.vdev.transport_ops = NULL;
	report_one(HIGH, 4096);
	assert_int_equal(device_set_pressure(&device, VIRTIO_FPR_P_LOW), 0);
	assert_int_equal(device_request(&device, 0, &number), 0);
	guest_set_avail_idx(&guest, 0, 500);
	guest_kick(&guest, 0);
	assert_non_null(device_broken(&device));
	assert_int_equal(guest.interrupts + guest.config_changes +
			 guest.resets_needed, 0);
	device.vdev.transport_ops = ops;
}

static void a_queue_needs_the_feature_and_a_number(void **state)
{
	const struct vdev_ops *ops = device.vdev.ops;
	struct vdev_queue_setup s;

	(void)state;
	guest_setup(&guest, 0, &s);
	assert_int_equal(ops->queue_stop(&device.vdev, 0), 0);
	assert_int_equal(ops->queue_start(&device.vdev, 1, &s), -EINVAL);
	assert_int_equal(ops->queue_stop(&device.vdev, 1), 0);
	assert_false(ops->kick(&device.vdev, 1));
	assert_false(ops->kick(&device.vdev, UINT32_MAX));
	ops->set_features(&device.vdev, ALL & ~(1ULL << VIRTIO_F_VERSION_1));
	assert_int_equal(ops->queue_start(&device.vdev, 0, &s), -EINVAL);
	ops->set_features(&device.vdev, ALL);
	s.size = 3;
	assert_int_equal(ops->queue_start(&device.vdev, 0, &s), -EINVAL);
	s.size = QUEUE_SIZE;
	assert_int_equal(ops->queue_start(&device.vdev, 0, &s), 0);
}

static void memory_may_raise_the_granule(void **state)
{
	unsigned int changes = guest.config_changes;

	(void)state;
	device.vdev.mem.regions[1].page_size = 2 * MIB;
	device.vdev.ops->mem_changed(&device.vdev);
	assert_int_equal(guest.config_changes, changes + 1);
	assert_int_equal(config().granule_shift, 21);
	device.vdev.ops->mem_changed(&device.vdev);
	assert_int_equal(guest.config_changes, changes + 1);
	device.discard.granule = 1 << 30;
	assert_int_equal(config().granule_shift, 30);
	device.vdev.mem.regions[1].page_size = 4096;
}

static void pressure_is_told_when_it_changes(void **state)
{
	unsigned int changes = guest.config_changes;

	(void)state;
	assert_int_equal(device_set_pressure(&device, VIRTIO_FPR_P_NONE), 0);
	assert_int_equal(guest.config_changes, changes);
	assert_int_equal(device_set_pressure(&device, VIRTIO_FPR_P_CRITICAL), 0);
	assert_int_equal(guest.config_changes, changes + 1);
	assert_int_equal(config().pressure, VIRTIO_FPR_P_CRITICAL);
	assert_int_equal(device_set_pressure(&device, VIRTIO_FPR_P_CRITICAL), 0);
	assert_int_equal(device_set_pressure(&device, 4), -EINVAL);
	assert_int_equal(guest.config_changes, changes + 1);
	assert_int_equal(config().pressure, VIRTIO_FPR_P_CRITICAL);
	/* It outlives the driver. */
	guest_reset(&guest);
	assert_int_equal(config().pressure, VIRTIO_FPR_P_CRITICAL);
}

static void a_request_is_answered(void **state)
{
	unsigned int changes = guest.config_changes;
	struct device_request r;
	uint32_t number;

	(void)state;
	report_one(HIGH, MIB);
	assert_int_equal(device_query(&device, 0, &r), -ENOENT);
	assert_int_equal(device_query(&device, 1, &r), -ENOENT);
	assert_int_equal(device_request(&device, 64, &number), -EINVAL);
	assert_int_equal(config().request, 0);
	assert_int_equal(device_request(&device, 21, &number), 0);
	assert_int_equal(number, 1);
	assert_int_equal(config().request, 1);
	assert_int_equal(config().request_shift, 21);
	assert_int_equal(guest.config_changes, changes + 1);
	assert_int_equal(device_query(&device, 1, &r), 0);
	assert_false(r.answered);
	report_one(HIGH, 2 * MIB);
	assert_int_equal(device_query(&device, 1, &r), 0);
	assert_int_equal(r.discarded, 2 * MIB);
	assert_int_equal(times_told, 0);
	done(1, 2 * MIB + 4096);
	assert_int_equal(times_told, 1);
	assert_int_equal(told.number, 1);
	assert_true(told.answered);
	assert_int_equal(told.bytes, 2 * MIB + 4096);
	assert_int_equal(told.discarded, 2 * MIB);
	assert_true(told.ns > 0 && told.ns < 60000000000ULL);
	report_one(HIGH, MIB);
	assert_int_equal(device_query(&device, 1, &r), 0);
	assert_memory_equal(&r, &told, sizeof(r));
	assert_int_equal(device.counters.requests_made, 1);
	assert_int_equal(device.counters.requests_answered, 1);
}

static void an_answer_covers_all_before(void **state)
{
	struct device_request r;
	uint32_t number, i;

	(void)state;
	for (i = 1; i <= 3; i++)
		assert_int_equal(device_request(&device, 0, &number), 0);
	done(2, 4096);
	assert_int_equal(times_told, 2);
	assert_int_equal(told.number, 2);
	device_query(&device, 3, &r);
	assert_false(r.answered);
	done(1, 1);
	done(2, 1);
	assert_int_equal(times_told, 2);
	device_query(&device, 1, &r);
	assert_int_equal(r.bytes, 4096);
	done(3, 0);
	assert_int_equal(times_told, 3);
	assert_int_equal(device.counters.requests_answered, 3);
}

/* Answers to a predecessor, from a driver that starts, or made up */
static void strange_answers_mean_nothing(void **state)
{
	uint32_t number;

	(void)state;
	done(0, 0);
	done(5, 0);
	done(UINT32_MAX, 0);
	assert_int_equal(device_request(&device, 0, &number), 0);
	done(0, 0);
	done(2, 0);
	done(17, 0);
	done(UINT32_MAX, 0);
	assert_int_equal(times_told, 0);
	done(1, 0);
	guest_reset(&guest);
	guest_start_queues(&guest);
	assert_int_equal(config().request, 1);
	done(1, 4096);
	assert_int_equal(times_told, 1);
	assert_null(device_broken(&device));
}

static void not_too_many_wait_for_an_answer(void **state)
{
	struct device_request r;
	uint32_t number, i;

	(void)state;
	for (i = 1; i <= DEVICE_MAX_REQUESTS; i++) {
		assert_int_equal(device_request(&device, 0, &number), 0);
		assert_int_equal(number, i);
	}
	assert_int_equal(device_request(&device, 0, &number), -EBUSY);
	assert_int_equal(config().request, DEVICE_MAX_REQUESTS);
	done(DEVICE_MAX_REQUESTS, 4096);
	assert_int_equal(times_told, DEVICE_MAX_REQUESTS);
	assert_int_equal(device_request(&device, 0, &number), 0);
	assert_int_equal(number, DEVICE_MAX_REQUESTS + 1);
	assert_int_equal(device_query(&device, 1, &r), -ENOENT);
	assert_int_equal(device_query(&device, 2, &r), 0);
}

static void the_numbers_wrap_past_zero(void **state)
{
	uint32_t number, i;

	(void)state;
	device.config.request = UINT32_MAX - 2;
	for (i = UINT32_MAX - 1; i != 3; i++) {
		if (!i)
			continue;
		assert_int_equal(device_request(&device, 0, &number), 0);
		assert_int_equal(number, i);
	}
	done(2, 4096);
	assert_int_equal(times_told, 4);
	assert_int_equal(told.number, 2);
}

static void a_driver_may_not_take_requests(void **state)
{
	uint32_t number;

	(void)state;
	device.vdev.ops->set_features(&device.vdev,
				      1ULL << VIRTIO_F_VERSION_1);
	assert_int_equal(device_request(&device, 0, &number), -EOPNOTSUPP);
	/* Without a driver: the next may. */
	guest_reset(&guest);
	assert_int_equal(device_request(&device, 0, &number), 0);
	guest_start_queues(&guest);
	assert_int_equal(config().request, 1);
	done(1, 0);
	assert_int_equal(times_told, 1);
}

/* The queue is in memory that this program sees and the guest does not. */
static void private_memory_is_told(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 2; i++)
		guest_kick(&guest, 0);
	assert_int_equal(guest.said, 0);
	for (i = 0; i < 5; i++)
		guest_kick(&guest, 0);
	assert_int_equal(guest.said, 1);
	assert_non_null(strstr(guest.text, "share=on"));
	/* Not where requests came before. */
	guest_reset(&guest);
	guest_start_queues(&guest);
	report_one(HIGH, 4096);
	for (i = 0; i < 10; i++)
		guest_kick(&guest, 0);
	assert_int_equal(guest.said, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define DEVICE_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
		DEVICE_TEST(the_configuration_is_that_of_the_abi),
		DEVICE_TEST(a_report_discards),
		DEVICE_TEST(descriptors_divide_a_request_anywhere),
		DEVICE_TEST(the_status_is_the_main_reason),
		DEVICE_TEST(the_largest_request_is_served),
		DEVICE_TEST(a_report_of_nothing_is_served),
		DEVICE_TEST(an_unknown_type_is_answered),
		DEVICE_TEST(no_room_means_no_answer),
		DEVICE_TEST(who_breaks_the_rules_is_stopped_until_reset),
		DEVICE_TEST(a_broken_ring_stops_the_device),
		DEVICE_TEST(nothing_is_discarded_of_a_bad_request),
		DEVICE_TEST(a_kick_is_bounded),
		DEVICE_TEST(a_kick_is_bounded_in_time),
		DEVICE_TEST(interrupts_are_declined),
		DEVICE_TEST(without_a_protocol_nothing_is_told),
		DEVICE_TEST(a_queue_needs_the_feature_and_a_number),
		DEVICE_TEST(memory_may_raise_the_granule),
		DEVICE_TEST(pressure_is_told_when_it_changes),
		DEVICE_TEST(a_request_is_answered),
		DEVICE_TEST(an_answer_covers_all_before),
		DEVICE_TEST(strange_answers_mean_nothing),
		DEVICE_TEST(not_too_many_wait_for_an_answer),
		DEVICE_TEST(the_numbers_wrap_past_zero),
		DEVICE_TEST(a_driver_may_not_take_requests),
		DEVICE_TEST(private_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
