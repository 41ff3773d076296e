// SPDX-License-Identifier: GPL-2.0
/* The worker: ageing, passes, reports, back-off; see engine.h. */
#define pr_fmt(fmt) "fpr: " fmt

#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/printk.h>
#include <linux/slab.h>

#include <fpr/fpr.h>

#include "../compat/compat.h"
#include "engine.h"
#include "hooks.h"
#include "ksyms.h"
#include "params.h"
#include "stats.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* Blocks age in steps of this part of delay_ms: the precision of the delay. */
#define AGE_STEPS		4
/* What is below threshold_kb waits no longer than this many delays. */
#define THRESHOLD_DELAYS	2
/* A sweep follows the last free by this long; without a hook, all the time. */
#define SWEEP_MS		30000
#define SWEEP_UNHOOKED_MS	2000
/* Back-off after a failed report. */
#define BACKOFF_MS		1000
#define BACKOFF_DOUBLINGS	6

struct fpr_engine fpr_engine = {
	.lock = __MUTEX_INITIALIZER(fpr_engine.lock),
	.flush_wait = __WAIT_QUEUE_HEAD_INITIALIZER(fpr_engine.flush_wait),
	.armed = 1,
};

struct fpr_stats fpr_stats;

u32 fpr_now_ms(void)
{
	return (u32)ktime_to_ms(ktime_get());
}

unsigned int fpr_effective_order(void)
{
	const struct fpr_device *dev = READ_ONCE(fpr_engine.dev);
	unsigned int order = fpr_param(FPR_ORDER);

	return dev ? max(order, dev->min_order) : order;
}

static unsigned int age_step_ms(void)
{
	return max(fpr_param(FPR_DELAY_MS) / AGE_STEPS, 4U);
}

/**
 * fpr_engine_wake() - a block was marked: have the worker harvest it soon
 *
 * One irq_work per harvest at the most.  The flag is cleared before the marks
 * are harvested, and read here after the mark was set with a full barrier
 * (test_and_set_bit), so a mark that the harvest missed always finds it clear.
 *
 * Context: any, NMI included.
 */
notrace void fpr_engine_wake(void)
{
	if (!READ_ONCE(fpr_engine.armed) && !xchg(&fpr_engine.armed, 1))
		irq_work_queue(&fpr_engine.irq_work);
}

/* Hard interrupt, or the irq_work thread on PREEMPT_RT. */
static void wake_worker(struct irq_work *irq_work)
{
	struct fpr_engine *e = &fpr_engine;
	unsigned long step = msecs_to_jiffies(age_step_ms());

	if (!READ_ONCE(e->running))
		return;
	/*
	 * A run that is queued for sooner stays as it is, and so does that of a
	 * flush, which is queued for now.  One that is under way may have
	 * harvested already: then another is queued.
	 */
	if (READ_ONCE(e->flush_wanted) != READ_ONCE(e->flush_done) ||
	    time_before(READ_ONCE(e->work.timer.expires), jiffies + step))
		queue_delayed_work(e->wq, &e->work, step);
	else
		mod_delayed_work(e->wq, &e->work, step);
}

/**
 * fpr_engine_kick() - look at everything anew, a parameter has changed
 *
 * Context: any but NMI.
 */
void fpr_engine_kick(void)
{
	if (READ_ONCE(fpr_engine.running))
		mod_delayed_work(fpr_engine.wq, &fpr_engine.work, 0);
}

/* Blocks of the largest buddy that a block can be in. */
#define BUDDY_BLOCKS \
	(1UL << (FPR_MAX_ORDER > FPR_BLOCK_ORDER ? \
		 FPR_MAX_ORDER - FPR_BLOCK_ORDER : 0))

/* The pages that may be taken along with @block: all of its largest possible
 * buddy if nothing in there is still ageing, else the block alone.
 */
