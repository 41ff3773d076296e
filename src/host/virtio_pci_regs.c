// SPDX-License-Identifier: GPL-2.0
/* What is in the BARs: registers (virtio 1.2, 4.1.4) and the MSI-X table. */
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <string.h>

#include "virtio_pci_int.h"

#define COMMON_SIZE	sizeof(struct virtio_pci_common_cfg)

/* The selected queue; NULL if there is none of that number */
static struct virtio_pci_queue *selected(struct virtio_pci *vp)
{
	if (vp->queue_select >= vp->dev->ops->nr_queues)
		return NULL;
	return &vp->queues[vp->queue_select];
}

static uint32_t feature_word(uint64_t features, uint32_t select)
{
	return select < 2 ? features >> (32 * select) & UINT32_MAX : 0;
}

/* The whole structure as it is read now; reading changes nothing. */
static void common_image(struct virtio_pci *vp, uint8_t *to)
{
	const struct virtio_pci_queue *queue = selected(vp);

	memset(to, 0, COMMON_SIZE);
	le_put(&to[VIRTIO_PCI_COMMON_DFSELECT], vp->device_feature_select, 4);
	le_put(&to[VIRTIO_PCI_COMMON_DF],
	       feature_word(vp->dev->ops->features(vp->dev),
			    vp->device_feature_select), 4);
	le_put(&to[VIRTIO_PCI_COMMON_GFSELECT], vp->driver_feature_select, 4);
	le_put(&to[VIRTIO_PCI_COMMON_GF],
	       feature_word(vp->driver_features, vp->driver_feature_select), 4);
	le_put(&to[VIRTIO_PCI_COMMON_MSIX], vp->config_vector, 2);
	le_put(&to[VIRTIO_PCI_COMMON_NUMQ], vp->dev->ops->nr_queues, 2);
	to[VIRTIO_PCI_COMMON_STATUS] = vp->status;
	to[VIRTIO_PCI_COMMON_CFGGENERATION] = vp->generation;
	le_put(&to[VIRTIO_PCI_COMMON_Q_SELECT], vp->queue_select, 2);
	if (!queue) {
		le_put(&to[VIRTIO_PCI_COMMON_Q_MSIX], VIRTIO_MSI_NO_VECTOR, 2);
		return;
	}
	le_put(&to[VIRTIO_PCI_COMMON_Q_SIZE], queue->size, 2);
	le_put(&to[VIRTIO_PCI_COMMON_Q_MSIX], queue->vector, 2);
	le_put(&to[VIRTIO_PCI_COMMON_Q_ENABLE], queue->enabled, 2);
	le_put(&to[VIRTIO_PCI_COMMON_Q_NOFF], vp->queue_select, 2);
	le_put(&to[VIRTIO_PCI_COMMON_Q_DESCLO], queue->desc, 8);
	le_put(&to[VIRTIO_PCI_COMMON_Q_AVAILLO], queue->avail, 8);
	le_put(&to[VIRTIO_PCI_COMMON_Q_USEDLO], queue->used, 8);
}

static uint16_t valid_vector(struct virtio_pci *vp, uint16_t vector)
{
	return vector < virtio_pci_nr_vectors(vp) ? vector : VIRTIO_MSI_NO_VECTOR;
}

static void write_driver_features(struct virtio_pci *vp, uint32_t value)
{
	unsigned int shift = 32 * vp->driver_feature_select;

	if (vp->status & VIRTIO_CONFIG_S_FEATURES_OK)
		return;
	if (vp->driver_feature_select > 1) {
		vp->driver_features_beyond |= value;
		return;
	}
	vp->driver_features &= ~((uint64_t)UINT32_MAX << shift);
	vp->driver_features |= (uint64_t)value << shift;
}

static void write_half(uint64_t *address, unsigned int offset, uint32_t value)
{
	/* The fields are aligned: the upper halves are at 4 modulo 8. */
	unsigned int shift = 8 * (offset & 4);

	*address &= ~((uint64_t)UINT32_MAX << shift);
	*address |= (uint64_t)value << shift;
}

