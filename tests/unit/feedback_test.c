// SPDX-License-Identifier: GPL-2.0
/* How much memory is worth keeping: habits, and what is none. */
#include "test.h"

#include "../../src/core/feedback.h"

#define DELAY	800

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct fpr_feedback));
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

/* @blocks are freed at @now and reported when they are old enough. */
static void report(struct fpr_feedback *fb, u32 now, unsigned long blocks)
{
	fpr_feedback_given(fb, now + DELAY, now, blocks);
}

/* @blocks are allocated, and freed again at @now. */
static void reuse(struct fpr_feedback *fb, u32 now, unsigned long blocks)
{
	fb->allocated += blocks;
	fpr_feedback_again(fb, now, blocks);
}

/* So many rounds of @period; the next would begin at the time returned. */
static u32 churn(struct fpr_feedback *fb, u32 now, u32 period, unsigned long blocks,
		 int rounds)
{
	report(fb, now, blocks);
	while (rounds--) {
		now += period;
		reuse(fb, now, blocks);
		report(fb, now, blocks);
	}
	return now;
}

static void a_habit_is_kept_for_twice_its_period(void **state)
{
	struct fpr_feedback *fb = *state;
	u32 now;

	now = churn(fb, 1000, 3000, 512, FPR_REUSE_ROUNDS - 1);
	assert_int_equal(fpr_feedback_reserve(fb, now), 0);
	now += 3000;
	reuse(fb, now, 512);
	assert_int_equal(fpr_feedback_reserve(fb, now), 512);
	assert_int_equal(fb->keep_ms, 6000);
}

static void the_clock_may_wrap(void **state)
{
	struct fpr_feedback *fb = *state;
	u32 now = churn(fb, (u32)-5000, 3000, 512, FPR_REUSE_ROUNDS);

	assert_int_equal(fpr_feedback_reserve(fb, now), 512);
	assert_int_equal(fb->keep_ms, 6000);
}

static void nothing_is_learnt_from_what_was_not_reported(void **state)
{
	struct fpr_feedback *fb = *state;
	u32 now;

	/* A machine at its start: everything is reported at once, not aged. */
	for (now = 0; now < 100000; now += 1000)
		reuse(fb, now, 4096);
	assert_int_equal(fpr_feedback_reserve(fb, now), 0);
}

static void what_is_needed_late_is_no_habit(void **state)
{
	struct fpr_feedback *fb = *state;
	u32 now = churn(fb, 0, FPR_REUSE_MS + 1, 512, 20);

	assert_int_equal(fpr_feedback_reserve(fb, now), 0);
}

static void other_blocks_serve_as_well(void **state)
{
	struct fpr_feedback *fb = *state;
	u32 now = 0;
	int round;

	/* 512 are in use by turns, while 300 more went for good before. */
	report(fb, now, 300);
	now = churn(fb, now + 2000, 5000, 512, FPR_REUSE_ROUNDS);
	assert_int_equal(fpr_feedback_reserve(fb, now), 512);
	/* A part of them at a time comes to the same. */
	memset(fb, 0, sizeof(*fb));
	report(fb, now, 512);
	for (round = 0; round < FPR_REUSE_ROUNDS; round++) {
		now += 5000;
		reuse(fb, now, 200);
		reuse(fb, now + 200, 312);
		report(fb, now + 200, 512);
	}
	assert_int_equal(fpr_feedback_reserve(fb, now + 200), 512);
	assert_in_range(fb->keep_ms, 9600, 10800);
}

static void what_grows_is_learnt_too(void **state)
{
	struct fpr_feedback *fb = *state;
	u32 now = churn(fb, 0, 2000, 100, FPR_REUSE_ROUNDS);

	assert_int_equal(fpr_feedback_reserve(fb, now), 100);
	/* As much again, beside that which is kept now. */
	now = churn(fb, now + 500, 4000, 50, FPR_REUSE_ROUNDS);
	fpr_feedback_saved(fb, now);
	assert_in_range(fpr_feedback_reserve(fb, now), 150, 250);
	assert_int_equal(fb->keep_ms, 8000);
}

static void the_rest_of_a_habit_need_not_show_it(void **state)
{
	struct fpr_feedback *fb = *state;
	u32 now = churn(fb, 0, 3000, 100, FPR_REUSE_ROUNDS);

	/* Some were late each time. */
	report(fb, now, 28);
	reuse(fb, now + 3600, 28);
	assert_int_equal(fpr_feedback_reserve(fb, now + 3600), 128);
	assert_int_equal(fb->keep_ms, 6000);
	/* Another habit has to. */
	now += 3600;
	report(fb, now, 50);
	reuse(fb, now + 4500, 50);
	assert_int_equal(fpr_feedback_reserve(fb, now + 4500), 128);
}

