/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files as the command line names them: a path, fd:N, or "-". */

#ifndef IOPRESS_IO_FILE_H
#define IOPRESS_IO_FILE_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "util/read_at.h"

/* --direct-io. */
enum direct_io {
  DIRECT_IO_AUTO,              /* where the file system can */
  DIRECT_IO_ON,                /* fail where it cannot */
  DIRECT_IO_OFF,
};

/* How files are opened and used: the same for all of a run. */
struct file_how {
  enum direct_io direct;
  /* Where the number of a signal is noted that asks for the end of the run.
   * Calls it interrupts fail then; NULL: they are made again.
   */
  const volatile sig_atomic_t *cancelled;
  bool frugal;                 /* rather slower than with more memory */
};

/* With the enum direct_io DIRECT_IO, and nothing that cancels it. */
#define FILE_HOW(direct_io) ((struct file_how) { .direct = (direct_io) })

/* An open file.  Initialise with FILE_CLOSED; file_close frees it. */
struct file {
  int fd;                      /* -1 when closed */
  bool owned;                  /* close it when done */
  bool direct;                 /* O_DIRECT is on */
  struct file_how how;         /* what was asked for */
  bool stream;                 /* a pipe or the like: no offsets */
  bool regular;                /* a regular file: sparse, truncatable */
  bool absent;                 /* it could not be opened, as nothing is there, or
                                * a folder, or nothing for this caller: no
                                * trouble of the system, that may pass */
  uint64_t size;               /* when opened, in bytes; 0 for a stream */
  atomic_bool interrupted;     /* set by any thread: file_read_stream ends */
  /* Private to file_write_behind: the file once more, to wait for writes.  The
   * kernel tells of a lost write once for each time that a file was opened, and
   * FD's is for file_sync.  -1: it could not be opened.
   */
  bool waits;                  /* WAIT_FD is set */
  int wait_fd;
  char name[4096];             /* the path or fd:N, for messages */
};

#define FILE_CLOSED { .fd = -1 }

/* After a failed call on FILE: whether it was only interrupted, and is to be
 * made again.
 */
bool file_again (const struct file *file);

/* The descriptor that TEXT ("fd:N") names, or -1 when it is not of that
 * form.
 */
int file_descriptor_of (const char *text);

/* What a file is opened for. */
enum file_access {
  FILE_READ,
  FILE_WRITE,
  FILE_UPDATE,                 /* both */
};

/* Open what NAME says, which must exist.  Returns 0, or -1 with ERR. */
int file_open (const char *name, enum file_access access,
               struct file_how how, struct file *file, struct error *err);

/* Open what NAME says if it is a regular file or a block device, and tell what
 * it is; only if FOLLOW through a symbolic link.  Nothing waits for the other
 * end of a pipe, and nothing else is opened, as that could have an effect;
 * descriptors are.  Returns its type, one of S_IFMT's, or -1 with ERR.
 */
int file_open_if_seekable (const char *name, bool follow,
                           enum file_access access, struct file_how how,
                           struct file *file, struct error *err);

/* The same, through links, where nothing else will do, as MUST_BE says in the
 * message.  Returns 0, or -1 with ERR (ERROR_USAGE when it is not seekable).
 */
int file_open_seekable (const char *name, const char *must_be,
                        enum file_access access, struct file_how how,
                        struct file *file, struct error *err);

/* Open what NODE, a descriptor of NAME from open(2) with O_PATH, stands for:
 * nothing that could have come under the name since.  A pipe waits for its other
 * end.  Returns 0, or -1 with ERR.
 */
int file_open_node (int node, const char *name, enum file_access access,
                    struct file_how how, struct file *file, struct error *err);

/* Take the inherited descriptor FD (named NAME in messages).  A regular file
 * keeps its bytes until file_truncate.  Returns 0, or -1 with ERR when it is
 * not open for ACCESS and cannot be opened again, or would append.
 */
int file_take_descriptor (int fd, const char *name, enum file_access access,
                          struct file_how how, struct file *file,
                          struct error *err);

/* Make FD, which the caller has just got from open(2), or -1 with errno, the
 * file named NAME in messages.  Returns 0, or -1 with ERR; FILE has the
 * descriptor in both cases.
 */
int file_take_opened (int fd, const char *name, struct file_how how,
                      struct file *file, struct error *err);

/* Give TO the owner, the mode and, where that is permitted, the extended
 * attributes of FROM.  Whoever may not read FROM may not read TO then: it loses
 * an access control list that FROM does not have.  Returns 0, or -1 with ERR.
 */
int file_copy_attributes (const struct file *from, struct file *to,
                          struct error *err);

/* Create a file in FOLDER that has no name and goes with its last descriptor,
 * for reading and writing, with mode 0600.  Where the file system has no such
 * files, it has a name for an instant.  Returns 0, or -1 with ERR.
 */
int file_create_unnamed (const char *folder, struct file_how how,
                         struct file *file, struct error *err);

/* Whether FILE is a regular one that has holes where nothing was written, so
 * that its size may be set ahead at no cost.  Not so on FAT, exFAT, HFS and
 * HFS+: there the kernel writes zeros for every byte up to a new size, in one
 * call.
 */
bool file_keeps_holes (const struct file *file);

/* Whether the file system tells where FILE has data from what it has on the
 * disk and in memory alike, so that nothing that was written is called a hole.
 * ZFS, and what serves files of others over a network, may be late.
 */
bool file_knows_holes (const struct file *file);

/* The most bytes that the regular FILE or the device may have, as far as that
 * is known beforehand.
 */
uint64_t file_size_limit (const struct file *file);

/* Open the file once more, for reading from its start through the page cache.
 * Returns the descriptor, which the caller closes, or -1 with ERR.
 */
