/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest and its VMM, for tests of devices: memory in a memfd, the driver's side
 * of split queues, and a transport that remembers what it was told.
 */
#ifndef TEST_GUEST_H
#define TEST_GUEST_H

#include "../unit/test.h"

#include "../../src/host/vdev.h"

#define MIB		(1ULL << 20)
#define QUEUE_SIZE	16

/*
 * Memory as the guest sees it: LOW and NEXT are neighbours whose places in the file
 * are swapped, HIGH lies behind a hole.  LOW begins with the rings.
 */
#define LOW		0x0ULL
#define LOW_SIZE	(4 * MIB)
#define LOW_OFFSET	(4 * MIB)
#define NEXT		(4 * MIB)
#define NEXT_SIZE	(4 * MIB)
#define NEXT_OFFSET	0x0ULL
#define HIGH		(16 * MIB)
#define HIGH_SIZE	(8 * MIB)
#define HIGH_OFFSET	(8 * MIB)
#define FILE_SIZE	(16 * MIB)
/* Free for buffers: behind the rings of VDEV_MAX_QUEUES queues. */
#define BUFFERS		0x100000ULL

struct guest {
	struct vdev *vdev;
	int fd;
	uint8_t *file;		/* the VMM's mapping of all of it */
	unsigned int size;	/* of the queues */
	uint16_t avail_idx[VDEV_MAX_QUEUES];
	uint16_t used_idx[VDEV_MAX_QUEUES];
	/* What the device said */
	unsigned int interrupts;
	unsigned int config_changes;
	unsigned int resets_needed;
	char why[160];
	unsigned int said;
	char text[240];
};

/* With memory, transport and queues of @size entries, VERSION_1 and all features. */
void guest_boot(struct guest *g, struct vdev *vdev, unsigned int size);
/* Resets the device and takes its memory away. */
void guest_shutdown(struct guest *g);
void guest_reset(struct guest *g);
void guest_start_queues(struct guest *g);
void guest_setup(struct guest *g, unsigned int q, struct vdev_queue_setup *s);

/* Where a guest address is in the VMM's mapping */
void *guest_at(struct guest *g, uint64_t gpa);
/* 512-byte blocks that the memory has */
uint64_t guest_blocks(struct guest *g);
/* Writes to each page of a range; and whether it is still there, or zeros */
void guest_fill(struct guest *g, uint64_t gpa, uint64_t len, uint8_t value);
bool guest_is(struct guest *g, uint64_t gpa, uint64_t len, uint8_t value);

/* The driver's side: a descriptor, a chain made available, a used one taken. */
void guest_desc(struct guest *g, unsigned int q, unsigned int i, uint64_t gpa,
		uint32_t len, uint16_t flags, uint16_t next);
void guest_avail(struct guest *g, unsigned int q, uint16_t head);
void guest_flags(struct guest *g, unsigned int q, uint16_t flags);
void guest_set_avail_idx(struct guest *g, unsigned int q, uint16_t idx);
bool guest_used(struct guest *g, unsigned int q, uint32_t *id, uint32_t *len);
bool guest_kick(struct guest *g, unsigned int q);

/* For &discard.say */
void guest_hear(void *ctx, const char *text);

#endif /* TEST_GUEST_H */
