// SPDX-License-Identifier: GPL-2.0
/* Discarding: what was asked for goes, to the page, and nothing else. */
#define _GNU_SOURCE
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/host/device.h"

#define PAGE	4096ULL
#define HUGE	(2 * MIB)

static struct device device;
static struct guest guest;
static struct discard_result result;

static int begin(void **state)
{
	(void)state;
	device_init(&device);
	device.discard.say = guest_hear;
	device.discard.ctx = &guest;
	guest_boot(&guest, &device.vdev, QUEUE_SIZE);
	memset(&result, 0, sizeof(result));
	return 0;
}

static int end(void **state)
{
	(void)state;
	guest_shutdown(&guest);
	return 0;
}

static void discard(uint64_t gpa, uint64_t len)
{
	discard_range(&device.discard, &device.vdev.mem, gpa, len, &result);
	assert_int_equal(result.discarded + discard_refused(&result), len);
}

/* Pages of a range that are in memory, as mincore() has it */
static uint64_t resident(uint64_t gpa, uint64_t len)
{
	unsigned char vec[4096];
	uint64_t i, n = 0;

	assert_true(len / PAGE <= sizeof(vec));
	assert_int_equal(mincore(guest_at(&guest, gpa), len, vec), 0);
	for (i = 0; i < len / PAGE; i++)
		n += vec[i] & 1;
	return n;
}

static void what_is_discarded_is_gone(void **state)
{
	uint64_t before;

	(void)state;
	guest_fill(&guest, HIGH, HIGH_SIZE, 0x5a);
	before = guest_blocks(&guest);
	assert_int_equal(resident(HIGH, HIGH_SIZE), HIGH_SIZE / PAGE);
	discard(HIGH + MIB, 2 * MIB);
	assert_int_equal(result.discarded, 2 * MIB);
	assert_int_equal(discard_main_reason(&result), DISCARD_NR_REASONS);
	assert_int_equal(before - guest_blocks(&guest), 2 * MIB / 512);
	assert_int_equal(resident(HIGH + MIB, 2 * MIB), 0);
	/* The neighbours keep every byte, what is gone reads as zeros. */
	assert_true(guest_is(&guest, HIGH, MIB, 0x5a));
	assert_true(guest_is(&guest, HIGH + 3 * MIB, HIGH_SIZE - 3 * MIB, 0x5a));
	assert_true(guest_is(&guest, HIGH + MIB, 2 * MIB, 0));
	/* And can be used again. */
	guest_fill(&guest, HIGH + MIB, PAGE, 0x11);
	assert_true(guest_is(&guest, HIGH + MIB, PAGE, 0x11));
}

static void ranges_are_split_at_regions(void **state)
{
	(void)state;
	/* The end of LOW, and the beginning of NEXT: far apart in the file */
	guest_fill(&guest, LOW + MIB, LOW_SIZE - MIB, 1);
	guest_fill(&guest, NEXT, NEXT_SIZE, 2);
	discard(NEXT - 3 * PAGE, 5 * PAGE);
	assert_int_equal(result.discarded, 5 * PAGE);
	assert_true(guest_is(&guest, LOW + MIB, LOW_SIZE - MIB - 3 * PAGE, 1));
	assert_true(guest_is(&guest, NEXT - 3 * PAGE, 5 * PAGE, 0));
	assert_true(guest_is(&guest, NEXT + 2 * PAGE, NEXT_SIZE - 2 * PAGE, 2));
}

static void what_is_no_memory_is_refused(void **state)
{
	(void)state;
	discard(1ULL << 40, MIB);
	assert_int_equal(result.refused[DISCARD_RANGE], MIB);
	assert_int_equal(discard_main_reason(&result), DISCARD_RANGE);
	/* From NEXT across the hole into HIGH */
	memset(&result, 0, sizeof(result));
	guest_fill(&guest, NEXT, NEXT_SIZE, 2);
	guest_fill(&guest, HIGH, HIGH_SIZE, 3);
	discard(NEXT + NEXT_SIZE - MIB, HIGH - (NEXT + NEXT_SIZE) + 2 * MIB);
	assert_int_equal(result.discarded, 2 * MIB);
	assert_int_equal(result.refused[DISCARD_RANGE],
			 HIGH - (NEXT + NEXT_SIZE));
	assert_true(guest_is(&guest, NEXT, NEXT_SIZE - MIB, 2));
	assert_true(guest_is(&guest, HIGH, MIB, 0));
	assert_true(guest_is(&guest, HIGH + MIB, HIGH_SIZE - MIB, 3));
	/* All that there is, and the end of the address space */
	memset(&result, 0, sizeof(result));
	discard(0, UINT64_MAX);
	assert_int_equal(result.discarded, LOW_SIZE + NEXT_SIZE + HIGH_SIZE);
	memset(&result, 0, sizeof(result));
	discard(UINT64_MAX - PAGE + 1, PAGE);
	assert_int_equal(result.refused[DISCARD_RANGE], PAGE);
	memset(&result, 0, sizeof(result));
	discard(PAGE, UINT64_MAX);
	assert_int_equal(result.refused[DISCARD_RANGE], UINT64_MAX);
}

