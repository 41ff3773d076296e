/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fpr - free page reporting: the contract between the core and a reporting
 * device.
 *
 * The core (fpr.ko) finds free memory, takes it out of the buddy allocator and
 * hands it to the one registered device as a scatterlist.  The device tells its
 * host that the contents of those pages are not needed, waits until the host
 * has acknowledged it, and returns; the core then gives the pages back to the
 * allocator.  A driver is written from this header alone:
 *
 *	static int my_report(struct fpr_device *fdev, struct scatterlist *sgl,
 *			     unsigned int nents)
 *	{
 *		send the entries, sleep until the host has acknowledged all;
 *		return 0;
 *	}
 *
 *	static const struct fpr_device_ops my_ops = { .report = my_report };
 *
 *	fdev->name = "my-device";
 *	fdev->ops = &my_ops;
 *	fdev->max_entries = 32;
 *	fdev->fills = BIT(FPR_FILL_ANY) | BIT(FPR_FILL_ZERO);
 *	err = fpr_register_device(fdev);
 */
#ifndef _FPR_FPR_H
#define _FPR_FPR_H

#include <linux/bits.h>
#include <linux/types.h>

struct fpr_device;
struct scatterlist;

/**
 * enum fpr_fill - what a reported page must read as when it is used again
 * @FPR_FILL_ANY: anything; this kernel overwrites pages before it trusts them
 * @FPR_FILL_ZERO: zero bytes; the kernel runs with init_on_free, which clears a
 *	page when it is freed and relies on that when it is allocated
 * @FPR_FILL_POISON: the byte of fpr_fill_value(); the kernel runs with
 *	page_poison and checks that free pages were not written to
 *
 * Source: mm/page_alloc.c post_alloc_hook(), mm/page_poison.c; virtio 1.2
 * section 5.5.6.6 (Page Poison).
 */
enum fpr_fill {
	FPR_FILL_ANY,
	FPR_FILL_ZERO,
	FPR_FILL_POISON,
};

/**
 * struct fpr_device_ops - what a reporting device does for the core
 * @report: report the memory described by @sgl, @nents entries, to the host.
 *
 *	Context: process context, one call at a time, no locks held; may sleep.
 *	None runs or begins while the system goes to sleep, sleeps or wakes up.
 *
 *	The entries are page aligned, do not overlap, are in ascending address
 *	order, and each is physically contiguous, at most @max_entry_bytes long
 *	(struct fpr_device) and a multiple of the page size.  The scatterlist
 *	belongs to the core; the device may read it until it returns.
 *
 *	Return: 0 when the host has acknowledged every entry, or a negative
 *	errno.  **In both cases the host must not touch the pages any more**:
 *	they are free memory again as soon as the call has returned.  A device
 *	that gives up on an answer therefore resets the host side first.  After
 *	an error the core keeps the blocks as candidates and tries again, ever
 *	more rarely (1 s doubling to 64 s).  -ENODEV says that the device is
 *	being removed: it is not counted as an error.
 *
 * @all_reported: what fpr_request_all() asked for has been reported, @bytes in all;
 *	answers request @number and those before it.  Optional.
 *
 *	Context: as @report, and never at the same time.
 *
 * @hint: name the memory described by @sgl, @nents entries, to the host as free at
 *	this moment, for request @number of fpr_hint_start().  Optional.
 *
 *	Context, entries: as @report, and never at the same time.
 *
 *	A host that migrates the guest uses hints to leave out what nobody needs.
 *	As with @report the memory is the core's while the call runs, and free
 *	again when it has returned.  Then the host has to notice when the guest
 *	writes to it, and may not touch what was written; until then it may change
 *	what the memory holds.
 *
 *	Return: 0, or a negative errno, which ends the request.
 *
 * @hint_done: no more is named for request @number: all free memory was, or the
 *	request was stopped, or ended with an error.  Once for each request that
 *	was begun.  A device that has @hint has this too.
 *
 *	Context: as @report, and never at the same time.
 */
