// SPDX-License-Identifier: GPL-2.0
/* Interrupts: eventfds of the client, and when they are signalled. */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "vfio_user_int.h"

#define DATA_MASK	(VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_DATA_BOOL | \
			 VFIO_IRQ_SET_DATA_EVENTFD)
#define ACTION_MASK	(VFIO_IRQ_SET_ACTION_MASK | VFIO_IRQ_SET_ACTION_UNMASK | \
			 VFIO_IRQ_SET_ACTION_TRIGGER)

static void signal_fd(int fd)
{
	uint64_t one = 1;

	/* It does not block; full, it has been signalled already. */
	if (fd >= 0 && write(fd, &one, sizeof(one)) != sizeof(one) && errno != EAGAIN)
		log_warn("an interrupt of the client's cannot be signalled errno=%d",
			 errno);
}

static void irq_msix(void *irq, unsigned int vector)
{
	const struct vfio_user *vu = irq;

	signal_fd(vu->msix_fds[vector]);
}

/*
 * The client hears of a level only once: it masks itself, until the client has
 * unmasked it, which it does when the guest has read or written the device.
 */
static void irq_intx(void *irq, bool asserted)
{
	struct vfio_user *vu = irq;

	if (!asserted || vu->intx_masked || vu->intx_fd < 0)
		return;
	vu->intx_masked = true;
	signal_fd(vu->intx_fd);
}

const struct virtio_pci_irq_ops vfio_user_irq_ops = {
	.msix = irq_msix,
	.intx = irq_intx,
};

void vfio_user_irq_init(struct vfio_user *vu)
{
	vu->intx_fd = -1;
	vu->intx_masked = false;
	for (unsigned int v = 0; v < VIRTIO_PCI_MAX_VECTORS; v++)
		vu->msix_fds[v] = -1;
}

static void set_fd(int *place, int fd)
{
	if (*place >= 0)
		close(*place);
	*place = fd;
}

void vfio_user_irq_clear(struct vfio_user *vu)
{
	set_fd(&vu->intx_fd, -1);
	vu->intx_masked = false;
	for (unsigned int v = 0; v < VIRTIO_PCI_MAX_VECTORS; v++) {
		set_fd(&vu->msix_fds[v], -1);
		virtio_pci_mask(&vu->vp, v, false);
	}
}

static unsigned int irq_count(const struct vfio_user *vu, uint32_t index)
{
	if (index == VFIO_PCI_INTX_IRQ_INDEX)
		return 1;
	if (index == VFIO_PCI_MSIX_IRQ_INDEX)
		return virtio_pci_nr_vectors(&vu->vp);
	return 0;
}

