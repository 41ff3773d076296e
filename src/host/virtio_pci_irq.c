// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts of the PCI function: a message a vector with MSI-X, else the level of
 * a line, which the ISR status explains.
 */
#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>

#include "virtio_pci_int.h"

/* Bits of the ISR status (virtio 1.2, 4.1.4.5) */
#define ISR_QUEUE	1
#define ISR_CONFIG	2

static uint16_t msix_flags(const struct virtio_pci *vp)
{
	return pci_config_get16(&vp->config, vp->msix_cap + PCI_MSIX_FLAGS);
}

static bool msix_enabled(const struct virtio_pci *vp)
{
	return msix_flags(vp) & PCI_MSIX_FLAGS_ENABLE;
}

static uint16_t command(const struct virtio_pci *vp)
{
	return pci_config_get16(&vp->config, PCI_COMMAND);
}

static void send_pending(struct virtio_pci *vp)
{
	/* A message is a write to memory. */
	if (msix_flags(vp) & PCI_MSIX_FLAGS_MASKALL ||
	    !(command(vp) & PCI_COMMAND_MASTER))
		return;
	for (unsigned int v = 0; v < virtio_pci_nr_vectors(vp); v++) {
		if (!(vp->pending & ~vp->masked & 1u << v))
			continue;
		vp->pending &= ~(1u << v);
		vp->irq_ops->msix(vp->irq, v);
	}
}

void virtio_pci_irq_update(struct virtio_pci *vp)
{
	uint8_t *status = &vp->config.data[PCI_STATUS];
	bool level = false;

	*status &= ~PCI_STATUS_INTERRUPT;
	if (msix_enabled(vp)) {
		send_pending(vp);
	} else {
		vp->pending = 0;
		if (vp->isr)
			*status |= PCI_STATUS_INTERRUPT;
		level = vp->isr && !(command(vp) & PCI_COMMAND_INTX_DISABLE);
	}
	if (level == vp->intx)
		return;
	vp->intx = level;
	vp->irq_ops->intx(vp->irq, level);
}

void virtio_pci_irq_reset(struct virtio_pci *vp)
{
	vp->isr = 0;
	vp->pending = 0;
	virtio_pci_irq_update(vp);
}

static void raise_irq(struct virtio_pci *vp, uint16_t vector, uint8_t isr)
{
	if (!msix_enabled(vp))
		vp->isr |= isr;
	else if (vector != VIRTIO_MSI_NO_VECTOR)
		vp->pending |= 1u << vector;
	virtio_pci_irq_update(vp);
}

void virtio_pci_irq_queue(struct virtio_pci *vp, unsigned int q)
{
	if (q < vp->dev->ops->nr_queues)
		raise_irq(vp, vp->queues[q].vector, ISR_QUEUE);
}

void virtio_pci_irq_config(struct virtio_pci *vp)
{
	/* This one is there with MSI-X, too. */
	vp->isr |= ISR_CONFIG;
	raise_irq(vp, vp->config_vector, ISR_CONFIG);
}

uint8_t virtio_pci_isr_read(struct virtio_pci *vp)
{
	uint8_t isr = vp->isr;

	vp->isr = 0;
	virtio_pci_irq_update(vp);
	return isr;
}

void virtio_pci_mask(struct virtio_pci *vp, unsigned int vector, bool masked)
{
	if (vector >= virtio_pci_nr_vectors(vp))
		return;
	if (masked)
		vp->masked |= 1u << vector;
	else
		vp->masked &= ~(1u << vector);
	virtio_pci_irq_update(vp);
}