static void what_is_not_needed_is_given_up(void **state)
{
	struct fpr_feedback *fb = *state;
	u32 now = churn(fb, 0, 3000, 512, FPR_REUSE_ROUNDS);

	fpr_feedback_unused(fb, 500);
	assert_int_equal(fpr_feedback_reserve(fb, now), 12);
	assert_int_equal(fb->keep_ms, 6000);
	fpr_feedback_unused(fb, 500);
	assert_int_equal(fpr_feedback_reserve(fb, now), 0);
	assert_int_equal(fb->keep_ms, 0);
}

static void what_nobody_takes_is_forgotten(void **state)
{
	struct fpr_feedback *fb = *state;
	u32 now = churn(fb, 0, 3000, 512, FPR_REUSE_ROUNDS);
	u32 end = now + FPR_REUSE_FORGET * 6000;

	assert_int_equal(fpr_feedback_reserve(fb, end), 512);
	fpr_feedback_saved(fb, end);
	assert_int_equal(fpr_feedback_reserve(fb, end + 6000), 512);
	end += FPR_REUSE_FORGET * 6000;
	assert_int_equal(fpr_feedback_reserve(fb, end + 1), 0);
}

static void rounds_that_are_long_past_do_not_count(void **state)
{
	struct fpr_feedback *fb = *state;
	u32 now = churn(fb, 0, 2000, 512, FPR_REUSE_ROUNDS - 1);

	now += FPR_REUSE_MS + 1000;
	reuse(fb, now, 512);
	now = churn(fb, now + 10000, 2000, 512, 1);
	assert_int_equal(fpr_feedback_reserve(fb, now), 0);
}

static void more_reports_than_can_be_remembered(void **state)
{
	struct fpr_feedback *fb = *state;
	unsigned int i;
	u32 now = 0;

	for (i = 0; i < 3 * FPR_FEEDBACK_DEPTH; i++, now += 1000)
		report(fb, now, 1);
	assert_int_equal(fb->nr, FPR_FEEDBACK_DEPTH);
	assert_int_equal(fb->given[fb->nr - 1].freed, now - 1000);
	/* More came back than had gone. */
	reuse(fb, now, 1000);
	assert_int_equal(fb->nr, 0);
	assert_int_equal(fb->back[1], FPR_FEEDBACK_DEPTH);
}

static void what_was_in_use_then_is_not_needed_again(void **state)
{
	struct fpr_feedback *fb = *state;
	u32 now;

	/* A file of 10,000 blocks that had been reported long ago is deleted. */
	fb->allocated = 10000;
	for (now = 0; now < 10000; now += 200) {
		fpr_feedback_again(fb, now + DELAY, 200);
		report(fb, now, 200);
	}
	assert_int_equal(fb->back[1], 0);
	assert_int_equal(fpr_feedback_reserve(fb, now), 0);
	/* While another needs a little of it. */
	reuse(fb, now, 10);
	assert_int_equal(fb->back[1], 10);
	fpr_feedback_again(fb, now, 200);
	assert_int_equal(fb->back[1], 10);
}

static void what_was_needed_before_the_latest_report(void **state)
{
	struct fpr_feedback *fb = *state;

	report(fb, 0, 100);
	fb->allocated += 60;
	report(fb, 1000, 100);
	fpr_feedback_again(fb, 3000, 100);
	assert_int_equal(fb->back[1], 60);
	assert_int_equal(fb->given[0].blocks, 40);
	assert_int_equal(fb->given[1].blocks, 100);
	fb->allocated -= 1;
	fpr_feedback_again(fb, 3500, 100);
	fb->allocated += 1;
	assert_int_equal(fb->back[1], 60);
	/* Once for each that was allocated, and for the latest first. */
	reuse(fb, 4000, 120);
	assert_int_equal(fb->back[1], 60 + 120);
	assert_int_equal(fb->nr, 1);
	assert_int_equal(fb->given[0].blocks, 20);
}

static void batches_of_one_burst_are_one(void **state)
{
	struct fpr_feedback *fb = *state;
	u32 now;

	for (now = 0; now < FPR_REUSE_MS / 100; now++)
		report(fb, now, 2);
	assert_int_equal(fb->nr, 1);
	assert_int_equal(fb->given[0].blocks, 2 * now);
	report(fb, now, 2);
	assert_int_equal(fb->nr, 2);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_habit_is_kept_for_twice_its_period),
		T(the_clock_may_wrap),
		T(nothing_is_learnt_from_what_was_not_reported),
		T(what_is_needed_late_is_no_habit),
		T(other_blocks_serve_as_well),
		T(what_grows_is_learnt_too),
		T(the_rest_of_a_habit_need_not_show_it),
		T(what_is_not_needed_is_given_up),
		T(what_nobody_takes_is_forgotten),
		T(rounds_that_are_long_past_do_not_count),
		T(more_reports_than_can_be_remembered),
		T(what_was_in_use_then_is_not_needed_again),
		T(what_was_needed_before_the_latest_report),
		T(batches_of_one_burst_are_one),
	};

	return cmocka_run_group_tests_name("feedback", tests, NULL, NULL);
}
