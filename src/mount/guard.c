/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is left of a mount whose process is killed. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mount/guard.h"
#include "mount/view.h"

/* Linux 6.5. */
#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x200
#endif

/* Linux 6.8: an id that no other mount gets.  Before, the next one may. */
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000u
#endif

struct guard {
  const char *folder;
  uint64_t mount_id;           /* of the mount that is guarded */
  int store;                   /* its folder, O_PATH */
  int alive;                   /* a socket that ends with the process */
};

/* Which mount stands at FOLDER.  Asks no file system: it may be dead, or not be
 * served yet.
 */
static int
find_mount (const char *folder, uint64_t *id)
{
  struct statx found;

  if (statx (AT_FDCWD, folder, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT,
             STATX_MNT_ID | STATX_MNT_ID_UNIQUE, &found) < 0)
    return -1;
  *id = found.stx_mnt_id;
  errno = EOPNOTSUPP;
  return (found.stx_mask & (STATX_MNT_ID | STATX_MNT_ID_UNIQUE)) != 0 ? 0 : -1;
}

/* Keep nothing open that keeps the dead mount or the store's lock alive. */
static void
close_others (const struct guard *guard)
{
  unsigned int low = (unsigned int) (guard->store < guard->alive
                                     ? guard->store : guard->alive);
  unsigned int high = (unsigned int) (guard->store + guard->alive) - low;

  if (low > STDERR_FILENO + 1)
    close_range (STDERR_FILENO + 1, low - 1, 0);
  if (high > low + 1)
    close_range (low + 1, high - 1, 0);
  close_range (high + 1, ~0u, 0);
}

static int
put_view (const struct guard *guard, const struct view *view,
          unsigned int flags)
{
  if (move_mount (view->mount, "", AT_FDCWD, guard->folder,
                  MOVE_MOUNT_F_EMPTY_PATH | flags) < 0)
    return -1;
  /* It would keep the view busy. */
  close (view->mount);
  return 0;
}

/* Put the view in place of the mount, with nothing else between the two where
 * the kernel can do that.
 */
static int
replace_mount (const struct guard *guard, const struct view *view)
{
  bool beneath = put_view (guard, view, MOVE_MOUNT_BENEATH) == 0;

  if (umount2 (guard->folder, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
    return -1;
  return beneath ? 0 : put_view (guard, view, 0);
}

/* Returns whether the process ended without a word. */
static bool
was_killed (const struct guard *guard)
{
  ssize_t result;
  char byte;

  do
    result = read (guard->alive, &byte, 1);
  while (result < 0 && errno == EINTR);
  return result == 0;
}

/* The process of the guard. */
static void
stand_guard (const struct guard *guard,
             void (*say) (enum say_level level, const char *line))
{
  char line[PATH_MAX + 200];
  struct view view;
  uint64_t now;
  bool seen;

  /* Who ends the process may mean its group. */
  signal (SIGTERM, SIG_IGN);
  signal (SIGINT, SIG_IGN);
  signal (SIGHUP, SIG_IGN);
  close_others (guard);
  /* Otherwise it was unmounted, and its id may be that of another one now. */
  if (!was_killed (guard))
    return;
  if (find_mount (guard->folder, &now) < 0 || now != guard->mount_id)
    return;
  /* Not before: who looks at what nobody serves, waits. */
  seen = view_open (guard->store, &view) == 0 &&
    replace_mount (guard, &view) == 0;
  snprintf (line, sizeof line, "%s: the process was killed; %s", guard->folder,
            seen ? "the images themselves are seen there, read-only, until it "
            "is unmounted" : "unmount it");
  say (SAY_ERROR, line);
  if (seen)
    view_serve (&view);
}

/* Returns 0 with *DESCRIPTOR, or an errno. */
static int
fork_guard (struct guard *guard,
            void (*say) (enum say_level level, const char *line),
            int *descriptor)
{
  int ends[2], errnum;
  pid_t child;

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
    return errno;
  guard->alive = ends[0];
  child = fork ();
  errnum = errno;
  if (child == 0) {
    stand_guard (guard, say);
    _exit (0);
  }
  close (ends[0]);
  if (child > 0) {
    *descriptor = ends[1];
    return 0;
  }
  close (ends[1]);
  return errnum;
}

int
guard_start (const char *folder, int store_fd,
             void (*say) (enum say_level level, const char *line),
             struct error *err)
{
  struct guard guard = { .folder = folder };
  int descriptor = -1, result;

  /* Another one than STORE_FD, which has the store's lock. */
  guard.store = openat (store_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (guard.store < 0 || find_mount (folder, &guard.mount_id) < 0)
    result = errno;
  else
    result = fork_guard (&guard, say, &descriptor);
  if (guard.store >= 0)
    close (guard.store);
  return result == 0 ? descriptor
    : error_set (err, ERROR_FAILED, result, "stays mounted, without an answer, "
                 "when this process is killed");
}

void
guard_end (int descriptor)
{
  static const char byte = 0;

  if (descriptor < 0)
    return;
  /* The guard may have been killed. */
  send (descriptor, &byte, 1, MSG_NOSIGNAL);
  close (descriptor);
}
