// SPDX-License-Identifier: GPL-2.0
/*
 * Out of memory while a device has some of it: that memory is on its way back,
 * so wait for it before anybody is killed, and take no more for a while.
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
/*
 * How long no memory is taken after a call: by then the allocation has looked
 * again.  And how long it may have taken from its last look to here, on a
 * virtual CPU that waits for a real one.
 */
#define OOM_PAUSE_MS	1000

/**
 * fpr_oom_pause_ms() - how long the engine must take no memory
 *
 * If it went on, an allocation that is confined to a zone or node which has
 * none would be told for ever that some is coming back, elsewhere.
 * Context: any; a snapshot.
 * Return: milliseconds, 0 if memory did not run out lately.
 */
unsigned int fpr_oom_pause_ms(void)
{
	unsigned long until, now = jiffies;

	/* The flag first; pairs with on_oom(). */
	if (smp_load_acquire(&fpr_engine.oom_waits))
		return OOM_PAUSE_MS;
	until = READ_ONCE(fpr_engine.oom_until);
	/* A pause is short: what seems far away is one from before jiffies wrapped. */
	if (!until || until - now - 1 >= msecs_to_jiffies(OOM_PAUSE_MS) + 1)
		return 0;
	/* At least the millisecond after the jiffy. */
	return jiffies_to_msecs(until - now) + 1;
}

/*
 * Called by an allocation that found nothing, before the OOM killer chooses a
 * victim, which it leaves alone if pages are said to be freed.  Others that find
 * nothing meanwhile wait too, for oom_lock.  The worker does not allocate while
 * memory is held, and a device that does takes from the reserves
 * (fpr_send_batch()), so nothing here waits for itself.
 *
 * Context: process context, may sleep; oom_lock held.
 * Source: mm/oom_kill.c out_of_memory().
 */
static int on_oom(struct notifier_block *nb, unsigned long unused, void *data)
{
	struct fpr_engine *e = &fpr_engine;
	unsigned long *freed = data, pages = READ_ONCE(fpr_stats.held_pages);
	unsigned long pause = msecs_to_jiffies(OOM_PAUSE_MS);
	ktime_t start = ktime_get();
	bool back;

	/* Never 0, which says that memory never ran out. */
	WRITE_ONCE(e->oom_until, (jiffies + pause) | 1);
	if (!pages) {
		/* Back since the allocation looked: it has to look again. */
		if (READ_ONCE(e->putbacks) &&
		    jiffies + 1 - READ_ONCE(e->putback_at) <= pause)
			*freed += 1;
		return NOTIFY_OK;
	}
	/* This batch only: there is no other before the pause after it is over. */
	WRITE_ONCE(e->oom_waits, true);
	back = fpr_wait_putback(OOM_WAIT_MS);
	WRITE_ONCE(e->oom_until, (jiffies + pause) | 1);
	/* The pause is set before the flag goes; pairs with fpr_oom_pause_ms(). */
	smp_store_release(&e->oom_waits, false);
	if (!back)
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