static void parts_of_pages_stay(void **state)
{
	(void)state;
	guest_fill(&guest, HIGH, 8 * PAGE, 7);
	discard(HIGH + 100, PAGE);
	assert_int_equal(result.discarded, 0);
	assert_int_equal(result.refused[DISCARD_GRANULE], PAGE);
	assert_int_equal(discard_main_reason(&result), DISCARD_GRANULE);
	memset(&result, 0, sizeof(result));
	discard(HIGH + 1, 3 * PAGE - 2);
	assert_int_equal(result.discarded, PAGE);
	assert_true(guest_is(&guest, HIGH, PAGE, 7));
	assert_true(guest_is(&guest, HIGH + PAGE, PAGE, 0));
	assert_true(guest_is(&guest, HIGH + 2 * PAGE, 6 * PAGE, 7));
	memset(&result, 0, sizeof(result));
	discard(HIGH, 0);
	assert_int_equal(result.discarded, 0);
}

static void the_granule_that_is_set_is_kept(void **state)
{
	(void)state;
	device.discard.granule = HUGE;
	assert_int_equal(discard_granule(&device.discard, &device.vdev.mem),
			 HUGE);
	guest_fill(&guest, HIGH, HIGH_SIZE, 7);
	discard(HIGH + PAGE, HUGE);
	assert_int_equal(result.refused[DISCARD_GRANULE], HUGE);
	memset(&result, 0, sizeof(result));
	discard(HIGH + HUGE - PAGE, HUGE + 2 * PAGE);
	assert_int_equal(result.discarded, HUGE);
	assert_int_equal(result.refused[DISCARD_GRANULE], 2 * PAGE);
	assert_true(guest_is(&guest, HIGH, HUGE, 7));
	assert_true(guest_is(&guest, HIGH + HUGE, HUGE, 0));
	assert_true(guest_is(&guest, HIGH + 2 * HUGE, HUGE, 7));
	/* A granule beyond all memory overflows nothing. */
	device.discard.granule = 1ULL << 63;
	memset(&result, 0, sizeof(result));
	discard(HIGH, HIGH_SIZE);
	assert_int_equal(result.refused[DISCARD_GRANULE], HIGH_SIZE);
	/* One below the page size counts for nothing. */
	device.discard.granule = 512;
	memset(&result, 0, sizeof(result));
	discard(HIGH + 512, PAGE);
	assert_int_equal(result.refused[DISCARD_GRANULE], PAGE);
	assert_int_equal(discard_granule(&device.discard, &device.vdev.mem),
			 PAGE);
}

static void nothing_goes_when_it_is_disabled(void **state)
{
	uint64_t before;

	(void)state;
	device.discard.mode = DISCARD_NONE;
	guest_fill(&guest, HIGH, HIGH_SIZE, 7);
	before = guest_blocks(&guest);
	discard(HIGH - PAGE, MIB);
	assert_int_equal(result.refused[DISCARD_DISABLED], MIB - PAGE);
	assert_int_equal(result.refused[DISCARD_RANGE], PAGE);
	assert_int_equal(discard_main_reason(&result), DISCARD_DISABLED);
	assert_int_equal(guest_blocks(&guest), before);
}

/* Makes the file of HIGH one that cannot be written to. */
static void turn_read_only(void)
{
	struct mem_region *r = &device.vdev.mem.regions[2];
	char path[32];

	assert_int_equal(r->gpa, HIGH);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", guest.fd);
	close(r->fd);
	r->fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(r->fd >= 0);
}

