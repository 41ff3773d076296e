// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "util.h"

#ifndef FPR_VERSION
#define FPR_VERSION	"unknown"
#endif

#define MAX_ROWS	32

enum { EXIT_VALUE = 1, EXIT_USAGE = 2 };

bool options_number(const char *text, bool bytes, uint64_t min, uint64_t max,
		    uint64_t *value)
{
	static const char suffixes[] = "KMG";
	unsigned long long number;
	const char *suffix;
	char *end;
	unsigned int shift = 0;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno)
		return false;
	suffix = bytes && *end ? strchr(suffixes, *end) : NULL;
	if (suffix) {
		shift = 10 * (unsigned int)(suffix - suffixes + 1);
		end++;
	}
	if (*end || number > UINT64_MAX >> shift)
		return false;
	*value = (uint64_t)number << shift;
	return *value >= min && *value <= max;
}

static const char *set_socket_path(void *to, const char *value)
{
	((struct options *)to)->socket_path = value;
	return NULL;
}

static const char *set_fd(void *to, const char *value)
{
	uint64_t fd;

	if (!options_number(value, false, 0, INT_MAX, &fd))
		return "is the number of an open socket, 0 or more";
	((struct options *)to)->fd = (int)fd;
	return NULL;
}

static const char *set_control_socket(void *to, const char *value)
{
	((struct options *)to)->control_socket = value;
	return NULL;
}

static const char *set_discard(void *to, const char *value)
{
	if (!discard_mode_parse(value, &((struct options *)to)->discard))
		return "is punch or none";
	return NULL;
}

static const char *set_granule(void *to, const char *value)
{
	uint64_t granule;

	if (!strcmp(value, "auto"))
		granule = 0;
	else if (!options_number(value, true, 4096, 1ul << 40, &granule) ||
		 granule & (granule - 1))
		return "is auto or a power of two from 4K to 1024G";
	((struct options *)to)->granule = granule;
	return NULL;
}

static const char *set_pressure(void *to, const char *value)
{
	struct options *options = to;
	unsigned int level;

	if (!strcmp(value, "auto"))
		options->pressure = OPTIONS_PRESSURE_AUTO;
	else if (pressure_parse_level(value, &level))
		options->pressure = (int)level;
	else
		return "is auto, none, low, high or critical";
	options->pressure_given = true;
	return NULL;
}

static const char *set_limits(void *to, const char *value)
{
	struct pressure_limits l;
	int end = -1;

	if (sscanf(value, "%3u,%3u,%3u%n", &l.percent[0], &l.percent[1],
		   &l.percent[2], &end) != 3 || end < 0 || value[end] ||
	    l.percent[0] < 1 || l.percent[1] <= l.percent[0] ||
	    l.percent[2] <= l.percent[1] || l.percent[2] > 100)
		return "is three percentages from 1 to 100 that rise, such as 1,10,40";
	((struct options *)to)->limits = l;
	return NULL;
}

static const char *set_cgroup(void *to, const char *value)
{
	if (!*value || strlen(value) > PATH_MAX - 32)
		return "is the directory of a cgroup";
	((struct options *)to)->cgroup = value;
	return NULL;
}

static const char *set_prometheus(void *to, const char *value)
{
	if (!*value || strlen(value) > PATH_MAX - 32)
		return "is the name of a file";
	((struct options *)to)->prometheus = value;
	return NULL;
}

static const char *set_once(void *to, const char *value)
{
	(void)value;
	((struct options *)to)->once = true;
	return NULL;
}

static const char *set_verbose(void *to, const char *value)
{
	(void)value;
	((struct options *)to)->verbose = true;
	return NULL;
}

static const struct option_row common_rows[] = {
	{ "socket-path", "PATH", "listen for the VMM there", set_socket_path },
	{ "fd", "NUMBER", "use this socket instead, connected or listening", set_fd },
	{ "once", NULL, "exit when the VMM has gone; else wait for the next", set_once },
	{ "discard", "punch|none", "what to do with reported memory (punch)", set_discard },
	{ "granule", "BYTES|auto", "smallest piece to discard; auto: that of the memory",
	  set_granule },
	{ "control-socket", "PATH", "listen for commands there", set_control_socket },
	{ "pressure", "auto|LEVEL",
	  "how badly the host needs memory: auto, none, low, high,\n"
	  "critical (auto, where the host has pressure information)", set_pressure },
	{ "pressure-limits", "L,H,C",
	  "percent of time stalled from which the levels hold\n(1,10,40)",
	  set_limits },
	{ "cgroup", "DIR", "of this cgroup instead of the whole host", set_cgroup },
	{ "prometheus", "FILE", "write counters there every 10 seconds", set_prometheus },
	{ "verbose", NULL, "log more", set_verbose },
};

