/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control socket: a line is a command, the answer is lines "name value" and
 * then "ok", or one line "error: what is wrong".
 *
 *	status				what the program does now
 *	counters			what it has done
 *	pressure none|low|high|critical|auto
 *	discard punch|none
 *	request [MIN-BYTES [SECONDS]]	ask the guest for all free memory in pieces
 *					of MIN-BYTES and more, and wait
 *
 * Knows no device.  A client that is silent, does not read, or writes nonsense
 * harms nobody but itself.
 */
#ifndef FPR_HOST_CONTROL_H
#define FPR_HOST_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include "loop.h"

/* Longest command, bytes, its newline included */
#define CONTROL_LINE	128
/* Most clients; another one takes the place of the one that was silent longest. */
#define CONTROL_CLIENTS	16
/* Longest answer */
#define CONTROL_TEXT	12288

/**
 * struct control_ops - what the commands do
 * @status: writes lines; returns how many bytes, without a final 0
 * @counters: likewise
 * @pressure: NULL, or a sentence about why not
 * @discard: likewise
 * @request: makes a request and sets its number; control_answered() follows
 */
struct control_ops {
	size_t (*status)(void *ctx, char *to, size_t size);
	size_t (*counters)(void *ctx, char *to, size_t size);
	const char *(*pressure)(void *ctx, const char *level);
	const char *(*discard)(void *ctx, const char *mode);
	const char *(*request)(void *ctx, uint64_t min_bytes, uint32_t *number);
};

struct control;

/**
 * control_open() - listen for commands
 * @loop: loop
 * @path: of the socket, mode 0600; must stay
 * @ops: what they do; must stay
 * @ctx: handed to it
 *
 * Return: NULL, with a line in the log, if it cannot.
 */
struct control *control_open(struct loop *loop, const char *path,
			     const struct control_ops *ops, void *ctx);

/**
 * control_answered() - the guest has answered a request
 * @control: NULL is none
 * @number: of the request
 * @bytes: what the guest says it reported
 * @discarded: what was discarded meanwhile
 * @ns: how long it took
 */
void control_answered(struct control *control, uint32_t number, uint64_t bytes,
		      uint64_t discarded, uint64_t ns);

/* The guest will not answer any more: tell those who wait. */
void control_lost(struct control *control, const char *why);

void control_close(struct control *control);

#endif /* FPR_HOST_CONTROL_H */
