// SPDX-License-Identifier: GPL-2.0
/* Since 7.3: batches of folios have a header of their own. */
#include <linux/folio_batch.h>
#include <linux/mm.h>

unsigned int fpr_probe(struct folio_batch *batch);
unsigned int fpr_probe(struct folio_batch *batch)
{
	return folio_order(batch->folios[folio_batch_count(batch) - 1]);
}
