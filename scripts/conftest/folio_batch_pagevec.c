// SPDX-License-Identifier: GPL-2.0
/* Since 5.17: pages of an unmapped range are freed in batches of folios. */
#include <linux/mm.h>
#include <linux/pagevec.h>

unsigned int fpr_probe(struct folio_batch *batch);
unsigned int fpr_probe(struct folio_batch *batch)
{
	return folio_order(batch->folios[folio_batch_count(batch) - 1]);
}
