// SPDX-License-Identifier: GPL-2.0
/*
 * Out of memory while a device has some of it: that memory is on its way back,
 * so wait for it before anybody is killed.
 */
#define pr_fmt(fmt) "fpr: " fmt

#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/printk.h>

#include "engine.h"
#include "stats.h"

/*
 * Longest wait.  A host answers within milliseconds; one that does not within
 * this time may never do, and the guest has to go on.
 */
#define OOM_WAIT_MS	10000
/* How long an allocation may take from its last look to the OOM killer. */
#define OOM_RECENT_MS	100

/*
 * Called by an allocation that found nothing, before the OOM killer chooses a
 * victim, which it leaves alone if pages are said to be freed.  Others that find
 * nothing meanwhile wait too, for oom_lock.  The worker does not allocate while
 * memory is held, and a device that does takes from the reserves
 * (report_batch()), so nothing here waits for itself.  Only growing the map for
 * hot-added memory may, under the mutex, and then for the time above.
 *
 * Context: process context, may sleep; oom_lock held.
 * Source: mm/oom_kill.c out_of_memory().
 */
static int on_oom(struct notifier_block *nb, unsigned long unused, void *data)
{
	struct fpr_engine *e = &fpr_engine;
	unsigned long *freed = data, seen = READ_ONCE(e->putbacks);
	unsigned long pages = READ_ONCE(fpr_stats.held_pages);
	ktime_t start = ktime_get();

	if (!pages) {
		/* Back since the allocation looked: it has to look again. */
		if (seen && time_before(jiffies, READ_ONCE(e->putback_at) +
					msecs_to_jiffies(OOM_RECENT_MS)))
			*freed += 1;
		return NOTIFY_OK;
	}
	/* This batch only: with so little free there is hardly another. */
	if (!wait_event_timeout(e->putback_wait,
				READ_ONCE(e->putbacks) != seen,
				msecs_to_jiffies(OOM_WAIT_MS)))
		return NOTIFY_OK;
	*freed += pages;
	pr_info_ratelimited("memory ran out while %lu KiB of it were with the device: back after %lld ms\n",
			    pages << (PAGE_SHIFT - 10),
			    ktime_ms_delta(ktime_get(), start));
	return NOTIFY_OK;
}

static struct notifier_block oom_nb = {
	.notifier_call = on_oom,
};

/**
 * fpr_oom_init() - have the OOM killer wait for memory that is on its way back
 *
 * Context: process context, may sleep.
 * Return: 0 or a negative errno.
 */
int fpr_oom_init(void)
{
	return register_oom_notifier(&oom_nb);
}

/**
 * fpr_oom_exit() - the mirror of fpr_oom_init(); waits for a running call
 */
void fpr_oom_exit(void)
{
	unregister_oom_notifier(&oom_nb);
}
