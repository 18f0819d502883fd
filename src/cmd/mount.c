/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress mount: a folder of images, seen as their sources. */

#include <config.h>

#include <errno.h>
#include <json-c/json.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <syslog.h>

#include "cmd/codec.h"
#include "cmd/mount_options.h"
#include "cmd/say.h"
#include "cmd/signals.h"
#include "cmd/verbs.h"
#include "mount/mount.h"
#include "mount/status.h"
#include "util/visible.h"

/* For windows: all together is 48 MiB then. */
#define MEMORY_BYTES (UINT64_C (28) << 20)

#define SYNOPSIS "iopress mount [OPTION]... FOLDER"
#define SYNOPSIS_STATUS "iopress mount --status [--json] FOLDER"
#define SYNOPSIS_HELPER "mount.iopress STORE FOLDER [-fnsv] [-o OPTION,...]"

static const char help[] =
  "Usage: " SYNOPSIS "\n"
  "       " SYNOPSIS_STATUS "\n"
  "Show the images in a folder as their sources, in FOLDER, and make images of\n"
  "what is written there.\n"
  "\n"
  "      --store=STORE       the images are in STORE; without it in FOLDER\n"
  "                          itself, below the mount\n"
  "  -c, --codec=CODEC[:LEVEL][,PARAMETER...]\n"
  "                          compress with CODEC (default "
  CODEC_DEFAULT ":" CODEC_DEFAULT_LEVEL ")\n"
  "      --chunk-size=SIZE   make windows of SIZE bytes, 64K to 16M, as the codec\n"
  "                          prefers without it\n"
  "      --memory=SIZE       take at most SIZE for windows (default 28M)\n"
  "      --status            tell what the mount on FOLDER is doing\n"
  "      --json              as JSON\n"
  "  -f, --foreground        stay in the foreground, with messages on standard\n"
  "                          error and not in the system's log\n"
  "  -o, --options=LIST      options of mount(8), separated by commas, and\n"
  "                          store=STORE, codec=CODEC, chunk-size=SIZE,\n"
  "                          memory=SIZE, threads=N; pack=later|now: where\n"
  "                          packing takes longer than the disk, store what is\n"
  "                          written, or wait\n";

static const char helper_help[] =
  "Usage: " SYNOPSIS_HELPER "\n"
  "Run by mount(8) for the file system type iopress; see iopress mount.\n"
  "\n";

enum {
  OPTION_CHUNK_SIZE = OPTION_VERB,
  OPTION_MEMORY,
};

static const struct option long_options[] = {
  COMMON_LONG_OPTIONS,
  { "store", required_argument, NULL,
    OPTION_TEXT (struct mount_settings, store) },
  CODEC_LONG_OPTION,
  { "chunk-size", required_argument, NULL, OPTION_CHUNK_SIZE },
  { "status", no_argument, NULL, OPTION_FLAG (struct mount_settings, status) },
  { "json", no_argument, NULL, OPTION_FLAG (struct mount_settings, json) },
  { "memory", required_argument, NULL, OPTION_MEMORY },
  { "foreground", no_argument, NULL, 'f' },
  { "options", required_argument, NULL, 'o' },
  { NULL, 0, NULL, 0 },
};

static int
take_option (void *state, int c, struct error *err)
{
  struct mount_settings *settings = state;

  switch (c) {
  case OPTION_CHUNK_SIZE:
    return option_chunk_size (&settings->chunk_bytes, err);
  case OPTION_MEMORY:
    return mount_memory_option (settings, err);
  case 'f':
    settings->foreground = true;
    return 0;
  default:
    return mount_option_list (settings, optarg, err);
  }
}

/* As mount(8) calls it: some letters mean something else. */
static int
take_helper_option (void *state, int c, struct error *err)
{
  struct mount_settings *settings = state;

  switch (c) {
  case 'f':
    settings->fake = true;
    return 0;
  case 'n':
  case 's':
    return 0;
  default:
    return take_option (state, c, err);
  }
}

static void
print_value (const char *name, struct json_object *value)
{
  if (!json_object_is_type (value, json_type_array) &&
      !json_object_is_type (value, json_type_object))
    printf ("%-20s %s\n", name,
            value != NULL ? json_object_get_string (value) : "none");
}

static void
print_file (struct json_object *file)
{
  printf ("\n");
  json_object_object_foreach (file, name, value)
    print_value (name, value);
}

static void
print_files (struct json_object *files)
{
  size_t i;

  for (i = 0; i < json_object_array_length (files); i++)
    print_file (json_object_array_get_idx (files, i));
}

