// SPDX-License-Identifier: GPL-2.0
/* Starting and stopping: devices, pause and resume, flush; see engine.h. */
#define pr_fmt(fmt) "fpr: " fmt

#include <linux/export.h>
#include <linux/mm.h>
#include <linux/poison.h>
#include <linux/printk.h>
#include <linux/slab.h>

#include <fpr/fpr.h>

#include "../compat/compat.h"
#include "engine.h"
#include "hooks.h"
#include "params.h"

static DEFINE_MUTEX(fpr_control);
/* The system is going to sleep, asleep or waking up; guarded by fpr_control. */
static bool fpr_asleep;

enum fpr_fill fpr_fill_needed(void)
{
	if (fpr_page_poisoning())
		return FPR_FILL_POISON;
	return want_init_on_free() ? FPR_FILL_ZERO : FPR_FILL_ANY;
}
EXPORT_SYMBOL_GPL(fpr_fill_needed);

u8 fpr_fill_value(void)
{
	return fpr_fill_needed() == FPR_FILL_POISON ? PAGE_POISON : 0;
}
EXPORT_SYMBOL_GPL(fpr_fill_value);

static void start(void)
{
	fpr_hooks_arm();
	fpr_engine_start();
}

/*
 * First the engine, so that all memory is back, whatever the hook waits for.  Before
 * the system goes down or to sleep the hook stays: taking it off waits for every CPU,
 * and a realtime thread may own one.
 */
static void stop(void)
{
	fpr_engine_stop();
	if (!fpr_asleep)
		fpr_hooks_disarm();
}

/* Start or stop the engine as the parameter "enabled" and the system want it. */
static void start_or_stop(void)
{
	if (!fpr_engine.dev)
		return;
	if (fpr_param(FPR_ENABLED) && !fpr_asleep)
		start();
	else
		stop();
}

/* Most entries of one report to a device. */
static unsigned int entries_of(const struct fpr_device *dev)
{
	return min_t(unsigned int, dev->max_entries, FPR_MAX_ENTRIES);
}

static int check_limits(const struct fpr_device *dev)
{
	u64 entry, largest = PAGE_SIZE << FPR_MAX_ORDER;
	unsigned int entries = entries_of(dev);

	if (!dev->name || !dev->ops || !dev->ops->report ||
	    !dev->ops->hint != !dev->ops->hint_done) {
		pr_err("a device without name or report operation, or with one of the hint operations alone: its driver is at fault\n");
		return -EINVAL;
	}
	if (dev->min_order > FPR_MAX_ORDER) {
		pr_err("%s discards blocks of order %u and larger, this kernel has none above order %u\n",
		       dev->name, dev->min_order, (unsigned int)FPR_MAX_ORDER);
		return -EINVAL;
	}
	entry = fpr_entry_bytes(dev);
	if (!entry || entry * entries < largest) {
		pr_err("%s takes %u entries of %llu bytes: not enough for one free block of %llu bytes\n",
		       dev->name, entries, entry, largest);
		return -EINVAL;
	}
	return 0;
}

static int check_fill(const struct fpr_device *dev)
{
	switch (fpr_fill_needed()) {
	case FPR_FILL_ZERO:
		if (dev->fills & BIT(FPR_FILL_ZERO))
			return 0;
		pr_err("%s: this kernel clears pages when they are freed (init_on_free=1) and the host does not promise that reported pages read as zero: boot with init_on_free=0, or offer page-poison on the host\n",
		       dev->name);
		return -EOPNOTSUPP;
	case FPR_FILL_POISON:
		if (dev->fills & BIT(FPR_FILL_POISON))
			return 0;
		pr_err("%s: this kernel poisons free pages (page_poison=1) and the host does not promise to keep the poison: boot with page_poison=0, or offer page-poison on the host\n",
		       dev->name);
		return -EOPNOTSUPP;
	default:
		return 0;
	}
}

static int attach(struct fpr_device *dev)
{
	struct fpr_engine *e = &fpr_engine;
	int err = fpr_batch_init(&e->batch, entries_of(dev),
				 fpr_entry_bytes(dev) >> PAGE_SHIFT);

	if (err)
		return err;
	e->batch.held = true;
	e->sgl = kvcalloc(e->batch.list.max, sizeof(*e->sgl), GFP_KERNEL);
	if (!e->sgl) {
		fpr_batch_destroy(&e->batch);
		return -ENOMEM;
	}
	mutex_lock(&e->lock);
	WRITE_ONCE(e->dev, dev);
	mutex_unlock(&e->lock);
	return 0;
}

