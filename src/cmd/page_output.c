/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing pages to whatever OUTPUT is: sparsely, or with zeros. */

#include <config.h>

#include "cmd/page_output.h"

int
page_output_open (struct output *output, const struct image *image,
                  struct page_output *pages, struct error *err)
{
  *pages = (struct page_output) { .sparse = NULL };
  if (file_keeps_holes (&output->file))
    return sparse_sink_open (&output->file, image, &pages->sparse, err);
  return dense_sink_open (&output->file, image, &pages->dense, err);
}

struct sink
page_output_face (struct page_output *pages)
{
  return pages->sparse != NULL ? sparse_sink_face (pages->sparse)
    : dense_sink_face (pages->dense);
}

int
page_output_finish (struct page_output *pages, struct error *err)
{
  return pages->sparse != NULL ? sparse_sink_finish (pages->sparse, err)
    : dense_sink_finish (pages->dense, err);
}

void
page_output_close (struct page_output *pages)
{
  sparse_sink_close (pages->sparse);
  dense_sink_close (pages->dense);
}
