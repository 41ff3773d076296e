// SPDX-License-Identifier: GPL-2.0
/*
 * Hints: all free memory is named to the host, which wants to leave it out of a
 * migration.  It goes the way of a report, isolated from before the host sees it
 * until it has let go, and free again after that: who uses it then writes to it
 * first, and a host that migrates a guest notices what is written.
 *
 * The block map says only which memory is present.  It is not changed: what was
 * reported stays reported, what is ageing goes on ageing.
 */
#define pr_fmt(fmt) "fpr: " fmt

#include <linux/export.h>
#include <linux/printk.h>
#include <linux/sched.h>

#include <fpr/fpr.h>

#include "engine.h"
#include "params.h"

/* Fill the batch from @pos on, in address order; true if there is something. */
static bool collect(unsigned long *pos)
{
	struct fpr_engine *e = &fpr_engine;
	const struct fpr_window win = {
		.lo = 0,
		.hi = ULONG_MAX,
		.order = max_t(unsigned int, FPR_BLOCK_ORDER,
			       e->dev->min_order),
		.hold_pages = fpr_param(FPR_HOLD_KB) >> (PAGE_SHIFT - 10),
		.share = FPR_ZONE_SHARE,
	};

	for (;;) {
		unsigned long block = *pos >> FPR_BLOCK_ORDER, end;
		enum fpr_take result;

		block = find_next_bit(e->map.present, e->map.nblocks, block);
		if (block >= e->map.nblocks)
			return e->batch.nr;
		*pos = max(*pos, block << FPR_BLOCK_ORDER);
		end = (block + 1) << FPR_BLOCK_ORDER;
		result = fpr_buddy_take(&e->batch, &win, pos, end);
		/* A zone that can spare nothing to an empty batch is passed over. */
		if (result == FPR_TAKE_FULL ||
		    (result == FPR_TAKE_LOW && e->batch.nr))
			return true;
		*pos = max(*pos, end);
		cond_resched_tasks_rcu_qs();
	}
}

static int hint(struct fpr_device *dev, struct scatterlist *sgl,
		unsigned int nents)
{
	return dev->ops->hint(dev, fpr_engine.hint.serving, sgl, nents);
}

static bool wanted(u32 number)
{
	const struct fpr_hint_request *req = &fpr_engine.hint;

	return req->pending && req->number == number;
}

/* All that is free, batch by batch; ends early if it is not wanted any more. */
static void name_all(u32 number)
{
	struct fpr_engine *e = &fpr_engine;
	unsigned long pos = 0;
	int err = 0;

	if (fpr_fill_needed() != FPR_FILL_ANY) {
		pr_info_once("free memory is not named to a host that migrates this guest, since this kernel relies on what free pages hold (init_on_free or page_poison)\n");
		return;
	}
	e->hint.serving = number;
	while (!err && e->running && wanted(number) && !fpr_oom_pause_ms() &&
	       collect(&pos)) {
		err = fpr_send_batch(hint, NULL);
		/* As between two reports. */
		cond_resched_tasks_rcu_qs();
	}
}

/**
 * fpr_hint_serve() - name free memory to the host, if it wants that
 *
 * One request; for another that came meanwhile a run is queued.
 * Context: worker, engine mutex held, the batch empty; the mutex is dropped while
 * the device is called.
 */
void fpr_hint_serve(void)
{
	struct fpr_engine *e = &fpr_engine;

	u32 number = e->hint.number;

	if (!e->running || !e->hint.pending)
		return;
	name_all(number);
	if (wanted(number))
		e->hint.pending = false;
	mutex_unlock(&e->lock);
	e->dev->ops->hint_done(e->dev, number);
	mutex_lock(&e->lock);
}

int fpr_hint_start(struct fpr_device *fdev, u32 number)
{
	struct fpr_engine *e = &fpr_engine;
	int err = -ENODEV;

	mutex_lock(&e->lock);
	if (e->dev == fdev && fdev->ops->hint) {
		e->hint.number = number;
		e->hint.pending = true;
		fpr_engine_kick();
		err = 0;
	}
	mutex_unlock(&e->lock);
	return err;
}
EXPORT_SYMBOL_GPL(fpr_hint_start);

void fpr_hint_stop(struct fpr_device *fdev)
{
	struct fpr_engine *e = &fpr_engine;

	mutex_lock(&e->lock);
	if (e->dev == fdev)
		e->hint.pending = false;
	mutex_unlock(&e->lock);
}
EXPORT_SYMBOL_GPL(fpr_hint_stop);
