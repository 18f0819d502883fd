/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader of an image that comes through a pipe. */

#ifndef IOPRESS_PIPELINE_STREAM_INTAKE_H
#define IOPRESS_PIPELINE_STREAM_INTAKE_H

#include "image/image.h"
#include "pipeline/run.h"

struct stream_intake;

/* Read IMAGE's records as they come, and at the end check that index and
 * footer agree with them and that nothing follows.  Returns 0, or -1 with
 * ERR.  IMAGE stays the caller's; its footer is filled in at the end.
 */
int stream_intake_open (struct image *image, struct stream_intake **intake,
                        struct error *err);

/* Free; NULL is ignored. */
void stream_intake_close (struct stream_intake *intake);

/* The intake's face towards pipeline_run. */
struct intake stream_intake_face (struct stream_intake *intake);

#endif /* IOPRESS_PIPELINE_STREAM_INTAKE_H */
