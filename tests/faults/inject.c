/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded into iopress: counts its I/O calls, and makes exactly one fail.
 *
 *   IOPRESS_FAULT_FOLDER=FOLDER   count calls on files below FOLDER, on pipes
 *                                 and on libaio contexts
 *   IOPRESS_FAULT=CALL:N:HOW      the Nth (from 1) of CALL fails; HOW is the
 *                                 name of an error, "short", "lost", "kill":
 *                                 then it is not made, and the process is
 *                                 killed; or "stop": the process is stopped
 *                                 before it is made
 *   IOPRESS_FAULT_FAT=1           FOLDER is on FAT, as statfs has it, where a
 *                                 file must not be made larger before its bytes
 *                                 are written
 *   IOPRESS_FAULT_UNNAMED=HOW     a file of FOLDER without a name cannot be opened
 *                                 again through /proc; with "empty" it can, and
 *                                 nothing is in it
 *   IOPRESS_FAULT_QUOTA=TYPE:HARD:SOFT:USED:TIME
 *                                 what quotactl_fd tells of TYPE, 0 for users,
 *                                 1 for groups: limits and space in KiB, and when
 *                                 the soft limit begins to hold
 *   IOPRESS_FAULT_COUNTS=FILE     at exit, append "CALL COUNT" lines
 *
 * "write-behind" is a sync_file_range that waits: buffered bytes are lost.  As
 * the kernel does, another descriptor's next flush tells it, too, but not the
 * same one's.  A write that is "lost" ends well, and has written its first half:
 * the next flush tells it, and no other.
 *
 * "fdatasync-aside" is one that another thread than the main one does.
 *
 * A write that fails with EIO or ENOSPC has written its first half, as a disk
 * or a full file system does.
 */

#undef _FORTIFY_SOURCE          /* its inline functions bear the same names */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <libaio.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/quota.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/preload.h"

#define CALLS(X) \
  X (SETUP, "setup") X (SUBMIT, "submit") X (AIO_READ, "aio-read") \
  X (AIO_WRITE, "aio-write") X (GETEVENTS, "getevents") X (PREAD, "pread") \
  X (PWRITE, "pwrite") X (READ, "read") X (WRITE, "write") \
  X (FDATASYNC, "fdatasync") X (FSYNC, "fsync") X (FALLOCATE, "fallocate") \
  X (FTRUNCATE, "ftruncate") X (LSEEK, "lseek") X (OPEN, "open") \
  X (CLOSE, "close") X (RENAME, "rename") X (UNLINK, "unlink") \
  X (RENAMEAT2, "renameat2") X (CLONE, "clone") X (FCHMOD, "fchmod") \
  X (BEHIND, "write-behind") X (ASIDE, "fdatasync-aside")

#define ENUMERATOR(call, name) CALL_##call,
#define NAME(call, name) name,

enum call { CALLS (ENUMERATOR) CALL_COUNT };

static const char *const names[] = { CALLS (NAME) };

#define SHORT (-1)              /* in place of an error number */
#define KILL (-2)
#define LOST (-3)
#define STOP (-4)

static struct {
  const char *folder;
  enum call call;               /* CALL_COUNT: none fails */
  unsigned long nth;
  int how;
} fault = { .call = CALL_COUNT };

static atomic_ulong counts[CALL_COUNT];

/* The request that fails on completion: the kernel never gets it. */
static struct {
  io_context_t context;
  struct iocb *iocb;
  atomic_bool pending;
} victim;

/* A write that was lost behind the program's back. */
static struct {
  int fd;                       /* the descriptor that knows already, or -1 */
  struct stat file;
  atomic_bool pending;
} lost;

static int
how_of (const char *text)
{
  static const struct {
    const char *name;
    int number;
  } hows[] = {
    { "EIO", EIO }, { "ENOSPC", ENOSPC }, { "EINTR", EINTR },
    { "EAGAIN", EAGAIN }, { "EMFILE", EMFILE }, { "EINVAL", EINVAL },
    { "EOPNOTSUPP", EOPNOTSUPP }, { "EFBIG", EFBIG }, { "EDQUOT", EDQUOT },
    { "short", SHORT },
    { "kill", KILL }, { "lost", LOST }, { "stop", STOP },
  };
  size_t i;

  for (i = 0; i < sizeof hows / sizeof hows[0]; i++)
    if (strcmp (text, hows[i].name) == 0)
      return hows[i].number;
  abort ();
}

