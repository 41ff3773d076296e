/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_BITOPS_H
#define _SHIM_BITOPS_H

#include <linux/types.h>

#define BITS_TO_LONGS(n)	(((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)

static inline bool test_bit(unsigned long n, const unsigned long *bits)
{
	return READ_ONCE(bits[n / BITS_PER_LONG]) >> n % BITS_PER_LONG & 1;
}

static inline bool test_and_set_bit(unsigned long n, unsigned long *bits)
{
	unsigned long mask = 1UL << n % BITS_PER_LONG;

	return __atomic_fetch_or(&bits[n / BITS_PER_LONG], mask,
				 __ATOMIC_SEQ_CST) & mask;
}

static inline bool test_and_clear_bit(unsigned long n, unsigned long *bits)
{
	unsigned long mask = 1UL << n % BITS_PER_LONG;

	return __atomic_fetch_and(&bits[n / BITS_PER_LONG], ~mask,
				  __ATOMIC_SEQ_CST) & mask;
}

/* Those of one owner, plain as in the kernel. */
static inline bool __test_and_set_bit(unsigned long n, unsigned long *bits)
{
	unsigned long mask = 1UL << n % BITS_PER_LONG, old = bits[n / BITS_PER_LONG];

	bits[n / BITS_PER_LONG] = old | mask;
	return old & mask;
}

static inline bool __test_and_clear_bit(unsigned long n, unsigned long *bits)
{
	unsigned long mask = 1UL << n % BITS_PER_LONG, old = bits[n / BITS_PER_LONG];

	bits[n / BITS_PER_LONG] = old & ~mask;
	return old & mask;
}

#define __set_bit(n, bits)	((void)__test_and_set_bit(n, bits))
#define __clear_bit(n, bits)	((void)__test_and_clear_bit(n, bits))
#define __ffs(word)		((unsigned long)__builtin_ctzl(word))
#define xchg(p, v)		__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)

/* A word at a time, as in the kernel: the benchmark counts on it. */
static inline unsigned long find_next_bit(const unsigned long *bits,
					  unsigned long size,
					  unsigned long from)
{
	unsigned long i = from / BITS_PER_LONG, word;

	if (from >= size)
		return size;
	word = bits[i] & (~0UL << from % BITS_PER_LONG);
	while (!word && ++i < BITS_TO_LONGS(size))
		word = bits[i];
	from = word ? i * BITS_PER_LONG + __ffs(word) : size;
	return from < size ? from : size;
}

#define find_first_bit(bits, size)	find_next_bit(bits, size, 0)
#define for_each_set_bit_from(bit, bits, size)				\
	for ((bit) = find_next_bit(bits, size, bit); (bit) < (size);	\
	     (bit) = find_next_bit(bits, size, (bit) + 1))
#define for_each_set_bit(bit, bits, size)				\
	for ((bit) = find_first_bit(bits, size); (bit) < (size);	\
	     (bit) = find_next_bit(bits, size, (bit) + 1))

#endif