/* Fields of the selected queue */
static void queue_write(struct virtio_pci *vp, unsigned int offset, uint32_t value)
{
	struct virtio_pci_queue *queue = selected(vp);

	if (!queue)
		return;
	if (offset == VIRTIO_PCI_COMMON_Q_MSIX) {
		queue->vector = valid_vector(vp, value);
		return;
	}
	/* All others are settled when the queue is enabled. */
	if (queue->enabled)
		return;
	switch (offset) {
	case VIRTIO_PCI_COMMON_Q_SIZE:
		if (!value || value > VDEV_MAX_QUEUE_SIZE || value & (value - 1))
			virtio_pci_broken(vp, "a queue's size is no power of two, or too large");
		else
			queue->size = value;
		break;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		if (value == 1)
			virtio_pci_enable_queue(vp, vp->queue_select);
		else
			virtio_pci_broken(vp, "a queue was enabled with another value than 1");
		break;
	case VIRTIO_PCI_COMMON_Q_DESCLO:
	case VIRTIO_PCI_COMMON_Q_DESCHI:
		write_half(&queue->desc, offset, value);
		break;
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
		write_half(&queue->avail, offset, value);
		break;
	case VIRTIO_PCI_COMMON_Q_USEDLO:
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		write_half(&queue->used, offset, value);
		break;
	default:
		break;
	}
}

/* Bytes of the register that begins at an offset; 0 if none does. */
static size_t register_size(unsigned int offset)
{
	switch (offset) {
	case VIRTIO_PCI_COMMON_STATUS:
		return 1;
	case VIRTIO_PCI_COMMON_MSIX:
	case VIRTIO_PCI_COMMON_Q_SELECT:
	case VIRTIO_PCI_COMMON_Q_SIZE:
	case VIRTIO_PCI_COMMON_Q_MSIX:
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		return 2;
	case VIRTIO_PCI_COMMON_DFSELECT:
	case VIRTIO_PCI_COMMON_GFSELECT:
	case VIRTIO_PCI_COMMON_GF:
	case VIRTIO_PCI_COMMON_Q_DESCLO:
	case VIRTIO_PCI_COMMON_Q_DESCHI:
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
	case VIRTIO_PCI_COMMON_Q_USEDLO:
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		return 4;
	default:
		return 0;
	}
}

static void common_write(struct virtio_pci *vp, unsigned int offset,
			 const void *from, size_t len)
{
	uint32_t value;

	if (len != register_size(offset))
		return;
	value = le_get(from, len);
	switch (offset) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		vp->device_feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GFSELECT:
		vp->driver_feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GF:
		write_driver_features(vp, value);
		break;
	case VIRTIO_PCI_COMMON_MSIX:
		vp->config_vector = valid_vector(vp, value);
		break;
	case VIRTIO_PCI_COMMON_STATUS:
		virtio_pci_set_status(vp, value);
		break;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		vp->queue_select = value;
		break;
	default:
		queue_write(vp, offset, value);
		break;
	}
}

/* Copies what of [offset, offset + len) lies in the first @size bytes of @image. */
static void read_image(const void *image, size_t size, size_t offset,
		       uint8_t *to, size_t len)
{
	if (offset < size)
		memcpy(to, (const uint8_t *)image + offset,
		       len < size - offset ? len : size - offset);
}

static void regs_read(struct virtio_pci *vp, size_t offset, uint8_t *to, size_t len)
{
	size_t within = offset & 0xfff, size = vp->dev->ops->config_size;
	uint8_t common[COMMON_SIZE];

	switch (offset & ~(size_t)0xfff) {
	case VIRTIO_PCI_COMMON:
		common_image(vp, common);
		read_image(common, sizeof(common), within, to, len);
		break;
	case VIRTIO_PCI_ISR_STATUS:
		/* Reading clears it, so only who means it. */
		if (within == 0 && len >= 1 && len <= 4)
			to[0] = virtio_pci_isr_read(vp);
		break;
	case VIRTIO_PCI_DEVICE:
		if (within < size)
			vp->dev->ops->config_read(vp->dev, within, to,
						  len < size - within ?
						  len : size - within);
		break;
	default:
		break;
	}
}

