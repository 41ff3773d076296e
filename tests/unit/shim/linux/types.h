/* SPDX-License-Identifier: GPL-2.0 */
/* Just enough of the kernel for the pure parts of fpr to build in userspace. */
#ifndef _SHIM_TYPES_H
#define _SHIM_TYPES_H

#include_next <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t u64;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint16_t u16;
typedef uint8_t u8;

#define U8_MAX		UINT8_MAX
#define BITS_PER_LONG	__WORDSIZE
#define READ_ONCE(x)	(*(const volatile typeof(x) *)&(x))
#undef __always_inline
#define __always_inline	inline __attribute__((always_inline))

#endif
