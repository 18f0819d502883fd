/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A store, mounted. */

#ifndef IOPRESS_MOUNT_MOUNT_H
#define IOPRESS_MOUNT_MOUNT_H

#include "mount/mounting.h"

/* What to mount; stays the caller's. */
struct mount_options {
  const char *folder;          /* where */
  const char *store;           /* NULL: FOLDER itself, below the mount */
  const char *plugin_folder;   /* NULL: the compiled-in one */
  const char *fuse_options;    /* for libfuse, separated by commas; or NULL */
  struct file_header header;   /* of new images: codec, level, chunk size */
  bool pack_now;               /* rather wait than pack later */
  unsigned int threads;        /* that pack and unpack, at least one */
  uint64_t memory_bytes;       /* the most for windows */
  bool foreground;
  /* See mounting.h.  Called after DETACHED in the background. */
  void (*say) (enum say_level level, const char *line);
  void (*detached) (void);
};

/* Mount, go to the background unless that is not wanted, and serve until it is
 * unmounted or a SIGTERM, SIGINT or SIGHUP ends it.  In the background the
 * process that called exits with 0 as soon as the mount stands.  Must be called
 * while no other thread runs.  Returns 0, or -1 with ERR.
 */
int mount_run (const struct mount_options *options, struct error *err);

#endif /* IOPRESS_MOUNT_MOUNT_H */
