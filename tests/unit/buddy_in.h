/* SPDX-License-Identifier: GPL-2.0 */
/*
 * buddy.c and peek.c as they are, for a program that is the allocator which it sees
 * (shim/linux/mmzone.h has what that must define).
 */
#ifndef _UNIT_BUDDY_IN_H
#define _UNIT_BUDDY_IN_H

#include <limits.h>

#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/mmzone.h>
#include <linux/slab.h>
#include <linux/string.h>

/* In the place of the kernel's side of these headers. */
#define _FPR_COMPAT_H
#define _FPR_KSYMS_H
#define _FPR_STATS_H
#define _FPR_FPR_H
struct fpr_device {
	unsigned int min_order;
	u64 max_entry_bytes;
};

static int shim_migratetype = MIGRATE_MOVABLE;
static struct { unsigned long held_pages, isolate_failed, max_lock_hold_ns; } fpr_stats;
#define fpr_stat_set(stat, value)	(*(stat) = (value))
#define fpr_stat_add(stat, value)	(*(stat) += (value))

#include "../../src/core/peek.c"
#include "../../src/core/buddy.c"

#endif
