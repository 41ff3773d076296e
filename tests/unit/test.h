/* SPDX-License-Identifier: GPL-2.0 */
/* What every unit test includes: cmocka, in the order that it demands. */
#ifndef _UNIT_TEST_H
#define _UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A small repeatable generator; each random test prints nothing but its seed. */
static inline unsigned int next_random(unsigned int *state)
{
	*state = *state * 1103515245u + 12345u;
	return *state >> 8;
}

#endif
