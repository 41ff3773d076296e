// SPDX-License-Identifier: GPL-2.0
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <string.h>

#include "log.h"
#include "virtio_pci_int.h"

/* "does not fit any other class", which virtio asks for (virtio 1.2, 4.1.2) */
#define CLASS_OTHER	0x00ff00

static void stop_queue(struct virtio_pci *vp, unsigned int q)
{
	vp->queues[q].next_avail = vp->dev->ops->queue_stop(vp->dev, q);
	vp->queues[q].running = false;
	vp->queues[q].more = false;
}

static bool find_rings(struct virtio_pci *vp, const struct virtio_pci_queue *queue,
		       struct vdev_queue_setup *setup)
{
	const struct mem *mem = &vp->dev->mem;

	setup->size = queue->size;
	setup->next_avail = queue->next_avail;
	setup->desc = mem_at(mem, queue->desc, 16 * (uint64_t)queue->size);
	setup->avail = mem_at(mem, queue->avail, 6 + 2 * (uint64_t)queue->size);
	setup->used = mem_at(mem, queue->used, 6 + 8 * (uint64_t)queue->size);
	return setup->desc && setup->avail && setup->used;
}

static void start_queue(struct virtio_pci *vp, unsigned int q)
{
	struct virtio_pci_queue *queue = &vp->queues[q];
	struct vdev_queue_setup setup;

	/* Memory comes and goes piece by piece: it may be back with the next. */
	if (!find_rings(vp, queue, &setup)) {
		if (!queue->lost)
			log_warn("the rings of a queue are in no memory of the guest queue=%u", q);
		queue->lost = true;
		return;
	}
	queue->lost = false;
	if (vp->dev->ops->queue_start(vp->dev, q, &setup)) {
		virtio_pci_broken(vp, "a queue cannot be started");
		return;
	}
	queue->running = true;
	/* The driver may have been waiting for that. */
	queue->more = vp->dev->ops->kick(vp->dev, q);
}

/* Run the queues that may run now, and no others. */
static void sync_queues(struct virtio_pci *vp)
{
	for (unsigned int q = 0; q < vp->dev->ops->nr_queues; q++) {
		struct virtio_pci_queue *queue = &vp->queues[q];
		uint8_t status = vp->status & (VIRTIO_CONFIG_S_DRIVER_OK |
					       VIRTIO_CONFIG_S_NEEDS_RESET);
		uint16_t command = pci_config_get16(&vp->config, PCI_COMMAND);
		bool run = queue->enabled && !vp->mem_changing &&
			   status == VIRTIO_CONFIG_S_DRIVER_OK &&
			   command & PCI_COMMAND_MASTER;

		if (queue->running && !run)
			stop_queue(vp, q);
		else if (!queue->running && run)
			start_queue(vp, q);
	}
}

