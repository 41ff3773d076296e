// SPDX-License-Identifier: GPL-2.0
/* 5.11 to 6.1: a structure around the registers. */
#include <linux/ftrace.h>
#include <linux/ptrace.h>

unsigned long fpr_probe(struct ftrace_regs *regs);
unsigned long fpr_probe(struct ftrace_regs *regs)
{
	return regs_get_kernel_argument(&regs->regs, 1);
}

void fpr_probe_type(struct ftrace_ops *ops, ftrace_func_t func);
void fpr_probe_type(struct ftrace_ops *ops, ftrace_func_t func)
{
	void (*callback)(unsigned long ip, unsigned long parent,
			 struct ftrace_ops *op, struct ftrace_regs *regs) =
		func;

	ops->func = callback;
}
