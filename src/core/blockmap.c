// SPDX-License-Identifier: GPL-2.0
/* The block map; see blockmap.h for the states and the locking. */
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h> /* kvcalloc() is here before 5.16, in slab.h since */
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "blockmap.h"

static void deactivate(struct fpr_blockmap *map, unsigned long block)
{
	if (!__test_and_clear_bit(block, map->active))
		return;
	map->nr_active--;
	map->nr_kept -= map->tries[block] == FPR_KEPT_LOOK;
}

static unsigned long *alloc_bits(unsigned long n)
{
	return kvcalloc(BITS_TO_LONGS(n), sizeof(long), GFP_KERNEL);
}

/* Everything but the marks. */
static int alloc_worker_part(struct fpr_blockmap *map, unsigned long nblocks)
{
	map->nblocks = nblocks;
	map->present = alloc_bits(nblocks);
	map->active = alloc_bits(nblocks);
	map->held = alloc_bits(nblocks);
	map->visited = alloc_bits(nblocks);
	map->stamp = kvcalloc(nblocks, sizeof(*map->stamp), GFP_KERNEL);
	map->given = kvcalloc(nblocks, sizeof(*map->given), GFP_KERNEL);
	map->tries = kvcalloc(nblocks, sizeof(*map->tries), GFP_KERNEL);
	map->calm = kvcalloc(nblocks, sizeof(*map->calm), GFP_KERNEL);
	map->unused = kvcalloc(nblocks, sizeof(*map->unused), GFP_KERNEL);
	return map->present && map->active && map->held && map->visited &&
	       map->stamp && map->given && map->tries && map->calm &&
	       map->unused ? 0 : -ENOMEM;
}

static void free_worker_part(struct fpr_blockmap *map)
{
	kvfree(map->present);
	kvfree(map->active);
	kvfree(map->held);
	kvfree(map->visited);
	kvfree(map->stamp);
	kvfree(map->given);
	kvfree(map->tries);
	kvfree(map->calm);
	kvfree(map->unused);
}

static struct fpr_marks *alloc_marks(unsigned long nblocks)
{
	unsigned long n = roundup_pow_of_two(2 * nblocks);
	struct fpr_marks *marks;

	marks = kvzalloc(sizeof(*marks) + BITS_TO_LONGS(n) * sizeof(long),
			 GFP_KERNEL);
	if (marks)
		marks->mask = n - 1;
	return marks;
}

/**
 * fpr_blockmap_init() - allocate an empty map
 * @map: uninitialised map
 * @nblocks: number of blocks, at least 1
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM, and then nothing is left allocated.
 */
int fpr_blockmap_init(struct fpr_blockmap *map, unsigned long nblocks)
{
	memset(map, 0, sizeof(*map));
	map->marks = alloc_marks(nblocks);
	if (!map->marks || alloc_worker_part(map, nblocks)) {
		fpr_blockmap_destroy(map);
		return -ENOMEM;
	}
	return 0;
}

/**
 * fpr_blockmap_destroy() - free what fpr_blockmap_init() allocated
 * @map: the map; no hook may use its marks any more
 *
 * Context: may sleep.
 */
void fpr_blockmap_destroy(struct fpr_blockmap *map)
{
	struct fpr_marks *marks, *older;

	for (marks = map->marks; marks; marks = older) {
		older = marks->older;
		kvfree(marks);
	}
	free_worker_part(map);
	memset(map, 0, sizeof(*map));
}

/**
 * fpr_blockmap_grow() - make room for more blocks
 * @map: the map
 * @room: a map that fpr_blockmap_init() made, of more blocks; left for
 *	fpr_blockmap_destroy(), with what @map does not need any more
 *
 * A hook may still have the marks that there were: they are kept, and harvested,
 * for as long as the map.
 * Context: engine mutex held; hooks may mark at the same time; they are to be given
 * the new marks.
 */
void fpr_blockmap_grow(struct fpr_blockmap *map, struct fpr_blockmap *room)
{
	struct fpr_blockmap old = *map;
	unsigned long n = map->nblocks;

	bitmap_copy(room->present, map->present, n);
	bitmap_copy(room->active, map->active, n);
	bitmap_copy(room->held, map->held, n);
	bitmap_copy(room->visited, map->visited, n);
	memcpy(room->stamp, map->stamp, n * sizeof(*map->stamp));
	memcpy(room->given, map->given, n * sizeof(*map->given));
	memcpy(room->tries, map->tries, n * sizeof(*map->tries));
	memcpy(room->calm, map->calm, n * sizeof(*map->calm));
	memcpy(room->unused, map->unused, n * sizeof(*map->unused));
	room->nr_active = map->nr_active;
	room->nr_kept = map->nr_kept;

	*map = *room;
	*room = old;
	if (map->marks->mask > old.marks->mask) {
		map->marks->older = old.marks;
		room->marks = NULL;
	} else {
		room->marks = map->marks;
		map->marks = old.marks;
	}
}

