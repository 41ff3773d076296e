// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "socket.h"

static int new_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Why nobody can bind to what is there; NULL if it was left behind. */
static const char *who_has_it(const struct sockaddr_un *addr)
{
	struct stat st;
	int sock;
	int err = 0;

	if (lstat(addr->sun_path, &st))
		return "vanished just now";
	if (!S_ISSOCK(st.st_mode))
		return "is there already and is no socket";
	sock = new_socket();
	if (sock < 0)
		return strerror(errno);
	if (connect(sock, (const struct sockaddr *)addr, sizeof(*addr)))
		err = errno;
	close(sock);
	if (err == ECONNREFUSED)
		return NULL;
	if (err == EACCES)
		return "belongs to somebody else";
	return "is in use by another program";
}

static bool bind_path(int sock, const struct sockaddr_un *addr)
{
	const char *path = addr->sun_path;
	const char *why;

	if (!bind(sock, (const struct sockaddr *)addr, sizeof(*addr)))
		return true;
	switch (errno) {
	case EADDRINUSE:
		why = who_has_it(addr);
		if (why) {
			log_error("the socket %s %s; choose another path", path,
				  why);
			return false;
		}
		log_info("replacing a socket that nobody listens on path=%s",
			 path);
		if (!unlink(path) &&
		    !bind(sock, (const struct sockaddr *)addr, sizeof(*addr)))
			return true;
		log_error("the old socket %s cannot be replaced: %s", path,
			  strerror(errno));
		return false;
	case ENOENT:
	case ENOTDIR:
		log_error("no directory for the socket %s; make it first", path);
		return false;
	case EACCES:
	case EPERM:
	case EROFS:
		log_error("no permission to make the socket %s; choose a directory that this user may write to",
			  path);
		return false;
	default:
		log_error("the socket %s cannot be made: %s", path,
			  strerror(errno));
		return false;
	}
}

bool listener_open(struct listener *listener, const char *path, mode_t mode)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct stat st;

	if (!*path || strlen(path) >= sizeof(addr.sun_path)) {
		log_error("the path of a socket has 1 to %zu bytes, this one %zu: %s",
			  sizeof(addr.sun_path) - 1, strlen(path), path);
		return false;
	}
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	listener->path = path;
	listener->fd = new_socket();
	if (listener->fd < 0) {
		log_error("no socket to be had: %s", strerror(errno));
		return false;
	}
	if (!bind_path(listener->fd, &addr)) {
		close(listener->fd);
		return false;
	}
	if ((mode && chmod(path, mode)) || lstat(path, &st) ||
	    listen(listener->fd, 128)) {
		log_error("the socket %s cannot be listened on: %s", path,
			  strerror(errno));
		close(listener->fd);
		unlink(path);
		return false;
	}
	listener->dev = st.st_dev;
	listener->ino = st.st_ino;
	return true;
}

void listener_close(struct listener *listener)
{
	struct stat st;

	close(listener->fd);
	if (listener->path && !lstat(listener->path, &st) &&
	    st.st_dev == listener->dev && st.st_ino == listener->ino)
		unlink(listener->path);
}
