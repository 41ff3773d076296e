// SPDX-License-Identifier: GPL-2.0
/*
 * Taking free buddies, on a made-up allocator (shim/linux/mmzone.h): which runs are
 * taken, in how many entries, that nothing in use is, how long the lock is held, and
 * that others may run between two holds.
 */
#include "test.h"

#include "buddy_in.h"

#define BLOCKS	8UL
#define PAGES	(BLOCKS * FPR_BLOCK_PAGES)
#define FLOOR	16UL

int shim_alloc_budget = -1;

static struct zone zone;
static struct page pages[PAGES];
static bool used[PAGES], taken[PAGES];
static unsigned int moved, longest_hold, entries, reports;
static bool others_wait; /* since the lock was dropped */
/* Called with the lock: what others do just before it is taken. */
static void (*race)(void);
static unsigned int rnd;

struct page *pfn_to_page(unsigned long pfn)
{
	assert_true(pfn < PAGES);
	return &pages[pfn];
}

unsigned long page_to_pfn(const struct page *page)
{
	return page - pages;
}

struct zone *page_zone(const struct page *page)
{
	(void)page;
	return &zone;
}

static bool all_free(unsigned long pfn, unsigned long n)
{
	while (n--)
		if (used[pfn + n] || pages[pfn + n].isolated)
			return false;
	return true;
}

/* Free pages as the allocator would have merged them. */
static void merge(void)
{
	unsigned long pfn, n;

	for (pfn = 0; pfn < PAGES; pfn++) {
		pages[pfn].buddy = false;
		pages[pfn].refs = used[pfn];
		pages[pfn]._mapcount.counter = -1;
	}
	for (pfn = 0; pfn < PAGES; pfn += n) {
		unsigned int order = FPR_MAX_ORDER;

		n = 1;
		if (!all_free(pfn, 1))
			continue;
		while (pfn & ((1UL << order) - 1) || !all_free(pfn, 1UL << order))
			order--;
		n = 1UL << order;
		pages[pfn].buddy = true;
		pages[pfn].private = order;
	}
}

void spin_lock(int *lock)
{
	assert_false(*lock);
	assert_false(others_wait);
	if (race)
		race();
	*lock = 1;
	moved = 0;
}

void spin_unlock(int *lock)
{
	assert_true(*lock);
	*lock = 0;
	longest_hold = max(longest_hold, moved);
	others_wait = true;
}

void cond_resched_tasks_rcu_qs(void)
{
	assert_false(zone.lock);
	others_wait = false;
}

unsigned long fpr_isolate_free_page(struct page *page, unsigned int order)
{
	unsigned long pfn = page_to_pfn(page), n;

	assert_true(zone.lock);
	assert_true(page->buddy);
	assert_int_equal(page->private, order);
	page->buddy = false;
	for (n = 0; n < 1UL << order; n++) {
		assert_false(used[pfn + n]);
		assert_false(pages[pfn + n].isolated);
		pages[pfn + n].isolated = true;
	}
	zone.free -= n;
	moved++;
	return n;
}

void fpr_putback_isolated_page(struct page *page, unsigned int order, int type)
{
	unsigned long n;

	(void)type;
	assert_true(zone.lock);
	for (n = 0; n < 1UL << order; n++) {
		assert_true(page[n].isolated);
		page[n].isolated = false;
	}
	zone.free += n;
	moved++;
}

/* The device has it, and then it goes back. */
static void report(struct fpr_batch *batch)
{
	unsigned int i;

	for (i = 0; i < batch->list.nr; i++) {
		const struct fpr_segment *seg = &batch->list.segs[i];
		unsigned long n;

		for (n = 0; n < seg->npages; n++) {
			assert_true(pages[seg->pfn + n].isolated);
			assert_false(taken[seg->pfn + n]);
			taken[seg->pfn + n] = true;
		}
	}
	entries += batch->list.nr;
	reports++;
	fpr_batch_putback(batch);
	merge();
}