static void a_failure_is_told_once(void **state)
{
	(void)state;
	guest_fill(&guest, HIGH, HIGH_SIZE, 7);
	turn_read_only();
	discard(HIGH, MIB);
	assert_int_equal(result.refused[DISCARD_ERROR], MIB);
	assert_int_equal(discard_main_reason(&result), DISCARD_ERROR);
	assert_int_equal(guest.said, 1);
	assert_non_null(strstr(guest.text, "could not be discarded"));
	memset(&result, 0, sizeof(result));
	discard(HIGH + 100, 2 * PAGE);
	assert_int_equal(result.refused[DISCARD_ERROR], PAGE);
	assert_int_equal(result.refused[DISCARD_GRANULE], PAGE);
	assert_int_equal(guest.said, 1);
	assert_true(guest_is(&guest, HIGH, HIGH_SIZE, 7));
	/* Other memory: told again, and beforehand. */
	discard_check_all(&device.discard, &device.vdev.mem);
	assert_int_equal(guest.said, 2);
	assert_non_null(strstr(guest.text, "share=on"));
	memset(&result, 0, sizeof(result));
	discard(HIGH, MIB);
	assert_int_equal(guest.said, 3);
	device.discard.say = NULL;
	discard_check_all(&device.discard, &device.vdev.mem);
	memset(&result, 0, sizeof(result));
	discard(HIGH, MIB);
	assert_int_equal(guest.said, 3);
}

static void the_check_changes_nothing(void **state)
{
	const struct mem *mem = &device.vdev.mem;
	uint64_t before;
	struct stat st;

	(void)state;
	guest_fill(&guest, HIGH, HIGH_SIZE, 7);
	before = guest_blocks(&guest);
	assert_int_equal(discard_check(&mem->regions[2]), 0);
	assert_int_equal(guest_blocks(&guest), before);
	assert_int_equal(fstat(guest.fd, &st), 0);
	assert_int_equal(st.st_size, FILE_SIZE);
	assert_true(guest_is(&guest, HIGH, HIGH_SIZE, 7));
	turn_read_only();
	assert_int_equal(discard_check(&mem->regions[2]), -EBADF);
}

static void a_sealed_file_is_noticed(void **state)
{
	struct mem_region r = { .page_size = PAGE };

	(void)state;
	r.fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(r.fd, MIB), 0);
	assert_int_equal(discard_check(&r), 0);
	assert_int_equal(fcntl(r.fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
	assert_int_equal(discard_check(&r), -EPERM);
	close(r.fd);
	assert_int_equal(discard_check(&r), -EBADF);
}

/*
 * A VMM without share=on: it sees its own copy, this program another.  Nothing is
 * lost then, and nothing gained; device_test.c has what is said about it.
 */
static void private_memory_stays(void **state)
{
	uint8_t *map;

	(void)state;
	map = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE, guest.fd,
		   HIGH_OFFSET);
	assert_ptr_not_equal(map, MAP_FAILED);
	memset(map, 9, MIB);
	discard(HIGH, MIB);
	assert_int_equal(result.discarded, MIB);
	assert_int_equal(map[0], 9);
	assert_int_equal(map[MIB - 1], 9);
	munmap(map, MIB);
}

/* Two huge pages in a file that the guest sees cut in the middle */
static void huge_pages_go_whole(void **state)
{
	struct mem mem;
	struct stat st;
	uint8_t *map;
	int fd;

	(void)state;
	fd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB | MFD_HUGE_2MB);
	if (fd < 0)
		skip();
	assert_int_equal(ftruncate(fd, 3 * HUGE), 0);
	map = mmap(NULL, 3 * HUGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		print_message("# no huge pages: echo 3 >/proc/sys/vm/nr_hugepages\n");
		close(fd);
		skip();
	}
	memset(map, 4, 3 * HUGE);
	mem_init(&mem);
	assert_int_equal(mem_add(&mem, 0, HUGE + MIB, 0, 0, dup(fd)), 0);
	assert_int_equal(mem_add(&mem, HUGE + MIB, HUGE + MIB, 0, HUGE + MIB,
				 dup(fd)), 0);
	discard_check_all(&device.discard, &mem);
	assert_int_equal(guest.said, 0);
	discard_range(&device.discard, &mem, PAGE, 3 * HUGE - PAGE, &result);
	/* The first lacks a page, the second is in two regions. */
	assert_int_equal(result.discarded, HUGE);
	assert_int_equal(result.refused[DISCARD_GRANULE], 2 * HUGE - PAGE);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_blocks, 2 * HUGE / 512);
	assert_int_equal(map[HUGE - 1], 4);
	assert_int_equal(map[2 * HUGE - 1], 4);
	munmap(map, 3 * HUGE);
	mem_clear(&mem);
	close(fd);
}

/*
 * A file whose huge pages lie otherwise than the guest's: the file's are those that
 * can go.  No page needs to be there for that.
 */
