// SPDX-License-Identifier: GPL-2.0
/*
 * A reporting device for tests: the most hostile host there can be.
 *
 * It checks every entry of a report, overwrites all of the memory, keeps it for
 * as long as it is told, checks that nobody else has written to it meanwhile,
 * overwrites it again with something else, and only then acknowledges, or fails
 * when it is told to.  If any of those pages was in use, somebody's data are
 * gone, and a load that verifies its memory finds out.
 *
 * Counters and switches are module parameters.
 */
#define pr_fmt(fmt) "fpr_testdev: " fmt

#include <linux/delay.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/page_ref.h>
#include <linux/scatterlist.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <fpr/fpr.h>

#include "spin.h"

static unsigned int max_entries = 32;
module_param(max_entries, uint, 0444);
static unsigned int max_entry_kb;
module_param(max_entry_kb, uint, 0444);
static unsigned int min_order;
module_param(min_order, uint, 0444);
static bool no_promises;
module_param(no_promises, bool, 0444);
MODULE_PARM_DESC(no_promises, "guarantee nothing of the content of reported pages");

static bool no_answers;
module_param(no_answers, bool, 0444);
MODULE_PARM_DESC(no_answers, "do not want to know when a request was served");

static unsigned int delay_ms;
module_param(delay_ms, uint, 0644);
MODULE_PARM_DESC(delay_ms, "how long each report takes, milliseconds");
static unsigned int busy_ms;
module_param(busy_ms, uint, 0644);
MODULE_PARM_DESC(busy_ms, "how long each report keeps the CPU busy, milliseconds");
static unsigned int fail_every;
module_param(fail_every, uint, 0644);
MODULE_PARM_DESC(fail_every, "fail each so manieth report; 0: none");
static unsigned int random_delay_ms;
module_param(random_delay_ms, uint, 0644);
MODULE_PARM_DESC(random_delay_ms, "and up to so many more, drawn for each report");
static unsigned int fail_one_in;
module_param(fail_one_in, uint, 0644);
MODULE_PARM_DESC(fail_one_in, "fail one in so many reports, drawn for each; 0: none");
static ulong seed = 1;
module_param(seed, ulong, 0644);
MODULE_PARM_DESC(seed, "of what is drawn; moves on with each report");
static unsigned int expect_order;
module_param(expect_order, uint, 0644);
MODULE_PARM_DESC(expect_order, "entries must be multiples of this order");

static unsigned long reports;
module_param(reports, ulong, 0444);
static unsigned long failures;
module_param(failures, ulong, 0444);
static unsigned long entries;
module_param(entries, ulong, 0444);
static unsigned long pages;
module_param(pages, ulong, 0444);
static unsigned long violations;
module_param(violations, ulong, 0444);
MODULE_PARM_DESC(violations, "breaches of the contract, each explained in the log");

static struct fpr_device dev;
static bool busy;

static u64 draw(void)
{
	u64 x = seed += 0x9e3779b97f4a7c15UL;

	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	return x ^ x >> 29;
}

static unsigned int draw_delay_ms(void)
{
	return READ_ONCE(delay_ms) +
	       (unsigned int)draw() % (READ_ONCE(random_delay_ms) + 1);
}

static bool draw_failure(void)
{
	unsigned int every = READ_ONCE(fail_every);
	unsigned int one_in = READ_ONCE(fail_one_in);

	return (every && reports % every == 0) ||
	       (one_in && (unsigned int)draw() % one_in == 0);
}

/* Pages mapped at a time: 2 MiB where pages have 4 KiB.  One report at a time. */
#define WINDOW_PAGES	512
static struct page *window_pages[WINDOW_PAGES];

static void violation(const char *what, unsigned long pfn)
{
	violations++;
	/* A level that the harness takes for a failure is not needed: the
	 * counter fails the test, the line says why.
	 */
	pr_err_ratelimited("VIOLATION: %s (pfn %#lx)\n", what, pfn);
}

static void check_page(struct page *page)
{
	if (page_ref_count(page))
		violation("page has references", page_to_pfn(page));
	if (PageBuddy(page))
		violation("page is on a free list", page_to_pfn(page));
	if (PageLRU(page) || PageReserved(page) || PageSlab(page))
		violation("page is in use", page_to_pfn(page));
}

