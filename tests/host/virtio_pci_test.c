// SPDX-License-Identifier: GPL-2.0
/*
 * The PCI function as a driver sees it, with a device behind it that only takes
 * notes.
 */
#define _GNU_SOURCE
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/host/virtio_pci.h"
#include "../unit/test.h"

#define RAM		0x10000
#define NR_QUEUES	2
#define CONFIG_SIZE	10
#define FEATURES	(1ULL << VIRTIO_F_VERSION_1 | 1ULL << 40 | 6)

static const struct pci_ids ids = { 0x1234, 0x104d, 0xabcd, 0x5678 };

/* What the device was told, and what it answers */
static struct {
	uint64_t features;
	unsigned int kicks[NR_QUEUES];
	unsigned int starts;
	unsigned int stops;
	unsigned int resets;
	unsigned int broken;
	unsigned int mem_changes;
	bool running[NR_QUEUES];
	struct vdev_queue_setup setup[NR_QUEUES];
	uint8_t config[CONFIG_SIZE];
	unsigned int more;
	const char *break_with;
} device;

/* What the guest got */
static struct {
	unsigned int messages[VIRTIO_PCI_MAX_VECTORS];
	bool line;
	unsigned int edges;
} irqs;

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

static struct vdev dev;
static struct virtio_pci vp;

static int add_ram(void)
{
	int fd = memfd_create("ram", 0);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, RAM), 0);
	return mem_add(&dev.mem, 0, RAM, 0, 0, fd);
}

static int setup(void **state)
{
	(void)state;
	memset(&device, 0, sizeof(device));
	memset(&irqs, 0, sizeof(irqs));
	memset(&dev, 0, sizeof(dev));
	mem_init(&dev.mem);
	dev.ops = &dev_ops;
	virtio_pci_init(&vp, &dev, &ids, &irq_ops, NULL);
	return add_ram();
}

static int teardown(void **state)
{
	(void)state;
	virtio_pci_release(&vp);
	assert_null(dev.transport_ops);
	mem_clear(&dev.mem);
	return 0;
}

static uint32_t cfg(unsigned int offset, unsigned int len)
{
	uint8_t bytes[4] = { 0 };

	assert_true(virtio_pci_config_read(&vp, offset, bytes, len));
	return le_get(bytes, len);
}

static void set_cfg(unsigned int offset, unsigned int len, uint32_t value)
{
	uint8_t bytes[4];

	le_put(bytes, value, len);
	assert_true(virtio_pci_config_write(&vp, offset, bytes, len));
}

static uint64_t reg(unsigned int offset, unsigned int len)
{
	uint8_t bytes[8] = { 0 };

	assert_true(virtio_pci_bar_read(&vp, 0, offset, bytes, len));
	return le_get(bytes, len);
}

static void set_reg(unsigned int offset, unsigned int len, uint64_t value)
{
	uint8_t bytes[8];

	le_put(bytes, value, len);
	assert_true(virtio_pci_bar_write(&vp, 0, offset, bytes, len));
}

/* Offset of a virtio capability, found as a driver does; 0 if there is none */
static unsigned int virtio_cap(unsigned int type)
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

static unsigned int pci_cap(unsigned int id)
{
	unsigned int at = cfg(PCI_CAPABILITY_LIST, 1);

	while (at && cfg(at, 1) != id)
		at = cfg(at + PCI_CAP_LIST_NEXT, 1);
	return at;
}

static void set_status(uint8_t status)
{
	set_reg(VIRTIO_PCI_COMMON_STATUS, 1, status);
}

static uint8_t status(void)
{
	return reg(VIRTIO_PCI_COMMON_STATUS, 1);
}

static void set_features(uint64_t features)
{
	for (unsigned int i = 0; i < 2; i++) {
		set_reg(VIRTIO_PCI_COMMON_GFSELECT, 4, i);
		set_reg(VIRTIO_PCI_COMMON_GF, 4, features >> (32 * i) & UINT32_MAX);
	}
}

#define S_ACK		VIRTIO_CONFIG_S_ACKNOWLEDGE
#define S_DRIVER	(S_ACK | VIRTIO_CONFIG_S_DRIVER)
#define S_FEATURES	(S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK)
#define S_OK		(S_FEATURES | VIRTIO_CONFIG_S_DRIVER_OK)

