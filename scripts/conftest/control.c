// SPDX-License-Identifier: GPL-2.0
/* Uses nothing that ever shifted: must compile against every kernel. */
#include <linux/module.h>

MODULE_LICENSE("GPL");
