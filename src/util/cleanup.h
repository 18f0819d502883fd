/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Variables that clean up after themselves at the end of their scope. */

#ifndef IOPRESS_UTIL_CLEANUP_H
#define IOPRESS_UTIL_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* free(3) the pointer. */
#define CLEANUP_FREE __attribute__ ((cleanup (cleanup_free)))

/* close(2) the descriptor unless it is -1; errno stays. */
#define CLEANUP_CLOSE __attribute__ ((cleanup (cleanup_close)))

static inline void
cleanup_free (void *pointer_to_pointer)
{
  free (*(void **) pointer_to_pointer);
}

static inline void
cleanup_close (int *fd)
{
  int saved = errno;

  if (*fd >= 0)
    close (*fd);
  errno = saved;
}

#endif /* IOPRESS_UTIL_CLEANUP_H */
