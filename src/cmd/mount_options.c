/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be said of a mount. */

#include <config.h>

#include <string.h>

#include "cmd/mount_options.h"

int
mount_memory_option (struct mount_settings *settings, struct error *err)
{
  return option_size ("--memory", &settings->memory_bytes, err);
}

static int
store_option (struct mount_settings *settings, struct error *err)
{
  if (optarg[0] == '\0')
    return error_set (err, ERROR_USAGE, 0, "the name of the store is empty");
  settings->store = optarg;
  return 0;
}

static int
threads_option (struct mount_settings *settings, struct error *err)
{
  return common_option (&settings->common, 'T', err);
}

static int
codec_option (struct mount_settings *settings, struct error *err)
{
  (void) err;
  settings->common.codec_text = optarg;
  return 0;
}

static int
chunk_option (struct mount_settings *settings, struct error *err)
{
  return option_chunk_size (&settings->chunk_bytes, err);
}

static int
pack_option (struct mount_settings *settings, struct error *err)
{
  static const char *const choices[] = { "later", "now", NULL };
  int choice = option_choice ("pack", choices, err);

  settings->pack_now = choice == 1;
  return choice < 0 ? -1 : 0;
}

/* Those with a value that are not libfuse's. */
static const struct {
  const char *name;            /* up to and with the = */
  int (*take) (struct mount_settings *settings, struct error *err);
} own[] = {
  { "store=", store_option },
  { "codec=", codec_option },
  { "chunk-size=", chunk_option },
  { "pack=", pack_option },
  { "threads=", threads_option },
  { "memory=", mount_memory_option },
};

/* Those of fstab that are for mount(8) and systemd alone. */
static bool
is_for_others (const char *option)
{
  static const char *const names[] = {
    "defaults", "auto", "noauto", "nofail", "_netdev", "user", "nouser",
    "users", "owner", "group", "rw",
  };
  size_t i;

  for (i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strcmp (option, names[i]) == 0)
      return true;
  return strncmp (option, "x-", 2) == 0 || strncmp (option, "X-", 2) == 0 ||
    strncmp (option, "comment=", 8) == 0;
}

static int
hand_on (struct mount_settings *settings, const char *option,
         struct error *err)
{
  char *end = settings->for_fuse + strlen (settings->for_fuse);
  size_t room = sizeof settings->for_fuse -
    (size_t) (end - settings->for_fuse);

  if (strlen (option) + 2 > room)
    return error_set (err, ERROR_USAGE, 0, "too many mount options");
  if (end != settings->for_fuse)
    *end++ = ',';
  strcpy (end, option);
  return 0;
}

static int
take_one (struct mount_settings *settings, char *option, struct error *err)
{
  size_t i;

  for (i = 0; i < sizeof own / sizeof own[0]; i++) {
    size_t length = strlen (own[i].name);

    if (strncmp (option, own[i].name, length) == 0) {
      optarg = option + length;
      return own[i].take (settings, err);
    }
  }
  if (option[0] == '\0' || is_for_others (option))
    return 0;
  return hand_on (settings, option, err);
}

int
mount_option_list (struct mount_settings *settings, char *text,
                   struct error *err)
{
  char *option;

  while ((option = strsep (&text, ",")) != NULL)
    if (take_one (settings, option, err) < 0)
      return error_context (err, "-o");
  return 0;
}
