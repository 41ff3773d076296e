// SPDX-License-Identifier: GPL-2.0
/* The PCI function: features, and how queues begin, rest and go on. */
#include "pci_driver.h"

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
	assert_ptr_equal(device.setup[1].desc, mem_at(&vdev.mem, 0x1000, 1));
	assert_ptr_equal(device.setup[1].used, mem_at(&vdev.mem, 0x3000, 1));
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
	assert_int_equal(mem_remove(&vdev.mem, 0, RAM), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		PCI_TEST(features), PCI_TEST(queue), PCI_TEST(enable_late),
		PCI_TEST(bad_queues), PCI_TEST(bus_master), PCI_TEST(memory),
		PCI_TEST(more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
