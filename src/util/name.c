/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names of codecs: in files, in folders and on the command line. */

#include <config.h>

#include <string.h>

#include "util/name.h"

#define NAME_MAX_LENGTH 15

bool
codec_name_valid (const char *name)
{
  size_t length = strlen (name);

  return length > 0 && length <= NAME_MAX_LENGTH &&
    strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

bool
codec_name_reserved (const char *name)
{
  return strcmp (name, CODEC_STORED) == 0 || strcmp (name, CODEC_AUTO) == 0;
}