/* As a pass does it, with a device of @max entries. */
static void take_all(unsigned int order, unsigned long run, unsigned int max)
{
	struct fpr_batch batch;
	unsigned long block;

	memset(taken, 0, sizeof(taken));
	entries = 0;
	reports = 0;
	longest_hold = 0;
	assert_int_equal(fpr_batch_init(&batch, max, 1UL << 20), 0);
	for (block = 0; block < BLOCKS; block++) {
		unsigned long pfn = block << FPR_BLOCK_ORDER;
		unsigned long end = pfn + FPR_BLOCK_PAGES;
		struct fpr_window win = {
			.hi = PAGES, .order = order, .run = run,
			.reach = min(end + run, PAGES), .hold_pages = PAGES, .share = 1,
		};

		while (fpr_buddy_take(&batch, &win, &pfn, end) == FPR_TAKE_FULL)
			report(&batch);
		/* At its end, or that of a buddy of two blocks. */
		assert_true(pfn == end || pfn == end + FPR_BLOCK_PAGES);
	}
	if (batch.nr)
		report(&batch);
	fpr_batch_destroy(&batch);
	/* Those of two pageblocks go back in two parts. */
	assert_true(longest_hold <= 2 * LOCK_BUDDIES);
}

/* Pages that run of at least @run pages, made of aligned groups of 2^order, hold. */
static unsigned long check_runs(unsigned int order, unsigned long run)
{
	unsigned long group = 1UL << order, pfn, start, n, runs = 0;

	for (pfn = 0; pfn < PAGES; runs++) {
		for (start = pfn; pfn < PAGES && all_free(pfn, group); pfn += group)
			;
		for (n = start; n < pfn; n++)
			assert_int_equal(taken[n], pfn - start >= run);
		if (pfn - start < run)
			runs--;
		for (; pfn < PAGES && !all_free(pfn, group); pfn += group)
			for (n = 0; n < group; n++)
				assert_false(taken[pfn + n]);
	}
	return runs;
}

static int setup(void **state)
{
	(void)state;
	race = NULL;
	rnd = 1;
	zone.free = 1UL << 30;
	zone.low = 0;
	memset(used, 0, sizeof(used));
	memset(pages, 0, sizeof(pages));
	merge();
	return 0;
}

/* Every second 64 KiB, not aligned to them. */
static void fragment(unsigned long phase)
{
	unsigned long pfn;

	for (pfn = 0; pfn < PAGES; pfn++)
		used[pfn] = (pfn + phase) / 16 % 2;
	merge();
}

static void whole_blocks_only(void **state)
{
	(void)state;
	used[FPR_BLOCK_PAGES * 3 + 7] = true;
	merge();
	take_all(FPR_BLOCK_ORDER, 0, 32);
	check_runs(FPR_BLOCK_ORDER, 1);
	assert_false(taken[FPR_BLOCK_PAGES * 3]);
	assert_true(taken[FPR_BLOCK_PAGES * 4]);
	assert_int_equal(entries, 2);
}

static void a_run_is_one_entry_wherever_it_lies(void **state)
{
	unsigned long phase, runs;

	(void)state;
	for (phase = 0; phase < 32; phase++) {
		fragment(phase);
		take_all(0, FLOOR, 1024);
		runs = check_runs(0, FLOOR);
		assert_true(runs >= PAGES / 32 - 1);
		assert_int_equal(entries, runs);
		assert_int_equal(reports, 1);
	}
}

static void a_full_batch_cuts_no_run_short(void **state)
{
	unsigned long runs;
	unsigned int max;

	(void)state;
	for (max = 1; max < 40; max++) {
		fragment(max);
		take_all(0, FLOOR, max);
		runs = check_runs(0, FLOOR);
		/* A device with few entries gets what goes on in the next one. */
		assert_in_range(entries, runs, runs + reports);
	}
}

static void what_is_below_the_floor_stays(void **state)
{
	unsigned long pfn;

	(void)state;
	fragment(5);
	take_all(0, FLOOR + 1, 32);
	assert_int_equal(check_runs(0, FLOOR + 1), 0);
	assert_int_equal(entries, 0);
	for (pfn = 0; pfn < PAGES; pfn += FPR_BLOCK_PAGES)
		assert_in_range(fpr_peek_free(pfn, pfn + FPR_BLOCK_PAGES, 0, FLOOR),
				256 - 16, 256);
	assert_int_equal(fpr_peek_free(0, PAGES, 0, FLOOR + 1), 0);
}

