// SPDX-License-Identifier: GPL-2.0
/*
 * A device that refuses to be suspended, at the last moment: all tasks are
 * frozen and all other devices suspended, and then everything is resumed.  So
 * a guest goes through that as often as a test likes, without sleeping.
 */
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pm.h>

static int refuse(struct device *dev)
{
	return -EBUSY;
}

static const struct dev_pm_ops pm_ops = {
	.suspend_late = refuse,
	.freeze_late = refuse,
};

static struct platform_driver driver = {
	.driver = {
		.name = KBUILD_MODNAME,
		.pm = &pm_ops,
	},
};

static struct platform_device *device;

static int __init nosuspend_init(void)
{
	int err = platform_driver_register(&driver);

	if (err)
		return err;
	device = platform_device_register_simple(KBUILD_MODNAME,
						 PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(device))
		platform_driver_unregister(&driver);
	return PTR_ERR_OR_ZERO(device);
}

static void __exit nosuspend_exit(void)
{
	platform_device_unregister(device);
	platform_driver_unregister(&driver);
}

module_init(nosuspend_init);
module_exit(nosuspend_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Refuses to be suspended, for tests of fpr");
