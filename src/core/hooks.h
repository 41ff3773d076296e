/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hooks on the allocator's free path.  A hook is a hint: it marks the block of
 * what was freed, and nothing else.  Missing an event costs a late report.
 */
#ifndef _FPR_HOOKS_H
#define _FPR_HOOKS_H

struct fpr_marks;

int fpr_hooks_init(void);
void fpr_hooks_set_marks(struct fpr_marks *marks);
int fpr_hooks_arm(void);
void fpr_hooks_disarm(void);
const char *fpr_hooks_name(void);
bool fpr_hooks_see_frees(void);

#endif /* _FPR_HOOKS_H */
