// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "server.h"

/* Others wait in the queue of the socket. */
static void incoming(void *ctx, int fd)
{
	struct server *s = ctx;
	int sock = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (sock < 0)
		return;
	loop_remove(s->incoming);
	s->incoming = NULL;
	if (s->begin(s->ctx, sock))
		return;
	close(sock);
	s->stop(s->ctx);
}

static bool watch(struct server *s)
{
	s->incoming = loop_watch_fd(s->loop, s->listener.fd, incoming, s);
	if (!s->incoming)
		log_error("the socket cannot be watched");
	return s->incoming;
}

static int socket_option(int fd, int option)
{
	socklen_t len = sizeof(int);
	int value;

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) ? -1 : value;
}

/* One that is connected, or one that listens */
static bool open_fd(struct server *s, int fd)
{
	if (socket_option(fd, SO_TYPE) != SOCK_STREAM ||
	    socket_option(fd, SO_DOMAIN) != AF_UNIX) {
		log_error("--fd=%d is no UNIX stream socket; open one and pass its number",
			  fd);
		return false;
	}
	if (fcntl(fd, F_SETFL, O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC)) {
		log_error("--fd=%d cannot be used: %s", fd, strerror(errno));
		return false;
	}
	if (socket_option(fd, SO_ACCEPTCONN) != 1)
		return s->begin(s->ctx, fd);
	s->listener.fd = fd;
	return watch(s);
}

bool server_open(struct server *s, const struct options *options)
{
	s->listener = (struct listener) { .fd = -1 };
	s->incoming = NULL;
	if (options->fd >= 0)
		return open_fd(s, options->fd);
	if (listener_open(&s->listener, options->socket_path, 0))
		return watch(s);
	s->listener.fd = -1;
	return false;
}

bool server_next(struct server *s)
{
	return s->listener.fd >= 0 && watch(s);
}

void server_close(struct server *s)
{
	loop_remove(s->incoming);
	s->incoming = NULL;
	if (s->listener.fd >= 0)
		listener_close(&s->listener);
	s->listener.fd = -1;
}
