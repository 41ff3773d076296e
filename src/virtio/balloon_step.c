// SPDX-License-Identifier: GPL-2.0
/*
 * The balloon: memory into it and out of it; see balloon.h.  What goes in comes from
 * balloon_get.c.
 */
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/page_ref.h>
#include <linux/sched.h>
#include <linux/virtio_config.h>

#include "balloon.h"

/* Send the page numbers that have gathered; lock held. */
static void tell(struct vfpr_balloon *b, enum vfpr_queue q)
{
	unsigned int size = virtqueue_get_vring_size(b->vf->vqs[q]);
	unsigned int done = 0, most = min_t(unsigned int, size, VFPR_BUFFERS);
	struct scatterlist sg[VFPR_BUFFERS], *sgs[VFPR_BUFFERS];

	while (done < b->nr_pfns && !b->tell_err) {
		unsigned int n;

		for (n = 0; n < most && done < b->nr_pfns; n++) {
			unsigned int pfns = min_t(unsigned int, b->nr_pfns - done,
						  VFPR_BUFFER_PFNS);

			sg_init_one(&sg[n], b->pfns + done, pfns * sizeof(*b->pfns));
			sgs[n] = &sg[n];
			done += pfns;
		}
		b->tell_err = vfpr_tell(b->vf, q, sgs, n);
	}
	b->nr_pfns = 0;
}

/* Name pages to the host, together with those before; lock held. */
static void name(struct vfpr_balloon *b, enum vfpr_queue q, unsigned long pfn,
		 unsigned long pages)
{
	u32 first = pfn * VFPR_PFNS_PER_PAGE, i;

	for (i = 0; i < pages * VFPR_PFNS_PER_PAGE; i++) {
		b->pfns[b->nr_pfns++] = cpu_to_virtio32(b->vf->vdev, first + i);
		if (b->nr_pfns == VFPR_BUFFERS * VFPR_BUFFER_PFNS)
			tell(b, q);
	}
}

/* All that was named has been read; lock held.  Else the device was reset. */
static int named(struct vfpr_balloon *b, enum vfpr_queue q)
{
	int err;

	tell(b, q);
	err = b->tell_err;
	b->tell_err = 0;
	return err;
}

/*
 * Nobody looks into ballooned pages, not for a dump and not for hibernation:
 * PageOffline() says so, as the kernel itself does for base pages.  The reference
 * says that memory with such a page in it must not go offline.
 */
static void mark(struct page *page, unsigned long pages)
{
	unsigned long pfn = page_to_pfn(page), end = pfn + pages;

	for (; pfn < end; pfn++) {
		page = pfn_to_page(pfn);
		__SetPageOffline(page);
		set_page_count(page, 1);
	}
}

/*
 * As the allocator wants to have it back.  Somebody who walks over all pages may have
 * a reference for a moment.
 */
static void unmark(struct page *page)
{
	while (!page_ref_freeze(page, 1))
		cond_resched();
	__ClearPageOffline(page);
}

/*
 * Pages for the allocator, but for those with a memory error: nobody may have them
 * any more, so they stay as they are.
 *
 * Source: mm/page_alloc.c, free_pages_prepare().
 */
static void put_pages(struct vfpr_balloon *b, unsigned long pfn, unsigned long end)
{
	unsigned long start = pfn;

	for (; pfn < end; pfn++) {
		struct page *page = pfn_to_page(pfn);

		if (!PageHWPoison(page)) {
			unmark(page);
			continue;
		}
		dev_warn(&b->vf->vdev->dev, "page %#lx of the balloon has a memory error: not used any more\n",
			 pfn);
		if (pfn > start)
			fpr_put_run(start, pfn - start);
		start = pfn + 1;
	}
	if (pfn > start)
		fpr_put_run(start, pfn - start);
}

/* Lock held. */
static void add_chunk(struct vfpr_balloon *b, struct page *page, long pages)
{
	mark(page, pages);
	set_page_private(page, pages);
	list_add(&page->lru, &b->chunks);
	WRITE_ONCE(b->chunk_pages, b->chunk_pages + pages);
	fpr_balloon_count(page, BALLOON_INFLATE, pages);
	if (b->unmanaged)
		adjust_managed_page_count(page, -pages);
}

/* Give a chunk that is on no list to the allocator; lock held. */
static void free_chunk(struct vfpr_balloon *b, struct page *page)
{
	long pages = page_private(page);

	WRITE_ONCE(b->chunk_pages, b->chunk_pages - pages);
	fpr_balloon_count(page, BALLOON_DEFLATE, -pages);
	if (b->unmanaged)
		adjust_managed_page_count(page, pages);
	set_page_private(page, 0);
	put_pages(b, page_to_pfn(page), page_to_pfn(page) + pages);
}