__attribute__ ((constructor)) static void
begin (void)
{
  const char *text = getenv ("IOPRESS_FAULT");
  char call[32], how[32];
  int i;

  fault.folder = getenv ("IOPRESS_FAULT_FOLDER");
  if (text == NULL)
    return;
  if (sscanf (text, "%31[^:]:%lu:%31s", call, &fault.nth, how) != 3)
    abort ();
  fault.how = how_of (how);
  for (i = 0; i < CALL_COUNT; i++)
    if (strcmp (call, names[i]) == 0)
      fault.call = (enum call) i;
  if (fault.call == CALL_COUNT)
    abort ();
}

__attribute__ ((destructor)) static void
end (void)
{
  const char *path = getenv ("IOPRESS_FAULT_COUNTS");
  FILE *file = path != NULL ? fopen (path, "a") : NULL;
  int i;

  if (file == NULL)
    return;
  for (i = 0; i < CALL_COUNT; i++)
    fprintf (file, "%s %lu\n", names[i], atomic_load (&counts[i]));
  fclose (file);
}

static bool
watched_path (const char *path)
{
  return fault.folder != NULL &&
    strncmp (path, fault.folder, strlen (fault.folder)) == 0;
}

/* Descriptors that find nothing in their files. */
static bool emptied[1024];

/* What becomes of opening PATH again.  Returns 1 when it fails. */
static int
open_unnamed (const char *path, bool *empty)
{
  static const char deleted[] = " (deleted)";
  const char *how = getenv ("IOPRESS_FAULT_UNNAMED");
  char target[PRELOAD_PATH_BYTES];
  ssize_t length;

  *empty = false;
  if (how == NULL || strncmp (path, "/proc/", 6) != 0)
    return 0;
  length = readlink (path, target, sizeof target - 1);
  if (length < (ssize_t) sizeof deleted)
    return 0;
  target[length] = '\0';
  if (!watched_path (target) ||
      strcmp (target + length - strlen (deleted), deleted) != 0)
    return 0;
  *empty = strcmp (how, "empty") == 0;
  errno = ENOENT;
  return !*empty;
}

static bool
watched (int fd)
{
  char path[PRELOAD_PATH_BYTES];
  struct statx st;

  /* Nothing that a file system has to be asked: none may answer yet. */
  if (fault.folder == NULL || fd == STDERR_FILENO ||
      statx (fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &st) < 0)
    return false;
  path_of (fd, path);
  return S_ISFIFO (st.stx_mode) || watched_path (path);
}

/* Count a CALL.  Whether it is the one to fail. */
static bool
hit (enum call call)
{
  bool result = atomic_fetch_add (&counts[call], 1) + 1 == fault.nth &&
    call == fault.call;

  if (result && fault.how == KILL)
    kill (getpid (), SIGKILL);
  if (result && fault.how == STOP) {
    kill (getpid (), SIGSTOP);
    return false;
  }
  return result;
}

static bool
hit_fd (enum call call, int fd)
{
  int before = errno;
  bool result = watched (fd) && hit (call);

  errno = before;
  return result;
}

static int
fail (void)
{
  errno = fault.how < 0 ? EIO : fault.how;
  return -1;
}

/* How much of LENGTH a short transfer moves: with O_DIRECT whole sectors. */
static size_t
short_of (int fd, size_t length)
{
  size_t half = length / 2;

  if ((fcntl (fd, F_GETFL) & O_DIRECT) != 0)
    return length < 1024 ? length : half / 512 * 512;
  return length < 2 ? length : half | 1;
}

/* What a write leaves behind that fails for want of room or of a good disk. */
static void
write_half (int fd, const void *buffer, size_t length, off_t offset)
{
  if (fault.how == EIO || fault.how == ENOSPC || fault.how == LOST)
    if (REAL (pwrite) (fd, buffer, short_of (fd, length), offset) < 0)
      return;
}

/* Whether a transfer of LENGTH fails.  A short one gets less to move. */
static bool
hit_transfer (enum call call, int fd, size_t *length)
{
  if (!hit_fd (call, fd))
    return false;
  if (fault.how != SHORT)
    return true;
  *length = short_of (fd, *length);
  return false;
}

int
io_setup (int depth, io_context_t *context)
{
  return hit (CALL_SETUP) ? -fault.how : REAL (io_setup) (depth, context);
}

