/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file that is being written, as its source; an image grows in the store.
 *
 * An unfinished image has no footer at its end, and when libvirt's header
 * begins it and it never was finished, the magic that libvirt itself takes for
 * unfinished.  An error stays: whatever is asked after it fails too.
 *
 * One that was taken up keeps all that it consists of until what is written
 * behind that is finished: a crash or an error leaves it as it was, with bytes
 * behind its end that leftover_end.c takes away.
 */

#ifndef IOPRESS_MOUNT_WRITING_H
#define IOPRESS_MOUNT_WRITING_H

#include <sys/stat.h>

#include "image/image.h"
#include "mount/windows.h"

struct writing;

/* Functions return 0 or a positive errno.  Any thread, but where it says other
 * things.
 */

/* Begin with an empty file, FD, which is open for reading and writing, stays
 * the caller's and is called NAME in messages.
 */
int writing_new (struct windows *windows, int fd, const char *name,
                 struct writing **writing);

/* Go on with a whole image.  EOPNOTSUPP: one that is unlike those that the
 * mount writes.
 */
int writing_take_up (struct windows *windows, int fd,
                     const struct image *image, struct writing **writing);

/* Forget it, finished or not; nobody uses it any more.  NULL is ignored. */
void writing_free (struct writing *writing);

/* Write all LENGTH bytes. */
int writing_write (struct writing *writing, uint64_t offset,
                   const void *buffer, size_t length);

/* Read up to LENGTH bytes; *COUNT is less only at the end. */
int writing_read (struct writing *writing, uint64_t offset, void *buffer,
                  size_t length, size_t *count);

int writing_truncate (struct writing *writing, uint64_t size);

/* Let a range read as zeros. */
int writing_zero (struct writing *writing, uint64_t offset, uint64_t length);

/* As lseek(2). */
int writing_seek (struct writing *writing, uint64_t offset, int whence,
                  uint64_t *found);

/* Make it a whole image, durable.  Nothing to do when it is. */
int writing_finish (struct writing *writing);

/* It could not be finished, and nobody uses it any more: it is on the disk as
 * it was finished last, or nothing that is taken for whole.
 */
void writing_roll_back (struct writing *writing);

/* What is shown of it: size and time of modification. */
void writing_attributes (struct writing *writing, struct stat *attributes);

/* The time of modification was set to TIME. */
void writing_set_time (struct writing *writing, const struct timespec *time);

/* Fill in what became of it, for one line to people; returns false when nothing
 * is worth one.
 */
bool writing_describe (struct writing *writing, char *line, size_t size);

#endif /* IOPRESS_MOUNT_WRITING_H */
