/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The programs' log: one line an event on standard error, a sentence followed by
 * key=value pairs:
 *
 *	memory region added gpa=0x0 size=2147483648
 *
 * What comes from a peer may repeat without end, so it is bounded.
 */
#ifndef FPR_HOST_LOG_H
#define FPR_HOST_LOG_H

#include <stdbool.h>

/* Numbers are those of syslog, which the journal understands. */
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/**
 * log_init() - choose how to log
 * @name: name of the program, in front of every line outside the journal
 * @verbose: lines of level debug, too
 *
 * With JOURNAL_STREAM in the environment (systemd sets it) lines begin with their
 * level instead.  Call it before anything is opened: standard files that are closed
 * become /dev/null, lest another file gets the number of standard error.
 */
void log_init(const char *name, bool verbose);

/**
 * log_line() - log one line
 * @level: what it is
 * @format: as of printf(), without a newline.  Control characters in the result
 *	become '?', so that nobody writes lines in another's name
 *
 * Of lines that are no errors at most 50 are written in 10 seconds; the next says
 * how many were not.
 */
__attribute__((format(printf, 2, 3)))
void log_line(enum log_level level, const char *format, ...);

#define log_error(...)	log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)	log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)	log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif /* FPR_HOST_LOG_H */
