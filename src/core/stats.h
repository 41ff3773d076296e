/* SPDX-License-Identifier: GPL-2.0 */
/* Counters behind /sys/kernel/fpr/stats/. */
#ifndef _FPR_STATS_H
#define _FPR_STATS_H

#include <linux/compiler.h>
#include <linux/types.h>

/*
 * struct fpr_stats - lifetime counters, see docs/abi/sysfs-kernel-fpr
 *
 * Written by the worker alone (one thread at a time) with the helpers below, read
 * without a lock: each is a word of its own and is only ever shown.
 */
struct fpr_stats {
	unsigned long reported_pages;
	unsigned long reports;
	unsigned long segments;
	unsigned long errors;
	unsigned long isolate_failed;
	unsigned long marks;
	unsigned long recycled_blocks;
	unsigned long saved_blocks;
	unsigned long held_pages;
	unsigned long passes;
	unsigned long wakeups;
	unsigned long sweeps;
	unsigned long drains;
	unsigned long requests;
	unsigned long last_pass_us;
	unsigned long max_lock_hold_ns;
};

extern struct fpr_stats fpr_stats;

/* The engine mutex makes writers one; readers have no lock. */
static inline void fpr_stat_set(unsigned long *stat, unsigned long value)
{
	WRITE_ONCE(*stat, value);
}

static inline void fpr_stat_add(unsigned long *stat, unsigned long n)
{
	WRITE_ONCE(*stat, *stat + n);
}

#endif /* _FPR_STATS_H */
