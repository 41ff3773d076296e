// SPDX-License-Identifier: GPL-2.0
/*
 * Free memory for a driver that wants to keep it: a balloon.  It is isolated as for
 * a report, but nobody waits for its return, and it goes back when the driver says.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
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

/*
 * What a zone can do without: all but what it would keep if the memory were allocated
 * for users, whose allocations may come from any zone.  What only some can have (CMA,
 * MIGRATE_HIGHATOMIC) is not for others.
 */
static unsigned long keep_of(const struct zone *zone)
{
	unsigned long most = 0;
	unsigned int i;

	for (i = 0; i < MAX_NR_ZONES; i++)
		most = max_t(unsigned long, most, zone->lowmem_reserve[i]);
	return high_wmark_pages(zone) - low_wmark_pages(zone) + most;
}

static unsigned long spare_of(struct zone *zone)
{
	unsigned long free = fpr_zone_free(zone);
	unsigned long keep = low_wmark_pages(zone) + keep_of(zone);

	return managed_zone(zone) && free > keep ? free - keep : 0;
}

/* Zones whose memory the kernel can use for itself. */
#define KERNEL_ZONES	ZONE_MOVABLE

/* Of all its memory, in thousandths, how much a node can do without. */
static unsigned long node_spare(int nid)
{
	unsigned long spare = 0, all = 0;
	int i;

	for (i = 0; i < KERNEL_ZONES; i++) {
		struct zone *zone = &NODE_DATA(nid)->node_zones[i];

		spare += spare_of(zone);
		all += zone_managed_pages(zone);
	}
	return all ? spare * 1000 / all : 0;
}

/* The node that can best do without memory: so all give the same share of theirs. */
static int best_node(void)
{
	unsigned long most = 0;
	int nid, best = NUMA_NO_NODE;

	for_each_online_node(nid) {
		unsigned long spare = node_spare(nid);

		if (spare <= most)
			continue;
		most = spare;
		best = nid;
	}
	return best;
}

/*
 * Whether memory that is there for movable pages can be had: it comes first, and not
 * from here, since who wants a range of it (hot-unplug, virtio-mem) must be able to
 * move what lies there.
 */
static bool movable_to_spare(void)
{
	int nid;

	for_each_online_node(nid)
		if (spare_of(&NODE_DATA(nid)->node_zones[ZONE_MOVABLE]) > pageblock_nr_pages)
			return true;
	return false;
}

/* Memory that others may want to have as a range: not from there. */
static bool reserved(unsigned long block)
{
	unsigned long pfn = block << FPR_BLOCK_ORDER;

	return !early_section(__pfn_to_section(pfn)) ||
	       is_migrate_cma(fpr_pageblock_migratetype(pfn_to_page(pfn)));
}

/* Isolate what is free in @block, in whole pageblocks. */
static enum fpr_take take_block(struct zone *zone, unsigned long block,
				unsigned long want)
{
	unsigned long first = round_down(block, FPR_BUDDY_BLOCKS);
	unsigned long pfn = block << FPR_BLOCK_ORDER;
	struct fpr_window win = {
		.lo = first << FPR_BLOCK_ORDER,
		.hi = (first + FPR_BUDDY_BLOCKS) << FPR_BLOCK_ORDER,
		.order = pageblock_order,
		.hold_pages = want,
		.share = 1,
		.keep = keep_of(zone),
	};

	return fpr_buddy_take(&lent, &win, &pfn, pfn + FPR_BLOCK_PAGES);
}

/*
 * Fill the batch from a zone, beginning where the last call ended; engine mutex held.
 * Return: whether it is full.
 */
static bool take_zone(struct zone *zone, unsigned long want)
{
	struct fpr_blockmap *map = &fpr_engine.map;
	unsigned long first = zone->zone_start_pfn >> FPR_BLOCK_ORDER;
	unsigned long end = min(DIV_ROUND_UP(zone_end_pfn(zone), FPR_BLOCK_PAGES),
				map->nblocks);
	unsigned long n;

	if (cursor < first || cursor >= end)
		cursor = first;
	for (n = first; n < end && lent.pages < want; n++) {
		enum fpr_take result = FPR_TAKE_END;

		if (test_bit(cursor, map->present) && !reserved(cursor) &&
		    page_zone(pfn_to_page(cursor << FPR_BLOCK_ORDER)) == zone)
			result = take_block(zone, cursor, want);
		if (result == FPR_TAKE_FULL)
			return true;
		if (result == FPR_TAKE_LOW)
			return false;
		if (++cursor >= end)
			cursor = first;
		cond_resched_tasks_rcu_qs();
	}
	return lent.pages >= want;
}

/*
 * As allocations for users do: of a node the highest zone first, since there are some
 * who can have nothing but a lower one.
 */
static bool take_node(int nid, unsigned long want)
{
	int i;

	for (i = KERNEL_ZONES - 1; i >= 0; i--) {
		struct zone *zone = &NODE_DATA(nid)->node_zones[i];

		if (spare_of(zone) >= pageblock_nr_pages && take_zone(zone, want))
			return true;
	}
	return false;
}

/* The best node first, then all others: it may have none that is whole. */
static void take_blocks(unsigned long want)
{
	int nid, best = best_node();

	if (best == NUMA_NO_NODE || take_node(best, want))
		return;
	for_each_online_node(nid)
		if (nid != best && take_node(nid, want))
			return;
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
	/*
	 * Where the kernel relies on what is in free memory, all that anybody else
	 * has written to has to come back through its own way of freeing: nothing
	 * is lent.
	 */
	if (fpr_fill_needed() != FPR_FILL_ANY)
		return 0;
	mutex_lock(&e->lock);
	lent.list.max = min_t(unsigned int, max, LEND_RUNS);
	/* No run is cut. */
	lent.list.max_pages = pages + (1UL << FPR_MAX_ORDER);
	if (!fpr_oom_pause_ms() && !movable_to_spare())
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
