/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded into iopress: writes down, in order, everything a run does to its
 * files, for replay.py.  Stands in for libaio, too, so that requests end in an
 * order of its own choosing.
 *
 *   IOPRESS_RECORD=FILE     the log; without it only libaio is replaced
 *   IOPRESS_RECORD_FOLDER   the folder with the files "source" and "image",
 *                           "image.part" or "source.SOMETHING"
 *   IOPRESS_RECORD_SEED     chooses orders and delays
 *   IOPRESS_RECORD_OMIT     source, image or folder: it is never synced, and
 *                           the program does not notice
 *
 * An entry of the log is a struct entry, then as many bytes as it says.
 */

#undef _FORTIFY_SOURCE          /* its inline functions bear the same names */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <libaio.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/preload.h"

enum what {
  WRITE = 'W',
  TRUNCATE = 'T',
  PUNCH = 'P',
  CREATE = 'C',
  RENAME = 'R',
  EXCHANGE = 'X',
  UNLINK = 'U',
  SYNC = 'S',
  DONE = 'd',                   /* what has this number has ended well */
};

struct entry {
  uint8_t what;
  uint8_t file;                 /* 's', 'i', or '/' for the folder */
  uint8_t zero[6];
  uint64_t number;              /* of the effect, from 1 */
  uint64_t offset;
  uint64_t length;
  uint64_t bytes;               /* that follow */
};

#define REQUESTS_MAX 64

/* What an io_context_t points to. */
struct io_context {
  struct iocb *requests[REQUESTS_MAX];
  uint64_t numbers[REQUESTS_MAX];
  int count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static FILE *record;
static const char *folder;
static const char *omit;
static unsigned int seed;
static uint64_t last_number;

__attribute__ ((constructor)) static void
begin (void)
{
  const char *path = getenv ("IOPRESS_RECORD");
  const char *text = getenv ("IOPRESS_RECORD_SEED");

  seed = text != NULL ? (unsigned int) strtoul (text, NULL, 10) : 0;
  folder = getenv ("IOPRESS_RECORD_FOLDER");
  omit = getenv ("IOPRESS_RECORD_OMIT");
  if (path != NULL && (record = fopen (path, "w")) == NULL)
    abort ();
}

__attribute__ ((destructor)) static void
end (void)
{
  if (record != NULL)
    fclose (record);
}

static unsigned int
choose (unsigned int below)
{
  unsigned int result;

  pthread_mutex_lock (&lock);
  result = (unsigned int) rand_r (&seed) % below;
  pthread_mutex_unlock (&lock);
  return result;
}

/* Let the other threads go on for a while. */
static void
dawdle (void)
{
  if (record != NULL)
    usleep (choose (4) * 150);
}

/* Which of the files PATH is; 0 when it is none of them. */
static uint8_t
file_at (const char *path)
{
  size_t length = folder != NULL ? strlen (folder) : 0;

  if (record == NULL || length == 0 || strncmp (path, folder, length) != 0 ||
      strstr (path, ".probe") != NULL)
    return 0;
  if (path[length] == '\0')
    return '/';
  if (strcmp (path + length, "/source") == 0)
    return 's';
  return strncmp (path + length, "/image", 6) == 0 ||
    strncmp (path + length, "/source.", 8) == 0 ? 'i' : 0;
}

static uint8_t
file_of (int fd)
{
  char path[PRELOAD_PATH_BYTES];

  path_of (fd, path);
  return file_at (path);
}

/* Write down an effect that begins now.  Returns its number. */
static uint64_t
note (enum what what, uint8_t file, uint64_t offset, uint64_t length,
      const void *bytes, size_t count)
{
  struct entry entry = {
    .what = (uint8_t) what,
    .file = file,
    .offset = offset,
    .length = length,
    .bytes = count,
  };

  if (record == NULL || file == 0)
    return 0;
  pthread_mutex_lock (&lock);
  entry.number = ++last_number;
  if (fwrite (&entry, sizeof entry, 1, record) != 1 ||
      (count > 0 && fwrite (bytes, 1, count, record) != count))
    abort ();
  pthread_mutex_unlock (&lock);
  return entry.number;
}

static void
note_done (uint64_t number)
{
  struct entry entry = { .what = DONE, .number = number };

  if (number == 0)
    return;
  pthread_mutex_lock (&lock);
  if (fwrite (&entry, sizeof entry, 1, record) != 1)
    abort ();
  pthread_mutex_unlock (&lock);
}

/* An effect has ended with RESULT. */
static long
ended (uint64_t number, long result)
{
  if (result >= 0)
    note_done (number);
  return result;
}

int
io_setup (int depth, io_context_t *context)
{
  if (depth > REQUESTS_MAX)
    return -EINVAL;
  *context = calloc (1, sizeof **context);
  return *context != NULL ? 0 : -ENOMEM;
}

int
io_submit (io_context_t context, long count, struct iocb **iocbs)
{
  long i;

  for (i = 0; i < count && context->count < REQUESTS_MAX; i++) {
    struct iocb *iocb = iocbs[i];

    context->requests[context->count] = iocb;
    context->numbers[context->count++] =
      iocb->aio_lio_opcode != IO_CMD_PWRITE ? 0
      : note (WRITE, file_of (iocb->aio_fildes),
              (uint64_t) iocb->u.c.offset, iocb->u.c.nbytes, iocb->u.c.buf,
              iocb->u.c.nbytes);
  }
  return i > 0 ? (int) i : -EAGAIN;
}

/* Carry out one of the requests. */
static void
carry_out (io_context_t context, int which, struct io_event *event)
{
  struct iocb *iocb = context->requests[which];
  ssize_t result;

  if (iocb->aio_lio_opcode == IO_CMD_PWRITE)
    result = REAL (pwrite) (iocb->aio_fildes, iocb->u.c.buf,
                            iocb->u.c.nbytes, iocb->u.c.offset);
  else
    result = REAL (pread) (iocb->aio_fildes, iocb->u.c.buf,
                           iocb->u.c.nbytes, iocb->u.c.offset);
  *event = (struct io_event) {
    .obj = iocb,
    .res = (unsigned long) (result < 0 ? -errno : result),
  };
  ended (context->numbers[which], result);
  context->count--;
  context->requests[which] = context->requests[context->count];
  context->numbers[which] = context->numbers[context->count];
}

int
io_getevents (io_context_t context, long least, long most,
              struct io_event *events, struct timespec *timeout)
{
  int count = 0;

