// SPDX-License-Identifier: GPL-2.0
/*
 * Blocks that are old enough and yet kept: as many as were needed again soon before
 * (feedback.h), and as many as the operator wants to have at hand (reserve_kb).
 */
#include <linux/minmax.h>

#include "../compat/stats.h"
#include "engine.h"
#include "params.h"
#include "stats.h"

/* How often what is kept for the operator is looked at: whether it is still free. */
#define RESERVE_LOOK_MS		60000

/* As many as the operator wants, blocks. */
static unsigned long wanted_blocks(void)
{
	return DIV_ROUND_UP(fpr_reserve_kb(), fpr_blocks_kb(1));
}

/* Blocks' worth of pages allocated since the machine was started. */
static unsigned long allocated_blocks(void)
{
	return fpr_allocated_pages() >> FPR_BLOCK_ORDER;
}

/**
 * fpr_keep_harvested() - learn from what was freed
 * @h: a harvest
 *
 * Context: worker, engine mutex held.
 */
void fpr_keep_harvested(const struct fpr_harvest *h)
{
	struct fpr_feedback *fb = &fpr_engine.feedback;

	if (h->again) {
		fb->allocated = allocated_blocks();
		fpr_feedback_again(fb, h->now, h->again);
	}
	if (h->saved)
		fpr_feedback_saved(fb, h->now);
	fpr_stat_add(&fpr_stats.saved_blocks, h->saved);
}

/**
 * fpr_keep_block() - whether a block that is due is kept instead of reported
 * @block: a block that is due
 * @now: ms clock
 *
 * Context: worker, engine mutex held.
 * Return: true if it waits for another time now.
 */
bool fpr_keep_block(unsigned long block, u32 now)
{
	struct fpr_engine *e = &fpr_engine;
	unsigned long wanted = wanted_blocks();
	u8 tries = e->map.tries[block];
	u32 ms = 0;

	if (tries == FPR_KEPT_LOOK) {
		/* Kept for as long as it may be needed, and now for the operator. */
		if (e->map.nr_kept <= wanted)
			ms = RESERVE_LOOK_MS;
	} else if (tries < FPR_MAX_TRIES) {
		if (e->map.nr_kept < wanted)
			ms = RESERVE_LOOK_MS;
		else if (e->map.nr_kept < fpr_reserve_blocks(now))
			ms = max(e->feedback.keep_ms, fpr_delay_ms()) - fpr_delay_ms();
	}
	if (!ms || !fpr_memory_whole(block))
		return false;
	fpr_blockmap_activate(&e->map, block, now + ms, FPR_KEPT_LOOK);
	return true;
}

/**
 * fpr_keep_finished() - a block that was due is being reported
 * @block: the block
 *
 * Context: worker, engine mutex held; before the block is held.
 */
void fpr_keep_finished(unsigned long block)
{
	struct fpr_engine *e = &fpr_engine;
	u8 tries = e->map.tries[block];

	if (!test_bit(block, e->map.active))
		return;
	if (tries == FPR_KEPT_LOOK)
		fpr_feedback_unused(&e->feedback, 1);
	else if (tries < FPR_MAX_TRIES)
		e->aged++;
}

/**
 * fpr_keep_reported() - what was finished has been reported, or could not be
 * @now: ms clock
 * @aged: since it was old enough, and not on demand
 *
 * Context: worker, engine mutex held.
 */
void fpr_keep_reported(u32 now, bool aged)
{
	struct fpr_engine *e = &fpr_engine;

	if (aged && e->aged) {
		e->feedback.allocated = allocated_blocks();
		fpr_feedback_given(&e->feedback, now, now - fpr_delay_ms(), e->aged);
	}
	e->aged = 0;
}
