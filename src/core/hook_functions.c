// SPDX-License-Identifier: GPL-2.0
/*
 * Hooks on the functions through which memory is freed, by ftrace or kprobes.
 * Which there are differs from kernel to kernel, and the compiler may have
 * inlined some, so what is found is armed, and hooks.c proves that it is enough.
 * A batch of pages costs one call, where the tracepoint costs one for each.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/string.h>

#include "../compat/compat.h"
#include "../compat/ftrace.h"
#include "hooks.h"
#include "ksyms.h"
#include "proto.h"

/*
 * (struct page *page, unsigned int order, ...).  5.10 frees single pages with a
 * function that has no second argument: what is found in its place only makes
 * for a look in vain.
 */
static __always_inline void mark_page(unsigned long page, unsigned long order)
{
	fpr_hook_mark(READ_ONCE(fpr_hook_marks), (const struct page *)page,
		      order <= FPR_MAX_ORDER ? order : 0);
}

/* (struct list_head *list): base pages, linked by lru. */
static __always_inline void mark_list(unsigned long list, unsigned long unused)
{
	struct fpr_marks *marks = READ_ONCE(fpr_hook_marks);
	const struct page *page;

	list_for_each_entry(page, (const struct list_head *)list, lru)
		fpr_hook_mark(marks, page, 0);
}

#ifdef FPR_FOLIO_BATCHES
/* (struct folio_batch *folios). */
static __always_inline void mark_folios(unsigned long batch,
					unsigned long unused)
{
	struct folio_batch *folios = (struct folio_batch *)batch;
	struct fpr_marks *marks = READ_ONCE(fpr_hook_marks);
	unsigned int i, n = folio_batch_count(folios);

	for (i = 0; i < n; i++) {
		struct folio *folio = folios->folios[i];
		unsigned long block;

		/* Its order is rarely needed, and costs a look at its flags. */
		if (fpr_hook_is_new(marks, &folio->page, &block))
			fpr_hook_mark_slow(marks, block, folio_order(folio));
	}
}
#endif

