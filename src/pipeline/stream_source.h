/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader of an image that comes through a pipe. */

#ifndef IOPRESS_PIPELINE_STREAM_SOURCE_H
#define IOPRESS_PIPELINE_STREAM_SOURCE_H

#include "image/image.h"
#include "pipeline/run.h"

struct stream_source;

/* Read IMAGE's records as they come, and at the end check that index and
 * footer agree with them and that nothing follows.  Returns 0, or -1 with
 * ERR.  IMAGE stays the caller's; its footer is filled in at the end.
 */
int stream_source_open (struct image *image, struct stream_source **source,
                        struct error *err);

/* Free; NULL is ignored. */
void stream_source_close (struct stream_source *source);

/* The source's face towards pipeline_run. */
struct source stream_source_face (struct stream_source *source);

#endif /* IOPRESS_PIPELINE_STREAM_SOURCE_H */