static void huge_pages_are_the_files(void **state)
{
	struct mem mem;
	int fd;

	(void)state;
	fd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB | MFD_HUGE_2MB);
	if (fd < 0)
		skip();
	assert_int_equal(ftruncate(fd, 4 * HUGE), 0);
	mem_init(&mem);
	assert_int_equal(mem_add(&mem, 0, 3 * HUGE, 0, MIB, fd), 0);
	discard_range(&device.discard, &mem, 0, HUGE, &result);
	assert_int_equal(result.discarded, 0);
	discard_range(&device.discard, &mem, 0, 3 * HUGE, &result);
	assert_int_equal(result.discarded, 2 * HUGE);
	device.discard.granule = HUGE;
	memset(&result, 0, sizeof(result));
	discard_range(&device.discard, &mem, 0, 3 * HUGE, &result);
	assert_int_equal(result.discarded, 2 * HUGE);
	mem_clear(&mem);
}

static void random_ranges_agree_with_a_page_by_page_view(void **state)
{
	static uint8_t expected[(HIGH + HIGH_SIZE) / PAGE];
	unsigned int seed = 99, i, round;

	(void)state;
	for (round = 0; round < 40; round++) {
		uint64_t freed = 0;

		guest_fill(&guest, LOW, LOW_SIZE, 1);
		guest_fill(&guest, NEXT, NEXT_SIZE, 1);
		guest_fill(&guest, HIGH, HIGH_SIZE, 1);
		memset(expected, 1, sizeof(expected));
		memset(&result, 0, sizeof(result));
		for (i = 0; i < 8; i++) {
			uint64_t gpa = (uint64_t)(next_random(&seed) % 8000) *
				1024, end, at;
			uint64_t len = (uint64_t)next_random(&seed) % MIB;
			uint64_t sum = result.discarded;

			if (next_random(&seed) % 2)
				gpa += HIGH - MIB;
			end = gpa + len;
			discard_range(&device.discard, &device.vdev.mem, gpa,
				      len, &result);
			sum = result.discarded - sum;
			for (at = 0; at < sizeof(expected); at++)
				if (at * PAGE >= gpa && (at + 1) * PAGE <= end &&
				    mem_find(&device.vdev.mem, at * PAGE)) {
					sum -= PAGE;
					freed += expected[at];
					expected[at] = 0;
				}
			assert_int_equal(sum, 0);
		}
		assert_int_equal(guest_blocks(&guest),
				 (FILE_SIZE - freed * PAGE) / 512);
		for (i = 0; i < sizeof(expected); i++)
			if (mem_find(&device.vdev.mem, i * PAGE))
				assert_int_equal(*(uint8_t *)
					guest_at(&guest, i * PAGE), expected[i]);
	}
}

static void modes_and_reasons_have_names(void **state)
{
	enum discard_mode mode = DISCARD_NONE;

	(void)state;
	assert_true(discard_mode_parse("punch", &mode));
	assert_int_equal(mode, DISCARD_PUNCH);
	assert_true(discard_mode_parse("none", &mode));
	assert_int_equal(mode, DISCARD_NONE);
	assert_false(discard_mode_parse("", &mode));
	assert_false(discard_mode_parse("Punch", &mode));
	assert_false(discard_mode_parse("punch ", &mode));
	assert_int_equal(mode, DISCARD_NONE);
	assert_string_equal(discard_mode_name(DISCARD_PUNCH), "punch");
	assert_string_equal(discard_reason_name(DISCARD_GRANULE), "granule");
	assert_string_equal(discard_reason_name(DISCARD_ERROR), "error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define DISCARD_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
		DISCARD_TEST(what_is_discarded_is_gone),
		DISCARD_TEST(ranges_are_split_at_regions),
		DISCARD_TEST(what_is_no_memory_is_refused),
		DISCARD_TEST(parts_of_pages_stay),
		DISCARD_TEST(the_granule_that_is_set_is_kept),
		DISCARD_TEST(nothing_goes_when_it_is_disabled),
		DISCARD_TEST(a_failure_is_told_once),
		DISCARD_TEST(the_check_changes_nothing),
		DISCARD_TEST(a_sealed_file_is_noticed),
		DISCARD_TEST(private_memory_stays),
		DISCARD_TEST(huge_pages_go_whole),
		DISCARD_TEST(huge_pages_are_the_files),
		DISCARD_TEST(random_ranges_agree_with_a_page_by_page_view),
		DISCARD_TEST(modes_and_reasons_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
