/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hooks on the allocator's free path.  A hook is a hint: it marks the block of
 * what was freed, and nothing else.  Missing an event costs a late report.
 */
#ifndef _FPR_HOOKS_H
#define _FPR_HOOKS_H

#include <linux/mm.h>

#include "blockmap.h"
#include "buddy.h"

/**
 * struct fpr_hook - a kind of hook
 * @name: as in the hook parameter and in sysfs
 * @automatic: may be chosen by hook=auto
 * @arm: begin to mark; undoes itself on failure
 * @disarm: stop; when it returns no probe runs or will run, unless it fails
 * @missed: events that the kernel could not deliver, over the module's life;
 *	NULL where that cannot happen
 *
 * @arm and @disarm are called in process context, at load or with the control
 * mutex held.
 */
struct fpr_hook {
	const char *name;
	bool automatic;
	int (*arm)(void);
	int (*disarm)(void);
	unsigned long (*missed)(void);
};

extern const struct fpr_hook fpr_hook_tracepoint;
extern const struct fpr_hook fpr_hook_tracepoint_drain;
extern const struct fpr_hook fpr_hook_ftrace;
extern const struct fpr_hook fpr_hook_kprobe;

/* What the probes mark.  Others may take their place, once more memory is there: a
 * probe reads it once.
 */
extern struct fpr_marks *fpr_hook_marks;

void fpr_hook_mark_slow(struct fpr_marks *marks, unsigned long block,
			unsigned int order);

/**
 * fpr_hook_is_new() - whether the block of a page that is being freed is unmarked
 * @marks: the marks
 * @page: head of what is being freed
 * @block: set to the block, masked
 *
 * The price of every page freed, so counted in instructions.  Only the first
 * block is tested: memory larger than a block whose first block is marked
 * already goes unnoticed in the others, but is found with the first, as one
 * buddy.  The shift is signed so that the compiler makes one of it and of that
 * in page_to_pfn().
 *
 * Context: any, NMI included; takes no lock.
 */
static __always_inline bool fpr_hook_is_new(const struct fpr_marks *marks,
					    const struct page *page,
					    unsigned long *block)
{
	/* Masked once, and not needed otherwise: one register, one instruction. */
	*block = (long)page_to_pfn(page) >> FPR_BLOCK_ORDER & marks->mask;
	return unlikely(!test_bit(*block, marks->bits));
}

/**
 * fpr_hook_mark() - note that a page is being freed
 * @marks: the marks
 * @page: head of what is being freed
 * @order: its order
 *
 * Context: any, NMI included; takes no lock.
 */
static __always_inline void fpr_hook_mark(struct fpr_marks *marks,
					  const struct page *page,
					  unsigned int order)
{
	unsigned long block;

	if (fpr_hook_is_new(marks, page, &block))
		fpr_hook_mark_slow(marks, block, order);
}

void fpr_hook_functions_check(void);

int fpr_hooks_init(void);
void fpr_hooks_set_marks(struct fpr_marks *marks);
void fpr_hooks_arm(void);
void fpr_hooks_disarm(void);
void fpr_hooks_exit(void);
const char *fpr_hooks_name(void);
bool fpr_hooks_see_frees(void);
unsigned long fpr_hooks_missed(void);

#endif /* _FPR_HOOKS_H */