static void check_entry(struct scatterlist *sg, unsigned int order,
			unsigned long *end)
{
	unsigned long pfn = page_to_pfn(sg_page(sg));
	unsigned long n = sg->length >> PAGE_SHIFT, i;

	if (sg->offset || !sg->length || sg->length & ~PAGE_MASK)
		violation("entry is not made of whole pages", pfn);
	if (max_entry_kb && sg->length > max_entry_kb << 10)
		violation("entry is too long", pfn);
	if (!IS_ALIGNED(pfn, 1UL << order) || !IS_ALIGNED(n, 1UL << order))
		violation("entry is not a multiple of the order", pfn);
	if (pfn < *end)
		violation("entry overlaps or is out of order", pfn);
	*end = pfn + n;
	for (i = 0; i < n; i++) {
		if (!pfn_to_online_page(pfn + i)) {
			violation("page is not online memory", pfn + i);
			return;
		}
		check_page(pfn_to_page(pfn + i));
	}
}

/*
 * A host has a mapping of its own of the guest's memory, and so has this one:
 * the kernel's may be absent for free pages (debug_pagealloc), and KASAN watches
 * it.
 */
struct window {
	struct page **pages;
	unsigned int nr;
	u8 byte;
	void (*visit)(struct window *win, void *mem);
};

static void visit_window(struct window *win)
{
	void *mem;

	if (!win->nr)
		return;
	mem = vmap(win->pages, win->nr, VM_MAP, PAGE_KERNEL);
	if (mem)
		win->visit(win, mem);
	else
		violation("no memory for a mapping", win->nr);
	vunmap(mem);
	win->nr = 0;
	cond_resched();
}

static void visit_all(struct scatterlist *sgl, unsigned int nents, u8 byte,
		      void (*visit)(struct window *win, void *mem))
{
	struct window win = {
		.pages = window_pages,
		.byte = byte,
		.visit = visit,
	};
	struct scatterlist *sg;
	unsigned int i, p;

	for_each_sg(sgl, sg, nents, i) {
		for (p = 0; p < sg->length >> PAGE_SHIFT; p++) {
			win.pages[win.nr++] = pfn_to_page(page_to_pfn(sg_page(sg)) + p);
			if (win.nr == WINDOW_PAGES)
				visit_window(&win);
		}
	}
	visit_window(&win);
}

static void overwrite(struct window *win, void *mem)
{
	memset(mem, win->byte, (size_t)win->nr << PAGE_SHIFT);
}

/*
 * Word by word: memchr_inv() goes byte by byte with KASAN, memcmp() in 5.10, where
 * that took longer than until the next sweep for all of a small guest's memory.
 */
static bool page_is(const u64 *mem, u64 word)
{
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(*mem); i++)
		if (mem[i] != word)
			return false;
	return true;
}

static void compare(struct window *win, void *mem)
{
	u64 word = win->byte * 0x0101010101010101ULL;
	unsigned int i;

	for (i = 0; i < win->nr; i++)
		if (!page_is(mem + i * PAGE_SIZE, word))
			violation("page was written to while it was reported",
				  page_to_pfn(win->pages[i]));
}

static void fill(struct scatterlist *sgl, unsigned int nents, u8 byte)
{
	visit_all(sgl, nents, byte, overwrite);
}

static void check_fill(struct scatterlist *sgl, unsigned int nents, u8 byte)
{
	visit_all(sgl, nents, byte, compare);
}

/* The memory is the host's from here until it returns, whatever for. */
static void take(struct scatterlist *sgl, unsigned int nents,
		 unsigned int order, unsigned long *taken)
{
	bool any = fpr_fill_needed() == FPR_FILL_ANY;
	unsigned int i, ms = draw_delay_ms();
	unsigned long end = 0;
	struct scatterlist *sg;

	if (xchg(&busy, true))
		violation("two reports at a time", 0);
	if (!nents || nents > max_entries)
		violation("number of entries out of bounds", nents);
	for_each_sg(sgl, sg, nents, i) {
		check_entry(sg, max(order, min_order), &end);
		*taken += sg->length >> PAGE_SHIFT;
	}
	entries += nents;
	fill(sgl, nents, any ? 0xd5 : fpr_fill_value());
	spin_ms(READ_ONCE(busy_ms));
	if (ms)
		msleep(ms);
	check_fill(sgl, nents, any ? 0xd5 : fpr_fill_value());
	/* Until it is acknowledged the memory is the host's. */
	if (any)
		fill(sgl, nents, 0x5d);
	WRITE_ONCE(busy, false);
}

static int result(void)
{
	if (!draw_failure())
		return 0;
	failures++;
	return -EIO;
}

