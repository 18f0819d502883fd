/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be said of a mount, on the command line and in fstab. */

#ifndef IOPRESS_CMD_MOUNT_OPTIONS_H
#define IOPRESS_CMD_MOUNT_OPTIONS_H

#include "cmd/options.h"
#include "plugin/loader.h"

struct mount_settings {
  struct common_options common;
  const char *folder;
  const char *store;           /* NULL: FOLDER, below the mount */
  uint32_t chunk_bytes;        /* 0: as the codec prefers */
  bool pack_now;
  uint64_t memory_bytes;
  bool foreground;
  bool status, json;           /* only tell what the mount does */
  bool fake;                   /* do all but mount */
  char for_fuse[4096];         /* what is libfuse's of -o */
};

/* What nobody says. */
#define MOUNT_SETTINGS \
  .common.codec_text = CODEC_DEFAULT ":" CODEC_DEFAULT_LEVEL

/* Options that stand in -o, too.  optarg is the value.  Return 0, or -1 with
 * ERR (ERROR_USAGE).
 */
int mount_memory_option (struct mount_settings *settings, struct error *err);

/* Take the list TEXT, separated by commas, apart; it is written to, and must
 * stay.  Returns 0, or -1 with ERR (ERROR_USAGE).
 */
int mount_option_list (struct mount_settings *settings, char *text,
                       struct error *err);

#endif /* IOPRESS_CMD_MOUNT_OPTIONS_H */
