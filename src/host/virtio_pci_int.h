/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the PCI function need of each other. */
#ifndef FPR_HOST_VIRTIO_PCI_INT_H
#define FPR_HOST_VIRTIO_PCI_INT_H

#include "virtio_pci.h"

/* virtio_pci_regs.c */
bool virtio_pci_is_window(const struct virtio_pci *vp, uint64_t offset,
			  size_t len);
void virtio_pci_window_read(struct virtio_pci *vp, void *to, size_t len);
void virtio_pci_window_write(struct virtio_pci *vp, const void *from, size_t len);

/* virtio_pci.c */
void virtio_pci_broken(struct virtio_pci *vp, const char *why);
void virtio_pci_set_status(struct virtio_pci *vp, uint8_t value);
void virtio_pci_enable_queue(struct virtio_pci *vp, unsigned int q);
void virtio_pci_kick(struct virtio_pci *vp, unsigned int q);

/* virtio_pci_irq.c */
void virtio_pci_irq_reset(struct virtio_pci *vp);
/* Looks at what may have changed: command register, MSI-X capability, masks. */
void virtio_pci_irq_update(struct virtio_pci *vp);
void virtio_pci_irq_queue(struct virtio_pci *vp, unsigned int q);
void virtio_pci_irq_config(struct virtio_pci *vp);
uint8_t virtio_pci_isr_read(struct virtio_pci *vp);

#endif /* FPR_HOST_VIRTIO_PCI_INT_H */