struct fpr_device_ops {
	int (*report)(struct fpr_device *fdev, struct scatterlist *sgl,
		      unsigned int nents);
	void (*all_reported)(struct fpr_device *fdev, u32 number, u64 bytes);
	int (*hint)(struct fpr_device *fdev, u32 number,
		    struct scatterlist *sgl, unsigned int nents);
	void (*hint_done)(struct fpr_device *fdev, u32 number);
};

/**
 * enum fpr_pressure - how badly the host needs memory
 * @FPR_PRESSURE_UNKNOWN: the device does not say; delay_ms as it is
 * @FPR_PRESSURE_NONE: it has plenty: memory waits eight times delay_ms
 * @FPR_PRESSURE_LOW: delay_ms as it is
 * @FPR_PRESSURE_HIGH: a quarter of delay_ms, and no threshold_kb
 * @FPR_PRESSURE_CRITICAL: at once, whatever delay_ms and threshold_kb say
 */
enum fpr_pressure {
	FPR_PRESSURE_UNKNOWN,
	FPR_PRESSURE_NONE,
	FPR_PRESSURE_LOW,
	FPR_PRESSURE_HIGH,
	FPR_PRESSURE_CRITICAL,
	/* private: */
	FPR_NR_PRESSURES
};

/**
 * struct fpr_device - a reporting device and its limits
 * @name: shown in /sys/kernel/fpr/device and in log lines; must stay valid
 *	while the device is registered
 * @ops: operations
 * @max_entries: most scatterlist entries of one report (at least 1; the core
 *	uses at most %FPR_MAX_ENTRIES)
 * @max_entry_bytes: longest entry in bytes; 0 for "no limit".  At least one
 *	page, rounded down to whole pages by the core
 * @min_order: smallest order of contiguous free memory the host can discard (0
 *	if it can discard single base pages); never undercut by the order
 *	parameter
 * @fills: bit mask of BIT(enum fpr_fill): the kinds of content that the host
 *	guarantees of a page after it was reported
 *
 * Filled in by the driver before fpr_register_device() and constant from then
 * until fpr_unregister_device() has returned.
 */
struct fpr_device {
	const char *name;
	const struct fpr_device_ops *ops;
	unsigned int max_entries;
	u64 max_entry_bytes;
	unsigned int min_order;
	unsigned long fills;
};

/* Most entries that the core puts into one report, whatever the device takes. */
#define FPR_MAX_ENTRIES 1024

/**
 * fpr_register_device() - start reporting free memory to a device
 * @fdev: device; see &struct fpr_device for its lifetime
 *
 * All memory that is free now becomes a candidate and is reported first.
 * @report may be called before this function has returned.
 *
 * Context: process context, may sleep; takes the core's mutexes.
 * Return: 0; -EINVAL for a nonsensical device; -EBUSY when a device is
 * registered already; -EOPNOTSUPP when this kernel needs free pages to keep a
 * content (init_on_free, page_poison) that the device does not guarantee;
 * -ENOMEM.  Each refusal is explained in one line of the kernel log.
 */
int fpr_register_device(struct fpr_device *fdev);

/**
 * fpr_unregister_device() - stop reporting to a device
 * @fdev: the device; a device that is not registered is ignored
 *
 * When it returns no @report call runs or will begin, and every page is back in
 * the allocator.  It waits for a running @report: a driver whose hardware is
 * gone or silent makes that call return first (resetting the device and waking
 * the waiter).
 *
 * Context: process context, may sleep; takes the core's mutexes.  Must not be
 * called from an operation of the device.
 */
void fpr_unregister_device(struct fpr_device *fdev);

/**
 * fpr_set_pressure() - the host needs memory more badly, or less
 * @fdev: the device; one that is not registered is ignored
 * @pressure: level; %FPR_PRESSURE_UNKNOWN when it is registered
 *
 * Context: process context, may sleep; takes the core's engine mutex.  Not from
 * an operation of the device.
 */
void fpr_set_pressure(struct fpr_device *fdev, enum fpr_pressure pressure);