/* Queues stop when the access or call that came upon it is done: sync_queues(). */
void virtio_pci_broken(struct virtio_pci *vp, const char *why)
{
	if (vp->status & VIRTIO_CONFIG_S_NEEDS_RESET)
		return;
	log_warn("the driver broke the rules, the device needs a reset why=\"%s\"", why);
	vp->dev->ops->broken(vp->dev, why);
	vp->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	if (vp->status & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio_pci_irq_config(vp);
}

void virtio_pci_kick(struct virtio_pci *vp, unsigned int q)
{
	if (q >= vp->dev->ops->nr_queues || !vp->queues[q].running)
		return;
	vp->queues[q].more = vp->dev->ops->kick(vp->dev, q);
	sync_queues(vp);
}

bool virtio_pci_work(struct virtio_pci *vp)
{
	bool more = false;

	for (unsigned int q = 0; q < vp->dev->ops->nr_queues; q++) {
		if (vp->queues[q].more)
			virtio_pci_kick(vp, q);
		more |= vp->queues[q].more;
	}
	return more;
}

static bool accept_features(struct virtio_pci *vp)
{
	uint64_t offered = vp->dev->ops->features(vp->dev);

	if (vp->driver_features & ~offered || vp->driver_features_beyond ||
	    !(vp->driver_features & 1ULL << VIRTIO_F_VERSION_1))
		return false;
	vp->dev->ops->set_features(vp->dev, vp->driver_features);
	return true;
}

static void reset_device(struct virtio_pci *vp)
{
	vp->dev->ops->reset(vp->dev);
	vp->status = 0;
	vp->config_vector = VIRTIO_MSI_NO_VECTOR;
	vp->device_feature_select = 0;
	vp->driver_feature_select = 0;
	vp->queue_select = 0;
	vp->driver_features = 0;
	vp->driver_features_beyond = false;
	memset(vp->queues, 0, sizeof(vp->queues));
	for (unsigned int q = 0; q < vp->dev->ops->nr_queues; q++) {
		vp->queues[q].size = VDEV_MAX_QUEUE_SIZE;
		vp->queues[q].vector = VIRTIO_MSI_NO_VECTOR;
	}
	virtio_pci_irq_reset(vp);
}

/* Bits are only ever added, but by a reset; NEEDS_RESET is the device's own. */
void virtio_pci_set_status(struct virtio_pci *vp, uint8_t value)
{
	uint8_t added = value & ~(vp->status | VIRTIO_CONFIG_S_NEEDS_RESET);

	if (!value) {
		reset_device(vp);
		return;
	}
	if (added & VIRTIO_CONFIG_S_FEATURES_OK && !accept_features(vp))
		added &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	if (added & VIRTIO_CONFIG_S_DRIVER_OK &&
	    !((vp->status | added) & VIRTIO_CONFIG_S_FEATURES_OK)) {
		virtio_pci_broken(vp, "DRIVER_OK without FEATURES_OK");
		return;
	}
	vp->status |= added;
	sync_queues(vp);
}

void virtio_pci_enable_queue(struct virtio_pci *vp, unsigned int q)
{
	struct virtio_pci_queue *queue = &vp->queues[q];
	struct vdev_queue_setup setup;

	if (queue->enabled)
		return;
	if (!(vp->status & VIRTIO_CONFIG_S_FEATURES_OK))
		virtio_pci_broken(vp, "a queue was enabled before FEATURES_OK");
	else if (queue->desc % 16 || queue->avail % 2 || queue->used % 4)
		virtio_pci_broken(vp, "the rings of a queue are not aligned");
	else if (!find_rings(vp, queue, &setup))
		virtio_pci_broken(vp, "the rings of a queue are in no memory of the guest");
	else
		queue->enabled = true;
	sync_queues(vp);
}

void virtio_pci_mem_begin(struct virtio_pci *vp)
{
	vp->mem_changing = true;
	sync_queues(vp);
}

void virtio_pci_mem_end(struct virtio_pci *vp)
{
	vp->dev->ops->mem_changed(vp->dev);
	vp->mem_changing = false;
	sync_queues(vp);
}

bool virtio_pci_config_read(struct virtio_pci *vp, uint64_t offset, void *to,
			    size_t len)
{
	if (!pci_config_has(offset, len))
		return false;
	memcpy(to, &vp->config.data[offset], len);
	if (virtio_pci_is_window(vp, offset, len))
		virtio_pci_window_read(vp, to, len);
	return true;
}

bool virtio_pci_config_write(struct virtio_pci *vp, uint64_t offset,
			     const void *from, size_t len)
{
	if (!pci_config_has(offset, len))
		return false;
	pci_config_write(&vp->config, offset, from, len);
	if (virtio_pci_is_window(vp, offset, len))
		virtio_pci_window_write(vp, from, len);
	/* Bus mastering, interrupts disabled or masked */
	virtio_pci_irq_update(vp);
	sync_queues(vp);
	return true;
}

static void transport_interrupt(void *transport, unsigned int q)
{
	virtio_pci_irq_queue(transport, q);
}

static void transport_config_changed(void *transport)
{
	struct virtio_pci *vp = transport;

	vp->generation++;
	if (vp->status & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio_pci_irq_config(vp);
}

static void transport_needs_reset(void *transport, const char *why)
{
	virtio_pci_broken(transport, why);
}

static const struct vdev_transport_ops transport_ops = {
	.interrupt = transport_interrupt,
	.config_changed = transport_config_changed,
	.needs_reset = transport_needs_reset,
};

static unsigned int add_virtio_cap(struct virtio_pci *vp, uint8_t type,
				   uint32_t offset, uint32_t length,
				   unsigned int len)
{
	unsigned int at = pci_config_add_cap(&vp->config, PCI_CAP_ID_VNDR, len);
	uint8_t *cap = &vp->config.data[at];

	cap[VIRTIO_PCI_CAP_LEN] = len;
	cap[VIRTIO_PCI_CAP_CFG_TYPE] = type;
	cap[VIRTIO_PCI_CAP_BAR] = VIRTIO_PCI_BAR_REGS;
	le_put(&cap[VIRTIO_PCI_CAP_OFFSET], offset, 4);
	le_put(&cap[VIRTIO_PCI_CAP_LENGTH], length, 4);
	return at;
}

static void add_capabilities(struct virtio_pci *vp)
{
	const struct vdev_ops *ops = vp->dev->ops;
	unsigned int size = sizeof(struct virtio_pci_cap), at;
	uint8_t *data = vp->config.data, *writable = vp->config.writable;

	at = pci_config_add_cap(&vp->config, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF);
	le_put(&data[at + PCI_MSIX_FLAGS], virtio_pci_nr_vectors(vp) - 1, 2);
	le_put(&writable[at + PCI_MSIX_FLAGS],
	       PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL, 2);
	le_put(&data[at + PCI_MSIX_TABLE], VIRTIO_PCI_BAR_MSIX, 4);
	le_put(&data[at + PCI_MSIX_PBA],
	       VIRTIO_PCI_MSIX_PBA | VIRTIO_PCI_BAR_MSIX, 4);
	vp->msix_cap = at;

	add_virtio_cap(vp, VIRTIO_PCI_CAP_COMMON_CFG, VIRTIO_PCI_COMMON,
		       sizeof(struct virtio_pci_common_cfg), size);
	add_virtio_cap(vp, VIRTIO_PCI_CAP_ISR_CFG, VIRTIO_PCI_ISR_STATUS, 1, size);
	add_virtio_cap(vp, VIRTIO_PCI_CAP_DEVICE_CFG, VIRTIO_PCI_DEVICE,
		       ops->config_size, size);
	at = add_virtio_cap(vp, VIRTIO_PCI_CAP_NOTIFY_CFG, VIRTIO_PCI_NOTIFY,
			    ops->nr_queues * VIRTIO_PCI_NOTIFY_STEP,
			    sizeof(struct virtio_pci_notify_cap));
	le_put(&data[at + size], VIRTIO_PCI_NOTIFY_STEP, 4);

	at = add_virtio_cap(vp, VIRTIO_PCI_CAP_PCI_CFG, 0, 0, size + 4);
	writable[at + VIRTIO_PCI_CAP_BAR] = 0xff;
	memset(&writable[at + VIRTIO_PCI_CAP_OFFSET], 0xff, 12);
	vp->window_cap = at;
}

void virtio_pci_init(struct virtio_pci *vp, struct vdev *dev,
		     const struct pci_ids *ids,
		     const struct virtio_pci_irq_ops *irq_ops, void *irq)
{
	memset(vp, 0, sizeof(*vp));
	vp->dev = dev;
	vp->irq_ops = irq_ops;
	vp->irq = irq;
	pci_config_init(&vp->config, ids, CLASS_OTHER);
	pci_config_add_bar(&vp->config, VIRTIO_PCI_BAR_REGS, VIRTIO_PCI_REGS_SIZE);
	pci_config_add_bar(&vp->config, VIRTIO_PCI_BAR_MSIX, VIRTIO_PCI_MSIX_SIZE);
	add_capabilities(vp);
	pci_config_ready(&vp->config);
	virtio_pci_function_reset(vp);
	dev->transport_ops = &transport_ops;
	dev->transport = vp;
}

void virtio_pci_release(struct virtio_pci *vp)
{
	vp->dev->transport_ops = NULL;
	vp->dev->transport = NULL;
	virtio_pci_function_reset(vp);
}

void virtio_pci_function_reset(struct virtio_pci *vp)
{
	/* First, for the device to touch nothing any more */
	reset_device(vp);
	pci_config_reset(&vp->config);
	virtio_pci_irq_reset(vp);
	memset(vp->msix_table, 0, sizeof(vp->msix_table));
	for (unsigned int v = 0; v < virtio_pci_nr_vectors(vp); v++)
		vp->msix_table[v * VIRTIO_PCI_MSIX_ENTRY + PCI_MSIX_ENTRY_VECTOR_CTRL] =
			PCI_MSIX_ENTRY_CTRL_MASKBIT;
	vp->mem_changing = false;
}
