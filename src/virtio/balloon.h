/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The balloon of the stock device: memory that the host has asked for and the
 * guest does without.
 *
 * It is kept in two ways.  *Chunks* are runs of whole pageblocks that the core has
 * taken out of the allocator (fpr_take_runs()): quick to get, since nothing clears
 * them, quick to give back, and no stone in anybody's way, since there is nothing
 * else in the pageblock.  All else are *base pages*, allocated ones, on the kernel's
 * own list of ballooned pages, which compaction and memory offlining can move.
 * Chunks in memory that is to go offline are given back.
 *
 * Locks, outermost first:
 *
 * vfpr_balloon.lock (mutex)
 *	what is in the balloon, the inflate and the deflate queue, "actual" of the
 *	device.  Nothing is allocated under it: the OOM killer's and the hotplug
 *	notifier take it, and compaction tries to.
 * vfpr.lock
 *	see driver.h.
 *
 * The work alone allocates, and what it has allocated belongs to it until it takes
 * the lock; it has the host discard that (vfpr.reports) without the lock.
 */
#ifndef _VIRTIO_FPR_BALLOON_H
#define _VIRTIO_FPR_BALLOON_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/scatterlist.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "../compat/balloon.h"
#include "driver.h"

/* Pages of 4 KiB, the unit of the device, in one of the kernel's. */
#define VFPR_PFNS_PER_PAGE	(1U << (PAGE_SHIFT - VIRTIO_BALLOON_PFN_SHIFT))

/* One buffer is what every host takes; so many of them are sent at once. */
#define VFPR_BUFFER_PFNS	256
#define VFPR_BUFFERS		16

/* The work inflates or deflates by so much in one go. */
#define VFPR_STEP_PAGES		(64UL << (20 - PAGE_SHIFT))
#define VFPR_STEP_PIECES	1024

/*
 * A step that gets less than this has found memory short: what trickles back is
 * taken, and waited for no less patiently.
 */
#define VFPR_LITTLE_PAGES	(2UL << (20 - PAGE_SHIFT))

/* The guest keeps so much of what is available: 8 MiB, or this share of its memory. */
#define VFPR_FLOOR_PAGES	(8UL << (20 - PAGE_SHIFT))
#define VFPR_FLOOR_SHARE	64

/* Most base pages given back in one go: the kernel's list is locked meanwhile. */
#define VFPR_BASE_PAGES		1024UL

/*
 * Pages given back when memory has run out, as virtio_balloon does: 1 MiB.  Where that
 * is so again soon, twice as much each time.
 */
#define VFPR_OOM_PAGES		(1UL << (20 - PAGE_SHIFT))
#define VFPR_OOM_MOST_PAGES	(64UL << (20 - PAGE_SHIFT))
#define VFPR_OOM_SOON_MS	2000
/* As virtio_balloon has it: among those that are asked before anybody is killed. */
#define VFPR_OOM_PRIORITY	80
/* How long the killer waits for what the work has in hand. */
#define VFPR_OOM_WAIT_MS	10000

/* Where there were no chunks, they are not looked for in so many steps. */
#define VFPR_NO_CHUNKS		16

/* Runs of so many pages are worth a discard of their own. */
#define VFPR_RUN_PAGES		64
#define VFPR_MAX_RUNS		16

/**
 * struct vfpr_piece - memory on its way into the balloon
 * @pfn: its first page frame
 * @pages: how long it is
 * @chunk: taken from the core; else allocated, as one
 */
struct vfpr_piece {
	unsigned long pfn;
	unsigned long pages;
	bool chunk;
};

