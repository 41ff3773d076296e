/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether the kernel's functions that are called, or hooked, without being exported
 * are those that fpr knows.
 */
#ifndef _FPR_PROTO_H
#define _FPR_PROTO_H

int fpr_proto_init(void);
void fpr_proto_done(void);
int fpr_proto_check(const char *name, const char *const *known);

#endif /* _FPR_PROTO_H */
