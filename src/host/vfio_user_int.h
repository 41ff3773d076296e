/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the vfio-user server need of each other. */
#ifndef FPR_HOST_VFIO_USER_INT_H
#define FPR_HOST_VFIO_USER_INT_H

#include "vfio_user.h"

/* Beside errnos: the client broke the protocol, the connection ends. */
#define VFIO_USER_FATAL	(-4096)

/* File @i of the message, below &vfio_user.nr_fds; the caller's from now on */
int vfio_user_take_fd(struct vfio_user *vu, unsigned int i);

/**
 * vfio_user_command() - do what the message asks
 * @vu: server, a whole message in it
 * @reply: room for %VFIO_USER_MAX_PAYLOAD bytes of reply
 * @why: set to a sentence if it returns %VFIO_USER_FATAL
 *
 * Return: bytes of the reply, a negative errno to be replied, %VFIO_USER_FATAL.
 */
int vfio_user_command(struct vfio_user *vu, void *reply, const char **why);

/* vfio_user_mem.c: as vfio_user_command() */
int vfio_user_map(struct vfio_user *vu, const char **why);
int vfio_user_unmap(struct vfio_user *vu, void *reply, const char **why);
void vfio_user_unmap_all(struct vfio_user *vu);

/* vfio_user_irq.c: as vfio_user_command() */
int vfio_user_irq_info(struct vfio_user *vu, void *reply, const char **why);
int vfio_user_set_irqs(struct vfio_user *vu, const char **why);
void vfio_user_irq_init(struct vfio_user *vu);
void vfio_user_irq_clear(struct vfio_user *vu);

extern const struct virtio_pci_irq_ops vfio_user_irq_ops;

static inline size_t vfio_user_payload_size(const struct vfio_user *vu)
{
	return vu->header.size - sizeof(vu->header);
}

#endif /* FPR_HOST_VFIO_USER_INT_H */
