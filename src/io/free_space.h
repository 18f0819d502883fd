/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much can still be written into a folder. */

#ifndef IOPRESS_IO_FREE_SPACE_H
#define IOPRESS_IO_FREE_SPACE_H

#include <stdbool.h>
#include <stdint.h>

struct free_space {
  uint64_t bytes;
  bool by_quota;               /* a quota leaves less than the file system */
  unsigned long file_system;   /* what statvfs(3) calls f_fsid */
};

/* What this process can still write into a new file in FOLDER.  The quotas of
 * its user and group count where the kernel tells of them (Linux 5.14, not NFS,
 * and not of a group that the user is not in; root has none); that of a project
 * is what the file system itself says is free.  Returns 0, or -1 with errno.
 */
int free_space_find (const char *folder, struct free_space *space);

#endif /* IOPRESS_IO_FREE_SPACE_H */
