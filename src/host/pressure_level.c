// SPDX-License-Identifier: GPL-2.0
/* The pure part of pressure.h: from numbers to levels. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pressure.h"

/* Samples below half of a level's limit before the level is left */
#define CALM_SAMPLES	5

static const char * const level_names[PRESSURE_LEVELS] = {
	"none", "low", "high", "critical"
};

bool pressure_parse_level(const char *text, unsigned int *level)
{
	for (unsigned int i = 0; i < PRESSURE_LEVELS; i++) {
		if (!strcmp(text, level_names[i])) {
			*level = i;
			return true;
		}
	}
	return false;
}

const char *pressure_level_name(unsigned int level)
{
	return level < PRESSURE_LEVELS ? level_names[level] : "?";
}

unsigned int pressure_next(struct pressure_state *state,
			   const struct pressure_limits *limits, uint32_t share)
{
	unsigned int level = 0;

	while (level < PRESSURE_LEVELS - 1 &&
	       share >= limits->percent[level] * 100)
		level++;
	if (level >= state->level) {
		state->level = level;
		state->calm = 0;
	} else if (share >= limits->percent[state->level - 1] * 50) {
		state->calm = 0;
	} else if (++state->calm == CALM_SAMPLES) {
		state->level--;
		state->calm = 0;
	}
	return state->level;
}

bool pressure_parse_total(const char *text, uint64_t *total)
{
	const char *line = text;

	while (line && strncmp(line, "some ", 5)) {
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	if (!line)
		return false;
	line = strstr(line, " total=");
	return line && sscanf(line, " total=%" SCNu64, total) == 1;
}
