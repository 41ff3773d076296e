// SPDX-License-Identifier: GPL-2.0
/* The block map: every transition, and random walks against a naive model. */
#include "test.h"

#include "map.h"
#include <linux/errno.h>
#include <linux/slab.h>

static void mark_is_idempotent_and_bounded(void **state)
{
	struct fpr_blockmap *map = *state;

	assert_false(fpr_marked(map->marks, 7));
	assert_true(fpr_mark(map->marks, 7));
	assert_false(fpr_mark(map->marks, 7));
	assert_true(fpr_marked(map->marks, 7));
	/* Beyond the map there are marks to share, and no block to look at. */
	assert_true(fpr_mark(map->marks, ~0UL));
	assert_true(fpr_marked(map->marks, ~0UL));
	fpr_mark(map->marks, BLOCKS);
	harvest(map, 0);
	assert_int_equal(map->nr_active, 1);
	fpr_mark(map->marks, 7);
}

static void a_freed_block_is_due_after_the_delay_not_before(void **state)
{
	struct fpr_blockmap *map = *state;

	fpr_mark(map->marks, 5);
	harvest(map, 1000);
	assert_false(fpr_marked(map->marks, 5));
	assert_int_equal(map->nr_active, 1);
	assert_int_equal(first_due(map, 1000 + DELAY - 1), BLOCKS);
	assert_int_equal(first_due(map, 1000 + DELAY), 5);
}

static void a_further_free_starts_the_delay_over(void **state)
{
	struct fpr_blockmap *map = *state;
	u32 now;

	/* Churn with a period below the delay is never due. */
	for (now = 0; now < 20 * DELAY; now += DELAY - 1) {
		assert_int_equal(first_due(map, now), BLOCKS);
		fpr_mark(map->marks, 9);
		harvest(map, now);
	}
	assert_int_equal(map->nr_active, 1);
}

static void the_clock_may_wrap(void **state)
{
	struct fpr_blockmap *map = *state;
	u32 now = (u32)-100;

	fpr_mark(map->marks, 3);
	harvest(map, now);
	assert_int_equal(first_due(map, now + DELAY - 1), BLOCKS);
	assert_int_equal(first_due(map, now + DELAY), 3);
}

static void any_age_takes_young_blocks_too(void **state)
{
	struct fpr_blockmap *map = *state;

	fpr_mark(map->marks, 3);
	harvest(map, 0);
	assert_int_equal(fpr_blockmap_next_due(map, 0, 0, true), 3);
	assert_int_equal(fpr_blockmap_next_due(map, 4, 0, true), BLOCKS);
}

static void held_acknowledged_becomes_visited(void **state)
{
	struct fpr_blockmap *map = *state;

	fpr_mark(map->marks, 4);
	harvest(map, 0);
	fpr_blockmap_hold(map, 4);
	assert_int_equal(map->nr_active, 0);
	assert_int_equal(fpr_blockmap_release(map, 0, BLOCKS - 1, true, 50), 1);
	assert_true(test_bit(4, map->visited));
	assert_false(test_bit(4, map->held));
	assert_int_equal(first_due(map, 100000), BLOCKS);
}

static void held_failed_becomes_a_candidate_again(void **state)
{
	struct fpr_blockmap *map = *state;

	fpr_mark(map->marks, 4);
	harvest(map, 0);
	fpr_blockmap_hold(map, 4);
	assert_int_equal(fpr_blockmap_release(map, 4, 4, false, 900), 1);
	assert_false(test_bit(4, map->visited));
	assert_int_equal(first_due(map, 900), 4);
}

static void a_free_while_held_is_not_lost(void **state)
{
	struct fpr_blockmap *map = *state;

	fpr_mark(map->marks, 4);
	harvest(map, 0);
	fpr_blockmap_hold(map, 4);
	fpr_mark(map->marks, 4);
	harvest(map, 900);
	fpr_blockmap_release(map, 4, 4, true, 950);
	assert_false(test_bit(4, map->visited));
	assert_int_equal(first_due(map, 900 + DELAY), 4);
}

static void releasing_no_range_does_nothing(void **state)
{
	struct fpr_blockmap *map = *state;

	fpr_blockmap_hold(map, 0);
	assert_int_equal(fpr_blockmap_release(map, ~0UL, 0, true, 0), 0);
	assert_true(test_bit(0, map->held));
	fpr_blockmap_release(map, 0, ~0UL - 1, true, 0);
	assert_false(test_bit(0, map->held));
}

