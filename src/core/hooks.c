// SPDX-License-Identifier: GPL-2.0
/*
 * The choice among the hook kinds, the proof that one fires, and what they all
 * do: mark a block.
 *
 * A probe runs wherever memory is freed: under any lock, with interrupts off,
 * in NMI, on PREEMPT_RT.  It tests one bit, mostly finds it set, and returns.
 * Else it sets the bit, and if nothing is armed it queues an irq_work: no lock,
 * no allocation, no timer or work queued from here.
 */
#define pr_fmt(fmt) "fpr: " fmt

#include <linux/cache.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "engine.h"
#include "hooks.h"
#include "params.h"

struct fpr_marks *fpr_hook_marks __ro_after_init;

/**
 * fpr_hook_mark_slow() - the first page freed of a block since the last harvest
 * @marks: the marks
 * @block: masked already
 * @order: of what is being freed
 *
 * Context: any, NMI included; takes no lock.
 */
noinline notrace void fpr_hook_mark_slow(struct fpr_marks *marks,
					 unsigned long block,
					 unsigned int order)
{
	long n = order > FPR_BLOCK_ORDER ? 1L << (order - FPR_BLOCK_ORDER) : 1;
	bool first = false;

	while (n--)
		first |= fpr_mark(marks, block + n);
	if (first)
		fpr_engine_wake();
}

static int none_arm(void)
{
	return 0;
}

static void none_disarm(void)
{
}

/* Notices nothing, and always works. */
static const struct fpr_hook fpr_hook_none = {
	.name = "none",
	.arm = none_arm,
	.disarm = none_disarm,
};

/* In order of preference: docs/hooks.md has the figures that decide it. */
static const struct fpr_hook *const hooks[] = {
	&fpr_hook_ftrace,
	&fpr_hook_tracepoint,
	&fpr_hook_kprobe,
	&fpr_hook_tracepoint_drain,
	&fpr_hook_none,
};

static const struct fpr_hook *chosen = &fpr_hook_none;
static bool armed;

/* Whether the mark of a block was set; clears it. */
static bool noticed(unsigned long block)
{
	return test_and_clear_bit(block & fpr_hook_marks->mask,
				  fpr_hook_marks->bits);
}

/* Pages of a block are freed one by one and in a batch: both have to be seen. */
static int prove_single(struct page *first, unsigned long block)
{
	struct page *some[8];
	bool one, batch;
	unsigned int i;

	split_page(first, FPR_BLOCK_ORDER);
	noticed(block);
	__free_page(first);
	one = noticed(block);
	for (i = 0; i < ARRAY_SIZE(some); i++)
		some[i] = first + 1 + i;
	release_pages(some, ARRAY_SIZE(some));
	batch = noticed(block);
	for (i = 1 + ARRAY_SIZE(some); i < FPR_BLOCK_PAGES; i++)
		__free_page(first + i);
	return one && batch ? 0 : -ENODATA;
}

/*
 * Whether freeing memory really sets marks.  All pages of a block are taken, so
 * that nobody else can free one there; the map forgets what is marked meanwhile,
 * since the engine does not run yet.
 */
static int prove_armed(void)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL;
	struct page *page = alloc_pages(gfp, FPR_BLOCK_ORDER);
	unsigned long block;

	if (!page)
		return -ENOMEM;
	block = page_to_pfn(page) >> FPR_BLOCK_ORDER;
	noticed(block);
	__free_pages(page, FPR_BLOCK_ORDER);
	if (!noticed(block))
		return -ENODATA;
	page = alloc_pages(gfp, FPR_BLOCK_ORDER);
	if (!page)
		return -ENOMEM;
	return prove_single(page, page_to_pfn(page) >> FPR_BLOCK_ORDER);
}

static int prove(const struct fpr_hook *hook)
{
	int err = hook->arm();

	if (err || hook == &fpr_hook_none)
		return err;
	err = prove_armed();
	hook->disarm();
	return err;
}

static bool wanted(const struct fpr_hook *hook)
{
	return sysfs_streq(fpr_hook_param, hook->name) ||
	       (sysfs_streq(fpr_hook_param, "auto") && hook->automatic);
}

static int check_name(void)
{
	unsigned int i;

	if (sysfs_streq(fpr_hook_param, "auto"))
		return 0;
	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		if (sysfs_streq(fpr_hook_param, hooks[i]->name))
			return 0;
	pr_err("hook must be auto, tracepoint, tracepoint+drain, ftrace, kprobe or none, not \"%s\"\n",
	       fpr_hook_param);
	return -EINVAL;
}

static const char *why(int err)
{
	switch (err) {
	case -ENOENT:
		return "does not exist in this kernel";
	case -ENODATA:
		return "was armed but did not fire";
	case -ENOMEM:
		return "could not be proven to fire for want of memory";
	case -EBUSY:
		return "is switched off (kernel.ftrace_enabled=0?)";
	default:
		return "cannot be armed";
	}
}

/**
 * fpr_hooks_init() - choose a hook: the first allowed one that is seen to fire
 *
 * Marks have been set.  Leaves no hook armed.
 * Context: process context, may sleep.
 * Return: 0; -EINVAL for an unknown hook parameter; the error of the hook that
 * was asked for by name, or of the last of them.
 */
int fpr_hooks_init(void)
{
	int err = check_name();
	unsigned int i;

	if (err)
		return err;
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		if (!wanted(hooks[i]))
			continue;
		err = prove(hooks[i]);
		if (!err) {
			chosen = hooks[i];
			return 0;
		}
		pr_warn("hook %s %s (error %d)\n", hooks[i]->name, why(err),
			err);
	}
	pr_err("no hook on the free path: hook=none works without, from a periodic sweep alone\n");
	return err;
}

/**
 * fpr_hooks_set_marks() - what the probes are to mark
 * @marks: the marks; they stay while any hook may be armed
 *
 * Context: at load, before fpr_hooks_init().
 */
void fpr_hooks_set_marks(struct fpr_marks *marks)
{
	fpr_hook_marks = marks;
}

/**
 * fpr_hooks_arm() - begin to notice frees
 *
 * Context: process context, control mutex held.
 * Return: 0 or the hook's error.
 */
int fpr_hooks_arm(void)
{
	int err = 0;

	if (!armed)
		err = chosen->arm();
	armed = !err;
	return err;
}

/**
 * fpr_hooks_disarm() - stop noticing frees; nothing happens if none is armed
 *
 * Context: process context, control mutex held.
 */
void fpr_hooks_disarm(void)
{
	if (armed)
		chosen->disarm();
	armed = false;
}

/**
 * fpr_hooks_name() - name of the chosen hook
 */
const char *fpr_hooks_name(void)
{
	return chosen->name;
}

/**
 * fpr_hooks_see_frees() - whether the chosen hook notices anything at all
 */
bool fpr_hooks_see_frees(void)
{
	return chosen != &fpr_hook_none;
}

/**
 * fpr_hooks_missed() - events that the kernel could not deliver to the hook
 */
unsigned long fpr_hooks_missed(void)
{
	return chosen->missed ? chosen->missed() : 0;
}
