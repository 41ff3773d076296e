// SPDX-License-Identifier: GPL-2.0
/* The PCI function: interrupts, by the line and by messages. */
#include "pci_driver.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		PCI_TEST(intx), PCI_TEST(msix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
