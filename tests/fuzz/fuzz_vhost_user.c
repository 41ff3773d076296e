// SPDX-License-Identifier: GPL-2.0
/*
 * The vhost-user session with a real device behind it: any messages with any files,
 * kicks, and any contents of guest memory.
 *
 * Input: a byte of flags, see enum; then steps, each a byte that says what, and its
 * arguments.  What the input has no bytes for is zeros.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/host/balloon.h"
#include "../../src/host/device.h"
#include "../../src/host/log.h"
#include "../../src/host/vhost_user.h"

#define RAM	0x40000
#define UVA	0x7f0000000000
#define STEPS	64

enum {
	START_BALLOON = 1,	/* the stock device */
	START_READY = 2,	/* a session that runs already */
	START_NO_STATUS = 4,	/* ... without the status */
	START_TABLE = 8,	/* ... with all memory in one message */
};

static struct device device;
static struct balloon balloon;
static struct vhost_user vu;
static int ram, event, socks[2], other[2], vmm;
static uint8_t *guest;
static bool watched[VDEV_MAX_QUEUES];
static bool again;

struct input {
	const uint8_t *data;
	size_t len;
};

/* In place of log.c: a line for each bad message would be all there is to see. */
void log_line(enum log_level level, const char *format, ...)
{
	va_list args;
	char text[512];

	(void)level;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
}

static size_t take(struct input *in, void *to, size_t len)
{
	size_t got = len < in->len ? len : in->len;

	memset(to, 0, len);
	memcpy(to, in->data, got);
	in->data += got;
	in->len -= got;
	return got;
}

static unsigned int take_byte(struct input *in)
{
	uint8_t byte;

	take(in, &byte, 1);
	return byte;
}

static int watch(void *ctx, unsigned int q, int fd)
{
	struct stat st;

	(void)ctx;
	/* As epoll does. */
	if (fstat(fd, &st) || S_ISREG(st.st_mode) || watched[q])
		return -1;
	watched[q] = true;
	return 0;
}

static void unwatch(void *ctx, unsigned int q)
{
	(void)ctx;
	if (!watched[q])
		abort();
	watched[q] = false;
}

static void call_again(void *ctx)
{
	(void)ctx;
	again = true;
}

static const struct vhost_user_ops ops = { watch, unwatch, call_again };

