/* SPDX-License-Identifier: GPL-2.0 */
/* Interfaces of virtio that shifted between kernels; see compat.h. */
#ifndef _FPR_COMPAT_VIRTIO_H
#define _FPR_COMPAT_VIRTIO_H

#include <linux/err.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>

#include "fpr-conf.h"

/* Most virtqueues that fpr_find_vqs() can be asked for. */
#define FPR_MAX_VQS 8

/**
 * struct fpr_vq - a virtqueue that a driver wants
 * @name: shown in /proc/interrupts
 * @callback: called when the device has used buffers; may be NULL
 * @vq: set by fpr_find_vqs()
 */
struct fpr_vq {
	const char *name;
	vq_callback_t *callback;
	struct virtqueue *vq;
};

/**
 * fpr_find_vqs() - find the virtqueues with the indices 0 to @n - 1
 * @vdev: device in probe or restore
 * @n: number of queues, at most %FPR_MAX_VQS
 * @want: the queues in the order of their indices, without gaps
 *
 * Return: 0 or a negative errno, and then no queue is left.
 */
static inline int fpr_find_vqs(struct virtio_device *vdev, unsigned int n,
			       struct fpr_vq *want)
{
	struct virtqueue *vqs[FPR_MAX_VQS];
	unsigned int i;
	int err;
#if defined(FPR_HAVE_FIND_VQS_INFO)
	struct virtqueue_info info[FPR_MAX_VQS] = {};

	for (i = 0; i < n; i++) {
		info[i].name = want[i].name;
		info[i].callback = want[i].callback;
	}
	err = virtio_find_vqs(vdev, n, vqs, info, NULL);
#elif defined(FPR_HAVE_FIND_VQS_ARRAYS)
	vq_callback_t *callbacks[FPR_MAX_VQS];
	const char *names[FPR_MAX_VQS];

	for (i = 0; i < n; i++) {
		names[i] = want[i].name;
		callbacks[i] = want[i].callback;
	}
	err = virtio_find_vqs(vdev, n, vqs, callbacks, names, NULL);
#endif
	for (i = 0; !err && i < n; i++)
		want[i].vq = vqs[i];
	return err;
}

/**
 * fpr_reset_device() - reset: the device touches no buffer any more
 * @vdev: the device
 *
 * Also waits for running queue callbacks where the kernel can.
 * Context: process context, may sleep.
 */
static inline void fpr_reset_device(struct virtio_device *vdev)
{
#if defined(FPR_HAVE_VIRTIO_RESET_DEVICE)
	virtio_reset_device(vdev);
#elif defined(FPR_HAVE_VIRTIO_CONFIG_RESET)
	vdev->config->reset(vdev);
#endif
}

#endif /* _FPR_COMPAT_VIRTIO_H */
