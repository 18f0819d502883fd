/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing pages to whatever OUTPUT is: sparsely, or with zeros. */

#ifndef IOPRESS_CMD_PAGE_OUTPUT_H
#define IOPRESS_CMD_PAGE_OUTPUT_H

#include "cmd/output.h"
#include "pipeline/page_sink.h"

/* The sink that fits an output: one of both is open. */
struct page_output {
  struct sparse_sink *sparse;
  struct dense_sink *dense;
};

/* Open the sink for the pages of IMAGE's source; everything stays the
 * caller's.  Returns 0, or -1 with ERR.
 */
int page_output_open (struct output *output, const struct image *image,
                      struct page_output *pages, struct error *err);

/* Its face towards pipeline_run. */
struct sink page_output_face (struct page_output *pages);

/* Write what comes after the last page.  Returns 0, or -1 with ERR. */
int page_output_finish (struct page_output *pages, struct error *err);

void page_output_close (struct page_output *pages);

#endif /* IOPRESS_CMD_PAGE_OUTPUT_H */