static void recycled_counts_only_what_comes_back_soon(void **state)
{
	struct fpr_blockmap *map = *state;

	fpr_blockmap_hold(map, 1);
	fpr_blockmap_hold(map, 2);
	fpr_blockmap_release(map, 1, 2, true, 0);
	fpr_mark(map->marks, 1);
	assert_int_equal(harvest(map, FPR_RECYCLE_MS - 1), 1);
	fpr_mark(map->marks, 2);
	assert_int_equal(harvest(map, FPR_RECYCLE_MS), 0);
	/* It is counted once, not with every further free. */
	fpr_mark(map->marks, 1);
	assert_int_equal(harvest(map, FPR_RECYCLE_MS), 0);
}

static void looks_become_rarer_and_end(void **state)
{
	struct fpr_blockmap *map = *state;
	u32 now = DELAY, last = 0;
	int looks;

	fpr_mark(map->marks, 8);
	harvest(map, 0);
	for (looks = 0; map->nr_active; looks++) {
		assert_int_equal(first_due(map, now - 1), BLOCKS);
		assert_int_equal(first_due(map, now), 8);
		fpr_blockmap_retry(map, 8, now, DELAY);
		if (map->nr_active) {
			assert_true(map->stamp[8] - now > last);
			last = map->stamp[8] - now;
			now = map->stamp[8];
		}
	}
	assert_int_equal(looks, FPR_MAX_TRIES);
	/* Not for ever: the next free begins anew. */
	fpr_mark(map->marks, 8);
	harvest(map, now);
	assert_int_equal(map->tries[8], 0);
	assert_int_equal(map->nr_active, 1);
}

static void one_look_is_one_look(void **state)
{
	struct fpr_blockmap *map = *state;

	fpr_blockmap_activate_all(map, 10);
	assert_int_equal(map->nr_active, BLOCKS);
	assert_int_equal(first_due(map, 9), BLOCKS);
	assert_int_equal(first_due(map, 10), 0);
	fpr_blockmap_retry(map, 0, 10, DELAY);
	assert_int_equal(map->nr_active, BLOCKS - 1);
	assert_int_equal(first_due(map, 10), 1);
}

static void aged_blocks_are_those_looked_at_before(void **state)
{
	struct fpr_blockmap *map = *state;

	fpr_mark(map->marks, 3);
	harvest(map, 0);
	fpr_blockmap_activate(map, 4, 99999, FPR_ONE_LOOK);
	assert_int_equal(fpr_blockmap_next_aged(map, 0, DELAY - 1), BLOCKS);
	assert_int_equal(fpr_blockmap_next_aged(map, 0, DELAY), 3);
	fpr_blockmap_retry(map, 3, DELAY, DELAY);
	assert_int_equal(first_due(map, DELAY), BLOCKS);
	assert_int_equal(fpr_blockmap_next_aged(map, 0, DELAY), 3);
	assert_int_equal(fpr_blockmap_next_aged(map, 4, DELAY), BLOCKS);
}

static void quiet_means_nothing_is_ageing(void **state)
{
	struct fpr_blockmap *map = *state;

	assert_true(fpr_blockmap_quiet(map, 6, 2, 0));
	fpr_mark(map->marks, 7);
	harvest(map, 0);
	assert_false(fpr_blockmap_quiet(map, 6, 2, DELAY - 1));
	assert_true(fpr_blockmap_quiet(map, 6, 2, DELAY));
	assert_true(fpr_blockmap_quiet(map, BLOCKS - 1, 2, 0));
	fpr_blockmap_set_present(map, 6, 1, false);
	assert_false(fpr_blockmap_quiet(map, 6, 2, DELAY));
}

static void deferring_waits_for_the_neighbour(void **state)
{
	struct fpr_blockmap *map = *state;

	fpr_mark(map->marks, 6);
	harvest(map, 0);
	fpr_mark(map->marks, 7);
	harvest(map, 100);
	assert_true(fpr_blockmap_defer(map, 6, 6, 2));
	assert_int_equal(map->stamp[6], 100 + DELAY);
	assert_int_equal(map->stamp[7], 100 + DELAY);
	assert_false(fpr_blockmap_defer(map, 7, 6, 2));
	assert_int_equal(map->stamp[7], 100 + DELAY);
	assert_int_equal(map->tries[6], 0);
	/* A neighbour that is due sooner changes nothing. */
	map->stamp[7] = 50;
	assert_false(fpr_blockmap_defer(map, 6, 6, 2));
	assert_int_equal(map->stamp[6], 100 + DELAY);
}