/* A walk over the map gives way after so many blocks: they take some 50 us. */
#define WALK_BLOCKS	4096

/* In a walk, for each of its blocks; @n counts them. */
static inline void give_way(unsigned int *n)
{
	if (!(++*n % WALK_BLOCKS))
		cond_resched_tasks_rcu_qs();
}

/**
 * fpr_blockmap_set_present() - memory came online or is going away
 * @map: the map
 * @first: first block
 * @n: number of blocks; what lies beyond the map is ignored
 * @present: whether the blocks may be looked at from now on
 *
 * Blocks that go away are forgotten, but for those held: their pages come back
 * through fpr_blockmap_release().
 * Context: engine mutex held.
 */
void fpr_blockmap_set_present(struct fpr_blockmap *map, unsigned long first,
			      unsigned long n, bool present)
{
	unsigned long block, end = min(first + n, map->nblocks);
	unsigned int walked = 0;

	for (block = first; block < end; block++) {
		give_way(&walked);
		if (present) {
			__set_bit(block, map->present);
			continue;
		}
		__clear_bit(block, map->present);
		__clear_bit(block, map->visited);
		deactivate(map, block);
	}
}

/*
 * Pieces of a block were reported, after it had been left alone for cold_ms << calm,
 * and @ms later it was freed into.  It is cold again when it has been left alone for
 * longer than that: what frees a page into it now and then is no reason to report all
 * its pieces each time.
 */
static u8 calm_after(const struct fpr_harvest *h, u8 calm, u32 ms)
{
	u64 wait = 2 * ((u64)ms + ((u64)h->cold_ms << calm));

	for (calm = 0; calm <= FPR_MAX_CALM; calm++)
		if ((u64)h->cold_ms << calm >= wait)
			return calm;
	/* So seldom that it does no harm. */
	return 0;
}

/* Something was freed in @block since the last harvest. */
static void take_mark(struct fpr_blockmap *map, unsigned long block,
		      struct fpr_harvest *h)
{
	if (!test_bit(block, map->present))
		return;
	if (test_bit(block, map->visited)) {
		u32 ms = h->now - map->stamp[block];

		h->recycled += ms < FPR_RECYCLE_MS;
		if (map->given[block] >= h->whole) {
			h->again++;
			map->calm[block] = 0;
		} else {
			map->calm[block] = calm_after(h, map->calm[block], ms);
		}
	}
	h->saved += test_bit(block, map->active) &&
		    map->tries[block] == FPR_KEPT_LOOK;
	fpr_blockmap_activate(map, block, h->now + h->delay_ms, 0);
}

static void harvest_marks(struct fpr_blockmap *map, struct fpr_marks *marks,
			  struct fpr_harvest *h)
{
	unsigned long words = BITS_TO_LONGS(marks->mask + 1), i;
	unsigned int walked = 0;

	for (i = 0; i < words; i++) {
		unsigned long word;

		if (!READ_ONCE(marks->bits[i]))
			continue;
		word = xchg(&marks->bits[i], 0);
		for (; word; word &= word - 1, h->marks++) {
			unsigned long block = i * BITS_PER_LONG + __ffs(word);

			for (; block < map->nblocks; block += marks->mask + 1) {
				give_way(&walked);
				take_mark(map, block, h);
			}
		}
	}
}

/**
 * fpr_blockmap_harvest() - turn marks into blocks that age
 * @map: the map
 * @h: what it goes by; what it found is added
 *
 * A block freed at any time since the last harvest is due @delay_ms from now:
 * never early, late by no more than the time between two harvests.
 * Context: engine mutex held; hooks may mark at the same time.
 */
void fpr_blockmap_harvest(struct fpr_blockmap *map, struct fpr_harvest *h)
{
	struct fpr_marks *marks;

	for (marks = map->marks; marks; marks = marks->older)
		harvest_marks(map, marks, h);
}

/**
 * fpr_blockmap_activate() - have a block looked at
 * @map: the map
 * @block: a block of the map; ignored when its memory is not online
 * @due: when, on the ms clock
 * @tries: 0, %FPR_ONE_LOOK, %FPR_COLD_LOOK or %FPR_KEPT_LOOK
 *
 * Context: engine mutex held.
 */
