/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What both programs are around their protocol: a device, the loop, signals,
 * pressure, the control socket and the file of counters.
 */
#ifndef FPR_HOST_BACKEND_H
#define FPR_HOST_BACKEND_H

#include "balloon.h"
#include "control.h"
#include "device.h"
#include "loop.h"
#include "options.h"
#include "pressure.h"

/**
 * struct backend - a program
 * @options: what was asked for
 * @loop: its loop
 * @vdev: the device, whichever it is, for the protocol
 * @connected: a VMM is there; set by the protocol's side with backend_connected()
 * @failed: the program ends with status 1
 */
struct backend {
	const struct options *options;
	struct loop *loop;
	struct vdev *vdev;
	bool connected;
	bool failed;

	/* private */
	struct device *device;
	struct balloon *balloon;
	struct discard *discard;
	const struct counters *counters;
	struct control *control;
	struct pressure *pressure;
	bool pressure_auto;
	unsigned int level;
	struct loop_event *signals[4];
	struct loop_event *writer;
};

/**
 * backend_open() - set all up
 * @b: all zeros
 * @options: must stay
 * @balloon: serve the stock device, not the vendor's
 *
 * Return: false, after a line in the log, if something that was asked for cannot
 * be; then call backend_close() too.
 */
bool backend_open(struct backend *b, const struct options *options, bool balloon);

/* The VMM has come, or gone: also in the log, and to who waits for the guest. */
void backend_connected(struct backend *b, bool connected);

/**
 * backend_run() - give up privileges and serve until a signal or backend_stop()
 * Return: the exit status.
 */
int backend_run(struct backend *b);
void backend_stop(struct backend *b, bool failed);

/* Take all down, in the reverse order, and write the counters once more. */
void backend_close(struct backend *b);

#endif /* FPR_HOST_BACKEND_H */
