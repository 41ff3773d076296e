// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "pressure.h"

/* An unprivileged trigger's window must be a multiple of two seconds. */
#define WINDOW_MS	2000

struct pressure {
	struct loop *loop;
	struct pressure_limits limits;
	struct pressure_state state;
	loop_fn fn;
	void *ctx;
	int fd;			/* the file, for reading */
	int trigger;		/* the same, for waiting; -1 if not allowed */
	int epoll;		/* waits for it, as the loop knows no POLLPRI */
	struct loop_event *woken;
	struct loop_event *timer;
	uint64_t total;
	uint64_t at_us;
};

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static bool read_total(int fd, uint64_t *total)
{
	char text[256];
	ssize_t got = pread(fd, text, sizeof(text) - 1, 0);

	if (got <= 0)
		return false;
	text[got] = 0;
	return pressure_parse_total(text, total);
}

static void stop_waiting(struct pressure *p)
{
	loop_remove(p->woken);
	p->woken = NULL;
	if (p->epoll >= 0)
		close(p->epoll);
	if (p->trigger >= 0)
		close(p->trigger);
	p->epoll = -1;
	p->trigger = -1;
}

static void publish(struct pressure *p, unsigned int before)
{
	if (p->state.level != before)
		p->fn(p->ctx, (int)p->state.level);
}

/* The cgroup is gone: nobody presses any more. */
static void give_up(struct pressure *p)
{
	unsigned int before = p->state.level;

	log_warn("the pressure cannot be read any more, taken for none");
	stop_waiting(p);
	loop_remove(p->timer);
	p->timer = NULL;
	p->state.level = 0;
	publish(p, before);
}

static void sample(void *ctx, int unused)
{
	struct pressure *p = ctx;
	unsigned int before = p->state.level;
	uint64_t at = now_us();
	uint64_t total;
	uint64_t share;

	(void)unused;
	if (!read_total(p->fd, &total)) {
		give_up(p);
		return;
	}
	share = at > p->at_us && total > p->total ?
		(total - p->total) * 10000 / (at - p->at_us) : 0;
	p->total = total;
	p->at_us = at;
	pressure_next(&p->state, &p->limits, share < 10000 ? share : 10000);
	/* Quiet again: the kernel wakes us. */
	if (!p->state.level && p->woken) {
		loop_remove(p->timer);
		p->timer = NULL;
	}
	publish(p, before);
}

static void woken(void *ctx, int fd)
{
	struct pressure *p = ctx;
	unsigned int before = p->state.level;
	struct epoll_event event;

	if (epoll_wait(fd, &event, 1, 0) > 0 && event.events & EPOLLERR) {
		give_up(p);
		return;
	}
	if (p->timer)
		return;
	p->timer = loop_every(p->loop, WINDOW_MS, sample, p);
	if (!p->timer || !read_total(p->fd, &p->total)) {
		give_up(p);
		return;
	}
	p->at_us = now_us();
	/* At least that; the first sample says whether it is more. */
	pressure_next(&p->state, &p->limits, p->limits.percent[0] * 100);
	publish(p, before);
}

/* Ask the kernel to wake us when pressure begins; false if it does not. */
static bool wait_for_kernel(struct pressure *p, const char *path)
{
	struct epoll_event event = { .events = EPOLLPRI };
	char text[64];
	int len = snprintf(text, sizeof(text), "some %u %d",
			   p->limits.percent[0] * WINDOW_MS * 10,
			   WINDOW_MS * 1000);

	p->trigger = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (p->trigger >= 0 && p->epoll >= 0 &&
	    write(p->trigger, text, (size_t)len + 1) == len + 1 &&
	    !epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->trigger, &event))
		p->woken = loop_watch_fd(p->loop, p->epoll, woken, p);
	if (p->woken)
		return true;
	stop_waiting(p);
	return false;
}

struct pressure *pressure_watch(struct loop *loop, const char *cgroup,
				const struct pressure_limits *limits,
				loop_fn fn, void *ctx)
{
	struct pressure *p = calloc(1, sizeof(*p));
	char path[PATH_MAX] = "/proc/pressure/memory";

	if (!p)
		return NULL;
	if (cgroup)
		snprintf(path, sizeof(path), "%s/memory.pressure", cgroup);
	*p = (struct pressure){
		.loop = loop, .limits = *limits, .fn = fn, .ctx = ctx,
		.trigger = -1, .epoll = -1, .at_us = now_us(),
	};
	p->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (p->fd < 0 || !read_total(p->fd, &p->total)) {
		log_warn("no pressure to be read from %s: %s", path,
			 strerror(errno));
		pressure_unwatch(p);
		return NULL;
	}
	if (!wait_for_kernel(p, path))
		p->timer = loop_every(loop, WINDOW_MS, sample, p);
	log_debug("watching the pressure path=%s mode=%s", path,
		  p->woken ? "trigger" : "timer");
	return p;
}

unsigned int pressure_level(const struct pressure *pressure)
{
	return pressure->state.level;
}

void pressure_unwatch(struct pressure *p)
{
	if (!p)
		return;
	stop_waiting(p);
	loop_remove(p->timer);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}
