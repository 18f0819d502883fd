/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In place of mount.c, where there is no libfuse3. */

#include <config.h>

#include "mount/mount.h"

int
mount_run (const struct mount_options *options, struct error *err)
{
  return error_about (err, ERROR_FAILED, 0, options->folder, "cannot be "
                      "mounted: this iopress was built without libfuse3");
}
