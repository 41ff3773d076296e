// SPDX-License-Identifier: GPL-2.0
/*
 * The vendor device from the program's side: configuration, pressure, requests to
 * the guest and their answers.
 */
#include "vendor.h"

#include <errno.h>

static struct device_request told;
static unsigned int times_told;

static void hear_answer(void *ctx, const struct device_request *request_told)
{
	assert_ptr_equal(ctx, &times_told);
	told = *request_told;
	times_told++;
}

static int begin(void **state)
{
	(void)state;
	vendor_boot();
	device.answered = hear_answer;
	device.answered_ctx = &times_told;
	times_told = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	guest_shutdown(&guest);
	return 0;
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
	device.first_request = UINT32_MAX - 1;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
#define DEVICE_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
		DEVICE_TEST(the_configuration_is_that_of_the_abi),
		DEVICE_TEST(memory_may_raise_the_granule),
		DEVICE_TEST(pressure_is_told_when_it_changes),
		DEVICE_TEST(a_request_is_answered),
		DEVICE_TEST(an_answer_covers_all_before),
		DEVICE_TEST(strange_answers_mean_nothing),
		DEVICE_TEST(not_too_many_wait_for_an_answer),
		DEVICE_TEST(the_numbers_wrap_past_zero),
		DEVICE_TEST(a_driver_may_not_take_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