/* The callbacks of both kinds, each with its way of marking inlined. */
#define CALLBACKS(_mark)						\
static notrace void _mark##_ftrace(unsigned long ip,			\
				   unsigned long parent_ip,		\
				   struct ftrace_ops *ops,		\
				   struct fpr_ftrace_regs *regs)	\
{									\
	_mark(fpr_ftrace_arg(regs, 0), fpr_ftrace_arg(regs, 1));	\
}									\
static notrace int _mark##_kprobe(struct kprobe *kp,			\
				  struct pt_regs *regs)			\
{									\
	_mark(regs_get_kernel_argument(regs, 0),			\
	      regs_get_kernel_argument(regs, 1));			\
	return 0;							\
}									\
NOKPROBE_SYMBOL(_mark##_kprobe)

CALLBACKS(mark_page);
CALLBACKS(mark_list);
#ifdef FPR_FOLIO_BATCHES
CALLBACKS(mark_folios);
#endif

/**
 * struct target - a function of the free path
 * @names: its name, and what it was called before; the first that exists counts
 * @mandatory: no hook of these kinds without it
 * @known: its prototypes
 * @on_ftrace: what ftrace calls
 * @on_kprobe: what a kprobe calls
 * @refused: it is not what is known; 0 or a negative errno
 * @armed: @ops or @kp is registered
 * @left: ftrace did not let go of @ops
 * @ip: where; kept for disarming
 * @ops: for ftrace
 * @kp: for a kprobe
 */
struct target {
	const char *names[3];
	bool mandatory;
	const char *const *known;
	ftrace_func_t on_ftrace;
	kprobe_pre_handler_t on_kprobe;
	int refused;
	bool armed;
	bool left;
	unsigned long ip;
	struct ftrace_ops ops;
	struct kprobe kp;
};

static const char *const page_known[] = {
	"void(struct page *, unsigned int", "void(struct page *)", NULL
};

static const char *const list_known[] = { "void(struct list_head *", NULL };
#ifdef FPR_FOLIO_BATCHES
static const char *const folios_known[] = { "void(struct folio_batch *", NULL };
#endif

static struct target targets[] = {
	{ { "__free_frozen_pages", "free_unref_page" }, true, page_known,
	  mark_page_ftrace, mark_page_kprobe },
#ifdef FPR_FOLIO_BATCHES
	{ { "free_unref_folios" }, false, folios_known,
	  mark_folios_ftrace, mark_folios_kprobe },
#endif
	{ { "free_unref_page_list" }, false, list_known,
	  mark_list_ftrace, mark_list_kprobe },
	{ { "__free_pages_ok" }, false, page_known,
	  mark_page_ftrace, mark_page_kprobe },
};

static unsigned long missed;

static int arm_ftrace(struct target *t, const char *name)
{
	void *addr = fpr_ksyms_find(name, NULL);
	int err;

	if (IS_ERR(addr))
		return PTR_ERR(addr);
	if (t->left)
		return -ENODEV;
	t->ip = (unsigned long)addr;
	t->ops.func = t->on_ftrace;
	t->ops.flags = FPR_FTRACE_FLAGS;
	/* Without a filter it would be called for every function there is. */
	err = ftrace_set_filter_ip(&t->ops, t->ip, 0, 1);
	if (err)
		return err;
	err = register_ftrace_function(&t->ops);
	if (err)
		ftrace_set_filter_ip(&t->ops, t->ip, 1, 0);
	return err;
}

static int disarm_ftrace(struct target *t)
{
	/* Waits until no callback runs. */
	int err = unregister_ftrace_function(&t->ops);

	t->left = err;
	/* The last entry takes the filter's memory with it. */
	if (!err)
		ftrace_set_filter_ip(&t->ops, t->ip, 1, 0);
	return err;
}

/*
 * Behind the place that ftrace patches: a kprobe there would be one of ftrace's,
 * and when kernel.ftrace_enabled is written while it is armed, it fails to come
 * off and the kernel keeps a pointer to it.  The registers hold the arguments
 * there too, since nothing but that place has been executed.
 */
static int arm_kprobe(struct target *t, const char *name)
{
	bool traced;
	void *addr = fpr_ksyms_find(name, &traced);

	if (IS_ERR(addr))
		return PTR_ERR(addr);
	memset(&t->kp, 0, sizeof(t->kp));
	t->kp.addr = addr + (traced ? MCOUNT_INSN_SIZE : 0);
	t->kp.pre_handler = t->on_kprobe;
	return register_kprobe(&t->kp);
}

static int disarm_kprobe(struct target *t)
{
	/* Waits until no handler runs. */
	unregister_kprobe(&t->kp);
	missed += t->kp.nmissed;
	t->kp.nmissed = 0;
	return 0;
}

static int disarm_all(int (*disarm)(struct target *t))
{
	struct target *t;
	int err = 0;

	for (t = targets; t < targets + ARRAY_SIZE(targets); t++) {
		if (t->armed)
			err = disarm(t) ?: err;
		t->armed = false;
	}
	return err;
}

/**
 * fpr_hook_functions_check() - whether the functions to hook are those that are known
 *
 * Context: process context, may sleep; at load, before any of them is armed.
 */
void fpr_hook_functions_check(void)
{
	struct target *t;

	for (t = targets; t < targets + ARRAY_SIZE(targets); t++) {
		const char *const *name = t->names;

		while (*name && IS_ERR(fpr_ksyms_find(*name, NULL)))
			name++;
		t->refused = *name ? fpr_proto_check(*name, t->known) : 0;
	}
}

/* By the first of its names that exists. */
static int arm_first(struct target *t, int (*arm)(struct target *t, const char *name))
{
	const char *const *name;
	int err = -ENOENT;

	for (name = t->names; *name && err == -ENOENT; name++)
		err = arm(t, *name);
	return err;
}

static int arm_all(int (*arm)(struct target *t, const char *name),
		   int (*disarm)(struct target *t))
{
	struct target *t;

	for (t = targets; t < targets + ARRAY_SIZE(targets); t++) {
		int err = t->refused ?: arm_first(t, arm);

		t->armed = !err;
		if (err && (t->mandatory || err != -ENOENT)) {
			disarm_all(disarm);
			return err;
		}
	}
	return 0;
}

static int ftrace_arm(void)
{
	return arm_all(arm_ftrace, disarm_ftrace);
}

static int ftrace_disarm(void)
{
	return disarm_all(disarm_ftrace);
}

static int kprobe_arm(void)
{
	return arm_all(arm_kprobe, disarm_kprobe);
}

static int kprobe_disarm(void)
{
	return disarm_all(disarm_kprobe);
}

/* Racing with arming it may be off for a moment; it is only shown. */
static unsigned long kprobe_missed(void)
{
	unsigned long n = READ_ONCE(missed);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(targets); i++)
		n += READ_ONCE(targets[i].kp.nmissed);
	return n;
}

const struct fpr_hook fpr_hook_ftrace = {
	.name = "ftrace",
	.automatic = true,
	.arm = ftrace_arm,
	.disarm = ftrace_disarm,
};

const struct fpr_hook fpr_hook_kprobe = {
	.name = "kprobe",
	.automatic = true,
	.arm = kprobe_arm,
	.disarm = kprobe_disarm,
	.missed = kprobe_missed,
};
