// SPDX-License-Identifier: GPL-2.0
/* The device's side of a split virtqueue; see ring.h. */
#include "ring.h"

#include <endian.h>
#include <errno.h>
#include <linux/virtio_ring.h>
#include <string.h>

/*
 * Where things are in the rings (virtio 1.2, 2.7.5 to 2.7.8).  The guest may write
 * any of it at any time, so a field is taken with one atomic load, which also
 * keeps the compiler from loading it a second time after it was checked.
 */
#define DESC_SIZE	16
#define DESC_LEN	8
#define DESC_FLAGS	12
#define DESC_NEXT	14
#define RING_FLAGS	0
#define RING_IDX	2
#define RING_ENTRIES	4
#define AVAIL_SIZE	2
#define USED_SIZE	8
#define USED_LEN	4

static uint16_t load16(const uint8_t *p)
{
	return le16toh(__atomic_load_n((const uint16_t *)(const void *)p,
				       __ATOMIC_RELAXED));
}

static uint32_t load32(const uint8_t *p)
{
	return le32toh(__atomic_load_n((const uint32_t *)(const void *)p,
				       __ATOMIC_RELAXED));
}

static uint64_t load64(const uint8_t *p)
{
	return le64toh(__atomic_load_n((const uint64_t *)(const void *)p,
				       __ATOMIC_RELAXED));
}

static void store32(uint8_t *p, uint32_t value)
{
	__atomic_store_n((uint32_t *)(void *)p, htole32(value),
			 __ATOMIC_RELAXED);
}

static bool aligned(const void *p, uintptr_t to)
{
	return p && !((uintptr_t)p & (to - 1));
}

int ring_start(struct ring *ring, const struct vdev_queue_setup *setup)
{
	if (!setup->size || setup->size > VDEV_MAX_QUEUE_SIZE ||
	    (setup->size & (setup->size - 1)))
		return -EINVAL;
	if (!aligned(setup->desc, VRING_DESC_ALIGN_SIZE) ||
	    !aligned(setup->avail, VRING_AVAIL_ALIGN_SIZE) ||
	    !aligned(setup->used, VRING_USED_ALIGN_SIZE))
		return -EINVAL;
	ring->size = setup->size;
	ring->desc = setup->desc;
	ring->avail = setup->avail;
	ring->used = setup->used;
	ring->next_avail = setup->next_avail;
	/* No protocol tells it, and it is only ever added to. */
	ring->next_used = load16(ring->used + RING_IDX);
	return 0;
}

uint16_t ring_stop(struct ring *ring)
{
	uint16_t next = ring_running(ring) ? ring->next_avail : 0;

	memset(ring, 0, sizeof(*ring));
	return next;
}

/* The bytes from @gpa on that lie in one region, at most @len; 0 if none does. */
static uint64_t span(const struct mem *mem, uint64_t gpa, uint64_t len,
		     uint8_t **at)
{
	const struct mem_region *r = mem_find(mem, gpa);
	uint64_t left;

	if (!r)
		return 0;
	*at = r->map + (gpa - r->gpa);
	left = r->size - (gpa - r->gpa);
	return len < left ? len : left;
}

static bool is_memory(const struct mem *mem, uint64_t gpa, uint64_t len)
{
	uint8_t *at;

	while (len) {
		uint64_t n = span(mem, gpa, len, &at);

		if (!n)
			return false;
		gpa += n;
		len -= n;
	}
	return true;
}

/* Adds a descriptor to the chain; returns what is wrong with it, or NULL. */
static const char *add(struct ring_chain *chain, const struct mem *mem,
		       uint64_t gpa, uint32_t len, uint16_t flags)
{
	unsigned int n = chain->nr_readable + chain->nr_writable;

	if (flags & VRING_DESC_F_INDIRECT)
		return "indirect descriptor, which was not offered";
	if (!len)
		return "descriptor of no length";
	if (gpa + len < gpa)
		return "descriptor beyond the end of the address space";
	if (mem && !is_memory(mem, gpa, len))
		return "descriptor outside guest memory";
	if (flags & VRING_DESC_F_WRITE) {
		chain->nr_writable++;
		chain->writable += len;
	} else {
		if (chain->nr_writable)
			return "device-readable descriptor after a device-writable one";
		chain->nr_readable++;
		chain->readable += len;
	}
	chain->bufs[n].gpa = gpa;
	chain->bufs[n].len = len;
	return NULL;
}

