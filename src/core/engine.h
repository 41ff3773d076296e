/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The engine: one worker that ages blocks, and isolates, reports and puts back
 * those that are due.
 *
 * Locks, outermost first:
 *
 * fpr_control (mutex, control.c)
 *	registering, pausing, unloading: whatever starts and stops the engine.
 *	Holding it: @dev, @running and the armed hook do not change.
 * fpr_engine.lock (mutex)
 *	the block map but its marks, the batch, back-off, sweep, flush numbers,
 *	what the host wants, and what is being lent (lend.c).
 *	Holding it: no page is isolated, and no memory whose "present" bit is set
 *	goes offline (the hotplug notifier takes it).  It is dropped while the device
 *	reports and until its memory is back, so that a slow host blocks nobody but
 *	the worker, and who holds it keeps no memory from the allocator.
 * zone->lock (buddy.c)
 *	the free lists.
 */
#ifndef _FPR_ENGINE_H
#define _FPR_ENGINE_H

#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/wait.h>

#include <fpr/fpr.h>

#include "blockmap.h"
#include "buddy.h"
#include "feedback.h"

/**
 * struct fpr_request - all free memory is wanted now
 * @pending: it is
 * @fresh: asked for since the last attempt, which a back-off does not delay
 * @number: of the latest that was asked for
 * @order: down to this order
 * @from: pages that had been reported when the first of those asked that are
 *	answered together
 */
struct fpr_request {
	bool pending;
	bool fresh;
	u32 number;
	unsigned int order;
	unsigned long from;
};

/**
 * struct fpr_hint_request - free memory is to be named to the host
 * @pending: it is; false once it is done, or the host has changed its mind
 * @number: of the request, the latest one
 * @serving: of the one that is being served; the worker's
 */
struct fpr_hint_request {
	bool pending;
	u32 number;
	u32 serving;
};

/**
 * struct fpr_engine - the engine's state
 * @lock: see above
 * @map: what is known of each block
 * @dev: registered device or NULL (written under both mutexes)
 * @running: passes may run; false while paused or without device
 * @reporting: the device's report is running (shown, nothing else)
 * @armed: the next first mark need not wake the worker; see fpr_engine_wake()
 * @batch: isolated memory
 * @sgl: @batch as a scatterlist
 * @pos: page frame at which the pass goes on looking
 * @pieces: the block at @pos gives what is free in it in pieces
 * @aged: blocks finished since the latest report that were due since they were freed
 * @feedback: how much is worth keeping
 * @first_held: first block of @batch
 * @last_held: last block of @batch
 * @sweep_pending: a sweep is to be made at @sweep_at
 * @sweep_at: ms clock
 * @sweep_again: something was freed since @sweep_at was set: sweep once more
 * @fails: reports failed in a row
 * @backoff_until: ms clock; no pass before, if @fails
 * @flush_wanted: number of the latest flush asked for
 * @flush_done: number of the latest flush that has ended
 * @flush_err: its result: 0, -EIO, or -EAGAIN when the engine was stopped
 * @putbacks: number of batches put back
 * @putback_at: jiffies of the latest
 * @oom_until: jiffies; nothing is isolated before, since memory ran out; 0: never did
 * @oom_waits: likewise, while the OOM killer waits for a batch
 * @putback_wait: woken when @putbacks changes
 * @flush_wait: woken when @flush_done changes
 * @pressure: of the host, as the device says
 * @wanted: what the host has asked for
 * @served: the request that the present pass serves
 * @hint: what the host wants to be named, see hint.c
 * @worker: a thread of its own: drain_all_pages() does nothing from a workqueue
 *	in 5.10.  Not freezable: it would freeze behind its work with that still
 *	marked as the current one, and whoever cancels it then waits for ever
 *	(kthread_worker_fn(), kthread_cancel_work_sync()).  power.c stops it.
 * @work: the next run, on a timer
 * @now: a run that does not wait for it
 * @irq_work: from a hook, in any context, to @work
 */