static void detach(void)
{
	struct fpr_engine *e = &fpr_engine;

	mutex_lock(&e->lock);
	WRITE_ONCE(e->dev, NULL);
	fpr_host_forget();
	mutex_unlock(&e->lock);
	kvfree(e->sgl);
	e->sgl = NULL;
	fpr_batch_destroy(&e->batch);
}

int fpr_register_device(struct fpr_device *dev)
{
	int err = check_limits(dev);

	if (!err)
		err = check_fill(dev);
	if (err)
		return err;

	mutex_lock(&fpr_control);
	if (fpr_engine.dev) {
		pr_err("%s: %s is registered already, and one device is all fpr reports to: unbind it first\n",
		       dev->name, fpr_engine.dev->name);
		err = -EBUSY;
		goto unlock;
	}
	err = attach(dev);
	if (err)
		goto unlock;
	start_or_stop();
	pr_info("reporting free memory to %s\n", dev->name);
unlock:
	mutex_unlock(&fpr_control);
	return err;
}
EXPORT_SYMBOL_GPL(fpr_register_device);

void fpr_unregister_device(struct fpr_device *dev)
{
	mutex_lock(&fpr_control);
	if (fpr_engine.dev == dev) {
		stop();
		detach();
		pr_info("%s is gone, nothing is reported any more\n", dev->name);
	}
	mutex_unlock(&fpr_control);
}
EXPORT_SYMBOL_GPL(fpr_unregister_device);

/**
 * fpr_control_set_enabled() - pause or resume
 * @enabled: whether to report
 *
 * When it has paused, no report runs and no memory is held.
 * Context: process context, may sleep; waits for a running report.
 */
void fpr_control_set_enabled(bool enabled)
{
	struct fpr_param *param = &fpr_params[FPR_ENABLED];

	mutex_lock(&fpr_control);
	if (param->value != enabled) {
		WRITE_ONCE(param->value, enabled);
		start_or_stop();
	}
	mutex_unlock(&fpr_control);
}

/**
 * fpr_control_set_asleep() - stop reporting while the system sleeps, or goes down
 * @asleep: it is going to; false: it is awake again
 *
 * As paused, whatever the parameter "enabled" says: nothing is reported until both
 * have ended.
 * Context: process context, may sleep; waits for a running report.
 */
void fpr_control_set_asleep(bool asleep)
{
	mutex_lock(&fpr_control);
	fpr_asleep = asleep;
	start_or_stop();
	mutex_unlock(&fpr_control);
}

static int not_running(void)
{
	return READ_ONCE(fpr_engine.dev) ? -EAGAIN : -ENODEV;
}

static bool flush_ended(unsigned long number)
{
	/* The number first, then its result; pairs with end_flush(). */
	return (long)(smp_load_acquire(&fpr_engine.flush_done) - number) >= 0;
}

/**
 * fpr_control_flush() - report every candidate now
 *
 * Context: process context, sleeps until done, interruptible.
 * Return: 0; -ENODEV; -EAGAIN when paused, also while it waited; -EIO when the
 * device failed; -EINTR.
 */
int fpr_control_flush(void)
{
	struct fpr_engine *e = &fpr_engine;
	unsigned long mine;
	int err;

	mutex_lock(&e->lock);
	if (!e->running) {
		mutex_unlock(&e->lock);
		return not_running();
	}
	mine = ++e->flush_wanted;
	fpr_engine_kick();
	mutex_unlock(&e->lock);

	/* Stopping the engine ends every flush, so this is all to wait for. */
	if (wait_event_interruptible(e->flush_wait, flush_ended(mine)))
		return -EINTR;
	err = READ_ONCE(e->flush_err);
	return err == -EAGAIN ? not_running() : err;
}

/**
 * fpr_control_state() - one word for what the engine does now
 *
 * Context: any; a snapshot.
 */
const char *fpr_control_state(void)
{
	struct fpr_engine *e = &fpr_engine;

	if (!READ_ONCE(e->dev))
		return "no-device";
	if (!READ_ONCE(e->running))
		return "paused";
	if (READ_ONCE(e->reporting))
		return "reporting";
	if (READ_ONCE(e->fails))
		return "backoff";
	return fpr_engine_busy() ? "waiting" : "idle";
}
