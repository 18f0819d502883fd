/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading and writing at an offset, as a file system answers. */

#ifndef IOPRESS_MOUNT_TRANSFER_H
#define IOPRESS_MOUNT_TRANSFER_H

#include <stddef.h>
#include <stdint.h>

/* Any thread.  Return 0, or a positive errno. */

/* Write all of BUFFER. */
int write_fully (int fd, uint64_t offset, const void *buffer, size_t length);

/* Read up to LENGTH bytes; *COUNT is less only at the end. */
int read_up_to (int fd, uint64_t offset, void *buffer, size_t length,
                size_t *count);

/* Read LENGTH bytes; what is behind the end is zeros. */
int read_fully (int fd, uint64_t offset, void *buffer, size_t length);

/* As ftruncate(2), fdatasync(2), fsync(2) and fallocate(2), made again when a
 * signal interrupts them: a writer who is told of that tries for ever.
 */
int truncate_to (int fd, uint64_t size);
int sync_data (int fd);
int sync_all (int fd);
int allocate_range (int fd, int mode, uint64_t offset, uint64_t length);

#endif /* IOPRESS_MOUNT_TRANSFER_H */