static void counting_tells_the_oldest_and_the_next(void **state)
{
	struct fpr_blockmap *map = *state;
	u32 oldest = 0, next = 0;

	assert_int_equal(fpr_blockmap_count_due(map, 0, &oldest, &next), 0);
	fpr_mark(map->marks, 9);
	harvest(map, 200);
	fpr_mark(map->marks, 1);
	harvest(map, 300);
	fpr_mark(map->marks, 5);
	harvest(map, 400);
	assert_int_equal(fpr_blockmap_count_due(map, 300 + DELAY, &oldest,
						&next), 2);
	assert_int_equal(oldest, 200 + DELAY);
	assert_int_equal(next, 400 + DELAY);

	/* In whatever order of addresses they come. */
	fpr_mark(map->marks, 2);
	harvest(map, 250);
	fpr_mark(map->marks, 6);
	harvest(map, 350);
	assert_int_equal(fpr_blockmap_count_due(map, 0, &oldest, &next), 0);
	assert_int_equal(next, 200 + DELAY);
	assert_int_equal(fpr_blockmap_count_due(map, 500 + DELAY, &oldest,
						&next), 5);
	assert_int_equal(oldest, 200 + DELAY);
	assert_int_equal(fpr_blockmap_count_due(map, 320 + DELAY, &oldest,
						&next), 3);
	assert_int_equal(next, 350 + DELAY);
}

static void absent_memory_is_never_looked_at(void **state)
{
	struct fpr_blockmap *map = *state;

	fpr_mark(map->marks, 10);
	fpr_mark(map->marks, 11);
	harvest(map, 0);
	fpr_blockmap_hold(map, 11);
	fpr_blockmap_set_present(map, 10, 2, false);
	assert_int_equal(map->nr_active, 0);
	/* Marks of the last moment are dropped. */
	fpr_mark(map->marks, 10);
	harvest(map, 10);
	assert_int_equal(map->nr_active, 0);
	fpr_blockmap_activate(map, 10, 10, 0);
	assert_int_equal(map->nr_active, 0);
	assert_false(test_bit(10, map->active));
	/* What was with the device comes back, and is not "reported". */
	assert_int_equal(fpr_blockmap_release(map, 11, 11, true, 20), 1);
	assert_false(test_bit(11, map->visited));
	assert_false(test_bit(11, map->held));
	fpr_blockmap_set_present(map, BLOCKS - 1, 10, false);
}

static void a_shorter_delay_holds_for_what_waits(void **state)
{
	struct fpr_blockmap *map = *state;

	fpr_mark(map->marks, 1);
	harvest(map, 0);
	fpr_mark(map->marks, 2);
	harvest(map, 400);
	fpr_blockmap_activate(map, 3, 2000, FPR_COLD_LOOK);
	fpr_blockmap_activate(map, 4, 5000, FPR_COLD_LOOK);
	fpr_blockmap_activate(map, 5, 5000, FPR_KEPT_LOOK);
	fpr_blockmap_cap_due(map, 1000, 3000);
	assert_int_equal(map->stamp[1], DELAY);
	assert_int_equal(map->stamp[2], 1000);
	assert_int_equal(map->stamp[3], 2000);
	assert_int_equal(map->stamp[4], 3000);
	assert_int_equal(map->stamp[5], 3000);
}

static void forgetting_leaves_what_is_present(void **state)
{
	struct fpr_blockmap *map = *state;

	fpr_blockmap_activate_all(map, 0);
	fpr_blockmap_hold(map, 1);
	fpr_blockmap_release(map, 1, 1, true, 0);
	fpr_blockmap_forget(map);
	assert_int_equal(map->nr_active, 0);
	assert_false(test_bit(1, map->visited));
	assert_true(test_bit(1, map->present));
}

static void grow(struct fpr_blockmap *map, unsigned long nblocks)
{
	struct fpr_blockmap room;

	assert_int_equal(fpr_blockmap_init(&room, nblocks), 0);
	fpr_blockmap_grow(map, &room);
	fpr_blockmap_destroy(&room);
	assert_int_equal(map->nblocks, nblocks);
}

