// SPDX-License-Identifier: GPL-2.0
/* The balloon device: reports are discarded, everything else comes back. */
#include "guest.h"

#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "../../src/host/balloon.h"

#define N	VRING_DESC_F_NEXT
#define W	VRING_DESC_F_WRITE

static struct balloon balloon;
static struct guest guest;

static int begin(void **state)
{
	(void)state;
	balloon_init(&balloon);
	balloon.discard.say = guest_hear;
	balloon.discard.ctx = &guest;
	guest_boot(&guest, &balloon.vdev, QUEUE_SIZE);
	return 0;
}

static int end(void **state)
{
	(void)state;
	guest_shutdown(&guest);
	return 0;
}

/* Kicks a queue, and takes back what has to be head 0, with nothing written. */
static void serve(unsigned int q)
{
	uint32_t id, len;

	guest_avail(&guest, q, 0);
	assert_false(guest_kick(&guest, q));
	assert_true(guest_used(&guest, q, &id, &len));
	assert_int_equal(id, 0);
	assert_int_equal(len, 0);
}

static void the_device_is_a_balloon_that_only_reports(void **state)
{
	struct virtio_balloon_config config;

	(void)state;
	assert_int_equal(balloon.vdev.ops->nr_queues, 3);
	assert_int_equal(BALLOON_REPORTING, 2);
	assert_int_equal(balloon.vdev.ops->features(&balloon.vdev),
			 1ULL << VIRTIO_F_VERSION_1 |
			 1ULL << VIRTIO_BALLOON_F_REPORTING);
	assert_int_equal(balloon.vdev.ops->config_size, sizeof(config));
	memset(&config, 0xff, sizeof(config));
	balloon.vdev.ops->config_read(&balloon.vdev, 0, &config, sizeof(config));
	assert_int_equal(config.num_pages, 0);
	assert_int_equal(config.actual, 0);
	assert_int_equal(config.poison_val, 0);
}

static void the_buffers_are_discarded(void **state)
{
	(void)state;
	guest_fill(&guest, NEXT, NEXT_SIZE, 4);
	guest_fill(&guest, HIGH, HIGH_SIZE, 5);
	guest_desc(&guest, BALLOON_REPORTING, 0, HIGH, MIB, W | N, 1);
	guest_desc(&guest, BALLOON_REPORTING, 1, NEXT, 8192, W | N, 2);
	guest_desc(&guest, BALLOON_REPORTING, 2, HIGH + 2 * MIB, MIB, W, 0);
	serve(BALLOON_REPORTING);
	assert_true(guest_is(&guest, HIGH, MIB, 0));
	assert_true(guest_is(&guest, HIGH + MIB, MIB, 5));
	assert_true(guest_is(&guest, HIGH + 2 * MIB, MIB, 0));
	assert_true(guest_is(&guest, HIGH + 3 * MIB, HIGH_SIZE - 3 * MIB, 5));
	assert_true(guest_is(&guest, NEXT, 8192, 0));
	assert_true(guest_is(&guest, NEXT + 8192, NEXT_SIZE - 8192, 4));
	assert_int_equal(guest.interrupts, 1);
	assert_int_equal(balloon.counters.reports, 1);
	assert_int_equal(balloon.counters.ranges, 3);
	assert_int_equal(balloon.counters.discarded_bytes, 2 * MIB + 8192);
}

static void what_cannot_be_discarded_is_counted(void **state)
{
	(void)state;
	guest_fill(&guest, HIGH, HIGH_SIZE, 5);
	guest_desc(&guest, BALLOON_REPORTING, 0, HIGH - 4096, 8192, W | N, 1);
	guest_desc(&guest, BALLOON_REPORTING, 1, 1ULL << 50, 4096, W | N, 2);
	guest_desc(&guest, BALLOON_REPORTING, 2, HIGH + 4097, 4096, W, 0);
	serve(BALLOON_REPORTING);
	assert_int_equal(balloon.counters.discarded_bytes, 4096);
	assert_int_equal(balloon.counters.refused_bytes[DISCARD_RANGE], 8192);
	assert_int_equal(balloon.counters.refused_bytes[DISCARD_GRANULE], 4096);
	assert_true(guest_is(&guest, HIGH + 4096, HIGH_SIZE - 4096, 5));
	balloon.discard.mode = DISCARD_NONE;
	guest_desc(&guest, BALLOON_REPORTING, 0, HIGH, MIB, W, 1);
	serve(BALLOON_REPORTING);
	assert_int_equal(balloon.counters.refused_bytes[DISCARD_DISABLED], MIB);
	assert_null(balloon_broken(&balloon));
}

