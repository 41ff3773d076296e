/* SPDX-License-Identifier: GPL-2.0 */
/* virtio_fpr: what its files share. */
#ifndef _VIRTIO_FPR_DRIVER_H
#define _VIRTIO_FPR_DRIVER_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/virtio.h>
#include <linux/virtio_balloon.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <fpr/fpr.h>

#include "layout.h"

/* Statistics tags of this kernel, and room for those of later ones. */
#define VFPR_MAX_STATS 32

/**
 * struct vfpr - a bound device
 * @vdev: the virtio device
 * @vqs: its queues; NULL where the device has none
 * @fdev: what the core knows of it
 * @lock: held to submit a report and to reset the device, so that nothing is
 *	submitted to a device that was reset, guards @gone
 * @gone: the device was reset and owns no buffer any more; final
 * @answered: woken by the reporting queue's callback and with @gone
 * @give_up: unregisters from the core after the device fell silent
 * @stats_work: answers a request for statistics
 * @config_work: looks at a changed configuration
 * @stats: buffer of the statistics queue; the device's between two requests
 * @told_pages: balloon size asked for that was last mentioned in the log
 */
struct vfpr {
	struct virtio_device *vdev;
	struct virtqueue *vqs[VFPR_NR_QUEUES];
	struct fpr_device fdev;
	struct mutex lock;
	bool gone;
	wait_queue_head_t answered;
	struct work_struct give_up;
	struct work_struct stats_work;
	struct work_struct config_work;
	struct virtio_balloon_stat stats[VFPR_MAX_STATS];
	u32 told_pages;
};

/* reporting.c */
extern unsigned int vfpr_report_timeout_ms;
int vfpr_reporting_start(struct vfpr *vf);
void vfpr_reporting_stop(struct vfpr *vf);
void vfpr_reporting_init(struct vfpr *vf);
void vfpr_answered(struct virtqueue *vq);

/* stats.c */
void vfpr_stats_init(struct vfpr *vf);
void vfpr_stats_start(struct vfpr *vf);
void vfpr_stats_requested(struct virtqueue *vq);

#endif /* _VIRTIO_FPR_DRIVER_H */
