// SPDX-License-Identifier: GPL-2.0
/* The block map: blocks that are looked at once more when they are cold, or kept. */
#include "test.h"

#include "map.h"

static void a_cold_block_gets_one_look_in_its_own_time(void **state)
{
	struct fpr_blockmap *map = *state;

	/* Looked at after the delay, not wholly free: it cools. */
	fpr_mark(map->marks, 3);
	harvest(map, 0);
	fpr_blockmap_activate(map, 3, 2000, FPR_COLD_LOOK);
	assert_int_equal(map->nr_active, 1);
	assert_int_equal(first_due(map, 1999), BLOCKS);
	/* It waits for nothing that a drain could bring. */
	assert_int_equal(fpr_blockmap_next_aged(map, 0, 1999), BLOCKS);
	assert_int_equal(first_due(map, 2000), 3);
	fpr_blockmap_retry(map, 3, 2000, DELAY);
	assert_int_equal(map->nr_active, 0);
}

static void a_free_makes_a_cold_block_begin_anew(void **state)
{
	struct fpr_blockmap *map = *state;

	fpr_blockmap_activate(map, 3, 2000, FPR_COLD_LOOK);
	fpr_mark(map->marks, 3);
	harvest(map, 1900);
	assert_int_equal(map->tries[3], 0);
	assert_int_equal(first_due(map, 1900 + DELAY - 1), BLOCKS);
	assert_int_equal(first_due(map, 1900 + DELAY), 3);
}

static void a_block_of_which_a_part_was_reported_cools(void **state)
{
	struct fpr_blockmap *map = *state;

	fpr_mark(map->marks, 3);
	harvest(map, 0);
	fpr_blockmap_hold(map, 3);
	fpr_blockmap_activate(map, 3, 2000, FPR_COLD_LOOK);
	assert_int_equal(fpr_blockmap_release(map, 3, 3, true, 900), 1);
	assert_false(test_bit(3, map->visited));
	assert_int_equal(map->tries[3], FPR_COLD_LOOK);
	assert_int_equal(first_due(map, 2000), 3);
	/* Its pieces are reported: that is all. */
	fpr_blockmap_hold(map, 3);
	fpr_blockmap_release(map, 3, 3, true, 2000);
	assert_true(test_bit(3, map->visited));
	assert_int_equal(map->nr_active, 0);
	/* A report that failed begins with whole blocks again. */
	fpr_blockmap_activate(map, 3, 2000, FPR_COLD_LOOK);
	fpr_blockmap_hold(map, 3);
	fpr_blockmap_release(map, 3, 3, false, 2000);
	assert_int_equal(map->tries[3], 0);
}

/* @block is reported at @now, so many pages of it. */
static void give(struct fpr_blockmap *map, unsigned long block, u16 pages, u32 now)
{
	fpr_blockmap_hold(map, block);
	map->given[block] = pages;
	fpr_blockmap_release(map, block, block, true, now);
}

/* How long @block has to be left alone until it is cold, when it is freed into. */
static u32 cold_after_free(struct fpr_blockmap *map, unsigned long block, u32 now)
{
	fpr_mark(map->marks, block);
	harvest(map, now);
	return COLD << map->calm[block];
}

static void a_free_now_and_then_is_waited_for(void **state)
{
	struct fpr_blockmap *map = *state;
	u32 ms;

	/* However long between two of them, it is reported once more at the most. */
	for (ms = 10; ms < 120000; ms = ms * 3 / 2) {
		u32 wait;

		map->calm[3] = 0;
		give(map, 3, 16, 0);
		wait = cold_after_free(map, 3, ms);
		assert_true(wait > ms + COLD);
		assert_true(wait <= 4 * (ms + COLD));
		/* Nothing is reported meanwhile: that changes nothing. */
		assert_int_equal(cold_after_free(map, 3, 2 * ms), wait);
	}
}