static int report(struct fpr_device *fdev, struct scatterlist *sgl,
		  unsigned int nents)
{
	take(sgl, nents, expect_order, &pages);
	reports++;
	return result();
}

/* A host that migrates may change what it is told of, as one that discards it. */

static unsigned int hinting;
static unsigned long hint_pages;
module_param(hint_pages, ulong, 0444);
MODULE_PARM_DESC(hint_pages, "base pages that hints have named");
static unsigned int hinted;
module_param(hinted, uint, 0444);
MODULE_PARM_DESC(hinted, "number of the latest hint request that has ended");
static unsigned long hints_ended;
module_param(hints_ended, ulong, 0444);

static int hint(struct fpr_device *fdev, u32 number, struct scatterlist *sgl,
		unsigned int nents)
{
	if (fpr_fill_needed() != FPR_FILL_ANY)
		violation("hints in a kernel that relies on free pages", number);
	if (hinting && number != hinting)
		violation("hints for another request amid one", number);
	hinting = number;
	take(sgl, nents, 21 - PAGE_SHIFT, &hint_pages);
	return result();
}

static void hint_done(struct fpr_device *fdev, u32 number)
{
	if (READ_ONCE(busy))
		violation("the end of hints while the device has memory", number);
	if (hinting && number != hinting)
		violation("the end of another request", number);
	hinting = 0;
	hinted = number;
	hints_ended++;
}

static int hint_set(const char *text, const struct kernel_param *kp)
{
	unsigned int number;
	int err = kstrtouint(text, 0, &number);

	if (err)
		return err;
	if (number)
		return fpr_hint_start(&dev, number);
	fpr_hint_stop(&dev);
	return 0;
}

static const struct kernel_param_ops hint_ops = {
	.set = hint_set,
};

module_param_cb(hint, &hint_ops, NULL, 0200);
MODULE_PARM_DESC(hint, "NUMBER: have all free memory named; 0: stop that");

/* What a host may say: how badly it needs memory, and that it wants all. */

static int pressure_set(const char *text, const struct kernel_param *kp)
{
	int level, err = kstrtoint(text, 0, &level);

	if (!err)
		fpr_set_pressure(&dev, level);
	return err;
}

static const struct kernel_param_ops pressure_ops = {
	.set = pressure_set,
};

module_param_cb(pressure, &pressure_ops, NULL, 0200);
MODULE_PARM_DESC(pressure, "of enum fpr_pressure");

static unsigned int answered;
module_param(answered, uint, 0444);
MODULE_PARM_DESC(answered, "number of the latest request that was answered");
static unsigned long answered_kb;
module_param(answered_kb, ulong, 0444);
static unsigned long answers;
module_param(answers, ulong, 0444);

static int request_set(const char *text, const struct kernel_param *kp)
{
	unsigned int number, order;

	if (sscanf(text, "%u %u", &number, &order) != 2)
		return -EINVAL;
	fpr_request_all(&dev, number, order);
	return 0;
}

static const struct kernel_param_ops request_ops = {
	.set = request_set,
};

module_param_cb(request, &request_ops, NULL, 0200);
MODULE_PARM_DESC(request, "NUMBER ORDER: have all free memory reported");

static void all_reported(struct fpr_device *fdev, u32 number, u64 bytes)
{
	if (xchg(&busy, true))
		violation("an answer while a report runs", number);
	if (number < answered)
		violation("an older request is answered after a newer one", number);
	answered = number;
	answered_kb = bytes >> 10;
	answers++;
	WRITE_ONCE(busy, false);
}

static const struct fpr_device_ops ops = {
	.report = report,
	.all_reported = all_reported,
	.hint = hint,
	.hint_done = hint_done,
};

static const struct fpr_device_ops ops_without_answers = {
	.report = report,
};

static int __init testdev_init(void)
{
	dev.name = "fpr_testdev";
	dev.ops = no_answers ? &ops_without_answers : &ops;
	dev.max_entries = max_entries;
	dev.max_entry_bytes = (u64)max_entry_kb << 10;
	dev.min_order = min_order;
	dev.fills = BIT(FPR_FILL_ANY);
	if (!no_promises)
		dev.fills |= BIT(FPR_FILL_ZERO) | BIT(FPR_FILL_POISON);
	return fpr_register_device(&dev);
}

static void __exit testdev_exit(void)
{
	fpr_unregister_device(&dev);
	if (busy)
		pr_err("VIOLATION: a report is running after unregistering\n");
}

module_init(testdev_init);
module_exit(testdev_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Reporting device for tests of fpr: overwrites all it is given");
