// SPDX-License-Identifier: GPL-2.0
/* A driver of the PCI function, and the device behind that; see pci_driver.h. */
#define _GNU_SOURCE
#include "pci_driver.h"

#include <sys/mman.h>
#include <unistd.h>

static const struct pci_ids ids = { 0x1234, 0x104d, 0xabcd, 0x5678 };

struct device_notes device;
struct irq_notes irqs;
struct vdev vdev;
struct virtio_pci vp;

static uint64_t dev_features(struct vdev *dev)
{
	(void)dev;
	return FEATURES;
}

static void dev_set_features(struct vdev *dev, uint64_t features)
{
	(void)dev;
	device.features = features;
}

static void dev_config_read(struct vdev *dev, size_t offset, void *to, size_t len)
{
	(void)dev;
	assert_true(offset <= CONFIG_SIZE && len <= CONFIG_SIZE - offset);
	memcpy(to, device.config + offset, len);
}

static void dev_mem_changed(struct vdev *dev)
{
	(void)dev;
	device.mem_changes++;
}

static int dev_queue_start(struct vdev *dev, unsigned int q,
			   const struct vdev_queue_setup *setup)
{
	(void)dev;
	assert_false(device.running[q]);
	device.running[q] = true;
	device.setup[q] = *setup;
	device.starts++;
	return 0;
}

static uint16_t dev_queue_stop(struct vdev *dev, unsigned int q)
{
	(void)dev;
	assert_true(device.running[q]);
	device.running[q] = false;
	device.stops++;
	return device.setup[q].next_avail + 7;
}

static bool dev_kick(struct vdev *dev, unsigned int q)
{
	assert_true(device.running[q]);
	device.kicks[q]++;
	if (device.break_with)
		dev->transport_ops->needs_reset(dev->transport, device.break_with);
	return device.more && device.more--;
}

static void dev_broken(struct vdev *dev, const char *why)
{
	(void)dev;
	assert_non_null(why);
	device.broken++;
}

static void dev_reset(struct vdev *dev)
{
	(void)dev;
	device.resets++;
	memset(device.running, 0, sizeof(device.running));
	device.features = 0;
}

static const struct vdev_ops dev_ops = {
	.nr_queues = NR_QUEUES,
	.features = dev_features,
	.set_features = dev_set_features,
	.config_size = CONFIG_SIZE,
	.config_read = dev_config_read,
	.mem_changed = dev_mem_changed,
	.queue_start = dev_queue_start,
	.queue_stop = dev_queue_stop,
	.kick = dev_kick,
	.broken = dev_broken,
	.reset = dev_reset,
};

static void irq_msix(void *irq, unsigned int vector)
{
	(void)irq;
	assert_true(vector < NR_QUEUES + 1);
	irqs.messages[vector]++;
}

static void irq_intx(void *irq, bool asserted)
{
	(void)irq;
	assert_int_not_equal(irqs.line, asserted);
	irqs.line = asserted;
	irqs.edges++;
}

static const struct virtio_pci_irq_ops irq_ops = { irq_msix, irq_intx };

int add_ram(void)
{
	int fd = memfd_create("ram", 0);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, RAM), 0);
	return mem_add(&vdev.mem, 0, RAM, 0, 0, fd);
}

int pci_setup(void **state)
{
	(void)state;
	memset(&device, 0, sizeof(device));
	memset(&irqs, 0, sizeof(irqs));
	memset(&vdev, 0, sizeof(vdev));
	mem_init(&vdev.mem);
	vdev.ops = &dev_ops;
	virtio_pci_init(&vp, &vdev, &ids, &irq_ops, NULL);
	return add_ram();
}

int pci_teardown(void **state)
{
	(void)state;
	virtio_pci_release(&vp);
	assert_null(vdev.transport_ops);
	mem_clear(&vdev.mem);
	return 0;
}

uint32_t cfg(unsigned int offset, unsigned int len)
{
	uint8_t bytes[4] = { 0 };

	assert_true(virtio_pci_config_read(&vp, offset, bytes, len));
	return le_get(bytes, len);
}

