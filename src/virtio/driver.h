/* SPDX-License-Identifier: GPL-2.0 */
/* virtio_fpr: what its files share. */
#ifndef _VIRTIO_FPR_DRIVER_H
#define _VIRTIO_FPR_DRIVER_H

#include <linux/device.h>
#include <linux/list.h>
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

/* Longest time for which a device that was given up is left alone, seconds. */
#define VFPR_MAX_REVIVE_S 64

struct scatterlist;
struct vfpr;
struct vfpr_balloon;
struct vfpr_vendor;

/**
 * struct vfpr_kind - a kind of device: the stock one, or fpr's own
 * @driver: what virtio knows of it
 * @ops: reports, for the core
 * @rank: of several devices memory is reported to the one of the highest rank
 * @revived: started anew after an answer that did not come or broke the rules
 * @useful_without: there is something else to do where nothing can be reported
 * @check: refuses a device before anything is set up; says why
 * @init: allocates and initialises what the kind has in &struct vfpr
 * @find_queues: sets up the virtqueues
 * @configure: after that, before the device is ready
 * @limits: fills in &vfpr.fdev, device ready
 * @started: the device is ready; before it is registered with the core
 * @config_changed: looks at the configuration; process context
 * @stopping: the device is about to be reset, and answers until then
 * @stopped: the device is reset and gone from the core, the queues are deleted:
 *	leaves no work behind
 * @exit: the mirror of @init
 *
 * @configure, @started, @stopping, @stopped and @exit are optional.
 */
struct vfpr_kind {
	struct virtio_driver driver;
	const struct fpr_device_ops *ops;
	unsigned int rank;
	bool revived;
	bool useful_without;
	int (*check)(struct virtio_device *vdev);
	int (*init)(struct vfpr *vf);
	int (*find_queues)(struct vfpr *vf);
	void (*configure)(struct vfpr *vf);
	void (*limits)(struct vfpr *vf);
	void (*started)(struct vfpr *vf);
	void (*config_changed)(struct vfpr *vf);
	void (*stopping)(struct vfpr *vf);
	void (*stopped)(struct vfpr *vf);
	void (*exit)(struct vfpr *vf);
};

/**
 * struct vfpr - a bound device
 * @vdev: the virtio device
 * @kind: what it is
 * @vqs: its queues; NULL where the device has none
 * @has_queues: @vqs are there; written by probe, remove, freeze and restore
 * @fdev: what the core knows of it
 * @reporters: among the devices that are ready for reports
 * @lock: held to submit a buffer and to reset the device, so that nothing is
 *	submitted to a device that was reset; guards @gone
 * @gone: the device was reset and owns no buffer any more; until it is brought up
 *	again, after sleep or once it was given up
 * @answered: woken by the callbacks of queues that are waited for, and with @gone
 * @reports: held by who has a report in flight
 * @give_up: leaves the core after the device fell silent
 * @revive: starts the device anew after that
 * @revive_s: how long the device was left alone the last time, seconds
 * @began_at: jiffies when it was last started
 * @config_work: looks at a changed configuration
 * @stats_work: stock: answers a request for statistics
 * @stats: stock: buffer of the statistics queue; the device's between two requests
 * @balloon: stock: its balloon; NULL where the kernel has no balloons
 * @hint_cmd: stock: command that is sent to the hinting queue
 * @hint_wanted: stock: latest command of the host: a request, or a reserved value
 * @hint_begun: stock: request that was begun with the device and not ended
 * @hinted_bytes: stock: free memory named to the host, since binding
 * @vendor: vendor: its buffers and counters
 */
struct vfpr {
	struct virtio_device *vdev;
	const struct vfpr_kind *kind;
	struct virtqueue *vqs[VFPR_NR_QUEUES];
	bool has_queues;
	struct fpr_device fdev;
	struct list_head reporters;
	struct mutex lock;
	bool gone;
	wait_queue_head_t answered;
	struct mutex reports;
	struct work_struct give_up;
	struct delayed_work revive;
	unsigned int revive_s;
	unsigned long began_at;
	struct work_struct config_work;
	struct work_struct stats_work;
	struct virtio_balloon_stat stats[VFPR_MAX_STATS];
	struct vfpr_balloon *balloon;
	__virtio32 hint_cmd;
	u32 hint_wanted;
	u32 hint_begun;
	u64 hinted_bytes;
	struct vfpr_vendor *vendor;
};

/* driver.c: for the virtio drivers of all kinds */
int vfpr_probe(struct virtio_device *vdev);
void vfpr_remove(struct virtio_device *vdev);
void vfpr_config_changed(struct virtio_device *vdev);
#ifdef CONFIG_PM_SLEEP
int vfpr_freeze(struct virtio_device *vdev);
int vfpr_restore(struct virtio_device *vdev);
#endif

/* stock.c, vendor.c */
extern struct vfpr_kind vfpr_stock;
extern struct vfpr_kind vfpr_vendor;
void vfpr_vendor_match(u32 id, u32 vendor);

/* stock_sysfs.c */
extern const struct attribute_group *vfpr_stock_groups[];

/* queue.c */
int vfpr_transact(struct vfpr *vf, enum vfpr_queue q, struct scatterlist *sgs[],
		  unsigned int out, unsigned int in, unsigned int *len);
int vfpr_tell(struct vfpr *vf, enum vfpr_queue q, struct scatterlist *sgs[],
	      unsigned int n);
unsigned int vfpr_revive_later(struct vfpr *vf);
int vfpr_give_up(struct vfpr *vf, const char *why, bool again);
void vfpr_reset(struct vfpr *vf);
void vfpr_queue_init(struct vfpr *vf);
void vfpr_answered(struct virtqueue *vq);

/* reporting.c */
extern struct device_attribute dev_attr_reporting;
bool vfpr_reports(const struct vfpr *vf);
int vfpr_report(struct vfpr *vf, struct scatterlist *sgl);
void vfpr_reporting_init(struct vfpr *vf);
int vfpr_reporting_start(struct vfpr *vf);
void vfpr_reporting_stop(struct vfpr *vf);

/* hinting.c */
void vfpr_hinting_stopped(struct vfpr *vf);
void vfpr_hinting_changed(struct vfpr *vf);
int vfpr_hint(struct fpr_device *fdev, u32 number, struct scatterlist *sgl,
	      unsigned int nents);
void vfpr_hint_done(struct fpr_device *fdev, u32 number);

/* stats.c */
void vfpr_stats_init(struct vfpr *vf);
void vfpr_stats_start(struct vfpr *vf);
void vfpr_stats_requested(struct virtqueue *vq);

/* pci_id.c */
u32 vfpr_config_bytes(struct virtio_device *vdev);
int vfpr_pci_id_init(void);

#endif /* _VIRTIO_FPR_DRIVER_H */
