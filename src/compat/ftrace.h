/* SPDX-License-Identifier: GPL-2.0 */
/* Arguments of a function that ftrace calls back for; see compat.h. */
#ifndef _FPR_COMPAT_FTRACE_H
#define _FPR_COMPAT_FTRACE_H

#include <linux/ftrace.h>
#include <linux/ptrace.h>

#include "fpr-conf.h"

/*
 * struct fpr_ftrace_regs is what a callback gets, fpr_ftrace_arg() the argument
 * number n (a constant) of the function called, FPR_FTRACE_FLAGS what makes the
 * arguments available.  PERMANENT: the callback is not switched off behind our
 * back by kernel.ftrace_enabled=0; that fails while a hook is armed, and arming
 * fails while it is 0.
 */
#if defined(FPR_HAVE_FTRACE_ARGUMENT)
#define fpr_ftrace_regs		ftrace_regs
#define FPR_FTRACE_FLAGS	FTRACE_OPS_FL_PERMANENT
#define fpr_ftrace_arg(r, n)	ftrace_regs_get_argument(r, n)
#elif defined(FPR_HAVE_FTRACE_REGS)
#define fpr_ftrace_regs		ftrace_regs
#define FPR_FTRACE_FLAGS	FTRACE_OPS_FL_PERMANENT
#define fpr_ftrace_arg(r, n)	regs_get_kernel_argument(&(r)->regs, n)
#elif defined(FPR_HAVE_FTRACE_PT_REGS)
/* Callbacks that need no protection against recursion have to say so here. */
#define fpr_ftrace_regs		pt_regs
#define FPR_FTRACE_FLAGS	(FTRACE_OPS_FL_PERMANENT | \
				 FTRACE_OPS_FL_SAVE_REGS | \
				 FTRACE_OPS_FL_RECURSION_SAFE)
#define fpr_ftrace_arg(r, n)	regs_get_kernel_argument(r, n)
#endif

#endif /* _FPR_COMPAT_FTRACE_H */
