// SPDX-License-Identifier: GPL-2.0
/* The balloon: getting memory for it; see balloon.h. */
#include <linux/mm.h>
#include <linux/sort.h>
#include <linux/swap.h>
#include <linux/vmstat.h>

#include "balloon.h"

/*
 * Pieces of several pages come from what is free, without any reclaim; single ones
 * push out caches, as far as that goes without trouble.
 */
static struct page *allocate(unsigned int order)
{
	gfp_t gfp = FPR_BALLOON_GFP | __GFP_NOWARN | __GFP_NOMEMALLOC | __GFP_NORETRY;

	return order ? alloc_pages(gfp & ~__GFP_RECLAIM, order) : alloc_page(gfp);
}

static void add_piece(struct vfpr_balloon *b, unsigned long pfn,
		      unsigned long pages, bool chunk)
{
	struct vfpr_piece *piece = &b->pieces[b->nr_pieces++];

	piece->pfn = pfn;
	piece->pages = pages;
	piece->chunk = chunk;
	WRITE_ONCE(b->in_hand, b->in_hand + pages);
}

/*
 * Whole pageblocks, as the allocator has them: nothing clears them first.  The core
 * walks over all memory for them, so where there was none it is not asked again for
 * some steps.
 */
static unsigned long take_chunks(struct vfpr_balloon *b, unsigned long want)
{
	struct fpr_run runs[VFPR_MAX_RUNS];
	unsigned long got = 0;
	unsigned int i, nr;

	if (b->no_chunks && b->no_chunks--)
		return 0;
	nr = fpr_take_runs(runs, VFPR_MAX_RUNS, want);
	if (!nr)
		b->no_chunks = VFPR_NO_CHUNKS;
	for (i = 0; i < nr; i++) {
		add_piece(b, runs[i].pfn, runs[i].pages, true);
		got += runs[i].pages;
	}
	return got;
}

/* Memory of processes that there is room for in swap. */
static long swappable(void)
{
	long anon = global_node_page_state(NR_ACTIVE_ANON) +
		    global_node_page_state(NR_INACTIVE_ANON);

	return min(anon, get_nr_swap_pages());
}

/*
 * What the guest can do without: a balloon must not drive it into killing.  Caches
 * count as far as the kernel calls them available; what can be swapped counts, as it
 * does for virtio_balloon.
 */
static unsigned long can_spare(void)
{
	long floor = max(totalram_pages() / VFPR_FLOOR_SHARE, VFPR_FLOOR_PAGES);

	return max(si_mem_available() + swappable() - floor, 0L);
}

/* Get up to @want pages; no locks. */
static unsigned long get_pieces(struct vfpr_balloon *b, unsigned long want)
{
	unsigned int order = min_t(unsigned int, b->last_order + 1, pageblock_order - 1);
	unsigned long got;

	want = min3(want, VFPR_STEP_PAGES, can_spare());
	b->nr_pieces = 0;
	got = take_chunks(b, want);
	if (got) {
		b->last_order = pageblock_order;
		return got;
	}
	while (got < want && b->nr_pieces < VFPR_STEP_PIECES &&
	       !READ_ONCE(b->stopping)) {
		struct page *page;

		while (1UL << order > want - got)
			order--;
		page = allocate(order);
		if (page) {
			add_piece(b, page_to_pfn(page), 1UL << order, false);
			got += 1UL << order;
			b->last_order = order;
		} else if (!order--) {
			break;
		}
	}
	return got;
}

static int by_address(const void *a, const void *b)
{
	const struct vfpr_piece *left = a, *right = b;

	return left->pfn < right->pfn ? -1 : 1;
}

/*
 * The host discards what it is told page by page, each with a system call of its
 * own.  What is long enough it discards in one piece first, by way of the reporting
 * queue: then those calls find nothing to do, and no huge page of the host is torn.
 * The memory is nobody's yet.  No locks.
 */
static void discard_runs(struct vfpr_balloon *b)
{
	struct virtqueue *vq = b->vf->vqs[VFPR_REPORTING];
	unsigned int i, next, nr = 0, most;

	if (!vq)
		return;
	most = min_t(unsigned int, virtqueue_get_vring_size(vq), VFPR_MAX_RUNS);
	sg_init_table(b->runs, VFPR_MAX_RUNS);
	for (i = 0; i < b->nr_pieces && nr < most; i = next) {
		unsigned long start = b->pieces[i].pfn, end = start;

		for (next = i; next < b->nr_pieces && b->pieces[next].pfn == end; next++)
			end += b->pieces[next].pages;
		if (end - start >= VFPR_RUN_PAGES)
			sg_set_page(&b->runs[nr++], pfn_to_page(start),
				    (end - start) << PAGE_SHIFT, 0);
	}
	if (!nr)
		return;
	sg_mark_end(&b->runs[nr - 1]);
	vfpr_report(b->vf, b->runs);
}

/**
 * vfpr_balloon_get() - get memory for one step towards a larger balloon
 * @b: the balloon
 * @want: pages that are missing
 *
 * It is in @b->pieces, by address; what is long enough in one piece has been
 * discarded.
 * Context: the balloon's work, no locks held.
 * Return: how many pages; 0 if memory is short.
 */
unsigned long vfpr_balloon_get(struct vfpr_balloon *b, unsigned long want)
{
	unsigned long got = get_pieces(b, want);

	if (!got) {
		b->last_order = pageblock_order;
		b->no_chunks = 0;
		return 0;
	}
	sort(b->pieces, b->nr_pieces, sizeof(b->pieces[0]), by_address, NULL);
	discard_runs(b);
	return got;
}

/**
 * vfpr_balloon_unget() - give the pieces back that did not go into the balloon
 * @b: the balloon
 *
 * Context: the balloon's work, no locks held.
 */
void vfpr_balloon_unget(struct vfpr_balloon *b)
{
	unsigned int i;

	for (i = 0; i < b->nr_pieces; i++) {
		struct vfpr_piece *piece = &b->pieces[i];

		if (piece->chunk)
			fpr_put_run(piece->pfn, piece->pages);
		else
			__free_pages(pfn_to_page(piece->pfn), ilog2(piece->pages));
	}
	WRITE_ONCE(b->in_hand, 0);
}
