// SPDX-License-Identifier: GPL-2.0
/*
 * The vfio-user server with the PCI function and the vendor device behind it: any
 * bytes and files on its socket.
 *
 * Input: pieces of a flag byte, a length of two bytes, and bytes that are
 *	flag & 3	sent with no file, memory, an eventfd, or both
 *	flag & 4	sent as they are; else as a command with a header that fits,
 *			of which they are the number and the payload
 *	flag & 8	not sent, but written to the memory; where, say two more bytes
 *	flag & 16	sent after the server has done what there was
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../src/host/device.h"
#include "../../src/host/log.h"
#include "../../src/host/vfio_user.h"

#define RAM	0x100000

static struct device device;
static struct vfio_user vu;
static int ram, event, client;

/* In place of log.c, which would write a line for each bad input */
void log_line(enum log_level level, const char *format, ...)
{
	char text[512];
	va_list args;

	(void)level;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
}

static void send_bytes(const void *data, size_t len, unsigned int files)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[2], nr = 0;

	if (files & 1)
		fds[nr++] = ram;
	if (files & 2)
		fds[nr++] = event;
	if (nr) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(nr * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(nr * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, nr * sizeof(int));
	}
	if (len)
		sendmsg(client, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void send_command(const uint8_t *data, size_t len, unsigned int files)
{
	static struct {
		struct vfio_user_header header;
		uint8_t payload[65536];
	} message;

	if (!len)
		return;
	message.header = (struct vfio_user_header) {
		.command = data[0],
		.size = sizeof(message.header) + len - 1,
	};
	memcpy(message.payload, data + 1, len - 1);
	send_bytes(&message, message.header.size, files);
}

static void piece(unsigned int flags, const uint8_t *data, size_t len)
{
	uint64_t at;

	if (flags & 8) {
		at = len >= 2 ? 16 * le_get(data, 2) : RAM;
		if (at < RAM && pwrite(ram, data + 2, len - 2, at) < 0)
			abort();
	} else if (flags & 4) {
		send_bytes(data, len, flags & 3);
	} else {
		send_command(data, len, flags & 3);
	}
}

/* Return: whether the client is still there. */
static bool serve(void)
{
	static uint8_t replies[65536];

	for (int i = 0; i < 64; i++) {
		enum vfio_user_next next = vfio_user_process(&vu);

		if (recv(client, replies, sizeof(replies), MSG_DONTWAIT) < 0 &&
		    errno != EAGAIN && errno != ECONNRESET)
			abort();
		if (next == VFIO_USER_WAIT)
			break;
		if (next != VFIO_USER_AGAIN)
			return false;
	}
	return true;
}

static void start(void)
{
	static const struct pci_ids ids = { 0x1234, 0x104d, 0x1234, 0x104d };
	static bool started;

	if (started)
		return;
	started = true;
	event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	device_init(&device);
	vfio_user_init(&vu, &device.vdev, &ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int pair[2], before, after;
	bool alive = true;

	start();
	before = dup(0);
	close(before);
	ram = memfd_create("ram", MFD_CLOEXEC);
	if (ram < 0 || ftruncate(ram, RAM) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) ||
	    vfio_user_connect(&vu, pair[0]))
		abort();
	client = pair[1];
	while (alive && size >= 3) {
		unsigned int flags = data[0];
		size_t len = le_get(data + 1, 2);

		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		piece(flags, data, len);
		data += len;
		size -= len;
		if (flags & 16)
			alive = serve();
	}
	if (alive)
		alive = serve();
	close(client);
	while (alive)
		alive = vfio_user_process(&vu) < VFIO_USER_GONE;
	vfio_user_disconnect(&vu);
	close(ram);
	after = dup(0);
	close(after);
	/* No memory, no file and no running queue is left over. */
	if (device.vdev.mem.nr || before != after || vu.vp.status)
		abort();
	return 0;
}