#define NR_COMMON	ARRAY_SIZE(common_rows)

static void print_row(const char *name, const char *argument, const char *help)
{
	char head[48];

	snprintf(head, sizeof(head), "--%s%s%s", name, argument ? "=" : "",
		 argument ? argument : "");
	printf("  %-27s", head);
	for (const char *c = help; *c; c++) {
		putchar(*c);
		if (*c == '\n')
			printf("%29s", "");
	}
	putchar('\n');
}

static void print_help(const struct options_program *program)
{
	printf("usage: %s --socket-path=PATH|--fd=NUMBER [OPTION...]\n\n%s\n\n",
	       program->name, program->summary);
	for (size_t i = 0; i < NR_COMMON; i++)
		print_row(common_rows[i].name, common_rows[i].argument,
			  common_rows[i].help);
	for (const struct option_row *row = program->rows; row->name; row++)
		print_row(row->name, row->argument, row->help);
	if (program->print_capabilities)
		print_row("print-capabilities", NULL,
			  "say in JSON what this program is");
	print_row("help", NULL, "this text");
	print_row("version", NULL, "the version");
}

static int usage(const struct options_program *program)
{
	fprintf(stderr, "%s: try --help\n", program->name);
	return EXIT_USAGE;
}

/* What does not fit together. */
static int check(const struct options *options,
		 const struct options_program *program)
{
	const char *why = NULL;

	if (options->socket_path && options->fd >= 0)
		why = "--socket-path and --fd exclude each other";
	else if (!options->socket_path && options->fd < 0)
		why = "give --socket-path or --fd, so that a VMM can connect";
	else if (options->cgroup && options->pressure != OPTIONS_PRESSURE_AUTO)
		why = "--cgroup needs --pressure=auto";
	if (!why)
		return -1;
	fprintf(stderr, "%s: %s\n", program->name, why);
	return usage(program);
}

static unsigned int gather(const struct options_program *program,
			   const struct option_row **rows, struct option *longs)
{
	unsigned int nr = 0;

	for (size_t i = 0; i < NR_COMMON; i++)
		rows[nr++] = &common_rows[i];
	for (const struct option_row *row = program->rows;
	     row->name && nr < MAX_ROWS; row++)
		rows[nr++] = row;
	for (unsigned int i = 0; i < nr; i++)
		longs[i] = (struct option){
			rows[i]->name,
			rows[i]->argument ? required_argument : no_argument,
			NULL, (int)i + 1
		};
	return nr;
}

/* By convention whatever else is there is ignored. */
static bool asks_capabilities(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--print-capabilities"))
			return true;
	return false;
}

int options_parse(struct options *options, const struct options_program *program,
		  int argc, char **argv)
{
	const struct option_row *rows[MAX_ROWS];
	struct option longs[MAX_ROWS + 4] = {};
	unsigned int nr = gather(program, rows, longs);
	int choice;

	longs[nr] = (struct option){ "help", no_argument, NULL, 'h' };
	longs[nr + 1] = (struct option){ "version", no_argument, NULL, 'V' };
	*options = (struct options){
		.fd = -1, .pressure = OPTIONS_PRESSURE_AUTO,
		.limits = PRESSURE_LIMITS_DEFAULT,
	};
	if (program->print_capabilities && asks_capabilities(argc, argv)) {
		program->print_capabilities(program->to);
		return 0;
	}
	while ((choice = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		const char *wrong;

		if (choice == 'h') {
			print_help(program);
			return 0;
		} else if (choice == 'V') {
			printf("%s %s\n", program->name, FPR_VERSION);
			return 0;
		} else if (choice < 1 || (unsigned int)choice > nr) {
			return usage(program);
		}
		choice--;
		wrong = rows[choice]->set((unsigned int)choice < NR_COMMON ?
					  options : program->to,
					  optarg ? optarg : "");
		if (wrong) {
			fprintf(stderr, "%s: --%s %s\n", program->name,
				rows[choice]->name, wrong);
			return EXIT_VALUE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "%s: unexpected argument %s\n", program->name,
			argv[optind]);
		return usage(program);
	}
	return check(options, program);
}
