/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Free buddies: isolating them into a batch, putting them back.  Whatever the
 * block map believes, only what is found here under zone->lock is ever taken.
 */
#ifndef _FPR_BUDDY_H
#define _FPR_BUDDY_H

#include <linux/mm.h>
#include <linux/types.h>

#include "../compat/compat.h"
#include "coalesce.h"
#include "peek.h"

struct fpr_device;
struct zone;

/* Blocks of the largest buddy that a block can be in. */
#define FPR_BUDDY_BLOCKS \
	(1UL << (FPR_MAX_ORDER > FPR_BLOCK_ORDER ? \
		 FPR_MAX_ORDER - FPR_BLOCK_ORDER : 0))

/* Most buddies of one batch; bounds the memory of the batch, not the report. */
#define FPR_BATCH_BUDDIES	4096

/**
 * struct fpr_buddy - an isolated buddy
 * @pfn: its first page frame
 * @order: its order in the allocator
 */
struct fpr_buddy {
	unsigned long pfn;
	unsigned int order;
};

/**
 * struct fpr_batch - the isolated memory of one report
 * @list: the memory as the device will see it
 * @buddies: the memory as the allocator gave it, ascending
 * @nr: buddies in use
 * @pages: base pages in all
 * @joint: page frame after the latest buddy, also of an earlier filling
 * @zone: zone of the latest buddy
 * @zone_pages: base pages of @zone in the batch
 * @held: its pages are the device's for a while, and counted as that
 *
 * Locking: the worker's batch belongs to the worker, that of lend.c to who has the
 * engine mutex.
 */
struct fpr_batch {
	struct fpr_coalesce list;
	struct fpr_buddy *buddies;
	unsigned int nr;
	unsigned long pages;
	unsigned long joint;
	struct zone *zone;
	unsigned long zone_pages;
	bool held;
};

/**
 * struct fpr_window - what may be taken
 * @lo: first page frame
 * @hi: page frame after the last
 * @order: smallest order of a buddy
 * @run: fewest base pages of contiguous free buddies; 0: any
 * @reach: page frame to which a run is followed, behind what is taken of it
 * @hold_pages: most base pages that the batch may hold; one buddy always fits
 * @share: it may hold one part in so many of what a zone has free above low; one
 *	buddy may be half of that
 * @keep: and above so many base pages more
 */
struct fpr_window {
	unsigned long lo;
	unsigned long hi;
	unsigned int order;
	unsigned long run;
	unsigned long reach;
	unsigned long hold_pages;
	unsigned int share;
	unsigned long keep;
};

/**
 * enum fpr_take - why fpr_buddy_take() returned
 * @FPR_TAKE_END: the range has been looked at wholly
 * @FPR_TAKE_FULL: the batch takes no more; go on after reporting it
 * @FPR_TAKE_LOW: the zone can spare no more now
 * @FPR_TAKE_YOUNG: the buddy there reaches out of the window
 */
enum fpr_take {
	FPR_TAKE_END,
	FPR_TAKE_FULL,
	FPR_TAKE_LOW,
	FPR_TAKE_YOUNG,
};

u64 fpr_entry_bytes(const struct fpr_device *dev);
int fpr_batch_init(struct fpr_batch *batch, unsigned int entries,
		   unsigned long entry_pages);
void fpr_batch_destroy(struct fpr_batch *batch);
void fpr_batch_reset(struct fpr_batch *batch);
void fpr_batch_seal(struct fpr_batch *batch);
void fpr_batch_putback(struct fpr_batch *batch);
void fpr_buddy_put(unsigned long pfn, unsigned long pages);
unsigned long fpr_zone_free(struct zone *zone);

enum fpr_take fpr_buddy_take(struct fpr_batch *batch,
			     const struct fpr_window *win,
			     unsigned long *pfn, unsigned long end);

#endif /* _FPR_BUDDY_H */
