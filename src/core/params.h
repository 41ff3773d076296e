/* SPDX-License-Identifier: GPL-2.0 */
/* Parameters: the same names at load and in sysfs, one place that checks them. */
#ifndef _FPR_PARAMS_H
#define _FPR_PARAMS_H

#include <linux/compiler.h>

/**
 * enum fpr_param_id - the parameters
 * @FPR_ORDER: smallest order reported
 * @FPR_FLOOR_ORDER: smallest run reported of a block that is cold, as an order
 * @FPR_DELAY_MS: how long a block has to stay free
 * @FPR_COLD_MS: how long nothing must have been freed in a block that is cold
 * @FPR_THRESHOLD_KB: how much must be due before a pass looks
 * @FPR_RESERVE_KB: how much free memory is kept
 * @FPR_HOLD_KB: most memory out of the allocator at a time
 * @FPR_ENABLED: 0 pauses
 */
enum fpr_param_id {
	FPR_ORDER,
	FPR_FLOOR_ORDER,
	FPR_DELAY_MS,
	FPR_COLD_MS,
	FPR_THRESHOLD_KB,
	FPR_RESERVE_KB,
	FPR_HOLD_KB,
	FPR_ENABLED,
	/* private: */
	FPR_NR_PARAMS
};

/**
 * struct fpr_param - a parameter
 * @name: in sysfs and on the module's command line
 * @value: in effect; a single word, read without a lock
 * @min: smallest value
 * @max: largest value
 */
struct fpr_param {
	const char *name;
	unsigned int value;
	unsigned int min;
	unsigned int max;
};

extern struct fpr_param fpr_params[FPR_NR_PARAMS];

/* Load-time only. */
extern char *fpr_hook_param;
extern bool fpr_allow_encrypted;
extern bool fpr_force;

static inline unsigned int fpr_param(enum fpr_param_id id)
{
	return READ_ONCE(fpr_params[id].value);
}

int fpr_param_parse(const struct fpr_param *param, const char *text,
		    unsigned int *value);

#endif /* _FPR_PARAMS_H */