struct fpr_engine {
	struct mutex lock;
	struct fpr_blockmap map;
	struct fpr_device *dev;
	bool running;
	bool reporting;
	int armed;
	struct fpr_batch batch;
	struct scatterlist *sgl;
	unsigned long pos;
	bool pieces;
	unsigned long aged;
	struct fpr_feedback feedback;
	unsigned long first_held;
	unsigned long last_held;
	bool sweep_pending;
	bool sweep_again;
	u32 sweep_at;
	unsigned int fails;
	u32 backoff_until;
	unsigned long flush_wanted;
	unsigned long flush_done;
	int flush_err;
	unsigned long putbacks;
	unsigned long putback_at;
	unsigned long oom_until;
	bool oom_waits;
	wait_queue_head_t putback_wait;
	wait_queue_head_t flush_wait;
	enum fpr_pressure pressure;
	struct fpr_request wanted;
	struct fpr_request served;
	struct fpr_hint_request hint;
	struct kthread_worker *worker;
	struct kthread_delayed_work work;
	struct kthread_work now;
	struct irq_work irq_work;
};

extern struct fpr_engine fpr_engine;

/* The device may hold this share of what a zone has free above low, or one buddy. */
#define FPR_ZONE_SHARE		4
/* So much of a cold block must be free in runs, or none of them is reported: the
 * host may have to split a huge page of its own for them.
 */
#define FPR_COLD_PAGES		(FPR_BLOCK_PAGES / 8)
/* Longest distance between two attempts while the device fails reports. */
#define FPR_MAX_BACKOFF_MS	64000

/* The wrapping millisecond clock of the block map; stands still in suspend. */
u32 fpr_now_ms(void);

/* Size of so many blocks in KiB. */
static inline unsigned long fpr_blocks_kb(unsigned long blocks)
{
	return blocks * (FPR_BLOCK_PAGES << (PAGE_SHIFT - 10));
}

int fpr_engine_init(void);
void fpr_engine_exit(void);
void fpr_engine_wake(void);
void fpr_engine_kick(void);
void fpr_engine_params_changed(void);
bool fpr_engine_busy(void);
void fpr_engine_start(void);
void fpr_engine_stop(void);

/* pass.c */
int fpr_pass(unsigned long due, u32 now, bool flush);
int fpr_send_batch(int (*send)(struct fpr_device *dev, struct scatterlist *sgl,
			       unsigned int nents),
		   void (*note)(int err));
bool fpr_wait_putback(unsigned int ms);

/* control.c */
void fpr_control_set_enabled(bool enabled);
void fpr_control_set_asleep(bool asleep);
int fpr_control_flush(void);
const char *fpr_control_state(void);

/* drain.c */
int fpr_drain_init(void);
void fpr_drain_exit(void);
void fpr_drain(void);

/* host.c */
unsigned int fpr_effective_order(void);
unsigned int fpr_piece_order(void);
unsigned long fpr_cold_run(void);
unsigned int fpr_delay_ms(void);
unsigned int fpr_cold_ms(void);
unsigned int fpr_threshold_kb(void);
unsigned int fpr_reserve_kb(void);
unsigned long fpr_reserve_blocks(u32 now);
const char *fpr_pressure_name(void);
bool fpr_request_begin(u32 now, bool backing_off);
void fpr_request_end(bool done);
void fpr_host_forget(void);

/* hint.c */
void fpr_hint_serve(void);

/* keep.c */
void fpr_keep_harvested(const struct fpr_harvest *h);
bool fpr_keep_block(unsigned long block, u32 now);
void fpr_keep_finished(unsigned long block);
void fpr_keep_reported(u32 now, bool aged);

/* lend.c */
int fpr_lend_init(void);
void fpr_lend_exit(void);

/* memory.c */
int fpr_memory_init(void);
void fpr_memory_exit(void);
unsigned long fpr_memory_runs(unsigned long block);
bool fpr_memory_whole(unsigned long block);
void fpr_memory_sweep(u32 due);
unsigned long fpr_memory_reported_free(void);

/* oom.c */
int fpr_oom_init(void);
void fpr_oom_exit(void);
unsigned int fpr_oom_pause_ms(void);

/* power.c */
int fpr_power_init(void);
void fpr_power_exit(void);

#endif /* _FPR_ENGINE_H */
