/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress plugins: which codecs there are. */

#include <config.h>

#include <stdio.h>
#include <string.h>

#include "cmd/confine.h"
#include "cmd/say.h"
#include "cmd/verbs.h"
#include "plugin/loader.h"
#include "plugin/parameters.h"
#include "util/json.h"
#include "util/visible.h"

#define SYNOPSIS "iopress plugins [OPTION]... [NAME]"

static const char help[] =
  "Usage: " SYNOPSIS "\n"
  "List the codecs that -c can name, with the version of the library\n"
  "underneath, the levels and the path of each; of NAME alone, its\n"
  "parameters, too.\n"
  "\n"
  "      --json              print one JSON object\n";

/* At least, for the column of versions. */
#define VERSION_WIDTH 12

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
  bool as_json;                /* otherwise lines are printed */
  int version_width;           /* of the column */
  struct json json;            /* started with the first plugin */
  unsigned int count;          /* plugins printed */
};

static void
add_parameter (struct json *object,
               const struct iopress_codec_parameter *parameter)
{
  static const char *const types[] = { NULL, "flag", "integer", "choice" };

  json_open_object (object, NULL);
  json_add_string (object, "key", parameter->key);
  json_add_string (object, "type", types[parameter->type]);
  if (parameter->type == IOPRESS_CODEC_INTEGER) {
    json_add_integer (object, "minimum", parameter->minimum);
    json_add_integer (object, "maximum", parameter->maximum);
  }
  if (parameter->type == IOPRESS_CODEC_CHOICE)
    json_add_string (object, "choices", parameter->choices);
  json_add_string (object, "help", parameter->help);
  json_close (object);
}

/* What the library calls itself, if that can be shown. */
static const char *
version_of (const struct codec *codec)
{
  const char *version = codec->ops.version ();

  return codec_text_is_line (version) ? version : "unknown";
}

/* The number at its begin: some go on with a date. */
static int
number_length (const char *version)
{
  return (int) strcspn (version, " ,");
}

static int
measure (void *opaque, const char *name, const struct codec *codec,
         const struct error *why)
{
  struct list *list = opaque;
  int length = codec != NULL ? number_length (version_of (codec)) : 0;

  (void) name;
  (void) why;
  if (length > list->version_width)
    list->version_width = length;
  return 0;
}

static void
add_description (struct json *plugin, const struct codec *codec)
{
  const struct iopress_codec *ops = &codec->ops;
  const struct iopress_codec_parameter *parameter;
  size_t i;

  json_add_string (plugin, "version", version_of (codec));
  json_add_integer (plugin, "level_min", ops->level_min);
  json_add_integer (plugin, "level_max", ops->level_max);
  json_add_integer (plugin, "level_default", ops->level_default);
  json_add_boolean (plugin, "auto", ops->set_level != NULL);
  json_add_boolean (plugin, "knows_frames", ops->is_frame != NULL);
  json_open_array (plugin, "parameters");
  for (i = 0; (parameter = codec_parameter (ops, i)) != NULL; i++)
    add_parameter (plugin, parameter);
  json_close (plugin);
  json_add_string (plugin, "path", codec->path);
}

static void
begin_json (struct list *list)
{
  json_begin (&list->json, stdout);
  json_open_array (&list->json, "plugins");
}

static void
add_json (struct list *list, const char *name, const struct codec *codec,
          const struct error *why)
{
  struct json *plugin = &list->json;
  char text[1024];

  if (list->count++ == 0)
    begin_json (list);
  json_open_object (plugin, NULL);
  json_add_string (plugin, "name", name);
  if (codec != NULL)
    add_description (plugin, codec);
  else {
    error_format (why, text, sizeof text);
    json_add_string (plugin, "error", text);
  }
  json_close (plugin);
}

static void
end_json (struct list *list)
{
  if (list->count == 0)
    begin_json (list);
  json_close (&list->json);
  json_end (&list->json);
}

static void
print_row (struct list *list, const char *name, const struct codec *codec)
{
  const struct iopress_codec *ops = &codec->ops;
  const char *version = version_of (codec);

  if (list->count++ == 0)
    printf ("%-15s %-*s %-10s %7s  %s\n", "NAME", list->version_width,
            "VERSION", "LEVELS", "DEFAULT", "PATH");
  printf ("%-15s %-*.*s %4d..%-4d %7d  ", name, list->version_width,
          number_length (version), version, ops->level_min, ops->level_max,
          ops->level_default);
  visible_print (stdout, codec->path);
  putchar ('\n');
}

static int
visit (void *opaque, const char *name, const struct codec *codec,
       const struct error *why)
{
  struct list *list = opaque;

  if (list->as_json)
    add_json (list, name, codec, why);
  else if (codec != NULL)
    print_row (list, name, codec);
  else
    say_error (why);
  return 0;
}

static void
print_description (const struct codec *codec)
{
  const struct iopress_codec *ops = &codec->ops;
  const struct iopress_codec_parameter *parameter;
  char range[PARAMETER_RANGE_BYTES];
  size_t i;

  printf ("name: %s\nversion: %s\nlevels: %d..%d%s, default %d\n", ops->name,
          version_of (codec), ops->level_min, ops->level_max,
          ops->set_level != NULL ? ", auto" : "", ops->level_default);
  printf ("frames known: %s\npath: ", ops->is_frame != NULL ? "yes" : "no");
  visible_print (stdout, codec->path);
  printf ("\nparameters:%s\n", codec_parameter (ops, 0) != NULL ? ""
          : ops->check_parameters != NULL ? " not described" : " none");
  for (i = 0; (parameter = codec_parameter (ops, i)) != NULL; i++) {
    codec_parameter_range (parameter, range);
    printf ("  %-22s %s\n", range, parameter->help);
  }
}

static int
describe (const char *folder, const char *name, struct list *list,
          struct error *err)
{
  struct codec *codec;

  if (codec_load (folder, name, &codec, err) < 0)
    return -1;
  if (list->as_json)
    add_json (list, name, codec, NULL);
  else
    print_description (codec);
  codec_unload (codec);
  return 0;
}

static int
list_all (const char *folder, struct list *list, struct error *err)
{
  if (!list->as_json && codec_each (folder, measure, list, err) < 0)
    return -1;
  return codec_each (folder, visit, list, err);
}

static int
run (void *state, char **operands, struct error *err)
{
  const struct plugins *plugins = state;
  const char *folder = plugins->common.plugin_folder;
  struct list list = {
    .as_json = plugins->json,
    .version_width = VERSION_WIDTH,
  };
  int result;

  if (confine_privileges (&plugins->common, PRIVILEGES_READ, err) < 0 ||
      confine_to_reading (&plugins->common, err) < 0)
    return -1;
  result = operands[0] != NULL ? describe (folder, operands[0], &list, err)
    : list_all (folder, &list, err);
  if (plugins->json && result == 0)
    end_json (&list);
  return result;
}

const struct verb plugins_verb = {
  .name = "plugins",
  .summary = "list the codecs",
  .synopsis = SYNOPSIS,
  .help = help,
  .letters = COMMON_LETTERS,
  .options = long_options,
  .operand_count = 1,
  .optional_operands = 1,
  VERB_STATE (struct plugins, .json = false),
  .run = run,
};
