/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The writers of restore: pages go to a sparse file or into a stream. */

#ifndef IOPRESS_PIPELINE_PAGE_SINK_H
#define IOPRESS_PIPELINE_PAGE_SINK_H

#include "io/writer.h"
#include "image/image.h"
#include "pipeline/run.h"

struct sparse_sink;

/* Write the pages of IMAGE's source to their places in OUTPUT, an empty
 * regular file; absent pages become holes.  The prefix is written first.
 * Both stay the caller's.  Returns 0, or -1 with ERR.
 */
int sparse_sink_open (struct file *output, const struct image *image,
                      struct sparse_sink **sink, struct error *err);
void sparse_sink_close (struct sparse_sink *sink);
struct sink sparse_sink_face (struct sparse_sink *sink);

/* The pages in which the caller writes himself: those before FROM are passed
 * over, and those up to TO go to PAGES instead, which was zeroed.  FROM and TO
 * are multiples of 4096.
 */
struct kept_pages {
  uint64_t from, to;
  uint8_t *pages;              /* TO - FROM bytes */
};

/* The same for a file that has its size already and keeps what stands before
 * KEPT's end; the prefix is not written, and sparse_sink_finish leaves the size
 * alone.
 */
int sparse_sink_open_behind (struct file *output, const struct image *image,
                             const struct kept_pages *kept,
                             struct sparse_sink **sink, struct error *err);

/* Set the final size.  Everything has been written; what was flushed meanwhile
 * says whether that failed, for the rest call file_sync.
 */
int sparse_sink_finish (struct sparse_sink *sink, struct error *err);

struct dense_sink;

/* The same into a pipe, onto a block device or into an empty file of which
 * file_keeps_holes is false: absent pages become zeros.  Fails at once when the
 * source is larger than OUTPUT can be.
 */
int dense_sink_open (struct file *output, const struct image *image,
                     struct dense_sink **sink, struct error *err);
void dense_sink_close (struct dense_sink *sink);
struct sink dense_sink_face (struct dense_sink *sink);

/* Write the zeros after the last page and wait for everything.  As to flushing
 * see sparse_sink_finish.
 */
int dense_sink_finish (struct dense_sink *sink, struct error *err);

/* A sink that takes slots and keeps nothing (verify).  STORAGE is a slot
 * pointer of the caller's.
 */
struct sink null_sink_face (struct slot **storage);

#endif /* IOPRESS_PIPELINE_PAGE_SINK_H */
