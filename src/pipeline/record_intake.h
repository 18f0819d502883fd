/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The readers of restore and verify: the records of an image in order. */

#ifndef IOPRESS_PIPELINE_RECORD_INTAKE_H
#define IOPRESS_PIPELINE_RECORD_INTAKE_H

#include "image/image.h"
#include "pipeline/run.h"

/* Move the records of IMAGE through JOB to SINK, as pipeline_run, and complete
 * that: by its index when the file is seekable (call image_load_index first),
 * else as they come.  A slot has RECORD and, by index, ENTRY; the bytes are
 * unchecked.  CACHED says that what the page cache holds will do and the disk
 * need not be asked.  All stays the caller's.  Returns 0, or -1 with ERR.
 */
int record_intake_run (struct image *image, bool cached, const struct job *job,
                       const struct sink *sink,
                       const struct run_options *options, struct error *err);

/* Bytes a slot's PACKED needs for any record of an image of CHUNK_BYTES. */
size_t record_intake_room (uint32_t chunk_bytes);

#endif /* IOPRESS_PIPELINE_RECORD_INTAKE_H */
