/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LOG2_H
#define _SHIM_LOG2_H

#define ilog2(n)	(BITS_PER_LONG - 1 - __builtin_clzl(n))

static inline unsigned long roundup_pow_of_two(unsigned long n)
{
	return n < 2 ? 1 : 1UL << (BITS_PER_LONG - __builtin_clzl(n - 1));
}

#endif
