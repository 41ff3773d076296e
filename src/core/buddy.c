// SPDX-License-Identifier: GPL-2.0
/*
 * Isolating free buddies and putting them back; see buddy.h.
 *
 * Why an isolated page is never in use: PageBuddy and the order are read under
 * zone->lock, and every path that hands out or merges a free page takes it off
 * its free list under that lock.  __isolate_free_page() does so too, still
 * under the same hold, so from then on nobody but the batch knows the page, its
 * reference count stays 0, and the section cannot be unplugged since
 * offlining waits until all its pages are back.
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-isolation.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmstat.h>

#include <fpr/fpr.h>

#include "../compat/compat.h"
#include "buddy.h"
#include "ksyms.h"
#include "stats.h"

#define FPR_NO_PFN	ULONG_MAX
/* Buddies moved in one hold of a zone lock. */
#define LOCK_BUDDIES	8

/* In process context only: zone_unlock() may schedule. */
static u64 zone_lock(struct zone *zone, unsigned long *flags)
	__acquires(&zone->lock)
{
	spin_lock_irqsave(&zone->lock, *flags);
	return ktime_get_mono_fast_ns();
}

static void zone_unlock(struct zone *zone, unsigned long flags, u64 since)
	__releases(&zone->lock)
{
	u64 held = ktime_get_mono_fast_ns() - since;

	spin_unlock_irqrestore(&zone->lock, flags);
	if (held > fpr_stats.max_lock_hold_ns)
		fpr_stat_set(&fpr_stats.max_lock_hold_ns, held);
	/* Whoever waits for the processor waits for one hold, not for a batch. */
	cond_resched_tasks_rcu_qs();
}

/**
 * fpr_entry_bytes() - longest entry of a report to a device
 * @dev: device whose smallest order this kernel has
 *
 * What the device allows, no more than a scatterlist's length can be (an
 * unsigned int), in whole pieces of what its host can discard.
 * Context: any.
 * Return: the length, 0 if the device allows no piece.
 */
u64 fpr_entry_bytes(const struct fpr_device *dev)
{
	u64 bytes = dev->max_entry_bytes ?: UINT_MAX;

	return round_down(min_t(u64, bytes, UINT_MAX),
			  PAGE_SIZE << dev->min_order);
}

/**
 * fpr_batch_init() - allocate an empty batch
 * @batch: uninitialised batch
 * @entries: most segments
 * @entry_pages: most base pages of one
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM, and then nothing is left allocated.
 */
int fpr_batch_init(struct fpr_batch *batch, unsigned int entries,
		   unsigned long entry_pages)
{
	memset(batch, 0, sizeof(*batch));
	batch->list.max = entries;
	batch->list.max_pages = entry_pages;
	batch->joint = FPR_NO_PFN;
	batch->list.segs = kvcalloc(batch->list.max,
				    sizeof(*batch->list.segs), GFP_KERNEL);
	batch->buddies = kvcalloc(FPR_BATCH_BUDDIES, sizeof(*batch->buddies),
				  GFP_KERNEL);
	if (!batch->list.segs || !batch->buddies) {
		fpr_batch_destroy(batch);
		return -ENOMEM;
	}
	return 0;
}

/**
 * fpr_batch_destroy() - free an empty batch
 * @batch: the batch
 *
 * Context: may sleep.
 */
void fpr_batch_destroy(struct fpr_batch *batch)
{
	kvfree(batch->list.segs);
	kvfree(batch->buddies);
	memset(batch, 0, sizeof(*batch));
}

/**
 * fpr_batch_reset() - make a batch empty whose pages were put back, or are another's
 * @batch: the batch
 */
void fpr_batch_reset(struct fpr_batch *batch)
{
	batch->list.nr = 0;
	batch->list.sealed = 0;
	batch->nr = 0;
	batch->pages = 0;
	batch->zone = NULL;
	batch->zone_pages = 0;
	if (batch->held)
		fpr_stat_set(&fpr_stats.held_pages, 0);
}

/**
 * fpr_batch_seal() - what is taken from now on joins nothing that was taken before
 * @batch: the batch
 *
 * Where pieces follow: a host that can discard nothing smaller than its huge pages may
 * do nothing at all with a segment that is not of whole ones.
 */
void fpr_batch_seal(struct fpr_batch *batch)
{
	batch->list.sealed = batch->list.nr;
	batch->joint = FPR_NO_PFN;
}

/* Whether any pageblock of a buddy is being taken away by hot-unplug or CMA. */
static bool being_isolated(struct page *page, unsigned int order)
{
	unsigned long i;

	for (i = 0; i < 1UL << order; i += pageblock_nr_pages)
		if (is_migrate_isolate(fpr_pageblock_migratetype(page + i)))
			return true;
	return false;
}