/* Follows the chain from its head. */
static const char *walk(const struct ring *ring, const struct mem *mem,
			struct ring_chain *chain)
{
	uint16_t i = chain->head;
	unsigned int n;

	/* As many as there are descriptors: a loop is longer. */
	for (n = 0; n < ring->size; n++) {
		const uint8_t *desc;
		const char *why;
		uint16_t flags;

		if (i >= ring->size)
			return "descriptor index beyond the queue";
		desc = ring->desc + (size_t)i * DESC_SIZE;
		flags = load16(desc + DESC_FLAGS);
		why = add(chain, mem, load64(desc), load32(desc + DESC_LEN),
			  flags);
		if (why)
			return why;
		if (!(flags & VRING_DESC_F_NEXT))
			return NULL;
		i = load16(desc + DESC_NEXT);
	}
	return "descriptor chain longer than the queue, or a loop";
}

int ring_pop(struct ring *ring, const struct mem *mem, struct ring_chain *chain,
	     const char **why)
{
	const uint16_t *idx = (const void *)(ring->avail + RING_IDX);
	unsigned int slot = ring->next_avail & (ring->size - 1);
	uint16_t waiting;

	/* Acquire: what the driver wrote before it raised the index is seen. */
	waiting = le16toh(__atomic_load_n(idx, __ATOMIC_ACQUIRE)) -
		  ring->next_avail;
	if (!waiting)
		return 0;
	if (waiting > ring->size) {
		*why = "available index is further than the queue is long";
		return -EPROTO;
	}
	chain->head = load16(ring->avail + RING_ENTRIES +
			     (size_t)slot * AVAIL_SIZE);
	chain->nr_readable = 0;
	chain->nr_writable = 0;
	chain->readable = 0;
	chain->writable = 0;
	*why = walk(ring, mem, chain);
	if (*why)
		return -EPROTO;
	ring->next_avail++;
	return 1;
}

/* Copies to or from buffers of the chain, which are memory since ring_pop(). */
static bool copy(const struct ring_buf *bufs, unsigned int nr,
		 const struct mem *mem, uint64_t offset, uint8_t *data,
		 size_t len, bool to_guest)
{
	for (; nr && len; bufs++, nr--) {
		uint64_t gpa = bufs->gpa + offset, left;
		uint8_t *at;

		if (offset >= bufs->len) {
			offset -= bufs->len;
			continue;
		}
		left = bufs->len - offset;
		offset = 0;
		while (left && len) {
			uint64_t n = span(mem, gpa, left < len ? left : len,
					  &at);

			if (!n)
				return false;
			if (to_guest)
				memcpy(at, data, n);
			else
				memcpy(data, at, n);
			gpa += n;
			left -= n;
			data += n;
			len -= n;
		}
	}
	return !len;
}

bool ring_read(const struct ring_chain *chain, const struct mem *mem,
	       uint64_t offset, void *to, size_t len)
{
	bool ok;

	if (chain->readable < offset || chain->readable - offset < len)
		return false;
	ok = copy(chain->bufs, chain->nr_readable, mem, offset, to, len, false);
	/* What is used is the copy, not the guest's memory read again. */
	__asm__ volatile("" : : "r"(to) : "memory");
	return ok;
}

bool ring_write(const struct ring_chain *chain, const struct mem *mem,
		const void *from, size_t len)
{
	if (chain->writable < len)
		return false;
	/* Not written to: the direction says so. */
	return copy(chain->bufs + chain->nr_readable, chain->nr_writable, mem,
		    0, (uint8_t *)(uintptr_t)from, len, true);
}

void ring_push(struct ring *ring, uint16_t head, uint32_t written)
{
	uint8_t *entry = ring->used + RING_ENTRIES +
		(size_t)(ring->next_used & (ring->size - 1)) * USED_SIZE;
	uint16_t *idx = (void *)(ring->used + RING_IDX);

	store32(entry, head);
	store32(entry + USED_LEN, written);
	ring->next_used++;
	/* Release: who sees the index sees the entry and the answer. */
	__atomic_store_n(idx, htole16(ring->next_used), __ATOMIC_RELEASE);
}

bool ring_wants_interrupt(const struct ring *ring)
{
	/*
	 * Raise the index, then look at the flag; the driver clears the flag,
	 * then looks at the index.  One of the two sees the other's.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !(load16(ring->avail + RING_FLAGS) & VRING_AVAIL_F_NO_INTERRUPT);
}