static void inflated_pages_come_back_untouched(void **state)
{
	unsigned int q;

	(void)state;
	guest_fill(&guest, HIGH, HIGH_SIZE, 5);
	for (q = BALLOON_INFLATE; q <= BALLOON_DEFLATE; q++) {
		guest_desc(&guest, q, 0, HIGH, 4096, 0, 0);
		serve(q);
		guest_desc(&guest, q, 0, HIGH, MIB, W, 0);
		serve(q);
	}
	assert_int_equal(guest.interrupts, 4);
	assert_int_equal(balloon.counters.reports, 0);
	assert_true(guest_is(&guest, HIGH, HIGH_SIZE, 5));
}

static void who_breaks_the_rules_is_stopped_until_reset(void **state)
{
	unsigned int q;
	uint32_t id, len;

	(void)state;
	guest_desc(&guest, BALLOON_REPORTING, 0, HIGH, 4096, N, 1);
	guest_desc(&guest, BALLOON_REPORTING, 1, HIGH, 4096, W, 0);
	guest_avail(&guest, BALLOON_REPORTING, 0);
	assert_false(guest_kick(&guest, BALLOON_REPORTING));
	assert_int_equal(guest.resets_needed, 1);
	assert_non_null(strstr(balloon_broken(&balloon), "reporting queue"));
	for (q = 0; q < BALLOON_NR_QUEUES; q++) {
		guest_desc(&guest, q, 0, HIGH, 4096, W, 0);
		guest_avail(&guest, q, 0);
		assert_false(guest_kick(&guest, q));
		assert_false(guest_used(&guest, q, &id, &len));
	}
	guest_reset(&guest);
	guest_start_queues(&guest);
	assert_null(balloon_broken(&balloon));
	guest_desc(&guest, BALLOON_REPORTING, 0, HIGH, 4096, W, 0);
	serve(BALLOON_REPORTING);
	assert_int_equal(balloon.counters.needs_reset, 1);
	assert_int_equal(balloon.counters.discarded_bytes, 4096);
}

static void it_says_why_its_transport_gave_it_up(void **state)
{
	const struct vdev_ops *ops = balloon.vdev.ops;

	(void)state;
	ops->broken(&balloon.vdev, "a ring that is nowhere");
	assert_string_equal(balloon_broken(&balloon), "a ring that is nowhere");
	guest_desc(&guest, BALLOON_REPORTING, 0, HIGH, 4096, W, 0);
	guest_avail(&guest, BALLOON_REPORTING, 0);
	assert_false(guest_kick(&guest, BALLOON_REPORTING));
	assert_int_equal(balloon.counters.reports, 0);
	ops->reset(&balloon.vdev);
	assert_null(balloon_broken(&balloon));
}

static void a_queue_can_be_stopped(void **state)
{
	const struct vdev_ops *ops = balloon.vdev.ops;

	(void)state;
	guest_desc(&guest, BALLOON_REPORTING, 0, HIGH, 4096, W, 0);
	serve(BALLOON_REPORTING);
	assert_int_equal(ops->queue_stop(&balloon.vdev, BALLOON_REPORTING), 1);
	assert_int_equal(ops->queue_stop(&balloon.vdev, 3), 0);
	guest_avail(&guest, BALLOON_REPORTING, 0);
	assert_false(guest_kick(&guest, BALLOON_REPORTING));
	assert_false(guest_kick(&guest, 3));
	assert_int_equal(balloon.counters.reports, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define BALLOON_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
		BALLOON_TEST(the_device_is_a_balloon_that_only_reports),
		BALLOON_TEST(the_buffers_are_discarded),
		BALLOON_TEST(what_cannot_be_discarded_is_counted),
		BALLOON_TEST(inflated_pages_come_back_untouched),
		BALLOON_TEST(who_breaks_the_rules_is_stopped_until_reset),
		BALLOON_TEST(it_says_why_its_transport_gave_it_up),
		BALLOON_TEST(a_queue_can_be_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
