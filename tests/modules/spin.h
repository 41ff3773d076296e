/* SPDX-License-Identifier: GPL-2.0 */
/* Keeping a CPU busy, for the test modules. */
#ifndef _FPR_TEST_SPIN_H
#define _FPR_TEST_SPIN_H

#include <linux/compiler.h>
#include <linux/ktime.h>
#include <linux/processor.h>
#include <linux/timekeeping.h>

/* By the clock: emulated, mdelay() may be over many times too soon. */
static __always_inline void spin_ms(unsigned int ms)
{
	u64 end = ktime_get_mono_fast_ns() + (u64)ms * NSEC_PER_MSEC;

	while (ktime_get_mono_fast_ns() < end)
		cpu_relax();
}

#endif /* _FPR_TEST_SPIN_H */
