/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command line: what both programs take, and what one of them adds.
 */
#ifndef FPR_HOST_OPTIONS_H
#define FPR_HOST_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "discard.h"
#include "pressure.h"

/* Follow the host's pressure; else a level. */
#define OPTIONS_PRESSURE_AUTO	(-1)

/**
 * struct options - what was asked for
 * @socket_path: where to listen for a VMM, or NULL
 * @fd: a socket that somebody else made, or -1
 * @control_socket: where to listen for commands, or NULL
 * @discard: what to do with reports
 * @granule: bytes; 0 for that of the memory
 * @pressure: a level, or %OPTIONS_PRESSURE_AUTO
 * @pressure_given: that was said, so it is an error if it cannot be
 * @limits: of the levels
 * @cgroup: whose pressure, or NULL for the host's
 * @prometheus: file to write counters to, or NULL
 * @once: exit when the VMM has gone
 * @verbose: log more
 */
struct options {
	const char *socket_path;
	int fd;
	const char *control_socket;
	enum discard_mode discard;
	uint64_t granule;
	int pressure;
	bool pressure_given;
	struct pressure_limits limits;
	const char *cgroup;
	const char *prometheus;
	bool once;
	bool verbose;
};

/**
 * struct option_row - one option
 * @name: without the dashes
 * @argument: name of its argument, or NULL
 * @help: what it does, one line or several
 * @set: takes the argument ("" if there is none); returns NULL or a sentence that
 *	names what is wrong and what is right
 */
struct option_row {
	const char *name;
	const char *argument;
	const char *help;
	const char *(*set)(void *to, const char *value);
};

/**
 * struct options_program - the program whose command line it is
 * @name: its name
 * @summary: what it does, one line
 * @rows: its own options, ended by one without a name
 * @to: handed to their @set
 * @print_capabilities: does what --print-capabilities asks for; NULL if the program
 *	has no such option
 */
struct options_program {
	const char *name;
	const char *summary;
	const struct option_row *rows;
	void *to;
	void (*print_capabilities)(void *to);
};

/**
 * options_parse() - read the command line
 * @options: set
 * @program: see there
 * @argc: as of main()
 * @argv: likewise; the strings stay in use
 *
 * Return: -1 to go on, else the exit status: 0 after --help, --version and
 * --print-capabilities, 1 after a sentence about a wrong value, 2 after one about
 * wrong usage.
 */
int options_parse(struct options *options, const struct options_program *program,
		  int argc, char **argv);

/* Whole number from @min to @max, all of @text; suffixes K, M, G if @bytes. */
bool options_number(const char *text, bool bytes, uint64_t min, uint64_t max,
		    uint64_t *value);

#endif /* FPR_HOST_OPTIONS_H */
