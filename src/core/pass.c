// SPDX-License-Identifier: GPL-2.0
/* A pass: collect what is due, report it, put it back; see engine.h. */
#define pr_fmt(fmt) "fpr: " fmt

#include <linux/ktime.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>

#include <fpr/fpr.h>

#include "../compat/compat.h"
#include "engine.h"
#include "params.h"
#include "stats.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* Back-off after a failed report: this long, and twice as long each time. */
#define BACKOFF_DOUBLINGS	6
#define BACKOFF_MS		(FPR_MAX_BACKOFF_MS >> BACKOFF_DOUBLINGS)

/* The pages that may be taken along with @block: all of its largest possible
 * buddy if nothing in there is still ageing, else the block alone.
 */
static void set_window(struct fpr_window *win, unsigned long block, u32 now,
		       bool any_age)
{
	unsigned long first = round_down(block, FPR_BUDDY_BLOCKS), n = FPR_BUDDY_BLOCKS;

	if (!any_age && !fpr_blockmap_quiet(&fpr_engine.map, first, n, now)) {
		first = block;
		n = 1;
	}
	win->lo = first << FPR_BLOCK_ORDER;
	win->hi = (first + n) << FPR_BLOCK_ORDER;
}

/* Its buddy reaches into a block that is still ageing: wait for that one. */
static bool defer(unsigned long block)
{
	return fpr_blockmap_defer(&fpr_engine.map, block,
				  round_down(block, FPR_BUDDY_BLOCKS), FPR_BUDDY_BLOCKS);
}

/* Account buddies from index @from on to their blocks. */
static void note_given(unsigned int from)
{
	struct fpr_engine *e = &fpr_engine;
	unsigned int i;

	for (i = from; i < e->batch.nr; i++) {
		const struct fpr_buddy *b = &e->batch.buddies[i];
		unsigned long block = b->pfn >> FPR_BLOCK_ORDER;
		unsigned long end = b->pfn + (1UL << b->order);

		if (b->order < FPR_BLOCK_ORDER)
			e->map.given[block] += 1U << b->order;
		else
			for (; block << FPR_BLOCK_ORDER < end; block++)
				e->map.given[block] = FPR_BLOCK_PAGES;
	}
}

/* Base pages of @block that may be free by the time that it is cold.  What is on
 * per-CPU lists counts, but where no hook has told of a free: as for the sweep.
 */
static unsigned long count_unused(unsigned long block)
{
	return fpr_engine.map.tries[block] == FPR_ONE_LOOK ?
		fpr_memory_runs(block) : fpr_peek_unused(block);
}

/*
 * @block, due at @stamp, has been looked at for whole pieces of order: if enough more
 * is free in it, it is looked at again when it is cold.
 */
static bool cool(unsigned long block, u32 stamp)
{
	struct fpr_engine *e = &fpr_engine;
	unsigned long unused;
	u32 ms = fpr_cold_ms();

	if (e->pieces || !fpr_cold_run())
		return false;
	/* Most blocks: as a whole with the device, and need not be walked for that. */
	if (e->map.given[block] + FPR_COLD_PAGES > FPR_BLOCK_PAGES)
		return false;
	unused = count_unused(block);
	if (unused < e->map.given[block] + FPR_COLD_PAGES)
		return false;
	/* What was free before is in no hurry; what is new has not been reported. */
	if (unused < e->map.unused[block] + FPR_COLD_PAGES)
		ms <<= e->map.calm[block];
	fpr_blockmap_activate(&e->map, block, stamp + ms - fpr_delay_ms(),
			      FPR_COLD_LOOK);
	return true;
}

/*
 * Nothing was found in @block.  It is looked at again if it waits for per-CPU lists:
 * they arrive without another event, whereas a page in use will mark the block when
 * it is freed; or when it is cold, if pieces of it are free.
 */
static void finish_empty(unsigned long block, u32 now)
{
	struct fpr_blockmap *map = &fpr_engine.map;
	u32 stamp = map->stamp[block];

	if (map->tries[block] == FPR_COLD_LOOK) {
		/* The host wants what is larger just now; that changes nothing. */
		if (!fpr_engine.served.pending)
			fpr_blockmap_drop(map, block);
		return;
	}
	if (fpr_peek_stuck(block)) {
		fpr_blockmap_retry(map, block, now, fpr_delay_ms());
		if (test_bit(block, map->active))
			return;
	}
	if (!cool(block, stamp))
		fpr_blockmap_drop(map, block);
}

