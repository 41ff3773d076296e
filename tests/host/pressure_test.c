// SPDX-License-Identifier: GPL-2.0
/* From pressure to levels: the pure part. */
#include <stdbool.h>

#include "../unit/test.h"

#include "../../src/host/pressure.h"

static const struct pressure_limits limits = { { 1, 10, 40 } };

static void parses(void **state)
{
	uint64_t total;

	(void)state;
	assert_true(pressure_parse_total(
		"some avg10=1.50 avg60=0.00 avg300=0.00 total=123456789012\n"
		"full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n", &total));
	assert_int_equal(total, 123456789012);
	assert_true(pressure_parse_total("full avg10=0 total=7\nsome total=8", &total));
	assert_int_equal(total, 8);
	assert_false(pressure_parse_total("", &total));
	assert_false(pressure_parse_total("full avg10=0.00 total=7\n", &total));
	assert_false(pressure_parse_total("some avg10=0.00\n", &total));
	assert_false(pressure_parse_total("some total=\n", &total));
	assert_false(pressure_parse_total("something total=5\n", &total));
}

static void names(void **state)
{
	unsigned int level;

	(void)state;
	for (unsigned int i = 0; i < PRESSURE_LEVELS; i++) {
		assert_true(pressure_parse_level(pressure_level_name(i), &level));
		assert_int_equal(level, i);
	}
	assert_false(pressure_parse_level("auto", &level));
	assert_false(pressure_parse_level("", &level));
	assert_string_equal(pressure_level_name(PRESSURE_LEVELS), "?");
}

/* Up at once, exactly at the limit. */
static void rises(void **state)
{
	static const struct {
		uint32_t share;
		unsigned int level;
	} rows[] = {
		{ 0, 0 }, { 99, 0 }, { 100, 1 }, { 999, 1 }, { 1000, 2 },
		{ 3999, 2 }, { 4000, 3 }, { 10000, 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pressure_state s = { 0 };

		assert_int_equal(pressure_next(&s, &limits, rows[i].share),
				 rows[i].level);
	}
}

/* Down one level after five calm samples in a row, not before. */
static void falls_slowly(void **state)
{
	struct pressure_state s = { 0 };

	(void)state;
	assert_int_equal(pressure_next(&s, &limits, 10000), 3);
	for (unsigned int level = 3; level > 0; level--) {
		for (int i = 0; i < 4; i++)
			assert_int_equal(pressure_next(&s, &limits, 0), level);
		assert_int_equal(pressure_next(&s, &limits, 0), level - 1);
	}
	assert_int_equal(pressure_next(&s, &limits, 0), 0);
}

/* Half of the limit is not calm, and one such sample starts the count again. */
static void wavers(void **state)
{
	struct pressure_state s = { 0 };

	(void)state;
	assert_int_equal(pressure_next(&s, &limits, 1500), 2);
	for (int i = 0; i < 100; i++)
		assert_int_equal(pressure_next(&s, &limits, 500), 2);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pressure_next(&s, &limits, 499), 2);
	assert_int_equal(pressure_next(&s, &limits, 500), 2);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pressure_next(&s, &limits, 499), 2);
	assert_int_equal(pressure_next(&s, &limits, 499), 1);
	assert_int_equal(pressure_next(&s, &limits, 4000), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(names),
		cmocka_unit_test(rises),
		cmocka_unit_test(falls_slowly),
		cmocka_unit_test(wavers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
