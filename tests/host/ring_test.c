// SPDX-License-Identifier: GPL-2.0
/* Split virtqueues: what a driver may do, and a table of what it may not. */
#include "guest.h"

#include <errno.h>
#include <linux/virtio_ring.h>

#include "../../src/host/ring.h"

#define N	VRING_DESC_F_NEXT
#define W	VRING_DESC_F_WRITE
#define I	VRING_DESC_F_INDIRECT
#define A	BUFFERS

static struct ring ring;
static struct ring_chain chain;
static struct vdev vdev;
static struct guest guest;

/* A device that is nothing but its ring. */
static uint64_t no_features(struct vdev *dev)
{
	(void)dev;
	return 0;
}

static void take_features(struct vdev *dev, uint64_t features)
{
	(void)dev;
	(void)features;
}

static void nothing(struct vdev *dev)
{
	(void)dev;
}

static int start(struct vdev *dev, unsigned int q,
		 const struct vdev_queue_setup *setup)
{
	(void)dev;
	(void)q;
	return ring_start(&ring, setup);
}

static void stop(struct vdev *dev)
{
	(void)dev;
	ring_stop(&ring);
}

static const struct vdev_ops ops = {
	.nr_queues = 1,
	.features = no_features,
	.set_features = take_features,
	.mem_changed = nothing,
	.queue_start = start,
	.reset = stop,
};

static int begin(void **state)
{
	(void)state;
	vdev.ops = &ops;
	mem_init(&vdev.mem);
	guest_boot(&guest, &vdev, QUEUE_SIZE);
	return 0;
}

static int end(void **state)
{
	(void)state;
	guest_shutdown(&guest);
	return 0;
}

static int pop(void)
{
	const char *why = NULL;
	int ret = ring_pop(&ring, &vdev.mem, &chain, &why);

	if (ret < 0)
		assert_non_null(why);
	return ret;
}

static void an_empty_ring_has_nothing(void **state)
{
	(void)state;
	assert_int_equal(pop(), 0);
}

static void a_chain_comes_as_its_buffers(void **state)
{
	uint8_t data[12];

	(void)state;
	guest_desc(&guest, 0, 7, A, 4, N, 2);
	guest_desc(&guest, 0, 2, A + 0x100, 8, N, 15);
	guest_desc(&guest, 0, 15, HIGH, 100, W | N, 0);
	guest_desc(&guest, 0, 0, HIGH + 0x1000, 28, W, 77);
	memcpy(guest_at(&guest, A), "head", 4);
	memcpy(guest_at(&guest, A + 0x100), "and tail", 8);
	guest_avail(&guest, 0, 7);
	assert_int_equal(pop(), 1);
	assert_int_equal(chain.head, 7);
	assert_int_equal(chain.nr_readable, 2);
	assert_int_equal(chain.nr_writable, 2);
	assert_int_equal(chain.readable, 12);
	assert_int_equal(chain.writable, 128);
	assert_int_equal(chain.bufs[3].gpa, HIGH + 0x1000);
	assert_int_equal(chain.bufs[3].len, 28);
	assert_true(ring_read(&chain, &vdev.mem, 0, data, 12));
	assert_memory_equal(data, "headand tail", 12);
	assert_int_equal(pop(), 0);
}

static void reads_begin_anywhere_and_end_in_time(void **state)
{
	uint8_t data[16] = "untouched";

	(void)state;
	guest_desc(&guest, 0, 0, A, 4, N, 1);
	guest_desc(&guest, 0, 1, A + 0x100, 8, 0, 0);
	memcpy(guest_at(&guest, A), "head", 4);
	memcpy(guest_at(&guest, A + 0x100), "and tail", 8);
	guest_avail(&guest, 0, 0);
	assert_int_equal(pop(), 1);
	assert_false(ring_read(&chain, &vdev.mem, 0, data, 13));
	assert_false(ring_read(&chain, &vdev.mem, 12, data, 1));
	assert_false(ring_read(&chain, &vdev.mem, UINT64_MAX, data, 2));
	assert_false(ring_read(&chain, &vdev.mem, 1, data, SIZE_MAX));
	assert_string_equal((char *)data, "untouched");
	assert_true(ring_read(&chain, &vdev.mem, 3, data, 4));
	assert_memory_equal(data, "dand", 4);
	assert_true(ring_read(&chain, &vdev.mem, 4, data, 8));
	assert_memory_equal(data, "and tail", 8);
	assert_true(ring_read(&chain, &vdev.mem, 12, data, 0));
}