/* Make two chunks of one, the first of them @pages long; lock held.  Return: the
 * second, behind the first on the list.
 */
static struct page *cut(struct page *page, unsigned long pages)
{
	struct page *rest = pfn_to_page(page_to_pfn(page) + pages);

	set_page_private(rest, page_private(page) - pages);
	set_page_private(page, pages);
	list_add(&rest->lru, &page->lru);
	return rest;
}

/* Pages that were allocated as one; lock held. */
static void add_base_pages(struct vfpr_balloon *b, struct page *page,
			   unsigned long nr)
{
	LIST_HEAD(pages);
	unsigned long i;

	split_page(page, ilog2(nr));
	for (i = 0; i < nr; i++)
		list_add_tail(&page[i].lru, &pages);
	fpr_balloon_add(&b->base, &pages);
}

static void update_actual(struct vfpr_balloon *b)
{
	u32 actual = b->pages * VFPR_PFNS_PER_PAGE;

	if (!READ_ONCE(b->vf->gone))
		virtio_cwrite_le(b->vf->vdev, struct virtio_balloon_config, actual,
				 &actual);
}

/* The pieces are in the balloon; lock held. */
static void keep_pieces(struct vfpr_balloon *b)
{
	unsigned int i;

	for (i = 0; i < b->nr_pieces; i++) {
		struct vfpr_piece *piece = &b->pieces[i];
		struct page *page = pfn_to_page(piece->pfn);

		if (piece->chunk)
			add_chunk(b, page, piece->pages);
		else
			add_base_pages(b, page, piece->pages);
	}
}

/*
 * Whether the pieces may still go into the balloon: memory may have run out
 * meanwhile, or theirs be about to go offline.  Lock held.
 */
static bool wanted(struct vfpr_balloon *b)
{
	unsigned int i;

	for (i = 0; i < b->nr_pieces; i++)
		if (b->pieces[i].pfn < b->offline_end &&
		    b->pieces[i].pfn + b->pieces[i].pages > b->offline_pfn)
			return false;
	return !b->oom;
}

/**
 * vfpr_balloon_inflate() - one step towards a larger balloon
 * @b: the balloon
 * @want: pages that are missing
 *
 * Context: the balloon's work.
 * Return: by how many pages it has grown; 0 if memory is short or the device gone.
 */
unsigned long vfpr_balloon_inflate(struct vfpr_balloon *b, unsigned long want)
{
	unsigned long got = vfpr_balloon_get(b, want);
	unsigned int i;
	int err = -EAGAIN;

	if (!got)
		return 0;
	mutex_lock(&b->lock);
	if (wanted(b)) {
		for (i = 0; i < b->nr_pieces; i++)
			name(b, VFPR_INFLATE, b->pieces[i].pfn, b->pieces[i].pages);
		err = named(b, VFPR_INFLATE);
	}
	if (!err) {
		keep_pieces(b);
		WRITE_ONCE(b->pages, b->pages + got);
		WRITE_ONCE(b->in_hand, 0);
		update_actual(b);
	}
	mutex_unlock(&b->lock);
	if (err)
		vfpr_balloon_unget(b);
	wake_up_all(&b->let_go);
	return err ? 0 : got;
}

/*
 * Take up to @want pages out of the balloon, up to @most_base base pages first: they
 * are the ones that lie between other memory.  Lock held.
 */
static unsigned long take(struct vfpr_balloon *b, unsigned long want,
			  unsigned long most_base, struct list_head *base,
			  struct list_head *chunks)
{
	unsigned long got = fpr_balloon_take(&b->base, base, min(want, most_base));
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &b->chunks, lru) {
		if (got == want)
			break;
		/* The rest is not looked at: that was all. */
		if (page_private(page) > want - got)
			cut(page, want - got);
		list_move(&page->lru, chunks);
		got += page_private(page);
	}
	return got;
}

/*
 * Give back what was taken out, @pages in all.  The host is told first (virtio 1.2,
 * 5.5.6.1), if it is still there: after an error the device was reset, and nothing
 * is its any more.  Lock held.
 */
static void release(struct vfpr_balloon *b, struct list_head *base,
		    struct list_head *chunks, unsigned long pages)
{
	struct page *page, *next;

	list_for_each_entry(page, base, lru)
		name(b, VFPR_DEFLATE, page_to_pfn(page), 1);
	list_for_each_entry(page, chunks, lru)
		name(b, VFPR_DEFLATE, page_to_pfn(page), page_private(page));
	named(b, VFPR_DEFLATE);
	list_for_each_entry_safe(page, next, base, lru) {
		list_del(&page->lru);
		fpr_balloon_free(&b->base, page);
	}
	list_for_each_entry_safe(page, next, chunks, lru) {
		list_del(&page->lru);
		free_chunk(b, page);
	}
	WRITE_ONCE(b->pages, b->pages - pages);
	update_actual(b);
}

