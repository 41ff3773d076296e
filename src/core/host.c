// SPDX-License-Identifier: GPL-2.0
/*
 * What the host wants, by way of a device that can say it: how soon memory is
 * reported, and all of it now.  What an operator sets is the measure of it.
 */
#include <linux/export.h>
#include <linux/kernel.h>

#include <fpr/fpr.h>

#include "engine.h"
#include "params.h"
#include "stats.h"

/**
 * struct policy - what a level of pressure means
 * @name: shown in sysfs
 * @delay: eighths of delay_ms
 * @patient: whether a pass may wait for more (threshold_kb), and memory be kept that
 *	will be needed again (keep.c)
 */
struct policy {
	const char *name;
	unsigned int delay;
	bool patient;
};

static const struct policy policies[FPR_NR_PRESSURES] = {
	[FPR_PRESSURE_UNKNOWN]	= { "unknown", 8, true },
	[FPR_PRESSURE_NONE]	= { "none", 64, true },
	[FPR_PRESSURE_LOW]	= { "low", 8, true },
	[FPR_PRESSURE_HIGH]	= { "high", 2, false },
	[FPR_PRESSURE_CRITICAL]	= { "critical", 0, false },
};

static const struct policy *policy(void)
{
	return &policies[READ_ONCE(fpr_engine.pressure)];
}

/* A time that the operator sets, as the host's pressure scales it. */
static unsigned int scaled_ms(enum fpr_param_id id)
{
	const struct fpr_param *param = &fpr_params[id];
	u64 ms = (u64)fpr_param(id) * policy()->delay / 8;

	return clamp_t(u64, ms, param->min, param->max);
}

/**
 * fpr_delay_ms() - how long a block has to stay free now, ms
 *
 * Context: any; the policy changes under the engine mutex.
 */
unsigned int fpr_delay_ms(void)
{
	return scaled_ms(FPR_DELAY_MS);
}

/* How long nothing is freed in a block before it is cold, ms; no less than that. */
unsigned int fpr_cold_ms(void)
{
	return max(scaled_ms(FPR_COLD_MS), fpr_delay_ms());
}

/* How much has to be due before a pass looks, KiB. */
unsigned int fpr_threshold_kb(void)
{
	return policy()->patient ? fpr_param(FPR_THRESHOLD_KB) : 0;
}

/* How much free memory the operator wants to be kept, KiB. */
unsigned int fpr_reserve_kb(void)
{
	return policy()->patient ? fpr_param(FPR_RESERVE_KB) : 0;
}

/* How much is worth keeping, since it was needed again soon before, blocks. */
unsigned long fpr_reserve_blocks(u32 now)
{
	return policy()->patient ?
		fpr_feedback_reserve(&fpr_engine.feedback, now) : 0;
}

/* Smallest order that is reported to the present device. */
unsigned int fpr_effective_order(void)
{
	const struct fpr_device *dev = READ_ONCE(fpr_engine.dev);
	unsigned int order = fpr_param(FPR_ORDER);

	if (READ_ONCE(fpr_engine.served.pending))
		order = min(order, READ_ONCE(fpr_engine.served.order));
	return dev ? max(order, dev->min_order) : order;
}

/* Smallest piece that the present device can discard, as an order. */
unsigned int fpr_piece_order(void)
{
	const struct fpr_device *dev = READ_ONCE(fpr_engine.dev);

	return dev ? dev->min_order : 0;
}

/**
 * fpr_cold_run() - how much must be free in one run of a block that is cold
 *
 * Context: any.
 * Return: base pages; 0: what is free in pieces is not reported.
 */
unsigned long fpr_cold_run(void)
{
	unsigned int floor = max(fpr_param(FPR_FLOOR_ORDER), fpr_piece_order());

	return floor < fpr_effective_order() ? 1UL << floor : 0;
}

const char *fpr_pressure_name(void)
{
	return policy()->name;
}

void fpr_set_pressure(struct fpr_device *fdev, enum fpr_pressure pressure)
{
	struct fpr_engine *e = &fpr_engine;
	bool changed;

	if (pressure < 0 || pressure >= FPR_NR_PRESSURES)
		pressure = FPR_PRESSURE_CRITICAL;
	mutex_lock(&e->lock);
	changed = e->dev == fdev && e->pressure != pressure;
	if (changed)
		WRITE_ONCE(e->pressure, pressure);
	mutex_unlock(&e->lock);
	if (changed)
		fpr_engine_params_changed();
}
EXPORT_SYMBOL_GPL(fpr_set_pressure);

/* Add a request to those that wait; engine mutex held. */
static void want(u32 number, unsigned int order, unsigned long from)
{
	struct fpr_request *wanted = &fpr_engine.wanted;

	wanted->order = wanted->pending ? min(wanted->order, order) : order;
	wanted->from = wanted->pending ? min(wanted->from, from) : from;
	wanted->number = number;
	wanted->pending = true;
}

void fpr_request_all(struct fpr_device *fdev, u32 number, unsigned int order)
{
	struct fpr_engine *e = &fpr_engine;

	mutex_lock(&e->lock);
	if (e->dev == fdev) {
		want(number, order, fpr_stats.reported_pages);
		e->wanted.fresh = true;
		fpr_engine_kick();
	}
	mutex_unlock(&e->lock);
}
EXPORT_SYMBOL_GPL(fpr_request_all);

/**
 * fpr_request_begin() - whether the run that begins has a request to serve
 * @now: ms clock
 * @backing_off: reports have failed: only a request that was not tried yet is
 *
 * The pass for it is like that of a flush, down to the order of the request.
 * Context: worker, engine mutex held.
 */
bool fpr_request_begin(u32 now, bool backing_off)
{
	struct fpr_engine *e = &fpr_engine;

	if (!e->wanted.pending || (backing_off && !e->wanted.fresh))
		return false;
	e->served.number = e->wanted.number;
	e->served.order = e->wanted.order;
	e->served.from = e->wanted.from;
	/* Read without a lock where the order is shown. */
	WRITE_ONCE(e->served.pending, true);
	e->wanted.pending = false;
	e->wanted.fresh = false;
	return true;
}

/**
 * fpr_request_end() - the pass for a request is over
 * @done: all was reported; else it is served again by a later run
 *
 * Context: worker, engine mutex held; it is dropped while the device is told.
 */
void fpr_request_end(bool done)
{
	struct fpr_engine *e = &fpr_engine;
	u64 pages = fpr_stats.reported_pages - e->served.from;

	WRITE_ONCE(e->served.pending, false);
	if (!done) {
		/* One that came meanwhile is the later one. */
		want(e->wanted.pending ? e->wanted.number : e->served.number,
		     e->served.order, e->served.from);
		return;
	}
	fpr_stat_add(&fpr_stats.requests, 1);
	if (!e->dev->ops->all_reported)
		return;
	mutex_unlock(&e->lock);
	e->dev->ops->all_reported(e->dev, e->served.number, pages << PAGE_SHIFT);
	mutex_lock(&e->lock);
}

/* The device is gone, and with it what its host wanted; engine mutex held. */
void fpr_host_forget(void)
{
	struct fpr_engine *e = &fpr_engine;

	WRITE_ONCE(e->pressure, FPR_PRESSURE_UNKNOWN);
	e->wanted.pending = false;
	e->wanted.fresh = false;
	WRITE_ONCE(e->served.pending, false);
	e->hint.pending = false;
}
