// SPDX-License-Identifier: GPL-2.0
/* Looking at what is free without a lock; see peek.h. */
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/page_ref.h>

#include "peek.h"

/*
 * Inlined where each page of a block is looked at.  A buddy larger than a block is
 * looked for at a block's start only: it has all of the block.
 */
static __always_inline struct page *peek_buddy(unsigned long pfn, unsigned int *order)
{
	struct page *page = pfn_to_page(pfn);
	unsigned int o;

	/* data_race() here and below: a look without the lock is meant to race. */
	if (data_race(PageBuddy(page))) {
		*order = READ_ONCE(page->private);
		return *order <= FPR_MAX_ORDER ? page : NULL;
	}
	if (pfn & (FPR_BLOCK_PAGES - 1))
		return NULL;
	for (o = FPR_BLOCK_ORDER + 1; o <= FPR_MAX_ORDER; o++) {
		page = pfn_to_page(round_down(pfn, 1UL << o));
		/* As above. */
		if (!data_race(PageBuddy(page)))
			continue;
		*order = READ_ONCE(page->private);
		if (*order >= o && *order <= FPR_MAX_ORDER)
			return page;
	}
	return NULL;
}

/**
 * fpr_peek_buddy() - the free buddy that a page lies in
 * @pfn: page frame of online memory, at a block's start or where a buddy may begin
 * @order: set to the buddy's order
 *
 * One that begins elsewhere is found only at the start of a block, of which it has
 * all: callers walk a range buddy by buddy from a block's start.
 * Context: any; a hint without zone->lock, a fact with it.
 * Return: its first page, or NULL.
 */
struct page *fpr_peek_buddy(unsigned long pfn, unsigned int *order)
{
	return peek_buddy(pfn, order);
}

/**
 * fpr_peek_run_end() - where the free buddies end that follow each other
 * @pfn: first page frame, as for fpr_peek_buddy()
 * @end: how far to look
 * @order: smallest order that counts
 *
 * Context: any; a hint.
 * Return: the page frame after the last of them, @pfn if there is none.
 */
unsigned long fpr_peek_run_end(unsigned long pfn, unsigned long end,
			       unsigned int order)
{
	while (pfn < end) {
		unsigned int o;
		struct page *head = peek_buddy(pfn, &o);
		unsigned long next;

		if (!head || o < order)
			break;
		next = page_to_pfn(head) + (1UL << o);
		/* Torn order of a page that is just being taken. */
		if (next <= pfn)
			break;
		pfn = min(next, end);
	}
	return pfn;
}

/*
 * Where the next run of at least @run pages may begin, at or behind @pfn, where the
 * walk by buddies of @order has come to; @end: there is none.  Such a run covers a
 * multiple of each power of two that is not larger than it, and the free buddy there
 * begins there, or at one before.  So one page in so many tells, with what follows it,
 * whether those before it are of any use: of most memory that is in use, or free in
 * small pieces, the other page structures need not be read.
 */
static unsigned long skip_short(unsigned long pfn, unsigned long end,
				unsigned int order, unsigned long run)
{
	unsigned long step = 1UL << ilog2(run), at;

	if (step <= 1UL << order)
		return pfn;
	while ((at = round_up(pfn, step)) < end) {
		/* @at itself where it is not free. */
		unsigned long stop = at;

		/* A hint, as in fpr_peek_buddy(). */
		if (data_race(PageBuddy(pfn_to_page(at))))
			stop = fpr_peek_run_end(at, end, order);

		/* Not all before it need be free. */
		for (; pfn + run <= stop; pfn = fpr_next_pfn(pfn, order))
			if (fpr_peek_run_end(pfn, pfn + 1, order) > pfn)
				return pfn;
		pfn = stop > at ? stop : fpr_next_pfn(at, order);
	}
	return end;
}

/**
 * fpr_peek_free() - count the free pages of a range, without a lock
 * @pfn: first page frame, of online memory, at a block's start
 * @end: page frame after the last
 * @order: smallest order counted
 * @run: fewest base pages of contiguous buddies that are counted; 0: any
 *
 * Context: any; a hint.
 * Return: base pages of the range in free buddies of at least @order.
 */
unsigned long fpr_peek_free(unsigned long pfn, unsigned long end,
			    unsigned int order, unsigned long run)
{
	unsigned long pages = 0;

	while (pfn < end) {
		unsigned long next = fpr_peek_run_end(pfn, end, order);

		if (next - pfn >= run)
			pages += next - pfn;
		if (next > pfn)
			pfn = next;
		else
			pfn = skip_short(fpr_next_pfn(pfn, order), end, order, run ?: 1);
	}
	return pages;
}

/* Who has a page, as far as can be told. */
enum owner {
	OWNER_BUDDY,	/* the buddy allocator: it is free */
	OWNER_LIST,	/* a per-CPU list, or another that isolates it at this moment */
	OWNER_USER,
};

/* @order: set to that of the buddy, 0 where it is none */
static __always_inline enum owner owner(unsigned long pfn, unsigned int *order)
{
	struct page *page = pfn_to_page(pfn);

	if (peek_buddy(pfn, order))
		return OWNER_BUDDY;
	*order = 0;
	/* No references and no type: what was freed to a list has neither. */
	return page_ref_count(page) ||
	       /* A hint again. */
	       data_race(PageCompound(page) || PageReserved(page)) ||
	       atomic_read(&page->_mapcount) != -1 ? OWNER_USER : OWNER_LIST;
}

/**
 * fpr_peek_stuck() - whether a block is free but for pages on per-CPU lists
 * @block: number of a block of online memory
 *
 * Context: any; a hint.
 * Return: true if draining the per-CPU lists would probably make it whole.
 */
bool fpr_peek_stuck(unsigned long block)
{
	unsigned long pfn = block << FPR_BLOCK_ORDER;
	unsigned long end = pfn + FPR_BLOCK_PAGES;
	bool stuck = false;

	while (pfn < end) {
		unsigned int order;
		enum owner who = owner(pfn, &order);

		if (who == OWNER_USER)
			return false;
		stuck |= who == OWNER_LIST;
		pfn = fpr_next_pfn(pfn, order);
	}
	return stuck;
}

/**
 * fpr_peek_unused() - count the pages of a block that nobody uses
 * @block: number of a block of online memory
 *
 * Context: any; a hint.
 * Return: base pages that are free, or will be when the per-CPU lists are drained.
 */
unsigned long fpr_peek_unused(unsigned long block)
{
	unsigned long pfn = block << FPR_BLOCK_ORDER;
	unsigned long end = pfn + FPR_BLOCK_PAGES, pages = 0;

	while (pfn < end) {
		unsigned int order;
		bool unused = owner(pfn, &order) != OWNER_USER;
		unsigned long next = min(fpr_next_pfn(pfn, order), end);

		if (unused)
			pages += next - pfn;
		pfn = next;
	}
	return pages;
}
