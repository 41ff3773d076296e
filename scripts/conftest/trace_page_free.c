// SPDX-License-Identifier: GPL-2.0
/* All kernels so far: what the tracepoints of the free path hand to a probe. */
#include <linux/mm.h>
#include <linux/slab.h>

#include <trace/events/kmem.h>

static void page_free(void *data, struct page *page, unsigned int order)
{
}

static void pcpu_drain(void *data, struct page *page, unsigned int order, int migratetype)
{
}

void fpr_probe(void);
void fpr_probe(void)
{
	check_trace_callback_type_mm_page_free(page_free);
	check_trace_callback_type_mm_page_pcpu_drain(pcpu_drain);
}
