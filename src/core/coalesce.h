/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Coalescing: free buddies, offered in ascending address order, become as few
 * contiguous segments as the device's limits allow.  Pure: page frame numbers
 * only; compiled into the userspace unit tests as it is.
 */
#ifndef _FPR_COALESCE_H
#define _FPR_COALESCE_H

#include <linux/types.h>

/**
 * struct fpr_segment - contiguous memory
 * @pfn: first page frame
 * @npages: length in base pages
 */
struct fpr_segment {
	unsigned long pfn;
	unsigned long npages;
};

/**
 * struct fpr_coalesce - a list of segments in the making
 * @segs: the segments
 * @nr: segments in use
 * @sealed: segments that nothing is added to any more
 * @max: most segments
 * @max_pages: most base pages of a segment
 */
struct fpr_coalesce {
	struct fpr_segment *segs;
	unsigned int nr;
	unsigned int sealed;
	unsigned int max;
	unsigned long max_pages;
};

bool fpr_coalesce_fits(const struct fpr_coalesce *c, unsigned long pfn,
		       unsigned long npages);
void fpr_coalesce_add(struct fpr_coalesce *c, unsigned long pfn,
		      unsigned long npages);

#endif /* _FPR_COALESCE_H */
