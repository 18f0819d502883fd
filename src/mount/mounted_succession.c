/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another file of the store takes the place of one that is shown. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "mount/mounted_private.h"

void
mounted_hold (struct mounted *file)
{
  pthread_rwlock_rdlock (&file->lock);
}

void
mounted_let_go (struct mounted *file)
{
  pthread_rwlock_unlock (&file->lock);
}

int
mounted_watch (struct mounted *file)
{
  int result;

  pthread_rwlock_wrlock (&file->lock);
  result = file->writing != NULL ? EBUSY : 0;
  atomic_store (&file->disturbed, false);
  pthread_rwlock_unlock (&file->lock);
  return result;
}

bool
mounted_is_disturbed (const struct mounted *file)
{
  return atomic_load (&file->disturbed);
}

/* The node's descriptor, whose number others may be about to use, is another
 * file's from now on.
 */
static void
change_descriptor (struct mounted *file, int path_fd)
{
  int result;

  do
    result = dup3 (path_fd, file->path_fd, O_CLOEXEC);
  while (result < 0 && (errno == EBUSY || errno == EINTR));
  close (path_fd);
}

int
mounted_replace (struct mounted *file,
                 int (*put) (void *opaque, int *path_fd), void *opaque)
{
  int path_fd = -1, result = 0;

  pthread_rwlock_wrlock (&file->lock);
  if (mounted_is_disturbed (file))
    result = ECANCELED;
  else if (file->opens > 0)
    result = EBUSY;
  else
    result = put (opaque, &path_fd);
  if (result == 0 && path_fd >= 0)
    change_descriptor (file, path_fd);
  file->looked &= result != 0;
  pthread_rwlock_unlock (&file->lock);
  return result;
}
