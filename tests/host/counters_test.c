// SPDX-License-Identifier: GPL-2.0
/* Counters: what is counted where, and how it is printed. */
#include "../unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/host/counters.h"

static struct counters c;
static char text[COUNTERS_TEXT_SIZE];

static int begin(void **state)
{
	static const struct discard_result some = {
		.discarded = 1 << 20,
		.refused = { [DISCARD_GRANULE] = 512, [DISCARD_RANGE] = 4096 },
	};
	static const struct discard_result more = {
		.discarded = 4096,
		.refused = { [DISCARD_DISABLED] = 7, [DISCARD_ERROR] = 9 },
	};

	(void)state;
	memset(&c, 0, sizeof(c));
	memset(text, 0, sizeof(text));
	counters_report(&c, 3, &some, 9999);
	counters_report(&c, 1, &more, 20000000000ULL);
	c.requests_made = 5;
	c.requests_answered = 4;
	return 0;
}

/* A whole line of the text */
static void has(const char *line)
{
	size_t len = strlen(line);
	const char *at = text;

	while ((at = strstr(at, line))) {
		if ((at == text || at[-1] == '\n') && at[len] == '\n')
			return;
		at++;
	}
	fail_msg("no line \"%s\" in:\n%s", line, text);
}

static void reports_are_counted(void **state)
{
	(void)state;
	assert_int_equal(c.reports, 2);
	assert_int_equal(c.ranges, 4);
	assert_int_equal(c.discarded_bytes, (1 << 20) + 4096);
	assert_int_equal(c.refused_bytes[DISCARD_GRANULE], 512);
	assert_int_equal(c.refused_bytes[DISCARD_ERROR], 9);
	assert_int_equal(c.latency[0], 1);
	assert_int_equal(c.latency[COUNTERS_BUCKETS], 1);
	assert_int_equal(c.latency_sum_ns, 20000009999ULL);
}

static void buckets_include_their_limit(void **state)
{
	static const struct discard_result none;
	unsigned int i;
	uint64_t ns;

	(void)state;
	memset(&c, 0, sizeof(c));
	counters_report(&c, 0, &none, 10000);
	assert_int_equal(c.latency[0], 1);
	counters_report(&c, 0, &none, 10001);
	assert_int_equal(c.latency[1], 1);
	counters_report(&c, 0, &none, 10000000000ULL);
	assert_int_equal(c.latency[COUNTERS_BUCKETS - 1], 1);
	counters_report(&c, 0, &none, 10000000001ULL);
	counters_report(&c, 0, &none, UINT64_MAX);
	assert_int_equal(c.latency[COUNTERS_BUCKETS], 2);
	/* Each bucket can be reached. */
	memset(&c, 0, sizeof(c));
	for (ns = 1; ns < 1ULL << 40; ns += ns / 2 + 1)
		counters_report(&c, 0, &none, ns);
	for (i = 0; i <= COUNTERS_BUCKETS; i++)
		assert_true(c.latency[i]);
}

static void the_text_has_a_line_each(void **state)
{
	size_t len = counters_text(&c, text, sizeof(text));

	(void)state;
	assert_int_equal(len, strlen(text));
	has("reports 2");
	has("ranges 4");
	has("discarded_bytes 1052672");
	has("refused_granule_bytes 512");
	has("refused_range_bytes 4096");
	has("refused_disabled_bytes 7");
	has("refused_error_bytes 9");
	has("requests_made 5");
	has("requests_answered 4");
	has("reports_within_0.00001_s 1");
	has("reports_slower 1");
	has("reports_us 20000009");
}

static void prometheus_reads_it(void **state)
{
	size_t len = counters_prometheus(&c, NULL, text, sizeof(text));

	(void)state;
	assert_int_equal(len, strlen(text));
	has("# TYPE fpr_reports_total counter");
	has("fpr_reports_total 2");
	has("fpr_discarded_bytes_total 1052672");
	has("fpr_refused_bytes_total{reason=\"range\"} 4096");
	has("# TYPE fpr_report_seconds histogram");
	has("fpr_report_seconds_bucket{le=\"0.00001\"} 1");
	has("fpr_report_seconds_bucket{le=\"10\"} 1");
	has("fpr_report_seconds_bucket{le=\"+Inf\"} 2");
	has("fpr_report_seconds_sum 20.000009999");
	has("fpr_report_seconds_count 2");
	counters_prometheus(&c, "", text, sizeof(text));
	has("fpr_reports_total 2");
}