/* Lock held. */
static unsigned long give_back(struct vfpr_balloon *b, unsigned long want,
			       unsigned long most_base)
{
	LIST_HEAD(base);
	LIST_HEAD(chunks);
	unsigned long got = take(b, want, most_base, &base, &chunks);

	release(b, &base, &chunks, got);
	return got;
}

/* Whether a zone is where memory has run out; a hint. */
static bool starved(struct zone *zone)
{
	return zone_page_state(zone, NR_FREE_PAGES) < high_wmark_pages(zone);
}

/**
 * vfpr_balloon_give_back_starved() - give memory back where there is none
 * @b: the balloon
 * @want: pages, no more than there are
 *
 * The kernel may have run out of memory for itself while there is plenty that only
 * processes can have: chunks of such zones come first.
 * Context: as vfpr_balloon_give_back().
 * Return: likewise.
 */
unsigned long vfpr_balloon_give_back_starved(struct vfpr_balloon *b, unsigned long want)
{
	LIST_HEAD(wanted);
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &b->chunks, lru)
		if (starved(page_zone(page)))
			list_move(&page->lru, &wanted);
	if (list_empty(&wanted))
		return vfpr_balloon_give_back(b, want);
	list_splice(&wanted, &b->chunks);
	return give_back(b, want, 0);
}

/**
 * vfpr_balloon_give_back() - give memory back to the guest
 * @b: the balloon
 * @want: pages, no more than there are
 *
 * Context: process context, may sleep; lock held.  Allocates nothing.
 * Return: how many; 0 if all base pages are being moved just now.
 */
unsigned long vfpr_balloon_give_back(struct vfpr_balloon *b, unsigned long want)
{
	return give_back(b, want, VFPR_BASE_PAGES);
}

/**
 * vfpr_balloon_give_back_range() - give back what is in chunks there
 * @b: the balloon
 * @start: first page frame
 * @end: page frame after the last
 *
 * Context: as vfpr_balloon_give_back().
 */
void vfpr_balloon_give_back_range(struct vfpr_balloon *b, unsigned long start,
				  unsigned long end)
{
	LIST_HEAD(base);
	LIST_HEAD(chunks);
	struct page *page, *next;
	unsigned long got = 0;

	list_for_each_entry_safe(page, next, &b->chunks, lru) {
		unsigned long pfn = page_to_pfn(page);

		if (pfn >= end || pfn + page_private(page) <= start)
			continue;
		if (pfn < start)
			page = cut(page, start - pfn);
		pfn = page_to_pfn(page);
		if (pfn + page_private(page) > end)
			cut(page, end - pfn);
		list_move(&page->lru, &chunks);
		got += page_private(page);
	}
	if (got)
		release(b, &base, &chunks, got);
}

/**
 * vfpr_balloon_deflate() - one step towards a smaller balloon
 * @b: the balloon
 * @want: pages that are too many
 *
 * Context: process context, may sleep; takes the lock.
 * Return: by how many pages it has shrunk.
 */
unsigned long vfpr_balloon_deflate(struct vfpr_balloon *b, unsigned long want)
{
	unsigned long got;

	mutex_lock(&b->lock);
	want = min3(want, b->pages, VFPR_STEP_PAGES);
	got = want ? vfpr_balloon_give_back(b, want) : 0;
	mutex_unlock(&b->lock);
	return got;
}

/**
 * vfpr_balloon_move() - move a ballooned base page
 * @info: the kernel's list
 * @newpage: where to, locked
 * @page: from where, locked and isolated
 * @mode: makes no difference
 *
 * The new page goes into the balloon before the old one comes out: there is no
 * moment at which the host has less than it asked for.
 * Context: compaction or memory offlining, maybe of an allocation of ours; so the
 * lock is tried only.
 * Return: 0, or -EAGAIN with nothing changed.
 */
int vfpr_balloon_move(struct balloon_dev_info *info, struct page *newpage,
		      struct page *page, enum migrate_mode mode)
{
	struct vfpr_balloon *b = container_of(info, struct vfpr_balloon, base.info);

	if (!mutex_trylock(&b->lock))
		return -EAGAIN;
	name(b, VFPR_INFLATE, page_to_pfn(newpage), 1);
	if (named(b, VFPR_INFLATE)) {
		mutex_unlock(&b->lock);
		return -EAGAIN;
	}
	name(b, VFPR_DEFLATE, page_to_pfn(page), 1);
	/* After an error the device was reset, and the old page is free of it too. */
	named(b, VFPR_DEFLATE);
	fpr_balloon_moved(&b->base, newpage, page);
	mutex_unlock(&b->lock);
	return 0;
}