static void negotiate(void)
{
	set_cfg(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	set_status(S_ACK);
	set_status(S_DRIVER);
	set_features(FEATURES);
	set_status(S_FEATURES);
	assert_int_equal(status(), S_FEATURES);
}

static void place_queue(unsigned int q, uint64_t desc, uint64_t avail,
			uint64_t used)
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

static void enable_queue(unsigned int q)
{
	place_queue(q, 0x1000, 0x2000, 0x3000);
	set_reg(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1);
}

static void notify(unsigned int q)
{
	set_reg(VIRTIO_PCI_NOTIFY + q * VIRTIO_PCI_NOTIFY_STEP, 2, q);
}

static void drive(void)
{
	negotiate();
	enable_queue(0);
	set_status(S_OK);
	assert_true(device.running[0]);
}

static void enable_msix(void)
{
	unsigned int cap = pci_cap(PCI_CAP_ID_MSIX);

	set_cfg(cap + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
	set_reg(VIRTIO_PCI_COMMON_MSIX, 2, 0);
	set_reg(VIRTIO_PCI_COMMON_Q_SELECT, 2, 0);
	set_reg(VIRTIO_PCI_COMMON_Q_MSIX, 2, 1);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_Q_MSIX, 2), 1);
}

static uint32_t pba(void)
{
	uint8_t bytes[4];

	assert_true(virtio_pci_bar_read(&vp, 1, VIRTIO_PCI_MSIX_PBA, bytes, 4));
	return le_get(bytes, 4);
}

static void interrupt(unsigned int q)
{
	dev.transport_ops->interrupt(dev.transport, q);
}

static void config_changed(void)
{
	dev.transport_ops->config_changed(dev.transport);
}

static void test_header(void **state)
{
	(void)state;
	assert_int_equal(cfg(PCI_VENDOR_ID, 2), 0x1234);
	assert_int_equal(cfg(PCI_DEVICE_ID, 2), 0x104d);
	assert_int_equal(cfg(PCI_SUBSYSTEM_VENDOR_ID, 2), 0xabcd);
	assert_int_equal(cfg(PCI_SUBSYSTEM_ID, 2), 0x5678);
	assert_true(cfg(PCI_REVISION_ID, 1) >= 1);
	assert_int_equal(cfg(PCI_CLASS_REVISION, 4) >> 8, 0x00ff00);
	assert_int_equal(cfg(PCI_INTERRUPT_PIN, 1), 1);
	assert_true(cfg(PCI_STATUS, 2) & PCI_STATUS_CAP_LIST);
	/* Nobody writes the ids. */
	set_cfg(PCI_VENDOR_ID, 4, 0);
	set_cfg(PCI_CLASS_REVISION, 4, 0);
	assert_int_equal(cfg(PCI_VENDOR_ID, 4), 0x104d1234);
	/* There is no I/O BAR. */
	set_cfg(PCI_COMMAND, 2, 0xffff);
	assert_false(cfg(PCI_COMMAND, 2) & PCI_COMMAND_IO);
	assert_true(cfg(PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE);
}

static void test_ids(void **state)
{
	static const char * const bad[] = {
		"", "1234", "1234:1045:", "1234-1045", "12345:104", "1234:104g",
		"1234:1045:1234", "1234:1045:1234:9", "1234:1045:1234:00009",
		"0000:1045", "ffff:1045", "1234:0fff", "1234:1080", "1234:1040",
		"1234:1005", "1234:1005:1234:0000", "1234:1045:ffff:0001",
		"1234:1045:1234:0009 ", " 1234:1045", "1234:1045:1234 0009",
	};
	struct pci_ids got;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!pci_ids_parse(bad[i], &got))
			fail_msg("'%s' was taken", bad[i]);
	assert_null(pci_ids_parse("1234:104d", &got));
	assert_int_equal(got.vendor, 0x1234);
	assert_int_equal(got.sub_vendor, 0x1234);
	assert_int_equal(got.sub_device, 0x104d);
	assert_int_equal(pci_ids_virtio_id(&got), 13);
	assert_null(pci_ids_parse("1aF4:1005:1AB4:000d", &got));
	assert_int_equal(got.vendor, 0x1af4);
	assert_int_equal(got.sub_vendor, 0x1ab4);
	assert_int_equal(pci_ids_virtio_id(&got), 13);
	assert_null(pci_ids_parse("fffe:107f:0001:0000", &got));
}

