// SPDX-License-Identifier: GPL-2.0
/*
 * Which device memory is reported to: the core takes one at a time, and several
 * may be bound.  fpr's own comes first, since it says what it has discarded, then
 * the stock one; the others are there for what else they do.
 */
#include <linux/list.h>
#include <linux/module.h>
#include <linux/virtio_config.h>

#include "driver.h"

/* Guards the list and @reporter; outside of the core's locks. */
static DEFINE_MUTEX(reporters_lock);
/* Devices that are ready for reports. */
static LIST_HEAD(reporters);
/* The one that is registered with the core. */
static struct vfpr *reporter;

static struct vfpr *best(void)
{
	struct vfpr *vf, *found = NULL;

	list_for_each_entry(vf, &reporters, reporters)
		if (!found || vf->kind->rank > found->kind->rank)
			found = vf;
	return found;
}

static void unregister(void)
{
	struct vfpr *vf = reporter;

	if (!vf)
		return;
	fpr_unregister_device(&vf->fdev);
	WRITE_ONCE(reporter, NULL);
}

/*
 * Have the best device reported to; the list has changed.  One that the core
 * refuses is taken off it.
 */
static int choose(void)
{
	int err, refused = 0;
	struct vfpr *vf;

	while ((vf = best()) != reporter) {
		unregister();
		if (!vf)
			break;
		err = fpr_register_device(&vf->fdev);
		if (err) {
			list_del_init(&vf->reporters);
			refused = refused ?: err;
			continue;
		}
		WRITE_ONCE(reporter, vf);
		/* What its host wants was lost on the core until now. */
		vfpr_config_changed(vf->vdev);
	}
	return refused;
}

/**
 * vfpr_reports() - whether memory is reported to a device
 * @vf: the device
 *
 * Context: any; a snapshot.
 */
bool vfpr_reports(const struct vfpr *vf)
{
	return READ_ONCE(reporter) == vf;
}

static void leave(struct vfpr *vf)
{
	mutex_lock(&reporters_lock);
	list_del_init(&vf->reporters);
	choose();
	mutex_unlock(&reporters_lock);
}

/**
 * vfpr_report() - have the host discard memory that is nobody's
 * @vf: stock device
 * @sgl: the memory, a chain that is no longer than the queue
 *
 * The memory itself is the buffer, device-writable: the host may change it.
 * Context: process context, may sleep; takes @reports of the device, since the
 * core and the balloon call it.
 * Return: as vfpr_transact().
 */
int vfpr_report(struct vfpr *vf, struct scatterlist *sgl)
{
	struct scatterlist *sgs[] = { sgl };
	unsigned int len;
	int err;

	mutex_lock(&vf->reports);
	err = vfpr_transact(vf, VFPR_REPORTING, sgs, 0, 1, &len);
	mutex_unlock(&vf->reports);
	return err;
}

/* The core waits for report() to return, so report() cannot do this itself. */
static void give_up(struct work_struct *work)
{
	leave(container_of(work, struct vfpr, give_up));
}

void vfpr_reporting_init(struct vfpr *vf)
{
	INIT_LIST_HEAD(&vf->reporters);
	mutex_init(&vf->reports);
	INIT_WORK(&vf->give_up, give_up);
}

/**
 * vfpr_reporting_start() - the device is ready for reports
 * @vf: device that is ready
 *
 * Context: process context, may sleep.
 * Return: 0, also if another device is preferred, or it does not report, or not what
 * this kernel needs, and does something else; or the error of fpr_register_device().
 */
int vfpr_reporting_start(struct vfpr *vf)
{
	struct fpr_device *fdev = &vf->fdev;
	int err;

	if (!vf->vqs[VFPR_REPORTING])
		return 0;
	fdev->name = dev_name(&vf->vdev->dev);
	fdev->ops = vf->kind->ops;
	vf->kind->limits(vf);
	mutex_lock(&reporters_lock);
	list_add_tail(&vf->reporters, &reporters);
	err = choose();
	mutex_unlock(&reporters_lock);
	if (err == -EOPNOTSUPP && vf->kind->useful_without) {
		dev_warn(&vf->vdev->dev, "nothing is reported to it: there is the balloon alone\n");
		err = 0;
	}
	return err;
}

/**
 * vfpr_reporting_stop() - reset the device and leave the core
 * @vf: the device
 *
 * When it returns no report is under way and the device is reset.
 * Context: process context, may sleep.
 */
void vfpr_reporting_stop(struct vfpr *vf)
{
	vfpr_reset(vf);
	leave(vf);
	cancel_work_sync(&vf->give_up);
}

/* In the directory of the virtio device. */
static ssize_t reporting_show(struct device *dev, struct device_attribute *attr,
			      char *buf)
{
	return sysfs_emit(buf, "%d\n", vfpr_reports(dev_to_virtio(dev)->priv));
}

DEVICE_ATTR_RO(reporting);
