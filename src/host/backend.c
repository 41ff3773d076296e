// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"
#include "confine.h"
#include "log.h"
#include "util.h"

#define WRITE_MS	10000

/* Large, and one of each is enough. */
static struct device the_device;
static struct balloon the_balloon;

/* What the host's name is for a guest: that of its socket, without a suffix. */
static void guest_name(const struct backend *b, char *to, size_t size)
{
	const char *path = b->options->socket_path;
	const char *name = path ? strrchr(path, '/') : NULL;
	char *dot;

	snprintf(to, size, "%s", name ? name + 1 : path ? path : "");
	dot = strrchr(to, '.');
	if (dot && dot != to)
		*dot = 0;
}

/* 0 or a negative errno */
static int write_prometheus(const struct backend *b)
{
	static char text[COUNTERS_TEXT_SIZE];
	char guest[65];
	size_t len;

	guest_name(b, guest, sizeof(guest));
	len = counters_prometheus(b->counters, guest, text, sizeof(text));
	if (len >= sizeof(text))
		return -E2BIG;
	return counters_write_file(b->options->prometheus, text, len);
}

static void write_counters(void *ctx, int unused)
{
	static int last;
	struct backend *b = ctx;
	int err = write_prometheus(b);

	(void)unused;
	if (err && err != last)
		log_warn("the counters cannot be written path=%s reason=\"%s\"",
			 b->options->prometheus, strerror(-err));
	last = err;
}

static void set_level(struct backend *b, unsigned int level)
{
	if (level == b->level)
		return;
	log_info("pressure level=%s before=%s", pressure_level_name(level),
		 pressure_level_name(b->level));
	b->level = level;
	if (b->device)
		device_set_pressure(b->device, level);
}

static void pressure_changed(void *ctx, int level)
{
	struct backend *b = ctx;

	if (b->pressure_auto)
		set_level(b, (unsigned int)level);
}

/* NULL or why the guest cannot be asked */
static const char *make_request(struct backend *b, uint64_t min_bytes,
				uint32_t *number)
{
	unsigned int shift = 0;

	if (!b->device)
		return "the stock balloon device takes no requests";
	if (!b->connected)
		return "no VMM is connected";
	while (shift < 63 && UINT64_C(1) << shift < min_bytes)
		shift++;
	switch (device_request(b->device, shift, number)) {
	case 0:
		log_info("request made number=%" PRIu32 " shift=%u", *number, shift);
		return NULL;
	case -EBUSY:
		return "too many requests wait for the guest's answer";
	case -EOPNOTSUPP:
		return "the guest's driver takes no requests";
	default:
		return "the request cannot be made";
	}
}

static void request_answered(void *ctx, const struct device_request *request)
{
	struct backend *b = ctx;

	log_info("request answered number=%" PRIu32 " bytes=%" PRIu64
		 " discarded=%" PRIu64 " ms=%" PRIu64,
		 request->number, request->bytes, request->discarded,
		 request->ns / 1000000);
	control_answered(b->control, request->number, request->bytes,
			 request->discarded, request->ns);
}

static const char *command_request(void *ctx, uint64_t min_bytes, uint32_t *number)
{
	return make_request(ctx, min_bytes, number);
}

static const char *command_pressure(void *ctx, const char *word)
{
	struct backend *b = ctx;
	unsigned int level;

	if (!strcmp(word, "auto")) {
		if (!b->pressure)
			return "the host's pressure is not watched";
		b->pressure_auto = true;
		set_level(b, pressure_level(b->pressure));
		return NULL;
	}
	if (!pressure_parse_level(word, &level))
		return "levels are none, low, high, critical and auto";
	b->pressure_auto = false;
	set_level(b, level);
	return NULL;
}

static const char *command_discard(void *ctx, const char *word)
{
	struct backend *b = ctx;
	enum discard_mode mode;

	if (!discard_mode_parse(word, &mode))
		return "modes are punch and none";
	log_info("discard mode=%s", discard_mode_name(mode));
	if (b->device)
		device_set_discard(b->device, mode);
	else
		b->discard->mode = mode;
	return NULL;
}

static size_t command_counters(void *ctx, char *to, size_t size)
{
	const struct backend *b = ctx;

	return counters_text(b->counters, to, size);
}

static uint64_t memory_bytes(const struct mem *mem)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < mem->nr; i++)
		bytes += mem->regions[i].size;
	return bytes;
}

static size_t command_status(void *ctx, char *to, size_t size)
{
	const struct backend *b = ctx;
	const char *broken = b->device ? device_broken(b->device) :
		balloon_broken(b->balloon);
	int len;

	len = snprintf(to, size, "device %s\nvmm %s\nstate %s\nreason %s\n"
		       "memory_bytes %" PRIu64 "\nmemory_regions %u\n"
		       "granule_bytes %" PRIu64 "\ndiscard %s\n"
		       "pressure %s\npressure_source %s\n",
		       b->device ? "vendor" : "balloon",
		       b->connected ? "connected" : "none",
		       broken ? "needs-reset" : "ok", broken ? broken : "-",
		       memory_bytes(&b->vdev->mem), b->vdev->mem.nr,
		       discard_granule(b->discard, &b->vdev->mem),
		       discard_mode_name(b->discard->mode),
		       pressure_level_name(b->level),
		       !b->pressure_auto ? "given" : b->options->cgroup ?
		       "cgroup" : "host");
	return len < 0 ? 0 : (size_t)len;
}

