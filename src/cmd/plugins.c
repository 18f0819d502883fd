/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress plugins: which codecs there are. */

#include <config.h>

#include <stdio.h>

#include "cmd/json.h"
#include "cmd/options.h"
#include "cmd/say.h"
#include "cmd/verbs.h"
#include "cmd/visible.h"
#include "plugin/loader.h"

#define SYNOPSIS "iopress plugins [OPTION]..."

static const char help[] =
  "Usage: " SYNOPSIS "\n"
  "List the codecs that -c can name, with the version of the library\n"
  "underneath, the levels and the path of each.\n"
  "\n"
  "      --json              print one JSON object\n";

struct plugins {
  struct common_options common;
  bool json;
};

static const struct option long_options[] = {
  COMMON_LONG_OPTIONS,
  { "json", no_argument, NULL, OPTION_FLAG (struct plugins, json) },
  { NULL, 0, NULL, 0 },
};

struct list {
  struct json_object *plugins; /* NULL: print lines */
  unsigned int count;          /* lines printed */
};

static void
add_json (struct list *list, const char *name, const struct codec *codec,
          const struct error *why)
{
  struct json_object *plugin = json_object_new_object ();
  char text[1024];

  json_add_string (plugin, "name", name);
  if (codec != NULL) {
    json_add_string (plugin, "version", codec->ops.version ());
    json_add_integer (plugin, "level_min", codec->ops.level_min);
    json_add_integer (plugin, "level_max", codec->ops.level_max);
    json_add_integer (plugin, "level_default", codec->ops.level_default);
    json_add_string (plugin, "path", codec->path);
  }
  else {
    error_format (why, text, sizeof text);
    json_add_string (plugin, "error", text);
  }
  json_object_array_add (list->plugins, plugin);
}

static int
visit (void *opaque, const char *name, const struct codec *codec,
       const struct error *why)
{
  struct list *list = opaque;

  if (list->plugins != NULL)
    add_json (list, name, codec, why);
  else if (codec != NULL) {
    if (list->count++ == 0)
      printf ("%-15s %-12s %-10s %7s  %s\n", "NAME", "VERSION", "LEVELS",
              "DEFAULT", "PATH");
    printf ("%-15s %-12s %4d..%-4d %7d  ", name, codec->ops.version (),
            codec->ops.level_min, codec->ops.level_max,
            codec->ops.level_default);
    visible_print (stdout, codec->path);
    putchar ('\n');
  }
  else
    say_error (why);
  return 0;
}

static int
run (void *state, char **operands, struct error *err)
{
  const struct plugins *plugins = state;
  struct list list = { 0 };
  struct json_object *report = NULL;
  int result;

  (void) operands;
  if (plugins->json) {
    report = json_object_new_object ();
    list.plugins = json_object_new_array ();
    json_object_object_add (report, "plugins", list.plugins);
  }
  result = codec_each (plugins->common.plugin_folder, visit, &list, err);
  if (plugins->json && result == 0)
    json_print (report, stdout);
  return result;
}

const struct verb plugins_verb = {
  .name = "plugins",
  .summary = "list the codecs",
  .synopsis = SYNOPSIS,
  .help = help,
  .letters = COMMON_LETTERS,
  .options = long_options,
  VERB_STATE (struct plugins, .json = false),
  .run = run,
};
