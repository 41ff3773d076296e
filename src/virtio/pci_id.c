// SPDX-License-Identifier: GPL-2.0
/*
 * What only PCI knows: how large a device's configuration is, and a vendor device with
 * PCI ids of its own, made known to the kernel's virtio-pci
 * driver, which looks for one vendor only but asks no more once it has a device
 * (virtio_pci_modern_dev.c: device ids 0x1000 to 0x107f).
 *
 * The kernel can be asked to add an id but not to take it back: that is for
 * /sys/bus/pci/drivers/virtio-pci/remove_id, and "fprctl unbind" does it.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/minmax.h>
#include <linux/pci.h>
#include <linux/virtio_pci.h>

#include "driver.h"

/* Of device ids from here on the virtio id is the difference (virtio 1.2, 4.1.2). */
#define MODERN		0x1040
#define FIRST		0x1000
#define LAST		0x107f

static unsigned int vendor;
module_param(vendor, uint, 0444);
MODULE_PARM_DESC(vendor, "PCI vendor id of a device of fpr's kind, for example 0x1234 (with device=)");

static unsigned int device;
module_param(device, uint, 0444);
MODULE_PARM_DESC(device, "its PCI device id, 0x1000 to 0x107f (with vendor=)");

#ifdef CONFIG_PCI
/**
 * vfpr_config_bytes() - how large a device's configuration is
 * @vdev: the device
 *
 * virtio-pci makes a BUG() of a read behind its end, and does not say where that is.
 * Context: process context, in probe.
 * Return: bytes; U32_MAX where the transport has no end, or knows none.
 * Source: virtio 1.2, 4.1.4 (Virtio Structure PCI Capabilities); vp_get().
 */
u32 vfpr_config_bytes(struct virtio_device *vdev)
{
	u32 len, least = U32_MAX;
	struct pci_dev *pdev;
	u8 type;
	int pos;

	if (!vdev->dev.parent || !dev_is_pci(vdev->dev.parent))
		return U32_MAX;
	pdev = to_pci_dev(vdev->dev.parent);
	for (pos = pci_find_capability(pdev, PCI_CAP_ID_VNDR); pos;
	     pos = pci_find_next_capability(pdev, pos, PCI_CAP_ID_VNDR)) {
		pci_read_config_byte(pdev, pos + VIRTIO_PCI_CAP_CFG_TYPE, &type);
		if (type != VIRTIO_PCI_CAP_DEVICE_CFG)
			continue;
		pci_read_config_dword(pdev, pos + VIRTIO_PCI_CAP_LENGTH, &len);
		/* Of several it takes the first that it likes. */
		least = min(least, len);
	}
	return least;
}

static bool bound_already(const struct pci_driver *drv)
{
	struct pci_dev *pdev = NULL;
	bool bound = false;

	while (!bound && (pdev = pci_get_device(vendor, device, pdev)))
		bound = pdev->dev.driver == &drv->driver;
	pci_dev_put(pdev);
	return bound;
}

static int add(void)
{
	struct device_driver *found;
	struct pci_driver *drv;

	request_module("virtio_pci");
	found = driver_find("virtio-pci", &pci_bus_type);
	if (!found) {
		pr_err("virtio_fpr: vendor= and device= need the kernel's virtio_pci driver: load it first\n");
		return -ENODEV;
	}
	drv = container_of(found, struct pci_driver, driver);
	/* Every call adds one more, known or not. */
	if (bound_already(drv))
		return 0;
	return pci_add_dynid(drv, vendor, device, PCI_ANY_ID, PCI_ANY_ID, 0, 0, 0);
}
#else
u32 vfpr_config_bytes(struct virtio_device *vdev)
{
	return U32_MAX;
}

static int add(void)
{
	pr_err("virtio_fpr: vendor= and device= are for PCI, which this kernel lacks\n");
	return -ENODEV;
}
#endif

/**
 * vfpr_pci_id_init() - have virtio-pci bind the ids of the parameters
 *
 * Context: process context, may sleep; before vfpr_vendor is registered.
 * Return: 0 or a negative errno.
 */
int vfpr_pci_id_init(void)
{
	if (!vendor && !device)
		return 0;
	/* MODERN itself would be virtio id 0, which no driver can match. */
	if (!vendor || vendor > 0xfffe || device < FIRST || device > LAST ||
	    device == MODERN) {
		pr_err("virtio_fpr: vendor=0x%x device=0x%x: both are needed, a vendor from 0x1 to 0xfffe and a device from 0x%x to 0x%x but 0x%x\n",
		       vendor, device, FIRST, LAST, MODERN);
		return -EINVAL;
	}
	if (device >= MODERN)
		vfpr_vendor_match(device - MODERN, vendor);
	return add();
}
