// SPDX-License-Identifier: GPL-2.0
#include <linux/hrtimer.h>

void probe(struct hrtimer *timer, enum hrtimer_restart (*fired)(struct hrtimer *));
void probe(struct hrtimer *timer, enum hrtimer_restart (*fired)(struct hrtimer *))
{
	hrtimer_setup(timer, fired, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
}
