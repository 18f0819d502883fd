/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much can still be written into a folder. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/quota.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "io/free_space.h"
#include "util/cleanup.h"

/* quotactl(2) would want the device, which a file system need not have. */
#ifdef SYS_quotactl_fd
static int
get_quota (int fd, int type, unsigned int id, struct dqblk *quota)
{
  /* Q_GETQUOTA does not fit a signed number once it is shifted. */
  return (int) syscall (SYS_quotactl_fd, fd,
                        QCMD (Q_GETQUOTA + 0u, (unsigned int) type), id,
                        quota);
}
#else
static int
get_quota (int fd, int type, unsigned int id, struct dqblk *quota)
{
  (void) fd, (void) type, (void) id, (void) quota;
  errno = ENOSYS;
  return -1;
}
#endif

/* The bytes that QUOTA leaves.  Its limits are in KiB, 0: none; the soft one
 * holds when its time of grace is over.
 */
static uint64_t
left_by (const struct dqblk *quota)
{
  uint64_t hard = quota->dqb_bhardlimit, soft = quota->dqb_bsoftlimit;
  uint64_t limit = hard;

  if (soft > 0 && quota->dqb_btime > 0 &&
      (uint64_t) time (NULL) >= quota->dqb_btime)
    limit = soft;
  if (limit == 0 || limit > UINT64_MAX / 1024)
    return UINT64_MAX;
  limit *= 1024;
  return limit > quota->dqb_curspace ? limit - quota->dqb_curspace : 0;
}

static void
apply_quota (int fd, int type, unsigned int id, struct free_space *space)
{
  struct dqblk quota;
  uint64_t left;

  if (get_quota (fd, type, id, &quota) < 0)
    return;
  left = left_by (&quota);
  if (left >= space->bytes)
    return;
  space->bytes = left;
  space->by_quota = true;
}

int
free_space_find (const char *folder, struct free_space *space)
{
  CLEANUP_CLOSE int fd = open (folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  struct statvfs fs;
  struct stat st;

  if (fd < 0 || fstatvfs (fd, &fs) < 0 || fstat (fd, &st) < 0)
    return -1;
  *space = (struct free_space) {
    .bytes = (uint64_t) fs.f_bavail * fs.f_frsize,
    .file_system = fs.f_fsid,
  };
  if (geteuid () == 0)
    return 0;
  apply_quota (fd, USRQUOTA, geteuid (), space);
  apply_quota (fd, GRPQUOTA,
               (st.st_mode & S_ISGID) != 0 ? st.st_gid : getegid (), space);
  return 0;
}