static void regs_write(struct virtio_pci *vp, size_t offset, const void *from,
		       size_t len)
{
	size_t within = offset & 0xfff;

	switch (offset & ~(size_t)0xfff) {
	case VIRTIO_PCI_COMMON:
		common_write(vp, within, from, len);
		break;
	case VIRTIO_PCI_NOTIFY:
		/* Where it is written says which queue; what is written repeats it. */
		if (within % VIRTIO_PCI_NOTIFY_STEP == 0 && (len == 2 || len == 4))
			virtio_pci_kick(vp, within / VIRTIO_PCI_NOTIFY_STEP);
		break;
	default:
		break;
	}
}

static void msix_read(struct virtio_pci *vp, size_t offset, uint8_t *to, size_t len)
{
	size_t size = virtio_pci_nr_vectors(vp) * VIRTIO_PCI_MSIX_ENTRY;
	uint8_t pba[8];

	read_image(vp->msix_table, size, offset, to, len);
	le_put(pba, vp->pending, sizeof(pba));
	if (offset >= VIRTIO_PCI_MSIX_PBA)
		read_image(pba, sizeof(pba), offset - VIRTIO_PCI_MSIX_PBA, to, len);
}

static void msix_write(struct virtio_pci *vp, size_t offset, const void *from,
		       size_t len)
{
	size_t size = virtio_pci_nr_vectors(vp) * VIRTIO_PCI_MSIX_ENTRY;

	if (offset % 4 == 0 && (len == 4 || len == 8) && offset + len <= size)
		memcpy(&vp->msix_table[offset], from, len);
}

uint32_t virtio_pci_bar_size(unsigned int bar)
{
	switch (bar) {
	case VIRTIO_PCI_BAR_REGS:
		return VIRTIO_PCI_REGS_SIZE;
	case VIRTIO_PCI_BAR_MSIX:
		return VIRTIO_PCI_MSIX_SIZE;
	default:
		return 0;
	}
}

static bool bar_has(unsigned int bar, uint64_t offset, uint64_t len)
{
	uint32_t size = virtio_pci_bar_size(bar);

	return size && offset <= size && len <= size - offset;
}

bool virtio_pci_bar_read(struct virtio_pci *vp, unsigned int bar,
			 uint64_t offset, void *to, size_t len)
{
	if (!bar_has(bar, offset, len))
		return false;
	memset(to, 0, len);
	if (bar == VIRTIO_PCI_BAR_REGS)
		regs_read(vp, offset, to, len);
	else
		msix_read(vp, offset, to, len);
	return true;
}

bool virtio_pci_bar_write(struct virtio_pci *vp, unsigned int bar,
			  uint64_t offset, const void *from, size_t len)
{
	if (!bar_has(bar, offset, len))
		return false;
	if (bar == VIRTIO_PCI_BAR_REGS)
		regs_write(vp, offset, from, len);
	else
		msix_write(vp, offset, from, len);
	return true;
}

/*
 * The window in configuration space (virtio 1.2, 4.1.4.9): an access to the
 * capability's data is one to the BAR, offset and length that the driver has
 * written beside it.  A dump of the whole space is none.
 */
bool virtio_pci_is_window(const struct virtio_pci *vp, uint64_t offset,
			  size_t len)
{
	return offset == vp->window_cap + sizeof(struct virtio_pci_cap) &&
	       (len == 1 || len == 2 || len == 4);
}

static bool window_open(const struct virtio_pci *vp, unsigned int *bar,
			uint32_t *offset, size_t len)
{
	const uint8_t *cap = &vp->config.data[vp->window_cap];

	*bar = cap[VIRTIO_PCI_CAP_BAR];
	*offset = le_get(&cap[VIRTIO_PCI_CAP_OFFSET], 4);
	return le_get(&cap[VIRTIO_PCI_CAP_LENGTH], 4) == len && *offset % len == 0;
}

void virtio_pci_window_read(struct virtio_pci *vp, void *to, size_t len)
{
	uint32_t offset;
	unsigned int bar;

	if (window_open(vp, &bar, &offset, len))
		virtio_pci_bar_read(vp, bar, offset, to, len);
}

void virtio_pci_window_write(struct virtio_pci *vp, const void *from, size_t len)
{
	uint32_t offset;
	unsigned int bar;

	if (window_open(vp, &bar, &offset, len))
		virtio_pci_bar_write(vp, bar, offset, from, len);
}
