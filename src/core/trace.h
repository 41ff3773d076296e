/* SPDX-License-Identifier: GPL-2.0 */
/* Trace events fpr:*, for perf, bpftrace and /sys/kernel/tracing/events/fpr. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM fpr

#if !defined(_FPR_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _FPR_TRACE_H

#include <linux/tracepoint.h>

TRACE_EVENT(fpr_pass,
	TP_PROTO(unsigned long due_blocks, unsigned long pages, u64 us),
	TP_ARGS(due_blocks, pages, us),
	TP_STRUCT__entry(
		__field(unsigned long, due_blocks)
		__field(unsigned long, pages)
		__field(u64, us)
	),
	TP_fast_assign(
		__entry->due_blocks = due_blocks;
		__entry->pages = pages;
		__entry->us = us;
	),
	TP_printk("due_blocks=%lu reported_pages=%lu us=%llu",
		  __entry->due_blocks, __entry->pages, __entry->us)
);

TRACE_EVENT(fpr_report,
	TP_PROTO(unsigned int segments, unsigned long pages, u64 us),
	TP_ARGS(segments, pages, us),
	TP_STRUCT__entry(
		__field(unsigned int, segments)
		__field(unsigned long, pages)
		__field(u64, us)
	),
	TP_fast_assign(
		__entry->segments = segments;
		__entry->pages = pages;
		__entry->us = us;
	),
	TP_printk("segments=%u pages=%lu us=%llu",
		  __entry->segments, __entry->pages, __entry->us)
);

TRACE_EVENT(fpr_error,
	TP_PROTO(int err, unsigned long pages, unsigned int backoff_ms),
	TP_ARGS(err, pages, backoff_ms),
	TP_STRUCT__entry(
		__field(int, err)
		__field(unsigned long, pages)
		__field(unsigned int, backoff_ms)
	),
	TP_fast_assign(
		__entry->err = err;
		__entry->pages = pages;
		__entry->backoff_ms = backoff_ms;
	),
	TP_printk("err=%d pages_put_back=%lu backoff_ms=%u",
		  __entry->err, __entry->pages, __entry->backoff_ms)
);

#endif /* _FPR_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
