/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the queues of a virtio-balloon device are.  Pure; compiled into the
 * userspace unit tests as it is.
 *
 * Source: virtio 1.2, section 5.5.2 (Virtqueues).
 */
#ifndef _VIRTIO_FPR_LAYOUT_H
#define _VIRTIO_FPR_LAYOUT_H

#include <linux/types.h>
#include <linux/virtio_balloon.h>

/* Queues that the driver knows, in the order in which they are numbered. */
enum vfpr_queue {
	VFPR_INFLATE,
	VFPR_DEFLATE,
	VFPR_STATS,
	VFPR_HINTING,
	VFPR_REPORTING,
	VFPR_NR_QUEUES
};

/**
 * vfpr_layout() - the queues of a device, by index
 * @features: feature bits, those that are offered and negotiated
 * @index: set to the index of each queue, or -1 for one that does not exist
 *
 * Hosts number the queues of the features they offer, not of those negotiated,
 * and where a feature is missing the later queues move up.  The driver
 * negotiates every queue feature that is offered, which makes both the same.
 *
 * Return: number of queues.
 */
static inline int vfpr_layout(u64 features, int index[VFPR_NR_QUEUES])
{
	static const u8 feature[VFPR_NR_QUEUES] = {
		[VFPR_STATS] = VIRTIO_BALLOON_F_STATS_VQ,
		[VFPR_HINTING] = VIRTIO_BALLOON_F_FREE_PAGE_HINT,
		[VFPR_REPORTING] = VIRTIO_BALLOON_F_REPORTING,
	};
	int q, n = 0;

	for (q = 0; q < VFPR_NR_QUEUES; q++) {
		bool there = q <= VFPR_DEFLATE || (features >> feature[q] & 1);

		index[q] = there ? n++ : -1;
	}
	return n;
}

#endif /* _VIRTIO_FPR_LAYOUT_H */
