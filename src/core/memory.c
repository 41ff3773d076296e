// SPDX-License-Identifier: GPL-2.0
/* Which memory there is: at start-up, hot-plugged, and swept now and then. */
#define pr_fmt(fmt) "fpr: " fmt

#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/notifier.h>
#include <linux/printk.h>
#include <linux/sched.h>

#include "engine.h"
#include "hooks.h"
#include "params.h"

static unsigned long block_peek(unsigned long block, unsigned int order,
				unsigned long run)
{
	unsigned long pfn = block << FPR_BLOCK_ORDER;

	return fpr_peek_free(pfn, pfn + FPR_BLOCK_PAGES, order, run);
}

/**
 * fpr_memory_runs() - what would be reported of a block that is cold
 * @block: number of a block of online memory
 *
 * Context: any; a hint.
 * Return: base pages in free runs, 0 if pieces are not reported.
 */
unsigned long fpr_memory_runs(unsigned long block)
{
	unsigned long run = fpr_cold_run();

	return run ? block_peek(block, fpr_piece_order(), run) : 0;
}

/* Whether a block of online memory is free as a whole; a hint. */
bool fpr_memory_whole(unsigned long block)
{
	return block_peek(block, FPR_BLOCK_ORDER, 0) == FPR_BLOCK_PAGES;
}

/*
 * Whether pages on per-CPU lists are all that keeps a block from being whole.  A
 * hook has marked it, then, and the worker has the lists drained.  Without one
 * it is for the sweep to notice: those lists keep tens of MiB, and an idle CPU
 * keeps them for ever.
 */
static bool stuck_unseen(unsigned long block)
{
	return !fpr_hooks_see_frees() && fpr_peek_stuck(block);
}

/**
 * fpr_memory_sweep() - find free memory that no hook has told of
 * @due: when the blocks found are to be looked at, ms clock
 *
 * A block becomes a candidate when more of it is free than was reported, or will
 * be once the per-CPU lists are drained.  Where pieces are all there is, it must
 * be enough more to be worth a look at a cold block.  Where less is free now, that
 * is noted, so that a free which no hook sees counts.
 * Context: engine mutex held; no other locks.
 */
void fpr_memory_sweep(u32 due)
{
	struct fpr_blockmap *map = &fpr_engine.map;
	unsigned int order = fpr_effective_order();
	unsigned long block;

	for_each_set_bit(block, map->present, map->nblocks) {
		bool visited = test_bit(block, map->visited);
		unsigned long given = visited ? map->given[block] : 0;
		unsigned long pages, runs;

		if (test_bit(block, map->active) || test_bit(block, map->held))
			continue;
		pages = block_peek(block, order, 0);
		runs = fpr_memory_runs(block);
		if (pages > given || runs >= given + FPR_COLD_PAGES ||
		    stuck_unseen(block))
			fpr_blockmap_activate(map, block, due,
					      FPR_ONE_LOOK);
		else if (visited)
			map->given[block] = min(given, max(pages, runs));
		cond_resched_tasks_rcu_qs();
	}
}

/*
 * Nothing was freed in a visited block since it was reported, so what is free in it
 * was free then.
 */
static unsigned long reported_of(unsigned long block)
{
	const struct fpr_blockmap *map = &fpr_engine.map;

	if (!test_bit(block, map->visited) || fpr_marked(map->marks, block))
		return 0;
	return min_t(unsigned long, map->given[block],
		     max(block_peek(block, fpr_effective_order(), 0),
			 fpr_memory_runs(block)));
}

/* So many blocks are walked in less than a millisecond. */
#define READ_BLOCKS	64

/**
 * fpr_memory_reported_free() - base pages that are reported now
 *
 * Any user may ask for it, over and over: the worker never waits for more than a few
 * blocks of it.
 * Context: process context, may sleep; takes and drops the engine mutex.
 */
unsigned long fpr_memory_reported_free(void)
{
	struct fpr_blockmap *map = &fpr_engine.map;
	unsigned long block = 0, pages = 0, end;

	do {
		mutex_lock(&fpr_engine.lock);
		end = min(block + READ_BLOCKS, map->nblocks);
		for (; block < end; block++)
			pages += reported_of(block);
		end = map->nblocks;
		mutex_unlock(&fpr_engine.lock);
		cond_resched_tasks_rcu_qs();
	} while (block < end);
	return pages;
}

/*
 * Blocks wholly inside [pfn, pfn + nr) are online; the engine mutex is held.  What
 * a block of memory (of the hotplug's kind) has its own page structures in is not
 * in that range, and never free.
 */
static void set_online(unsigned long pfn, unsigned long nr)
{
	unsigned long first = DIV_ROUND_UP(pfn, FPR_BLOCK_PAGES);
	unsigned long end = (pfn + nr) >> FPR_BLOCK_ORDER;

	if (first < end)
		fpr_blockmap_set_present(&fpr_engine.map, first, end - first, true);
}

/*
 * What goes offline goes in whole blocks of memory, and the page structures of all of
 * it may go with it: also of what the notifier is not told of, because the structures
 * themselves lie there (memory_hotplug.memmap_on_memory).  Nothing of it is looked at
 * any more.  The engine mutex is held.
 *
 * Source: drivers/base/memory.c, memory_block_offline().
 */
