// SPDX-License-Identifier: GPL-2.0
/* The PCI function: device status, the kinds of reset, and what needs one. */
#include "pci_driver.h"

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
			vdev.transport_ops->needs_reset(vdev.transport, "test");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		PCI_TEST(status), PCI_TEST(reset), PCI_TEST(function_reset),
		PCI_TEST(needs_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