/* Isolating it would make the whole pageblock movable. */
static void half_a_pageblock_is_taken_where_that_changes_no_type(void **state)
{
	unsigned long half = FPR_BLOCK_PAGES / 2;
	int type;

	(void)state;
	for (type = MIGRATE_UNMOVABLE; type <= MIGRATE_MOVABLE; type++) {
		memset(used, true, sizeof(used));
		/* A half, a quarter, and a whole one */
		memset(used + half, false, half);
		memset(used + FPR_BLOCK_PAGES, false, half / 2);
		memset(used + 2 * FPR_BLOCK_PAGES, false, FPR_BLOCK_PAGES);
		merge();
		shim_migratetype = type;
		take_all(0, 0, 32);
		assert_int_equal(taken[half], type == MIGRATE_MOVABLE);
		assert_true(taken[FPR_BLOCK_PAGES]);
		assert_true(taken[2 * FPR_BLOCK_PAGES]);
	}
}

/* What others have reserved, as far as it is free, is nobody else's to spare. */
static void what_is_kept_for_others_is_no_spare(void **state)
{
	(void)state;
	zone.free = 2 * FPR_BLOCK_PAGES;
	assert_int_equal(fpr_zone_free(&zone), 2 * FPR_BLOCK_PAGES);
	zone.nr_reserved_highatomic = FPR_BLOCK_PAGES;
	assert_int_equal(fpr_zone_free(&zone), FPR_BLOCK_PAGES);
	zone.nr_reserved_highatomic = 3 * FPR_BLOCK_PAGES;
	assert_int_equal(fpr_zone_free(&zone), 0);
	zone.nr_reserved_highatomic = 0;
}

static void a_device_gets_no_smaller_pieces_than_it_takes(void **state)
{
	unsigned long phase;

	(void)state;
	for (phase = 0; phase < 32; phase++) {
		fragment(phase);
		take_all(2, 8, 32);
		check_runs(2, 8);
		assert_int_equal(fpr_peek_free(0, PAGES, 2, 8) > 0, true);
	}
}

/* Pages [pfn, pfn + n) wait on a per-CPU list. */
static void put_on_list(unsigned long pfn, unsigned long n)
{
	for (; n--; pfn++) {
		assert_false(pages[pfn].buddy);
		pages[pfn].refs = 0;
	}
}

static void what_waits_on_lists_is_used_by_nobody(void **state)
{
	unsigned long pfn;

	(void)state;
	memset(used, 0, sizeof(used));
	for (pfn = 0; pfn < FPR_BLOCK_PAGES; pfn++)
		used[pfn] = pfn / FLOOR % 3 != 0;
	memset(used + FPR_BLOCK_PAGES, true, FPR_BLOCK_PAGES);
	merge();
	/* Block 0: a third free, a third on lists, a third in use; block 1: half on lists. */
	for (pfn = 0; pfn < FPR_BLOCK_PAGES; pfn += FLOOR)
		if (pfn / FLOOR % 3 == 1)
			put_on_list(pfn, FLOOR);
	put_on_list(FPR_BLOCK_PAGES, FPR_BLOCK_PAGES / 2);
	assert_int_equal(fpr_peek_free(0, FPR_BLOCK_PAGES, 0, 0), 11 * FLOOR);
	assert_int_equal(fpr_peek_unused(0), 22 * FLOOR);
	assert_false(fpr_peek_stuck(0));
	assert_int_equal(fpr_peek_unused(1), FPR_BLOCK_PAGES / 2);
	assert_false(fpr_peek_stuck(1));

	put_on_list(FPR_BLOCK_PAGES, FPR_BLOCK_PAGES);
	assert_int_equal(fpr_peek_unused(1), FPR_BLOCK_PAGES);
	assert_true(fpr_peek_stuck(1));

	/* Both halves of one buddy: nothing is in the way. */
	for (pfn = 2; pfn < 4; pfn++) {
		assert_int_equal(fpr_peek_unused(pfn), FPR_BLOCK_PAGES);
		assert_false(fpr_peek_stuck(pfn));
	}
}

