/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_BITMAP_H
#define _SHIM_BITMAP_H

#include <linux/bitops.h>
#include <string.h>

/* As in the kernel: whole words. */
static inline void bitmap_copy(unsigned long *to, const unsigned long *from,
			       unsigned long n)
{
	memcpy(to, from, BITS_TO_LONGS(n) * sizeof(long));
}

static inline void bitmap_zero(unsigned long *bits, unsigned long n)
{
	memset(bits, 0, BITS_TO_LONGS(n) * sizeof(long));
}

#endif
