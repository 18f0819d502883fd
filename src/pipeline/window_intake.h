/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader of save: windows of a source file that hold data. */

#ifndef IOPRESS_PIPELINE_WINDOW_INTAKE_H
#define IOPRESS_PIPELINE_WINDOW_INTAKE_H

#include "pipeline/run.h"
#include "pipeline/intake_need.h"

struct window_intake;

/* Read what NEED says of FILE, from offset START, a multiple of CHUNK_BYTES, in
 * windows of CHUNK_BYTES.  A filled slot has its pages at their place in RAW
 * and MAP says which were read.  FILE and the bitmaps of NEED stay the
 * caller's.  Returns 0, or -1 with ERR.
 */
int window_intake_open (struct file *file, const struct intake_need *need,
                        uint32_t chunk_bytes, uint64_t start,
                        struct window_intake **intake, struct error *err);

/* Free; NULL is ignored.  No slot may be under way. */
void window_intake_close (struct window_intake *intake);

/* How many windows hold data, as far as holes and bitmaps tell; reads none. */
uint64_t window_intake_count (struct window_intake *intake);

/* Take only one window in EVERY of those that hold data: one from each
 * stretch of EVERY, at a place that varies but is the same every time.
 */
void window_intake_sample (struct window_intake *intake, uint64_t every);

/* The intake's face towards pipeline_run. */
struct intake window_intake_face (struct window_intake *intake);

#endif /* IOPRESS_PIPELINE_WINDOW_INTAKE_H */
