/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A regular file of the store, as the mount shows it. */

#ifndef IOPRESS_MOUNT_MOUNTED_H
#define IOPRESS_MOUNT_MOUNTED_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "mount/mounting.h"

/* All functions may be called by any thread at any time, and return 0 or a
 * positive errno.
 */
struct mounted;

/* FD, an O_PATH descriptor of the file, must outlive it.  Returns NULL with
 * errno.
 */
struct mounted *mounted_new (struct mounting *mounting, int fd);

/* Finish what is being written, and free; NULL is ignored. */
void mounted_free (struct mounted *file);

/* What is shown of it: an image has the size of its source. */
int mounted_attributes (struct mounted *file, struct stat *attributes);

/* Open it as FLAGS, those of open(2), say, and close it. */
int mounted_open (struct mounted *file, int flags);
void mounted_release (struct mounted *file, int flags);

/* Whether it was written, and is whole and closed since it was asked last. */
bool mounted_was_written (struct mounted *file);

/* Of a file that is open: read up to LENGTH bytes; *COUNT is less only at its
 * end.
 */
int mounted_read (struct mounted *file, uint64_t offset, void *buffer,
                  size_t length, size_t *count);

/* Write all LENGTH bytes. */
int mounted_write (struct mounted *file, uint64_t offset, const void *buffer,
                   size_t length);

/* Set its size, whether it is open or not. */
int mounted_truncate (struct mounted *file, uint64_t size);

/* As fallocate(2). */
int mounted_allocate (struct mounted *file, int mode, uint64_t offset,
                      uint64_t length);

/* Make it durable, and whole if it is an image. */
int mounted_sync (struct mounted *file, bool only_data);

/* Its time of modification was set to TIME. */
void mounted_set_time (struct mounted *file, const struct timespec *time);

/* Nobody changes what it is but its content, nor puts another file in its
 * place, until it is let go.
 */
void mounted_hold (struct mounted *file);
void mounted_let_go (struct mounted *file);

/* From now on mounted_is_disturbed tells whether more than the prefix of an
 * image was read, or anything else was written.  Returns 0, or EBUSY while it
 * is being written.
 */
int mounted_watch (struct mounted *file);
bool mounted_is_disturbed (const struct mounted *file);

/* Put another file, of the same content, in the place of one that is watched,
 * while nobody has it open or holds it.  PUT does that, and gives an O_PATH
 * descriptor of it, or -1 when it has changed the file itself; returns 0 or
 * an errno.  Returns that; EBUSY while it is open; ECANCELED when it was
 * disturbed.
 */
int mounted_replace (struct mounted *file,
                     int (*put) (void *opaque, int *path_fd), void *opaque);

/* As lseek(2) with WHENCE SEEK_DATA or SEEK_HOLE. */
int mounted_seek (struct mounted *file, uint64_t offset, int whence,
                  uint64_t *found);

#endif /* IOPRESS_MOUNT_MOUNTED_H */
