/* SPDX-License-Identifier: GPL-2.0 */
/* One VMM at a time, from a socket at a path or one that somebody else made. */
#ifndef FPR_HOST_SERVER_H
#define FPR_HOST_SERVER_H

#include "loop.h"
#include "options.h"
#include "socket.h"

/**
 * struct server - where VMMs come
 * @loop: loop
 * @begin: takes a connection and serves it; false if it cannot, then the program
 *	is to end
 * @ctx: handed to it
 * @stop: called when nothing more can be served
 * @listener: fd -1 with a socket that is connected already
 * @incoming: watches it while no VMM is there
 */
struct server {
	struct loop *loop;
	bool (*begin)(void *ctx, int sock);
	void (*stop)(void *ctx);
	void *ctx;

	/* private */
	struct listener listener;
	struct loop_event *incoming;
};

/**
 * server_open() - wait for the first VMM, or serve it if it is there
 * @s: its public part filled in
 * @options: --socket-path or --fd
 *
 * Return: false, after a line in the log, if that cannot be.
 */
bool server_open(struct server *s, const struct options *options);

/**
 * server_next() - the VMM has gone: wait for another
 * Return: false if none can come.
 */
bool server_next(struct server *s);

void server_close(struct server *s);

#endif /* FPR_HOST_SERVER_H */
