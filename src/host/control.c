// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"
#include "log.h"
#include "options.h"
#include "socket.h"

#define REQUEST_SECONDS		60
#define REQUEST_MAX_SECONDS	3600

/**
 * struct client - somebody who is connected
 * @control: back
 * @fd: connection, -1 for a free place
 * @readable: watches it; not while a request is waited for
 * @deadline: when to wait no longer
 * @waits: the request @number is waited for
 * @last: when it last said something, in commands of all clients
 * @len: bytes of @line
 * @line: what has come of the next command
 */
struct client {
	struct control *control;
	int fd;
	struct loop_event *readable;
	struct loop_event *deadline;
	bool waits;
	uint32_t number;
	uint64_t last;
	size_t len;
	char line[CONTROL_LINE];
};

struct control {
	struct loop *loop;
	struct listener listener;
	struct loop_event *incoming;
	const struct control_ops *ops;
	void *ctx;
	uint64_t commands;
	struct client clients[CONTROL_CLIENTS];
	char text[CONTROL_TEXT];
};

static void client_serve(struct client *client);

static void client_close(struct client *client)
{
	loop_remove(client->readable);
	loop_remove(client->deadline);
	client->readable = NULL;
	client->deadline = NULL;
	client->waits = false;
	close(client->fd);
	client->fd = -1;
}

/* Whoever does not read loses the connection. */
static void client_write(struct client *client, const char *text, size_t len)
{
	ssize_t sent = send(client->fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent != (ssize_t)len)
		client_close(client);
}

__attribute__((format(printf, 2, 3)))
static void client_say(struct client *client, const char *format, ...)
{
	char text[256];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len >= (int)sizeof(text))
		len = sizeof(text) - 1;
	client_write(client, text, (size_t)len);
}

static void answer(struct client *client, const char *wrong)
{
	if (wrong)
		client_say(client, "error: %s\n", wrong);
	else
		client_say(client, "ok\n");
}

static void client_readable(void *ctx, int fd);

static void watch(struct client *client)
{
	client->readable = loop_watch_fd(client->control->loop, client->fd,
					 client_readable, client);
	if (!client->readable)
		client_close(client);
}

/* The wait is over, whatever was said about it: on with what came meanwhile. */
static void stop_waiting(struct client *client)
{
	client->waits = false;
	loop_remove(client->deadline);
	client->deadline = NULL;
	if (client->fd < 0)
		return;
	loop_remove(client->readable);
	client->readable = NULL;
	watch(client);
}

/* Commands that came behind the request, when no device is calling. */
static void serve_later(void *ctx, int unused)
{
	struct client *client = ctx;

	(void)unused;
	loop_remove(client->deadline);
	client->deadline = NULL;
	client_serve(client);
}

static void resume(struct client *client)
{
	stop_waiting(client);
	if (client->fd >= 0 && client->len)
		client->deadline = loop_once(client->control->loop, 0,
					     serve_later, client);
}

static void too_late(void *ctx, int unused)
{
	struct client *client = ctx;

	(void)unused;
	client_say(client, "error: the guest has not answered in time\n");
	resume(client);
}

static void command_request(struct client *client, const char *arg,
			    const char *arg2)
{
	struct control *control = client->control;
	uint64_t bytes = 0;
	uint64_t seconds = REQUEST_SECONDS;
	const char *wrong;

	if (arg && !options_number(arg, true, 0, UINT64_C(1) << 40, &bytes)) {
		answer(client, "MIN-BYTES is 0 to 1024G, with K, M or G if wanted");
		return;
	}
	if (arg2 && !options_number(arg2, false, 1, REQUEST_MAX_SECONDS, &seconds)) {
		answer(client, "SECONDS is 1 to 3600");
		return;
	}
	wrong = control->ops->request(control->ctx, bytes, &client->number);
	if (wrong) {
		answer(client, wrong);
		return;
	}
	loop_remove(client->deadline);
	client->deadline = loop_once(control->loop, (unsigned int)seconds * 1000,
				     too_late, client);
	client->waits = client->deadline;
	if (!client->waits)
		answer(client, "no memory to wait");
}

static void command_text(struct client *client,
			 size_t (*print)(void *ctx, char *to, size_t size))
{
	struct control *control = client->control;
	const size_t room = sizeof(control->text) - sizeof("ok\n");
	size_t len = print(control->ctx, control->text, room);

	if (len > room)
		len = room;
	memcpy(control->text + len, "ok\n", 3);
	client_write(client, control->text, len + 3);
}

static void run_command(struct client *client, char *line)
{
	const struct control_ops *ops = client->control->ops;
	void *ctx = client->control->ctx;
	char *save;
	const char *word = strtok_r(line, " \t\r", &save);
	const char *arg = word ? strtok_r(NULL, " \t\r", &save) : NULL;
	const char *arg2 = arg ? strtok_r(NULL, " \t\r", &save) : NULL;
	bool request = word && !strcmp(word, "request");
	bool more = arg2 && strtok_r(NULL, " \t\r", &save);

	if (!word)
		return;
	log_debug("command %s %s", word, arg ? arg : "");
	if (request && !more)
		command_request(client, arg, arg2);
	else if (arg2)
		answer(client, "too many words");
	else if (!strcmp(word, "pressure") && arg)
		answer(client, ops->pressure(ctx, arg));
	else if (!strcmp(word, "discard") && arg)
		answer(client, ops->discard(ctx, arg));
	else if (!strcmp(word, "status") && !arg)
		command_text(client, ops->status);
	else if (!strcmp(word, "counters") && !arg)
		command_text(client, ops->counters);
	else
		answer(client, "commands: status, counters, pressure LEVEL, discard MODE, request");
}

