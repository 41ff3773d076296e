/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The event loop of the programs: what they need of libevent, which only loop.c
 * knows.  One thread; callbacks may remove any event, their own included.
 */
#ifndef FPR_HOST_LOOP_H
#define FPR_HOST_LOOP_H

struct loop;
struct loop_event;

/* @value: the file descriptor, the signal's number, -1 for a timer */
typedef void (*loop_fn)(void *ctx, int value);

struct loop *loop_new(void);
void loop_free(struct loop *loop);

/* Runs until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/**
 * loop_watch_fd() - call @fn whenever @fd is readable or hung up
 * Return: the event, to be given to loop_remove() before @fd is closed; NULL if the
 * file cannot be watched.
 */
struct loop_event *loop_watch_fd(struct loop *loop, int fd, loop_fn fn, void *ctx);

/* Call @fn when the signal comes. */
struct loop_event *loop_watch_signal(struct loop *loop, int number, loop_fn fn,
				     void *ctx);

/* Call @fn every @ms milliseconds. */
struct loop_event *loop_every(struct loop *loop, unsigned int ms, loop_fn fn,
			      void *ctx);

/* Call @fn once, in @ms milliseconds; the event stays until it is removed. */
struct loop_event *loop_once(struct loop *loop, unsigned int ms, loop_fn fn,
			     void *ctx);

/* Remove an event; NULL is none. */
void loop_remove(struct loop_event *event);

#endif /* FPR_HOST_LOOP_H */