void fpr_blockmap_activate(struct fpr_blockmap *map, unsigned long block,
			   u32 due, u8 tries)
{
	if (!test_bit(block, map->present))
		return;
	__clear_bit(block, map->visited);
	deactivate(map, block);
	__set_bit(block, map->active);
	map->nr_active++;
	map->nr_kept += tries == FPR_KEPT_LOOK;
	map->stamp[block] = due;
	map->given[block] = 0;
	map->tries[block] = tries;
}

/**
 * fpr_blockmap_activate_all() - forget what was reported, look at everything
 * @map: the map
 * @due: when, on the ms clock
 *
 * One look for each block: most are in use, and will be marked when they are
 * freed.
 * Context: engine mutex held.
 */
void fpr_blockmap_activate_all(struct fpr_blockmap *map, u32 due)
{
	unsigned int walked = 0;
	unsigned long block;

	for_each_set_bit(block, map->present, map->nblocks) {
		give_way(&walked);
		fpr_blockmap_activate(map, block, due, FPR_ONE_LOOK);
	}
}

/**
 * fpr_blockmap_cap_due() - let no block wait longer than this
 * @map: the map
 * @latest: ms clock
 * @latest_cold: likewise, for those that wait until they are cold, or are kept
 *
 * For a delay that was shortened.
 * Context: engine mutex held.
 */
void fpr_blockmap_cap_due(struct fpr_blockmap *map, u32 latest, u32 latest_cold)
{
	unsigned int walked = 0;
	unsigned long block;

	for_each_set_bit(block, map->active, map->nblocks) {
		u8 tries = map->tries[block];
		u32 cap = tries == FPR_COLD_LOOK || tries == FPR_KEPT_LOOK ?
			latest_cold : latest;

		give_way(&walked);
		if (fpr_ms_reached(map->stamp[block], cap))
			map->stamp[block] = cap;
	}
}

/**
 * fpr_blockmap_forget() - forget all but which memory is present
 * @map: the map; no block is held
 *
 * Context: engine mutex held.
 */
void fpr_blockmap_forget(struct fpr_blockmap *map)
{
	bitmap_zero(map->active, map->nblocks);
	bitmap_zero(map->visited, map->nblocks);
	map->nr_active = 0;
	map->nr_kept = 0;
}

/**
 * fpr_blockmap_count_due() - how much is due, and when to look next
 * @map: the map
 * @now: ms clock
 * @oldest: set to the earliest due time of the blocks that are due
 * @next: set to the earliest due time of those that are not
 *
 * Context: engine mutex held.
 * Return: number of blocks due; @oldest is set only if it is not 0, @next only
 * if it is smaller than the number of active blocks.
 */
unsigned long fpr_blockmap_count_due(const struct fpr_blockmap *map, u32 now,
				     u32 *oldest, u32 *next)
{
	unsigned long block, due = 0, later = 0;
	unsigned int walked = 0;

	for_each_set_bit(block, map->active, map->nblocks) {
		u32 stamp = map->stamp[block];

		give_way(&walked);
		if (fpr_ms_reached(now, stamp)) {
			if (!due++ || !fpr_ms_reached(stamp, *oldest))
				*oldest = stamp;
		} else if (!later++ || !fpr_ms_reached(stamp, *next)) {
			*next = stamp;
		}
	}
	return due;
}

/**
 * fpr_blockmap_next_due() - next block to look at, in address order
 * @map: the map
 * @from: first block considered
 * @now: ms clock
 * @any_age: take every active block, also those still ageing
 *
 * Context: engine mutex held.
 * Return: the block, or the number of blocks if there is none.
 */
unsigned long fpr_blockmap_next_due(const struct fpr_blockmap *map,
				    unsigned long from, u32 now, bool any_age)
{
	unsigned long block = from;
	unsigned int walked = 0;

	for_each_set_bit_from(block, map->active, map->nblocks) {
		if (any_age || fpr_ms_reached(now, map->stamp[block]))
			return block;
		give_way(&walked);
	}
	return map->nblocks;
}

/**
 * fpr_blockmap_next_aged() - next block that has stayed free for the delay
 * @map: the map
 * @from: first block considered
 * @now: ms clock
 *
 * Those that are due, and those that were, and wait for another look.
 * Context: engine mutex held.
 * Return: the block, or the number of blocks if there is none.
 */
