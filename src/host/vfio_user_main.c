// SPDX-License-Identifier: GPL-2.0
/* vfio-user-fpr: the vendor device as a PCI function for one VMM at a time. */
#include <stddef.h>

#include "backend.h"
#include "log.h"
#include "server.h"
#include "vfio_user.h"

/* Until the client has read what it was sent, or the device has done more */
#define AGAIN_MS	1

/**
 * struct program - the program
 * @backend: what is around the protocol
 * @server: where VMMs come
 * @vu: the function, and the VMM
 * @readable: watches the connection; NULL when there is none, or @again is due
 * @again: there is more to do
 */
static struct program {
	struct backend backend;
	struct server server;
	struct vfio_user vu;
	struct loop_event *readable;
	struct loop_event *again;
} program;

static void drop_client(struct program *p)
{
	loop_remove(p->readable);
	loop_remove(p->again);
	p->readable = NULL;
	p->again = NULL;
	vfio_user_disconnect(&p->vu);
}

static void session_end(struct program *p, bool failed)
{
	/* Not who only tried whether the socket is in use */
	bool spoke = vfio_user_negotiated(&p->vu);

	drop_client(p);
	backend_connected(&p->backend, false);
	if ((p->backend.options->once && spoke) || !server_next(&p->server))
		backend_stop(&p->backend, failed);
}

static void process(struct program *p);

static void session_readable(void *ctx, int fd)
{
	(void)fd;
	process(ctx);
}

static void process_again(void *ctx, int unused)
{
	struct program *p = ctx;

	(void)unused;
	loop_remove(p->again);
	p->again = NULL;
	p->readable = loop_watch_fd(p->backend.loop, p->vu.sock, session_readable, p);
	if (p->readable) {
		process(p);
		return;
	}
	log_error("the connection cannot be watched");
	session_end(p, true);
}

/*
 * Not watched meanwhile: a client that has sent more than it reads would wake us
 * without end.
 */
static void call_again(struct program *p)
{
	if (p->again)
		return;
	p->again = loop_once(p->backend.loop, AGAIN_MS, process_again, p);
	if (!p->again)
		return;
	loop_remove(p->readable);
	p->readable = NULL;
}

static void process(struct program *p)
{
	switch (vfio_user_process(&p->vu)) {
	case VFIO_USER_WAIT:
		break;
	case VFIO_USER_AGAIN:
		call_again(p);
		break;
	case VFIO_USER_GONE:
		session_end(p, false);
		break;
	case VFIO_USER_FAILED:
		session_end(p, true);
		break;
	}
}

static bool session_begin(void *ctx, int sock)
{
	struct program *p = ctx;

	p->readable = loop_watch_fd(p->backend.loop, sock, session_readable, p);
	if (!p->readable || vfio_user_connect(&p->vu, sock)) {
		log_error("the connection cannot be watched");
		loop_remove(p->readable);
		p->readable = NULL;
		return false;
	}
	backend_connected(&p->backend, true);
	return true;
}

static void stop(void *ctx)
{
	struct program *p = ctx;

	backend_stop(&p->backend, true);
}

static bool start(struct program *p, const struct options *options,
		  const struct pci_ids *ids)
{
	p->vu.sock = -1;
	if (!backend_open(&p->backend, options, false))
		return false;
	vfio_user_init(&p->vu, p->backend.vdev, ids);
	log_info("PCI function ids=%04x:%04x:%04x:%04x virtio_id=%u", ids->vendor,
		 ids->device, ids->sub_vendor, ids->sub_device,
		 pci_ids_virtio_id(ids));
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
	drop_client(p);
	if (p->server.loop)
		server_close(&p->server);
	backend_close(&p->backend);
}

static const char *set_pci_id(void *to, const char *value)
{
	return pci_ids_parse(value, to);
}

int main(int argc, char **argv)
{
	static const struct option_row rows[] = {
		{ "pci-id", "V:D[:SV:SD]",
		  "vendor, device, subsystem vendor and device id, four\nhexadecimal digits each (1af4:104d)",
		  set_pci_id },
		{ NULL }
	};
	struct pci_ids ids = { 0x1af4, 0x104d, 0x1af4, 0x104d };
	const struct options_program about = {
		.name = "vfio-user-fpr",
		.summary = "Serves a free page reporting device to a VMM over vfio-user.",
		.rows = rows,
		.to = &ids,
	};
	struct options options;
	int status = options_parse(&options, &about, argc, argv);

	if (status >= 0)
		return status;
	log_init(about.name, options.verbose);
	status = start(&program, &options, &ids) ?
		backend_run(&program.backend) : 1;
	end(&program);
	return status;
}
