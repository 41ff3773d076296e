// SPDX-License-Identifier: GPL-2.0
/* The worker: when to harvest, sweep and pass; starting, stopping; see engine.h. */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/string.h>

#include <fpr/fpr.h>

#include "engine.h"
#include "hooks.h"
#include "params.h"
#include "stats.h"

/* Blocks age in steps of this part of delay_ms: the precision of the delay. */
#define AGE_STEPS		4
/* What is below threshold_kb waits no longer than this many delays. */
#define THRESHOLD_DELAYS	2
/* While memory is freed there is a sweep this often, and one after the last
 * free; without a hook, all the time.
 */
#define SWEEP_MS		30000
#define SWEEP_UNHOOKED_MS	2000

struct fpr_engine fpr_engine = {
	.lock = __MUTEX_INITIALIZER(fpr_engine.lock),
	.putback_wait = __WAIT_QUEUE_HEAD_INITIALIZER(fpr_engine.putback_wait),
	.flush_wait = __WAIT_QUEUE_HEAD_INITIALIZER(fpr_engine.flush_wait),
	.armed = 1,
};

struct fpr_stats fpr_stats;

u32 fpr_now_ms(void)
{
	return (u32)ktime_to_ms(ktime_get());
}

static unsigned int age_step_ms(void)
{
	return max(fpr_delay_ms() / AGE_STEPS, 4U);
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

/*
 * Run in @ms, or sooner if that has been set already: no mark waits longer for
 * its harvest because of what came after it.  Nor does a run that is due and
 * queued behind the present one, which kthread_mod_delayed_work() would put off.
 * Context: any but NMI.
 */
static void run_within(unsigned int ms)
{
	struct fpr_engine *e = &fpr_engine;
	struct timer_list *timer = &e->work.timer;
	unsigned long delay = msecs_to_jiffies(ms);

	if (kthread_queue_delayed_work(e->worker, &e->work, delay) ||
	    !timer_pending(timer))
		return;
	/* Pairs with the lock of the timer base, taken to enqueue it. */
	smp_rmb();
	if (time_after(READ_ONCE(timer->expires), jiffies + delay))
		kthread_mod_delayed_work(e->worker, &e->work, delay);
}

/* Hard interrupt, or the irq_work thread on PREEMPT_RT. */
static void wake_worker(struct irq_work *irq_work)
{
	if (READ_ONCE(fpr_engine.running))
		run_within(age_step_ms());
}

/**
 * fpr_engine_kick() - run the worker now
 *
 * Context: engine mutex held, so that nothing is queued behind fpr_engine_stop().
 */
void fpr_engine_kick(void)
{
	lockdep_assert_held(&fpr_engine.lock);
	if (READ_ONCE(fpr_engine.running))
		kthread_queue_work(fpr_engine.worker, &fpr_engine.now);
}

/**
 * fpr_engine_busy() - whether the worker runs or will run by itself
 *
 * Context: any; a snapshot.
 */
bool fpr_engine_busy(void)
{
	struct fpr_engine *e = &fpr_engine;

	return timer_pending(&e->work.timer) ||
	       !list_empty(&e->work.work.node) ||
	       !list_empty(&e->now.node) ||
	       READ_ONCE(e->worker->current_work);
}

static void schedule_sweep(u32 now)
{
	struct fpr_engine *e = &fpr_engine;

	e->sweep_pending = true;
	e->sweep_again = false;
	e->sweep_at = now + (fpr_hooks_see_frees() ? SWEEP_MS :
			     SWEEP_UNHOOKED_MS);
}

static void harvest(u32 now)
{
	struct fpr_engine *e = &fpr_engine;
	struct fpr_harvest h = {
		.now = now,
		.delay_ms = fpr_delay_ms(),
		.cold_ms = fpr_cold_ms(),
		.whole = FPR_BLOCK_PAGES,
	};

	WRITE_ONCE(e->armed, 0);
	/* First the flag, then the marks; pairs with fpr_engine_wake(). */
	smp_mb();
	fpr_blockmap_harvest(&e->map, &h);
	fpr_stat_add(&fpr_stats.marks, h.marks);
	fpr_stat_add(&fpr_stats.recycled_blocks, h.recycled);
	fpr_keep_harvested(&h);
	if (!h.marks && fpr_hooks_see_frees())
		return;
	if (e->sweep_pending)
		e->sweep_again = true;
	else
		schedule_sweep(now);
}

static void sweep_if_due(u32 now)
{
	struct fpr_engine *e = &fpr_engine;

	if (!e->sweep_pending || !fpr_ms_reached(now, e->sweep_at))
		return;
	e->sweep_pending = false;
	if (e->sweep_again)
		schedule_sweep(now);
	fpr_stat_add(&fpr_stats.sweeps, 1);
	fpr_memory_sweep(now + fpr_delay_ms());
}

/**
 * fpr_engine_params_changed() - let new values take effect at once
 *
 * A shorter delay holds for blocks that are ageing already, and a sweep finds
 * what a smaller order makes reportable.
 * Context: process context, may sleep; takes the engine mutex.
 */
void fpr_engine_params_changed(void)
{
	struct fpr_engine *e = &fpr_engine;
	u32 now = fpr_now_ms();

	mutex_lock(&e->lock);
	if (e->running) {
		fpr_blockmap_cap_due(&e->map, now + fpr_delay_ms(),
				     now + fpr_cold_ms());
		e->sweep_pending = true;
		e->sweep_at = now;
		fpr_engine_kick();
	}
	mutex_unlock(&e->lock);
}

/* Whether so little is due, and for so short a time, that it can wait. */
static bool below_threshold(unsigned long due, u32 oldest, u32 now)
{
	u32 patience = fpr_delay_ms() * THRESHOLD_DELAYS;

	return fpr_blocks_kb(due) < fpr_threshold_kb() &&
	       !fpr_ms_reached(now, oldest + patience);
}

/* Run at @then, and no later than a step from now if a mark is waiting. */
static void sleep_until(u32 then, u32 now)
{
	run_within(fpr_ms_reached(now, then) ? 0 : then - now);
	/*
	 * A hook's irq_work may have set the timer in between.  First the timer,
	 * then the flag; pairs with fpr_engine_wake().
	 */
	smp_mb();
	if (READ_ONCE(fpr_engine.armed))
		run_within(age_step_ms());
}

/*
 * Whether the device failed and is left alone for now.  A back-off is short: what
 * seems far away is one that ended before the clock wrapped.
 */
static bool backing_off(u32 now)
{
	const struct fpr_engine *e = &fpr_engine;

	return e->fails && e->backoff_until - now - 1 < FPR_MAX_BACKOFF_MS;
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
			oldest + fpr_delay_ms() * THRESHOLD_DELAYS :
			now;
	}
	if (due < e->map.nr_active && (!any || fpr_ms_reached(at, next))) {
		any = true;
		at = next;
	}
	/* A request waits for nothing but the back-off, and a new one not for that. */
	if (e->wanted.pending) {
		any = true;
		at = now;
	}
	if (any && backing_off(now) && !fpr_ms_reached(at, e->backoff_until))
		at = e->backoff_until;
	if (e->sweep_pending && (!any || fpr_ms_reached(at, e->sweep_at))) {
		any = true;
		at = e->sweep_at;
	}
	if (any)
		sleep_until(at, now);
}