unsigned long fpr_blockmap_next_aged(const struct fpr_blockmap *map,
				     unsigned long from, u32 now)
{
	unsigned long block = from;
	unsigned int walked = 0;

	for_each_set_bit_from(block, map->active, map->nblocks) {
		if (fpr_ms_reached(now, map->stamp[block]) ||
		    (map->tries[block] && map->tries[block] < FPR_MAX_TRIES))
			return block;
		give_way(&walked);
	}
	return map->nblocks;
}

/**
 * fpr_blockmap_quiet() - whether no block of a range is still ageing
 * @map: the map
 * @first: first block
 * @n: number of blocks; those beyond the map count as quiet
 * @now: ms clock
 *
 * A free buddy larger than a block is reported only when all of it is old
 * enough.
 * Context: engine mutex held.
 */
bool fpr_blockmap_quiet(const struct fpr_blockmap *map, unsigned long first,
			unsigned long n, u32 now)
{
	unsigned long block, end = min(first + n, map->nblocks);

	for (block = first; block < end; block++) {
		if (!test_bit(block, map->present))
			return false;
		if (test_bit(block, map->active) &&
		    !fpr_ms_reached(now, map->stamp[block]))
			return false;
	}
	return true;
}

/**
 * fpr_blockmap_drop() - there is nothing to report in a block
 * @map: the map
 * @block: an active block; left to the next mark or the sweep
 *
 * Context: engine mutex held.
 */
void fpr_blockmap_drop(struct fpr_blockmap *map, unsigned long block)
{
	deactivate(map, block);
}

/**
 * fpr_blockmap_retry() - a look found nothing to report: look again later
 * @map: the map
 * @block: an active block
 * @now: ms clock
 * @delay_ms: first distance; it doubles with each look
 *
 * Pages on the way to the buddy allocator by way of a per-CPU list arrive
 * without another event, so the block is not forgotten at once.  After
 * %FPR_MAX_TRIES it is left to the next mark or the sweep.
 * Context: engine mutex held.
 */
void fpr_blockmap_retry(struct fpr_blockmap *map, unsigned long block,
			u32 now, u32 delay_ms)
{
	map->given[block] = 0;
	if (map->tries[block] >= FPR_KEPT_LOOK ||
	    ++map->tries[block] == FPR_MAX_TRIES)
		fpr_blockmap_drop(map, block);
	else
		map->stamp[block] = now + (delay_ms << map->tries[block]);
}

/**
 * fpr_blockmap_defer() - look at a block when its neighbours are due as well
 * @map: the map
 * @block: an active block
 * @first: first block of the range
 * @n: number of blocks; what lies beyond the map is ignored
 *
 * Context: engine mutex held.
 * Return: whether one of them is due later.
 */
bool fpr_blockmap_defer(struct fpr_blockmap *map, unsigned long block,
			unsigned long first, unsigned long n)
{
	u32 before = map->stamp[block];
	unsigned long b = first;

	for_each_set_bit_from(b, map->active, min(first + n, map->nblocks))
		if (fpr_ms_reached(map->stamp[b], map->stamp[block]))
			map->stamp[block] = map->stamp[b];
	return map->stamp[block] != before;
}

/**
 * fpr_blockmap_hold() - pages of a block are with the device
 * @map: the map
 * @block: an active, visited or idle block
 *
 * Context: engine mutex held.
 */
void fpr_blockmap_hold(struct fpr_blockmap *map, unsigned long block)
{
	deactivate(map, block);
	__clear_bit(block, map->visited);
	__set_bit(block, map->held);
}

/**
 * fpr_blockmap_release() - the pages of a report are back in the allocator
 * @map: the map
 * @first: first block that may be held
 * @last: last block that may be held
 * @acknowledged: the device has reported them; otherwise they become active
 *	again, due at once
 * @now: ms clock
 *
 * Context: engine mutex held.
 * Return: number of blocks released.
 */
unsigned long fpr_blockmap_release(struct fpr_blockmap *map,
				   unsigned long first, unsigned long last,
				   bool acknowledged, u32 now)
{
	unsigned long block = first, released = 0;

	for_each_set_bit_from(block, map->held, min(last + 1, map->nblocks)) {
		__clear_bit(block, map->held);
		released++;
		if (!acknowledged) {
			fpr_blockmap_activate(map, block, now, 0);
		} else if (test_bit(block, map->present) &&
			   !test_bit(block, map->active)) {
			__set_bit(block, map->visited);
			map->stamp[block] = now;
		}
	}
	return released;
}