  (void) timeout;
  if (least > 0)
    dawdle ();
  while (context->count > 0 && count < most &&
         (count < least || record == NULL || choose (3) == 0))
    carry_out (context,
               record == NULL ? 0 : (int) choose ((unsigned) context->count),
               &events[count++]);
  return count;
}

/* As the kernel does: waits for what is in flight. */
int
io_destroy (io_context_t context)
{
  struct io_event event;

  while (context->count > 0)
    carry_out (context, 0, &event);
  free (context);
  return 0;
}

ssize_t
pwrite (int fd, const void *buffer, size_t length, off_t offset)
{
  uint64_t number = note (WRITE, file_of (fd), (uint64_t) offset, length,
                          buffer, length);

  dawdle ();
  return ended (number, REAL (pwrite) (fd, buffer, length, offset));
}

int
ftruncate (int fd, off_t length)
{
  uint64_t number = note (TRUNCATE, file_of (fd), 0, (uint64_t) length,
                          NULL, 0);

  return (int) ended (number, REAL (ftruncate) (fd, length));
}

int
fallocate (int fd, int mode, off_t offset, off_t length)
{
  uint64_t number = note (PUNCH, file_of (fd), (uint64_t) offset,
                          (uint64_t) length, NULL, 0);

  dawdle ();
  return (int) ended (number, REAL (fallocate) (fd, mode, offset, length));
}

static int
sync_with (int fd, int (*real) (int))
{
  uint8_t file = file_of (fd);
  uint64_t number;

  if (file != 0 && omit != NULL &&
      file == (uint8_t) (strcmp (omit, "folder") == 0 ? '/' : omit[0]))
    return 0;
  number = note (SYNC, file, 0, 0, NULL, 0);
  dawdle ();
  return (int) ended (number, file != 0 ? 0 : real (fd));
}

int
fdatasync (int fd)
{
  return sync_with (fd, REAL (fdatasync));
}

int
fsync (int fd)
{
  return sync_with (fd, REAL (fsync));
}

int
rename (const char *from, const char *to)
{
  uint64_t number = note (RENAME, file_at (from) != 0 ? '/' : 0, 0, 0,
                          NULL, 0);

  return (int) ended (number, REAL (rename) (from, to));
}

int
renameat2 (int from_folder, const char *from, int to_folder, const char *to,
           unsigned int flags)
{
  char path[PRELOAD_PATH_BYTES], other[PRELOAD_PATH_BYTES];
  bool noted = file_at (path_at (from_folder, from, path)) != 0 &&
    file_at (path_at (to_folder, to, other)) != 0;
  uint64_t number = note ((flags & RENAME_EXCHANGE) != 0 ? EXCHANGE : RENAME,
                          noted ? '/' : 0, 0, 0, NULL, 0);

  return (int) ended (number, REAL (renameat2) (from_folder, from, to_folder,
                                                to, flags));
}

/* Shared blocks would be an effect that is not written down. */
int
replaced_ioctl (int fd, unsigned long request, void *argument)
{
  if (request == FICLONERANGE) {
    errno = EOPNOTSUPP;
    return -1;
  }
  return REAL (ioctl) (fd, request, argument);
}

int
unlinkat (int folder_fd, const char *name, int flags)
{
  char path[PRELOAD_PATH_BYTES];
  uint64_t number = note (UNLINK, file_at (path_at (folder_fd, name, path)) != 0
                          ? '/' : 0, 0, 0, NULL, 0);

  return (int) ended (number, REAL (unlinkat) (folder_fd, name, flags));
}

int
unlink (const char *path)
{
  return unlinkat (AT_FDCWD, path, 0);
}

int
replaced_open (int folder_fd, const char *name, const char *path, int flags,
               mode_t mode)
{
  uint64_t number = 0;

  if ((flags & O_CREAT) != 0 && faccessat (folder_fd, name, F_OK, 0) < 0)
    number = note (CREATE, file_at (path) != 0 ? '/' : 0, 0, 0, NULL, 0);
  return (int) ended (number, REAL (openat) (folder_fd, name, flags, mode));
}