static void growing_keeps_everything(void **state)
{
	struct fpr_blockmap *map = *state;

	fpr_mark(map->marks, 2);
	harvest(map, 0);
	fpr_blockmap_hold(map, 3);
	fpr_blockmap_release(map, 3, 3, true, 7);
	map->given[3] = 512;
	map->calm[3] = 4;
	map->unused[3] = 300;
	grow(map, 2 * BLOCKS);

	assert_int_equal(map->nr_active, 1);
	assert_int_equal(first_due(map, DELAY), 2);
	assert_true(test_bit(3, map->visited));
	assert_int_equal(map->stamp[3], 7);
	assert_int_equal(map->given[3], 512);
	assert_int_equal(map->calm[3], 4);
	assert_int_equal(map->unused[3], 300);
	assert_true(test_bit(BLOCKS - 1, map->present));
	assert_false(test_bit(BLOCKS, map->present));
}

static void marks_grow_with_the_map(void **state)
{
	struct fpr_blockmap *map = *state;
	struct fpr_marks *before = map->marks;
	unsigned long marks = before->mask + 1;

	assert_true(marks >= 2 * BLOCKS);
	grow(map, 3 * marks);
	fpr_blockmap_set_present(map, 0, 3 * marks, true);
	fpr_mark(map->marks, 2 * marks + 5);
	harvest(map, 0);
	assert_int_equal(map->nr_active, 1);
	assert_int_equal(first_due(map, DELAY), 2 * marks + 5);
}

/* A hook that began before goes on with the marks that it has. */
static void marks_from_before_are_harvested(void **state)
{
	struct fpr_blockmap *map = *state;
	struct fpr_marks *before = map->marks;
	unsigned long marks = before->mask + 1;

	fpr_mark(before, 4);
	grow(map, 2 * marks);
	grow(map, 5 * marks);
	fpr_blockmap_set_present(map, 0, 5 * marks, true);
	fpr_mark(before, marks + 5);
	harvest(map, 0);
	/* Whatever blocks they stand for. */
	assert_int_equal(map->nr_active, 10);
	assert_int_equal(first_due(map, DELAY), 4);
	assert_true(test_bit(marks + 5, map->active));
	assert_true(test_bit(4 * marks + 5, map->active));
	harvest(map, 1);
	assert_int_equal(map->stamp[4], DELAY);
}

static void marks_that_suffice_stay(void **state)
{
	struct fpr_blockmap *map = *state;
	struct fpr_marks *before = map->marks;

	grow(map, BLOCKS + 1);
	assert_ptr_equal(map->marks, before);
	assert_null(before->older);
}

static void no_memory_leaves_nothing_behind(void **state)
{
	struct fpr_blockmap *map = *state, other;
	int i;

	for (i = 0; i < 10; i++) {
		shim_alloc_budget = i;
		assert_int_equal(fpr_blockmap_init(&other, 10), -ENOMEM);
	}
	shim_alloc_budget = -1;
	assert_int_equal(map->nblocks, BLOCKS);
	assert_true(test_bit(BLOCKS - 1, map->present));
}

/* What the map should know of a block, in the plainest terms. */
enum model { IDLE, MARKED, ACTIVE, HELD, VISITED };

static void compare(const struct fpr_blockmap *map, const enum model *model,
		    const bool *marked)
{
	unsigned long active = 0, i;

	for (i = 0; i < BLOCKS; i++) {
		assert_int_equal(fpr_marked(map->marks, i), marked[i]);
		assert_int_equal(test_bit(i, map->active), model[i] == ACTIVE);
		assert_int_equal(test_bit(i, map->held), model[i] == HELD);
		assert_int_equal(test_bit(i, map->visited),
				 model[i] == VISITED);
		active += model[i] == ACTIVE;
	}
	assert_int_equal(map->nr_active, active);
}

