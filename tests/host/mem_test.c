// SPDX-License-Identifier: GPL-2.0
/* Guest memory: what is mapped where, and what a VMM may not say. */
#define _GNU_SOURCE
#include "../unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/host/mem.h"

#define PAGE	4096ULL
#define MIB	(1ULL << 20)
#define HUGE	(2 * MIB)

static struct mem mem;

static int file_of(uint64_t size, unsigned int flags)
{
	int fd = memfd_create("mem", MFD_CLOEXEC | flags);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int begin(void **state)
{
	(void)state;
	mem_init(&mem);
	return 0;
}

static int end(void **state)
{
	(void)state;
	mem_clear(&mem);
	assert_int_equal(mem.nr, 0);
	return 0;
}

static void regions_are_found_at_their_addresses(void **state)
{
	int fd = file_of(8 * PAGE, 0);
	uint8_t *at;

	(void)state;
	assert_int_equal(pwrite(fd, "three", 5, 3 * PAGE), 5);
	assert_int_equal(pwrite(fd, "six", 3, 6 * PAGE), 3);
	assert_int_equal(mem_add(&mem, 100 * PAGE, 2 * PAGE, 0x7000000, 6 * PAGE,
				 dup(fd)), 0);
	assert_int_equal(mem_add(&mem, 50 * PAGE, 3 * PAGE, 0x9000000, 3 * PAGE,
				 dup(fd)), 0);
	assert_int_equal(mem.nr, 2);
	assert_int_equal(mem.regions[0].gpa, 50 * PAGE);
	assert_memory_equal(mem_at(&mem, 50 * PAGE, 5), "three", 5);
	assert_memory_equal(mem_at(&mem, 100 * PAGE, 3), "six", 3);
	assert_memory_equal(mem_at_uva(&mem, 0x9000000, 5), "three", 5);
	assert_memory_equal(mem_at_uva(&mem, 0x7000000, 3), "six", 3);
	/* It is shared: the file changes. */
	at = mem_at(&mem, 100 * PAGE, 3);
	at[0] = 'S';
	assert_int_equal(pread(fd, at + 8, 1, 6 * PAGE), 1);
	assert_int_equal(at[8], 'S');
	close(fd);
}

static void a_range_lies_in_one_region_or_nowhere(void **state)
{
	(void)state;
	assert_int_equal(mem_add(&mem, 16 * PAGE, 2 * PAGE, 0x7000000, 0,
				 file_of(2 * PAGE, 0)), 0);
	assert_int_equal(mem_add(&mem, 18 * PAGE, 2 * PAGE, 0x8000000, 0,
				 file_of(2 * PAGE, 0)), 0);
	assert_non_null(mem_at(&mem, 16 * PAGE, 2 * PAGE));
	assert_non_null(mem_at(&mem, 18 * PAGE - 1, 1));
	assert_non_null(mem_at(&mem, 20 * PAGE - 1, 1));
	assert_null(mem_at(&mem, 18 * PAGE - 1, 2));
	assert_null(mem_at(&mem, 16 * PAGE, UINT64_MAX));
	assert_null(mem_at(&mem, 16 * PAGE - 1, 1));
	assert_null(mem_at(&mem, 20 * PAGE, 1));
	assert_null(mem_at(&mem, UINT64_MAX, 1));
	assert_null(mem_at(&mem, 0, 1));
	assert_non_null(mem_at_uva(&mem, 0x8000000, 2 * PAGE));
	assert_non_null(mem_at_uva(&mem, 0x8000000 + 2 * PAGE - 1, 1));
	assert_null(mem_at_uva(&mem, 0x8000000 + 2 * PAGE, 1));
	assert_null(mem_at_uva(&mem, 0x8000000 + 1, 2 * PAGE));
	assert_null(mem_at_uva(&mem, 0x8000000 + 1, UINT64_MAX));
	assert_null(mem_at_uva(&mem, 0x7000000 - 1, 1));
	assert_null(mem_at_uva(&mem, 0, 1));
}

static void what_makes_no_sense_is_refused(void **state)
{
	static const struct {
		uint64_t gpa, size, uva, offset;
		int err;
	} bad[] = {
		{ 64 * PAGE, 0, 0, 0, -EINVAL },
		{ 64 * PAGE + 1, PAGE, 0, 0, -EINVAL },
		{ 64 * PAGE, PAGE + 1, 0, 0, -EINVAL },
		{ 64 * PAGE, PAGE, 0, 2048, -EINVAL },
		{ 64 * PAGE, 9 * PAGE, 0, 0, -EINVAL },
		{ 64 * PAGE, 8 * PAGE, 0, PAGE, -EINVAL },
		{ 64 * PAGE, PAGE, 0, 8 * PAGE, -EINVAL },
		{ 64 * PAGE, PAGE, 0, 0 - PAGE, -EINVAL },
		{ 64 * PAGE, 2 * PAGE, 0, 0 - PAGE, -EINVAL },
		{ 64 * PAGE, 1ULL << 63, 0, 0, -EINVAL },
		{ 0 - PAGE, 2 * PAGE, 0, 0, -EINVAL },
		{ 64 * PAGE, 2 * PAGE, 0 - PAGE, 0, -EINVAL },
		{ 16 * PAGE, 4 * PAGE, 0, 0, -EEXIST },
		{ 15 * PAGE, 2 * PAGE, 0, 0, -EEXIST },
		{ 19 * PAGE, 2 * PAGE, 0, 0, -EEXIST },
		{ 17 * PAGE, PAGE, 0, 0, -EEXIST },
		{ 15 * PAGE, 8 * PAGE, 0, 0, -EEXIST },
		{ 64 * PAGE, 2 * PAGE, 0x7003000, 0, -EEXIST },
		{ 64 * PAGE, 2 * PAGE, 0x6fff000, 0, -EEXIST },
	};
	int fd = file_of(8 * PAGE, 0);
	unsigned int i;

	(void)state;
	assert_int_equal(mem_add(&mem, 16 * PAGE, 4 * PAGE, 0x7000000, 0,
				 dup(fd)), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int ret = mem_add(&mem, bad[i].gpa, bad[i].size, bad[i].uva,
				  bad[i].offset, fd);

		if (ret != bad[i].err)
			fail_msg("row %u: %d", i, ret);
	}
	assert_int_equal(mem.nr, 1);
	/* The file is still the caller's. */
	assert_true(is_open(fd));
	/* Neighbours are no overlap. */
	assert_int_equal(mem_add(&mem, 20 * PAGE, PAGE, 0x7004000, 0, dup(fd)), 0);
	assert_int_equal(mem_add(&mem, 15 * PAGE, PAGE, 0x6fff000, 0, fd), 0);
}

static void files_that_cannot_be_memory_are_refused(void **state)
{
	int pipes[2], fd, reader;
	char path[32];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(mem_add(&mem, 0, PAGE, 0, 0, pipes[0]), -EINVAL);
	close(pipes[0]);
	close(pipes[1]);
	fd = open("/dev/zero", O_RDWR);
	assert_int_equal(mem_add(&mem, 0, PAGE, 0, 0, fd), -EINVAL);
	close(fd);
	assert_int_equal(mem_add(&mem, 0, PAGE, 0, 0, -1), -EBADF);
	fd = file_of(PAGE, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reader = open(path, O_RDONLY);
	assert_int_equal(mem_add(&mem, 0, PAGE, 0, 0, reader), -EACCES);
	close(reader);
	close(fd);
}

static void there_is_a_most(void **state)
{
	int fd = file_of(PAGE, 0);
	unsigned int i;

	(void)state;
	for (i = 0; i < MEM_MAX_REGIONS; i++)
		assert_int_equal(mem_add(&mem, i * 2 * PAGE, PAGE, 0, 0,
					 dup(fd)), 0);
	assert_int_equal(mem_add(&mem, i * 2 * PAGE, PAGE, 0, 0, fd), -ENOSPC);
	for (i = 0; i < MEM_MAX_REGIONS; i++) {
		assert_non_null(mem_at(&mem, i * 2 * PAGE, PAGE));
		assert_null(mem_at(&mem, i * 2 * PAGE + PAGE, PAGE));
	}
	close(fd);
}

static void removal_is_exact_and_closes_the_file(void **state)
{
	int fd = file_of(4 * PAGE, 0);

	(void)state;
	assert_int_equal(mem_add(&mem, 8 * PAGE, 4 * PAGE, 0, 0, fd), 0);
	assert_int_equal(mem_remove(&mem, 8 * PAGE, PAGE), -ENOENT);
	assert_int_equal(mem_remove(&mem, 9 * PAGE, 3 * PAGE), -ENOENT);
	assert_int_equal(mem_remove(&mem, 7 * PAGE, 4 * PAGE), -ENOENT);
	assert_true(is_open(fd));
	assert_int_equal(mem_remove(&mem, 8 * PAGE, 4 * PAGE), 0);
	assert_false(is_open(fd));
	assert_null(mem_at(&mem, 8 * PAGE, 1));
	assert_int_equal(mem_remove(&mem, 8 * PAGE, 4 * PAGE), -ENOENT);
}

static void the_granule_is_the_largest_page(void **state)
{
	(void)state;
	assert_int_equal(mem_granule(&mem), PAGE);
	assert_int_equal(mem_add(&mem, 0, HUGE, 0, 0,
				 file_of(HUGE, MFD_HUGETLB)), 0);
	assert_int_equal(mem.regions[0].page_size, HUGE);
	assert_int_equal(mem_add(&mem, HUGE, PAGE, 0, 0, file_of(PAGE, 0)), 0);
	assert_int_equal(mem_granule(&mem), HUGE);
	assert_int_equal(mem_remove(&mem, 0, HUGE), 0);
	assert_int_equal(mem_granule(&mem), PAGE);
}

/* As vfio-user maps it: the VGA hole is cut out of the first huge page. */
static void a_region_may_begin_within_a_huge_page(void **state)
{
	int fd = file_of(2 * HUGE, MFD_HUGETLB);

	(void)state;
	assert_int_equal(mem_add(&mem, 0, 0xa0000, 0, 0, dup(fd)), 0);
	assert_int_equal(mem_add(&mem, 0xc0000, 2 * HUGE - 0xc0000, 0, 0xc0000,
				 fd), 0);
	assert_int_equal((uintptr_t)mem.regions[0].map % HUGE, 0);
	assert_int_equal((uintptr_t)mem.regions[1].map % HUGE, 0xc0000);
	assert_null(mem_at(&mem, 0xa0000, 1));
	assert_int_equal(mem_remove(&mem, 0xc0000, 2 * HUGE - 0xc0000), 0);
}

/* Random additions and removals against a list that is searched from one end */
static void lookups_agree_with_a_linear_search(void **state)
{
	bool there[64] = { false };
	unsigned int seed = 4711, i;
	int fd = file_of(PAGE, 0);

	(void)state;
	for (i = 0; i < 4000; i++) {
		unsigned int n = next_random(&seed) % 64;
		uint64_t gpa = n * 3 * PAGE;

		if (there[n])
			assert_int_equal(mem_remove(&mem, gpa, PAGE), 0);
		else
			assert_int_equal(mem_add(&mem, gpa, PAGE, 0, 0,
						 dup(fd)), 0);
		there[n] = !there[n];
		n = next_random(&seed) % 64;
		assert_int_equal(mem_find(&mem, n * 3 * PAGE + 5) != NULL,
				 there[n]);
		assert_null(mem_find(&mem, n * 3 * PAGE + PAGE));
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define MEM_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
		MEM_TEST(regions_are_found_at_their_addresses),
		MEM_TEST(a_range_lies_in_one_region_or_nowhere),
		MEM_TEST(what_makes_no_sense_is_refused),
		MEM_TEST(files_that_cannot_be_memory_are_refused),
		MEM_TEST(there_is_a_most),
		MEM_TEST(removal_is_exact_and_closes_the_file),
		MEM_TEST(the_granule_is_the_largest_page),
		MEM_TEST(a_region_may_begin_within_a_huge_page),
		MEM_TEST(lookups_agree_with_a_linear_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
