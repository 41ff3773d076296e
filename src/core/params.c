// SPDX-License-Identifier: GPL-2.0
/* Parameters; see params.h. */
#define pr_fmt(fmt) "fpr: " fmt

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "../compat/compat.h"
#include "buddy.h"
#include "params.h"

struct fpr_param fpr_params[FPR_NR_PARAMS] = {
	[FPR_ORDER] = {
		"order", FPR_BLOCK_ORDER, 0, FPR_MAX_ORDER,
	},
	[FPR_FLOOR_ORDER] = {
		"floor_order", 4, 0, FPR_MAX_ORDER,
	},
	[FPR_DELAY_MS] = {
		"delay_ms", 800, 10, 600000,
	},
	[FPR_COLD_MS] = {
		"cold_ms", 2000, 10, 600000,
	},
	[FPR_THRESHOLD_KB] = {
		"threshold_kb", 4 << 10, 0, 16 << 20,
	},
	[FPR_RESERVE_KB] = {
		"reserve_kb", 0, 0, 1 << 29,
	},
	[FPR_HOLD_KB] = {
		"hold_kb", 256 << 10, 4 << 10, 16 << 20,
	},
	[FPR_ENABLED] = {
		"enabled", 1, 0, 1,
	},
};

/**
 * fpr_param_parse() - read and check a value
 * @param: the parameter it is meant for
 * @text: what the user wrote, one trailing newline allowed
 * @value: set if the text is good
 *
 * Context: process context.
 * Return: 0, or -EINVAL after a log line that names the range.
 */
int fpr_param_parse(const struct fpr_param *param, const char *text,
		    unsigned int *value)
{
	unsigned int v;

	if (kstrtouint(text, 0, &v) || v < param->min || v > param->max) {
		pr_err("%s must be a number from %u to %u, not \"%.*s\"\n",
		       param->name, param->min, param->max,
		       (int)strcspn(text, "\n"), text);
		return -EINVAL;
	}
	*value = v;
	return 0;
}

static int param_set(const char *text, const struct kernel_param *kp)
{
	struct fpr_param *param = kp->arg;

	return fpr_param_parse(param, text, &param->value);
}

static int param_get(char *buffer, const struct kernel_param *kp)
{
	const struct fpr_param *param = kp->arg;

	return sysfs_emit(buffer, "%u\n", READ_ONCE(param->value));
}

static const struct kernel_param_ops param_ops = {
	.set = param_set,
	.get = param_get,
};

/* Read-only below /sys/module: changes go through /sys/kernel/fpr. */
#define FPR_MODULE_PARAM(_name, _id, _desc)				\
	module_param_cb(_name, &param_ops, &fpr_params[_id], 0444);	\
	MODULE_PARM_DESC(_name, _desc)

FPR_MODULE_PARAM(order, FPR_ORDER,
		 "smallest order of free memory that is reported (0 to the largest order; default: the order of 2 MiB)");
FPR_MODULE_PARAM(floor_order, FPR_FLOOR_ORDER,
		 "smallest free run that is reported of a block that is cold, as an order; that of order or more: none (0 to the largest order; default 4)");
FPR_MODULE_PARAM(delay_ms, FPR_DELAY_MS,
		 "milliseconds a block has to stay free before it is reported (10 to 600000; default 800)");
FPR_MODULE_PARAM(cold_ms, FPR_COLD_MS,
		 "milliseconds without a free in a block after which it is cold (10 to 600000, no less than delay_ms; default 2000)");
FPR_MODULE_PARAM(threshold_kb, FPR_THRESHOLD_KB,
		 "KiB of blocks that must be due before they are reported, within 2 delays at the latest (0 to 16777216; default 4096)");
FPR_MODULE_PARAM(reserve_kb, FPR_RESERVE_KB,
		 "KiB of free memory that is not reported, at hand for bursts (0 to 536870912; default 0)");
FPR_MODULE_PARAM(hold_kb, FPR_HOLD_KB,
		 "most KiB out of the allocator at any time (4096 to 16777216; default 262144)");
FPR_MODULE_PARAM(enabled, FPR_ENABLED, "1: report, 0: start paused (default 1)");

char *fpr_hook_param = "auto";
module_param_named(hook, fpr_hook_param, charp, 0444);
MODULE_PARM_DESC(hook,
		 "how frees are noticed: auto, tracepoint, tracepoint+drain, ftrace, kprobe, none (default auto)");

bool fpr_force;
module_param_named(force, fpr_force, bool, 0444);
MODULE_PARM_DESC(force,
		 "use kernel functions that are not those that fpr knows, or cannot be compared with them (default no)");

bool fpr_allow_encrypted;
module_param_named(allow_encrypted, fpr_allow_encrypted, bool, 0444);
MODULE_PARM_DESC(allow_encrypted,
		 "load although guest memory is encrypted (default no)");
