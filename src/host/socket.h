/* SPDX-License-Identifier: GPL-2.0 */
/* UNIX sockets to listen on, and to take away again. */
#ifndef FPR_HOST_SOCKET_H
#define FPR_HOST_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * struct listener - a socket that is listened on
 * @fd: it
 * @path: where it is in the file system, NULL if somebody else made it
 * @dev: what is at @path if it is still the same
 * @ino: likewise
 */
struct listener {
	int fd;
	const char *path;
	dev_t dev;
	ino_t ino;
};

/**
 * listener_open() - listen at a path
 * @listener: set on success
 * @path: must stay
 * @mode: permissions of the socket; 0 for what the umask leaves
 *
 * A socket that a program left behind is replaced; one that is in use, or a file of
 * another kind, is not.  Logs one sentence when it fails.
 * Return: true on success.
 */
bool listener_open(struct listener *listener, const char *path, mode_t mode);

/* Close it and, if nobody else has put another in its place, remove it. */
void listener_close(struct listener *listener);

#endif /* FPR_HOST_SOCKET_H */
