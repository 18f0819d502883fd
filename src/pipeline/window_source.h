/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader of save: windows of a source file that hold data. */

#ifndef IOPRESS_PIPELINE_WINDOW_SOURCE_H
#define IOPRESS_PIPELINE_WINDOW_SOURCE_H

#include "pipeline/run.h"
#include "pipeline/source_need.h"

struct window_source;

/* Read what NEED says of FILE, from offset START, a multiple of CHUNK_BYTES, in
 * windows of CHUNK_BYTES.  A filled slot has its pages at their place in RAW
 * and MAP says which were read.  FILE and the bitmaps of NEED stay the
 * caller's.  Returns 0, or -1 with ERR.
 */
int window_source_open (struct file *file, const struct source_need *need,
                        uint32_t chunk_bytes, uint64_t start,
                        struct window_source **source, struct error *err);

/* Free; NULL is ignored.  No slot may be under way. */
void window_source_close (struct window_source *source);

/* How many windows hold data, as far as holes and bitmaps tell; reads none. */
uint64_t window_source_count (struct window_source *source);

/* Take only one window in EVERY of those that hold data: one from each
 * stretch of EVERY, at a place that varies but is the same every time.
 */
void window_source_sample (struct window_source *source, uint64_t every);

/* The source's face towards pipeline_run. */
struct source window_source_face (struct window_source *source);

#endif /* IOPRESS_PIPELINE_WINDOW_SOURCE_H */
