/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The server's side of the vfio-user protocol (QEMU's docs/interop/vfio-user.rst):
 * carries a PCI function to a VMM.  One client at a time, on a connected socket
 * that the caller watches: no event loop here, and no policy.
 *
 * DMA addresses are guest physical addresses: without an IOMMU for the guest they
 * are the same, and the device cannot be used with one.
 *
 * A request that cannot be granted is answered with an error.  What no client
 * sends (a length that does not fit, a file too many) ends the connection, with a
 * line in the log.
 */
#ifndef FPR_HOST_VFIO_USER_H
#define FPR_HOST_VFIO_USER_H

#include "vfio_user_proto.h"
#include "virtio_pci.h"

/* Most files that a message brings; QEMU takes no larger number. */
#define VFIO_USER_MAX_FDS	16
/* Most bytes of a region in one message */
#define VFIO_USER_MAX_DATA	4096
/* Most of everything in one message */
#define VFIO_USER_MAX_PAYLOAD	(VFIO_USER_MAX_DATA + 64)

/**
 * struct vfio_user_window - memory that the client has named
 * @address: guest physical address
 * @size: bytes
 * @usable: it is in &vdev.mem; without a file, or read-only, it is not
 */
struct vfio_user_window {
	uint64_t address;
	uint64_t size;
	bool usable;
};

/**
 * struct vfio_user - a server and its client; private
 * @vp: the function
 * @sock: connected socket, -1 without a client
 * @negotiated: the client has sent its version
 * @header: of the message that is arriving
 * @payload: what follows it
 * @have: bytes of both that have arrived
 * @fds: files that came with it; -1 once taken
 * @nr_fds: how many came
 * @reply: what is still to be sent
 * @reply_len: bytes of it
 * @reply_sent: of those, sent already
 * @windows: memory, in no order
 * @nr_windows: how many
 * @intx_fd: tells the client that the line is up; -1 for none
 * @intx_masked: not before it has unmasked it
 * @msix_fds: tell the client of messages; -1 for none
 */
struct vfio_user {
	struct virtio_pci vp;
	int sock;
	bool negotiated;

	struct vfio_user_header header;
	uint8_t payload[VFIO_USER_MAX_PAYLOAD];
	size_t have;
	int fds[VFIO_USER_MAX_FDS];
	unsigned int nr_fds;

	uint8_t reply[sizeof(struct vfio_user_header) + VFIO_USER_MAX_PAYLOAD];
	size_t reply_len;
	size_t reply_sent;

	struct vfio_user_window windows[MEM_MAX_REGIONS];
	unsigned int nr_windows;

	int intx_fd;
	bool intx_masked;
	int msix_fds[VIRTIO_PCI_MAX_VECTORS];
};

/* What vfio_user_process() asks for */
enum vfio_user_next {
	VFIO_USER_WAIT,		/* call again when the socket is readable */
	VFIO_USER_AGAIN,	/* call again soon, whether it is or not */
	VFIO_USER_GONE,		/* the client is: vfio_user_disconnect() */
	VFIO_USER_FAILED,	/* it broke the protocol: likewise */
};

/* A server without a client */
void vfio_user_init(struct vfio_user *vu, struct vdev *dev,
		    const struct pci_ids *ids);

/**
 * vfio_user_connect() - serve a client
 * @vu: server without one
 * @sock: connected socket, made non-blocking; taken over
 *
 * Return: 0 or a negative errno; then the socket is left to the caller.
 */
int vfio_user_connect(struct vfio_user *vu, int sock);

/* Whether the client has spoken the protocol */
static inline bool vfio_user_negotiated(const struct vfio_user *vu)
{
	return vu->negotiated;
}

/* Do what there is to do, but not without end: then others have their turn. */
enum vfio_user_next vfio_user_process(struct vfio_user *vu);

/*
 * Reset the device, forget all memory and files of the client, close the socket.
 * The protocol would have the device keep its state for a client that comes back;
 * the next may be another guest's.
 */
void vfio_user_disconnect(struct vfio_user *vu);

/* Disconnect, and leave the device. */
void vfio_user_release(struct vfio_user *vu);

#endif /* FPR_HOST_VFIO_USER_H */
