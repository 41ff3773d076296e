/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How badly the host needs memory, from the kernel's pressure stall information: of
 * the whole host (/proc/pressure/memory) or of a cgroup (its memory.pressure).
 *
 * The measure is the share of time in which some task waited for memory.
 */
#ifndef FPR_HOST_PRESSURE_H
#define FPR_HOST_PRESSURE_H

#include <stdbool.h>
#include <stdint.h>

#include "loop.h"

/* VIRTIO_FPR_P_NONE to VIRTIO_FPR_P_CRITICAL */
#define PRESSURE_LEVELS		4

/**
 * struct pressure_limits - from which share on a level holds
 * @percent: of low, high and critical, ascending
 */
struct pressure_limits {
	unsigned int percent[PRESSURE_LEVELS - 1];
};

#define PRESSURE_LIMITS_DEFAULT	{ { 1, 10, 40 } }

/**
 * struct pressure_state - memory of pressure_next()
 * @level: the level
 * @calm: samples in a row that were well below it
 */
struct pressure_state {
	unsigned int level;
	unsigned int calm;
};

/**
 * pressure_next() - the level after another sample
 * @state: what came before; all zeros at first
 * @limits: see there
 * @share: share of time, in units of 0.01 %
 *
 * The level rises at once, and falls by one after five samples in a row below
 * half of its limit.  Pure.
 * Return: the level, also in @state.
 */
unsigned int pressure_next(struct pressure_state *state,
			   const struct pressure_limits *limits, uint32_t share);

/**
 * pressure_parse_total() - find the total of "some" in a pressure file
 * @text: contents of the file
 * @total: set to microseconds
 * Return: false if it is not there.
 */
bool pressure_parse_total(const char *text, uint64_t *total);

/* "none", "low", "high", "critical"; false for others. */
bool pressure_parse_level(const char *text, unsigned int *level);
const char *pressure_level_name(unsigned int level);

struct pressure;

/**
 * pressure_watch() - call @fn whenever the level changes
 * @loop: loop
 * @cgroup: directory of a cgroup, or NULL for the host
 * @limits: see there
 * @fn: called with the new level, which is 0 at first
 * @ctx: handed to it
 *
 * Sleeps until the kernel signals pressure, where it may be asked to; else looks
 * every two seconds.
 * Return: NULL, with a line in the log, if there is nothing to watch.
 */
struct pressure *pressure_watch(struct loop *loop, const char *cgroup,
				const struct pressure_limits *limits,
				loop_fn fn, void *ctx);
unsigned int pressure_level(const struct pressure *pressure);
void pressure_unwatch(struct pressure *pressure);

#endif /* FPR_HOST_PRESSURE_H */
