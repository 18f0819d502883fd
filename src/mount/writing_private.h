/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files writing*.c and those that record for them share. */

#ifndef IOPRESS_MOUNT_WRITING_PRIVATE_H
#define IOPRESS_MOUNT_WRITING_PRIVATE_H

#include <stdatomic.h>

#include "mount/record_table.h"
#include "mount/transfer.h"
#include "mount/writing.h"

#define LIBVIRT_MAGIC_BYTES 16

/* Where an image ends. */
struct image_end {
  uint64_t index_offset;
  uint64_t bytes;              /* behind the footer */
};

struct writing {
  struct windows *windows;
  int fd;
  atomic_int direct_fd;        /* the same file with O_DIRECT, or -1 */
  char name[256];              /* for messages */
  const struct codec *codec;   /* of its records */

  /* All below under the lock of the windows.  Who has it alone may read and set
   * what others only look at, without the lock.
   */
  struct file_header header;   /* but for source_bytes */
  uint64_t size;               /* of the source */
  bool placed;                 /* where the header stands is settled */
  bool headed;                 /* and it stands there, durable */
  bool finished;               /* durable as it is */
  bool fresh;                  /* never was finished */
  struct record_table records;
  uint64_t end;                /* where the next record goes, in whole pages */
  struct image_end whole;      /* of one that was taken up, as it was finished
                                * last: it is so again when nothing comes of
                                * what is written; else zeros */
  struct image_end written;    /* as it is to be now */
  uint64_t headed_bytes;       /* size of the source as the header has it */
  uint64_t reserved;           /* the file system has room up to here */
  uint64_t promised;           /* windows that are still to be recorded */
  unsigned int active;         /* calls that use content */
  bool alone;                  /* a call has all for itself */
  int error;                   /* an errno that stays, or 0 */
  /* libvirt's magic as it was written, which a file that never was finished
   * does not show on the disk.
   */
  uint8_t magic[LIBVIRT_MAGIC_BYTES];
  struct timespec modified;
  uint64_t records_packed, records_stored, records_again;
  uint64_t started_ns;         /* CLOCK_MONOTONIC */
  LIST_ENTRY (writing) link;   /* of the windows' list */
};

/* Under the lock, which is given up meanwhile: get room for the record of one
 * window more, WINDOW.  Returns 0, or an errno, which stays.
 */
int writing_promise (struct writing *writing, uint64_t window);

/* Under the lock: wait until nobody else uses it, and keep the others out. */
void writing_begin_alone (struct writing *writing);
void writing_end_alone (struct writing *writing);

/* Under the lock: note an error that stays.  Returns it. */
int writing_fail (struct writing *writing, int errnum);

/* Where the header stands is settled: behind PREFIX_BYTES. */
void writing_begin (struct writing *writing, uint64_t prefix_bytes);

/* Under the lock: come in to change LENGTH bytes at OFFSET, and go.  FIRST are
 * the bytes that are to be written there, or NULL.  Returns 0, or an errno.
 */
int writing_enter (struct writing *writing, uint64_t offset, uint64_t length,
                   const uint8_t *first);
void writing_leave (struct writing *writing);

/* Under the lock, between these two or alone: write, or clear when BUFFER is
 * NULL, within one window.
 */
int writing_change_window (struct writing *writing, uint64_t offset,
                           const uint8_t *buffer, size_t length);

/* Alone, not under the lock, before something is written behind the prefix: see
 * to it that the header stands there.
 */
int writing_open_up (struct writing *writing);

/* Alone, not under the lock: say in the header what kind of source it is, as
 * save would.
 */
void writing_find_kind (struct writing *writing);

/* Alone, not under the lock: read LENGTH bytes at OFFSET, within the source. */
int writing_read_alone (struct writing *writing, uint64_t offset,
                        void *buffer, size_t length);

/* Not under the lock. */
int writing_write_prefix (struct writing *writing, uint64_t offset,
                          const uint8_t *buffer, size_t length);
int writing_read_prefix (struct writing *writing, uint64_t offset,
                         uint8_t *buffer, size_t length);

/* Whether BYTES, LIBVIRT_MAGIC_BYTES, are those of a finished save. */
bool is_finished_magic (const uint8_t *bytes);

#endif /* IOPRESS_MOUNT_WRITING_PRIVATE_H */
