// SPDX-License-Identifier: GPL-2.0
/*
 * Free memory for a driver that wants to keep it: a balloon.  It is isolated as for
 * a report, but nobody waits for its return, and it goes back when the driver says.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/sched.h>

#include <fpr/fpr.h>

#include "../compat/compat.h"
#include "engine.h"
#include "ksyms.h"

/* Most runs of one call. */
#define LEND_RUNS	16

/* Empty but in fpr_take_runs(); and where that goes on, in blocks.  Engine mutex. */
static struct fpr_batch lent;
static unsigned long cursor;

/* Memory that must be movable, or whose zone has no more: not from there. */
static bool reserved(unsigned long block, const struct zone *low)
{
	struct page *page = pfn_to_page(block << FPR_BLOCK_ORDER);

	return page_zone(page) == low || page_zonenum(page) == ZONE_MOVABLE ||
	       is_migrate_cma(fpr_pageblock_migratetype(page));
}

/*
 * Isolate what is free in @block, in whole pageblocks.  A zone keeps what it would
 * keep if the memory were allocated for users: its low watermark, and what the
 * kernel reserves of it for those who can have no other.
 */
static enum fpr_take take_block(unsigned long block, unsigned long want)
{
	unsigned long first = round_down(block, FPR_BUDDY_BLOCKS);
	unsigned long pfn = block << FPR_BLOCK_ORDER;
	struct fpr_window win = {
		.lo = first << FPR_BLOCK_ORDER,
		.hi = (first + FPR_BUDDY_BLOCKS) << FPR_BLOCK_ORDER,
		.order = pageblock_order,
		.hold_pages = want,
		.share = 1,
		.keep = page_zone(pfn_to_page(pfn))->lowmem_reserve[ZONE_NORMAL],
	};

	return fpr_buddy_take(&lent, &win, &pfn, pfn + FPR_BLOCK_PAGES);
}

/* Fill the batch, beginning where the last call ended; engine mutex held. */
static void take_blocks(unsigned long want)
{
	struct fpr_blockmap *map = &fpr_engine.map;
	struct zone *low = NULL;
	unsigned long n;

	for (n = 0; n < map->nblocks && lent.pages < want; n++) {
		enum fpr_take result;

		if (cursor >= map->nblocks)
			cursor = 0;
		if (test_bit(cursor, map->present) && !reserved(cursor, low)) {
			result = take_block(cursor, want);
			if (result == FPR_TAKE_FULL)
				return;
			if (result == FPR_TAKE_LOW)
				low = page_zone(pfn_to_page(cursor << FPR_BLOCK_ORDER));
		}
		cursor++;
		cond_resched_tasks_rcu_qs();
	}
}

/* One buddy may be more than was wanted: its end goes back. */
static void trim(unsigned long want)
{
	struct fpr_segment *last;
	unsigned long excess;

	if (lent.pages <= want)
		return;
	last = &lent.list.segs[lent.list.nr - 1];
	excess = lent.pages - want;
	last->npages -= excess;
	fpr_buddy_put(last->pfn + last->npages, excess);
}

unsigned int fpr_take_runs(struct fpr_run *runs, unsigned int max,
			   unsigned long pages)
{
	struct fpr_engine *e = &fpr_engine;
	unsigned int i, nr;

	if (pages < pageblock_nr_pages || !max)
		return 0;
	mutex_lock(&e->lock);
	lent.list.max = min_t(unsigned int, max, LEND_RUNS);
	/* No run is cut. */
	lent.list.max_pages = pages + (1UL << FPR_MAX_ORDER);
	if (!fpr_oom_pause_ms())
		take_blocks(pages);
	trim(pages);
	nr = lent.list.nr;
	for (i = 0; i < nr; i++) {
		runs[i].pfn = lent.list.segs[i].pfn;
		runs[i].pages = lent.list.segs[i].npages;
	}
	fpr_batch_reset(&lent);
	mutex_unlock(&e->lock);
	return nr;
}
EXPORT_SYMBOL_GPL(fpr_take_runs);

/* The contract's name for it: buddy.c is the core's own and exports nothing. */
void fpr_put_run(unsigned long pfn, unsigned long pages)
{
	fpr_buddy_put(pfn, pages);
}
EXPORT_SYMBOL_GPL(fpr_put_run);

/**
 * fpr_lend_init() - prepare to lend memory
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int fpr_lend_init(void)
{
	return fpr_batch_init(&lent, LEND_RUNS, 1);
}

/**
 * fpr_lend_exit() - the mirror; all that was lent is back
 */
void fpr_lend_exit(void)
{
	fpr_batch_destroy(&lent);
}
