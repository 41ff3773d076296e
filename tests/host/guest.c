// SPDX-License-Identifier: GPL-2.0
/* A guest and its VMM, for tests; see guest.h.  The host is little-endian here. */
#define _GNU_SOURCE
#include "guest.h"

#include <fcntl.h>
#include <linux/virtio_ring.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Rings of queue q lie at q * QUEUE_SPACE: descriptors, available, used. */
#define QUEUE_SPACE	0x10000
#define AVAIL		0x8000
#define USED		0xa000

static void interrupt(void *transport, unsigned int q)
{
	struct guest *g = transport;

	(void)q;
	g->interrupts++;
}

static void config_changed(void *transport)
{
	struct guest *g = transport;

	g->config_changes++;
}

static void needs_reset(void *transport, const char *why)
{
	struct guest *g = transport;

	g->resets_needed++;
	snprintf(g->why, sizeof(g->why), "%s", why);
}

static const struct vdev_transport_ops transport_ops = {
	.interrupt = interrupt,
	.config_changed = config_changed,
	.needs_reset = needs_reset,
};

static const struct {
	uint64_t gpa, size, offset;
} regions[] = {
	/* Not in order: that is mem_add()'s task. */
	{ HIGH, HIGH_SIZE, HIGH_OFFSET },
	{ LOW, LOW_SIZE, LOW_OFFSET },
	{ NEXT, NEXT_SIZE, NEXT_OFFSET },
};

#define NR_REGIONS (sizeof(regions) / sizeof(regions[0]))

void guest_boot(struct guest *g, struct vdev *vdev, unsigned int size)
{
	unsigned int i;

	memset(g, 0, sizeof(*g));
	g->vdev = vdev;
	g->size = size;
	g->fd = memfd_create("guest", MFD_CLOEXEC);
	assert_true(g->fd >= 0);
	assert_int_equal(ftruncate(g->fd, FILE_SIZE), 0);
	g->file = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		       g->fd, 0);
	assert_ptr_not_equal(g->file, MAP_FAILED);
	for (i = 0; i < NR_REGIONS; i++)
		assert_int_equal(mem_add(&vdev->mem, regions[i].gpa,
					 regions[i].size, 0, regions[i].offset,
					 dup(g->fd)), 0);
	vdev->transport_ops = &transport_ops;
	vdev->transport = g;
	vdev->ops->mem_changed(vdev);
	guest_start_queues(g);
}

void guest_start_queues(struct guest *g)
{
	unsigned int q;

	memset(guest_at(g, LOW), 0, BUFFERS);
	memset(g->avail_idx, 0, sizeof(g->avail_idx));
	memset(g->used_idx, 0, sizeof(g->used_idx));
	g->vdev->ops->set_features(g->vdev, g->vdev->ops->features(g->vdev));
	for (q = 0; q < g->vdev->ops->nr_queues; q++) {
		struct vdev_queue_setup s;

		guest_setup(g, q, &s);
		assert_int_equal(g->vdev->ops->queue_start(g->vdev, q, &s), 0);
	}
}

void guest_setup(struct guest *g, unsigned int q, struct vdev_queue_setup *s)
{
	uint64_t ring = LOW + q * QUEUE_SPACE;

	*s = (struct vdev_queue_setup){
		.size = g->size,
		.desc = mem_at(&g->vdev->mem, ring, 16 * g->size),
		.avail = mem_at(&g->vdev->mem, ring + AVAIL, 6 + 2 * g->size),
		.used = mem_at(&g->vdev->mem, ring + USED, 6 + 8 * g->size),
	};
}

void guest_reset(struct guest *g)
{
	g->vdev->ops->reset(g->vdev);
}

void guest_shutdown(struct guest *g)
{
	guest_reset(g);
	mem_clear(&g->vdev->mem);
	g->vdev->transport_ops = NULL;
	munmap(g->file, FILE_SIZE);
	close(g->fd);
}

void *guest_at(struct guest *g, uint64_t gpa)
{
	unsigned int i;

	for (i = 0; i < NR_REGIONS; i++)
		if (gpa >= regions[i].gpa &&
		    gpa - regions[i].gpa < regions[i].size)
			return g->file + regions[i].offset +
				(gpa - regions[i].gpa);
	fail_msg("no memory at %#llx", (unsigned long long)gpa);
	return NULL;
}

uint64_t guest_blocks(struct guest *g)
{
	struct stat st;

	assert_int_equal(fstat(g->fd, &st), 0);
	return (uint64_t)st.st_blocks;
}

void guest_fill(struct guest *g, uint64_t gpa, uint64_t len, uint8_t value)
{
	uint64_t at;

	for (at = gpa; at < gpa + len; at += 4096)
		memset(guest_at(g, at), value, 4096);
}

bool guest_is(struct guest *g, uint64_t gpa, uint64_t len, uint8_t value)
{
	uint64_t at;

	for (at = gpa; at < gpa + len; at++)
		if (*(uint8_t *)guest_at(g, at) != value)
			return false;
	return true;
}

static uint8_t *ring(struct guest *g, unsigned int q)
{
	return guest_at(g, LOW + q * QUEUE_SPACE);
}

void guest_desc(struct guest *g, unsigned int q, unsigned int i, uint64_t gpa,
		uint32_t len, uint16_t flags, uint16_t next)
{
	struct vring_desc *desc = (struct vring_desc *)(void *)ring(g, q);

	desc[i] = (struct vring_desc){ gpa, len, flags, next };
}

static struct vring_avail *avail_ring(struct guest *g, unsigned int q)
{
	return (struct vring_avail *)(void *)(ring(g, q) + AVAIL);
}

void guest_set_avail_idx(struct guest *g, unsigned int q, uint16_t idx)
{
	g->avail_idx[q] = idx;
	__atomic_store_n(&avail_ring(g, q)->idx, idx, __ATOMIC_RELEASE);
}

void guest_avail(struct guest *g, unsigned int q, uint16_t head)
{
	avail_ring(g, q)->ring[g->avail_idx[q] % g->size] = head;
	guest_set_avail_idx(g, q, g->avail_idx[q] + 1);
}

void guest_flags(struct guest *g, unsigned int q, uint16_t flags)
{
	__atomic_store_n(&avail_ring(g, q)->flags, flags, __ATOMIC_RELAXED);
}

bool guest_used(struct guest *g, unsigned int q, uint32_t *id, uint32_t *len)
{
	struct vring_used *used =
		(struct vring_used *)(void *)(ring(g, q) + USED);

	if (__atomic_load_n(&used->idx, __ATOMIC_ACQUIRE) == g->used_idx[q])
		return false;
	*id = used->ring[g->used_idx[q] % g->size].id;
	*len = used->ring[g->used_idx[q] % g->size].len;
	g->used_idx[q]++;
	return true;
}

bool guest_kick(struct guest *g, unsigned int q)
{
	return g->vdev->ops->kick(g->vdev, q);
}

void guest_hear(void *ctx, const char *text)
{
	struct guest *g = ctx;

	g->said++;
	snprintf(g->text, sizeof(g->text), "%s", text);
}
