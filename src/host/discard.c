// SPDX-License-Identifier: GPL-2.0
/* Discarding ranges of guest memory; see discard.h. */
#define _GNU_SOURCE
#include "discard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *const reason_names[DISCARD_NR_REASONS] = {
	[DISCARD_GRANULE] = "granule",
	[DISCARD_RANGE] = "range",
	[DISCARD_DISABLED] = "disabled",
	[DISCARD_ERROR] = "error",
};

static const char *const mode_names[] = {
	[DISCARD_PUNCH] = "punch",
	[DISCARD_NONE] = "none",
};

const char *discard_reason_name(enum discard_reason reason)
{
	return reason_names[reason];
}

bool discard_mode_parse(const char *text, enum discard_mode *mode)
{
	unsigned int i;

	for (i = 0; i < sizeof(mode_names) / sizeof(mode_names[0]); i++) {
		if (!strcmp(text, mode_names[i])) {
			*mode = (enum discard_mode)i;
			return true;
		}
	}
	return false;
}

const char *discard_mode_name(enum discard_mode mode)
{
	return mode_names[mode];
}

uint64_t discard_granule(const struct discard *d, const struct mem *mem)
{
	uint64_t granule = mem_granule(mem);

	return d->granule > granule ? d->granule : granule;
}

static uint64_t align_down(uint64_t value, uint64_t to)
{
	return value & ~(to - 1);
}

static uint64_t align_up(uint64_t value, uint64_t to)
{
	return align_down(value + to - 1, to);
}

/* Shrinks a range to whole multiples; false if none is left. */
static bool align_inwards(uint64_t *start, uint64_t *len, uint64_t to)
{
	uint64_t from = align_up(*start, to);
	uint64_t end = align_down(*start + *len, to);

	/* Less: it wrapped. */
	if (from < *start || from >= end)
		return false;
	*start = from;
	*len = end - from;
	return true;
}

static int punch(int fd, uint64_t offset, uint64_t len)
{
	int ret;

	do {
		ret = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				(off_t)offset, (off_t)len);
	} while (ret && errno == EINTR);
	return ret ? -errno : 0;
}

static void say_error(struct discard *d, int err)
{
	char text[160];

	if (err == d->said)
		return;
	d->said = err;
	if (!d->say)
		return;
	snprintf(text, sizeof(text),
		 "guest memory could not be discarded: %s; it stays in use",
		 strerror(-err));
	d->say(d->ctx, text);
}

/*
 * Discards [gpa, gpa + len), which lies in the region.  The granule counts from
 * guest address 0, as the guest counts it; a page counts from the beginning of the
 * file, as the kernel does.  It is the same where a VMM can map whole pages.
 *
 * The hole in the file is all it takes: it also unmaps the pages from every process
 * that has mapped the file shared, the VMM and this one.  Measured: MADV_REMOVE
 * on the mapping frees the same bytes in the same time (512 MiB of a memfd with 4 KiB
 * pages 140 to 170 ms either way, 2 MiB pages 0.1 ms for 64 MiB, tmpfs and ext4 alike),
 * one after the other frees no more, and MADV_REMOVE fails on locked memory.
 */
static void discard_piece(struct discard *d, const struct mem_region *r,
			  uint64_t gpa, uint64_t len,
			  struct discard_result *result)
{
	uint64_t start = gpa, n = len, offset;
	int err;

	if (d->mode == DISCARD_NONE) {
		result->refused[DISCARD_DISABLED] += len;
		return;
	}
	if (!align_inwards(&start, &n, d->granule ? d->granule : 1))
		n = 0;
	offset = r->offset + (start - r->gpa);
	if (!align_inwards(&offset, &n, r->page_size))
		n = 0;
	result->refused[DISCARD_GRANULE] += len - n;
	if (!n)
		return;
	err = punch(r->fd, offset, n);
	if (err) {
		result->refused[DISCARD_ERROR] += n;
		say_error(d, err);
		return;
	}
	result->discarded += n;
}

void discard_range(struct discard *d, const struct mem *mem, uint64_t gpa,
		   uint64_t len, struct discard_result *result)
{
	uint64_t end = gpa + len, inside = 0;
	unsigned int i;

	if (end < gpa) {
		result->refused[DISCARD_RANGE] += len;
		return;
	}
	for (i = 0; i < mem->nr; i++) {
		const struct mem_region *r = &mem->regions[i];
		uint64_t from = gpa > r->gpa ? gpa : r->gpa;
		uint64_t to = end < r->gpa + r->size ? end : r->gpa + r->size;

		if (from >= to)
			continue;
		inside += to - from;
		discard_piece(d, r, from, to - from, result);
	}
	result->refused[DISCARD_RANGE] += len - inside;
}

uint64_t discard_refused(const struct discard_result *result)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < DISCARD_NR_REASONS; i++)
		sum += result->refused[i];
	return sum;
}

enum discard_reason discard_main_reason(const struct discard_result *result)
{
	enum discard_reason main = DISCARD_NR_REASONS;
	unsigned int i;

	for (i = 0; i < DISCARD_NR_REASONS; i++)
		if (result->refused[i] &&
		    (main == DISCARD_NR_REASONS ||
		     result->refused[i] > result->refused[main]))
			main = (enum discard_reason)i;
	return main;
}

int discard_check(const struct mem_region *region)
{
	struct stat st;

	if (fstat(region->fd, &st))
		return -errno;
	/*
	 * A hole far beyond the end changes nothing, and fails for the same
	 * reasons as one within.  Far: the VMM may enlarge the file just now.
	 */
	return punch(region->fd,
		     align_up((uint64_t)st.st_size, region->page_size) +
		     (1ULL << 40), region->page_size);
}

void discard_check_all(struct discard *d, const struct mem *mem)
{
	char text[200];
	unsigned int i;

	d->said = 0;
	for (i = 0; i < mem->nr && d->say; i++) {
		const struct mem_region *r = &mem->regions[i];
		int err = discard_check(r);

		if (!err)
			continue;
		snprintf(text, sizeof(text),
			 "memory at %#llx (%llu MiB) cannot be discarded: %s; back it with a memfd or hugetlbfs, share=on",
			 (unsigned long long)r->gpa,
			 (unsigned long long)(r->size >> 20), strerror(-err));
		d->say(d->ctx, text);
	}
}
