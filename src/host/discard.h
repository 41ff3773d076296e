/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Discarding ranges of guest memory: the one place where memory goes.  Shared by
 * the vendor device and the balloon.
 */
#ifndef FPR_HOST_DISCARD_H
#define FPR_HOST_DISCARD_H

#include "mem.h"

enum discard_mode {
	DISCARD_PUNCH,		/* punch holes into the memory's file */
	DISCARD_NONE,		/* refuse everything */
};

/* Why bytes were refused.  The order is that of VIRTIO_FPR_S_GRANULE and on. */
enum discard_reason {
	DISCARD_GRANULE,	/* less than a granule, or not aligned to it */
	DISCARD_RANGE,		/* no memory of this guest */
	DISCARD_DISABLED,	/* %DISCARD_NONE */
	DISCARD_ERROR,		/* the system call failed */
	DISCARD_NR_REASONS
};

/**
 * struct discard - how to discard
 * @mode: whether to
 * @granule: smallest piece to discard, bytes, a power of two; a region's page size
 *	if that is larger.  0 is the page size.
 * @say: told, if not NULL, what the operator should know: memory that cannot be
 *	discarded, a system call that begins to fail.  A few times, not per request
 * @ctx: handed to it
 * @said: errno of the failure that was last mentioned
 */
struct discard {
	enum discard_mode mode;
	uint64_t granule;
	void (*say)(void *ctx, const char *text);
	void *ctx;
	int said;
};

/**
 * struct discard_result - what became of ranges
 * @discarded: bytes
 * @refused: bytes by reason; with @discarded they make the sum of the ranges
 */
struct discard_result {
	uint64_t discarded;
	uint64_t refused[DISCARD_NR_REASONS];
};

/* A word for a reason: "granule", "range", "disabled", "error" */
const char *discard_reason_name(enum discard_reason reason);

/* "punch" or "none"; false if it is neither. */
bool discard_mode_parse(const char *text, enum discard_mode *mode);
const char *discard_mode_name(enum discard_mode mode);

/* The smallest piece that can be discarded everywhere, bytes. */
uint64_t discard_granule(const struct discard *d, const struct mem *mem);

/**
 * discard_range() - discard [gpa, gpa + len) as far as possible
 * @d: how
 * @mem: the guest's memory
 * @gpa: guest physical address, any
 * @len: bytes, any; the range does not wrap
 * @result: what became of it is added
 *
 * The range is split at regions and aligned inwards to the granule in each.
 * Context: blocks for as long as the kernel takes: 0.2 s for a GiB of 4 KiB pages.
 */
void discard_range(struct discard *d, const struct mem *mem, uint64_t gpa,
		   uint64_t len, struct discard_result *result);

/* Bytes refused, for all reasons */
uint64_t discard_refused(const struct discard_result *result);

/* The reason for most of what was refused; DISCARD_NR_REASONS if nothing was. */
enum discard_reason discard_main_reason(const struct discard_result *result);

/**
 * discard_check() - whether a region's file can be discarded at all
 * @region: the region
 *
 * Changes nothing.  Says no to a file without holes, sealed, or read-only.  It
 * cannot see that the VMM has mapped the file privately (share=off): then the
 * rings are private too, and no request ever arrives.
 *
 * Return: 0 or a negative errno.
 */
int discard_check(const struct mem_region *region);

/* Says which regions of @mem cannot be discarded; call when memory has changed. */
void discard_check_all(struct discard *d, const struct mem *mem);

#endif /* FPR_HOST_DISCARD_H */
