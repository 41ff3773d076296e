/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The block map: what is known, and only suspected, of every 2 MiB block.
 *
 *	          mark (hook, any context)
 *	 idle ──────────────────────────────► marked
 *	  ▲  ▲                                  │ harvest (worker)
 *	  │  └─ drop; retry, too often ─────┐   ▼
 *	  │                                 active ◄── mark + harvest: due anew
 *	  │                                 ▲   │ hold (wholly looked at, pages isolated)
 *	  │            release, failed ─────┘   ▼
 *	  └── mark + harvest ── visited ◄──── held
 *	      (→ active)          release, acknowledged
 *
 * An active block that is not wholly free, and freed into no more, is looked at
 * once again when it is cold (%FPR_COLD_LOOK): what is free in it in pieces.  One
 * that is free and old enough may be kept for a while (%FPR_KEPT_LOOK), since as
 * much was needed again soon before (feedback.h).
 *
 * Nothing in here decides that memory is free: that is the buddy allocator's
 * word, taken under zone->lock (buddy.c).  A wrong bit costs a late or a
 * useless look.
 *
 * Pure data structure: no page, zone or allocator knowledge, and compiled into
 * the userspace unit tests as it is.
 *
 * Locking: everything but the marks belongs to the worker and is guarded by
 * the engine's mutex.  Marks are set by hooks in any context, NMI included, with
 * atomic bit operations only.
 */
#ifndef _FPR_BLOCKMAP_H
#define _FPR_BLOCKMAP_H

#include <linux/bitops.h>
#include <linux/cache.h>
#include <linux/types.h>

/* A block marked again within this time after it was reported is "recycled". */
#define FPR_RECYCLE_MS		10000
/* Looks at a block that is not wholly free, 2, 4, 8 … delays apart, in all. */
#define FPR_MAX_TRIES		6
/* For fpr_blockmap_activate(): forget the block after one such look. */
#define FPR_ONE_LOOK		U8_MAX
/* Likewise, and that look is for what is free in pieces: the block is cold then. */
#define FPR_COLD_LOOK		(U8_MAX - 1)
/* Likewise, and until then the block is kept, although it is old enough. */
#define FPR_KEPT_LOOK		(U8_MAX - 2)
/* A block that is freed into now and then is cold after 2, 4, … 256 times cold_ms. */
#define FPR_MAX_CALM		8

/**
 * struct fpr_marks - "freed since the last harvest", a bit per block
 * @mask: number of bits in @bits, a power of two, less one
 * @older: smaller ones, from before memory was added, that a hook may still have;
 *	the harvest's
 * @unused: no mark is in the cache line of @mask, which every free reads
 * @bits: the marks; a cache line of 64 bytes holds those of 1 GiB
 *
 * All that a hook touches; with room for twice the memory there is.  A hook masks its
 * block number instead of comparing it: fewer instructions per page freed, and memory
 * that is added later can do no harm.  The map grows before there is such memory; where
 * it could not, and in @older, blocks beyond the bits share the marks of others, and
 * the harvest takes such a mark for all of them.
 */
struct fpr_marks {
	unsigned long mask;
	struct fpr_marks *older;
	unsigned long unused[SMP_CACHE_BYTES / sizeof(long) - 1];
	unsigned long bits[];
};

/**
 * struct fpr_blockmap - the state of all blocks
 * @marks: marks of the hooks; freed with the map, not before
 * @nblocks: number of blocks
 * @present: memory of the block is online
 * @active: the block waits to be looked at, at @stamp
 * @held: pages of the block are isolated and with the device
 * @visited: all that was free here has been reported and nothing freed since
 * @stamp: ms clock; when to look (active), when reported (visited)
 * @given: base pages reported of the block (visited), or so far (active, held)
 * @tries: looks so far that found the block not wholly free, or %FPR_ONE_LOOK,
 *	%FPR_COLD_LOOK or %FPR_KEPT_LOOK
 * @calm: it is cold after cold_ms << this: more than it was left alone for, when
 *	pieces of it had been reported
 * @unused: base pages of it that nobody used when a part of it was last reported
 * @nr_active: bits set in @active
 * @nr_kept: those of them that are kept
 *
 * 64 KiB per TiB and bitmap at 2 MiB blocks, 5 MiB per TiB for the rest.
 */