/*
 * Whether isolating a buddy would make its pageblock movable, although it is less than
 * the pageblock: the kernel does so from half a pageblock on, and unmovable pages would
 * be allocated elsewhere from then on, amid movable ones.
 *
 * Source: mm/page_alloc.c, __isolate_free_page().
 */
static bool would_retag(struct page *page, unsigned int order)
{
	return order == pageblock_order - 1 &&
	       fpr_pageblock_migratetype(page) != MIGRATE_MOVABLE;
}

static void enter_zone(struct fpr_batch *batch, struct zone *zone)
{
	unsigned int i;

	if (batch->zone == zone)
		return;
	batch->zone = zone;
	batch->zone_pages = 0;
	for (i = 0; i < batch->nr; i++)
		if (page_zone(pfn_to_page(batch->buddies[i].pfn)) == zone)
			batch->zone_pages += 1UL << batch->buddies[i].order;
}

/**
 * fpr_zone_free() - free pages of a zone that anybody may have
 * @zone: the zone
 *
 * Neither those of CMA, which are for movable pages, nor those that are kept for
 * allocations that cannot wait, as far as these are free.
 * Context: any; a snapshot.
 * Return: base pages.
 */
unsigned long fpr_zone_free(struct zone *zone)
{
	unsigned long free = zone_page_state(zone, NR_FREE_PAGES);
	unsigned long others = READ_ONCE(zone->nr_reserved_highatomic);

#ifdef CONFIG_CMA
	others += zone_page_state(zone, NR_FREE_CMA_PAGES);
#endif
	return free > others ? free - others : 0;
}

/*
 * Whether the zone can spare @pages more, beside those that the batch has.  A zone of
 * which the share is less than a buddy lets one go at a time where it keeps as much
 * again: else nothing of ZONE_DMA would ever be reported.
 */
static bool zone_can_spare(const struct fpr_batch *batch,
			   const struct fpr_window *win, unsigned long pages)
{
	unsigned long usable = fpr_zone_free(batch->zone) + batch->zone_pages;
	unsigned long low = low_wmark_pages(batch->zone) + win->keep;
	unsigned long share = win->share;

	if (!batch->zone_pages)
		share = min(share, 2UL);
	return usable > low &&
	       batch->zone_pages + pages <= (usable - low) / share;
}

/* Take one buddy; zone->lock held, PageBuddy and the order seen under it. */
static enum fpr_take take_one(struct fpr_batch *batch,
			      const struct fpr_window *win, struct page *page,
			      unsigned int order)
{
	unsigned long pfn = page_to_pfn(page), pages = 1UL << order;

	if (pfn < win->lo || pfn + pages > win->hi)
		return FPR_TAKE_YOUNG;
	if (being_isolated(page, order) || would_retag(page, order))
		return FPR_TAKE_END;
	if (batch->nr == FPR_BATCH_BUDDIES ||
	    (batch->pages && batch->pages + pages > win->hold_pages) ||
	    !fpr_coalesce_fits(&batch->list, pfn, pages))
		return FPR_TAKE_FULL;
	if (!zone_can_spare(batch, win, pages))
		return FPR_TAKE_LOW;
	if (!fpr_isolate_free_page(page, order)) {
		fpr_stat_add(&fpr_stats.isolate_failed, 1);
		return FPR_TAKE_LOW;
	}

	batch->buddies[batch->nr].pfn = pfn;
	batch->buddies[batch->nr].order = order;
	batch->nr++;
	batch->pages += pages;
	batch->joint = pfn + pages;
	batch->zone_pages += pages;
	if (batch->held)
		fpr_stat_set(&fpr_stats.held_pages, batch->pages);
	fpr_coalesce_add(&batch->list, pfn, pages);
	return FPR_TAKE_END;
}

/*
 * Where the next run to be taken begins, and its end; without the lock, a hint.  One
 * that goes on where the latest buddy ended is taken whatever its length: it is the
 * rest of a run whose beginning was in another block, or in a batch that was full.
 */
static unsigned long find_run(const struct fpr_batch *batch,
			      const struct fpr_window *win,
			      unsigned long pfn, unsigned long *end)
{
	while (pfn < *end) {
		unsigned long next = fpr_peek_run_end(pfn, max(*end, win->reach), win->order);

		if (next > pfn && (next - pfn >= win->run || pfn == batch->joint)) {
			*end = min(*end, next);
			break;
		}
		pfn = next > pfn ? next : fpr_next_pfn(pfn, win->order);
	}
	return min(pfn, *end);
}

/*
 * One hold of the lock of the zone of @pfn: a bounded number of buddies, up to the
 * first page that is not free after all.
 */