static void random_walk_agrees_with_the_model(void **state)
{
	struct fpr_blockmap *map = *state;
	enum model model[BLOCKS] = { IDLE };
	bool marked[BLOCKS] = { false };
	unsigned int rnd = 42, step;
	u32 now = 0;

	for (step = 0; step < 20000; step++) {
		unsigned long b = next_random(&rnd) % BLOCKS, i;
		bool ok = next_random(&rnd) % 2;

		now += next_random(&rnd) % 50;
		switch (next_random(&rnd) % 6) {
		case 0:
		case 1:
			fpr_mark(map->marks, b);
			marked[b] = true;
			break;
		case 2:
			harvest(map, now);
			for (i = 0; i < BLOCKS; i++) {
				if (marked[i])
					model[i] = ACTIVE;
				marked[i] = false;
			}
			break;
		case 3:
			b = first_due(map, now);
			if (b == BLOCKS)
				break;
			assert_int_equal(model[b], ACTIVE);
			fpr_blockmap_hold(map, b);
			model[b] = HELD;
			break;
		case 4:
			if (model[b] != ACTIVE)
				break;
			fpr_blockmap_retry(map, b, now, DELAY);
			if (!test_bit(b, map->active)) {
				assert_int_equal(map->tries[b], FPR_MAX_TRIES);
				model[b] = IDLE;
			}
			break;
		case 5:
			fpr_blockmap_release(map, 0, BLOCKS - 1, ok, now);
			for (i = 0; i < BLOCKS; i++)
				if (model[i] == HELD)
					model[i] = ok ? VISITED : ACTIVE;
			break;
		}
		/* Held and marked blocks show both; the model keeps the mark. */
		for (i = 0; i < BLOCKS; i++)
			if (model[i] == ACTIVE && test_bit(i, map->held))
				fpr_blockmap_release(map, i, i, true, now);
		compare(map, model, marked);
	}
}

/* Every free reads the mask; a line that is written costs all CPUs a miss. */
static void no_mark_is_in_the_line_of_the_mask(void **state)
{
	(void)state;
	/* Wherever the allocator puts it. */
	assert_true(offsetof(struct fpr_marks, bits) >=
		    offsetof(struct fpr_marks, mask) + SMP_CACHE_BYTES);
}

/* Each walk over a large map gives way in between, and short ones do not. */
static void walks_give_way(void **state)
{
	const unsigned long blocks = 10 * 4096;
	struct fpr_harvest h = { .now = 1, .delay_ms = DELAY, .cold_ms = COLD, .whole = WHOLE };
	struct fpr_blockmap map;
	unsigned long block;
	u32 oldest, next;

	(void)state;
	assert_int_equal(fpr_blockmap_init(&map, blocks), 0);
#define GIVES_WAY(walk)	do { gave_way = 0; walk; assert_in_range(gave_way, 9, 11); } while (0)
	GIVES_WAY(fpr_blockmap_set_present(&map, 0, blocks, true));
	GIVES_WAY(fpr_blockmap_activate_all(&map, 1000));
	GIVES_WAY(fpr_blockmap_cap_due(&map, 900, 900));
	GIVES_WAY(fpr_blockmap_count_due(&map, 0, &oldest, &next));
	GIVES_WAY(assert_int_equal(fpr_blockmap_next_due(&map, 0, 0, false), blocks));
	for (block = 0; block < blocks; block++) {
		fpr_blockmap_activate(&map, block, 1000, 0);
		fpr_mark(map.marks, block);
	}
	GIVES_WAY(assert_int_equal(fpr_blockmap_next_aged(&map, 0, 0), blocks));
	GIVES_WAY(fpr_blockmap_harvest(&map, &h));
#undef GIVES_WAY
	gave_way = 0;
	fpr_blockmap_harvest(&map, &h);
	fpr_blockmap_set_present(&map, 0, 100, true);
	assert_int_equal(gave_way, 0);
	fpr_blockmap_destroy(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(mark_is_idempotent_and_bounded),
		T(no_mark_is_in_the_line_of_the_mask),
		T(a_freed_block_is_due_after_the_delay_not_before),
		T(a_further_free_starts_the_delay_over),
		T(the_clock_may_wrap),
		T(any_age_takes_young_blocks_too),
		T(held_acknowledged_becomes_visited),
		T(held_failed_becomes_a_candidate_again),
		T(a_free_while_held_is_not_lost),
		T(releasing_no_range_does_nothing),
		T(recycled_counts_only_what_comes_back_soon),
		T(looks_become_rarer_and_end),
		T(one_look_is_one_look),
		T(aged_blocks_are_those_looked_at_before),
		T(quiet_means_nothing_is_ageing),
		T(deferring_waits_for_the_neighbour),
		T(counting_tells_the_oldest_and_the_next),
		T(absent_memory_is_never_looked_at),
		T(a_shorter_delay_holds_for_what_waits),
		T(forgetting_leaves_what_is_present),
		T(growing_keeps_everything),
		T(marks_grow_with_the_map),
		T(marks_from_before_are_harvested),
		T(marks_that_suffice_stay),
		T(no_memory_leaves_nothing_behind),
		T(walks_give_way),
		T(random_walk_agrees_with_the_model),
	};

	return cmocka_run_group_tests_name("blockmap", tests, NULL, NULL);
}
