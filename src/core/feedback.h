/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Feedback: how much memory is needed again soon after it was reported, and so is
 * better kept.
 *
 * Counted in blocks, not block by block: the allocator takes other blocks each time,
 * since those reported go to the end of its lists.  What is freed again is set against
 * the latest reports, for had those blocks not been reported, they would have been
 * taken; but against no more of a report than was allocated since, for what was in use
 * by then is not needed again, only freed: the rest of a large file that is deleted, say.
 * Blocks that make this round FPR_REUSE_ROUNDS times, each within FPR_REUSE_MS,
 * have shown their period: as many are kept from then on, until they have stayed free
 * for FPR_REUSE_FACTOR times as long.  What is given beside them and needed again with that
 * period, or a shorter one, is taken for the rest of them, and kept from then on as well.
 *
 *	freed ─► due ─► reported ─► needed, and freed again: one round more
 *	          │
 *	          └─ kept, up to the reserve ─► needed again: it was right to keep it
 *	                                   └──► not needed: reported, the reserve is less
 *
 * Pure data structure, compiled into the userspace unit tests as it is.
 * Locking: the engine's mutex.
 */
#ifndef _FPR_FEEDBACK_H
#define _FPR_FEEDBACK_H

#include <linux/types.h>

/* What is needed again later than this after it was freed is no loss. */
#define FPR_REUSE_MS		30000
/* So often in a row makes a habit. */
#define FPR_REUSE_ROUNDS	3
/* Kept for so many of the periods seen. */
#define FPR_REUSE_FACTOR	2
/* A reserve nobody took from for so many times as long is forgotten. */
#define FPR_REUSE_FORGET	4
/* Reports remembered. */
#define FPR_FEEDBACK_DEPTH	16

/**
 * struct fpr_given - a number of blocks that were reported together
 * @freed: when they had been freed, ms clock
 * @blocks: how many of them were not freed again yet
 * @rounds: how often as many have been reported and freed again before
 * @allocated: what had been allocated by then, and so much more as has been set against
 *	it or another report
 */
struct fpr_given {
	u32 freed;
	unsigned long blocks;
	unsigned int rounds;
	unsigned long allocated;
};

/**
 * struct fpr_feedback - what is known of the reuse of memory
 * @given: the latest reports, in order
 * @nr: how many
 * @back: blocks that have made so many rounds and are not reported again yet
 * @reserve: blocks worth keeping
 * @keep_ms: for how long
 * @since: when memory was last needed again, ms clock
 * @allocated: blocks' worth of pages that were allocated so far; for the caller to set
 *	before what was given or freed again is told
 */
struct fpr_feedback {
	struct fpr_given given[FPR_FEEDBACK_DEPTH];
	unsigned int nr;
	unsigned long back[FPR_REUSE_ROUNDS];
	unsigned long reserve;
	u32 keep_ms;
	u32 since;
	unsigned long allocated;
};

void fpr_feedback_given(struct fpr_feedback *fb, u32 now, u32 freed,
			unsigned long blocks);
void fpr_feedback_again(struct fpr_feedback *fb, u32 now, unsigned long blocks);
void fpr_feedback_saved(struct fpr_feedback *fb, u32 now);
void fpr_feedback_unused(struct fpr_feedback *fb, unsigned long blocks);
unsigned long fpr_feedback_reserve(struct fpr_feedback *fb, u32 now);

#endif /* _FPR_FEEDBACK_H */
