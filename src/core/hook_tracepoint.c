// SPDX-License-Identifier: GPL-2.0
/*
 * Hooks on the kernel's tracepoints of the free path: the stable way, but each
 * page pays for the kernel's call of the tracepoint.
 */
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "../compat/compat.h"
#include "hooks.h"

/* Source: include/trace/events/kmem.h, mm_page_free. */
static notrace void probe_page_free(void *data, struct page *page,
				    unsigned int order)
{
	fpr_hook_mark(READ_ONCE(fpr_hook_marks), page, order);
}

/*
 * Pages that leave a per-CPU list for the free lists; fires under zone->lock.
 *
 * Source: include/trace/events/kmem.h, mm_page_pcpu_drain.
 */
static notrace void probe_pcpu_drain(void *data, struct page *page,
				     unsigned int order, int migratetype)
{
	fpr_hook_mark(READ_ONCE(fpr_hook_marks), page, order);
}

/**
 * struct point - a tracepoint
 * @name: its name
 * @probe: what it calls
 * @tp: NULL until it was looked for, and where the kernel has none
 */
struct point {
	const char *name;
	void *probe;
	struct tracepoint *tp;
};

static struct point page_free = { "mm_page_free", probe_page_free };
static struct point pcpu_drain = { "mm_page_pcpu_drain", probe_pcpu_drain };

static void match(struct tracepoint *tp, void *priv)
{
	struct point *point = priv;

	if (!strcmp(tp->name, point->name))
		point->tp = tp;
}

static int arm_point(struct point *point)
{
	if (!FPR_KNOWN_TRACEPOINTS)
		return -EPROTO;
	if (!point->tp)
		for_each_kernel_tracepoint(match, point);
	if (!point->tp)
		return -ENOENT;
	return tracepoint_probe_register(point->tp, point->probe, NULL);
}

static int disarm_point(struct point *point)
{
	return tracepoint_probe_unregister(point->tp, point->probe, NULL);
}

static int arm(void)
{
	return arm_point(&page_free);
}

static int disarm(void)
{
	int err = disarm_point(&page_free);

	/* A probe may still be running: wait before its marks or text go. */
	tracepoint_synchronize_unregister();
	return err;
}

static int arm_with_drain(void)
{
	int err = arm();

	if (err)
		return err;
	err = arm_point(&pcpu_drain);
	if (err)
		disarm();
	return err;
}

static int disarm_with_drain(void)
{
	int err = disarm_point(&pcpu_drain);

	return disarm() ?: err;
}

const struct fpr_hook fpr_hook_tracepoint = {
	.name = "tracepoint",
	.automatic = true,
	.arm = arm,
	.disarm = disarm,
};

const struct fpr_hook fpr_hook_tracepoint_drain = {
	.name = "tracepoint+drain",
	.arm = arm_with_drain,
	.disarm = disarm_with_drain,
};
