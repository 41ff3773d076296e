// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps a CPU inside the tracepoint kmem:mm_page_free for a while, for tests of
 * unhooking: a thread on CPU 1 frees a page, and a probe that runs before that
 * of fpr does not return for @ms milliseconds.  Whoever has unregistered a probe
 * and waited as he must finds @lingering 0.
 */
#define pr_fmt(fmt) "fpr_linger: " fmt

#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "spin.h"

#define CPU 1

static bool lingering;
module_param(lingering, bool, 0444);
MODULE_PARM_DESC(lingering, "a CPU is inside the tracepoint");

static struct task_struct *thread;
static struct tracepoint *tp;

static notrace void linger(void *data, struct page *page, unsigned int order)
{
	if (current != READ_ONCE(thread))
		return;
	WRITE_ONCE(thread, NULL);
	WRITE_ONCE(lingering, true);
	spin_ms(*(unsigned int *)data);
	WRITE_ONCE(lingering, false);
}

/*
 * With a second probe that stays, removing fpr's is never a change between one
 * and several, for which the kernel may wait by itself.
 */
static notrace void do_nothing(void *data, struct page *page, unsigned int order)
{
}

static int free_a_page(void *unused)
{
	while (current != READ_ONCE(thread))
		cond_resched();
	__free_page(alloc_page(GFP_KERNEL | __GFP_NOFAIL));
	return 0;
}

static unsigned int linger_ms;

/* Writing a number of milliseconds starts the thread. */
static int ms_set(const char *text, const struct kernel_param *kp)
{
	struct task_struct *task;
	int err;

	err = param_set_uint(text, kp);
	if (err || !tp)
		return err;
	task = kthread_create(free_a_page, NULL, "fpr_linger");
	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_bind(task, CPU);
	WRITE_ONCE(thread, task);
	wake_up_process(task);
	return 0;
}

static const struct kernel_param_ops ms_ops = {
	.set = ms_set,
	.get = param_get_uint,
};

module_param_cb(ms, &ms_ops, &linger_ms, 0644);
MODULE_PARM_DESC(ms, "linger so long, once, from now");

static void match(struct tracepoint *candidate, void *priv)
{
	if (!strcmp(candidate->name, "mm_page_free"))
		tp = candidate;
}

static int __init linger_init(void)
{
	int err;

	for_each_kernel_tracepoint(match, NULL);
	if (!tp)
		return -ENOENT;
	err = tracepoint_probe_register_prio(tp, linger, &linger_ms, 20);
	if (err)
		return err;
	err = tracepoint_probe_register_prio(tp, do_nothing, NULL, 20);
	if (err) {
		tracepoint_probe_unregister(tp, linger, &linger_ms);
		tracepoint_synchronize_unregister();
	}
	return err;
}

static void __exit linger_exit(void)
{
	tracepoint_probe_unregister(tp, do_nothing, NULL);
	tracepoint_probe_unregister(tp, linger, &linger_ms);
	tracepoint_synchronize_unregister();
}

module_init(linger_init);
module_exit(linger_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Lingers in the tracepoint of freed pages, for tests of fpr");
