// SPDX-License-Identifier: GPL-2.0
/*
 * How long a sweep looks at a guest of so many GiB, whose pages are in use or free in
 * one way or another: what fpr_memory_sweep() asks of peek.c for each block.
 * "sweep_bench 16" prints "name value unit" lines; scripts/bench-blockmap says what
 * they are.
 */
#include "bench.h"

#include <sys/mman.h>

#include "buddy_in.h"

#define BLOCKS_PER_GIB	512UL
/* floor_order */
#define RUN		16UL

int shim_alloc_budget = -1;

static struct zone zone;
static struct page *pages;
static unsigned long npages;

struct page *pfn_to_page(unsigned long pfn)
{
	return pages + pfn;
}

unsigned long page_to_pfn(const struct page *page)
{
	return page - pages;
}

struct zone *page_zone(const struct page *page)
{
	(void)page;
	return &zone;
}

/* Nothing is taken here. */
void spin_lock(int *lock)
{
	*lock = 1;
}

void spin_unlock(int *lock)
{
	*lock = 0;
}

void cond_resched_tasks_rcu_qs(void)
{
}

unsigned long fpr_isolate_free_page(struct page *page, unsigned int order)
{
	(void)page;
	(void)order;
	return 0;
}

void fpr_putback_isolated_page(struct page *page, unsigned int order, int type)
{
	(void)page;
	(void)order;
	(void)type;
}

/* Of every @n pages, one in the mean, at random; of every 2 * @n the former @n, as one
 * buddy; all, in whole blocks; none.
 */
enum layout { RANDOM, PIECES, WHOLE, USED };

static bool starts_buddy(enum layout layout, unsigned long n, unsigned long pfn)
{
	static unsigned int rnd = 1;

	switch (layout) {
	case RANDOM:
		rnd = rnd * 1103515245u + 12345u;
		return (rnd >> 8) % n == 0;
	case PIECES:
		return pfn % (2 * n) == 0;
	case WHOLE:
		return pfn % FPR_BLOCK_PAGES == 0;
	default:
		return false;
	}
}

static void lay_out(enum layout layout, unsigned long n)
{
	unsigned long pfn;

	for (pfn = 0; pfn < npages; pfn++) {
		struct page *page = pfn_to_page(pfn);

		page->buddy = starts_buddy(layout, n, pfn);
		page->private = layout == WHOLE ? FPR_BLOCK_ORDER : layout == PIECES ? ilog2(n) : 0;
		page->refs = 1;
		page->_mapcount.counter = -1;
	}
}

static void nothing(void *arg)
{
	(void)arg;
}

/* Inlined into each of those below, as the question is where the core asks it. */
static __attribute__((always_inline)) inline unsigned long
ask_each_block(unsigned long (*ask)(unsigned long pfn))
{
	unsigned long pfn, sum = 0;

	for (pfn = 0; pfn < npages; pfn += FPR_BLOCK_PAGES)
		sum += fpr_peek_free(pfn, pfn + FPR_BLOCK_PAGES, FPR_BLOCK_ORDER, 0) + ask(pfn);
	return sum;
}

static inline unsigned long runs(unsigned long pfn)
{
	return fpr_peek_free(pfn, pfn + FPR_BLOCK_PAGES, 0, RUN);
}

static inline unsigned long stuck_or_runs(unsigned long pfn)
{
	return fpr_peek_stuck(pfn >> FPR_BLOCK_ORDER) + runs(pfn);
}

static inline unsigned long stuck_or_unused(unsigned long pfn)
{
	return fpr_peek_stuck(pfn >> FPR_BLOCK_ORDER) + fpr_peek_unused(pfn >> FPR_BLOCK_ORDER);
}

/* What a sweep asks of each block: see fpr_memory_sweep(). */
static unsigned long sweep(void *arg)
{
	(void)arg;
	return ask_each_block(runs);
}

/* What the first pass asks of a block in which no whole one is free. */
static unsigned long start(void *arg)
{
	(void)arg;
	return ask_each_block(stuck_or_runs);
}

/* And of one in which something was freed. */
static unsigned long look(void *arg)
{
	(void)arg;
	return ask_each_block(stuck_or_unused);
}

int main(int argc, char **argv)
{
	unsigned long gib = argc > 1 ? strtoul(argv[1], NULL, 10) : 16;
	const struct {
		const char *name;
		unsigned long (*run)(void *arg);
		enum layout layout;
		unsigned long n;
	} cases[] = {
		{ "sweep_used", sweep, USED, 0 },
		{ "sweep_tenth", sweep, RANDOM, 10 },
		{ "sweep_singles", sweep, PIECES, 1 },
		{ "sweep_16k", sweep, PIECES, 4 },
		{ "sweep_64k", sweep, PIECES, 16 },
		{ "sweep_whole", sweep, WHOLE, 0 },
		{ "start_used", start, USED, 0 },
		{ "look_used", look, USED, 0 },
	}, *c;

	npages = gib * BLOCKS_PER_GIB << FPR_BLOCK_ORDER;
	pages = aligned_alloc(2UL << 20, npages * sizeof(*pages));
	if (!pages) {
		fprintf(stderr, "no memory for the pages of %lu GiB: try a smaller --sweep\n", gib);
		return 1;
	}
	/* As the kernel maps them. */
	madvise(pages, npages * sizeof(*pages), MADV_HUGEPAGE);
	for (c = cases; c < cases + sizeof(cases) / sizeof(*cases); c++) {
		double us, gap;

		lay_out(c->layout, c->n);
		us = bench_median(nothing, c->run, NULL, &gap);
		printf("blockmap_%s_%lug %.3f ms\n", c->name, gib, us / 1e3);
		printf("blockmap_%s_per_tib_%lug %.1f ms\n", c->name, gib, us / 1e3 * 1024 / gib);
	}
	free(pages);
	return 0;
}
