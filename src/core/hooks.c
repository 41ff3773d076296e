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
#include <linux/module.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "engine.h"
#include "hooks.h"
#include "params.h"

struct fpr_marks *fpr_hook_marks __read_mostly;

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

static int none_disarm(void)
{
	return 0;
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
static void disarm_chosen(struct work_struct *work);
static DECLARE_WORK(disarm_work, disarm_chosen);
/* The kernel did not let go of it: it is armed for as long as the kernel runs. */
static const struct fpr_hook *stuck;

/* Whether the mark of a block was set; clears it. */
static bool noticed(unsigned long block)
{
	return test_and_clear_bit(block & fpr_hook_marks->mask,
				  fpr_hook_marks->bits);
}

/* Frees that have to be seen, each with pages of its own. */
#define PROOFS		16
#define BATCH_PAGES	8

static int prove_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages(gfp, order);
	unsigned long block;

	if (!page)
		return -ENOMEM;
	block = page_to_pfn(page) >> FPR_BLOCK_ORDER;
	noticed(block);
	__free_pages(page, order);
	return noticed(block) ? 0 : -ENODATA;
}

static int prove_batch(gfp_t gfp)
{
	struct page *pages[BATCH_PAGES];
	unsigned long blocks[BATCH_PAGES];
	bool all = true;
	unsigned int i, n;

	for (n = 0; n < BATCH_PAGES; n++) {
		pages[n] = alloc_page(gfp);
		if (!pages[n])
			break;
		blocks[n] = page_to_pfn(pages[n]) >> FPR_BLOCK_ORDER;
	}
	for (i = 0; i < n; i++)
		noticed(blocks[i]);
	release_pages(pages, n);
	/* Several may be of one block, which has one mark. */
	for (i = 0; i < n; i++)
		all &= fpr_marked(READ_ONCE(fpr_hook_marks), blocks[i]);
	if (n < BATCH_PAGES)
		return -ENOMEM;
	return all ? 0 : -ENODATA;
}

/* The largest pages that can be had without any effort, up to a block. */
static unsigned int order_to_be_had(gfp_t gfp)
{
	unsigned int order;

	for (order = FPR_BLOCK_ORDER; order; order--) {
		struct page *page = alloc_pages(gfp & ~__GFP_RECLAIM, order);

		if (!page)
			continue;
		__free_pages(page, order);
		break;
	}
	return order;
}

/*
 * Whether freeing memory really sets marks: pages that are freed one by one, as a
 * larger one, and in a batch.  Others free memory meanwhile, maybe in the same block
 * at the same moment, and by another way, which is seen where this one is not; not
 * every time.  The map forgets what is marked, since the engine does not run yet.
 */
static int prove_armed(void)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN;
	unsigned int order = order_to_be_had(gfp), i;
	int err = 0;

	for (i = 0; i < PROOFS && !err; i++) {
		err = prove_pages(gfp, 0) ?: prove_batch(gfp);
		/* What could be had a moment ago may be somebody else's now. */
		if (!err && order &&
		    prove_pages(gfp | __GFP_NORETRY, order) == -ENODATA)
			err = -ENODATA;
	}
	return err;
}

/*
 * What cannot be disarmed goes on calling the module's code: the module stays.
 * ftrace gives up for good when it finds that something is wrong with itself.
 */
static void disarm(const struct fpr_hook *hook)
{
	int err = hook->disarm();

	if (!err || stuck)
		return;
	stuck = hook;
	__module_get(THIS_MODULE);
	pr_err("hook %s cannot be disarmed (error %d): fpr stays loaded until the system is started anew\n",
	       hook->name, err);
}

static int prove(const struct fpr_hook *hook)
{
	int err = hook->arm();

	if (err || hook == &fpr_hook_none)
		return err;
	err = prove_armed();
	disarm(hook);
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
	case -EPROTO:
		return "is called with other arguments than fpr knows";
	case -EBUSY:
		return "is switched off (kernel.ftrace_enabled=0?)";
	default:
		return "cannot be armed";
	}
}

/* The first allowed hook that is seen to fire; the error of the last of them else. */
static int choose(void)
{
	int err = -ENOENT;
	unsigned int i;

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
	return err;
}

/**
 * fpr_hooks_init() - choose a hook: the first allowed one that is seen to fire
 *
 * Marks have been set.  Leaves no hook armed, but for one that cannot be disarmed: then
 * the module must stay, and nothing may fail behind this.
 * Context: process context, may sleep.
 * Return: 0; -EINVAL for an unknown hook parameter; the error of the hook that
 * was asked for by name, or of the last of them.
 */
int fpr_hooks_init(void)
{
	int err = check_name();

	if (err)
		return err;
	fpr_hook_functions_check();
	err = choose();
	if (err && !stuck) {
		pr_err("no hook on the free path: hook=none works without, from a periodic sweep alone\n");
		return err;
	}
	return 0;
}

/**
 * fpr_hooks_set_marks() - what the probes are to mark
 * @marks: the marks; they stay while any hook may be armed
 *
 * Context: at load, before fpr_hooks_init(), and whenever the map has grown; engine
 * mutex held then.
 */
void fpr_hooks_set_marks(struct fpr_marks *marks)
{
	/* What is in them first; a probe's read of it depends on the pointer. */
	smp_store_release(&fpr_hook_marks, marks);
}

/* Whether the hook that is armed is one that the user allows. */
static bool arm_chosen(void)
{
	int err = chosen->arm();

	if (err)
		pr_warn("hook %s %s by now (error %d)\n", chosen->name, why(err), err);
	return !err && wanted(chosen);
}

/**
 * fpr_hooks_arm() - begin to notice frees
 *
 * What could be armed when fpr was loaded may not be now (kernel.ftrace_enabled=0): then
 * another hook is chosen, or none at all, and memory is found by the sweep alone.  Where
 * that is so, the next call tries again.
 * Context: process context, may sleep; control mutex held.
 */
void fpr_hooks_arm(void)
{
	/* Where it has begun already, its end is waited for. */
	cancel_work_sync(&disarm_work);
	/* None that took another's place need not have been taken off meanwhile. */
	if (armed && wanted(chosen))
		return;
	armed = true;
	if (arm_chosen() || (!choose() && arm_chosen()))
		return;
	chosen = &fpr_hook_none;
	pr_warn("no hook on the free path: free memory is found by a periodic sweep alone, until reporting is switched off and on again\n");
}

static void disarm_chosen(struct work_struct *work)
{
	if (armed)
		disarm(chosen);
	armed = false;
}

/**
 * fpr_hooks_disarm() - have the hook taken off, soon
 *
 * Nobody waits for it: ftrace waits for every CPU, and a realtime thread may own one.
 * Until then it marks blocks, and nothing comes of that.
 * Context: process context, control mutex held.
 */
void fpr_hooks_disarm(void)
{
	queue_work(system_long_wq, &disarm_work);
}

/**
 * fpr_hooks_exit() - no hook is armed any more when it returns
 *
 * Context: process context, may sleep; no device is registered.
 */
void fpr_hooks_exit(void)
{
	cancel_work_sync(&disarm_work);
	disarm_chosen(NULL);
	/* Too late to stay loaded: rather this never returns than its code goes. */
	while (stuck)
		schedule_timeout_idle(MAX_SCHEDULE_TIMEOUT);
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
