/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The writers of restore and verify. */

#ifndef IOPRESS_PIPELINE_PAGE_SINK_H
#define IOPRESS_PIPELINE_PAGE_SINK_H

#include "io/writer.h"
#include "image/image.h"
#include "pipeline/run.h"

/* Open the sink that fits OUTPUT for the pages of IMAGE's source.  An empty
 * regular file that can have holes gets them at their places, the prefix first,
 * and absent pages become holes.  A pipe, a device and an empty file without
 * holes get them in order with zeros between, unless the source is larger than
 * OUTPUT can be, which fails at once.  Both stay the caller's.  Returns 0, or
 * -1 with ERR.
 */
int page_sink_open (struct file *output, const struct image *image,
                    struct sink *sink, struct error *err);

/* These are what it opens. */
int sparse_sink_open (struct file *output, const struct image *image,
                      struct sink *sink, struct error *err);
int dense_sink_open (struct file *output, const struct image *image,
                     struct sink *sink, struct error *err);

/* The pages in which the caller writes himself: those before FROM are passed
 * over, and those up to TO go to PAGES instead, which was zeroed.  FROM and TO
 * are multiples of 4096.
 */
struct kept_pages {
  uint64_t from, to;
  uint8_t *pages;              /* TO - FROM bytes */
};

/* As sparse_sink_open, for a file that has its size already and keeps what
 * stands before KEPT's end; the prefix is not written, and the size left alone.
 */
int sparse_sink_open_behind (struct file *output, const struct image *image,
                             const struct kept_pages *kept, struct sink *sink,
                             struct error *err);

/* A sink that takes slots and keeps nothing (verify). */
struct sink null_sink (void);

#endif /* IOPRESS_PIPELINE_PAGE_SINK_H */
