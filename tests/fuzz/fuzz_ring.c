// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes what a guest can do to the devices: the input is a program of what the
 * guest writes, when it kicks, and what the protocol and the operator do meanwhile.
 *
 * byte 0	device: 0 vendor, 1 balloon; bit 1 to 3: log2 of the queue size
 * byte 1	log2 of the granule beyond 4 KiB, modulo 8
 * then operations (enum op), each with the bytes that it wants; what is missing at
 * the end of the input is 0.
 *
 * Beside what the sanitizers see: every region has inaccessible memory on both
 * sides, and check() says what has to hold after each operation.
 */
#define _GNU_SOURCE
#include <linux/virtio_config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/host/balloon.h"
#include "../../src/host/device.h"
#include "../../src/host/util.h"

#define PAGE	4096ULL

/* Neighbours whose places in the file are swapped, and one behind a hole */
static const struct mem_region layout[] = {
	{ .gpa = 0, .size = 16 * PAGE, .offset = 8 * PAGE },
	{ .gpa = 16 * PAGE, .size = 8 * PAGE, .offset = 0 },
	{ .gpa = 32 * PAGE, .size = 16 * PAGE, .offset = 24 * PAGE },
};

#define FILE_SIZE	(40 * PAGE)
/* Rings of queue q: at q times this; 128 entries at most */
#define QUEUE_SPACE	(2 * PAGE)
#define AVAIL		0x800
#define USED		0xa00

enum op {
	OP_WRITE,	/* length, address (2): bytes follow */
	OP_DESC,	/* queue, index, address (2, in 64 bytes), length (2), flags, next */
	OP_RANGE,	/* address (2, in 64 bytes), page (2), pages: a range there */
	OP_REQUEST,	/* address (2, in 64 bytes), type, ranges, number */
	OP_AVAIL,	/* queue, head: makes it available */
	OP_KICK,	/* queue */
	OP_RESET,
	OP_RESTART,	/* queue: stopped and started where it was */
	OP_CONFIG,	/* offset, length */
	OP_OPERATOR,	/* what, value */
	OP_MEMORY,	/* which region comes or goes */
	OP_RAW_START,	/* queue, size (2), misalignment: a setup that makes no sense */
	NR_OPS
};

static struct device device;
static struct balloon balloon;
static struct vdev *vdev;
static struct queues *queues;
static struct counters *counters;
static struct mem_region regions[ARRAY_SIZE(layout)];
static unsigned int queue_size;

static unsigned int interrupts, resets_needed;

/* The input, and how much of it was read */
static const uint8_t *input;
static size_t left;

static unsigned int next8(void)
{
	if (!left)
		return 0;
	left--;
	return *input++;
}

static unsigned int next16(void)
{
	unsigned int low = next8();

	return low | next8() << 8;
}

static void fail(const char *what)
{
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

static void count_interrupt(void *transport, unsigned int q)
{
	(void)transport;
	if (q >= vdev->ops->nr_queues)
		fail("an interrupt is of a queue");
	interrupts++;
}

static void ignore(void *transport)
{
	(void)transport;
}

static void count_needs_reset(void *transport, const char *why)
{
	(void)transport;
	if (!why || !*why)
		fail("a broken rule has a name");
	resets_needed++;
}

static const struct vdev_transport_ops transport_ops = {
	.interrupt = count_interrupt,
	.config_changed = ignore,
	.needs_reset = count_needs_reset,
};

/* Once: the regions, with a page without access before and after each. */
static void make_memory(void)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	unsigned int i;

	if (fd < 0 || ftruncate(fd, FILE_SIZE))
		abort();
	for (i = 0; i < ARRAY_SIZE(layout); i++) {
		uint8_t *map = mmap(NULL, layout[i].size + 2 * PAGE, PROT_NONE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (map == MAP_FAILED)
			abort();
		regions[i] = layout[i];
		regions[i].fd = fd;
		regions[i].page_size = PAGE;
		regions[i].map = mmap(map + PAGE, layout[i].size,
				      PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_FIXED, fd,
				      (off_t)layout[i].offset);
		if (regions[i].map == MAP_FAILED)
			abort();
	}
}

/* A guest address that exists, whatever regions the device knows of now */
static uint8_t *at(unsigned int gpa, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(regions); i++)
		if (gpa >= regions[i].gpa && gpa < regions[i].gpa + regions[i].size &&
		    len <= regions[i].size - (gpa - regions[i].gpa))
			return regions[i].map + (gpa - regions[i].gpa);
	return NULL;
}

