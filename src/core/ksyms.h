/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page allocator's own functions that fpr calls: global in every kernel
 * from 5.10 on, exported in none.  ksyms.c is the only file that knows how.
 */
#ifndef _FPR_KSYMS_H
#define _FPR_KSYMS_H

#include <linux/types.h>

struct page;
struct zone;

int fpr_ksyms_init(void);
void *fpr_ksyms_find(const char *name, bool *traced);

/**
 * fpr_isolate_free_page() - take a free buddy out of the allocator
 * @page: head of a buddy: PageBuddy() seen under the zone lock still held
 * @order: its order, read under the same lock
 *
 * Context: zone->lock held.
 * Return: the number of pages, or 0 if the zone's minimum watermark forbids it.
 * Source: mm/page_alloc.c __isolate_free_page().
 */
unsigned int fpr_isolate_free_page(struct page *page, unsigned int order);

/**
 * fpr_putback_isolated_page() - give a buddy back, to the tail of its free list
 * @page: head of pages taken by fpr_isolate_free_page()
 * @order: order to put back, at most the pageblock's
 * @migratetype: of the pageblock, read under the lock still held
 *
 * Context: zone->lock held.
 * Source: mm/page_alloc.c __putback_isolated_page().
 */
void fpr_putback_isolated_page(struct page *page, unsigned int order,
			       int migratetype);

/**
 * fpr_pageblock_migratetype() - migratetype of the pageblock of a page
 * @page: page of online memory
 *
 * Context: any; stable only under zone->lock.
 * Source: mm/page_alloc.c get_pfnblock_migratetype() and its predecessors.
 */
int fpr_pageblock_migratetype(struct page *page);

/**
 * fpr_drain_percpu_lists() - move pages of the per-CPU lists to the free lists
 *
 * Nothing happens where the kernel's function was not found.
 * Context: process context, may sleep.
 * Source: mm/page_alloc.c drain_all_pages().
 */
void fpr_drain_percpu_lists(void);

#endif /* _FPR_KSYMS_H */
