// SPDX-License-Identifier: GPL-2.0
/* Coalescing: neighbours join, limits hold, nothing is lost or added. */
#include "test.h"

#include "../../src/core/coalesce.h"

#define SEGS 32

static struct fpr_segment segs[SEGS];

static struct fpr_coalesce list_of(unsigned int max, unsigned long max_pages)
{
	return (struct fpr_coalesce){ .segs = segs, .max = max, .max_pages = max_pages };
}

static void neighbours_join(void **state)
{
	struct fpr_coalesce c = list_of(SEGS, 1 << 20);

	(void)state;
	fpr_coalesce_add(&c, 512, 512);
	fpr_coalesce_add(&c, 1024, 1024);
	fpr_coalesce_add(&c, 2048, 4);
	assert_int_equal(c.nr, 1);
	assert_int_equal(segs[0].pfn, 512);
	assert_int_equal(segs[0].npages, 1540);
}

static void gaps_separate(void **state)
{
	struct fpr_coalesce c = list_of(SEGS, 1 << 20);

	(void)state;
	fpr_coalesce_add(&c, 0, 512);
	fpr_coalesce_add(&c, 1024, 512);
	assert_int_equal(c.nr, 2);
	assert_int_equal(segs[1].pfn, 1024);
	assert_int_equal(segs[1].npages, 512);
}

static void what_is_sealed_takes_no_more(void **state)
{
	struct fpr_coalesce c = list_of(2, 1 << 20);

	(void)state;
	fpr_coalesce_add(&c, 0, 512);
	c.sealed = c.nr;
	fpr_coalesce_add(&c, 512, 16);
	fpr_coalesce_add(&c, 528, 16);
	assert_int_equal(c.nr, 2);
	assert_int_equal(segs[0].npages, 512);
	assert_int_equal(segs[1].pfn, 512);
	assert_int_equal(segs[1].npages, 32);
	c.sealed = c.nr;
	assert_false(fpr_coalesce_fits(&c, 544, 16));
}

static void a_full_segment_begins_another(void **state)
{
	struct fpr_coalesce c = list_of(SEGS, 1000);

	(void)state;
	fpr_coalesce_add(&c, 0, 512);
	fpr_coalesce_add(&c, 512, 512);
	assert_int_equal(c.nr, 2);
	assert_int_equal(segs[0].npages, 1000);
	assert_int_equal(segs[1].pfn, 1000);
	assert_int_equal(segs[1].npages, 24);
}

static void a_long_range_is_cut(void **state)
{
	struct fpr_coalesce c = list_of(SEGS, 100);

	(void)state;
	assert_true(fpr_coalesce_fits(&c, 0, 1024));
	fpr_coalesce_add(&c, 0, 1024);
	assert_int_equal(c.nr, 11);
	assert_int_equal(segs[10].pfn, 1000);
	assert_int_equal(segs[10].npages, 24);
}

static void what_does_not_fit_is_told(void **state)
{
	struct fpr_coalesce c = list_of(2, 1024);

	(void)state;
	assert_true(fpr_coalesce_fits(&c, 0, 2048));
	assert_false(fpr_coalesce_fits(&c, 0, 2049));
	fpr_coalesce_add(&c, 0, 512);
	fpr_coalesce_add(&c, 4096, 512);
	assert_false(fpr_coalesce_fits(&c, 8192, 1));
	assert_true(fpr_coalesce_fits(&c, 4608, 512));
	assert_false(fpr_coalesce_fits(&c, 4608, 513));
}

static void random_ranges_are_covered_exactly(void **state)
{
	unsigned int rnd = 7, round;

	(void)state;
	for (round = 0; round < 20000; round++) {
		unsigned int max = 1 + next_random(&rnd) % SEGS, i;
		unsigned long limit = 1 + next_random(&rnd) % 3000;
		struct fpr_coalesce c = list_of(max, limit);
		static unsigned char want[1 << 16], got[1 << 16];
		unsigned long pfn = 0, end = 0;

		memset(want, 0, sizeof(want));
		memset(got, 0, sizeof(got));
		while (pfn < 30000) {
			unsigned long n = 1UL << next_random(&rnd) % 11;

			pfn += next_random(&rnd) % 3 ? 0 : n;
			if (!fpr_coalesce_fits(&c, pfn, n))
				break;
			fpr_coalesce_add(&c, pfn, n);
			memset(want + pfn, 1, n);
			pfn += n;
		}
		assert_true(c.nr <= max);
		for (i = 0; i < c.nr; i++) {
			assert_true(segs[i].npages >= 1);
			assert_true(segs[i].npages <= limit);
			assert_true(segs[i].pfn >= end);
			end = segs[i].pfn + segs[i].npages;
			memset(got + segs[i].pfn, 1, segs[i].npages);
		}
		assert_memory_equal(want, got, sizeof(want));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbours_join),
		cmocka_unit_test(gaps_separate),
		cmocka_unit_test(what_is_sealed_takes_no_more),
		cmocka_unit_test(a_full_segment_begins_another),
		cmocka_unit_test(a_long_range_is_cut),
		cmocka_unit_test(what_does_not_fit_is_told),
		cmocka_unit_test(random_ranges_are_covered_exactly),
	};

	return cmocka_run_group_tests_name("coalesce", tests, NULL, NULL);
}
