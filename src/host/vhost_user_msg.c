// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vhost_user_msg.h"

/* Where CMSG_SPACE() rounds up, the kernel may deliver one file more. */
union fd_room {
	struct cmsghdr align;
	/* cppcheck-suppress unusedStructMember */
	char room[CMSG_SPACE(VHOST_USER_MAX_FDS * sizeof(int))];
};

/* Take over the files that came along; false if there are too many. */
static bool take_fds(struct vhost_user_msg *msg, struct msghdr *mh)
{
	bool fit = !(mh->msg_flags & MSG_CTRUNC);

	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		size_t nr = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < nr; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (msg->nr_fds < VHOST_USER_MAX_FDS) {
				msg->fds[msg->nr_fds++] = fd;
			} else {
				close(fd);
				fit = false;
			}
		}
	}
	return fit;
}

/* What can be said against a header before its payload is read. */
static const char *header_fault(const struct vhost_user_header *header)
{
	if ((header->flags & VHOST_USER_VERSION_MASK) != VHOST_USER_VERSION)
		return "version is not 1";
	if (header->flags & VHOST_USER_REPLY)
		return "a reply to nothing";
	if (header->size > sizeof(union vhost_user_payload))
		return "longer than any known message";
	return NULL;
}

/* One recvmsg() of up to @len bytes, files included. */
static ssize_t receive_some(struct vhost_user_msg *msg, int sock, void *to,
			    size_t len, const char **why)
{
	union fd_room room;
	struct iovec iov = { .iov_base = to, .iov_len = len };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &room, .msg_controllen = sizeof(room),
	};
	ssize_t got;

	do {
		got = recvmsg(sock, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? -EAGAIN : -errno;
	if (!take_fds(msg, &mh)) {
		*why = "more than 8 files, or than this program may have open";
		return -EPROTO;
	}
	return got ? got : -ECONNRESET;
}

int vhost_user_msg_receive(struct vhost_user_msg *msg, int sock,
			   const char **why)
{
	const size_t header = sizeof(msg->header);

	for (;;) {
		void *to = (uint8_t *)&msg->header + msg->have;
		size_t whole = header;
		ssize_t got;

		if (msg->have >= header) {
			*why = header_fault(&msg->header);
			if (*why)
				return -EPROTO;
			whole += msg->header.size;
			to = (uint8_t *)&msg->payload + (msg->have - header);
		}
		if (msg->have >= header && msg->have == whole)
			return 1;
		got = receive_some(msg, sock, to, whole - msg->have, why);
		if (got == -EAGAIN)
			return 0;
		if (got < 0)
			return (int)got;
		msg->have += (size_t)got;
	}
}

void vhost_user_msg_clear(struct vhost_user_msg *msg)
{
	for (unsigned int i = 0; i < msg->nr_fds; i++)
		if (msg->fds[i] >= 0)
			close(msg->fds[i]);
	memset(msg, 0, sizeof(*msg));
}

int vhost_user_msg_take_fd(struct vhost_user_msg *msg)
{
	int fd;

	if (msg->nr_fds != 1)
		return -1;
	fd = msg->fds[0];
	msg->fds[0] = -1;
	return fd;
}

int vhost_user_send(int sock, uint32_t request, uint32_t flags,
		    const void *payload, uint32_t size)
{
	struct vhost_user_header header = { request, flags, size };
	struct iovec iov[2] = {
		{ .iov_base = &header, .iov_len = sizeof(header) },
		{ .iov_base = (void *)payload, .iov_len = size },
	};
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = size ? 2 : 1 };
	ssize_t sent;

	do {
		sent = sendmsg(sock, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	return (size_t)sent == sizeof(header) + size ? 0 : -EAGAIN;
}