static void put(unsigned int gpa, const void *from, unsigned int len)
{
	uint8_t *to = at(gpa, len);

	if (to)
		memcpy(to, from, len);
}

static unsigned int next_queue(void)
{
	return next8() % vdev->ops->nr_queues;
}

static struct vdev_queue_setup setup(unsigned int q)
{
	uint8_t *ring = at((unsigned int)(q * QUEUE_SPACE), QUEUE_SPACE);

	if (!ring)
		fail("each queue has its memory");
	return (struct vdev_queue_setup){
		.size = queue_size, .desc = ring, .avail = ring + AVAIL,
		.used = ring + USED,
	};
}

static void start_queues(void)
{
	unsigned int q;

	vdev->ops->set_features(vdev, vdev->ops->features(vdev));
	for (q = 0; q < vdev->ops->nr_queues; q++) {
		struct vdev_queue_setup s = setup(q);

		memset(s.desc, 0, QUEUE_SPACE);
		if (vdev->ops->queue_start(vdev, q, &s))
			fail("a good queue starts");
	}
}

static void kick(unsigned int q)
{
	unsigned int before = interrupts, resets = resets_needed, turns;
	const char *broken = queues->broken;
	struct counters old = *counters;

	/* The index is the guest's: within one run nothing becomes available. */
	for (turns = 0; vdev->ops->kick(vdev, q); turns++)
		if (turns > 2 * VDEV_MAX_QUEUE_SIZE)
			fail("a queue becomes empty");
	if (broken && (interrupts != before || resets != resets_needed ||
		       memcmp(&old, counters, sizeof(old))))
		fail("a broken device does nothing");
	if (!broken && vdev->transport_ops &&
	    (queues->broken != NULL) != (resets_needed == resets + 1))
		fail("a broken rule is told, once");
}

static void op_write(void)
{
	unsigned int len = next8(), gpa = next16();
	uint8_t bytes[256];
	unsigned int i;

	for (i = 0; i < len; i++)
		bytes[i] = (uint8_t)next8();
	put(gpa, bytes, len);
}

static void op_desc(void)
{
	unsigned int q = next_queue(), i = next8() % queue_size;
	struct {
		uint64_t gpa;
		uint32_t len;
		uint16_t flags, next;
	} desc;

	desc.gpa = next16() * 64ULL;
	desc.len = next16();
	desc.flags = (uint16_t)next8();
	/* Balloon reports are pages. */
	if (desc.flags & 0x80) {
		desc.gpa &= ~(PAGE - 1);
		desc.len *= PAGE;
	}
	desc.next = (uint16_t)next8();
	put((unsigned int)(q * QUEUE_SPACE) + i * 16, &desc, sizeof(desc));
}

static void op_range(void)
{
	unsigned int to = next16() * 64;
	struct virtio_fpr_range range;

	range.addr = next16() * PAGE;
	range.len = next8() * PAGE;
	put(to, &range, sizeof(range));
}

/* With the sum that a good one has, if the ranges follow it */
static void op_request(void)
{
	unsigned int to = next16() * 64, i;
	struct virtio_fpr_req req = { 0 };

	req.type = next8();
	req.nr_ranges = next8();
	req.request = next8();
	req.bytes = req.type == VIRTIO_FPR_T_DONE ? next8() : 0;
	for (i = 0; i < req.nr_ranges; i++) {
		const uint8_t *range = at(to + 24 + i * 16, 16);
		uint64_t len;

		if (!range)
			break;
		memcpy(&len, range + 8, 8);
		req.bytes += len;
	}
	put(to, &req, sizeof(req));
}

static void op_avail(void)
{
	unsigned int ring = (unsigned int)(next_queue() * QUEUE_SPACE) + AVAIL;
	uint16_t head = (uint16_t)next8(), idx;

	memcpy(&idx, at(ring + 2, 2), 2);
	put(ring + 4 + 2 * (idx % queue_size), &head, 2);
	idx++;
	put(ring + 2, &idx, 2);
}

static void op_restart(void)
{
	unsigned int q = next_queue();
	struct vdev_queue_setup s = setup(q);

	s.next_avail = vdev->ops->queue_stop(vdev, q);
	if (vdev->ops->queue_start(vdev, q, &s))
		fail("a good queue starts");
}

static void op_config(void)
{
	size_t size = vdev->ops->config_size;
	size_t offset = next8() % size, len = next8() % (size - offset + 1);
	/* To the byte, so that the sanitizer sees one too many */
	uint8_t *to = malloc(len ? len : 1);

	if (!to)
		abort();
	vdev->ops->config_read(vdev, offset, to, len);
	free(to);
}