/* All flushes up to @number have ended so; engine mutex held. */
static void end_flush(unsigned long number, int err)
{
	struct fpr_engine *e = &fpr_engine;

	WRITE_ONCE(e->flush_err, err);
	/* The result first: who sees the number reads it without the mutex. */
	smp_store_release(&e->flush_done, number);
	wake_up_all(&e->flush_wait);
}

static void run(struct kthread_work *work)
{
	struct fpr_engine *e = &fpr_engine;
	unsigned long due, flush;
	u32 now, oldest = 0, next = 0;
	unsigned int pause_ms;
	bool flushing, request, wait;
	int err = 0;

	mutex_lock(&e->lock);
	if (!e->running)
		goto unlock;
	fpr_stat_add(&fpr_stats.wakeups, 1);
	pause_ms = fpr_oom_pause_ms();
	if (pause_ms)
		goto pause;
	fpr_hint_serve();
	if (!e->running)
		goto unlock;
	now = fpr_now_ms();
	flush = e->flush_wanted;
	request = fpr_request_begin(now, backing_off(now));
	flushing = request || flush != e->flush_done;
	harvest(now);
	sweep_if_due(now);

	due = fpr_blockmap_count_due(&e->map, now, &oldest, &next);
	wait = backing_off(now) || !due || below_threshold(due, oldest, now);
	if (flushing || !wait)
		err = fpr_pass(due, now, flushing);
	if (request)
		fpr_request_end(!err && e->running && !fpr_oom_pause_ms());
	/* Stopped while the device reported: that has ended the flush. */
	if (!e->running)
		goto unlock;
	pause_ms = fpr_oom_pause_ms();
	if (pause_ms)
		goto pause;
	if (flush != e->flush_done)
		end_flush(flush, err ? -EIO : 0);
	if (e->flush_wanted != e->flush_done)
		kthread_queue_work(e->worker, &e->now);
	else
		schedule_next(fpr_now_ms());
	goto unlock;
pause:
	/* Memory ran out: a flush and what else is due have to wait. */
	now = fpr_now_ms();
	sleep_until(now + pause_ms, now);
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
	WRITE_ONCE(e->fails, 0);
	e->sweep_pending = false;
	memset(&e->feedback, 0, sizeof(e->feedback));
	fpr_blockmap_activate_all(&e->map, now + fpr_delay_ms());
	WRITE_ONCE(e->running, true);
	/* The run harvests what was marked before anything could be queued. */
	kthread_queue_delayed_work(e->worker, &e->work,
				   e->wanted.pending || e->hint.pending ? 0 :
				   msecs_to_jiffies(age_step_ms()));
	mutex_unlock(&e->lock);
}

