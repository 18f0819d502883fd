/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Variables that clean up after themselves at the end of their scope. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/cleanup.h"

void
cleanup_free (void *pointer_to_pointer)
{
  free (*(void **) pointer_to_pointer);
}

void
cleanup_close (int *fd)
{
  int saved = errno;

  if (*fd >= 0)
    close (*fd);
  errno = saved;
}
