/* SPDX-License-Identifier: GPL-2.0 */
/* /sys/kernel/fpr: see docs/abi/sysfs-kernel-fpr. */
#ifndef _FPR_SYSFS_H
#define _FPR_SYSFS_H

int fpr_sysfs_init(void);
void fpr_sysfs_exit(void);

#endif /* _FPR_SYSFS_H */