struct fpr_blockmap {
	struct fpr_marks *marks;
	unsigned long nblocks;
	unsigned long *present;
	unsigned long *active;
	unsigned long *held;
	unsigned long *visited;
	u32 *stamp;
	u16 *given;
	u8 *tries;
	u8 *calm;
	u16 *unused;
	unsigned long nr_active;
	unsigned long nr_kept;
};

/**
 * struct fpr_harvest - what a harvest goes by, and what it found
 * @now: ms clock
 * @delay_ms: how long a block has to stay free
 * @cold_ms: how long until it is cold, at first
 * @whole: base pages of a block
 * @marks: marks taken
 * @again: blocks that had been reported, as a whole
 * @recycled: blocks that were reported, in whatever pieces, less than
 *	%FPR_RECYCLE_MS ago
 * @saved: blocks that had been kept
 */
struct fpr_harvest {
	u32 now;
	u32 delay_ms;
	u32 cold_ms;
	u16 whole;
	unsigned long marks;
	unsigned long again;
	unsigned long recycled;
	unsigned long saved;
};

/**
 * fpr_ms_reached() - whether a time on the wrapping millisecond clock has come
 * @now: the time now
 * @then: the time asked about, at most 24 days away
 */
static inline bool fpr_ms_reached(u32 now, u32 then)
{
	return (s32)(now - then) >= 0;
}

/**
 * fpr_marked() - whether a block's mark is set already
 * @marks: the marks
 * @block: any block number, also one beyond the map
 *
 * Context: any.
 */
static __always_inline bool fpr_marked(const struct fpr_marks *marks,
				       unsigned long block)
{
	return test_bit(block & marks->mask, marks->bits);
}

/**
 * fpr_mark() - note that something was freed in a block
 * @marks: the marks
 * @block: any block number, also one beyond the map
 *
 * Context: any.
 * Return: whether the mark was not set before.
 */
static inline bool fpr_mark(struct fpr_marks *marks, unsigned long block)
{
	return !test_and_set_bit(block & marks->mask, marks->bits);
}

int fpr_blockmap_init(struct fpr_blockmap *map, unsigned long nblocks);
void fpr_blockmap_destroy(struct fpr_blockmap *map);
void fpr_blockmap_grow(struct fpr_blockmap *map, struct fpr_blockmap *room);

void fpr_blockmap_set_present(struct fpr_blockmap *map, unsigned long first,
			      unsigned long n, bool present);
void fpr_blockmap_harvest(struct fpr_blockmap *map, struct fpr_harvest *h);
void fpr_blockmap_activate(struct fpr_blockmap *map, unsigned long block,
			   u32 due, u8 tries);
void fpr_blockmap_activate_all(struct fpr_blockmap *map, u32 due);
void fpr_blockmap_cap_due(struct fpr_blockmap *map, u32 latest, u32 latest_cold);
void fpr_blockmap_forget(struct fpr_blockmap *map);

unsigned long fpr_blockmap_count_due(const struct fpr_blockmap *map, u32 now,
				     u32 *oldest, u32 *next);
unsigned long fpr_blockmap_next_due(const struct fpr_blockmap *map,
				    unsigned long from, u32 now, bool any_age);
unsigned long fpr_blockmap_next_aged(const struct fpr_blockmap *map,
				     unsigned long from, u32 now);
bool fpr_blockmap_quiet(const struct fpr_blockmap *map, unsigned long first,
			unsigned long n, u32 now);
void fpr_blockmap_drop(struct fpr_blockmap *map, unsigned long block);
void fpr_blockmap_retry(struct fpr_blockmap *map, unsigned long block,
			u32 now, u32 delay_ms);
bool fpr_blockmap_defer(struct fpr_blockmap *map, unsigned long block,
			unsigned long first, unsigned long n);
void fpr_blockmap_hold(struct fpr_blockmap *map, unsigned long block);
unsigned long fpr_blockmap_release(struct fpr_blockmap *map,
				   unsigned long first, unsigned long last,
				   bool acknowledged, u32 now);

#endif /* _FPR_BLOCKMAP_H */
