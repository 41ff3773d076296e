/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interfaces of the memory side that shifted between kernels, each once, under
 * fpr's own name.  FPR_HAVE_* come from the compile probes
 * (scripts/conftest), which stop the build if no known variant fits.
 */
#ifndef _FPR_COMPAT_H
#define _FPR_COMPAT_H

#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/version.h>

#include "fpr-conf.h"

/* Kernels that fpr was tested on; outside of it prototypes are proven. */
#define FPR_KERNEL_TESTED (LINUX_VERSION_CODE >= KERNEL_VERSION(5, 10, 0) && \
			   LINUX_VERSION_CODE < KERNEL_VERSION(7, 4, 0))
#define FPR_KERNEL_RANGE "5.10 to 7.3"

/* Whether the tracepoints of the free path hand to a probe what fpr's takes. */
#if defined(FPR_HAVE_TRACE_PAGE_FREE)
#define FPR_KNOWN_TRACEPOINTS true
#else
#define FPR_KNOWN_TRACEPOINTS false
#endif

/* Largest order of the buddy allocator, inclusive on every kernel. */
#define FPR_MAX_ORDER ilog2(MAX_ORDER_NR_PAGES)

/* Migratetype of a pageblock: one symbol before, another since 6.17. */
#if defined(FPR_HAVE_GET_PFNBLOCK_MIGRATETYPE)
#define FPR_MIGRATETYPE_SYMBOL	"get_pfnblock_migratetype"
#define FPR_MIGRATETYPE_RETURN	enum migratetype
#define FPR_MIGRATETYPE_PROTO	"enum migratetype(struct page *, unsigned long)"
#define FPR_MIGRATETYPE_PARAMS	const struct page *page, unsigned long pfn
#define FPR_MIGRATETYPE_ARGS(p)	(p), page_to_pfn(p)
#else
#define FPR_MIGRATETYPE_SYMBOL	"get_pfnblock_flags_mask"
#define FPR_MIGRATETYPE_RETURN	unsigned long
#define FPR_MIGRATETYPE_PROTO	\
	"unsigned long(struct page *, unsigned long, unsigned long)"
#if defined(FPR_HAVE_GET_PFNBLOCK_FLAGS_MASK)
#define FPR_MIGRATETYPE_PARAMS	const struct page *page, unsigned long pfn, \
				unsigned long mask
#elif defined(FPR_HAVE_GET_PFNBLOCK_FLAGS_MASK_MUTABLE)
#define FPR_MIGRATETYPE_PARAMS	struct page *page, unsigned long pfn, \
				unsigned long mask
#endif
#define FPR_MIGRATETYPE_ARGS(p)	(p), page_to_pfn(p), MIGRATETYPE_MASK
#endif

#if defined(FPR_HAVE_CC_PLATFORM)
#include <linux/cc_platform.h>
static inline bool fpr_memory_encrypted(void)
{
	return cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT);
}
#elif defined(FPR_HAVE_MEM_ENCRYPT_ACTIVE)
#include <linux/mem_encrypt.h>
static inline bool fpr_memory_encrypted(void)
{
	return mem_encrypt_active();
}
#endif

#if defined(FPR_HAVE_PAGE_POISONING_STATIC)
static inline bool fpr_page_poisoning(void)
{
	return page_poisoning_enabled_static();
}
#elif defined(FPR_HAVE_PAGE_POISONING_PLAIN)
static inline bool fpr_page_poisoning(void)
{
	return page_poisoning_enabled();
}
#endif

/* Batches of folios, which 5.10 does not have. */
#if defined(FPR_HAVE_FOLIO_BATCH_HEADER)
#include <linux/folio_batch.h>
#define FPR_FOLIO_BATCHES
#elif defined(FPR_HAVE_FOLIO_BATCH_PAGEVEC)
#include <linux/pagevec.h>
#define FPR_FOLIO_BATCHES
#endif

#endif /* _FPR_COMPAT_H */
