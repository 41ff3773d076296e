// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define LOG_BURST	50
#define LOG_PERIOD_S	10

static struct {
	const char *name;
	bool verbose;
	bool journal;
	time_t period;
	unsigned int lines;
	unsigned int dropped;
} log_state = { .name = "fpr" };

static const char *level_name(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "error: ";
	case LOG_LEVEL_WARNING:
		return "warning: ";
	default:
		return "";
	}
}

/* Without standard error, the next file that is opened would get the log. */
static void open_standard_files(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

void log_init(const char *name, bool verbose)
{
	log_state.name = name;
	log_state.verbose = verbose;
	log_state.journal = getenv("JOURNAL_STREAM");
	open_standard_files();
}

/* True if one line more may be written. */
static bool log_allowed(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec - log_state.period >= LOG_PERIOD_S) {
		log_state.period = now.tv_sec;
		log_state.lines = 0;
	}
	if (log_state.lines++ < LOG_BURST)
		return true;
	log_state.dropped++;
	return false;
}

void log_line(enum log_level level, const char *format, ...)
{
	char text[480];
	char line[640];
	char more[48] = "";
	va_list args;
	int len;

	if (level == LOG_LEVEL_DEBUG && !log_state.verbose)
		return;
	if (level == LOG_LEVEL_WARNING || level == LOG_LEVEL_INFO) {
		if (!log_allowed())
			return;
		if (log_state.dropped)
			snprintf(more, sizeof(more), " dropped_lines=%u",
				 log_state.dropped);
		log_state.dropped = 0;
	}
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	if (log_state.journal)
		len = snprintf(line, sizeof(line), "<%d>%s%s\n", (int)level,
			       text, more);
	else
		len = snprintf(line, sizeof(line), "%s: %s%s%s\n",
			       log_state.name, level_name(level), text, more);
	/* One write(), so that lines of several programs do not mix. */
	if (write(STDERR_FILENO, line, (size_t)len) < 0)
		return;
}