static int
print_status (const struct mount_settings *settings, struct error *err)
{
  struct json_object *status, *packing;
  char text[XATTR_SIZE_MAX + 1];
  ssize_t length = getxattr (settings->folder, STATUS_ATTRIBUTE, text,
                             sizeof text - 1);

  text[length > 0 ? length : 0] = '\0';
  status = length > 0 ? json_tokener_parse (text) : NULL;
  if (status == NULL)
    return error_about (err, ERROR_FAILED, length < 0 ? errno : 0,
                        settings->folder,
                        "is no mount of iopress that answers");
  if (settings->json) {
    visible_print_json (stdout, text);
    json_object_put (status);
    return 0;
  }
  json_object_object_foreach (status, name, value)
    print_value (name, value);
  print_files (json_object_object_get (status, "writing"));
  packing = json_object_object_get (status, "packing");
  if (packing != NULL)
    print_file (packing);
  json_object_put (status);
  return 0;
}

static void
say_line (enum say_level level, const char *line)
{
  (void) level;
  say_note ("%s", line);
}

static void
log_line (enum say_level level, const char *line)
{
  syslog ((int) level, "%s", line);
}

static void
open_log (void)
{
  openlog ("iopress-mount", LOG_PID, LOG_DAEMON);
}

/* Without --memory there is always enough. */
static int
settle_memory (const struct mount_settings *settings,
               struct mount_options *options, struct error *err)
{
  uint64_t least = mount_least_memory (options->header.chunk_bytes);

  options->memory_bytes = settings->memory_bytes > 0 ? settings->memory_bytes
    : maximum_u64 (MEMORY_BYTES, least);
  if (options->memory_bytes >= least)
    return 0;
  return error_set (err, ERROR_USAGE, 0, "--memory is below the least, %llu",
                    (unsigned long long) least);
}

/* Find out what of the codec is asked for: it is loaded again for the mount. */
static int
choose_codec (const struct mount_settings *settings,
              struct file_header *header, struct error *err)
{
  struct codec *codec;

  if (codec_for_choice (&settings->common, header, &codec, NULL, err) < 0)
    return -1;
  codec_unload (codec);
  return 0;
}

/* Each file that the kernel remembers is open. */
static void
raise_open_files (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) < 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_NOFILE, &limit);
}

/* In the background the current folder is another one. */
static int
find_folder (const struct mount_settings *settings, char path[PATH_MAX],
             struct error *err)
{
  return realpath (settings->folder, path) != NULL ? 0
    : error_about (err, ERROR_FAILED, errno, settings->folder,
                   "cannot be mounted on");
}

static int
run_mount (const struct mount_settings *settings, struct error *err)
{
  char folder[PATH_MAX], line[sizeof *err];
  int result;
  struct mount_options options = {
    .folder = folder,
    .store = settings->store,
    .plugin_folder = settings->common.plugin_folder,
    .fuse_options = settings->for_fuse,
    .threads = settings->common.threads > 0 ? settings->common.threads : 1,
    .header.chunk_bytes = settings->chunk_bytes,
    .pack_now = settings->pack_now,
    .foreground = settings->foreground,
    .say = settings->foreground ? say_line : log_line,
    .detached = open_log,
  };

  if (settings->status)
    return print_status (settings, err);
  raise_open_files ();
  if (choose_codec (settings, &options.header, err) < 0 ||
      settle_memory (settings, &options, err) < 0)
    return -1;
  if (settings->fake)
    return 0;
  /* The modes of what is created are the callers'. */
  umask (0);
  signals_hand_over ();
  if (find_folder (settings, folder, err) < 0)
    return -1;
  result = mount_run (&options, err);
  if (result < 0 && !settings->foreground) {
    error_format (err, line, sizeof line);
    log_line (SAY_ERROR, line);
  }
  return result;
}

static int
run (void *state, char **operands, struct error *err)
{
  struct mount_settings *settings = state;

  settings->folder = operands[0];
  return run_mount (settings, err);
}

/* mount(8) names the store before the folder. */
static int
run_helper (void *state, char **operands, struct error *err)
{
  struct mount_settings *settings = state;

  if (settings->store == NULL && strcmp (operands[0], "none") != 0 &&
      strcmp (operands[0], operands[1]) != 0)
    settings->store = operands[0];
  return run (state, operands + 1, err);
}

const struct verb mount_verb = {
  .name = "mount",
  .summary = "show a folder of images as their sources",
  .synopsis = SYNOPSIS,
  .help = help,
  .letters = COMMON_LETTERS "c:fo:",
  .options = long_options,
  .operand_count = 1,
  VERB_STATE (struct mount_settings, MOUNT_SETTINGS),
  .take = take_option,
  .run = run,
};

const struct verb mount_helper_verb = {
  .program = "mount.iopress",
  .synopsis = SYNOPSIS_HELPER,
  .help = helper_help,
  .letters = COMMON_LETTERS "c:fno:s",
  .options = long_options,
  .operand_count = 2,
  VERB_STATE (struct mount_settings, MOUNT_SETTINGS),
  .take = take_helper_option,
  .run = run_helper,
};
