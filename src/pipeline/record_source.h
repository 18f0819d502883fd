/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The readers of restore and verify: the records of an image in order. */

#ifndef IOPRESS_PIPELINE_RECORD_SOURCE_H
#define IOPRESS_PIPELINE_RECORD_SOURCE_H

#include "image/image.h"
#include "pipeline/run.h"

struct record_source;

/* Read the records of IMAGE: by its index when the file is seekable (call
 * image_load_index first), else as they come.  A filled slot has RECORD and,
 * by index, ENTRY; the bytes are unchecked.  CACHED says that what the page
 * cache holds will do and the disk need not be asked.  IMAGE stays the
 * caller's.  Returns 0, or -1 with ERR.
 */
int record_source_open (struct image *image, bool cached,
                        struct record_source **source, struct error *err);

/* Free; NULL is ignored. */
void record_source_close (struct record_source *source);

/* The source's face towards pipeline_run. */
struct source record_source_face (struct record_source *source);

/* Bytes a slot's PACKED needs for any record of an image of CHUNK_BYTES. */
size_t record_source_room (uint32_t chunk_bytes);

#endif /* IOPRESS_PIPELINE_RECORD_SOURCE_H */