static void op_operator(void)
{
	unsigned int what = next8(), value = next8();
	struct device_request request;
	uint32_t number;

	switch (what % 5) {
	case 0:
		device_set_pressure(&device, value);
		break;
	case 1:
		if (!device_request(&device, value, &number) &&
		    device_query(&device, number, &request))
			fail("a request that was made is known");
		break;
	case 2:
		device_query(&device, value, &request);
		break;
	case 3:
		device_set_discard(&device, value % 2 ? DISCARD_NONE :
				   DISCARD_PUNCH);
		balloon.discard.mode = device.discard.mode;
		break;
	case 4:
		vdev->transport_ops = value % 2 ? &transport_ops : NULL;
		break;
	}
}

/* Not the first, in which the rings are: a protocol stops them first. */
static void op_memory(void)
{
	struct mem *mem = &vdev->mem;
	unsigned int present = next8(), i;

	mem->nr = 0;
	for (i = 0; i < ARRAY_SIZE(regions); i++)
		if (!i || present >> i & 1)
			mem->regions[mem->nr++] = regions[i];
	vdev->ops->mem_changed(vdev);
}

static void op_raw_start(void)
{
	unsigned int q = next8();
	struct vdev_queue_setup s = setup(q % vdev->ops->nr_queues);
	bool good;

	s.size = next16();
	s.desc = (uint8_t *)s.desc + next8() % 32;
	s.next_avail = (uint16_t)next8();
	good = q < vdev->ops->nr_queues && s.size && s.size <= queue_size &&
		!(s.size & (s.size - 1)) && !((uintptr_t)s.desc % 16);
	/* A larger one would not be in checked memory. */
	if (s.size > queue_size && s.size <= VDEV_MAX_QUEUE_SIZE)
		return;
	if (good != !vdev->ops->queue_start(vdev, q, &s))
		fail("good queues start, and only those");
}

static void (*const ops[NR_OPS])(void) = {
	[OP_WRITE] = op_write,
	[OP_DESC] = op_desc,
	[OP_RANGE] = op_range,
	[OP_REQUEST] = op_request,
	[OP_AVAIL] = op_avail,
	[OP_RESTART] = op_restart,
	[OP_CONFIG] = op_config,
	[OP_OPERATOR] = op_operator,
	[OP_MEMORY] = op_memory,
	[OP_RAW_START] = op_raw_start,
};

static void check(void)
{
	uint64_t latencies = 0;
	unsigned int i;

	for (i = 0; i <= COUNTERS_BUCKETS; i++)
		latencies += counters->latency[i];
	if (latencies != counters->reports)
		fail("each report took some time");
	if (counters->requests_answered > counters->requests_made)
		fail("only what was asked is answered");
	if (resets_needed > counters->needs_reset)
		fail("each broken rule is counted");
	for (i = 0; i < vdev->ops->nr_queues; i++)
		if (queues->rings[i].size > VDEV_MAX_QUEUE_SIZE)
			fail("no queue is larger than the largest");
}

static void boot(void)
{
	unsigned int kind = next8(), i;

	device_init(&device);
	balloon_init(&balloon);
	vdev = kind & 1 ? &balloon.vdev : &device.vdev;
	queues = kind & 1 ? &balloon.queues : &device.queues;
	counters = kind & 1 ? &balloon.counters : &device.counters;
	queue_size = 1U << (kind >> 1 & 7);
	device.discard.granule = PAGE << (next8() & 7);
	balloon.discard.granule = device.discard.granule;
	vdev->transport_ops = &transport_ops;
	interrupts = 0;
	resets_needed = 0;
	for (i = 0; i < ARRAY_SIZE(regions); i++) {
		memset(regions[i].map, 0, regions[i].size);
		vdev->mem.regions[i] = regions[i];
	}
	vdev->mem.nr = i;
	vdev->ops->mem_changed(vdev);
	start_queues();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!regions[0].map)
		make_memory();
	input = data;
	left = size;
	boot();
	while (left) {
		unsigned int op = next8() % NR_OPS;

		if (op == OP_KICK) {
			kick(next_queue());
		} else if (op == OP_RESET) {
			vdev->ops->reset(vdev);
			if (queues->broken)
				fail("a reset mends");
			start_queues();
		} else {
			ops[op]();
		}
		check();
	}
	vdev->ops->reset(vdev);
	return 0;
}
