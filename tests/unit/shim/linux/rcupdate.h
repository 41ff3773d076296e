/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_RCUPDATE_H
#define _SHIM_RCUPDATE_H

extern void cond_resched_tasks_rcu_qs(void);

#endif