static void set_window(struct fpr_window *win, unsigned long block, u32 now,
		       bool any_age)
{
	unsigned long first = round_down(block, BUDDY_BLOCKS), n = BUDDY_BLOCKS;

	if (!any_age && !fpr_blockmap_quiet(&fpr_engine.map, first, n, now)) {
		first = block;
		n = 1;
	}
	win->lo = first << FPR_BLOCK_ORDER;
	win->hi = (first + n) << FPR_BLOCK_ORDER;
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

/*
 * @block has been looked at wholly: its pages are in the batch, or were in an
 * earlier one of this pass, or there were none.  Then it is looked at again only
 * if it waits for per-CPU lists: they arrive without another event, whereas a
 * page in use will mark the block when it is freed.
 */
static void finish_block(unsigned long block, u32 now)
{
	struct fpr_engine *e = &fpr_engine;
	unsigned long first = block, last = block;

	if (!e->map.given[block]) {
		unsigned long pfn = block << FPR_BLOCK_ORDER;

		if (fpr_buddy_stuck(pfn, pfn + FPR_BLOCK_PAGES))
			fpr_blockmap_retry(&e->map, block, now,
					   fpr_param(FPR_DELAY_MS));
		else
			fpr_blockmap_drop(&e->map, block);
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
	for (; first <= last; first++)
		fpr_blockmap_hold(&e->map, first);
}

/* Fill the batch from @e->pos on; true if there is something to report. */
static bool collect(u32 now, bool any_age)
{
	struct fpr_engine *e = &fpr_engine;
	struct fpr_window win = {
		.order = fpr_effective_order(),
		.hold_pages = fpr_param(FPR_HOLD_KB) >> (PAGE_SHIFT - 10),
	};

	e->first_held = ULONG_MAX;
	e->last_held = 0;
	for (;;) {
		unsigned long block, start, end;
		unsigned int nr = e->batch.nr;
		enum fpr_take result;

		block = fpr_blockmap_next_due(&e->map, e->pos >> FPR_BLOCK_ORDER,
					      now, any_age);
		if (block >= e->map.nblocks)
			return e->batch.nr;
		start = block << FPR_BLOCK_ORDER;
		end = start + FPR_BLOCK_PAGES;
		if (e->pos <= start) {
			e->pos = start;
			e->map.given[block] = 0;
		}
		set_window(&win, block, now, any_age);
		result = fpr_buddy_take(&e->batch, &win, &e->pos, end);
		note_given(nr);
		if (result == FPR_TAKE_FULL ||
		    (result == FPR_TAKE_LOW && e->batch.nr))
			return true;
		if (result == FPR_TAKE_END)
			finish_block(block, now);
		else if (result == FPR_TAKE_YOUNG)
			fpr_blockmap_defer(&e->map, block,
					   round_down(block, BUDDY_BLOCKS),
					   BUDDY_BLOCKS);
		else
			fpr_blockmap_retry(&e->map, block, now,
					   fpr_param(FPR_DELAY_MS));
		e->pos = max(e->pos, end);
	}
}

static int report_batch(void)
{
	struct fpr_engine *e = &fpr_engine;
	unsigned int i, nents = e->batch.list.nr;
	u64 start = ktime_get_ns();
	int err;

	sg_init_table(e->sgl, nents);
	for (i = 0; i < nents; i++) {
		const struct fpr_segment *seg = &e->batch.list.segs[i];

		sg_set_page(&e->sgl[i], pfn_to_page(seg->pfn),
			    seg->npages << PAGE_SHIFT, 0);
	}
	WRITE_ONCE(e->reporting, true);
	mutex_unlock(&e->lock);
	err = e->dev->ops->report(e->dev, e->sgl, nents);
	mutex_lock(&e->lock);
	WRITE_ONCE(e->reporting, false);
	if (!err)
		trace_fpr_report(nents, e->batch.pages,
				 (ktime_get_ns() - start) / 1000);
	return err;
}

static void note_success(void)
{
	struct fpr_engine *e = &fpr_engine;

	e->fails = 0;
	fpr_stats.reports++;
	fpr_stats.segments += e->batch.list.nr;
	fpr_stats.reported_pages += e->batch.pages;
}

static void note_failure(int err)
{
	struct fpr_engine *e = &fpr_engine;
	unsigned int ms = BACKOFF_MS << min_t(unsigned int, e->fails,
					      BACKOFF_DOUBLINGS);

	e->backoff_until = fpr_now_ms() + ms;
	if (!e->fails++ && err != -ENODEV)
		pr_warn_ratelimited("%s failed a report (error %d): its memory is back in the allocator; next attempt in %u ms\n",
				    e->dev->name, err, ms);
	/* A device that is being removed is no error. */
	if (err == -ENODEV)
		return;
	fpr_stats.errors++;
	trace_fpr_error(err, e->batch.pages, ms);
}

/* Report all that is due (or all that is active), batch by batch. */
static int report_due(u32 now, bool any_age)
{
	struct fpr_engine *e = &fpr_engine;
	int err = 0;

	e->pos = 0;
	while (!err && e->running && collect(now, any_age)) {
		err = report_batch();
		if (err)
			note_failure(err);
		else
			note_success();
		fpr_batch_putback(&e->batch);
		fpr_blockmap_release(&e->map, e->first_held, e->last_held,
				     !err, fpr_now_ms());
		cond_resched();
	}
	return err;
}

static void harvest(u32 now)
{
	struct fpr_engine *e = &fpr_engine;
	unsigned long taken;

	/* Pairs with fpr_engine_wake(): first the flag, then the marks. */
	WRITE_ONCE(e->armed, 0);
	smp_mb();
	taken = fpr_blockmap_harvest(&e->map, now, fpr_param(FPR_DELAY_MS),
				     &fpr_stats.recycled_blocks);
	if (!e->sweep_pending && (taken || !fpr_hooks_see_frees())) {
		e->sweep_pending = true;
		e->sweep_at = now + (fpr_hooks_see_frees() ? SWEEP_MS :
				     SWEEP_UNHOOKED_MS);
	}
}

static void sweep_if_due(u32 now)
{
	struct fpr_engine *e = &fpr_engine;

	if (!e->sweep_pending || !fpr_ms_reached(now, e->sweep_at))
		return;
	e->sweep_pending = !fpr_hooks_see_frees();
	e->sweep_at = now + SWEEP_UNHOOKED_MS;
	fpr_stats.sweeps++;
	fpr_memory_sweep(now + fpr_param(FPR_DELAY_MS));
}

static unsigned long blocks_kb(unsigned long blocks)
{
	return blocks * (FPR_BLOCK_PAGES << (PAGE_SHIFT - 10));
}

/* Whether so little is due, and for so short a time, that it can wait. */
static bool below_threshold(unsigned long due, u32 oldest, u32 now)
{
	u32 patience = fpr_param(FPR_DELAY_MS) * THRESHOLD_DELAYS;

	return blocks_kb(due) < fpr_param(FPR_THRESHOLD_KB) &&
	       !fpr_ms_reached(now, oldest + patience);
}

static unsigned long next_aged(unsigned long from, u32 now, bool any_age)
{
	struct fpr_blockmap *map = &fpr_engine.map;

	return any_age ? fpr_blockmap_next_due(map, from, now, true) :
			 fpr_blockmap_next_aged(map, from, now);
}

/* Blocks that only pages on per-CPU lists keep from being whole. */
static unsigned long count_stuck(u32 now, bool any_age, bool hasten, bool *late)
{
	struct fpr_blockmap *map = &fpr_engine.map;
	unsigned long block, stuck = 0;

	for (block = next_aged(0, now, any_age); block < map->nblocks;
	     block = next_aged(block + 1, now, any_age)) {
		unsigned long pfn = block << FPR_BLOCK_ORDER;

		if (!fpr_buddy_stuck(pfn, pfn + FPR_BLOCK_PAGES))
			continue;
		stuck++;
		*late |= map->tries[block] >= 1;
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
 * use those pages.
 */
static void drain_if_stuck(u32 now, bool any_age)
{
	bool late = any_age;
	unsigned long stuck = count_stuck(now, any_age, false, &late);

	if (!stuck || (!late && blocks_kb(stuck) < fpr_param(FPR_THRESHOLD_KB)))
		return;
	count_stuck(now, any_age, true, &late);
	fpr_stats.drains++;
	fpr_drain_percpu_lists();
}

static void pass(unsigned long due, u32 now, bool flush)
{
	unsigned long before = fpr_stats.reported_pages;
	u64 start = ktime_get_ns();
	int err;

	drain_if_stuck(now, flush);
	err = report_due(now, flush);
	fpr_stats.passes++;
	fpr_stats.last_pass_us = (ktime_get_ns() - start) / 1000;
	trace_fpr_pass(due, fpr_stats.reported_pages - before,
		       fpr_stats.last_pass_us);
	if (flush)
		fpr_engine.flush_err = err;
}

static void sleep_until(u32 then, u32 now)
{
	u32 ms = fpr_ms_reached(now, then) ? 0 : then - now;

	queue_delayed_work(fpr_engine.wq, &fpr_engine.work,
			   msecs_to_jiffies(ms));
}

/* Queue the next run; none at all if there is nothing to wait for. */
static void schedule_next(u32 now)
{
	struct fpr_engine *e = &fpr_engine;
	u32 oldest = 0, next = 0, at = 0;
	unsigned long due;
	bool any = false;

	due = fpr_blockmap_count_due(&e->map, now, &oldest, &next);
	if (due) {
		any = true;
		at = below_threshold(due, oldest, now) ?
			oldest + fpr_param(FPR_DELAY_MS) * THRESHOLD_DELAYS :
			now;
	}
	if (due < e->map.nr_active && (!any || fpr_ms_reached(at, next))) {
		any = true;
		at = next;
	}
	if (any && e->fails && !fpr_ms_reached(at, e->backoff_until))
		at = e->backoff_until;
	if (e->sweep_pending && (!any || fpr_ms_reached(at, e->sweep_at))) {
		any = true;
		at = e->sweep_at;
	}
	if (any)
		sleep_until(at, now);
}

static void run(struct work_struct *work)
{
	struct fpr_engine *e = &fpr_engine;
	unsigned long due, flush;
	u32 now, oldest = 0, next = 0;
	bool flushing, wait;

	mutex_lock(&e->lock);
	if (!e->running)
		goto unlock;
	fpr_stats.wakeups++;
	now = fpr_now_ms();
	flush = e->flush_wanted;
	flushing = flush != e->flush_done;
	harvest(now);
	sweep_if_due(now);

	due = fpr_blockmap_count_due(&e->map, now, &oldest, &next);
	wait = (e->fails && !fpr_ms_reached(now, e->backoff_until)) || !due ||
	       below_threshold(due, oldest, now);
	if (flushing || !wait)
		pass(due, now, flushing);
	if (flushing) {
		WRITE_ONCE(e->flush_done, flush);
		wake_up_all(&e->flush_wait);
	}
	if (e->flush_wanted != e->flush_done)
		queue_delayed_work(e->wq, &e->work, 0);
	else if (e->running)
		schedule_next(fpr_now_ms());
unlock:
	mutex_unlock(&e->lock);
}

/**
 * fpr_engine_start() - begin to report: everything that is free now first
 *
 * Context: control mutex held, device registered, hook armed.
 */
void fpr_engine_start(void)
{
	struct fpr_engine *e = &fpr_engine;
	u32 now = fpr_now_ms();

	mutex_lock(&e->lock);
	e->fails = 0;
	e->sweep_pending = false;
	fpr_blockmap_activate_all(&e->map, now + fpr_param(FPR_DELAY_MS));
	WRITE_ONCE(e->running, true);
	/* The run harvests what was marked before anything could be queued. */
	queue_delayed_work(e->wq, &e->work, msecs_to_jiffies(age_step_ms()));
	mutex_unlock(&e->lock);
}

/**
 * fpr_engine_stop() - stop reporting
 *
 * When it returns no report runs or will run, and no page is held.
 * Context: control mutex held, hook disarmed; waits for a running report.
 */
void fpr_engine_stop(void)
{
	struct fpr_engine *e = &fpr_engine;

	mutex_lock(&e->lock);
	WRITE_ONCE(e->running, false);
	mutex_unlock(&e->lock);
	wake_up_all(&e->flush_wait);

	irq_work_sync(&e->irq_work);
	cancel_delayed_work_sync(&e->work);

	mutex_lock(&e->lock);
	/* Nothing wakes a stopped engine; what it knew grows stale. */
	WRITE_ONCE(e->armed, 1);
	fpr_blockmap_forget(&e->map);
	mutex_unlock(&e->lock);
}

/**
 * fpr_engine_init() - prepare the worker; nothing runs yet
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int fpr_engine_init(void)
{
	struct fpr_engine *e = &fpr_engine;

	INIT_DELAYED_WORK(&e->work, run);
	init_irq_work(&e->irq_work, wake_worker);
	e->wq = alloc_workqueue("fpr", WQ_FREEZABLE | WQ_UNBOUND, 1);
	return e->wq ? 0 : -ENOMEM;
}

/**
 * fpr_engine_exit() - the mirror of fpr_engine_init(); the engine is stopped
 */
void fpr_engine_exit(void)
{
	destroy_workqueue(fpr_engine.wq);
}
