// SPDX-License-Identifier: GPL-2.0
/* Driver and device at the same time: no interrupt is lost, nothing is read twice. */
#include "guest.h"

#include <linux/virtio_ring.h>
#include <pthread.h>
#include <sched.h>

#include "../../src/host/balloon.h"
#include "../../src/host/device.h"

#define ROUNDS	40000
#define CHANGED	5000

static unsigned int interrupts, kicks;
static bool over;

static void count(void *transport, unsigned int q)
{
	(void)transport;
	(void)q;
	__atomic_fetch_add(&interrupts, 1, __ATOMIC_RELAXED);
}

static void ignore(void *transport)
{
	(void)transport;
}

static void ignore_why(void *transport, const char *why)
{
	(void)transport;
	(void)why;
}

static const struct vdev_transport_ops transport_ops = {
	.interrupt = count,
	.config_changed = ignore,
	.needs_reset = ignore_why,
};

static void *serve(void *arg)
{
	struct vdev *vdev = arg;

	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
		vdev->ops->kick(vdev, 0);
		__atomic_fetch_add(&kicks, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static unsigned int load(const unsigned int *value)
{
	return __atomic_load_n(value, __ATOMIC_ACQUIRE);
}

/* Where there is but one CPU, the other thread has to come to it. */
static void breathe(unsigned int *spins)
{
	if (++*spins % 4096 == 0)
		sched_yield();
}

/*
 * The driver forbids interrupts, submits, allows them, and would sleep if nothing
 * was used by then.  If the device looked at the flag before its index was visible,
 * nobody would wake the driver.  Returns whether the driver would have slept.
 */
static bool round_trip(struct guest *guest, unsigned int delay)
{
	unsigned int before = load(&interrupts), finished, spins = 0;
	bool sleeps = false;
	uint32_t id, len;

	guest_flags(guest, 0, VRING_AVAIL_F_NO_INTERRUPT);
	guest_avail(guest, 0, 0);
	while (delay--)
		__asm__ volatile("");
	guest_flags(guest, 0, 0);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	while (!guest_used(guest, 0, &id, &len)) {
		sleeps = true;
		breathe(&spins);
	}
	/* The kick in which it was used is over when one more is. */
	finished = load(&kicks) + 2;
	while ((int)(load(&kicks) - finished) < 0)
		breathe(&spins);
	if (sleeps && load(&interrupts) == before)
		fail_msg("nobody wakes the driver");
	return sleeps;
}

static void no_interrupt_is_lost(void **state)
{
	static struct balloon balloon;
	static struct guest guest;
	unsigned int i, slept = 0, seed = 1;
	pthread_t thread;

	(void)state;
	balloon_init(&balloon);
	guest_boot(&guest, &balloon.vdev, QUEUE_SIZE);
	balloon.vdev.transport_ops = &transport_ops;
	over = false;
	assert_int_equal(pthread_create(&thread, NULL, serve, &balloon.vdev), 0);
	guest_desc(&guest, 0, 0, BUFFERS, 4096, 0, 0);
	for (i = 0; i < ROUNDS; i++)
		slept += round_trip(&guest, next_random(&seed) % 1024);
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	/* Otherwise nothing was tried. */
	print_message("# would have slept %u of %u times\n", slept, ROUNDS);
	assert_in_range(slept, ROUNDS / 100, ROUNDS);
	guest_shutdown(&guest);
}

/* Of a good request, field after field, a moment of something else */
static void *change(void *arg)
{
	static const struct {
		uint64_t gpa;
		uint16_t good, bad;
	} fields[] = {
		{ LOW + 2, BUFFERS >> 16, 0x7fff },	/* address of the request */
		{ LOW + 8, 40, 8 },			/* length */
		{ LOW + 10, 0, 0x7fff },
		{ LOW + 12, VRING_DESC_F_NEXT, 0 },	/* flags */
		{ LOW + 12, VRING_DESC_F_NEXT, VRING_DESC_F_INDIRECT },
		{ LOW + 14, 1, 0 },			/* next */
		{ LOW + 14, 1, 0xffff },
		{ LOW + 0x8004, 0, QUEUE_SIZE },	/* head */
		{ LOW + 0x8004, 0, 0xffff },
		{ BUFFERS, VIRTIO_FPR_T_REPORT, 7 },	/* type */
		{ BUFFERS + 4, 1, DEVICE_MAX_RANGES + 1 },	/* ranges */
		{ BUFFERS + 4, 1, 0xffff },
		{ BUFFERS + 24 + 6, 0, 0xffff },	/* address of the range */
		{ BUFFERS + 32 + 6, 0, 0xffff },	/* its length */
	};
	struct guest *guest = arg;
	unsigned int seed = 3, i, spin;

	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
		unsigned int r = next_random(&seed);
		volatile uint16_t *at;

		i = r % (sizeof(fields) / sizeof(fields[0]));
		at = guest_at(guest, fields[i].gpa);
		*at = fields[i].bad;
		for (spin = (r >> 8) % 256; spin; spin--)
			__asm__ volatile("");
		*at = fields[i].good;
		for (spin = (r >> 16) % 256; spin; spin--)
			__asm__ volatile("");
	}
	return NULL;
}

static void submit_again(struct guest *guest)
{
	/* The head is always in entry 0: the other thread writes there. */
	guest_reset(guest);
	guest->vdev->ops->set_features(guest->vdev,
				       guest->vdev->ops->features(guest->vdev));
	guest_set_avail_idx(guest, 0, 0);
	guest_set_avail_idx(guest, 0, 1);
}

/* The sanitizers are the judges. */
static void what_changes_while_it_is_read_is_no_danger(void **state)
{
	static struct device device;
	static struct guest guest;
	struct vdev_queue_setup setup;
	unsigned long served = 0, broken = 0;
	uint64_t *request;
	pthread_t thread;

	(void)state;
	device_init(&device);
	guest_boot(&guest, &device.vdev, QUEUE_SIZE);
	guest_setup(&guest, 0, &setup);
	guest_desc(&guest, 0, 0, BUFFERS, 40, VRING_DESC_F_NEXT, 1);
	guest_desc(&guest, 0, 1, BUFFERS + 4096, 24, VRING_DESC_F_WRITE, 0);
	request = guest_at(&guest, BUFFERS);
	request[0] = 1ULL << 32;
	request[2] = 4096;
	request[3] = HIGH;
	request[4] = 4096;
	over = false;
	assert_int_equal(pthread_create(&thread, NULL, change, &guest), 0);
	while (served < CHANGED || broken < CHANGED) {
		submit_again(&guest);
		assert_int_equal(device.vdev.ops->queue_start(&device.vdev, 0,
							      &setup), 0);
		device.vdev.ops->kick(&device.vdev, 0);
		if (device_broken(&device))
			broken++;
		else
			served++;
	}
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	print_message("# served %lu, broken %lu\n", served, broken);
	guest_shutdown(&guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_interrupt_is_lost),
		cmocka_unit_test(what_changes_while_it_is_read_is_no_danger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