static void test_capabilities(void **state)
{
	static const unsigned int types[] = {
		VIRTIO_PCI_CAP_COMMON_CFG, VIRTIO_PCI_CAP_NOTIFY_CFG,
		VIRTIO_PCI_CAP_ISR_CFG, VIRTIO_PCI_CAP_DEVICE_CFG,
	};
	unsigned int at;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		uint32_t offset, length, bar;

		at = virtio_cap(types[i]);
		assert_true(at);
		bar = cfg(at + VIRTIO_PCI_CAP_BAR, 1);
		offset = cfg(at + VIRTIO_PCI_CAP_OFFSET, 4);
		length = cfg(at + VIRTIO_PCI_CAP_LENGTH, 4);
		assert_true(length && offset + length <= virtio_pci_bar_size(bar));
		assert_true(cfg(at + VIRTIO_PCI_CAP_LEN, 1) >= 16);
	}
	at = virtio_cap(VIRTIO_PCI_CAP_COMMON_CFG);
	assert_int_equal(cfg(at + VIRTIO_PCI_CAP_LENGTH, 4), 56);
	at = virtio_cap(VIRTIO_PCI_CAP_DEVICE_CFG);
	assert_int_equal(cfg(at + VIRTIO_PCI_CAP_LENGTH, 4), CONFIG_SIZE);
	at = virtio_cap(VIRTIO_PCI_CAP_NOTIFY_CFG);
	assert_int_equal(cfg(at + VIRTIO_PCI_CAP_LEN, 1), 20);
	assert_int_equal(cfg(at + 16, 4), VIRTIO_PCI_NOTIFY_STEP);
	assert_int_equal(cfg(virtio_cap(VIRTIO_PCI_CAP_PCI_CFG) +
			     VIRTIO_PCI_CAP_LEN, 1), 20);

	at = pci_cap(PCI_CAP_ID_MSIX);
	assert_int_equal((cfg(at + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE) + 1,
			 NR_QUEUES + 1);
	assert_int_equal(cfg(at + PCI_MSIX_TABLE, 4), VIRTIO_PCI_BAR_MSIX);
	assert_int_equal(cfg(at + PCI_MSIX_PBA, 4),
			 VIRTIO_PCI_MSIX_PBA | VIRTIO_PCI_BAR_MSIX);
	/* The table ends before the pending bits begin. */
	assert_true(VIRTIO_PCI_MAX_VECTORS * VIRTIO_PCI_MSIX_ENTRY <=
		    VIRTIO_PCI_MSIX_PBA);
}

static void test_bar_sizing(void **state)
{
	(void)state;
	for (unsigned int bar = 0; bar < 6; bar++) {
		unsigned int at = PCI_BASE_ADDRESS_0 + 4 * bar;

		set_cfg(at, 4, UINT32_MAX);
		assert_int_equal(-cfg(at, 4), virtio_pci_bar_size(bar));
		set_cfg(at, 4, 0xfebd1234);
		assert_int_equal(cfg(at, 4), 0xfebd1234 &
				 -virtio_pci_bar_size(bar));
	}
	set_cfg(PCI_ROM_ADDRESS, 4, UINT32_MAX);
	assert_int_equal(cfg(PCI_ROM_ADDRESS, 4), 0);
}

static void test_bounds(void **state)
{
	uint8_t page[0x5000];

	(void)state;
	memset(page, 0, sizeof(page));
	assert_true(virtio_pci_config_read(&vp, 0, page, 256));
	assert_true(virtio_pci_config_read(&vp, 256, page, 0));
	assert_false(virtio_pci_config_read(&vp, 0, page, 257));
	assert_false(virtio_pci_config_read(&vp, 255, page, 2));
	assert_false(virtio_pci_config_write(&vp, 256, page, 1));
	assert_false(virtio_pci_config_write(&vp, UINT64_MAX, page, 2));
	assert_true(virtio_pci_bar_read(&vp, 0, 0, page, 0x4000));
	assert_false(virtio_pci_bar_read(&vp, 0, 1, page, 0x4000));
	assert_false(virtio_pci_bar_read(&vp, 0, UINT64_MAX, page, 2));
	assert_true(virtio_pci_bar_read(&vp, 1, 0, page, 0x1000));
	assert_false(virtio_pci_bar_read(&vp, 1, 0xfff, page, 2));
	assert_false(virtio_pci_bar_read(&vp, 2, 0, page, 0));
	assert_false(virtio_pci_bar_read(&vp, UINT32_MAX, 0, page, 1));
	assert_false(virtio_pci_bar_write(&vp, 1, 0x1000, page, 1));
	assert_true(virtio_pci_bar_write(&vp, 0, 0, page, 0x4000));
	assert_true(virtio_pci_bar_write(&vp, 1, 0, page, 0x1000));
}

