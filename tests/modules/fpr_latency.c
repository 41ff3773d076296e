// SPDX-License-Identifier: GPL-2.0
/*
 * Measures how long the page allocator, interrupts and a real-time thread are kept
 * waiting, while it is loaded.
 *
 * A timer fires every period_us, and ten times less often while the processor is
 * idle.  How late its handler runs says for how long interrupts were off: under
 * zone->lock they are.  It wakes a real-time thread, which allocates and frees a page
 * of each order, without the right to sleep or to reclaim, so that what is timed is
 * the allocator and not the scheduler.
 *
 * Where a driver begins to work under zone->lock (starts[] and answered, of the kernel's
 * engine and of fpr), the timer fires every few microseconds for a while, and what it
 * finds then is "hold": how long that driver keeps interrupts off.  There is none where
 * no driver is loaded before this module.
 *
 * "result" has a line for each: count, failures, percentiles and maximum in ns.
 */
#define pr_fmt(fmt) "fpr_latency: " fmt

#include <linux/gfp.h>
#include <linux/hrtimer.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include "fpr-conf.h"

static unsigned int period_us = 100;
module_param(period_us, uint, 0444);
MODULE_PARM_DESC(period_us, "between two measurements, microseconds: 10 to 1000000");

/* Buckets of 1/32 of a power of two: percentiles are at most 3 % too high. */
#define SUB_BITS	5
#define BUCKETS		(40 << SUB_BITS)
/* So many stay allocated of each order, so that it is not always the same one */
#define KEPT		16

/* Written by one context each; a reader may see a sample half counted. */
struct spread {
	const char *name;
	u64 count, failed, max_ns;
	u32 bucket[BUCKETS];
};

enum { ORDER_0, ORDER_3, ORDER_9, INTERRUPT, WAKE, HOLD, NR_SPREADS };

static struct spread spreads[NR_SPREADS] = {
	[ORDER_0] = { .name = "order0" },
	[ORDER_3] = { .name = "order3" },
	[ORDER_9] = { .name = "order9" },
	[INTERRUPT] = { .name = "interrupt" },
	[WAKE] = { .name = "wake" },
	[HOLD] = { .name = "hold" },
};

static const unsigned int orders[] = { 0, 3, 9 };
static struct page *kept[ARRAY_SIZE(orders)][KEPT];
static struct hrtimer timer;
static struct task_struct *thread;
static u64 due_ns; /* when the timer that has woken the thread should have fired, or 0 */
static u64 woken_ns; /* the same, and it stays; the timer's own */
static unsigned int firings;

static unsigned int bucket_of(u64 ns)
{
	unsigned int shift;

	if (ns < 1U << SUB_BITS)
		return ns;
	shift = ilog2(ns) - SUB_BITS;
	return min_t(unsigned int, BUCKETS - 1,
		     ((shift + 1) << SUB_BITS) + (ns >> shift) - (1U << SUB_BITS));
}

/* The smallest value that is above all of a bucket */
static u64 bucket_end(unsigned int bucket)
{
	unsigned int shift = bucket >> SUB_BITS;
	u64 sub = bucket & ((1U << SUB_BITS) - 1);

	if (!shift)
		return bucket + 1;
	return (sub + 1 + (1U << SUB_BITS)) << (shift - 1);
}

static void count(struct spread *spread, u64 ns)
{
	spread->count++;
	spread->bucket[bucket_of(ns)]++;
	if (ns > spread->max_ns)
		spread->max_ns = ns;
}

static u64 since(u64 begin)
{
	u64 now = ktime_get_mono_fast_ns();

	return now > begin ? now - begin : 0;
}

static ktime_t period(bool idle)
{
	return ns_to_ktime((u64)period_us * (idle ? 10 : 1) * NSEC_PER_USEC);
}

#define BURST_NS	(500 * NSEC_PER_USEC)
#define BURST_PERIOD_NS	(5 * NSEC_PER_USEC)
static u64 burst_end_ns;

static enum hrtimer_restart fired(struct hrtimer *t)
{
	u64 due = ktime_to_ns(hrtimer_get_expires(t));
	struct task_struct *sampler = READ_ONCE(thread);
	bool close = due < READ_ONCE(burst_end_ns);

	WRITE_ONCE(firings, firings + 1);
	count(&spreads[close ? HOLD : INTERRUPT], since(due));
	/*
	 * A thread that has not run yet still waits for the timer that woke it.  In a
	 * burst it sleeps as long as otherwise, or nobody else would run.
	 */
	if (sampler && !READ_ONCE(due_ns) &&
	    (!close || due - woken_ns >= (u64)period_us * NSEC_PER_USEC)) {
		woken_ns = due;
		WRITE_ONCE(due_ns, due);
		wake_up_process(sampler);
	}
	hrtimer_forward_now(t, close ? ns_to_ktime(BURST_PERIOD_NS) :
				       period(is_idle_task(current)));
	return HRTIMER_RESTART;
}