/* Neighbours for the guest, but not where they are mapped. */
static void a_buffer_may_span_regions(void **state)
{
	uint8_t data[8];

	(void)state;
	memcpy(guest_at(&guest, NEXT - 4), "left", 4);
	memcpy(guest_at(&guest, NEXT), "side", 4);
	guest_desc(&guest, 0, 0, NEXT - 4, 8, N, 1);
	guest_desc(&guest, 0, 1, NEXT - 2, 4, W, 0);
	guest_avail(&guest, 0, 0);
	assert_int_equal(pop(), 1);
	assert_true(ring_read(&chain, &vdev.mem, 0, data, 8));
	assert_memory_equal(data, "leftside", 8);
	assert_true(ring_write(&chain, &vdev.mem, "FTSI", 4));
	assert_memory_equal(guest_at(&guest, NEXT - 4), "leFT", 4);
	assert_memory_equal(guest_at(&guest, NEXT), "SIde", 4);
}

static void writes_stay_in_the_writable_part(void **state)
{
	(void)state;
	guest_fill(&guest, A, 4096, 'x');
	guest_desc(&guest, 0, 0, A, 4, N, 1);
	guest_desc(&guest, 0, 1, A + 8, 2, N | W, 2);
	guest_desc(&guest, 0, 2, A + 12, 2, W, 0);
	guest_avail(&guest, 0, 0);
	assert_int_equal(pop(), 1);
	assert_false(ring_write(&chain, &vdev.mem, "12345", 5));
	assert_memory_equal(guest_at(&guest, A), "xxxxxxxxxxxxxxxx", 16);
	assert_true(ring_write(&chain, &vdev.mem, "123", 3));
	assert_memory_equal(guest_at(&guest, A), "xxxxxxxx12xx3xxx", 16);
}

static void used_chains_come_back_in_order(void **state)
{
	uint32_t id, len;

	(void)state;
	assert_false(guest_used(&guest, 0, &id, &len));
	ring_push(&ring, 3, 24);
	ring_push(&ring, 1, 0);
	assert_true(guest_used(&guest, 0, &id, &len));
	assert_int_equal(id, 3);
	assert_int_equal(len, 24);
	assert_true(guest_used(&guest, 0, &id, &len));
	assert_int_equal(id, 1);
	assert_int_equal(len, 0);
	assert_false(guest_used(&guest, 0, &id, &len));
}

static void the_driver_may_decline_interrupts(void **state)
{
	(void)state;
	assert_true(ring_wants_interrupt(&ring));
	guest_flags(&guest, 0, VRING_AVAIL_F_NO_INTERRUPT);
	assert_false(ring_wants_interrupt(&ring));
	/* Other bits mean nothing. */
	guest_flags(&guest, 0, 0xfffe);
	assert_true(ring_wants_interrupt(&ring));
}

/* Twice around the index, with every fill of the ring */
static void the_indices_wrap(void **state)
{
	unsigned int i, left, n = 0;
	uint32_t id, len;

	(void)state;
	for (i = 0; i < QUEUE_SIZE; i++)
		guest_desc(&guest, 0, i, A + i, 1, 0, 0);
	while (n < 2 * 65536 + 5) {
		unsigned int burst = 1 + n % QUEUE_SIZE;

		for (i = 0; i < burst; i++)
			guest_avail(&guest, 0, (n + i) % QUEUE_SIZE);
		for (left = burst; left; left--) {
			assert_int_equal(pop(), 1);
			assert_int_equal(chain.head, n % QUEUE_SIZE);
			assert_int_equal(chain.bufs[0].gpa, A + n % QUEUE_SIZE);
			ring_push(&ring, chain.head, n);
			assert_true(guest_used(&guest, 0, &id, &len));
			assert_int_equal(id, chain.head);
			assert_int_equal(len, n);
			n++;
		}
		assert_int_equal(pop(), 0);
	}
}

