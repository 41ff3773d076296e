// SPDX-License-Identifier: GPL-2.0
/* How much memory is worth keeping; see feedback.h. */
#include <linux/minmax.h>
#include <linux/string.h>

#include "feedback.h"

static void push(struct fpr_feedback *fb, u32 freed, unsigned long blocks,
		 unsigned int rounds)
{
	unsigned int i = fb->nr;

	if (!blocks)
		return;
	/* One burst of frees is reported in several batches. */
	if (i && fb->given[i - 1].rounds == rounds &&
	    freed - fb->given[i - 1].freed < FPR_REUSE_MS / 100) {
		fb->given[i - 1].blocks += blocks;
		return;
	}
	if (i == FPR_FEEDBACK_DEPTH)
		memmove(fb->given, fb->given + 1, --i * sizeof(*fb->given));
	fb->given[i].freed = freed;
	fb->given[i].blocks = blocks;
	fb->given[i].rounds = rounds;
	fb->given[i].allocated = fb->allocated;
	fb->nr = i + 1;
}

/* Forget @n of what was given, from index @at on. */
static void drop(struct fpr_feedback *fb, unsigned int at, unsigned int n)
{
	fb->nr -= n;
	memmove(fb->given + at, fb->given + at + n, (fb->nr - at) * sizeof(*fb->given));
}

/* Blocks that were allocated since @given, and are set against nothing yet.  The count
 * may step back by a little.
 */
static unsigned long allocated_since(const struct fpr_feedback *fb,
				     const struct fpr_given *given)
{
	return max(0L, (long)(fb->allocated - given->allocated));
}

/* @n blocks that were allocated are set against what was given. */
static void spend(struct fpr_feedback *fb, unsigned long n)
{
	struct fpr_given *given;

	for (given = fb->given; given < fb->given + fb->nr; given++)
		given->allocated += min(n, allocated_since(fb, given));
}

/* @n blocks of what was given have been needed again. */
static void make_round(struct fpr_feedback *fb, u32 now, const struct fpr_given *given,
		       unsigned long n)
{
	u32 keep_ms = FPR_REUSE_FACTOR * (now - given->freed);

	/* The rest of a habit: had so much more been kept, it would not have been given. */
	if (fb->reserve && keep_ms <= fb->keep_ms + fb->keep_ms / 4) {
		fb->reserve += n;
	} else if (given->rounds + 1 < FPR_REUSE_ROUNDS) {
		fb->back[given->rounds + 1] += n;
	} else {
		fb->reserve += n;
		fb->keep_ms = max(fb->keep_ms, keep_ms);
	}
	fb->since = now;
}

/**
 * fpr_feedback_given() - blocks were reported because they had aged
 * @fb: what is known
 * @now: ms clock
 * @freed: when they were freed
 * @blocks: how many
 *
 * Not what is reported at the start or on demand: that says nothing of a habit.
 * Context: engine mutex held.
 */
void fpr_feedback_given(struct fpr_feedback *fb, u32 now, u32 freed,
			unsigned long blocks)
{
	unsigned int rounds = FPR_REUSE_ROUNDS;

	if (now - fb->since > FPR_REUSE_MS)
		memset(fb->back, 0, sizeof(fb->back));
	while (--rounds) {
		unsigned long n = min(blocks, fb->back[rounds]);

		fb->back[rounds] -= n;
		blocks -= n;
		push(fb, freed, n, rounds);
	}
	push(fb, freed, blocks, 0);
}

/**
 * fpr_feedback_again() - blocks that had been reported were freed once more
 * @fb: what is known
 * @now: ms clock
 * @blocks: how many
 *
 * Context: engine mutex held.
 */
void fpr_feedback_again(struct fpr_feedback *fb, u32 now, unsigned long blocks)
{
	unsigned int i = fb->nr;

	while (blocks && i--) {
		struct fpr_given *given = &fb->given[i];
		unsigned long n = min3(blocks, given->blocks,
				       allocated_since(fb, given));

		/* So are those below it. */
		if (now - given->freed > FPR_REUSE_MS) {
			drop(fb, 0, i + 1);
			return;
		}
		if (!n)
			continue;
		make_round(fb, now, given, n);
		spend(fb, n);
		blocks -= n;
		given->blocks -= n;
		if (!given->blocks)
			drop(fb, i, 1);
	}
}

/**
 * fpr_feedback_saved() - blocks were needed again that had been kept
 * @fb: what is known
 * @now: ms clock
 *
 * Context: engine mutex held.
 */
void fpr_feedback_saved(struct fpr_feedback *fb, u32 now)
{
	fb->since = now;
}

/**
 * fpr_feedback_unused() - blocks were kept for nothing
 * @fb: what is known
 * @blocks: how many
 *
 * Context: engine mutex held.
 */
void fpr_feedback_unused(struct fpr_feedback *fb, unsigned long blocks)
{
	fb->reserve -= min(blocks, fb->reserve);
	if (!fb->reserve)
		fb->keep_ms = 0;
}

/**
 * fpr_feedback_reserve() - how much is worth keeping now
 * @fb: what is known
 * @now: ms clock
 *
 * Context: engine mutex held.
 * Return: blocks, each for @fb->keep_ms after it was freed.
 */
unsigned long fpr_feedback_reserve(struct fpr_feedback *fb, u32 now)
{
	if (now - fb->since > FPR_REUSE_FORGET * fb->keep_ms)
		fpr_feedback_unused(fb, fb->reserve);
	return fb->reserve;
}