static void test_features(void **state)
{
	(void)state;
	set_reg(VIRTIO_PCI_COMMON_DFSELECT, 4, 0);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_DF, 4), FEATURES & UINT32_MAX);
	set_reg(VIRTIO_PCI_COMMON_DFSELECT, 4, 1);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_DF, 4), FEATURES >> 32);
	set_reg(VIRTIO_PCI_COMMON_DFSELECT, 4, 2);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_DF, 4), 0);
	set_reg(VIRTIO_PCI_COMMON_DFSELECT, 4, UINT32_MAX);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_DF, 4), 0);

	set_status(S_DRIVER);
	/* Without VERSION_1, with one that is not offered, with one above 63 */
	set_features(FEATURES & UINT32_MAX);
	set_status(S_FEATURES);
	assert_int_equal(status(), S_DRIVER);
	set_features(FEATURES | 1);
	set_status(S_FEATURES);
	assert_int_equal(status(), S_DRIVER);
	set_features(1ULL << VIRTIO_F_VERSION_1 | 2);
	set_reg(VIRTIO_PCI_COMMON_GFSELECT, 4, 2);
	set_reg(VIRTIO_PCI_COMMON_GF, 4, 0);
	assert_int_equal(device.features, 0);
	set_status(S_FEATURES);
	assert_int_equal(status(), S_FEATURES);
	assert_int_equal(device.features, 1ULL << VIRTIO_F_VERSION_1 | 2);
	/* What was accepted is settled. */
	set_features(FEATURES);
	set_reg(VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_GF, 4), 2);

	set_status(0);
	set_status(S_DRIVER);
	set_features(FEATURES);
	set_reg(VIRTIO_PCI_COMMON_GFSELECT, 4, 3);
	set_reg(VIRTIO_PCI_COMMON_GF, 4, 1);
	set_status(S_FEATURES);
	assert_int_equal(status(), S_DRIVER);
}