static void a_queue_goes_on_where_it_stopped(void **state)
{
	struct vdev_queue_setup s;
	uint32_t id, len;
	unsigned int i;

	(void)state;
	guest_desc(&guest, 0, 0, A, 1, 0, 0);
	guest_desc(&guest, 0, 1, A + 1, 1, 0, 0);
	for (i = 0; i < 20; i++) {
		guest_avail(&guest, 0, 0);
		assert_int_equal(pop(), 1);
		ring_push(&ring, 0, 0);
		assert_true(guest_used(&guest, 0, &id, &len));
	}
	guest_avail(&guest, 0, 1);
	guest_setup(&guest, 0, &s);
	s.next_avail = ring_stop(&ring);
	assert_int_equal(s.next_avail, 20);
	assert_false(ring_running(&ring));
	assert_int_equal(ring_stop(&ring), 0);
	assert_int_equal(ring_start(&ring, &s), 0);
	assert_int_equal(pop(), 1);
	assert_int_equal(chain.head, 1);
	ring_push(&ring, 1, 9);
	assert_true(guest_used(&guest, 0, &id, &len));
	assert_int_equal(id, 1);
	assert_int_equal(len, 9);
}

static void a_chain_may_be_as_long_as_the_queue(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < QUEUE_SIZE; i++)
		guest_desc(&guest, 0, i, A + 16 * i, 16,
			   W | (i < QUEUE_SIZE - 1 ? N : 0), i + 1);
	guest_avail(&guest, 0, 0);
	assert_int_equal(pop(), 1);
	assert_int_equal(chain.nr_writable, QUEUE_SIZE);
}

static void buffers_that_are_not_accessed_may_be_anywhere(void **state)
{
	const char *why;

	(void)state;
	guest_desc(&guest, 0, 0, 1ULL << 60, 0xfffff000, W, 0);
	guest_avail(&guest, 0, 0);
	assert_int_equal(ring_pop(&ring, NULL, &chain, &why), 1);
	assert_int_equal(chain.bufs[0].gpa, 1ULL << 60);
	assert_int_equal(chain.bufs[0].len, 0xfffff000);
}

static const struct hostile {
	const char *why;
	uint16_t head;
	struct {
		uint64_t gpa;
		uint32_t len;
		uint16_t flags, next;
	} desc[3];
} hostile[] = {
	{ "index beyond the queue", QUEUE_SIZE, { { A, 1, 0, 0 } } },
	{ "index beyond the queue", 0xffff, { { A, 1, 0, 0 } } },
	{ "index beyond the queue", 0, { { A, 1, N, QUEUE_SIZE } } },
	{ "index beyond the queue", 0, { { A, 1, N, 0xffff } } },
	/* Loops: on itself, on the head, behind the head, of writable ones */
	{ "loop", 0, { { A, 1, N, 0 } } },
	{ "loop", 0, { { A, 1, N, 1 }, { A, 1, N, 0 } } },
	{ "loop", 0, { { A, 1, N, 1 }, { A, 1, N, 2 }, { A, 1, N, 1 } } },
	{ "loop", 0, { { A, 1, N, 1 }, { A, 1, N | W, 1 } } },
	{ "of no length", 0, { { A, 0, 0, 0 } } },
	{ "of no length", 0, { { A, 1, N, 1 }, { A, 0, W, 0 } } },
	{ "of no length", 0, { { A, 1, N, 1 } } },
	{ "indirect", 0, { { A, 16, I, 0 } } },
	{ "indirect", 0, { { A, 16, I | N, 1 }, { A, 1, 0, 0 } } },
	{ "indirect", 0, { { A, 1, N, 1 }, { A, 16, I | W, 0 } } },
	{ "readable descriptor after", 0, { { A, 1, W | N, 1 }, { A, 1, 0, 0 } } },
	{ "readable descriptor after", 0,
	  { { A, 1, N, 1 }, { A, 1, W | N, 2 }, { A, 1, 0, 0 } } },
	{ "end of the address space", 0, { { UINT64_MAX, 1, 0, 0 } } },
	{ "end of the address space", 0, { { UINT64_MAX - 7, 16, W, 0 } } },
	{ "end of the address space", 0, { { 0 - 0xffffffffULL, 0xffffffff, 0, 0 } } },
	{ "outside guest memory", 0, { { UINT64_MAX - 1, 1, 0, 0 } } },
	{ "outside guest memory", 0, { { NEXT + NEXT_SIZE, 1, 0, 0 } } },
	{ "outside guest memory", 0, { { NEXT + NEXT_SIZE - 1, 2, 0, 0 } } },
	{ "outside guest memory", 0, { { HIGH - 1, 1, W, 0 } } },
	{ "outside guest memory", 0, { { HIGH - 1, 2, W, 0 } } },
	{ "outside guest memory", 0, { { HIGH + HIGH_SIZE, 1, W, 0 } } },
	{ "outside guest memory", 0, { { HIGH, HIGH_SIZE + 1, 0, 0 } } },
	{ "outside guest memory", 0, { { LOW, 0xffffffff, 0, 0 } } },
	{ "outside guest memory", 0, { { A, 1, N, 1 }, { HIGH - 1, 1, W, 0 } } },
};

