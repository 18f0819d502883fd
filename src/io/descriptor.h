/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* read(2) and write(2) that neither signals nor short counts end. */

#ifndef IOPRESS_IO_DESCRIPTOR_H
#define IOPRESS_IO_DESCRIPTOR_H

#include <stddef.h>
#include <sys/types.h>

/* Read up to LENGTH bytes in one call, made again after EINTR.  Returns their
 * number, 0 at the end, or -1 with errno.
 */
ssize_t descriptor_read (int fd, void *buffer, size_t length);

/* Read LENGTH bytes, fewer only at the end.  Returns their number, or -1 with
 * errno.
 */
ssize_t descriptor_read_whole (int fd, void *buffer, size_t length);

/* Write LENGTH bytes.  Returns 0, or -1 with errno. */
int descriptor_write_whole (int fd, const void *buffer, size_t length);

#endif /* IOPRESS_IO_DESCRIPTOR_H */
