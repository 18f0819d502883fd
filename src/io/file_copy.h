/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes of one regular file and of another. */

#ifndef IOPRESS_IO_FILE_COPY_H
#define IOPRESS_IO_FILE_COPY_H

#include "io/file.h"

/* Give TO the bytes of FROM between OFFSET, a multiple of 4096, and END, and
 * the size END.  Blocks are shared where the file system can do that, else they
 * are copied with several requests in flight.  FROM ends at END.  Does not
 * sync.  Returns 0, or -1 with ERR: what TO holds behind OFFSET is undefined
 * then.
 */
int file_copy (struct file *from, struct file *to, uint64_t offset,
               uint64_t end, struct error *err);

/* Whether both begin with the same LENGTH bytes.  Returns 1, 0, or -1 with
 * ERR.
 */
int file_same_bytes (const struct file *a, const struct file *b,
                     uint64_t length, struct error *err);

#endif /* IOPRESS_IO_FILE_COPY_H */
