/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream into a file or out of it, byte by byte the same. */

#ifndef IOPRESS_PIPELINE_COPY_H
#define IOPRESS_PIPELINE_COPY_H

#include "io/file.h"
#include "util/error.h"

/* Both calls use FILE's descriptor as it is: it is not opened again, no flag
 * of it is changed, and at the end it stands where reading or writing left it
 * (libvirt's src/util/virfile.c, virFileDiskCopy).  With FILE's DIRECT several
 * transfers are in flight while the stream is read or written.  STREAM is made
 * a larger pipe where that is permitted.  Of FILE only fd, direct, regular,
 * stream and name need be set.
 *
 * Both return 0, or -1 with ERR, whose subject is FILE's name or "stdio" for
 * the stream, and whose text is the one libvirt's users know.
 */

/* Copy all of the descriptor STREAM into FILE, from the current position on,
 * and make it durable.  With DIRECT a regular file must be empty; the last
 * block is padded with zeros to 64 KiB, and on a regular file the padding cut
 * off again.  After an error a regular file ends where the bytes of the stream
 * do that were written.
 */
int copy_to_file (struct file *file, int stream, struct error *err);

/* Copy FILE, from the current position to its end, to the descriptor
 * STREAM, and make that durable if it is a file.
 */
int copy_from_file (struct file *file, int stream, struct error *err);

#endif /* IOPRESS_PIPELINE_COPY_H */