/*
 * @block has been looked at wholly: its pages are in the batch, or were in an
 * earlier one of this pass, or there were none.
 */
static void finish_block(unsigned long block, u32 now)
{
	struct fpr_engine *e = &fpr_engine;
	unsigned long first = block, last = block;
	u32 stamp = e->map.stamp[block];

	if (!e->map.given[block]) {
		finish_empty(block, now);
		return;
	}
	if (e->batch.nr) {
		const struct fpr_buddy *b = &e->batch.buddies[e->batch.nr - 1];
		unsigned long end = b->pfn + (1UL << b->order) - 1;

		/* A buddy larger than the block brings its other blocks. */
		first = min(first, b->pfn >> FPR_BLOCK_ORDER);
		last = max(last, end >> FPR_BLOCK_ORDER);
	}
	e->first_held = min(e->first_held, first);
	e->last_held = max(e->last_held, last);
	for (; first <= last; first++) {
		fpr_keep_finished(first);
		fpr_blockmap_hold(&e->map, first);
	}
	if (e->map.given[block] < FPR_BLOCK_PAGES)
		e->map.unused[block] = fpr_peek_unused(block);
	/* Held and active: so it stays active when it is released. */
	cool(block, stamp);
}

/* A block that is cold, or of which all is wanted now, and enough of it is free. */
static bool gives_pieces(unsigned long block, bool any_age)
{
	const struct fpr_engine *e = &fpr_engine;

	return !e->served.pending &&
	       (any_age || e->map.tries[block] == FPR_COLD_LOOK) &&
	       fpr_memory_runs(block) >= FPR_COLD_PAGES;
}

/* What may be taken of @block, which is looked at from its start or goes on. */
static void open_window(struct fpr_window *win, unsigned long block, u32 now,
			bool any_age)
{
	struct fpr_engine *e = &fpr_engine;
	unsigned long start = block << FPR_BLOCK_ORDER;
	bool pieces = e->pieces;

	if (e->pos <= start) {
		e->pos = start;
		e->map.given[block] = 0;
		e->pieces = gives_pieces(block, any_age);
		if (e->pieces != pieces)
			fpr_batch_seal(&e->batch);
	}
	set_window(win, block, now, any_age);
	win->order = e->pieces ? fpr_piece_order() : fpr_effective_order();
	win->run = e->pieces ? fpr_cold_run() : 0;
	win->reach = start + FPR_BLOCK_PAGES;
	/* A run may go on in the next block, which takes its rest. */
	if (e->pieces && block + 1 < e->map.nblocks &&
	    test_bit(block + 1, e->map.present))
		win->reach += win->run;
}

/* Fill the batch from @e->pos on; true if there is something to report. */
static bool collect(u32 now, bool any_age)
{
	struct fpr_engine *e = &fpr_engine;
	struct fpr_window win = {
		.hold_pages = fpr_param(FPR_HOLD_KB) >> (PAGE_SHIFT - 10),
		.share = FPR_ZONE_SHARE,
	};

	e->first_held = ULONG_MAX;
	e->last_held = 0;
	for (;;) {
		unsigned long block, end;
		unsigned int nr = e->batch.nr;
		enum fpr_take result;

		block = fpr_blockmap_next_due(&e->map, e->pos >> FPR_BLOCK_ORDER,
					      now, any_age);
		if (block >= e->map.nblocks)
			return e->batch.nr;
		end = (block + 1) << FPR_BLOCK_ORDER;
		if (!any_age && e->pos <= block << FPR_BLOCK_ORDER &&
		    fpr_keep_block(block, now)) {
			e->pos = end;
			continue;
		}
		open_window(&win, block, now, any_age);
		result = fpr_buddy_take(&e->batch, &win, &e->pos, end);
		note_given(nr);
		if (result == FPR_TAKE_FULL ||
		    (result == FPR_TAKE_LOW && e->batch.nr))
			return true;
		if (result == FPR_TAKE_END)
			finish_block(block, now);
		else if (result == FPR_TAKE_LOW || !defer(block))
			fpr_blockmap_retry(&e->map, block, now,
					   fpr_delay_ms());
		e->pos = max(e->pos, end);
		cond_resched_tasks_rcu_qs();
	}
}

