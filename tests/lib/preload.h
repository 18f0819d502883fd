/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the modules share that are preloaded into iopress. */

#ifndef IOPRESS_TESTS_PRELOAD_H
#define IOPRESS_TESTS_PRELOAD_H

#include <sys/types.h>

/* The program sees no more of a module than what that replaces. */
#define PRELOAD_PRIVATE __attribute__ ((visibility ("hidden")))

/* The next definition of NAME: libc's or libaio's. */
PRELOAD_PRIVATE void *next (const char *name);

#define REAL(name) ((__typeof__ (&name)) next (#name))

#define PRELOAD_PATH_BYTES 4096

/* The path of the file behind FD; empty when there is none.  Leaves errno
 * alone.
 */
PRELOAD_PRIVATE void path_of (int fd, char path[PRELOAD_PATH_BYTES]);

/* PATH, or that of PATH in FOLDER, in JOINED. */
PRELOAD_PRIVATE const char *path_at (int folder, const char *path,
                                     char joined[PRELOAD_PATH_BYTES]);

/* What a module does in place of open, openat and ioctl.  MODE is 0 where the caller
 * gives none.  PATH tells what NAME in FOLDER is; another file may be mounted on
 * it.
 */
PRELOAD_PRIVATE int replaced_open (int folder_fd, const char *name,
                                   const char *path, int flags, mode_t mode);
PRELOAD_PRIVATE int replaced_ioctl (int fd, unsigned long request,
                                    void *argument);

#endif /* IOPRESS_TESTS_PRELOAD_H */
