/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_SLAB_H
#define _SHIM_SLAB_H

#include <stdlib.h>

#define GFP_KERNEL	0

/* Number of allocations that succeed before one fails; negative: all do. */
extern int shim_alloc_budget;

static inline void *kvcalloc(size_t n, size_t size, int gfp)
{
	(void)gfp;
	if (!shim_alloc_budget)
		return NULL;
	if (shim_alloc_budget > 0)
		shim_alloc_budget--;
	return calloc(n, size);
}

#define kvzalloc(size, gfp)	kvcalloc(1, size, gfp)
#define kvfree(p)		free(p)

#endif
