// SPDX-License-Identifier: GPL-2.0
/* Since 6.2: arguments through a function. */
#include <linux/ftrace.h>

unsigned long fpr_probe(struct ftrace_regs *regs);
unsigned long fpr_probe(struct ftrace_regs *regs)
{
	return ftrace_regs_get_argument(regs, 1);
}

void fpr_probe_type(struct ftrace_ops *ops, ftrace_func_t func);
void fpr_probe_type(struct ftrace_ops *ops, ftrace_func_t func)
{
	void (*callback)(unsigned long ip, unsigned long parent,
			 struct ftrace_ops *op, struct ftrace_regs *regs) =
		func;

	ops->func = callback;
}
