/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio 1.x device as a PCI function (virtio 1.2, 4.1): what a driver sees in
 * configuration space and BARs.  Knows neither what carries the accesses nor what
 * the device does: the one calls these functions, the other is a struct vdev.
 *
 *	BAR 0, 16 KiB	0x0000	common configuration
 *			0x1000	ISR status
 *			0x2000	device configuration
 *			0x3000	notifications, 4 bytes a queue
 *	BAR 1, 4 KiB	0x000	MSI-X table
 *			0x800	MSI-X pending bits
 *
 * The guest's virtio-pci driver binds to vendor 1af4 by itself, and to others when
 * it is told their ids (driver's new_id); see pci_ids_parse() for the ids that it
 * takes then.
 *
 * Whoever carries the interrupts to the guest also owns the addresses and masks of
 * the MSI-X table: what is written to the table here can be read back and has no
 * effect.
 */
#ifndef FPR_HOST_VIRTIO_PCI_H
#define FPR_HOST_VIRTIO_PCI_H

#include "pci_config.h"
#include "vdev.h"

/* One for each queue, and one for configuration changes */
#define VIRTIO_PCI_MAX_VECTORS	(VDEV_MAX_QUEUES + 1)

#define VIRTIO_PCI_BAR_REGS	0
#define VIRTIO_PCI_BAR_MSIX	1
#define VIRTIO_PCI_NR_BARS	2

#define VIRTIO_PCI_COMMON	0x0000
#define VIRTIO_PCI_ISR_STATUS	0x1000
#define VIRTIO_PCI_DEVICE	0x2000
#define VIRTIO_PCI_NOTIFY	0x3000
#define VIRTIO_PCI_REGS_SIZE	0x4000
/* Each queue has this many bytes to be notified by. */
#define VIRTIO_PCI_NOTIFY_STEP	4

#define VIRTIO_PCI_MSIX_PBA	0x800
#define VIRTIO_PCI_MSIX_SIZE	0x1000
#define VIRTIO_PCI_MSIX_ENTRY	16

/**
 * struct virtio_pci_irq_ops - how interrupts get to the guest
 * @msix: send the message of a vector
 * @intx: the level of the interrupt line has changed
 */
struct virtio_pci_irq_ops {
	void (*msix)(void *irq, unsigned int vector);
	void (*intx)(void *irq, bool asserted);
};

/**
 * struct virtio_pci_queue - a queue as the driver has set it up
 * @size: entries
 * @vector: MSI-X vector, or %VIRTIO_MSI_NO_VECTOR
 * @next_avail: where to go on, while it does not run
 * @enabled: by the driver
 * @running: the device processes it
 * @more: the device asked to be kicked again
 * @lost: its rings were in memory that is gone
 * @desc: guest physical address of the descriptor table
 * @avail: of the available ring
 * @used: of the used ring
 */
struct virtio_pci_queue {
	uint16_t size;
	uint16_t vector;
	uint16_t next_avail;
	bool enabled;
	bool running;
	bool more;
	bool lost;
	uint64_t desc;
	uint64_t avail;
	uint64_t used;
};

/**
 * struct virtio_pci - the function; private, but for @config and @intx, to be read
 * @dev: the device
 * @irq_ops: interrupts
 * @irq: handed to them
 * @config: PCI configuration space
 * @msix_cap: offset of the MSI-X capability in it
 * @window_cap: offset of the capability that gives access to BARs
 * @msix_table: what was written to the table
 * @pending: vectors that wait for being unmasked, a bit each
 * @masked: vectors that virtio_pci_mask() has masked
 * @intx: level of the interrupt line
 * @isr: ISR status
 * @status: device status
 * @generation: configuration generation
 * @config_vector: MSI-X vector of configuration changes
 * @device_feature_select: which 32 device features can be read
 * @driver_feature_select: which 32 driver features can be accessed
 * @queue_select: which queue's registers can be accessed
 * @driver_features: what the driver has written
 * @driver_features_beyond: it wants one of a number above 63
 * @mem_changing: between virtio_pci_mem_begin() and virtio_pci_mem_end()
 * @queues: the queues
 */
struct virtio_pci {
	struct vdev *dev;
	const struct virtio_pci_irq_ops *irq_ops;
	void *irq;

	struct pci_config config;
	unsigned int msix_cap;
	unsigned int window_cap;
	uint8_t msix_table[VIRTIO_PCI_MAX_VECTORS * VIRTIO_PCI_MSIX_ENTRY];
	uint32_t pending;
	uint32_t masked;
	bool intx;
	uint8_t isr;

	uint8_t status;
	uint8_t generation;
	uint16_t config_vector;
	uint32_t device_feature_select;
	uint32_t driver_feature_select;
	uint16_t queue_select;
	uint64_t driver_features;
	bool driver_features_beyond;
	bool mem_changing;
	struct virtio_pci_queue queues[VDEV_MAX_QUEUES];
};

/**
 * virtio_pci_init() - make a function of a device
 * @vp: function
 * @dev: device; its transport is the function from now on
 * @ids: PCI ids
 * @irq_ops: interrupts
 * @irq: handed to them
 */
void virtio_pci_init(struct virtio_pci *vp, struct vdev *dev,
		     const struct pci_ids *ids,
		     const struct virtio_pci_irq_ops *irq_ops, void *irq);

/* Reset the device and leave it. */
void virtio_pci_release(struct virtio_pci *vp);

/* Function level reset: as after virtio_pci_init(), vectors masked stay so. */
void virtio_pci_function_reset(struct virtio_pci *vp);

/* Bytes of a BAR, 0 for one that does not exist */
uint32_t virtio_pci_bar_size(unsigned int bar);

static inline unsigned int virtio_pci_nr_vectors(const struct virtio_pci *vp)
{
	return vp->dev->ops->nr_queues + 1;
}

/*
 * Accesses, of any length that lies in the configuration space or the BAR; they
 * return false, and do nothing, if it does not.  A register is written only by an
 * access of its size; others are ignored.
 */
bool virtio_pci_config_read(struct virtio_pci *vp, uint64_t offset, void *to,
			    size_t len);
bool virtio_pci_config_write(struct virtio_pci *vp, uint64_t offset,
			     const void *from, size_t len);
bool virtio_pci_bar_read(struct virtio_pci *vp, unsigned int bar,
			 uint64_t offset, void *to, size_t len);
bool virtio_pci_bar_write(struct virtio_pci *vp, unsigned int bar,
			  uint64_t offset, const void *from, size_t len);

/**
 * virtio_pci_work() - kick the queues that have more than one kick may do
 * Return: whether to call again, when other things have had their turn.
 */
bool virtio_pci_work(struct virtio_pci *vp);

/* Mask or unmask a vector; what came meanwhile is sent then. */
void virtio_pci_mask(struct virtio_pci *vp, unsigned int vector, bool masked);

/*
 * Around each change of &vdev.mem: queues stop, and go on if their rings are still
 * guest memory.  The device is told of the change.
 */
void virtio_pci_mem_begin(struct virtio_pci *vp);
void virtio_pci_mem_end(struct virtio_pci *vp);

#endif /* FPR_HOST_VIRTIO_PCI_H */
