// SPDX-License-Identifier: GPL-2.0
/*
 * The PCI function: configuration space and its capabilities, what lies beyond the
 * bounds, and the configuration of the device.
 */
#include "pci_driver.h"

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
	const struct CMUnitTest tests[] = {
		PCI_TEST(header), PCI_TEST(ids), PCI_TEST(capabilities),
		PCI_TEST(bar_sizing), PCI_TEST(bounds), PCI_TEST(device_config),
		PCI_TEST(window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