static void set_offline(unsigned long pfn, unsigned long nr)
{
	unsigned long pages = memory_block_size_bytes() >> PAGE_SHIFT;
	unsigned long first = round_down(pfn, pages) >> FPR_BLOCK_ORDER;
	unsigned long end = DIV_ROUND_UP(round_up(pfn + nr, pages), FPR_BLOCK_PAGES);

	fpr_blockmap_set_present(&fpr_engine.map, first, end - first, false);
}

/*
 * Makes room for that many blocks.  Allocates without the engine mutex, which who
 * frees memory for it may wait for.
 *
 * Context: process context, may sleep.
 */
static void grow(unsigned long nblocks)
{
	struct fpr_engine *e = &fpr_engine;
	struct fpr_blockmap room;

	if (nblocks <= READ_ONCE(e->map.nblocks))
		return;
	if (fpr_blockmap_init(&room, nblocks)) {
		pr_warn("no memory to grow the block map: hot-added memory will not be reported\n");
		return;
	}
	mutex_lock(&e->lock);
	/* Two may have come here at the same time, while fpr is being loaded. */
	if (nblocks > e->map.nblocks) {
		fpr_blockmap_grow(&e->map, &room);
		fpr_hooks_set_marks(e->map.marks);
	}
	mutex_unlock(&e->lock);
	fpr_blockmap_destroy(&room);
}

/* Memory is there (again): what is free in it is looked at.  Engine mutex held. */
static void came_online(unsigned long pfn, unsigned long nr)
{
	struct fpr_engine *e = &fpr_engine;
	unsigned long block, end = min((pfn + nr) >> FPR_BLOCK_ORDER, e->map.nblocks);

	set_online(pfn, nr);
	if (!e->running)
		return;
	for (block = pfn >> FPR_BLOCK_ORDER; block < end; block++)
		fpr_blockmap_activate(&e->map, block,
				      fpr_now_ms() + fpr_delay_ms(),
				      FPR_ONE_LOOK);
	fpr_engine_kick();
}

/* Longest wait for a device that has memory which is to go offline. */
#define OFFLINE_WAIT_MS		10000

/*
 * The map grows before memory comes.  Memory that goes is made absent, so that no more
 * of it is taken, and then what the device has is waited for: nothing of a section is
 * held when it goes, not even pages that offlining would excuse because of a memory
 * error.
 *
 * Context: process context, hotplug lock held.
 * Source: Documentation/core-api/memory-hotplug.rst.
 */
static int on_hotplug(struct notifier_block *nb, unsigned long action,
		      void *data)
{
	const struct memory_notify *arg = data;
	struct fpr_engine *e = &fpr_engine;
	unsigned long pfn = arg->start_pfn, nr = arg->nr_pages;

	if (action == MEM_GOING_ONLINE)
		grow(DIV_ROUND_UP(pfn + nr, FPR_BLOCK_PAGES));
	mutex_lock(&e->lock);
	switch (action) {
	case MEM_GOING_OFFLINE:
	case MEM_OFFLINE:
		set_offline(pfn, nr);
		break;
	case MEM_ONLINE:
	case MEM_CANCEL_OFFLINE:
		came_online(pfn, nr);
		break;
	}
	mutex_unlock(&e->lock);
	if (action != MEM_GOING_OFFLINE || fpr_wait_putback(OFFLINE_WAIT_MS))
		return NOTIFY_OK;
	pr_warn("memory cannot go offline: the device has had some for more than %u s; try again\n",
		OFFLINE_WAIT_MS / 1000);
	return notifier_from_errno(-EBUSY);
}

static struct notifier_block hotplug_nb = {
	.notifier_call = on_hotplug,
};

static unsigned long end_of_memory(void)
{
	unsigned long end = 0;
	int nid;

	for_each_online_node(nid)
		end = max(end, node_end_pfn(nid));
	return end;
}

static void scan_present(void)
{
	struct fpr_blockmap *map = &fpr_engine.map;
	unsigned long block;

	for (block = 0; block < map->nblocks; block++)
		if (pfn_to_online_page(block << FPR_BLOCK_ORDER))
			fpr_blockmap_set_present(map, block, 1, true);
}

/**
 * fpr_memory_init() - allocate the block map for the memory there is
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int fpr_memory_init(void)
{
	struct fpr_engine *e = &fpr_engine;
	int err;

	err = fpr_blockmap_init(&e->map, DIV_ROUND_UP(end_of_memory(),
						      FPR_BLOCK_PAGES));
	if (err)
		return err;
	fpr_hooks_set_marks(e->map.marks);

	err = register_memory_notifier(&hotplug_nb);
	if (err) {
		fpr_blockmap_destroy(&e->map);
		return err;
	}
	/* What came before the notifier was there has not been told. */
	grow(DIV_ROUND_UP(end_of_memory(), FPR_BLOCK_PAGES));
	/* Memory whose offlining began before is cleared by MEM_OFFLINE. */
	mutex_lock(&e->lock);
	scan_present();
	mutex_unlock(&e->lock);
	return 0;
}

/**
 * fpr_memory_exit() - the mirror of fpr_memory_init(); no hook is armed
 */
void fpr_memory_exit(void)
{
	unregister_memory_notifier(&hotplug_nb);
	fpr_blockmap_destroy(&fpr_engine.map);
}