static void random_memory_gives_exactly_its_runs(void **state)
{
	unsigned int round;

	(void)state;
	for (round = 0; round < 300; round++) {
		unsigned int one_in = 2 + next_random(&rnd) % 200;
		unsigned int order = next_random(&rnd) % 4;
		unsigned long run = 1 + next_random(&rnd) % 64, pfn, free = 0;

		for (pfn = 0; pfn < PAGES; pfn++)
			used[pfn] = !(next_random(&rnd) % one_in);
		merge();
		take_all(order, run, 1 + next_random(&rnd) % 64);
		check_runs(order, run);
		for (pfn = 0; pfn < PAGES; pfn++)
			free += taken[pfn];
		assert_int_equal(fpr_peek_free(0, PAGES, order, run), free);
	}
}

/* What isolating asserts: nothing is taken that was allocated since the look. */
static void others_allocate(void)
{
	unsigned int i;

	for (i = 0; i < 20; i++) {
		unsigned long pfn = next_random(&rnd) % PAGES;

		if (!pages[pfn].isolated)
			used[pfn] = next_random(&rnd) % 2;
	}
	/* Not while a batch goes back: that merges when all of it is there. */
	merge();
}

static void what_changes_between_look_and_lock_is_left_alone(void **state)
{
	unsigned int round;

	(void)state;
	for (round = 0; round < 30; round++) {
		fragment(round);
		race = others_allocate;
		take_all(0, FLOOR, 32);
		race = NULL;
	}
}

/* Pages taken at once of @free of which the zone keeps @low, a @share of the rest. */
static unsigned long taken_at_once(unsigned long free, unsigned long low, unsigned int share)
{
	unsigned long got, pfn = 0;
	struct fpr_window win = {
		.hi = PAGES, .order = FPR_MAX_ORDER, .reach = PAGES,
		.hold_pages = PAGES, .share = share,
	};
	struct fpr_batch batch;
	enum fpr_take why;

	zone.free = free;
	zone.low = low;
	merge();
	assert_int_equal(fpr_batch_init(&batch, 32, PAGES), 0);
	why = fpr_buddy_take(&batch, &win, &pfn, PAGES);
	got = batch.pages;
	assert_int_equal(why, got < PAGES ? FPR_TAKE_LOW : FPR_TAKE_END);
	fpr_batch_putback(&batch);
	fpr_batch_destroy(&batch);
	return got;
}

static void a_zone_keeps_its_share(void **state)
{
	unsigned long buddy = 1UL << FPR_MAX_ORDER, low = 100;

	(void)state;
	assert_int_equal(PAGES, 4 * buddy);
	/* Nothing at or below low, nor where the zone would not keep as much again. */
	assert_int_equal(taken_at_once(low, low, 4), 0);
	assert_int_equal(taken_at_once(low - 1, low, 4), 0);
	assert_int_equal(taken_at_once(low + 2 * buddy - 1, low, 4), 0);
	/* One buddy, and no second before the share allows two. */
	assert_int_equal(taken_at_once(low + 2 * buddy, low, 4), buddy);
	assert_int_equal(taken_at_once(low + 8 * buddy - 1, low, 4), buddy);
	assert_int_equal(taken_at_once(low + 8 * buddy, low, 4), 2 * buddy);
	assert_int_equal(taken_at_once(low + 16 * buddy, low, 4), 4 * buddy);
	/* A share of all: what is lent. */
	assert_int_equal(taken_at_once(low + 4 * buddy, low, 1), 4 * buddy);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(whole_blocks_only),
		T(a_run_is_one_entry_wherever_it_lies),
		T(a_full_batch_cuts_no_run_short),
		T(what_is_below_the_floor_stays),
		T(half_a_pageblock_is_taken_where_that_changes_no_type),
		T(what_is_kept_for_others_is_no_spare),
		T(a_device_gets_no_smaller_pieces_than_it_takes),
		T(what_waits_on_lists_is_used_by_nobody),
		T(random_memory_gives_exactly_its_runs),
		T(what_changes_between_look_and_lock_is_left_alone),
		T(a_zone_keeps_its_share),
	};

	return cmocka_run_group_tests_name("buddy", tests, NULL, NULL);
}