/**
 * fpr_request_all() - have all free memory reported now
 * @fdev: the device; one that is not registered is ignored
 * @number: handed to @all_reported
 * @order: smallest order to report, also below the order parameter; the device's
 *	own limit holds
 *
 * Returns at once; @all_reported says when it is done.  While reporting is paused,
 * memory is short or reports fail (but for one attempt), the request waits; it is
 * dropped when the device is unregistered.
 *
 * Context: process context, may sleep; takes the core's engine mutex.
 */
void fpr_request_all(struct fpr_device *fdev, u32 number, unsigned int order);

/**
 * fpr_hint_start() - have all free memory named to the host, once
 * @fdev: the device, with a @hint operation
 * @number: handed to @hint and @hint_done
 *
 * All memory that is free in whole blocks of 2 MiB, reported before or not, whatever
 * its age; nothing that a report goes by is changed.  Returns at once.  A request
 * that is under way ends, with its @hint_done, and this one begins.  While
 * reporting is paused it waits; a pause ends one that is under way.  It is dropped
 * when the device is unregistered.  In a kernel that relies on what free pages hold
 * (fpr_fill_needed()) nothing is named: a request is done at once.
 *
 * Context: process context, may sleep; takes the core's engine mutex.  Not from
 * an operation of the device.
 * Return: 0, or -ENODEV for a device that is not registered.
 * Source: virtio 1.2 section 5.5.6.5 (Free Page Hinting).
 */
int fpr_hint_start(struct fpr_device *fdev, u32 number);

/**
 * fpr_hint_stop() - the host does not want to know any more
 * @fdev: the device; one that is not registered is ignored
 *
 * Returns at once; what is with the host now is the last, and then comes the
 * @hint_done of a request that was begun.
 *
 * Context: as fpr_hint_start().
 */
void fpr_hint_stop(struct fpr_device *fdev);

/**
 * fpr_fill_needed() - what this kernel needs reported pages to read as
 *
 * Context: any.
 * Return: the kind of content; constant after boot.
 */
enum fpr_fill fpr_fill_needed(void);

/**
 * fpr_fill_value() - the byte that free pages are filled with
 *
 * Context: any.
 * Return: 0 for %FPR_FILL_ZERO and %FPR_FILL_ANY, the poison byte of
 * linux/poison.h for %FPR_FILL_POISON.
 */
u8 fpr_fill_value(void);

/**
 * struct fpr_run - free memory that a driver has taken
 * @pfn: first page frame
 * @pages: base pages
 */
struct fpr_run {
	unsigned long pfn;
	unsigned long pages;
};

/**
 * fpr_take_runs() - take whole free pageblocks out of the allocator, to keep them
 * @runs: filled in, in no order that can be relied on
 * @max: how many there may be
 * @pages: most base pages in all; fewer than a pageblock has get none
 *
 * For a balloon: the pages are free as the allocator had them, not cleared, with no
 * references and no type.  They are not of memory that is there for movable pages
 * only (ZONE_MOVABLE, CMA), and leave each zone what is below its low watermark.
 * They are the caller's until fpr_put_run().  A memory notifier of the caller's
 * gives them back at MEM_GOING_OFFLINE; until then the section cannot go.
 *
 * The search goes on where the last call ended, and round at the end of memory: a
 * caller that wants the runs in the order of their addresses sorts them.
 *
 * Context: process context, may sleep; takes the core's engine mutex.
 * Return: number of runs; 0 too while memory is short.
 */
unsigned int fpr_take_runs(struct fpr_run *runs, unsigned int max,
			   unsigned long pages);

/**
 * fpr_put_run() - give memory back that was taken
 * @pfn: first page frame
 * @pages: base pages; a run may be given back in parts
 *
 * The pages are as they were taken: no references, no type, private 0.
 * Context: any that may take zone->lock; allocates nothing, does not sleep.
 */
void fpr_put_run(unsigned long pfn, unsigned long pages);

#endif /* _FPR_FPR_H */
