/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filling a slot from a seekable file. */

#ifndef IOPRESS_PIPELINE_SLOT_READ_H
#define IOPRESS_PIPELINE_SLOT_READ_H

#include "pipeline/slot.h"

/* Start reading a page-aligned range that covers OFFSET .. END of FILE into
 * BUFFER, page aligned, on behalf of SLOT.  OFFSET is page aligned; what of
 * the last page lies past END may be past the end of the file.
 */
void slot_read_begin (struct aio *aio, struct slot *slot, struct file *file,
                      void *buffer, uint64_t offset, uint64_t end);

/* Wait for one of the slots begun.  A failure is in its error.  What was read
 * through the page cache is forgotten there.
 */
struct slot *slot_read_finish (struct aio *aio);

#endif /* IOPRESS_PIPELINE_SLOT_READ_H */
