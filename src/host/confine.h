/* SPDX-License-Identifier: GPL-2.0 */
/* What the program gives up once it is set up. */
#ifndef FPR_HOST_CONFINE_H
#define FPR_HOST_CONFINE_H

#include <stdbool.h>

/**
 * confine() - no new privileges, no capabilities, few system calls
 *
 * What the kernel does not let be given up is said in the log; the program goes on.
 * A system call that is not on the list fails with ENOSYS: the C library
 * has another way, or the operation fails as any may.  Not with sanitizers, which
 * need more.
 * Return: false if capabilities are left, which is said too.
 */
bool confine(void);

#endif /* FPR_HOST_CONFINE_H */
