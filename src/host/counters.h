/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a device has done, and two ways to print it.
 */
#ifndef FPR_HOST_COUNTERS_H
#define FPR_HOST_COUNTERS_H

#include "discard.h"

/* Upper limits of the histogram's buckets are in counters.c; one more has none. */
#define COUNTERS_BUCKETS	10
/* Enough for either text. */
#define COUNTERS_TEXT_SIZE	8192

/**
 * struct counters - what a device has done; all of it only grows
 * @reports: reports served
 * @ranges: ranges in them
 * @discarded_bytes: bytes discarded
 * @refused_bytes: bytes that were not, by reason
 * @unsupported: requests of a type that is not known
 * @needs_reset: times that the driver broke the rules
 * @requests_made: times that the host asked for memory
 * @requests_answered: those that were answered
 * @latency: reports by the time they took; not cumulative
 * @latency_sum_ns: the sum of these times
 */
struct counters {
	uint64_t reports;
	uint64_t ranges;
	uint64_t discarded_bytes;
	uint64_t refused_bytes[DISCARD_NR_REASONS];
	uint64_t unsupported;
	uint64_t needs_reset;
	uint64_t requests_made;
	uint64_t requests_answered;
	uint64_t latency[COUNTERS_BUCKETS + 1];
	uint64_t latency_sum_ns;
};

/**
 * counters_report() - count a report
 * @c: counters
 * @ranges: ranges it had
 * @result: what became of them
 * @ns: how long it took
 */
void counters_report(struct counters *c, unsigned int ranges,
		     const struct discard_result *result, uint64_t ns);

/**
 * counters_text() - for people: a line "name value" for each counter
 * @c: counters
 * @to: buffer
 * @size: its size; %COUNTERS_TEXT_SIZE is enough
 *
 * Return: length of the text without the final 0; @size or more says that it was
 * cut, as with snprintf().
 */
size_t counters_text(const struct counters *c, char *to, size_t size);

/**
 * counters_prometheus() - in Prometheus's text format
 * @c: counters
 * @guest: value of the label "guest" of each line; NULL or "" for no label.  Any
 *	bytes; what the format does not take is escaped.  At most 64 are used
 * @to: buffer
 * @size: its size; %COUNTERS_TEXT_SIZE is enough
 *
 * Return: as counters_text().
 */
size_t counters_prometheus(const struct counters *c, const char *guest, char *to,
			   size_t size);

/**
 * counters_write_file() - replace a file as a whole
 * @path: the file; a temporary one is made beside it ("PATH.PID.tmp") and renamed
 * @text: new contents
 * @len: bytes of it
 *
 * Who reads the file finds the old text or the new one, never a part.
 * Return: 0 or a negative errno; then the old file is untouched, and no temporary
 * one remains.
 */
int counters_write_file(const char *path, const char *text, size_t len);

#endif /* FPR_HOST_COUNTERS_H */