static void fill_sgl(void)
{
	struct fpr_engine *e = &fpr_engine;
	unsigned int i, nents = e->batch.list.nr;

	sg_init_table(e->sgl, nents);
	for (i = 0; i < nents; i++) {
		const struct fpr_segment *seg = &e->batch.list.segs[i];

		sg_set_page(&e->sgl[i], pfn_to_page(seg->pfn),
			    seg->npages << PAGE_SHIFT, 0);
	}
}

/**
 * fpr_send_batch() - let the device have the batch, then put it back
 * @send: gives it to the device; when it returns the device has it no more
 * @note: takes down what came of it, before it is put back; without the mutex; or NULL
 *
 * The only way out of the allocator and back, for reports and hints.
 * Context: worker, engine mutex held, the batch not empty; the mutex is dropped
 * while the device has it, and taken again when its memory is back: nobody who holds
 * the mutex keeps memory from the allocator.
 * Return: what @send returned.
 */
int fpr_send_batch(int (*send)(struct fpr_device *dev, struct scatterlist *sgl,
			       unsigned int nents),
		   void (*note)(int err))
{
	struct fpr_engine *e = &fpr_engine;
	unsigned int noreclaim;
	int err;

	fill_sgl();
	WRITE_ONCE(e->reporting, true);
	mutex_unlock(&e->lock);
	/*
	 * A device that allocates now must not wait for memory: others may be
	 * waiting for what it holds (oom.c).  It gets the reserves instead.
	 */
	noreclaim = memalloc_noreclaim_save();
	err = send(e->dev, e->sgl, e->batch.list.nr);
	memalloc_noreclaim_restore(noreclaim);
	if (note)
		note(err);
	fpr_batch_putback(&e->batch);
	WRITE_ONCE(e->putback_at, jiffies);
	/* After held_pages is 0; pairs with fpr_wait_putback(). */
	smp_store_release(&e->putbacks, e->putbacks + 1);
	wake_up_all(&e->putback_wait);
	WRITE_ONCE(e->reporting, false);
	mutex_lock(&e->lock);
	return err;
}

static int report(struct fpr_device *dev, struct scatterlist *sgl,
		  unsigned int nents)
{
	u64 start = ktime_get_ns();
	int err = dev->ops->report(dev, sgl, nents);

	/* The batch is the worker's, and this is the worker. */
	if (!err)
		trace_fpr_report(nents, fpr_engine.batch.pages,
				 (ktime_get_ns() - start) / 1000);
	return err;
}

static void note_success(void)
{
	struct fpr_engine *e = &fpr_engine;

	WRITE_ONCE(e->fails, 0);
	fpr_stat_add(&fpr_stats.reports, 1);
	fpr_stat_add(&fpr_stats.segments, e->batch.list.nr);
	fpr_stat_add(&fpr_stats.reported_pages, e->batch.pages);
}

static void note_failure(int err)
{
	struct fpr_engine *e = &fpr_engine;
	unsigned int ms = BACKOFF_MS << min_t(unsigned int, e->fails,
					      BACKOFF_DOUBLINGS);

	e->backoff_until = fpr_now_ms() + ms;
	WRITE_ONCE(e->fails, e->fails + 1);
	if (e->fails == 1 && err != -ENODEV)
		pr_warn_ratelimited("%s failed a report (error %d): its memory is back in the allocator; no other attempt within %u ms\n",
				    e->dev->name, err, ms);
	/* A device that is being removed is no error. */
	if (err == -ENODEV)
		return;
	fpr_stat_add(&fpr_stats.errors, 1);
	trace_fpr_error(err, e->batch.pages, ms);
}

static void note_report(int err)
{
	if (err)
		note_failure(err);
	else
		note_success();
}