/* From now on a flush is to tell of a write to FD.  KNOWN knows already. */
static void
lose (int fd, int known)
{
  lost.fd = known;
  if (fstat (fd, &lost.file) < 0)
    abort ();
  atomic_store (&lost.pending, true);
}

/* Make the one that fails on completion. */
static void
strike (io_context_t context, struct iocb *iocb)
{
  int fd = iocb->aio_fildes;

  if (iocb->aio_lio_opcode == IO_CMD_PWRITE)
    write_half (fd, iocb->u.c.buf, iocb->u.c.nbytes, iocb->u.c.offset);
  if (fault.how == LOST)
    lose (fd, -1);
  victim.context = context;
  victim.iocb = iocb;
  atomic_store (&victim.pending, true);
}

int
io_submit (io_context_t context, long count, struct iocb **iocbs)
{
  long i;

  if (hit (CALL_SUBMIT)) {
    if (fault.how != SHORT)
      return -fault.how;
    count = count > 1 ? count / 2 : count;
  }
  for (i = 0; i < count; i++) {
    struct iocb *iocb = iocbs[i];

    if (!hit (iocb->aio_lio_opcode == IO_CMD_PWRITE ? CALL_AIO_WRITE
              : CALL_AIO_READ))
      continue;
    if (fault.how == SHORT)
      iocb->u.c.nbytes = short_of (iocb->aio_fildes, iocb->u.c.nbytes);
    else if (i > 0) {
      /* Those before it go first; it comes again as the first. */
      atomic_fetch_sub (&counts[fault.call], 1);
      return REAL (io_submit) (context, i, iocbs);
    }
    else {
      strike (context, iocb);
      return 1;
    }
  }
  return REAL (io_submit) (context, count, iocbs);
}

int
io_getevents (io_context_t context, long least, long most,
              struct io_event *events, struct timespec *timeout)
{
  if (hit (CALL_GETEVENTS))
    return -fault.how;
  if (victim.context == context && atomic_exchange (&victim.pending, false)) {
    events[0] = (struct io_event) {
      .obj = victim.iocb,
      .res = fault.how == LOST ? victim.iocb->u.c.nbytes
        : (unsigned long) -(long) fault.how,
    };
    return 1;
  }
  return REAL (io_getevents) (context, least, most, events, timeout);
}

ssize_t
pread (int fd, void *buffer, size_t length, off_t offset)
{
  if (hit_transfer (CALL_PREAD, fd, &length))
    return fail ();
  if (fd >= 0 && (size_t) fd < sizeof emptied && emptied[fd])
    return 0;
  return REAL (pread) (fd, buffer, length, offset);
}

ssize_t
pwrite (int fd, const void *buffer, size_t length, off_t offset)
{
  if (hit_transfer (CALL_PWRITE, fd, &length)) {
    write_half (fd, buffer, length, offset);
    if (fault.how != LOST)
      return fail ();
    lose (fd, -1);
    return (ssize_t) length;
  }
  return REAL (pwrite) (fd, buffer, length, offset);
}

ssize_t
read (int fd, void *buffer, size_t length)
{
  if (hit_transfer (CALL_READ, fd, &length))
    return fail ();
  return REAL (read) (fd, buffer, length);
}

ssize_t
write (int fd, const void *buffer, size_t length)
{
  if (hit_transfer (CALL_WRITE, fd, &length))
    return fail ();
  return REAL (write) (fd, buffer, length);
}

static bool
tells_of_loss (int fd)
{
  struct stat st;

  return atomic_load (&lost.pending) && fd != lost.fd &&
    fstat (fd, &st) == 0 && st.st_dev == lost.file.st_dev &&
    st.st_ino == lost.file.st_ino && atomic_exchange (&lost.pending, false);
}

int
fdatasync (int fd)
{
  enum call call = gettid () == getpid () ? CALL_FDATASYNC : CALL_ASIDE;

  return hit_fd (call, fd) || tells_of_loss (fd) ? fail ()
    : REAL (fdatasync) (fd);
}

int
fsync (int fd)
{
  return hit_fd (CALL_FSYNC, fd) || tells_of_loss (fd) ? fail ()
    : REAL (fsync) (fd);
}

int
sync_file_range (int fd, off_t offset, off_t length, unsigned int flags)
{
  if ((flags & SYNC_FILE_RANGE_WAIT_AFTER) == 0 ||
      !hit_fd (CALL_BEHIND, fd))
    return REAL (sync_file_range) (fd, offset, length, flags);
  lose (fd, fd);
  return fail ();
}