static void a_free_once_in_a_long_time_is_not(void **state)
{
	struct fpr_blockmap *map = *state;

	give(map, 3, 16, 0);
	assert_int_equal(cold_after_free(map, 3, (COLD << FPR_MAX_CALM) / 2 + 1), COLD);
}

static void longest_wait_has_an_end(void **state)
{
	struct fpr_blockmap *map = *state;

	map->calm[3] = FPR_MAX_CALM;
	give(map, 3, 16, 0);
	assert_int_equal(cold_after_free(map, 3, 1), COLD);
}

static void a_whole_block_has_nothing_to_wait_for(void **state)
{
	struct fpr_blockmap *map = *state;

	give(map, 3, 16, 0);
	assert_true(cold_after_free(map, 3, 10) > COLD);
	give(map, 3, WHOLE, 900);
	assert_int_equal(cold_after_free(map, 3, 1000), COLD);
}

static void only_whole_blocks_come_again(void **state)
{
	struct fpr_blockmap *map = *state;
	struct fpr_harvest h;

	give(map, 3, 16, 0);
	give(map, 4, WHOLE, 0);
	give(map, 5, WHOLE, 0);
	fpr_mark(map->marks, 3);
	fpr_mark(map->marks, 5);
	fpr_mark(map->marks, 6);
	h = harvested(map, FPR_RECYCLE_MS);
	assert_int_equal(h.marks, 3);
	assert_int_equal(h.again, 1);
	assert_int_equal(h.recycled, 0);
	assert_int_equal(h.saved, 0);
}

static void a_kept_block_waits_and_is_saved_by_a_free(void **state)
{
	struct fpr_blockmap *map = *state;
	struct fpr_harvest h;

	fpr_blockmap_activate(map, 3, 5000, FPR_KEPT_LOOK);
	fpr_blockmap_activate(map, 4, 5000, FPR_KEPT_LOOK);
	fpr_blockmap_activate(map, 4, 5000, FPR_KEPT_LOOK);
	assert_int_equal(map->nr_kept, 2);
	assert_int_equal(map->nr_active, 2);
	assert_int_equal(first_due(map, 4999), BLOCKS);
	assert_int_equal(fpr_blockmap_next_aged(map, 0, 4999), BLOCKS);
	fpr_mark(map->marks, 3);
	h = harvested(map, 4999);
	assert_int_equal(h.saved, 1);
	assert_int_equal(h.again, 0);
	assert_int_equal(map->nr_kept, 1);
	assert_int_equal(first_due(map, 5000), 4);
}

static void kept_blocks_are_counted_to_the_last(void **state)
{
	struct fpr_blockmap *map = *state;
	unsigned long block;

	for (block = 0; block < 6; block++)
		fpr_blockmap_activate(map, block, 5000, FPR_KEPT_LOOK);
	fpr_blockmap_hold(map, 0);
	fpr_blockmap_drop(map, 1);
	fpr_blockmap_retry(map, 2, 5000, DELAY);
	fpr_blockmap_set_present(map, 3, 1, false);
	assert_int_equal(map->nr_kept, 2);
	fpr_blockmap_activate(map, 4, 5000, 0);
	assert_int_equal(map->nr_kept, 1);
	fpr_blockmap_forget(map);
	assert_int_equal(map->nr_kept, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_cold_block_gets_one_look_in_its_own_time),
		T(a_free_makes_a_cold_block_begin_anew),
		T(a_block_of_which_a_part_was_reported_cools),
		T(a_free_now_and_then_is_waited_for),
		T(a_free_once_in_a_long_time_is_not),
		T(longest_wait_has_an_end),
		T(a_whole_block_has_nothing_to_wait_for),
		T(only_whole_blocks_come_again),
		T(a_kept_block_waits_and_is_saved_by_a_free),
		T(kept_blocks_are_counted_to_the_last),
	};

	return cmocka_run_group_tests_name("cold", tests, NULL, NULL);
}
