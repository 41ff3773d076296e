/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_KERNEL_H
#define _SHIM_KERNEL_H

#include <stdio.h>

#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))

#endif
