/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The readers of restore and verify: the records of an image in order. */

#ifndef IOPRESS_PIPELINE_RECORD_INTAKE_H
#define IOPRESS_PIPELINE_RECORD_INTAKE_H

#include "image/image.h"
#include "pipeline/run.h"

struct record_intake;

/* Read the records of IMAGE: by its index when the file is seekable (call
 * image_load_index first), else as they come.  A filled slot has RECORD and,
 * by index, ENTRY; the bytes are unchecked.  CACHED says that what the page
 * cache holds will do and the disk need not be asked.  IMAGE stays the
 * caller's.  Returns 0, or -1 with ERR.
 */
int record_intake_open (struct image *image, bool cached,
                        struct record_intake **intake, struct error *err);

/* Free; NULL is ignored. */
void record_intake_close (struct record_intake *intake);

/* The intake's face towards pipeline_run. */
struct intake record_intake_face (struct record_intake *intake);

/* Bytes a slot's PACKED needs for any record of an image of CHUNK_BYTES. */
size_t record_intake_room (uint32_t chunk_bytes);

#endif /* IOPRESS_PIPELINE_RECORD_INTAKE_H */
