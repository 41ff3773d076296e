/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A page allocator of one zone, of which buddy_test.c says what is free: as much as
 * buddy.c sees of the kernel's.
 */
#ifndef _SHIM_MMZONE_H
#define _SHIM_MMZONE_H

#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/types.h>

#define PAGE_SHIFT		12
#define PAGE_SIZE		(1UL << PAGE_SHIFT)
#define FPR_MAX_ORDER		10U
#define pageblock_order		9U
#define pageblock_nr_pages	(1UL << pageblock_order)
#define NR_FREE_PAGES		0
#define MIGRATE_UNMOVABLE	0
#define MIGRATE_MOVABLE		1
#define __acquires(lock)
#define __releases(lock)
#define data_race(expr)		(expr)
#define round_up(x, y)		round_down((x) + (y) - 1, y)
#define round_down(x, y)	((x) & ~((__typeof__(x))(y) - 1))
#define min_t(type, a, b)	min((type)(a), (type)(b))

typedef struct { int counter; } atomic_t;

struct zone {
	int lock;
	unsigned long free;
	unsigned long low;
	unsigned long nr_reserved_highatomic;
};

/* As large as the kernel's, which is what a walk costs. */
struct page {
	unsigned long private;
	bool buddy;
	bool isolated;
	int refs;
	atomic_t _mapcount;
} __attribute__((aligned(64)));

extern struct page *pfn_to_page(unsigned long pfn);
extern unsigned long page_to_pfn(const struct page *page);
extern struct zone *page_zone(const struct page *page);
extern void spin_lock(int *lock);
extern void spin_unlock(int *lock);
extern unsigned long fpr_isolate_free_page(struct page *page, unsigned int order);
extern void fpr_putback_isolated_page(struct page *page, unsigned int order, int type);

#define spin_lock_irqsave(lock, flags)		((flags) = 0, spin_lock(lock))
#define spin_unlock_irqrestore(lock, flags)	((void)(flags), spin_unlock(lock))
#define PageBuddy(page)				((page)->buddy)
#define PageCompound(page)			((void)(page), false)
#define PageReserved(page)			((void)(page), false)
#define page_ref_count(page)			((page)->refs)
#define atomic_read(a)				((a)->counter)
#define fpr_pageblock_migratetype(page)		((void)(page), shim_migratetype)
#define is_migrate_isolate(type)		((void)(type), false)
#define zone_page_state(zone, item)		((zone)->free)
#define low_wmark_pages(zone)			((zone)->low)
#define ktime_get_mono_fast_ns()		((u64)0)

#endif