static void hostile_chains_are_refused(void **state)
{
	const char *why;
	unsigned int i, d;

	(void)state;
	for (i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		const struct hostile *h = &hostile[i];

		guest_reset(&guest);
		guest_start_queues(&guest);
		for (d = 0; d < 3; d++)
			guest_desc(&guest, 0, d, h->desc[d].gpa, h->desc[d].len,
				   h->desc[d].flags, h->desc[d].next);
		guest_avail(&guest, 0, h->head);
		why = NULL;
		if (ring_pop(&ring, &vdev.mem, &chain, &why) != -EPROTO ||
		    !strstr(why, h->why))
			fail_msg("row %u: %s, not: %s", i, why, h->why);
	}
}

static void hostile_indices_are_refused(void **state)
{
	static const uint16_t jumps[] = {
		QUEUE_SIZE + 1, 2 * QUEUE_SIZE, 0x7fff, 0x8000, 0xfffe, 0xffff,
	};
	const char *why;
	unsigned int i;

	(void)state;
	guest_desc(&guest, 0, 0, A, 1, 0, 0);
	for (i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		guest_set_avail_idx(&guest, 0, jumps[i]);
		assert_int_equal(ring_pop(&ring, &vdev.mem, &chain, &why),
				 -EPROTO);
		assert_non_null(strstr(why, "available index"));
	}
	/* A full ring is none of them. */
	guest_set_avail_idx(&guest, 0, QUEUE_SIZE);
	for (i = 0; i < QUEUE_SIZE; i++)
		assert_int_equal(pop(), 1);
	assert_int_equal(pop(), 0);
	/* Back by one, after that: what was served is not served again. */
	guest_set_avail_idx(&guest, 0, QUEUE_SIZE - 1);
	assert_int_equal(pop(), -EPROTO);
}

static void a_queue_has_to_be_one(void **state)
{
	static const unsigned int sizes[] = {
		0, 3, 17, VDEV_MAX_QUEUE_SIZE + 1, 2 * VDEV_MAX_QUEUE_SIZE,
		1U << 31, UINT32_MAX,
	};
	struct vdev_queue_setup good, s;
	unsigned int i;

	(void)state;
	ring_stop(&ring);
	guest_setup(&guest, 0, &good);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		s = good;
		s.size = sizes[i];
		assert_int_equal(ring_start(&ring, &s), -EINVAL);
	}
	s = good;
	s.desc = NULL;
	assert_int_equal(ring_start(&ring, &s), -EINVAL);
	s = good;
	s.desc = (char *)good.desc + 8;
	assert_int_equal(ring_start(&ring, &s), -EINVAL);
	s = good;
	s.avail = (char *)good.avail + 1;
	assert_int_equal(ring_start(&ring, &s), -EINVAL);
	s = good;
	s.used = (char *)good.used + 2;
	assert_int_equal(ring_start(&ring, &s), -EINVAL);
	assert_false(ring_running(&ring));
	assert_int_equal(ring_start(&ring, &good), 0);
	s = good;
	s.size = 1;
	assert_int_equal(ring_start(&ring, &s), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define RING_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
		RING_TEST(an_empty_ring_has_nothing),
		RING_TEST(a_chain_comes_as_its_buffers),
		RING_TEST(reads_begin_anywhere_and_end_in_time),
		RING_TEST(a_buffer_may_span_regions),
		RING_TEST(writes_stay_in_the_writable_part),
		RING_TEST(used_chains_come_back_in_order),
		RING_TEST(the_driver_may_decline_interrupts),
		RING_TEST(the_indices_wrap),
		RING_TEST(a_queue_goes_on_where_it_stopped),
		RING_TEST(a_chain_may_be_as_long_as_the_queue),
		RING_TEST(buffers_that_are_not_accessed_may_be_anywhere),
		RING_TEST(hostile_chains_are_refused),
		RING_TEST(hostile_indices_are_refused),
		RING_TEST(a_queue_has_to_be_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