/* Not counted where the timer itself came in between: in a burst it fires that often. */
static void sample(unsigned int which, unsigned int slot)
{
	struct page *page, **place = &kept[which][slot];
	unsigned int before;
	u64 begin, ns;

	if (*place)
		__free_pages(*place, orders[which]);
	before = READ_ONCE(firings);
	begin = ktime_get_mono_fast_ns();
	page = alloc_pages((GFP_HIGHUSER_MOVABLE & ~__GFP_RECLAIM) | __GFP_NOWARN,
			   orders[which]);
	ns = since(begin);
	if (READ_ONCE(firings) == before)
		count(&spreads[which], ns);
	if (!page)
		spreads[which].failed++;
	*place = page;
}

static int sampler_run(void *unused)
{
	unsigned int slot = 0, which;
	u64 due;

	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (kthread_should_stop())
			break;
		schedule();
		due = READ_ONCE(due_ns);
		if (!due)
			continue;
		count(&spreads[WAKE], since(due));
		for (which = 0; which < ARRAY_SIZE(orders); which++)
			sample(which, slot);
		slot = (slot + 1) % KEPT;
		WRITE_ONCE(due_ns, 0);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/* A driver is about to take the lock; it may be about to do so many times. */
static void burst(void)
{
	u64 now = ktime_get_mono_fast_ns(), end = READ_ONCE(burst_end_ns);

	WRITE_ONCE(burst_end_ns, now + BURST_NS);
	if (now >= end)
		hrtimer_start(&timer, ns_to_ktime(BURST_PERIOD_NS), HRTIMER_MODE_REL_HARD);
}

static int starts_working(struct kprobe *probe, struct pt_regs *regs)
{
	burst();
	return 0;
}

static int answers(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	burst();
	return 0;
}

static struct kprobe starts[] = {
	{ .symbol_name = "page_reporting_process", .pre_handler = starts_working },
	{ .symbol_name = "fpr_buddy_take", .pre_handler = starts_working },
	{ .symbol_name = "fpr_batch_putback", .pre_handler = starts_working },
};

/* What was reported is put back after this. */
static struct kretprobe answered = {
	.kp.symbol_name = "virtballoon_free_page_report",
	.handler = answers,
};

static bool started[ARRAY_SIZE(starts)], answered_probed;

static void probe_drivers(void)
{
	unsigned int i;

	/* Of a driver that is not there nothing can be probed. */
	for (i = 0; i < ARRAY_SIZE(starts); i++)
		started[i] = !register_kprobe(&starts[i]);
	answered_probed = !register_kretprobe(&answered);
}

static void unprobe_drivers(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(starts); i++)
		if (started[i])
			unregister_kprobe(&starts[i]);
	if (answered_probed)
		unregister_kretprobe(&answered);
}

static u64 percentile(const struct spread *spread, unsigned int per_mille)
{
	u64 below = 0, wanted = div_u64(spread->count * per_mille + 999, 1000);
	unsigned int i;

	for (i = 0; i < BUCKETS; i++) {
		below += spread->bucket[i];
		if (below >= wanted)
			return min(bucket_end(i), spread->max_ns);
	}
	return spread->max_ns;
}

static int result_get(char *text, const struct kernel_param *kp)
{
	const struct spread *s;
	int length = 0;

	for (s = spreads; s < spreads + NR_SPREADS; s++)
		length += scnprintf(text + length, PAGE_SIZE - length,
				    "%s count %llu failed %llu p50 %llu p99 %llu p999 %llu max %llu\n",
				    s->name, s->count, s->failed, percentile(s, 500),
				    percentile(s, 990), percentile(s, 999), s->max_ns);
	return length;
}

static const struct kernel_param_ops result_ops = {
	.get = result_get,
};

module_param_cb(result, &result_ops, NULL, 0444);
MODULE_PARM_DESC(result, "what was measured so far");

static int __init latency_init(void)
{
	struct task_struct *sampler;

	if (period_us < 10 || period_us > 1000000) {
		pr_err("period_us=%u: 10 to 1000000\n", period_us);
		return -EINVAL;
	}
	sampler = kthread_create(sampler_run, NULL, "fpr_latency");
	if (IS_ERR(sampler))
		return PTR_ERR(sampler);
	/* On one CPU with the timer, so that a wake-up is not sent across */
	kthread_bind(sampler, 0);
	sched_set_fifo(sampler);
#ifdef FPR_HAVE_HRTIMER_SETUP
	hrtimer_setup(&timer, fired, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
#else
	hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	timer.function = fired;
#endif
	WRITE_ONCE(thread, sampler);
	wake_up_process(sampler);
	hrtimer_start(&timer, period(false), HRTIMER_MODE_REL_HARD);
	probe_drivers();
	return 0;
}

static void __exit latency_exit(void)
{
	unsigned int which, slot;

	unprobe_drivers();
	hrtimer_cancel(&timer);
	kthread_stop(thread);
	for (which = 0; which < ARRAY_SIZE(orders); which++)
		for (slot = 0; slot < KEPT; slot++)
			if (kept[which][slot])
				__free_pages(kept[which][slot], orders[which]);
}

module_init(latency_init);
module_exit(latency_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Latency of the page allocator, for fpr's benchmarks");