static void the_label_is_escaped(void **state)
{
	char name[200];

	(void)state;
	counters_prometheus(&c, "vm1", text, sizeof(text));
	has("fpr_reports_total{guest=\"vm1\"} 2");
	has("fpr_refused_bytes_total{guest=\"vm1\",reason=\"error\"} 9");
	has("fpr_report_seconds_bucket{guest=\"vm1\",le=\"+Inf\"} 2");
	has("fpr_report_seconds_sum{guest=\"vm1\"} 20.000009999");
	counters_prometheus(&c, "a\"b\\c\nd\xc3\xa4", text, sizeof(text));
	has("fpr_reports_total{guest=\"a\\\"b\\\\c_d__\"} 2");
	/* The longest, all of it escaped */
	memset(name, '"', sizeof(name));
	name[sizeof(name) - 1] = 0;
	assert_true(counters_prometheus(&c, name, text, sizeof(text)) <
		    sizeof(text));
	assert_non_null(strstr(text, "\\\"\"}"));
}

static void the_largest_numbers_fit(void **state)
{
	char name[80];

	(void)state;
	memset(&c, 0xff, sizeof(c));
	memset(name, '\\', sizeof(name));
	name[sizeof(name) - 1] = 0;
	assert_true(counters_text(&c, text, sizeof(text)) < sizeof(text));
	has("reports 18446744073709551615");
	assert_true(counters_prometheus(&c, name, text, sizeof(text)) <
		    sizeof(text));
}

static void a_small_buffer_is_told(void **state)
{
	size_t need = counters_text(&c, NULL, 0), need2, n;

	(void)state;
	assert_true(need > 100);
	for (n = 1; n <= need; n += 7) {
		memset(text, 'x', sizeof(text));
		assert_int_equal(counters_text(&c, text, n), need);
		assert_int_equal(strlen(text), n - 1);
		assert_int_equal(text[n], 'x');
	}
	need2 = counters_prometheus(&c, "g", NULL, 0);
	memset(text, 'x', sizeof(text));
	assert_int_equal(counters_prometheus(&c, "g", text, 10), need2);
	assert_int_equal(text[10], 'x');
}

static void a_file_is_replaced_as_a_whole(void **state)
{
	char dir[] = "/tmp/fpr-test-XXXXXX", path[64], temp[96], data[16];
	struct stat st;
	int fd, old;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/fpr.prom", dir);
	snprintf(temp, sizeof(temp), "%s.%d.tmp", path, (int)getpid());
	assert_int_equal(counters_write_file(path, "first", 5), 0);
	old = open(path, O_RDONLY);
	/* Left over by somebody who had this number before */
	fd = open(temp, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "longer than the text", 20), 20);
	close(fd);
	assert_int_equal(counters_write_file(path, "second", 6), 0);
	/* Who has the old one open still reads all of it. */
	assert_int_equal(read(old, data, sizeof(data)), 5);
	assert_memory_equal(data, "first", 5);
	close(old);
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, data, sizeof(data)), 6);
	assert_memory_equal(data, "second", 6);
	close(fd);
	assert_int_not_equal(lstat(temp, &st), 0);
	/* A link in the way is not followed. */
	assert_int_equal(symlink(path, temp), 0);
	assert_int_equal(counters_write_file(path, "third", 5), -ELOOP);
	unlink(temp);
	unlink(path);
	assert_int_equal(rmdir(dir), 0);
}

static void what_cannot_be_written_is_told(void **state)
{
	char dir[] = "/tmp/fpr-test-XXXXXX", path[64], *name;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/no/fpr.prom", dir);
	assert_int_equal(counters_write_file(path, "x", 1), -ENOENT);
	/* The target is a directory: the temporary file goes again. */
	snprintf(path, sizeof(path), "%s/dir", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(counters_write_file(path, "x", 1), -EISDIR);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(dir), 0);
	name = calloc(1, 5000);
	memset(name, 'n', 4999);
	assert_int_equal(counters_write_file(name, "x", 1), -ENAMETOOLONG);
	free(name);
}

static void a_full_disk_leaves_the_old_file(void **state)
{
	char dir[] = "/tmp/fpr-test-XXXXXX", path[64], data[16];
	struct rlimit old, small = { 4, 4 };
	int fd, ret;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/fpr.prom", dir);
	assert_int_equal(counters_write_file(path, "old", 3), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	ret = counters_write_file(path, "new text", 8);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(ret, -EFBIG);
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, data, sizeof(data)), 3);
	assert_memory_equal(data, "old", 3);
	close(fd);
	unlink(path);
	/* Nothing else is there. */
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define COUNTERS_TEST(f) cmocka_unit_test_setup(f, begin)
		COUNTERS_TEST(reports_are_counted),
		COUNTERS_TEST(buckets_include_their_limit),
		COUNTERS_TEST(the_text_has_a_line_each),
		COUNTERS_TEST(prometheus_reads_it),
		COUNTERS_TEST(the_label_is_escaped),
		COUNTERS_TEST(the_largest_numbers_fit),
		COUNTERS_TEST(a_small_buffer_is_told),
		COUNTERS_TEST(a_file_is_replaced_as_a_whole),
		COUNTERS_TEST(what_cannot_be_written_is_told),
		COUNTERS_TEST(a_full_disk_leaves_the_old_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