/**
 * fpr_engine_stop() - stop reporting
 *
 * When it returns no report runs or will run, and no page is held.  A flush
 * that waits is dropped: it must not be carried out by a later start.
 * Context: control mutex held; waits for a running report.  The hook may be armed:
 * it wakes nobody any more.
 */
void fpr_engine_stop(void)
{
	struct fpr_engine *e = &fpr_engine;

	mutex_lock(&e->lock);
	WRITE_ONCE(e->running, false);
	if (e->flush_wanted != e->flush_done)
		end_flush(e->flush_wanted, -EAGAIN);
	mutex_unlock(&e->lock);

	kthread_cancel_delayed_work_sync(&e->work);
	kthread_cancel_work_sync(&e->now);
	/*
	 * Nobody harvests any more, so this stays, and no hook wakes the worker.  One
	 * that was about to queues what finds nothing running.
	 */
	WRITE_ONCE(e->armed, 1);
	irq_work_sync(&e->irq_work);
	kthread_cancel_delayed_work_sync(&e->work);

	mutex_lock(&e->lock);
	/* What a stopped engine knew grows stale. */
	fpr_blockmap_forget(&e->map);
	mutex_unlock(&e->lock);
}

/**
 * fpr_engine_init() - prepare the worker; nothing runs yet
 *
 * Context: process context, may sleep.
 * Return: 0 or a negative errno.
 */
int fpr_engine_init(void)
{
	struct fpr_engine *e = &fpr_engine;

	kthread_init_delayed_work(&e->work, run);
	kthread_init_work(&e->now, run);
	init_irq_work(&e->irq_work, wake_worker);
	e->worker = kthread_create_worker(0, "fpr");
	if (IS_ERR(e->worker))
		return PTR_ERR(e->worker);
	/* From 6.14 on it is created asleep. */
	wake_up_process(e->worker->task);
	return 0;
}

/**
 * fpr_engine_exit() - the mirror of fpr_engine_init(); the engine is stopped, and no
 * hook armed
 */
void fpr_engine_exit(void)
{
	irq_work_sync(&fpr_engine.irq_work);
	kthread_destroy_worker(fpr_engine.worker);
}