/* Run the whole lines that have come, until one has to wait. */
static void client_serve(struct client *client)
{
	char line[CONTROL_LINE];
	char *end;

	while (client->fd >= 0 && !client->waits &&
	       (end = memchr(client->line, '\n', client->len))) {
		size_t len = (size_t)(end - client->line);

		memcpy(line, client->line, len);
		line[len] = 0;
		client->len -= len + 1;
		memmove(client->line, end + 1, client->len);
		client->last = ++client->control->commands;
		run_command(client, line);
	}
	if (client->fd >= 0 && !client->waits && client->len == CONTROL_LINE) {
		client_say(client, "error: a command has at most %d bytes\n",
			   CONTROL_LINE - 1);
		if (client->fd >= 0)
			client_close(client);
	}
	/* Full, and waiting: what else it says has to wait, too. */
	if (client->fd >= 0 && client->waits && client->len == CONTROL_LINE) {
		loop_remove(client->readable);
		client->readable = NULL;
	}
}

/* It has closed both directions; who has closed one may still want to hear. */
static bool hung_up(const struct client *client)
{
	return send(client->fd, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL) < 0;
}

static void client_readable(void *ctx, int fd)
{
	struct client *client = ctx;
	const size_t room = sizeof(client->line) - client->len;
	ssize_t got;

	if (!room) {
		client_serve(client);
		return;
	}
	got = recv(fd, client->line + client->len, room, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got == 0 && client->waits && !hung_up(client)) {
		loop_remove(client->readable);
		client->readable = NULL;
		return;
	}
	if (got <= 0) {
		client_close(client);
		return;
	}
	client->len += (size_t)got;
	client_serve(client);
}

/* A free place, or that of the client that was silent longest; NULL if all wait. */
static struct client *find_place(struct control *control)
{
	struct client *place = NULL;

	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *client = &control->clients[i];

		if (client->fd >= 0 && client->waits && hung_up(client))
			client_close(client);
		if (client->fd < 0)
			return client;
		if (!client->waits && (!place || client->last < place->last))
			place = client;
	}
	if (place)
		client_close(place);
	return place;
}

static void incoming(void *ctx, int listener)
{
	static const char busy[] = "error: all clients wait for the guest; try later\n";
	struct control *control = ctx;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *client;

	if (fd < 0)
		return;
	client = find_place(control);
	if (!client) {
		if (send(fd, busy, sizeof(busy) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			log_debug("a client that is refused does not listen");
		close(fd);
		return;
	}
	memset(client, 0, sizeof(*client));
	client->control = control;
	client->fd = fd;
	client->last = ++control->commands;
	watch(client);
}

struct control *control_open(struct loop *loop, const char *path,
			     const struct control_ops *ops, void *ctx)
{
	struct control *control = calloc(1, sizeof(*control));

	if (!control)
		return NULL;
	control->loop = loop;
	control->ops = ops;
	control->ctx = ctx;
	for (int i = 0; i < CONTROL_CLIENTS; i++)
		control->clients[i].fd = -1;
	if (!listener_open(&control->listener, path, 0600)) {
		free(control);
		return NULL;
	}
	control->incoming = loop_watch_fd(loop, control->listener.fd, incoming,
					  control);
	if (!control->incoming) {
		log_error("the control socket cannot be watched");
		control_close(control);
		return NULL;
	}
	return control;
}

void control_answered(struct control *control, uint32_t number, uint64_t bytes,
		      uint64_t discarded, uint64_t ns)
{
	for (int i = 0; control && i < CONTROL_CLIENTS; i++) {
		struct client *client = &control->clients[i];

		if (client->fd < 0 || !client->waits || client->number != number)
			continue;
		client_say(client, "request %" PRIu32 "\nbytes %" PRIu64
			   "\ndiscarded_bytes %" PRIu64 "\nms %" PRIu64 ".%03u\nok\n",
			   number, bytes, discarded, ns / 1000000,
			   (unsigned int)(ns / 1000 % 1000));
		resume(client);
	}
}

void control_lost(struct control *control, const char *why)
{
	for (int i = 0; control && i < CONTROL_CLIENTS; i++) {
		struct client *client = &control->clients[i];

		if (client->fd < 0 || !client->waits)
			continue;
		answer(client, why);
		resume(client);
	}
}

void control_close(struct control *control)
{
	if (!control)
		return;
	for (int i = 0; i < CONTROL_CLIENTS; i++)
		if (control->clients[i].fd >= 0)
			client_close(&control->clients[i]);
	loop_remove(control->incoming);
	listener_close(&control->listener);
	free(control);
}