int
fallocate (int fd, int mode, off_t offset, off_t length)
{
  if (hit_fd (CALL_FALLOCATE, fd))
    return fail ();
  return REAL (fallocate) (fd, mode, offset, length);
}

static bool
on_fat (int fd)
{
  return getenv ("IOPRESS_FAULT_FAT") != NULL && watched (fd);
}

int
fstatfs (int fd, struct statfs *fs)
{
  int result = REAL (fstatfs) (fd, fs);

  if (result == 0 && on_fat (fd))
    fs->f_type = MSDOS_SUPER_MAGIC;
  return result;
}

int
ftruncate (int fd, off_t length)
{
  struct stat st;

  if (on_fat (fd) && fstat (fd, &st) == 0 && length > st.st_size)
    abort ();
  return hit_fd (CALL_FTRUNCATE, fd) ? fail ()
    : REAL (ftruncate) (fd, length);
}

off_t
lseek (int fd, off_t offset, int whence)
{
  return hit_fd (CALL_LSEEK, fd) ? fail ()
    : REAL (lseek) (fd, offset, whence);
}

int
replaced_open (int folder_fd, const char *name, const char *path, int flags,
               mode_t mode)
{
  bool empty;
  int fd;

  if (watched_path (path) && hit (CALL_OPEN))
    return fail ();
  if (open_unnamed (path, &empty))
    return -1;
  fd = REAL (openat) (folder_fd, name, flags, mode);
  if (fd >= 0 && (size_t) fd < sizeof emptied)
    emptied[fd] = empty;
  return fd;
}

/* As the kernel does it: the descriptor is gone all the same. */
int
close (int fd)
{
  bool failing = hit_fd (CALL_CLOSE, fd);
  int result = REAL (close) (fd);

  return failing ? fail () : result;
}

int
rename (const char *from, const char *to)
{
  return watched_path (from) && hit (CALL_RENAME) ? fail ()
    : REAL (rename) (from, to);
}

int
renameat2 (int from_folder, const char *from, int to_folder, const char *to,
           unsigned int flags)
{
  char path[PRELOAD_PATH_BYTES];
  /* One that takes what has the name away counts as rename(2). */
  enum call call = flags == 0 ? CALL_RENAME : CALL_RENAMEAT2;

  return watched_path (path_at (from_folder, from, path)) && hit (call)
    ? fail () : REAL (renameat2) (from_folder, from, to_folder, to, flags);
}

static int
get_quota (int command, struct dqblk *quota)
{
  const char *text = getenv ("IOPRESS_FAULT_QUOTA");
  unsigned long hard, soft, used, time;
  int type;

  if (text != NULL && sscanf (text, "%d:%lu:%lu:%lu:%lu", &type, &hard, &soft,
                              &used, &time) != 5)
    abort ();
  if (text == NULL || command != (int) QCMD ((unsigned int) Q_GETQUOTA, type)) {
    errno = ESRCH;
    return -1;
  }
  *quota = (struct dqblk) {
    .dqb_bhardlimit = hard,
    .dqb_bsoftlimit = soft,
    .dqb_curspace = used * 1024,
    .dqb_btime = time,
  };
  return 0;
}

long
syscall (long number, ...)
{
  long arguments[6];
  va_list list;
  int i;

  va_start (list, number);
  for (i = 0; i < 6; i++)
    arguments[i] = va_arg (list, long);
  va_end (list);
  if (number == SYS_quotactl_fd)
    return get_quota ((int) arguments[1], (struct dqblk *) arguments[3]);
  return REAL (syscall) (number, arguments[0], arguments[1], arguments[2],
                         arguments[3], arguments[4], arguments[5]);
}

int
fchmod (int fd, mode_t mode)
{
  return hit_fd (CALL_FCHMOD, fd) ? fail () : REAL (fchmod) (fd, mode);
}

int
replaced_ioctl (int fd, unsigned long request, void *argument)
{
  if (request == FICLONERANGE && hit_fd (CALL_CLONE, fd))
    return fail ();
  return REAL (ioctl) (fd, request, argument);
}

int
unlinkat (int folder, const char *name, int flags)
{
  char path[PRELOAD_PATH_BYTES];

  return watched_path (path_at (folder, name, path)) && hit (CALL_UNLINK)
    ? fail () : REAL (unlinkat) (folder, name, flags);
}

int
unlink (const char *path)
{
  return unlinkat (AT_FDCWD, path, 0);
}
