// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include <event2/event.h>

#include "log.h"
#include "loop.h"

struct loop {
	struct event_base *base;
};

struct loop_event {
	struct event *event;
	loop_fn fn;
	void *ctx;
};

/* A peer can provoke such lines: a file that cannot be watched. */
static void loop_log(int severity, const char *text)
{
	(void)severity;
	log_debug("event loop: %s", text);
}

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	event_set_log_callback(loop_log);
	loop->base = event_base_new();
	if (!loop->base) {
		free(loop);
		return NULL;
	}
	return loop;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	event_base_free(loop->base);
	free(loop);
}

void loop_run(struct loop *loop)
{
	event_base_dispatch(loop->base);
}

void loop_stop(struct loop *loop)
{
	event_base_loopbreak(loop->base);
}

static void loop_fire(evutil_socket_t value, short what, void *arg)
{
	struct loop_event *event = arg;

	(void)what;
	/* May free the event: nothing is touched afterwards. */
	event->fn(event->ctx, value);
}

static struct loop_event *loop_add(struct loop *loop, int value, short what,
				   const struct timeval *after, loop_fn fn,
				   void *ctx)
{
	struct loop_event *event = calloc(1, sizeof(*event));

	if (!event)
		return NULL;
	event->fn = fn;
	event->ctx = ctx;
	event->event = event_new(loop->base, value, what, loop_fire, event);
	if (!event->event || event_add(event->event, after)) {
		loop_remove(event);
		return NULL;
	}
	return event;
}

struct loop_event *loop_watch_fd(struct loop *loop, int fd, loop_fn fn, void *ctx)
{
	return loop_add(loop, fd, EV_READ | EV_PERSIST, NULL, fn, ctx);
}

struct loop_event *loop_watch_signal(struct loop *loop, int number, loop_fn fn,
				     void *ctx)
{
	return loop_add(loop, number, EV_SIGNAL | EV_PERSIST, NULL, fn, ctx);
}

static struct timeval loop_time(unsigned int ms)
{
	return (struct timeval){ ms / 1000, (suseconds_t)(ms % 1000) * 1000 };
}

struct loop_event *loop_every(struct loop *loop, unsigned int ms, loop_fn fn,
			      void *ctx)
{
	struct timeval after = loop_time(ms);

	return loop_add(loop, -1, EV_PERSIST, &after, fn, ctx);
}

struct loop_event *loop_once(struct loop *loop, unsigned int ms, loop_fn fn,
			     void *ctx)
{
	struct timeval after = loop_time(ms);

	return loop_add(loop, -1, 0, &after, fn, ctx);
}

void loop_remove(struct loop_event *event)
{
	if (!event)
		return;
	if (event->event)
		event_free(event->event);
	free(event);
}
