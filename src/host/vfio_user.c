// SPDX-License-Identifier: GPL-2.0
/* The connection: messages off the socket, and replies onto it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "vfio_user_int.h"

/* Most messages before others have their turn */
#define BUDGET	64

static void forget_message(struct vfio_user *vu)
{
	for (unsigned int i = 0; i < vu->nr_fds; i++)
		if (vu->fds[i] >= 0)
			close(vu->fds[i]);
	vu->nr_fds = 0;
	vu->have = 0;
}

int vfio_user_take_fd(struct vfio_user *vu, unsigned int i)
{
	int fd = vu->fds[i];

	vu->fds[i] = -1;
	return fd;
}

static enum vfio_user_next fatal(const char *why)
{
	log_warn("the client broke the protocol, connection closed why=\"%s\"", why);
	return VFIO_USER_FAILED;
}

/* Files are installed before anything can be said against them: keep or close. */
static bool take_fds(struct vfio_user *vu, struct msghdr *msg)
{
	bool fit = !(msg->msg_flags & MSG_CTRUNC);

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t nr;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		nr = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < nr; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (vu->nr_fds < VFIO_USER_MAX_FDS) {
				vu->fds[vu->nr_fds++] = fd;
			} else {
				close(fd);
				fit = false;
			}
		}
	}
	return fit;
}

/* One read: up to @len bytes.  Return: bytes, 0 at the end, or a negative errno */
static ssize_t receive(struct vfio_user *vu, void *to, size_t len)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(VFIO_USER_MAX_FDS * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = to, .iov_len = len };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control),
	};
	ssize_t got;

	do {
		got = recvmsg(vu->sock, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	if (!take_fds(vu, &msg))
		return -EPROTO;
	return got;
}

/* Where the next byte goes, and how many may follow it; 0 if it is all there. */
static size_t missing(struct vfio_user *vu, void **to)
{
	const size_t head = sizeof(vu->header);

	if (vu->have < head) {
		*to = (uint8_t *)&vu->header + vu->have;
		return head - vu->have;
	}
	*to = &vu->payload[vu->have - head];
	return vu->header.size - vu->have;
}

static bool bad_size(const struct vfio_user *vu)
{
	return vu->have >= sizeof(vu->header) &&
	       (vu->header.size < sizeof(vu->header) ||
		vfio_user_payload_size(vu) > sizeof(vu->payload));
}

/* Reads no further than to the end of the message: what follows has its own files. */
static enum vfio_user_next receive_message(struct vfio_user *vu, bool *whole)
{
	void *to;
	size_t len;

	*whole = false;
	while ((len = missing(vu, &to))) {
		ssize_t got = receive(vu, to, len);

		if (got == -EAGAIN)
			return VFIO_USER_WAIT;
		if (got == -EPROTO)
			return fatal("a message brings more files than are allowed or possible");
		if (got < 0)
			log_warn("cannot read from the client error=\"%s\"",
				 strerror(-got));
		else if (got == 0 && vu->have)
			log_warn("the client hung up in the middle of a message");
		if (got <= 0)
			return got || vu->have ? VFIO_USER_FAILED : VFIO_USER_GONE;
		vu->have += got;
		if (bad_size(vu))
			return fatal("the size of a message is out of range");
	}
	*whole = true;
	return VFIO_USER_WAIT;
}

/* Return: whether all was sent; an error becomes apparent at the next read. */
static bool send_reply(struct vfio_user *vu)
{
	while (vu->reply_sent < vu->reply_len) {
		ssize_t sent = send(vu->sock, vu->reply + vu->reply_sent,
				    vu->reply_len - vu->reply_sent,
				    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN)
			return false;
		if (sent < 0)
			break;
		vu->reply_sent += sent;
	}
	vu->reply_len = 0;
	vu->reply_sent = 0;
	return true;
}

static void reply(struct vfio_user *vu, int result)
{
	struct vfio_user_header header = vu->header;

	if (header.flags & VFIO_USER_NO_REPLY)
		return;
	header.flags = VFIO_USER_TYPE_REPLY;
	header.size = sizeof(header);
	header.error = 0;
	if (result < 0) {
		header.flags |= VFIO_USER_ERROR;
		header.error = -result;
	} else {
		header.size += result;
	}
	memcpy(vu->reply, &header, sizeof(header));
	vu->reply_len = header.size;
	send_reply(vu);
}

static enum vfio_user_next serve(struct vfio_user *vu)
{
	const char *why = "";
	int result;

	if ((vu->header.flags & VFIO_USER_TYPE_MASK) != VFIO_USER_TYPE_COMMAND)
		return fatal("a reply without a request");
	if (!vu->negotiated && vu->header.command != VFIO_USER_VERSION)
		return fatal("the first message is not the version");
	result = vfio_user_command(vu, vu->reply + sizeof(vu->header), &why);
	if (result == VFIO_USER_FATAL)
		return fatal(why);
	reply(vu, result);
	forget_message(vu);
	return VFIO_USER_WAIT;
}

enum vfio_user_next vfio_user_process(struct vfio_user *vu)
{
	for (int i = 0; i < BUDGET; i++) {
		enum vfio_user_next next;
		bool whole;

		/* Who does not read gets nothing done. */
		if (!send_reply(vu))
			return VFIO_USER_AGAIN;
		next = receive_message(vu, &whole);
		if (next == VFIO_USER_WAIT && !whole)
			break;
		if (next == VFIO_USER_WAIT)
			next = serve(vu);
		if (next != VFIO_USER_WAIT)
			return next;
	}
	return virtio_pci_work(&vu->vp) || vu->reply_len ? VFIO_USER_AGAIN :
							   VFIO_USER_WAIT;
}

void vfio_user_init(struct vfio_user *vu, struct vdev *dev,
		    const struct pci_ids *ids)
{
	memset(vu, 0, sizeof(*vu));
	vu->sock = -1;
	vfio_user_irq_init(vu);
	virtio_pci_init(&vu->vp, dev, ids, &vfio_user_irq_ops, vu);
}

int vfio_user_connect(struct vfio_user *vu, int sock)
{
	int flags = fcntl(sock, F_GETFL);

	if (flags < 0 || fcntl(sock, F_SETFL, flags | O_NONBLOCK))
		return -errno;
	vu->sock = sock;
	vu->negotiated = false;
	return 0;
}

void vfio_user_disconnect(struct vfio_user *vu)
{
	if (vu->sock < 0)
		return;
	virtio_pci_function_reset(&vu->vp);
	vfio_user_unmap_all(vu);
	vfio_user_irq_clear(vu);
	forget_message(vu);
	vu->reply_len = 0;
	vu->reply_sent = 0;
	close(vu->sock);
	vu->sock = -1;
}

void vfio_user_release(struct vfio_user *vu)
{
	vfio_user_disconnect(vu);
	virtio_pci_release(&vu->vp);
}