/* Report all that is due (or all that is active), batch by batch. */
static int report_due(u32 now, bool any_age)
{
	struct fpr_engine *e = &fpr_engine;
	int err = 0;

	e->pos = 0;
	e->first_held = ULONG_MAX;
	e->last_held = 0;
	while (!err && e->running && !fpr_oom_pause_ms() &&
	       collect(now, any_age)) {
		err = fpr_send_batch(report, note_report);
		fpr_keep_reported(now, !err && !any_age);
		fpr_blockmap_release(&e->map, e->first_held, e->last_held,
				     !err, fpr_now_ms());
		/* A host that asks is copying memory meanwhile: it comes first. */
		fpr_hint_serve();
		/* Who unhooks ftrace waits for RCU-tasks; a device need not sleep. */
		cond_resched_tasks_rcu_qs();
	}
	/* Blocks whose last pages were in an acknowledged batch already. */
	fpr_keep_reported(now, !err && !any_age);
	fpr_blockmap_release(&e->map, e->first_held, e->last_held, true,
			     fpr_now_ms());
	return err;
}

/**
 * fpr_wait_putback() - wait for the memory that is with the device now
 * @ms: longest wait
 *
 * Context: process context, sleeps; not under the engine mutex.
 * Return: whether none was held or it is back; another batch may be held.
 */
bool fpr_wait_putback(unsigned int ms)
{
	struct fpr_engine *e = &fpr_engine;
	unsigned long seen;

	/* The number first: it changes after the pages are back. */
	seen = smp_load_acquire(&e->putbacks);
	return !READ_ONCE(fpr_stats.held_pages) ||
	       wait_event_timeout(e->putback_wait,
				  READ_ONCE(e->putbacks) != seen,
				  msecs_to_jiffies(ms));
}

/* Blocks that only pages on per-CPU lists keep from being whole, and cold ones. */
static unsigned long count_stuck(u32 now, bool hasten, bool *late)
{
	struct fpr_blockmap *map = &fpr_engine.map;
	unsigned long block, stuck = 0;

	for (block = fpr_blockmap_next_aged(map, 0, now); block < map->nblocks;
	     block = fpr_blockmap_next_aged(map, block + 1, now)) {
		bool cold = map->tries[block] == FPR_COLD_LOOK;

		cond_resched_tasks_rcu_qs();
		if (!cold && !fpr_peek_stuck(block))
			continue;
		stuck++;
		*late |= !cold && map->tries[block] >= 1;
		if (hasten)
			map->stamp[block] = now;
	}
	return stuck;
}

/*
 * What a CPU freed last waits on its per-CPU lists, tens of MiB of it, for as
 * long as that CPU neither allocates nor frees.  Where nothing but this keeps
 * enough blocks from being whole, or any block at its second look, the lists are
 * drained: the blocks have been left alone for a delay, so nobody is about to
 * use those pages.  So they are where enough blocks are cold, whose runs they cut.
 */
static void drain_if_stuck(u32 now)
{
	bool late = false;
	unsigned long stuck = count_stuck(now, false, &late);

	if (!stuck || (!late && fpr_blocks_kb(stuck) < fpr_threshold_kb()))
		return;
	count_stuck(now, true, &late);
	fpr_drain();
}

/**
 * fpr_pass() - report all blocks that are due
 * @due: how many there are, for the trace event
 * @now: ms clock
 * @flush: report all that is free, whatever its age, and wherever it is
 *
 * Context: worker, engine mutex held; it is dropped while the device reports.
 * Return: 0 or the device's error, and then there is a back-off.
 */
int fpr_pass(unsigned long due, u32 now, bool flush)
{
	unsigned long before = fpr_stats.reported_pages;
	u64 start = ktime_get_ns();
	int err;

	if (flush) {
		fpr_drain();
		fpr_memory_sweep(now);
	} else {
		drain_if_stuck(now);
	}
	err = report_due(now, flush);
	fpr_stat_add(&fpr_stats.passes, 1);
	fpr_stat_set(&fpr_stats.last_pass_us, (ktime_get_ns() - start) / 1000);
	trace_fpr_pass(due, fpr_stats.reported_pages - before,
		       fpr_stats.last_pass_us);
	return err;
}
