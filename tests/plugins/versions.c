/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A codec plugin whose version its file name tells: dated, long, or mute. */

#include <config.h>

#include <dlfcn.h>
#include <string.h>

#include "lib/run_codec.h"

static struct iopress_codec versions;
static char name[64];

static const char *
version (void)
{
  return strcmp (name, "dated") == 0 ? "1.0.8, 13-Jul-2019"
    : strcmp (name, "long") == 0 ? "1.2.3-rc4+git20260101" : NULL;
}

IOPRESS_REGISTER_CODEC (versions)

static void __attribute__ ((constructor))
take_run_codec (void)
{
  const char *file;
  Dl_info self;

  versions = run_codec;
  versions.name = name;
  versions.version = version;
  if (dladdr (&versions, &self) == 0)
    return;
  file = strrchr (self.dli_fname, '/') + 1;
  strncpy (name, file, strcspn (file, "."));
}