static enum fpr_take take_some(struct fpr_batch *batch,
			       const struct fpr_window *win,
			       unsigned long *pfn, unsigned long end)
{
	struct zone *zone = page_zone(pfn_to_page(*pfn));
	unsigned int limit = batch->nr + LOCK_BUDDIES;
	enum fpr_take result = FPR_TAKE_END;
	unsigned long flags;
	u64 since;

	enter_zone(batch, zone);
	since = zone_lock(zone, &flags);
	while (*pfn < end && batch->nr < limit && result == FPR_TAKE_END) {
		unsigned int order;
		struct page *head;

		if (page_zone(pfn_to_page(*pfn)) != zone)
			break;
		head = fpr_peek_buddy(*pfn, &order);
		if (!head || order < win->order || page_zone(head) != zone) {
			*pfn = fpr_next_pfn(*pfn, win->order);
			break;
		}
		result = take_one(batch, win, head, order);
		if (result == FPR_TAKE_END)
			*pfn = page_to_pfn(head) + (1UL << order);
	}
	zone_unlock(zone, flags, since);
	return result;
}

/**
 * fpr_buddy_take() - isolate the free buddies of a range into a batch
 * @batch: the batch
 * @win: what may be taken
 * @pfn: where to begin, at a block's start or where an earlier call ended;
 *	advanced behind what was looked at
 * @end: page frame after the last to look at
 *
 * Takes and drops zone locks, a bounded number of buddies per hold, none at all
 * where a look without the lock finds nothing free.
 * Context: process context, hotplug of the range excluded by the caller.
 * Return: why it stopped.
 */
enum fpr_take fpr_buddy_take(struct fpr_batch *batch,
			     const struct fpr_window *win,
			     unsigned long *pfn, unsigned long end)
{
	enum fpr_take result = FPR_TAKE_END;

	while (*pfn < end && result == FPR_TAKE_END) {
		unsigned long stop = end;

		*pfn = find_run(batch, win, *pfn, &stop);
		while (*pfn < stop && result == FPR_TAKE_END)
			result = take_some(batch, win, pfn, stop);
	}
	return result;
}

/*
 * Give one buddy back, pageblock by pageblock: while it was away, the type of
 * one of its pageblocks may have changed without the other's (memory
 * offlining), and each part has to join a list of its own type.  Parts of the
 * same type merge again.  The type is read here, under the lock, since
 * isolating may have changed it, and so may have others since then.
 */
static void putback_one(const struct fpr_buddy *buddy)
{
	unsigned int order = min_t(unsigned int, buddy->order, pageblock_order);
	struct page *page = pfn_to_page(buddy->pfn);
	unsigned long i;

	for (i = 0; i < 1UL << buddy->order; i += 1UL << order)
		fpr_putback_isolated_page(page + i, order,
					  fpr_pageblock_migratetype(page + i));
}

/**
 * fpr_batch_putback() - give all memory of a batch back to the allocator
 * @batch: the batch; emptied
 *
 * The device has acknowledged the memory, or will not touch it any more.
 * Context: process context; takes and drops zone locks, a bounded number of
 * buddies per hold.
 */
void fpr_batch_putback(struct fpr_batch *batch)
{
	unsigned int i = 0;

	while (i < batch->nr) {
		struct zone *zone = page_zone(pfn_to_page(batch->buddies[i].pfn));
		unsigned int limit = min(i + LOCK_BUDDIES, batch->nr);
		unsigned long flags;
		u64 since = zone_lock(zone, &flags);

		while (i < limit &&
		       page_zone(pfn_to_page(batch->buddies[i].pfn)) == zone)
			putback_one(&batch->buddies[i++]);
		zone_unlock(zone, flags, since);
	}
	fpr_batch_reset(batch);
}

/**
 * fpr_buddy_put() - give isolated pages back that are in no batch
 * @pfn: first page frame
 * @pages: base pages, of any number
 *
 * In the largest pieces that are aligned to their size, each with the type that its
 * pageblock has now, as putback_one() does.
 * Context: any that may take zone->lock; takes and drops it, a bounded number of
 * pieces per hold.
 */
void fpr_buddy_put(unsigned long pfn, unsigned long pages)
{
	unsigned long end = pfn + pages;

	while (pfn < end) {
		struct zone *zone = page_zone(pfn_to_page(pfn));
		unsigned int pieces = LOCK_BUDDIES;
		unsigned long flags;

		spin_lock_irqsave(&zone->lock, flags);
		while (pfn < end && pieces-- && page_zone(pfn_to_page(pfn)) == zone) {
			struct fpr_buddy part = { .pfn = pfn };

			part.order = min_t(unsigned int, ilog2(end - pfn),
					   pageblock_order);
			if (pfn)
				part.order = min_t(unsigned int, part.order, __ffs(pfn));
			putback_one(&part);
			pfn += 1UL << part.order;
		}
		spin_unlock_irqrestore(&zone->lock, flags);
	}
}