/* @files: up to three, four bits each; 0 is the end */
static void send_bytes(const void *data, size_t len, unsigned int files)
{
	const int all[8] = { -1, ram, event, other[0], ram, socks[1], event, ram };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(9 * sizeof(int))];
	} control;
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[9], nr = 0;

	for (; files & 7 && nr < 9; files >>= 3)
		fds[nr++] = all[files & 7];
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
		sendmsg(vmm, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void send_message(uint32_t request, const void *payload, uint32_t size,
			 uint32_t flags, unsigned int files)
{
	struct {
		struct vhost_user_header header;
		uint8_t payload[512];
	} message = { .header = { request, VHOST_USER_VERSION | flags, size } };

	memcpy(message.payload, payload, size < 512 ? size : 512);
	send_bytes(&message, sizeof(message.header) + (size < 512 ? size : 512), files);
}

static void send_memory(bool at_once)
{
	struct vhost_user_mem_table table = { .nr = 2, .regions = {
		{ 0, RAM / 2, UVA, 0 },
		{ 1ULL << 32, RAM / 2, UVA + RAM / 2, RAM / 2 },
	} };
	struct vhost_user_mem_reg reg = { 0 };

	if (at_once) {
		send_message(VHOST_USER_SET_MEM_TABLE, &table, 8 + 2 * 32, 0, 011);
		return;
	}
	for (int i = 0; i < 2; i++) {
		reg.region = table.regions[i];
		send_message(VHOST_USER_ADD_MEM_REG, &reg, sizeof(reg), 0, 1);
	}
}

static void send_start(unsigned int how)
{
	uint64_t protocol = 0x1a229;
	uint64_t features = vu.dev->ops->features(vu.dev) | 1 << 30;
	uint64_t status = 15;

	if (how & START_NO_STATUS)
		protocol &= ~(1ULL << VHOST_USER_PROTOCOL_F_STATUS);
	send_message(VHOST_USER_SET_PROTOCOL_FEATURES, &protocol, 8, 0, 0);
	send_message(VHOST_USER_SET_BACKEND_REQ_FD, "", 0, 0, 3);
	send_message(VHOST_USER_SET_FEATURES, &features, 8, 0, 0);
	send_memory(how & START_TABLE);
	for (uint32_t q = 0; q < vu.dev->ops->nr_queues; q++) {
		struct vhost_user_vring_state size = { q, 16 };
		struct vhost_user_vring_addr addr = {
			q, 0, UVA + q * 0x1000, UVA + q * 0x1000 + 0x400,
			UVA + q * 0x1000 + 0x200, 0
		};
		uint64_t index = q;

		send_message(VHOST_USER_SET_VRING_NUM, &size, 8, 0, 0);
		send_message(VHOST_USER_SET_VRING_ADDR, &addr, 40, 0, 0);
		send_message(VHOST_USER_SET_VRING_CALL, &index, 8, 0, 2);
		send_message(VHOST_USER_SET_VRING_KICK, &index, 8, 0, 2);
		size.num = 1;
		send_message(VHOST_USER_SET_VRING_ENABLE, &size, 8, 0, 0);
	}
	if (!(how & START_NO_STATUS))
		send_message(VHOST_USER_SET_STATUS, &status, 8, 0, 0);
}

static void step_message(struct input *in, unsigned int what)
{
	uint8_t payload[512];
	unsigned int request = take_byte(in);
	unsigned int files = take_byte(in) | (what & 0x80 ? take_byte(in) << 8 : 0);
	uint32_t size = take_byte(in);

	/* The lengths that are right, or nearly */
	if (size < 8) {
		static const uint32_t usual[8] = { 0, 8, 40, 72, 12, 20, 268, 264 };

		size = usual[size];
	}
	take(in, payload, size);
	send_message(request, payload, size, what & 0x40 ? VHOST_USER_NEED_REPLY : 0,
		     files);
}

static void step_write(struct input *in)
{
	unsigned int at = take_byte(in) << 6 | (take_byte(in) & 0x3f);
	unsigned int len = take_byte(in);

	if (guest && at + len <= RAM)
		take(in, guest + at, len);
}

/* A driver's part: an available entry of queue q, of the head that it says */
static void step_available(struct input *in)
{
	unsigned int q = take_byte(in) & 3;
	uint8_t *avail = guest + (size_t)q * 0x1000 + 0x200;
	uint16_t idx, head = (uint16_t)(take_byte(in) & 15);

	memcpy(&idx, avail + 2, 2);
	memcpy(avail + 4 + 2 * (idx % 16), &head, 2);
	idx++;
	memcpy(avail + 2, &idx, 2);
}

static void step_descriptor(struct input *in)
{
	unsigned int where = take_byte(in);
	struct {
		uint64_t addr;
		uint32_t len;
		uint16_t flags;
		uint16_t next;
	} desc = { 0 };

	desc.addr = (uint64_t)take_byte(in) << 8 | (uint64_t)(where & 0x80) << 25;
	desc.len = take_byte(in) << (where >> 4 & 3) * 4;
	desc.flags = (uint16_t)(take_byte(in) & 7);
	desc.next = (uint16_t)(take_byte(in) & 15);
	memcpy(guest + (take_byte(in) & 3) * 0x1000 + (where & 15) * 16, &desc, 16);
}

/* True while the session is to go on */
static bool step(struct input *in)
{
	const uint64_t one = 1;
	unsigned int what = take_byte(in);
	unsigned int q = what >> 4;
	uint8_t raw[256];

	switch (what & 7) {
	case 0:
	case 1:
		step_message(in, what);
		break;
	case 2:
		step_write(in);
		break;
	case 3:
		step_available(in);
		break;
	case 4:
		step_descriptor(in);
		break;
	case 5:
		if (write(event, &one, sizeof(one)) < 0)
			return false;
		if (q < VDEV_MAX_QUEUES && watched[q])
			vhost_user_kicked(&vu, q);
		break;
	case 6:
		if (vu.dev == &device.vdev) {
			uint32_t number;

			device_set_pressure(&device, q & 3);
			device_request(&device, take_byte(in), &number);
		}
		again = false;
		vhost_user_continue(&vu);
		break;
	default:
		send_bytes(raw, take(in, raw, what >> 3), 0);
	}
	return !vhost_user_readable(&vu);
}

static void set_up_once(void)
{
	ram = memfd_create("ram", MFD_CLOEXEC);
	if (ram < 0 || ftruncate(ram, RAM))
		abort();
	guest = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_SHARED, ram, 0);
	if (guest == MAP_FAILED)
		abort();
	/* What they may hand over on an error goes nowhere. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, other))
		abort();
}

/* The lowest number that is free: higher afterwards if a file was leaked. */
static int lowest_fd(void)
{
	int fd = dup(ram);

	close(fd);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct vdev *dev = &device.vdev;
	unsigned int how;
	int lowest;

	if (!guest)
		set_up_once();
	memset(guest, 0, 0x8000);
	lowest = lowest_fd();
	event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (event < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, socks))
		abort();
	vmm = socks[1];
	how = take_byte(&in);
	device_init(&device);
	balloon_init(&balloon);
	if (how & START_BALLOON)
		dev = &balloon.vdev;
	again = false;
	vhost_user_open(&vu, dev, socks[0], &ops, NULL);
	if (how & START_READY) {
		send_start(how);
		/* So many messages are more than one turn. */
		for (int i = 0; i < 4; i++)
			if (vhost_user_readable(&vu))
				abort();
		if (!vu.queues[0].running)
			abort();
	}
	for (int i = 0; i < STEPS && in.len && step(&in); i++)
		;
	vhost_user_close(&vu);
	close(vmm);
	close(event);
	if (dev->mem.nr || dev->transport_ops)
		abort();
	for (unsigned int q = 0; q < VDEV_MAX_QUEUES; q++)
		if (watched[q])
			abort();
	if (lowest_fd() != lowest)
		abort();
	return 0;
}