static const struct control_ops control_ops = {
	.status = command_status,
	.counters = command_counters,
	.pressure = command_pressure,
	.discard = command_discard,
	.request = command_request,
};

static void say(void *ctx, const char *text)
{
	(void)ctx;
	log_warn("%s", text);
}

static void signal_stop(void *ctx, int number)
{
	log_info("ending signal=%d", number);
	backend_stop(ctx, false);
}

static void signal_request(void *ctx, int number)
{
	uint32_t request;
	const char *wrong = make_request(ctx, 0, &request);

	(void)number;
	if (wrong)
		log_warn("the guest cannot be asked reason=\"%s\"", wrong);
}

/* A VMM that shrinks a file under its guest; nothing of the program is to be trusted. */
static void memory_vanished(int number)
{
	static const char text[] =
		"guest memory that the VMM gave has vanished; the program ends\n";

	ssize_t sent = write(STDERR_FILENO, text, sizeof(text) - 1);

	/* If nobody hears it, the status says it, too. */
	(void)sent;
	(void)number;
	_exit(1);
}

static void open_device(struct backend *b, bool balloon)
{
	if (balloon) {
		balloon_init(&the_balloon);
		b->balloon = &the_balloon;
		b->vdev = &the_balloon.vdev;
		b->discard = &the_balloon.discard;
		b->counters = &the_balloon.counters;
	} else {
		device_init(&the_device);
		/* Our predecessor, if any, has not made as many in that time. */
		the_device.first_request = (uint32_t)(now_ns() / 1000000);
		the_device.answered = request_answered;
		the_device.answered_ctx = b;
		b->device = &the_device;
		b->vdev = &the_device.vdev;
		b->discard = &the_device.discard;
		b->counters = &the_device.counters;
	}
	b->discard->say = say;
	b->discard->granule = b->options->granule;
	b->discard->mode = b->options->discard;
}

static bool open_signals(struct backend *b)
{
	const struct sigaction vanished = { .sa_handler = memory_vanished };

	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGBUS, &vanished, NULL);
	b->signals[0] = loop_watch_signal(b->loop, SIGTERM, signal_stop, b);
	b->signals[1] = loop_watch_signal(b->loop, SIGINT, signal_stop, b);
	b->signals[2] = loop_watch_signal(b->loop, SIGHUP, signal_stop, b);
	b->signals[3] = loop_watch_signal(b->loop, SIGUSR1, signal_request, b);
	return b->signals[0] && b->signals[1] && b->signals[2] && b->signals[3];
}

static bool open_pressure(struct backend *b)
{
	const struct options *o = b->options;

	if (o->pressure != OPTIONS_PRESSURE_AUTO) {
		set_level(b, (unsigned int)o->pressure);
		return true;
	}
	/* The balloon device has nobody to tell. */
	if (!b->device && !o->pressure_given && !o->cgroup)
		return true;
	b->pressure = pressure_watch(b->loop, o->cgroup, &o->limits,
				     pressure_changed, b);
	b->pressure_auto = b->pressure;
	if (b->pressure || (!o->pressure_given && !o->cgroup))
		return true;
	log_error("--pressure=auto is not possible here; give a level, or boot with psi=1");
	return false;
}

/* The first time must work; who watches the file would wait in vain. */
static bool open_prometheus(struct backend *b)
{
	int err;

	if (!b->options->prometheus)
		return true;
	err = write_prometheus(b);
	if (err) {
		log_error("--prometheus=%s cannot be written: %s; name one that can be",
			  b->options->prometheus, strerror(-err));
		return false;
	}
	b->writer = loop_every(b->loop, WRITE_MS, write_counters, b);
	return b->writer;
}

bool backend_open(struct backend *b, const struct options *options, bool balloon)
{
	b->options = options;
	open_device(b, balloon);
	b->loop = loop_new();
	if (!b->loop) {
		log_error("no event loop: %s", strerror(errno));
		return false;
	}
	if (!open_signals(b) || !open_pressure(b) || !open_prometheus(b))
		return false;
	if (!options->control_socket)
		return true;
	b->control = control_open(b->loop, options->control_socket,
				  &control_ops, b);
	return b->control;
}

void backend_connected(struct backend *b, bool connected)
{
	b->connected = connected;
	if (connected)
		log_info("a VMM has connected");
	else
		control_lost(b->control, "the VMM has gone");
}

int backend_run(struct backend *b)
{
	confine();
	log_info("serving device=%s discard=%s pressure=%s pid=%d",
		 b->device ? "vendor" : "balloon",
		 discard_mode_name(b->discard->mode),
		 b->pressure_auto ? "auto" : pressure_level_name(b->level),
		 (int)getpid());
	loop_run(b->loop);
	return b->failed;
}

void backend_stop(struct backend *b, bool failed)
{
	b->failed = failed;
	loop_stop(b->loop);
}

void backend_close(struct backend *b)
{
	if (!b->loop)
		return;
	control_close(b->control);
	if (b->writer)
		write_counters(b, 0);
	loop_remove(b->writer);
	pressure_unwatch(b->pressure);
	for (size_t i = 0; i < ARRAY_SIZE(b->signals); i++)
		loop_remove(b->signals[i]);
	loop_free(b->loop);
}