/**
 * struct vfpr_balloon - the balloon
 * @vf: its device
 * @lock: see above
 * @base: base pages, counted in @pages and not in @chunk_pages
 * @chunks: linked by the lru of their first pages, whose private is the length
 * @pages: pages in the balloon; written under @lock
 * @chunk_pages: of these in chunks; written under @lock
 * @oom_pages: pages given back since memory had run out; written under @lock
 * @unmanaged: ballooned pages do not count as memory of the guest
 * @oom: it was given back for want of memory: not before the host asks again is it
 *	inflated
 * @oom_at: jiffies of that, the latest time
 * @oom_step: pages given back then
 * @offline_pfn: memory that is going offline; guarded by @lock
 * @offline_end: page frame after it
 * @pfns: page numbers for the host; guarded by @lock
 * @nr_pfns: how many; guarded by @lock
 * @tell_err: the host could not be told of some; guarded by @lock
 * @pieces: the work's
 * @nr_pieces: likewise
 * @in_hand: pages in them; written by the work, to 0 under @lock if they went into
 *	the balloon
 * @let_go: woken when the work has none in hand any more
 * @last_order: likewise, order of the last piece: larger ones are hardly there
 * @no_chunks: likewise, steps in which no chunks are looked for
 * @runs: likewise, memory to discard
 * @work: brings the balloon to the size that the host asks for, step by step
 * @wait_ms: how long the work waits for memory before it tries again
 * @target: what the host asked for when the work looked last, pages of 4 KiB
 * @short_target: target for which a want of memory was mentioned in the log
 * @stopping: the work does nothing any more
 * @oom_nb: where deflating on OOM was negotiated
 * @hotplug_nb: gives chunks back that are in the way
 */
struct vfpr_balloon {
	struct vfpr *vf;
	struct mutex lock;
	struct fpr_balloon_list base;
	struct list_head chunks;
	unsigned long pages;
	unsigned long chunk_pages;
	unsigned long oom_pages;
	bool unmanaged;
	bool oom;
	unsigned long oom_at;
	unsigned long oom_step;
	unsigned long offline_pfn;
	unsigned long offline_end;
	__virtio32 *pfns;
	unsigned int nr_pfns;
	int tell_err;
	struct vfpr_piece pieces[VFPR_STEP_PIECES];
	unsigned int nr_pieces;
	unsigned long in_hand;
	wait_queue_head_t let_go;
	unsigned int last_order;
	unsigned int no_chunks;
	struct scatterlist runs[VFPR_MAX_RUNS];
	struct delayed_work work;
	unsigned int wait_ms;
	u32 target;
	u32 short_target;
	bool stopping;
	struct notifier_block oom_nb;
	struct notifier_block hotplug_nb;
};

/* Pages of ours in so many of the device's. */
static inline unsigned long vfpr_balloon_pages(u32 pfns)
{
	return DIV_ROUND_UP((unsigned long)pfns, VFPR_PFNS_PER_PAGE);
}

#ifdef FPR_BALLOONS
/* balloon.c: for the stock device */
int vfpr_balloon_init(struct vfpr *vf);
void vfpr_balloon_exit(struct vfpr *vf);
void vfpr_balloon_start(struct vfpr *vf);
void vfpr_balloon_stop(struct vfpr *vf);
void vfpr_balloon_stopped(struct vfpr *vf);
void vfpr_balloon_wake(struct vfpr *vf);
void vfpr_balloon_asked(struct vfpr *vf);

/* balloon_get.c: memory for it */
unsigned long vfpr_balloon_get(struct vfpr_balloon *b, unsigned long want);
void vfpr_balloon_unget(struct vfpr_balloon *b);

/* balloon_step.c: in and out */
unsigned long vfpr_balloon_inflate(struct vfpr_balloon *b, unsigned long want);
unsigned long vfpr_balloon_deflate(struct vfpr_balloon *b, unsigned long want);
unsigned long vfpr_balloon_give_back(struct vfpr_balloon *b, unsigned long want);
unsigned long vfpr_balloon_give_back_starved(struct vfpr_balloon *b, unsigned long want);
void vfpr_balloon_give_back_range(struct vfpr_balloon *b, unsigned long start,
				  unsigned long end);
int vfpr_balloon_move(struct balloon_dev_info *info, struct page *newpage,
		      struct page *page, enum migrate_mode mode);

/* balloon_notify.c: what else wants the memory */
int vfpr_balloon_notify_init(struct vfpr_balloon *b);
void vfpr_balloon_notify_exit(struct vfpr_balloon *b);
#else
static inline int vfpr_balloon_init(struct vfpr *vf)
{
	dev_info(&vf->vdev->dev, "this kernel keeps no balloons (CONFIG_MEMORY_BALLOON): memory is reported, the balloon stays empty\n");
	return 0;
}

static inline void vfpr_balloon_exit(struct vfpr *vf)
{
}

static inline void vfpr_balloon_start(struct vfpr *vf)
{
}

static inline void vfpr_balloon_stop(struct vfpr *vf)
{
}

static inline void vfpr_balloon_stopped(struct vfpr *vf)
{
}

static inline void vfpr_balloon_asked(struct vfpr *vf)
{
}
#endif

#endif /* _VIRTIO_FPR_BALLOON_H */