static void test_queue(void **state)
{
	(void)state;
	assert_int_equal(reg(VIRTIO_PCI_COMMON_NUMQ, 2), NR_QUEUES);
	negotiate();
	set_reg(VIRTIO_PCI_COMMON_Q_SELECT, 2, 1);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_Q_SIZE, 2), VDEV_MAX_QUEUE_SIZE);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_Q_NOFF, 2), 1);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_Q_MSIX, 2), VIRTIO_MSI_NO_VECTOR);
	enable_queue(1);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_Q_SIZE, 2), 16);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_Q_USEDLO, 8), 0x3000);
	/* Enabled, it keeps its place. */
	set_reg(VIRTIO_PCI_COMMON_Q_DESCLO, 4, 0x7000);
	set_reg(VIRTIO_PCI_COMMON_Q_SIZE, 2, 32);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_Q_DESCLO, 4), 0x1000);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_Q_SIZE, 2), 16);
	assert_int_equal(device.starts, 0);
	notify(1);
	assert_int_equal(device.kicks[1], 0);

	set_status(S_OK);
	assert_true(device.running[1]);
	assert_false(device.running[0]);
	assert_int_equal(device.setup[1].size, 16);
	assert_ptr_equal(device.setup[1].desc, mem_at(&dev.mem, 0x1000, 1));
	assert_ptr_equal(device.setup[1].used, mem_at(&dev.mem, 0x3000, 1));
	assert_int_equal(device.setup[1].next_avail, 0);
	/* What was available before the device looked */
	assert_int_equal(device.kicks[1], 1);
	notify(1);
	assert_int_equal(device.kicks[1], 2);
	/* A queue that is not there, or was not enabled */
	notify(0);
	notify(NR_QUEUES);
	notify(500);
	assert_int_equal(device.kicks[0], 0);
	assert_int_equal(device.kicks[1], 2);

	/* One that does not exist has size 0 and takes nothing. */
	set_reg(VIRTIO_PCI_COMMON_Q_SELECT, 2, NR_QUEUES);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_Q_SIZE, 2), 0);
	set_reg(VIRTIO_PCI_COMMON_Q_SIZE, 2, 16);
	set_reg(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	set_reg(VIRTIO_PCI_COMMON_Q_SELECT, 2, 0xffff);
	set_reg(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	assert_int_equal(status(), S_OK);
}

static void test_enable_late(void **state)
{
	(void)state;
	negotiate();
	set_status(S_OK);
	assert_int_equal(device.starts, 0);
	enable_queue(0);
	assert_true(device.running[0]);
}

/* Each is a fault of the driver's, after which only a reset helps. */
static void broken(uint64_t desc, uint64_t avail, uint64_t used)
{
	set_status(0);
	negotiate();
	place_queue(0, desc, avail, used);
	set_reg(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	assert_true(status() & VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	set_status(S_OK);
	assert_int_equal(device.starts, 0);
	set_status(0);
	assert_int_equal(status(), 0);
}

static void test_bad_queues(void **state)
{
	static const uint16_t sizes[] = { 0, 3, 1023, 1025, 2048, 0xffff };

	(void)state;
	broken(0x1008, 0x2000, 0x3000);
	broken(0x1000, 0x2001, 0x3000);
	broken(0x1000, 0x2000, 0x3002);
	broken(RAM, 0x2000, 0x3000);
	broken(RAM - 0x10, 0x2000, 0x3000);
	broken(0x1000, RAM - 36, 0x3000);
	/* Places for 16 entries, less 4 bytes */
	broken(0x1000, 0x2000, RAM - (6 + 8 * 16) + 2);
	broken(0x1000, RAM - (6 + 2 * 16) + 2, 0x3000);
	broken(RAM - 16 * 16 + 16, 0x2000, 0x3000);
	broken(0x1000, 0x2000, UINT64_MAX - 3);
	broken(UINT64_MAX - 15, 0x2000, 0x3000);
	broken(1ULL << 63, 0x2000, 0x3000);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		negotiate();
		set_reg(VIRTIO_PCI_COMMON_Q_SIZE, 2, sizes[i]);
		assert_true(status() & VIRTIO_CONFIG_S_NEEDS_RESET);
		set_status(0);
	}
	negotiate();
	set_reg(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 2);
	assert_true(status() & VIRTIO_CONFIG_S_NEEDS_RESET);
	set_status(0);
	/* Before the features are settled */
	place_queue(0, 0x1000, 0x2000, 0x3000);
	set_reg(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	assert_true(status() & VIRTIO_CONFIG_S_NEEDS_RESET);
	set_status(0);
	set_status(S_DRIVER | VIRTIO_CONFIG_S_DRIVER_OK);
	assert_true(status() & VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_false(status() & VIRTIO_CONFIG_S_DRIVER_OK);
}

static void test_status(void **state)
{
	(void)state;
	set_status(S_ACK);
	/* Bits stay, and one is not the driver's. */
	set_status(VIRTIO_CONFIG_S_DRIVER);
	assert_int_equal(status(), S_DRIVER);
	set_status(VIRTIO_CONFIG_S_NEEDS_RESET | S_DRIVER);
	assert_int_equal(status(), S_DRIVER);
	/* An access of another width is none. */
	set_reg(VIRTIO_PCI_COMMON_STATUS, 2, 0);
	set_reg(VIRTIO_PCI_COMMON_STATUS, 4, 0);
	assert_int_equal(status(), S_DRIVER);
	set_status(VIRTIO_CONFIG_S_FAILED);
	assert_int_equal(status(), S_DRIVER | VIRTIO_CONFIG_S_FAILED);
	set_status(0);
	assert_int_equal(status(), 0);
}

static void assert_pristine(void)
{
	assert_int_equal(status(), 0);
	assert_int_equal(device.features, 0);
	assert_false(device.running[0] || device.running[1]);
	assert_int_equal(reg(VIRTIO_PCI_ISR_STATUS, 1), 0);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_MSIX, 2), VIRTIO_MSI_NO_VECTOR);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_Q_SELECT, 2), 0);
	set_reg(VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_GF, 4), 0);
	for (unsigned int q = 0; q < NR_QUEUES; q++) {
		set_reg(VIRTIO_PCI_COMMON_Q_SELECT, 2, q);
		assert_int_equal(reg(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
		assert_int_equal(reg(VIRTIO_PCI_COMMON_Q_SIZE, 2),
				 VDEV_MAX_QUEUE_SIZE);
		assert_int_equal(reg(VIRTIO_PCI_COMMON_Q_DESCLO, 8), 0);
		assert_int_equal(reg(VIRTIO_PCI_COMMON_Q_MSIX, 2),
				 VIRTIO_MSI_NO_VECTOR);
	}
	set_reg(VIRTIO_PCI_COMMON_Q_SELECT, 2, 0);
	set_reg(VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
}

/* In whatever state the driver was: both kinds of reset, and then it works. */
static void test_reset(void **state)
{
	(void)state;
	for (unsigned int step = 0; step < 16; step++) {
		unsigned int resets;

		if (step / 2 >= 1)
			set_status(S_ACK);
		if (step / 2 >= 2)
			set_status(S_DRIVER);
		if (step / 2 >= 3)
			negotiate();
		if (step / 2 >= 4)
			enable_queue(0);
		if (step / 2 >= 5)
			set_status(S_OK);
		if (step / 2 >= 6) {
			interrupt(0);
			assert_true(irqs.line);
		}
		if (step / 2 >= 7)
			dev.transport_ops->needs_reset(dev.transport, "test");
		resets = device.resets;
		if (step % 2)
			virtio_pci_function_reset(&vp);
		else
			set_status(0);
		assert_true(device.resets > resets);
		assert_pristine();
		assert_false(irqs.line);
		if (step % 2)
			assert_int_equal(cfg(PCI_COMMAND, 2), 0);
		drive();
		set_status(0);
	}
}

static void test_function_reset(void **state)
{
	uint8_t before[256], after[256];

	(void)state;
	assert_true(virtio_pci_config_read(&vp, 0, before, 256));
	memset(after, 0xff, sizeof(after));
	assert_true(virtio_pci_config_write(&vp, 0, after, 256));
	assert_true(virtio_pci_bar_write(&vp, 1, 0, after, 8));
	virtio_pci_function_reset(&vp);
	assert_true(virtio_pci_config_read(&vp, 0, after, 256));
	assert_memory_equal(before, after, 256);
	assert_true(virtio_pci_bar_read(&vp, 1, 0, after, 16));
	assert_int_equal(le_get(after, 8), 0);
	assert_int_equal(after[PCI_MSIX_ENTRY_VECTOR_CTRL], 1);
}

static void test_bus_master(void **state)
{
	(void)state;
	drive();
	assert_int_equal(device.kicks[0], 1);
	set_cfg(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_false(device.running[0]);
	notify(0);
	assert_int_equal(device.kicks[0], 1);
	set_cfg(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	/* It goes on where it was, with what came meanwhile. */
	assert_true(device.running[0]);
	assert_int_equal(device.setup[0].next_avail, 7);
	assert_int_equal(device.kicks[0], 2);
}

static void test_memory(void **state)
{
	(void)state;
	drive();
	/* While it changes nothing runs; if the rings are still there it goes on. */
	virtio_pci_mem_begin(&vp);
	assert_false(device.running[0]);
	notify(0);
	virtio_pci_mem_end(&vp);
	assert_true(device.running[0]);
	assert_int_equal(device.mem_changes, 1);
	assert_int_equal(device.setup[0].next_avail, 7);

	virtio_pci_mem_begin(&vp);
	assert_int_equal(mem_remove(&dev.mem, 0, RAM), 0);
	virtio_pci_mem_end(&vp);
	assert_false(device.running[0]);
	notify(0);
	assert_int_equal(status(), S_OK);
	virtio_pci_mem_begin(&vp);
	assert_int_equal(add_ram(), 0);
	virtio_pci_mem_end(&vp);
	assert_true(device.running[0]);
	assert_int_equal(device.setup[0].next_avail, 14);
}

static void test_intx(void **state)
{
	(void)state;
	drive();
	interrupt(0);
	assert_true(irqs.line);
	assert_true(cfg(PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	interrupt(0);
	assert_int_equal(irqs.edges, 1);
	/* Looking at the whole of the BAR is not reading the register. */
	uint8_t all[0x4000];

	assert_true(virtio_pci_bar_read(&vp, 0, 0, all, sizeof(all)));
	assert_true(virtio_pci_bar_read(&vp, 0, VIRTIO_PCI_ISR_STATUS, all, 8));
	assert_true(irqs.line);
	assert_int_equal(reg(VIRTIO_PCI_ISR_STATUS, 1), 1);
	assert_false(irqs.line);
	assert_false(cfg(PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	assert_int_equal(reg(VIRTIO_PCI_ISR_STATUS, 1), 0);

	config_changed();
	assert_true(irqs.line);
	interrupt(0);
	set_cfg(PCI_COMMAND, 2, PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
	assert_false(irqs.line);
	set_cfg(PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	assert_true(irqs.line);
	assert_int_equal(reg(VIRTIO_PCI_ISR_STATUS, 1), 3);
	assert_false(irqs.line);
	assert_int_equal(irqs.messages[0] + irqs.messages[1], 0);
}

static void test_msix(void **state)
{
	unsigned int cap = pci_cap(PCI_CAP_ID_MSIX);

	(void)state;
	drive();
	/* What was up as a line is no line any more. */
	interrupt(0);
	enable_msix();
	assert_false(irqs.line);
	interrupt(0);
	assert_int_equal(irqs.messages[1], 1);
	config_changed();
	assert_int_equal(irqs.messages[0], 1);
	assert_int_equal(irqs.edges, 2);
	/* The bit of a configuration change is there with messages, too. */
	reg(VIRTIO_PCI_ISR_STATUS, 1);
	config_changed();
	assert_int_equal(reg(VIRTIO_PCI_ISR_STATUS, 1), 2);
	interrupt(0);
	assert_int_equal(reg(VIRTIO_PCI_ISR_STATUS, 1), 0);
	irqs.messages[0] = irqs.messages[1] = 1;

	/* A queue without a vector, and vectors that do not exist */
	interrupt(1);
	set_reg(VIRTIO_PCI_COMMON_MSIX, 2, NR_QUEUES + 1);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_MSIX, 2), VIRTIO_MSI_NO_VECTOR);
	set_reg(VIRTIO_PCI_COMMON_Q_MSIX, 2, 0x8000);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_Q_MSIX, 2), VIRTIO_MSI_NO_VECTOR);
	config_changed();
	interrupt(0);
	assert_int_equal(irqs.messages[0] + irqs.messages[1] + irqs.messages[2], 2);

	/* Masked by vector, by function, for want of bus mastering: once, later */
	enable_msix();
	virtio_pci_mask(&vp, 1, true);
	interrupt(0);
	interrupt(0);
	assert_int_equal(pba(), 2);
	assert_int_equal(irqs.messages[1], 1);
	virtio_pci_mask(&vp, 1, false);
	assert_int_equal(pba(), 0);
	assert_int_equal(irqs.messages[1], 2);
	set_cfg(cap + PCI_MSIX_FLAGS, 2,
		PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	config_changed();
	assert_int_equal(pba(), 1);
	set_cfg(cap + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
	assert_int_equal(irqs.messages[0], 2);
	set_cfg(PCI_COMMAND, 2, 0);
	interrupt(0);
	assert_int_equal(irqs.messages[1], 2);
	set_cfg(PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	assert_int_equal(irqs.messages[1], 3);
	virtio_pci_mask(&vp, VIRTIO_PCI_MAX_VECTORS, true);
	virtio_pci_mask(&vp, UINT32_MAX, true);
}

static void test_device_config(void **state)
{
	uint8_t before, page[64], expected[64] = { 0 };

	(void)state;
	for (unsigned int i = 0; i < CONFIG_SIZE; i++)
		expected[i] = device.config[i] = i + 1;
	assert_true(virtio_pci_bar_read(&vp, 0, VIRTIO_PCI_DEVICE, page, 64));
	assert_memory_equal(page, expected, 64);
	assert_int_equal(reg(VIRTIO_PCI_DEVICE + 8, 4), 0x0a09);
	assert_int_equal(reg(VIRTIO_PCI_DEVICE + CONFIG_SIZE, 4), 0);
	set_reg(VIRTIO_PCI_DEVICE, 4, 0);
	assert_int_equal(reg(VIRTIO_PCI_DEVICE, 1), 1);

	/* No interrupt before there is a driver, but another generation */
	before = reg(VIRTIO_PCI_COMMON_CFGGENERATION, 1);
	config_changed();
	assert_int_not_equal(reg(VIRTIO_PCI_COMMON_CFGGENERATION, 1), before);
	assert_false(irqs.line);
	drive();
	before = reg(VIRTIO_PCI_COMMON_CFGGENERATION, 1);
	config_changed();
	assert_int_not_equal(reg(VIRTIO_PCI_COMMON_CFGGENERATION, 1), before);
	assert_true(irqs.line);
	/* The driver does not write it. */
	before = reg(VIRTIO_PCI_COMMON_CFGGENERATION, 1);
	set_reg(VIRTIO_PCI_COMMON_CFGGENERATION, 1, before + 1);
	assert_int_equal(reg(VIRTIO_PCI_COMMON_CFGGENERATION, 1), before);
}

static void test_needs_reset(void **state)
{
	(void)state;
	drive();
	device.break_with = "test";
	notify(0);
	assert_true(status() & VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_false(device.running[0]);
	assert_int_equal(reg(VIRTIO_PCI_ISR_STATUS, 1), 2);
	assert_int_equal(device.broken, 1);
	device.break_with = NULL;
	notify(0);
	assert_int_equal(device.kicks[0], 2);
	set_status(0);
	drive();
	assert_int_equal(device.kicks[0], 3);
}

static void test_more(void **state)
{
	(void)state;
	drive();
	assert_false(virtio_pci_work(&vp));
	device.more = 3;
	notify(0);
	assert_int_equal(device.kicks[0], 2);
	assert_true(virtio_pci_work(&vp));
	assert_true(virtio_pci_work(&vp));
	assert_false(virtio_pci_work(&vp));
	assert_int_equal(device.kicks[0], 5);
	assert_false(virtio_pci_work(&vp));
	assert_int_equal(device.kicks[0], 5);
	/* A stopped queue has nothing more. */
	device.more = 10;
	notify(0);
	set_status(0);
	assert_false(virtio_pci_work(&vp));
	assert_int_equal(device.kicks[0], 6);
}

static void window(uint8_t bar, uint32_t offset, uint32_t length)
{
	unsigned int at = virtio_cap(VIRTIO_PCI_CAP_PCI_CFG);

	set_cfg(at + VIRTIO_PCI_CAP_BAR, 1, bar);
	set_cfg(at + VIRTIO_PCI_CAP_OFFSET, 4, offset);
	set_cfg(at + VIRTIO_PCI_CAP_LENGTH, 4, length);
}

static void test_window(void **state)
{
	unsigned int data = virtio_cap(VIRTIO_PCI_CAP_PCI_CFG) + 16;
	uint8_t all[256];

	(void)state;
	device.config[1] = 0x77;
	window(0, VIRTIO_PCI_COMMON + VIRTIO_PCI_COMMON_NUMQ, 2);
	assert_int_equal(cfg(data, 2), NR_QUEUES);
	window(0, VIRTIO_PCI_DEVICE + 1, 1);
	assert_int_equal(cfg(data, 1), 0x77);
	window(0, VIRTIO_PCI_COMMON_STATUS, 1);
	set_cfg(data, 1, S_ACK);
	assert_int_equal(status(), S_ACK);
	assert_int_equal(cfg(data, 1), S_ACK);
	/* Another length than announced, misaligned, outside, no BAR */
	set_cfg(data, 2, 0);
	assert_int_equal(status(), S_ACK);
	window(0, VIRTIO_PCI_COMMON_STATUS, 3);
	set_cfg(data, 1, 0);
	window(0, VIRTIO_PCI_COMMON_STATUS, 4);
	set_cfg(data, 1, 0);
	window(0, VIRTIO_PCI_COMMON_NUMQ - 1, 2);
	set_cfg(data, 2, 0x7777);
	assert_int_equal(cfg(data, 2), 0x7777);
	window(0, 0xfffffffc, 4);
	cfg(data, 4);
	set_cfg(data, 4, 0);
	window(0xff, 0, 4);
	cfg(data, 4);
	set_cfg(data, 4, 0);
	assert_int_equal(status(), S_ACK);
	/* Reading all of the configuration space reads no register. */
	set_status(0);
	drive();
	interrupt(0);
	window(0, VIRTIO_PCI_ISR_STATUS, 1);
	assert_true(virtio_pci_config_read(&vp, 0, all, 256));
	assert_true(irqs.line);
	assert_int_equal(cfg(data, 1), 1);
	assert_false(irqs.line);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_ ## name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(header), TEST(ids), TEST(capabilities), TEST(bar_sizing),
		TEST(bounds), TEST(features), TEST(queue), TEST(enable_late),
		TEST(bad_queues), TEST(status), TEST(reset), TEST(function_reset),
		TEST(bus_master), TEST(memory), TEST(intx), TEST(msix),
		TEST(device_config), TEST(needs_reset), TEST(more), TEST(window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
