/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device's side of a split virtqueue (virtio 1.2, 2.7).
 *
 * Everything in the ring is the guest's and changes at any time: each field is
 * read once, checked, and not read again.  What breaks the rules is -EPROTO and a
 * sentence; the caller then stops the device until it is reset.
 *
 * Neither indirect descriptors nor VIRTIO_RING_F_EVENT_IDX are offered, so the
 * first are an error and the second does not exist.
 */
#ifndef FPR_HOST_RING_H
#define FPR_HOST_RING_H

#include "vdev.h"

/**
 * struct ring - a running virtqueue
 * @size: entries; 0 while the queue does not run
 * @desc: descriptor table, guest memory
 * @avail: available ring, guest memory
 * @used: used ring, guest memory
 * @next_avail: index of the next entry of the available ring
 * @next_used: index of the next entry of the used ring
 */
struct ring {
	unsigned int size;
	uint8_t *desc;
	uint8_t *avail;
	uint8_t *used;
	uint16_t next_avail;
	uint16_t next_used;
};

/**
 * struct ring_buf - a descriptor, without what only the ring needs
 * @gpa: guest physical address
 * @len: bytes, not 0; @gpa + @len does not wrap
 */
struct ring_buf {
	uint64_t gpa;
	uint32_t len;
};

/**
 * struct ring_chain - a descriptor chain, copied from the ring
 * @head: its first descriptor, by which it is returned
 * @nr_readable: device-readable buffers, the first in @bufs
 * @nr_writable: device-writable ones, which follow
 * @readable: bytes of the former
 * @writable: bytes of the latter
 * @bufs: the buffers
 */
struct ring_chain {
	uint16_t head;
	unsigned int nr_readable;
	unsigned int nr_writable;
	uint64_t readable;
	uint64_t writable;
	struct ring_buf bufs[VDEV_MAX_QUEUE_SIZE];
};

/**
 * ring_start() - begin to process a queue
 * @ring: the ring
 * @setup: from the protocol
 *
 * Return: 0, or -EINVAL for a size that is no power of two up to
 * %VDEV_MAX_QUEUE_SIZE, a missing or a misaligned part.
 */
int ring_start(struct ring *ring, const struct vdev_queue_setup *setup);

/**
 * ring_stop() - forget the queue
 * Return: index of the next available entry; 0 if it did not run.
 */
uint16_t ring_stop(struct ring *ring);

static inline bool ring_running(const struct ring *ring)
{
	return ring->size;
}

/**
 * ring_pop() - take the next available chain
 * @ring: a running ring
 * @mem: guest memory that all buffers have to lie in, in one region or several;
 *	NULL where the buffers are not to be accessed but only name memory
 * @chain: set to the chain
 * @why: set to a sentence, on error
 *
 * Return: 1; 0 if there is none; -EPROTO.
 */
int ring_pop(struct ring *ring, const struct mem *mem, struct ring_chain *chain,
	     const char **why);

/**
 * ring_read() - copy out of a chain's device-readable bytes
 * @chain: popped with @mem
 * @mem: guest memory
 * @offset: first byte
 * @to: where to
 * @len: bytes
 *
 * Return: whether the chain has that many; if not, nothing was copied.
 */
bool ring_read(const struct ring_chain *chain, const struct mem *mem,
	       uint64_t offset, void *to, size_t len);

/**
 * ring_write() - copy to the beginning of a chain's device-writable bytes
 * @chain: popped with @mem
 * @mem: guest memory
 * @from: where from
 * @len: bytes
 *
 * Return: whether the chain has that many; if not, nothing was copied.
 */
bool ring_write(const struct ring_chain *chain, const struct mem *mem,
		const void *from, size_t len);

/**
 * ring_push() - return a chain to the driver
 * @ring: a running ring
 * @head: &ring_chain.head
 * @written: bytes written to it
 */
void ring_push(struct ring *ring, uint16_t head, uint32_t written);

/* Whether the driver wants an interrupt for what was pushed. */
bool ring_wants_interrupt(const struct ring *ring);

#endif /* FPR_HOST_RING_H */
