// SPDX-License-Identifier: GPL-2.0
/* vhost-user-fpr: one VMM at a time on a socket, and a device for it. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend.h"
#include "log.h"
#include "socket.h"
#include "vhost_user.h"

/**
 * struct program - the program
 * @backend: what is around the protocol
 * @listener: where VMMs come; fd -1 with a socket that is connected already
 * @incoming: watches it while no VMM is there
 * @session: that with the VMM
 * @readable: watches its connection, NULL when there is none
 * @kicks: watch the files of the queues
 * @again: the device has more to do
 * @spoke: the VMM has said something: it was one, and not somebody who tried
 *	whether the socket is in use
 */
static struct program {
	struct backend backend;
	struct listener listener;
	struct loop_event *incoming;
	struct vhost_user session;
	struct loop_event *readable;
	struct loop_event *kicks[VDEV_MAX_QUEUES];
	struct loop_event *again;
	bool spoke;
} program;

static bool listen_again(struct program *p);

static void session_end(struct program *p, bool failed)
{
	struct backend *b = &p->backend;

	loop_remove(p->readable);
	loop_remove(p->again);
	p->readable = NULL;
	p->again = NULL;
	vhost_user_close(&p->session);
	backend_connected(b, false);
	if (p->listener.fd < 0 || (b->options->once && p->spoke))
		backend_stop(b, failed);
	else if (!listen_again(p))
		backend_stop(b, true);
}

static void session_readable(void *ctx, int fd)
{
	struct program *p = ctx;
	int err = vhost_user_readable(&p->session);

	(void)fd;
	if (!err || err != -ECONNRESET)
		p->spoke = true;
	if (err)
		session_end(p, err != -ECONNRESET);
}

/* The queue whose file that is, found by the event's place. */
static void session_kicked(void *ctx, int fd)
{
	struct program *p = ctx;

	for (unsigned int q = 0; q < VDEV_MAX_QUEUES; q++) {
		if (p->kicks[q] && p->session.queues[q].kick == fd) {
			vhost_user_kicked(&p->session, q);
			return;
		}
	}
}

static int watch_kick(void *ctx, unsigned int q, int fd)
{
	struct program *p = ctx;

	p->kicks[q] = loop_watch_fd(p->backend.loop, fd, session_kicked, p);
	return p->kicks[q] ? 0 : -EPERM;
}

static void unwatch_kick(void *ctx, unsigned int q)
{
	struct program *p = ctx;

	loop_remove(p->kicks[q]);
	p->kicks[q] = NULL;
}

static void session_again(void *ctx, int unused)
{
	struct program *p = ctx;

	(void)unused;
	loop_remove(p->again);
	p->again = NULL;
	vhost_user_continue(&p->session);
}

static void call_again(void *ctx)
{
	struct program *p = ctx;

	if (!p->again)
		p->again = loop_once(p->backend.loop, 0, session_again, p);
}

static const struct vhost_user_ops session_ops = {
	.watch = watch_kick,
	.unwatch = unwatch_kick,
	.again = call_again,
};

static bool session_begin(struct program *p, int sock)
{
	p->readable = loop_watch_fd(p->backend.loop, sock, session_readable, p);
	if (!p->readable) {
		log_error("the connection cannot be watched");
		return false;
	}
	p->spoke = false;
	vhost_user_open(&p->session, p->backend.vdev, sock, &session_ops, p);
	backend_connected(&p->backend, true);
	return true;
}

/* One VMM at a time: others wait in the queue of the socket. */
static void incoming(void *ctx, int listener)
{
	struct program *p = ctx;
	int sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (sock < 0)
		return;
	loop_remove(p->incoming);
	p->incoming = NULL;
	if (session_begin(p, sock))
		return;
	close(sock);
	backend_stop(&p->backend, true);
}

static bool listen_again(struct program *p)
{
	p->incoming = loop_watch_fd(p->backend.loop, p->listener.fd, incoming, p);
	if (!p->incoming)
		log_error("the socket cannot be watched");
	return p->incoming;
}

/* A socket that somebody else made: one that is connected, or one that listens. */
static bool use_fd(struct program *p, int fd)
{
	socklen_t len = sizeof(int);
	int type = 0;
	int domain = 0;
	int listens = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) ||
	    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) ||
	    type != SOCK_STREAM || domain != AF_UNIX) {
		log_error("--fd=%d is no UNIX stream socket; open one and pass its number",
			  fd);
		return false;
	}
	if (fcntl(fd, F_SETFL, O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC)) {
		log_error("--fd=%d cannot be used: %s", fd, strerror(errno));
		return false;
	}
	if (!listens)
		return session_begin(p, fd);
	p->listener.fd = fd;
	return listen_again(p);
}

static bool start(struct program *p, const struct options *options, bool balloon)
{
	p->listener.fd = -1;
	if (!backend_open(&p->backend, options, balloon))
		return false;
	if (options->fd >= 0)
		return use_fd(p, options->fd);
	if (!listener_open(&p->listener, options->socket_path, 0)) {
		p->listener.fd = -1;
		return false;
	}
	return listen_again(p);
}

static void end(struct program *p)
{
	loop_remove(p->incoming);
	if (p->readable) {
		loop_remove(p->readable);
		loop_remove(p->again);
		vhost_user_close(&p->session);
	}
	if (p->listener.fd >= 0)
		listener_close(&p->listener);
	backend_close(&p->backend);
}

static const char *set_balloon(void *to, const char *value)
{
	(void)value;
	*(bool *)to = true;
	return NULL;
}

static void print_capabilities(void *to)
{
	(void)to;
	printf("{\n  \"type\": \"balloon\"\n}\n");
}

int main(int argc, char **argv)
{
	static const struct option_row rows[] = {
		{ "balloon", NULL,
		  "serve the stock balloon device's reporting (virtio id 5)\ninstead of the vendor device (virtio id 13)",
		  set_balloon },
		{ NULL }
	};
	bool balloon = false;
	const struct options_program about = {
		.name = "vhost-user-fpr",
		.summary = "Serves a free page reporting device to a VMM over vhost-user.",
		.rows = rows,
		.to = &balloon,
		.print_capabilities = print_capabilities,
	};
	struct options options;
	int status = options_parse(&options, &about, argc, argv);

	if (status >= 0)
		return status;
	log_init(about.name, options.verbose);
	status = start(&program, &options, balloon) ?
		backend_run(&program.backend) : 1;
	end(&program);
	return status;
}
