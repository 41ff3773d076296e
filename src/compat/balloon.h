/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's keeping of ballooned base pages, which compaction and memory
 * offlining can move: its interface shifted between kernels; see compat.h.
 */
#ifndef _FPR_COMPAT_BALLOON_H
#define _FPR_COMPAT_BALLOON_H

#include <linux/mm.h>
#include <linux/vmstat.h>

#include "fpr-conf.h"

#if defined(FPR_HAVE_BALLOON_HEADER)
#include <linux/balloon.h>
#elif defined(FPR_HAVE_BALLOON_COMPACTION_MOPS) || \
	defined(FPR_HAVE_BALLOON_COMPACTION_INODE)
#include <linux/balloon_compaction.h>
#endif

/* Whether the kernel keeps balloons at all. */
#if IS_ENABLED(CONFIG_MEMORY_BALLOON) || IS_ENABLED(CONFIG_BALLOON)
#define FPR_BALLOONS
#endif

/* Whether ballooned base pages can be moved, and so be of movable memory. */
#if IS_ENABLED(CONFIG_BALLOON_COMPACTION) || IS_ENABLED(CONFIG_BALLOON_MIGRATION)
#define FPR_BALLOON_GFP	GFP_HIGHUSER_MOVABLE
#else
#define FPR_BALLOON_GFP	GFP_HIGHUSER
#endif

/**
 * struct fpr_balloon_list - ballooned base pages
 * @info: the kernel's list
 * @unmanaged: ballooned pages do not count as memory of their zone
 */
struct fpr_balloon_list {
	struct balloon_dev_info info;
	bool unmanaged;
};

typedef int fpr_balloon_move_t(struct balloon_dev_info *info,
			       struct page *newpage, struct page *page,
			       enum migrate_mode mode);

#if defined(FPR_HAVE_BALLOON_COMPACTION_INODE)
int fpr_balloon_mapping_init(struct balloon_dev_info *info);
void fpr_balloon_mapping_exit(struct balloon_dev_info *info);
#else
static inline int fpr_balloon_mapping_init(struct balloon_dev_info *info)
{
	return 0;
}

static inline void fpr_balloon_mapping_exit(struct balloon_dev_info *info)
{
}
#endif

/**
 * fpr_balloon_list_init() - an empty list
 * @list: uninitialised
 * @move: called by the kernel to move a page, both pages locked; ends with
 *	fpr_balloon_moved() and 0, or with -EAGAIN and nothing changed
 * @unmanaged: ballooned pages do not count as memory of their zone
 *
 * Context: process context, may sleep.
 * Return: 0 or a negative errno.
 */
static inline int fpr_balloon_list_init(struct fpr_balloon_list *list,
					fpr_balloon_move_t *move, bool unmanaged)
{
	balloon_devinfo_init(&list->info);
	list->unmanaged = unmanaged;
	list->info.migratepage = move;
#if defined(FPR_HAVE_BALLOON_HEADER)
	list->info.adjust_managed_page_count = unmanaged;
#endif
	return fpr_balloon_mapping_init(&list->info);
}

/* The mirror; the list is empty. */
static inline void fpr_balloon_list_exit(struct fpr_balloon_list *list)
{
	fpr_balloon_mapping_exit(&list->info);
}

/* Newer kernels do this themselves for the pages on the list. */
static inline void fpr_balloon_managed(const struct fpr_balloon_list *list,
				       struct page *page, long pages)
{
#if !defined(FPR_HAVE_BALLOON_HEADER)
	if (list->unmanaged)
		adjust_managed_page_count(page, pages);
#endif
}

/**
 * fpr_balloon_add() - put pages on the list
 * @list: the list
 * @pages: base pages of ours alone, linked by their lru; empty afterwards
 *
 * Context: process context; takes the kernel's lock of the list.
 */
static inline void fpr_balloon_add(struct fpr_balloon_list *list,
				   struct list_head *pages)
{
	struct page *page;

	list_for_each_entry(page, pages, lru)
		fpr_balloon_managed(list, page, -1);
	balloon_page_list_enqueue(&list->info, pages);
}

/**
 * fpr_balloon_take() - take pages off the list, but those that are being moved
 * @list: the list
 * @pages: where they are put, linked by their lru
 * @most: so many at the most
 *
 * Context: as fpr_balloon_add().
 * Return: how many.
 */
static inline unsigned long fpr_balloon_take(struct fpr_balloon_list *list,
					     struct list_head *pages,
					     unsigned long most)
{
	return balloon_page_list_dequeue(&list->info, pages, most);
}

/* Give a page that was taken off the list to the allocator. */
static inline void fpr_balloon_free(struct fpr_balloon_list *list,
				    struct page *page)
{
	fpr_balloon_managed(list, page, 1);
	put_page(page);
}

/**
 * fpr_balloon_moved() - the host knows: @newpage is in the balloon, not @page
 * @list: the list
 * @newpage: page that the kernel offers, locked
 * @page: page that the kernel has isolated, locked; its content is gone
 *
 * Context: from the function that moves pages.
 */
static inline void fpr_balloon_moved(struct fpr_balloon_list *list,
				     struct page *newpage, struct page *page)
{
#if !defined(FPR_HAVE_BALLOON_HEADER)
	struct balloon_dev_info *info = &list->info;
	unsigned long flags;

	/* Each zone counts its own. */
	if (page_zone(page) != page_zone(newpage)) {
		fpr_balloon_managed(list, page, 1);
		fpr_balloon_managed(list, newpage, -1);
	}
	get_page(newpage);
	spin_lock_irqsave(&info->pages_lock, flags);
	balloon_page_insert(info, newpage);
	info->isolated_pages--;
	__count_vm_event(BALLOON_MIGRATE);
#if !defined(FPR_HAVE_BALLOON_PAGE_FINALIZE)
	balloon_page_delete(page);
#endif
	spin_unlock_irqrestore(&info->pages_lock, flags);
#if defined(FPR_HAVE_BALLOON_PAGE_FINALIZE)
	balloon_page_finalize(page);
#endif
	put_page(page);
#endif
}

/*
 * Count @pages in (more than 0) or out that are not on the kernel's list: in the
 * statistics, and in /proc/meminfo where that has it.
 */
static inline void fpr_balloon_count(struct page *page, enum vm_event_item event,
				     long pages)
{
	count_vm_events(event, abs(pages));
#if defined(FPR_HAVE_NR_BALLOON_PAGES)
	mod_node_page_state(page_pgdat(page), NR_BALLOON_PAGES, pages);
#endif
}

#endif /* _FPR_COMPAT_BALLOON_H */
