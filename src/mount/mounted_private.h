/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What mounted.c and mounted_content.c share. */

#ifndef IOPRESS_MOUNT_MOUNTED_PRIVATE_H
#define IOPRESS_MOUNT_MOUNTED_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "mount/mounted.h"
#include "mount/shown.h"
#include "mount/writing.h"

struct mounted {
  struct mounting *mounting;
  int path_fd;                 /* O_PATH, the node's */

  /* Who reads and writes content holds it for reading; who changes what is
   * below for writing.
   */
  pthread_rwlock_t lock;
  unsigned int opens, writers;
  int fd;                      /* while it is open, or -1 */
  bool looked;                 /* what follows is known */
  struct stat seen;            /* then, if this has not changed since */
  enum shown content;
  uint64_t source_bytes;       /* of an image */
  bool half;                   /* of an only copy, see shown_look */
  struct shown_image *shown;   /* of an image that is open */
  struct writing *writing;     /* of one that is being written: it counts */
  int failed;                  /* an errno that outlived WRITING, or 0 */
  bool was_written;            /* see mounted_was_written */
  atomic_bool disturbed;       /* see mounted_watch */
};

/* Under the lock, for writing, of a file that is open. */

/* EPERM when it is half of an only copy, which nobody may change. */
int mounted_check_half (struct mounted *file);

/* It is empty from now on, and being written.  As mounted_check_half. */
int mounted_start_anew (struct mounted *file);

/* An image is being written to from now on, as it is. */
int mounted_take_up (struct mounted *file);

/* Take FLAGS, of open(2), into account, and take that back. */
int mounted_open_locked (struct mounted *file, int flags);
void mounted_release_locked (struct mounted *file, int flags);

#endif /* IOPRESS_MOUNT_MOUNTED_PRIVATE_H */