int vfio_user_irq_info(struct vfio_user *vu, void *reply, const char **why)
{
	struct vfio_irq_info info;

	if (vfio_user_payload_size(vu) < sizeof(info) || vu->nr_fds) {
		*why = "a GET_IRQ_INFO of a wrong size, or with a file";
		return VFIO_USER_FATAL;
	}
	memcpy(&info, vu->payload, sizeof(info));
	if (info.argsz < sizeof(info) || info.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	info.argsz = sizeof(info);
	info.count = irq_count(vu, info.index);
	info.flags = info.count ? VFIO_IRQ_INFO_EVENTFD : 0;
	if (info.index == VFIO_PCI_INTX_IRQ_INDEX)
		info.flags |= VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
	memcpy(reply, &info, sizeof(info));
	return sizeof(info);
}

static void set_masked(struct vfio_user *vu, uint32_t index, unsigned int v,
		       bool masked)
{
	if (index == VFIO_PCI_MSIX_IRQ_INDEX) {
		virtio_pci_mask(&vu->vp, v, masked);
		return;
	}
	vu->intx_masked = masked;
	irq_intx(vu, vu->vp.intx);
}

/*
 * What is not a file of the system's own making (eventfd) could be a disk that
 * makes us wait.
 */
static bool is_eventfd(int fd)
{
	struct stat st;
	int flags;

	if (fstat(fd, &st) || st.st_mode & S_IFMT)
		return false;
	flags = fcntl(fd, F_GETFL);
	return flags >= 0 && !fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* No files: takes back those that there are. */
static int set_eventfds(struct vfio_user *vu, const struct vfio_irq_set *set)
{
	for (unsigned int i = 0; i < vu->nr_fds; i++)
		if (!is_eventfd(vu->fds[i]))
			return -EINVAL;
	for (uint32_t i = 0; i < set->count; i++) {
		int fd = vu->nr_fds ? vfio_user_take_fd(vu, i) : -1;

		if (set->index == VFIO_PCI_MSIX_IRQ_INDEX) {
			set_fd(&vu->msix_fds[set->start + i], fd);
			continue;
		}
		set_fd(&vu->intx_fd, fd);
		vu->intx_masked = false;
		irq_intx(vu, vu->vp.intx);
	}
	return 0;
}

static void act(struct vfio_user *vu, uint32_t index, uint32_t action,
		unsigned int v)
{
	if (action != VFIO_IRQ_SET_ACTION_TRIGGER)
		set_masked(vu, index, v, action == VFIO_IRQ_SET_ACTION_MASK);
	else if (index == VFIO_PCI_MSIX_IRQ_INDEX)
		signal_fd(vu->msix_fds[v]);
	else
		signal_fd(vu->intx_fd);
}

static void disable(struct vfio_user *vu, uint32_t index)
{
	if (index == VFIO_PCI_MSIX_IRQ_INDEX) {
		for (unsigned int v = 0; v < VIRTIO_PCI_MAX_VECTORS; v++) {
			set_fd(&vu->msix_fds[v], -1);
			virtio_pci_mask(&vu->vp, v, false);
		}
		return;
	}
	set_fd(&vu->intx_fd, -1);
	vu->intx_masked = false;
}

static bool one_bit(uint32_t bits)
{
	return bits && !(bits & (bits - 1));
}

int vfio_user_set_irqs(struct vfio_user *vu, const char **why)
{
	size_t size = vfio_user_payload_size(vu), head = sizeof(struct vfio_irq_set);
	struct vfio_irq_set set;
	uint32_t data, action;
	unsigned int nr;

	if (size < head) {
		*why = "a SET_IRQS of a wrong size";
		return VFIO_USER_FATAL;
	}
	memcpy(&set, vu->payload, head);
	data = set.flags & DATA_MASK;
	action = set.flags & ACTION_MASK;
	nr = irq_count(vu, set.index);
	if (set.argsz < head || set.flags & ~(DATA_MASK | ACTION_MASK) ||
	    !one_bit(data) || !one_bit(action) || !nr ||
	    set.start > nr || set.count > nr - set.start)
		return -EINVAL;
	if (vu->nr_fds && (data != VFIO_IRQ_SET_DATA_EVENTFD ||
			   vu->nr_fds != set.count)) {
		*why = "a SET_IRQS with another number of files than interrupts";
		return VFIO_USER_FATAL;
	}
	if (data == VFIO_IRQ_SET_DATA_BOOL && size - head < set.count) {
		*why = "a SET_IRQS with fewer values than interrupts";
		return VFIO_USER_FATAL;
	}
	if (data == VFIO_IRQ_SET_DATA_EVENTFD) {
		/* An eventfd that unmasks: the client does that itself. */
		if (action != VFIO_IRQ_SET_ACTION_TRIGGER)
			return -EOPNOTSUPP;
		return set_eventfds(vu, &set);
	}
	if (!set.count) {
		if (data != VFIO_IRQ_SET_DATA_NONE || set.start ||
		    action != VFIO_IRQ_SET_ACTION_TRIGGER)
			return -EINVAL;
		disable(vu, set.index);
		return 0;
	}
	for (uint32_t i = 0; i < set.count; i++)
		if (data == VFIO_IRQ_SET_DATA_NONE || vu->payload[head + i])
			act(vu, set.index, action, set.start + i);
	return 0;
}
