/* SPDX-License-Identifier: GPL-2.0 */
/* A block map for a test: all of its memory is online, nothing is known of it. */
#ifndef _UNIT_MAP_H
#define _UNIT_MAP_H

#include "../../src/core/blockmap.h"

#define BLOCKS	200UL
#define DELAY	800
#define COLD	2000
#define WHOLE	512

int shim_alloc_budget = -1;

static unsigned long gave_way;

void cond_resched_tasks_rcu_qs(void)
{
	gave_way++;
}

static int setup(void **state)
{
	struct fpr_blockmap *map = malloc(sizeof(*map));

	shim_alloc_budget = -1;
	assert_int_equal(fpr_blockmap_init(map, BLOCKS), 0);
	fpr_blockmap_set_present(map, 0, BLOCKS, true);
	*state = map;
	return 0;
}

static int teardown(void **state)
{
	fpr_blockmap_destroy(*state);
	free(*state);
	return 0;
}

static struct fpr_harvest harvested(struct fpr_blockmap *map, u32 now)
{
	struct fpr_harvest h = {
		.now = now,
		.delay_ms = DELAY,
		.cold_ms = COLD,
		.whole = WHOLE,
	};

	fpr_blockmap_harvest(map, &h);
	return h;
}

static inline unsigned long harvest(struct fpr_blockmap *map, u32 now)
{
	return harvested(map, now).recycled;
}

static inline unsigned long first_due(struct fpr_blockmap *map, u32 now)
{
	return fpr_blockmap_next_due(map, 0, now, false);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
