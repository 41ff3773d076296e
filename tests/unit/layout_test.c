// SPDX-License-Identifier: GPL-2.0
/* The reporting queue's index under every layout that hosts are known to have. */
#include "test.h"

#include "../../src/virtio/layout.h"

#define STATS		(1ULL << VIRTIO_BALLOON_F_STATS_VQ)
#define HINTING		(1ULL << VIRTIO_BALLOON_F_FREE_PAGE_HINT)
#define REPORTING	(1ULL << VIRTIO_BALLOON_F_REPORTING)

static void expect(u64 features, int n, int stats, int hinting, int reporting)
{
	int index[VFPR_NR_QUEUES];

	assert_int_equal(vfpr_layout(features, index), n);
	assert_int_equal(index[VFPR_INFLATE], 0);
	assert_int_equal(index[VFPR_DEFLATE], 1);
	assert_int_equal(index[VFPR_STATS], stats);
	assert_int_equal(index[VFPR_HINTING], hinting);
	assert_int_equal(index[VFPR_REPORTING], reporting);
}

static void every_combination(void **state)
{
	(void)state;
	expect(REPORTING, 3, -1, -1, 2);			/* cloud-hypervisor */
	expect(STATS | REPORTING, 4, 2, -1, 3);			/* QEMU, crosvm */
	expect(HINTING | REPORTING, 4, -1, 2, 3);
	expect(STATS | HINTING | REPORTING, 5, 2, 3, 4);	/* libkrun */
	expect(STATS, 3, 2, -1, -1);
	expect(0, 2, -1, -1, -1);
}

static void other_features_do_not_matter(void **state)
{
	(void)state;
	expect(~(STATS | HINTING), 3, -1, -1, 2);
	expect(~0ULL, 5, 2, 3, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_combination),
		cmocka_unit_test(other_features_do_not_matter),
	};

	return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