void set_cfg(unsigned int offset, unsigned int len, uint32_t value)
{
	uint8_t bytes[4];

	le_put(bytes, value, len);
	assert_true(virtio_pci_config_write(&vp, offset, bytes, len));
}

uint64_t reg(unsigned int offset, unsigned int len)
{
	uint8_t bytes[8] = { 0 };

	assert_true(virtio_pci_bar_read(&vp, 0, offset, bytes, len));
	return le_get(bytes, len);
}

void set_reg(unsigned int offset, unsigned int len, uint64_t value)
{
	uint8_t bytes[8];

	le_put(bytes, value, len);
	assert_true(virtio_pci_bar_write(&vp, 0, offset, bytes, len));
}

unsigned int virtio_cap(unsigned int type)
{
	unsigned int at = cfg(PCI_CAPABILITY_LIST, 1), hops = 0;

	for (; at; at = cfg(at + PCI_CAP_LIST_NEXT, 1)) {
		assert_true(at >= 0x40 && at % 4 == 0 && hops++ < 48);
		if (cfg(at, 1) == PCI_CAP_ID_VNDR &&
		    cfg(at + VIRTIO_PCI_CAP_CFG_TYPE, 1) == type)
			return at;
	}
	return 0;
}

unsigned int pci_cap(unsigned int id)
{
	unsigned int at = cfg(PCI_CAPABILITY_LIST, 1);

	while (at && cfg(at, 1) != id)
		at = cfg(at + PCI_CAP_LIST_NEXT, 1);
	return at;
}

void set_status(uint8_t value)
{
	set_reg(VIRTIO_PCI_COMMON_STATUS, 1, value);
}

uint8_t status(void)
{
	return reg(VIRTIO_PCI_COMMON_STATUS, 1);
}

void set_features(uint64_t features)
{
	for (unsigned int i = 0; i < 2; i++) {
		set_reg(VIRTIO_PCI_COMMON_GFSELECT, 4, i);
		set_reg(VIRTIO_PCI_COMMON_GF, 4, features >> (32 * i) & UINT32_MAX);
	}
}

void negotiate(void)
{
	set_cfg(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	set_status(S_ACK);
	set_status(S_DRIVER);
	set_features(FEATURES);
	set_status(S_FEATURES);
	assert_int_equal(status(), S_FEATURES);
}

void place_queue(unsigned int q, uint64_t desc, uint64_t avail, uint64_t used)
{
	set_reg(VIRTIO_PCI_COMMON_Q_SELECT, 2, q);
	set_reg(VIRTIO_PCI_COMMON_Q_SIZE, 2, 16);
	set_reg(VIRTIO_PCI_COMMON_Q_DESCLO, 4, desc & UINT32_MAX);
	set_reg(VIRTIO_PCI_COMMON_Q_DESCHI, 4, desc >> 32);
	set_reg(VIRTIO_PCI_COMMON_Q_AVAILLO, 4, avail & UINT32_MAX);
	set_reg(VIRTIO_PCI_COMMON_Q_AVAILHI, 4, avail >> 32);
	set_reg(VIRTIO_PCI_COMMON_Q_USEDLO, 4, used & UINT32_MAX);
	set_reg(VIRTIO_PCI_COMMON_Q_USEDHI, 4, used >> 32);
}

void enable_queue(unsigned int q)
{
	place_queue(q, 0x1000, 0x2000, 0x3000);
	set_reg(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1);
}

void notify(unsigned int q)
{
	set_reg(VIRTIO_PCI_NOTIFY + q * VIRTIO_PCI_NOTIFY_STEP, 2, q);
}

void drive(void)
{
	negotiate();
	enable_queue(0);
	set_status(S_OK);
	assert_true(device.running[0]);
}

void interrupt(unsigned int q)
{
	vdev.transport_ops->interrupt(vdev.transport, q);
}

void config_changed(void)
{
	vdev.transport_ops->config_changed(vdev.transport);
}
