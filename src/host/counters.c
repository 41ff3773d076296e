// SPDX-License-Identifier: GPL-2.0
/* What a device has done; see counters.h. */
#define _GNU_SOURCE
#include "counters.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"

#define MAX_LABEL	64

/*
 * A report of a few blocks takes some 10 us, a GiB of 4 KiB pages 0.2 s, and what
 * takes 10 s keeps the guest from memory that it may need.
 */
static const struct {
	uint64_t ns;
	const char *seconds;
} buckets[COUNTERS_BUCKETS] = {
	{ 10000, "0.00001" },	{ 100000, "0.0001" },	{ 1000000, "0.001" },
	{ 3000000, "0.003" },	{ 10000000, "0.01" },	{ 30000000, "0.03" },
	{ 100000000, "0.1" },	{ 300000000, "0.3" },	{ 1000000000, "1" },
	{ 10000000000, "10" },
};

void counters_report(struct counters *c, unsigned int ranges,
		     const struct discard_result *result, uint64_t ns)
{
	unsigned int i;

	c->reports++;
	c->ranges += ranges;
	c->discarded_bytes += result->discarded;
	for (i = 0; i < DISCARD_NR_REASONS; i++)
		c->refused_bytes[i] += result->refused[i];
	for (i = 0; i < COUNTERS_BUCKETS && ns > buckets[i].ns; i++)
		;
	c->latency[i]++;
	c->latency_sum_ns += ns;
}

/**
 * struct text - a text in the making
 * @to: buffer
 * @size: its size
 * @len: length so far, also of what did not fit
 */
struct text {
	char *to;
	size_t size;
	size_t len;
};

static void __attribute__((format(printf, 2, 3)))
put(struct text *t, const char *format, ...)
{
	size_t left = t->len < t->size ? t->size - t->len : 0;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(left ? t->to + t->len : NULL, left, format, args);
	va_end(args);
	if (n > 0)
		t->len += (size_t)n;
}

/* The plain counters, in the order in which they are printed */
static const struct {
	const char *name;
	const char *help;
	size_t offset;
} plain[] = {
#define PLAIN(name, help) { #name, help, offsetof(struct counters, name) }
	PLAIN(reports, "Reports of free memory served."),
	PLAIN(ranges, "Ranges in these reports."),
	PLAIN(discarded_bytes, "Bytes of guest memory discarded."),
	PLAIN(unsupported, "Requests of an unknown type."),
	PLAIN(needs_reset, "Times that the driver broke the rules."),
	PLAIN(requests_made, "Times that the host asked for free memory."),
	PLAIN(requests_answered, "Of these, answered by the guest."),
#undef PLAIN
};

static uint64_t plain_value(const struct counters *c, size_t i)
{
	uint64_t value;

	memcpy(&value, (const char *)c + plain[i].offset, sizeof(value));
	return value;
}

size_t counters_text(const struct counters *c, char *to, size_t size)
{
	struct text t = { .to = to, .size = size };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(plain); i++)
		put(&t, "%s %" PRIu64 "\n", plain[i].name, plain_value(c, i));
	for (i = 0; i < DISCARD_NR_REASONS; i++)
		put(&t, "refused_%s_bytes %" PRIu64 "\n",
		    discard_reason_name((enum discard_reason)i),
		    c->refused_bytes[i]);
	for (i = 0; i < COUNTERS_BUCKETS; i++)
		put(&t, "reports_within_%s_s %" PRIu64 "\n", buckets[i].seconds,
		    c->latency[i]);
	put(&t, "reports_slower %" PRIu64 "\n", c->latency[COUNTERS_BUCKETS]);
	put(&t, "reports_us %" PRIu64 "\n", c->latency_sum_ns / 1000);
	return t.len;
}

/*
 * The label as it stands in a text: escaped, and without what is no ASCII text,
 * since half a UTF-8 character would make the file unreadable.
 */
static void make_label(char *to, const char *guest)
{
	char *p = to;

	if (guest && *guest) {
		const char *end = guest + strnlen(guest, MAX_LABEL);

		p = stpcpy(p, "guest=\"");
		for (; guest < end; guest++) {
			char ch = *guest;

			if (ch == '"' || ch == '\\')
				*p++ = '\\';
			*p++ = ch >= ' ' && ch <= '~' ? ch : '_';
		}
		*p++ = '"';
	}
	*p = 0;
}

static void head(struct text *t, const char *name, const char *unit,
		 const char *help, const char *type)
{
	put(t, "# HELP fpr_%s%s %s\n# TYPE fpr_%s%s %s\n", name, unit, help,
	    name, unit, type);
}

/* A sample that has no other label */
static void sample(struct text *t, const char *name, const char *unit,
		   const char *label)
{
	put(t, *label ? "fpr_%s%s{%s} " : "fpr_%s%s%s ", name, unit, label);
}

static void histogram(struct text *t, const struct counters *c,
		      const char *label)
{
	const char *comma = *label ? "," : "";
	uint64_t sum = 0;
	unsigned int i;

	head(t, "report", "_seconds", "Time to serve a report.", "histogram");
	for (i = 0; i <= COUNTERS_BUCKETS; i++) {
		sum += c->latency[i];
		put(t, "fpr_report_seconds_bucket{%s%sle=\"%s\"} %" PRIu64 "\n",
		    label, comma,
		    i < COUNTERS_BUCKETS ? buckets[i].seconds : "+Inf", sum);
	}
	sample(t, "report", "_seconds_sum", label);
	put(t, "%" PRIu64 ".%09" PRIu64 "\n", c->latency_sum_ns / 1000000000,
	    c->latency_sum_ns % 1000000000);
	sample(t, "report", "_seconds_count", label);
	put(t, "%" PRIu64 "\n", sum);
}

size_t counters_prometheus(const struct counters *c, const char *guest, char *to,
			   size_t size)
{
	struct text t = { .to = to, .size = size };
	/* "guest=", two quotes, everything escaped, the final 0 */
	char label[6 + 2 + 2 * MAX_LABEL + 1];
	unsigned int i;

	make_label(label, guest);
	for (i = 0; i < ARRAY_SIZE(plain); i++) {
		head(&t, plain[i].name, "_total", plain[i].help, "counter");
		sample(&t, plain[i].name, "_total", label);
		put(&t, "%" PRIu64 "\n", plain_value(c, i));
	}
	head(&t, "refused_bytes", "_total",
	     "Bytes reported that were not discarded.", "counter");
	for (i = 0; i < DISCARD_NR_REASONS; i++)
		put(&t, "fpr_refused_bytes_total{%s%sreason=\"%s\"} %" PRIu64
		    "\n", label, *label ? "," : "",
		    discard_reason_name((enum discard_reason)i),
		    c->refused_bytes[i]);
	histogram(&t, c, label);
	return t.len;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int counters_write_file(const char *path, const char *text, size_t len)
{
	char temp[PATH_MAX];
	int fd, err, n;

	n = snprintf(temp, sizeof(temp), "%s.%d.tmp", path, (int)getpid());
	if (n < 0 || (size_t)n >= sizeof(temp))
		return -ENAMETOOLONG;
	/* The name of a program that died may be in the way, a link is not. */
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		  0644);
	if (fd < 0)
		return -errno;
	err = write_all(fd, text, len);
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(temp, path))
		err = -errno;
	if (err)
		unlink(temp);
	return err;
}
