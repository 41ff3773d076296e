/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The PCI function as a driver sees it, with a device behind it that only takes
 * notes: what the tests of the function share.
 */
#ifndef TEST_PCI_DRIVER_H
#define TEST_PCI_DRIVER_H

#include "../unit/test.h"

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#include "../../src/host/virtio_pci.h"

#define RAM		0x10000
#define NR_QUEUES	2
#define CONFIG_SIZE	10
#define FEATURES	(1ULL << VIRTIO_F_VERSION_1 | 1ULL << 40 | 6)

#define S_ACK		VIRTIO_CONFIG_S_ACKNOWLEDGE
#define S_DRIVER	(S_ACK | VIRTIO_CONFIG_S_DRIVER)
#define S_FEATURES	(S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK)
#define S_OK		(S_FEATURES | VIRTIO_CONFIG_S_DRIVER_OK)

/* What the device was told, and what it answers */
struct device_notes {
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
};

/* What the guest got */
struct irq_notes {
	unsigned int messages[VIRTIO_PCI_MAX_VECTORS];
	bool line;
	unsigned int edges;
};

extern struct device_notes device;
extern struct irq_notes irqs;
extern struct vdev vdev;
extern struct virtio_pci vp;

/* Before and after each test: a function as it is at first, with RAM bytes at 0 */
int pci_setup(void **state);
int pci_teardown(void **state);
int add_ram(void);

#define PCI_TEST(name) \
	cmocka_unit_test_setup_teardown(test_ ## name, pci_setup, pci_teardown)

/* Accesses of 1 to 4 bytes to configuration space, 1 to 8 to the registers */
uint32_t cfg(unsigned int offset, unsigned int len);
void set_cfg(unsigned int offset, unsigned int len, uint32_t value);
uint64_t reg(unsigned int offset, unsigned int len);
void set_reg(unsigned int offset, unsigned int len, uint64_t value);
uint8_t status(void);
void set_status(uint8_t value);
void set_features(uint64_t features);

/* Offset of a capability, found as a driver does; 0 if there is none */
unsigned int pci_cap(unsigned int id);
unsigned int virtio_cap(unsigned int type);

/* The steps of a driver; drive() takes them all, with queue 0. */
void negotiate(void);
void place_queue(unsigned int q, uint64_t desc, uint64_t avail, uint64_t used);
void enable_queue(unsigned int q);
void notify(unsigned int q);
void drive(void);

/* What the device says to its transport */
void interrupt(unsigned int q);
void config_changed(void);

#endif /* TEST_PCI_DRIVER_H */
