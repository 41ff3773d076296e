// SPDX-License-Identifier: GPL-2.0
/*
 * Having the pages on per-CPU lists put onto the free lists.  Older kernels do that on
 * each CPU itself and wait for it, and a realtime thread may own one for ever: so a
 * thread of its own waits, and the worker for that no longer than it has to.
 */
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>

#include "engine.h"
#include "ksyms.h"
#include "stats.h"

/* Longest wait of the worker: all CPUs that can do it have by then. */
#define DRAIN_WAIT_MS	1000

static struct kthread_worker *drainer;
static struct kthread_work drain_work;
static DECLARE_COMPLETION(drained);
/* The worker's: it was queued, and has not ended yet as far as is known. */
static bool under_way;

static void drain_all(struct kthread_work *work)
{
	fpr_drain_percpu_lists();
	complete(&drained);
}

/**
 * fpr_drain() - have the per-CPU lists drained
 *
 * Those of a CPU that does not get to it are drained when it does.  Until then this
 * returns at once.
 * Context: worker, engine mutex held; waits, no longer than %DRAIN_WAIT_MS.
 */
void fpr_drain(void)
{
	if (under_way && !try_wait_for_completion(&drained))
		return;
	fpr_stat_add(&fpr_stats.drains, 1);
	reinit_completion(&drained);
	kthread_queue_work(drainer, &drain_work);
	under_way = !wait_for_completion_timeout(&drained,
						 msecs_to_jiffies(DRAIN_WAIT_MS));
}

/**
 * fpr_drain_init() - prepare for draining
 *
 * Not a workqueue: drain_all_pages() does nothing from one in 5.10.
 * Context: process context, may sleep.
 * Return: 0 or a negative errno.
 */
int fpr_drain_init(void)
{
	kthread_init_work(&drain_work, drain_all);
	drainer = kthread_create_worker(0, "fpr_drain");
	if (IS_ERR(drainer))
		return PTR_ERR(drainer);
	/* From 6.14 on it is created asleep. */
	wake_up_process(drainer->task);
	return 0;
}

/**
 * fpr_drain_exit() - the mirror; waits for what is under way
 */
void fpr_drain_exit(void)
{
	kthread_destroy_worker(drainer);
}
