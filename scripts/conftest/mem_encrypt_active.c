// SPDX-License-Identifier: GPL-2.0
/* Until 5.15: memory encryption. */
#include <linux/mem_encrypt.h>

bool fpr_probe(void);
bool fpr_probe(void)
{
	return mem_encrypt_active();
}
