// SPDX-License-Identifier: GPL-2.0
/* Until 5.10: the registers, when they are asked for. */
#include <linux/ftrace.h>
#include <linux/ptrace.h>

unsigned long fpr_probe(struct pt_regs *regs);
unsigned long fpr_probe(struct pt_regs *regs)
{
	return regs_get_kernel_argument(regs, 1);
}

void fpr_probe_type(struct ftrace_ops *ops, ftrace_func_t func);
void fpr_probe_type(struct ftrace_ops *ops, ftrace_func_t func)
{
	void (*callback)(unsigned long ip, unsigned long parent,
			 struct ftrace_ops *op, struct pt_regs *regs) = func;

	ops->func = callback;
	ops->flags = FTRACE_OPS_FL_RECURSION_SAFE;
}
