// SPDX-License-Identifier: GPL-2.0
/*
 * The hook kinds, the choice among them, and the probe itself.
 *
 * The probe runs wherever memory is freed: under any lock, with interrupts off,
 * in NMI, on PREEMPT_RT.  It tests one bit, mostly finds it set, and returns.
 * Else it sets the bit, and if nothing is armed it queues an irq_work: no lock,
 * no allocation, no timer or work queued from here.
 */
#define pr_fmt(fmt) "fpr: " fmt

#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "blockmap.h"
#include "buddy.h"
#include "engine.h"
#include "hooks.h"
#include "params.h"

/**
 * struct fpr_hook - a way of noticing frees
 * @name: as in the hook parameter and in sysfs
 * @arm: begin to mark; undoes itself on failure
 * @disarm: stop; when it returns no probe runs or will run
 *
 * Both are called in process context with the control mutex held.
 */
struct fpr_hook {
	const char *name;
	int (*arm)(void);
	void (*disarm)(void);
};

/* What the probes mark; set before a hook is armed, and constant from then. */
static struct fpr_marks *hot_marks;

/* For the first page freed of a block since the last harvest. */
static noinline notrace void mark_slow(struct fpr_marks *marks,
				       unsigned long block, unsigned int order)
{
	long n = order > FPR_BLOCK_ORDER ? 1L << (order - FPR_BLOCK_ORDER) : 1;
	bool first = false;

	while (n--)
		first |= fpr_mark(marks, block + n);
	if (first)
		fpr_engine_wake();
}

/*
 * The price of every page freed, so counted in instructions.  Only the first
 * block is tested: memory larger than a block whose first block is marked
 * already goes unnoticed in the others, but is found with the first, as one
 * buddy.  The shift is signed so that the compiler makes one of it and of that
 * in page_to_pfn().
 *
 * Source: include/trace/events/kmem.h, mm_page_free.
 */
static notrace void probe_page_free(void *data, struct page *page,
				    unsigned int order)
{
	struct fpr_marks *marks = data;
	unsigned long block = (long)page_to_pfn(page) >> FPR_BLOCK_ORDER;

	/* Masked once, and not needed otherwise: one register, one instruction. */
	block &= marks->mask;
	if (unlikely(!test_bit(block, marks->bits)))
		mark_slow(marks, block, order);
}

static struct tracepoint *tp_page_free;

static void match_page_free(struct tracepoint *tp, void *priv)
{
	if (!strcmp(tp->name, "mm_page_free"))
		tp_page_free = tp;
}

static int tracepoint_arm(void)
{
	if (!tp_page_free)
		for_each_kernel_tracepoint(match_page_free, NULL);
	if (!tp_page_free)
		return -ENOENT;
	return tracepoint_probe_register(tp_page_free, probe_page_free,
					 hot_marks);
}

static void tracepoint_disarm(void)
{
	tracepoint_probe_unregister(tp_page_free, probe_page_free, hot_marks);
	/* A probe may still be running: wait before its marks or text go. */
	tracepoint_synchronize_unregister();
}

static int none_arm(void)
{
	return 0;
}

static void none_disarm(void)
{
}

/* In order of preference; the last one notices nothing and always works. */
static const struct fpr_hook hooks[] = {
	{ "tracepoint", tracepoint_arm, tracepoint_disarm },
	{ "none", none_arm, none_disarm },
};

#define HOOK_NONE (&hooks[ARRAY_SIZE(hooks) - 1])

static const struct fpr_hook *chosen = HOOK_NONE;
static bool armed;

/* Whether freeing a page really sets its block's mark. */
static int prove(const struct fpr_hook *hook)
{
	unsigned long block;
	struct page *page;
	int err;

	err = hook->arm();
	if (err)
		return err;
	err = -ENOMEM;
	page = alloc_page(GFP_KERNEL);
	if (page) {
		block = page_to_pfn(page) >> FPR_BLOCK_ORDER;
		clear_bit(block & hot_marks->mask, hot_marks->bits);
		__free_page(page);
		err = fpr_marked(hot_marks, block) ? 0 : -ENODATA;
	}
	hook->disarm();
	return err;
}

static bool wanted(const struct fpr_hook *hook)
{
	return sysfs_streq(fpr_hook_param, hook->name) ||
	       (sysfs_streq(fpr_hook_param, "auto") && hook != HOOK_NONE);
}

static int unknown_hook(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		if (sysfs_streq(fpr_hook_param, hooks[i].name))
			return 0;
	if (sysfs_streq(fpr_hook_param, "auto"))
		return 0;
	pr_err("hook must be auto, tracepoint or none, not \"%s\"\n",
	       fpr_hook_param);
	return -EINVAL;
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
	unsigned int i;
	int err = unknown_hook();

	if (err)
		return err;
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		if (!wanted(&hooks[i]))
			continue;
		err = &hooks[i] == HOOK_NONE ? 0 : prove(&hooks[i]);
		if (!err) {
			chosen = &hooks[i];
			return 0;
		}
		pr_err("hook %s %s (error %d); hook=none works without, from a periodic sweep alone\n",
		       hooks[i].name,
		       err == -ENODATA ? "was armed but did not fire" :
					 "cannot be armed", err);
	}
	return err;
}

/**
 * fpr_hooks_set_marks() - what the probes are to mark
 * @marks: the marks; they stay while any hook may be armed
 *
 * Context: before fpr_hooks_init().
 */
void fpr_hooks_set_marks(struct fpr_marks *marks)
{
	hot_marks = marks;
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
	return chosen != HOOK_NONE;
}
