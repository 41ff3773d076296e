// SPDX-License-Identifier: GPL-2.0
/*
 * virtio_fpr - reports free memory for fpr, to a virtio-balloon device in the
 * place of the kernel's own driver, or to fpr's own device.
 *
 * Binding, unbinding, suspend and resume of either kind; see stock.c, vendor.c.
 */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>

#include "../compat/virtio.h"
#include "driver.h"

/*
 * It has met an error that it cannot go on after; it says so with an interrupt for its
 * configuration (virtio 1.2, 2.1.2).  All ones is a device that is not there any more.
 */
static bool needs_reset(struct vfpr *vf)
{
	u8 status;

	if (READ_ONCE(vf->gone))
		return false;
	status = vf->vdev->config->get_status(vf->vdev);
	return status & VIRTIO_CONFIG_S_NEEDS_RESET && status != 0xff;
}

static void config_work(struct work_struct *work)
{
	struct vfpr *vf = container_of(work, struct vfpr, config_work);

	if (needs_reset(vf))
		vfpr_give_up(vf, "the device asks to be reset", true);
	else
		vf->kind->config_changed(vf);
	/* The balloon's work goes on with it. */
	if (!vf->balloon)
		pm_relax(&vf->vdev->dev);
}

/*
 * The system stays awake until it was looked at, where its user has made the device a
 * wake-up source, as with virtio_balloon.  Context: any.
 */
void vfpr_config_changed(struct virtio_device *vdev)
{
	struct vfpr *vf = vdev->priv;

	pm_stay_awake(&vdev->dev);
	queue_work(system_freezable_wq, &vf->config_work);
}

/*
 * The mirror of bring_up(): what the device has to answer comes first, then it is
 * reset, so that nothing waits for it.
 */
static void tear_down(struct vfpr *vf)
{
	if (vf->kind->stopping)
		vf->kind->stopping(vf);
	vfpr_reporting_stop(vf);
	cancel_work_sync(&vf->config_work);
	/* None after a failed restore; virtio-mmio would free its IRQ twice. */
	if (vf->has_queues)
		vf->vdev->config->del_vqs(vf->vdev);
	vf->has_queues = false;
	/* From here on no queue's interrupt starts a work. */
	if (vf->kind->stopped)
		vf->kind->stopped(vf);
	pm_relax(&vf->vdev->dev);
}

/* From a fresh or reset device to one that reports. */
static int bring_up(struct vfpr *vf)
{
	struct virtio_device *vdev = vf->vdev;
	int err;

	err = vf->kind->find_queues(vf);
	if (err) {
		dev_err(&vdev->dev, "cannot set up the virtqueues (error %d)\n",
			err);
		return err;
	}
	vf->has_queues = true;
	if (vf->kind->configure)
		vf->kind->configure(vf);
	WRITE_ONCE(vf->gone, false);
	vf->began_at = jiffies;
	virtio_device_ready(vdev);
	if (vf->kind->started)
		vf->kind->started(vf);
	err = vfpr_reporting_start(vf);
	if (err) {
		tear_down(vf);
		return err;
	}
	/* What the host wants already. */
	vfpr_config_changed(vdev);
	return 0;
}

#ifdef CONFIG_PM_SLEEP
/*
 * Start a device anew that was given up, as if the system had slept meanwhile.
 *
 * Who removes the device holds its lock and waits for this work: so the lock is not
 * waited for here.  System sleep, which takes the same way, has frozen the work.
 */
static void revive_work(struct work_struct *work)
{
	struct vfpr *vf = container_of(to_delayed_work(work), struct vfpr, revive);
	struct virtio_device *vdev = vf->vdev;
	int err = 0;

	if (!device_trylock(&vdev->dev)) {
		queue_delayed_work(system_freezable_wq, &vf->revive, HZ / 10);
		return;
	}
	if (READ_ONCE(vf->gone) && vdev->config->get_status(vdev) != 0xff) {
		if (vf->has_queues)
			err = virtio_device_freeze(vdev);
		err = err ?: virtio_device_restore(vdev);
		/* The first times are enough of that. */
		if (err && vfpr_revive_later(vf) < VFPR_MAX_REVIVE_S)
			dev_warn(&vdev->dev, "cannot be started anew (error %d): tried again, ever more rarely\n",
				 err);
	}
	device_unlock(&vdev->dev);
}
#else
static void revive_work(struct work_struct *work)
{
}
#endif

int vfpr_probe(struct virtio_device *vdev)
{
	const struct vfpr_kind *kind =
		container_of(vdev->dev.driver, struct vfpr_kind, driver.driver);
	struct vfpr *vf;
	int err;

	if (!vdev->config->get) {
		dev_err(&vdev->dev, "the device gives no access to its configuration\n");
		return -EINVAL;
	}
	err = kind->check(vdev);
	if (err)
		return err;
	vf = kzalloc(sizeof(*vf), GFP_KERNEL);
	if (!vf)
		return -ENOMEM;
	vdev->priv = vf;
	vf->vdev = vdev;
	vf->kind = kind;
	INIT_WORK(&vf->config_work, config_work);
	INIT_DELAYED_WORK(&vf->revive, revive_work);
	vfpr_queue_init(vf);
	vfpr_reporting_init(vf);
	err = kind->init(vf);
	if (err)
		goto free;
	err = bring_up(vf);
	if (!err)
		return 0;
	cancel_delayed_work_sync(&vf->revive);
	if (kind->exit)
		kind->exit(vf);
free:
	kfree(vf);
	return err;
}

void vfpr_remove(struct virtio_device *vdev)
{
	struct vfpr *vf = vdev->priv;

	tear_down(vf);
	/* Nothing gives the device up any more, and so nothing begins this again. */
	cancel_delayed_work_sync(&vf->revive);
	if (vf->kind->exit)
		vf->kind->exit(vf);
	kfree(vf);
}

#ifdef CONFIG_PM_SLEEP
int vfpr_freeze(struct virtio_device *vdev)
{
	/* The core was stopped before anything froze: no report is under way. */
	tear_down(vdev->priv);
	return 0;
}

int vfpr_restore(struct virtio_device *vdev)
{
	struct vfpr *vf = vdev->priv;
	/* All free memory is reported anew: a resumed host has filled it. */
	int err = bring_up(vf);

	if (err && vf->kind->revived)
		vfpr_revive_later(vf);
	return err;
}
#endif

static int __init virtio_fpr_init(void)
{
	int err = register_virtio_driver(&vfpr_stock.driver);

	if (err)
		return err;
	err = vfpr_pci_id_init();
	if (!err)
		err = register_virtio_driver(&vfpr_vendor.driver);
	if (err)
		unregister_virtio_driver(&vfpr_stock.driver);
	return err;
}

static void __exit virtio_fpr_exit(void)
{
	unregister_virtio_driver(&vfpr_vendor.driver);
	unregister_virtio_driver(&vfpr_stock.driver);
}

module_init(virtio_fpr_init);
module_exit(virtio_fpr_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("the fpr authors");
MODULE_DESCRIPTION("Reports free memory to a virtio-balloon device or to fpr's own, for fpr");
MODULE_VERSION("0.1.0");