int file_open_reader (const struct file *file, struct error *err);

/* Whether opening PATH gives FILE, which is regular and all written: the same
 * size, and the same bytes at both ends and where data begins.  A FUSE server
 * may find nothing, or something else, for a file without a name.  Returns 0,
 * or -1 with ERR.
 */
int file_check_path (struct file *file, const char *path, struct error *err);

/* Close; a second call does nothing.  What a close can tell of lost writes
 * file_check_close has told.
 */
void file_close (struct file *file);

/* Go on through the page cache after O_DIRECT was refused with EINVAL.
 * Returns 0, or -1 with ERR.
 */
int file_drop_direct (struct file *file, struct error *err);

/* Returns 0, or -1 with ERR (ERROR_CANCELLED) when the run is to end. */
int file_check_cancelled (const struct file *file, struct error *err);

/* Read exactly LENGTH bytes at OFFSET; any alignment, O_DIRECT or not.
 * Returns 0, or -1 with ERR; ERROR_BAD_INPUT when the file ends before,
 * ERROR_CANCELLED when the run is to end.
 */
int file_read_at (const struct file *file, uint64_t offset, void *buffer,
                  size_t length, struct error *err);

/* Read up to LENGTH bytes of a stream; waits for some, but not when the run is
 * cancelled or the file's INTERRUPTED is set.  Returns their number, 0 at the
 * end, or -1 with ERR.
 */
ssize_t file_read_stream (const struct file *file, void *buffer,
                          size_t length, struct error *err);

/* Write LENGTH bytes to a stream; waits for its reader, but not when the run is
 * cancelled.  Returns 0, or -1 with ERR.
 */
int file_write_stream (const struct file *file, const void *buffer,
                       size_t length, struct error *err);

/* Write exactly LENGTH bytes at OFFSET; with O_DIRECT buffer, length and
 * offset must be page aligned.  Returns 0, or -1 with ERR.
 */
int file_write_at (struct file *file, uint64_t offset, const void *buffer,
                   size_t length, struct error *err);

/* The first offset >= OFFSET that may hold data, or the file's size when
 * only a hole follows (SEEK_DATA).
 */
uint64_t file_next_data (const struct file *file, uint64_t offset);

/* Both as the read-at face of FILE, which must outlive it. */
struct read_at read_at_of_file (const struct file *file);

/* Set the size of a regular file.  Returns 0, or -1 with ERR. */
int file_truncate (struct file *file, uint64_t size, struct error *err);

/* The same ahead of writes: 1, 0 when some limit is below SIZE, or -1 with ERR.
 */
int file_extend (struct file *file, uint64_t size, struct error *err);

/* Give the blocks of a range of a regular file back; it reads as zeros.
 * Returns 0, or -1 with ERR.
 */
int file_punch (struct file *file, uint64_t offset, uint64_t length,
                struct error *err);

/* Whether the file system gives blocks of FILE back, tried behind its end; that
 * counts as a change on some.  Returns 1, 0, or -1 with ERR.
 */
int file_can_punch (struct file *file, struct error *err);

/* What the file system of a regular file allocates and frees at once, as far as
 * it tells: a power of two of at least 4096 bytes, 16 MiB at most.
 */
uint64_t file_block_bytes (const struct file *file);

/* Lock the file against other iopress processes for as long as it is open:
 * alone, or together with others that only read.  A file system without locks
 * is no error.  Returns 0, or -1 with ERR when another one has it.
 */
int file_lock (const struct file *file, bool alone, struct error *err);

/* Refuse the regular file PATH when a process has it open for writing.  A file
 * system that cannot tell is no error.  SIGIO must be ignored.  Returns 0, or
 * -1 with ERR.
 */
int file_check_writers (const char *path, struct error *err);

/* The same by FD, which has just been opened for reading, or is -1 with errno;
 * NAME is for messages.
 */
int file_check_lease (int fd, const char *name, struct error *err);

/* What a file's content and size are known by. */
struct file_state {
  off_t bytes;
  struct timespec modified;
};

/* Take note of it.  Returns 0, or -1 with ERR. */
int file_note_state (const struct file *file, struct file_state *state,
                     struct error *err);

/* Refuse a FILE that was written to since STATE, as far as its times tell; for
 * something that is packed.  Returns 0, or -1 with ERR.
 */
int file_check_state (const struct file *file, const struct file_state *state,
                      struct error *err);

/* The error of a FILE that was changed while it was packed.  Returns -1. */
int file_refuse_changed (const struct file *file, struct error *err);

/* Whether both are the same file, or the same block device. */
bool file_same (const struct file *a, const struct file *b);

/* Make the file's bytes durable (fdatasync); a pipe has nothing to do, standard
 * output may be a file.  Returns 0, or -1 with ERR.
 */
int file_sync (struct file *file, struct error *err);

/* The same, and its owner, mode and other attributes (fsync). */
int file_sync_whole (struct file *file, struct error *err);

/* All is written and flushed: find out what only a close tells, as file systems
 * do that keep their files elsewhere.  FILE stays open.  Returns 0, or -1 with
 * ERR.
 */
int file_check_close (const struct file *file, struct error *err);

/* After a buffered write of the range: start writing it to the disk, wait for
 * what was written some MiB before it, and forget that.  Ranges come roughly
 * in ascending order.  Does nothing with O_DIRECT or for a stream.  One thread
 * at a time.  That a write was lost only file_sync tells.
 */
void file_write_behind (struct file *file, uint64_t offset, uint64_t length);

/* Forget cached pages of the range, clean ones only (buffered I/O leaves
 * the page cache as it was).  LENGTH 0: to the end.
 */
void file_drop_cache (const struct file *file, uint64_t offset,
                      uint64_t length);

#endif /* IOPRESS_IO_FILE_H */
