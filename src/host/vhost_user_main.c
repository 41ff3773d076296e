// SPDX-License-Identifier: GPL-2.0
/* vhost-user-fpr: one VMM at a time on a socket, and a device for it. */
#include <errno.h>
#include <stdio.h>

#include "backend.h"
#include "log.h"
#include "server.h"
#include "vhost_user.h"

/**
 * struct program - the program
 * @backend: what is around the protocol
 * @server: where VMMs come
 * @session: that with the VMM
 * @readable: watches its connection, NULL when there is none
 * @kicks: watch the files of the queues
 * @again: the device has more to do
 * @spoke: the VMM has said something: it was one, and not somebody who tried
 *	whether the socket is in use
 */
static struct program {
	struct backend backend;
	struct server server;
	struct vhost_user session;
	struct loop_event *readable;
	struct loop_event *kicks[VDEV_MAX_QUEUES];
	struct loop_event *again;
	bool spoke;
} program;

static void drop_vmm(struct program *p)
{
	loop_remove(p->readable);
	loop_remove(p->again);
	p->readable = NULL;
	p->again = NULL;
	vhost_user_close(&p->session);
}

static void session_end(struct program *p, bool failed)
{
	drop_vmm(p);
	backend_connected(&p->backend, false);
	if ((p->backend.options->once && p->spoke) || !server_next(&p->server))
		backend_stop(&p->backend, failed);
}

static void session_readable(void *ctx, int fd)
{
	struct program *p = ctx;
	int err = vhost_user_readable(&p->session);

	(void)fd;
	if (err != -ECONNRESET)
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

static bool session_begin(void *ctx, int sock)
{
	struct program *p = ctx;

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

static void stop(void *ctx)
{
	struct program *p = ctx;

	backend_stop(&p->backend, true);
}

static bool start(struct program *p, const struct options *options, bool balloon)
{
	if (!backend_open(&p->backend, options, balloon))
		return false;
	p->server = (struct server) {
		.loop = p->backend.loop,
		.begin = session_begin,
		.stop = stop,
		.ctx = p,
	};
	return server_open(&p->server, options);
}

static void end(struct program *p)
{
	if (p->readable)
		drop_vmm(p);
	if (p->server.loop)
		server_close(&p->server);
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
