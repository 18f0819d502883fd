/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loading one codec plugin and checking what it says about itself. */

#include <config.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/loaded.h"
#include "plugin/loader.h"
#include "plugin/parameters.h"
#include "plugin/trust.h"
#include "util/bytes.h"
#include "util/name.h"

/* Bounds of .chunk_size, stated in iopress-plugin.h. */
#define PREFERRED_CHUNK_MIN (64u << 10)
#define PREFERRED_CHUNK_MAX (16u << 20)

/* The members that are functions. */
static const struct function {
  const char *name;
  size_t offset;
  bool required;
} functions[] = {
#define FUNCTION(member, required) \
  { #member, offsetof (struct iopress_codec, member), required }
  FUNCTION (version, true),
  FUNCTION (bound, true),
  FUNCTION (check_parameters, false),
  FUNCTION (open, true),
  FUNCTION (close, true),
  FUNCTION (compress, true),
  FUNCTION (decompress, true),
  FUNCTION (error_text, false),
  FUNCTION (set_level, false),
  FUNCTION (is_frame, false),
};

/* No header has ever defined ABI 0: nobody has filled the struct in. */
static int
refuse_abi (uint32_t abi, struct error *err)
{
  if (abi == 0)
    return error_set (err, ERROR_FAILED, 0,
                      "plugin must be registered with "
                      "IOPRESS_REGISTER_CODEC: its .abi is 0");
  error_set (err, ERROR_FAILED, 0,
             "plugin is built for ABI %u, this program needs ABI %d", abi,
             IOPRESS_CODEC_ABI);
  return error_hint (err, "%sbuild it with the iopress-plugin.h of this "
                     "program", abi > IOPRESS_CODEC_ABI
                     ? "it is for a newer iopress: install that, or " : "");
}

/* Where a required member lies beyond SIZE, its name. */
static const char *
member_beyond (size_t size)
{
  size_t i;

  if (size < offsetof (struct iopress_codec, version))
    return "name";
  for (i = 0; i < sizeof functions / sizeof functions[0]; i++)
    if (functions[i].required &&
        size < functions[i].offset + sizeof (void (*) (void)))
      return functions[i].name;
  return NULL;
}

/* Whether the struct is as long as it says, and that is long enough. */
static int
check_size (const struct iopress_codec *theirs, struct error *err)
{
  const char *beyond = member_beyond (theirs->struct_size);

  if (theirs->struct_size % _Alignof (struct iopress_codec) != 0 ||
      !loaded_is_static (theirs, theirs->struct_size))
    return error_set (err, ERROR_FAILED, 0,
                      "plugin must be registered with "
                      "IOPRESS_REGISTER_CODEC: its struct does not have the "
                      "%u bytes that it says", theirs->struct_size);
  if (beyond == NULL)
    return 0;
  return error_set (err, ERROR_FAILED, 0,
                    "plugin must be registered with IOPRESS_REGISTER_CODEC: "
                    "a .struct_size of %u has no room for .%s, which is "
                    "required", theirs->struct_size, beyond);
}

/* Members the plugin does not have stay zero, members that are newer than
 * this program are left out.
 */
static int
copy_struct (const struct iopress_codec *theirs, struct iopress_codec *ours,
             struct error *err)
{
  if (!loaded_is_static (theirs, offsetof (struct iopress_codec, name)))
    return error_set (err, ERROR_FAILED, 0,
                      "plugin must have a static struct iopress_codec");
  if (theirs->abi != IOPRESS_CODEC_ABI)
    return refuse_abi (theirs->abi, err);
  if (check_size (theirs, err) < 0)
    return -1;
  memset (ours, 0, sizeof *ours);
  memcpy (ours, theirs,
          minimum_u64 (theirs->struct_size, sizeof *ours));
  return 0;
}

/* What a struct says that is shorter than its size has other data for members,
 * which must not be called.
 */
static int
check_functions (const struct iopress_codec *ops, struct error *err)
{
  const struct function *function = functions;
  void *address;
  size_t i;

  for (i = 0; i < sizeof functions / sizeof functions[0]; i++, function++) {
    memcpy (&address, (const char *) ops + function->offset, sizeof address);
    if (address == NULL && function->required)
      return error_set (err, ERROR_FAILED, 0,
                        "plugin must have a .%s function", function->name);
    if (address != NULL && !loaded_is_code (address))
      return error_set (err, ERROR_FAILED, 0,
                        "plugin must be registered with "
                        "IOPRESS_REGISTER_CODEC: .%s is no function, so its "
                        "struct is not as long as it says", function->name);
  }
  return 0;
}

static int
check_name (const struct iopress_codec *ops, const char *name,
            struct error *err)
{
  if (ops->name == NULL || !loaded_is_static (ops->name, 1))
    return error_set (err, ERROR_FAILED, 0, "plugin must have a .name");
  if (strcmp (ops->name, name) == 0)
    return 0;
  error_set (err, ERROR_FAILED, 0,
             "plugin calls itself \"%.*s\" but its file \"%s.so\"",
             IOPRESS_CODEC_NAME_MAX, ops->name, name);
  return error_hint (err, "the file must have the name of the codec");
}

static int
check_numbers (const struct iopress_codec *ops, struct error *err)
{
  if (ops->level_min > ops->level_default ||
      ops->level_default > ops->level_max)
    return error_set (err, ERROR_FAILED, 0,
                      "plugin must have .level_min (%d) <= .level_default "
                      "(%d) <= .level_max (%d)", ops->level_min,
                      ops->level_default, ops->level_max);
  if (ops->chunk_size != 0 &&
      (!is_power_of_two (ops->chunk_size) ||
       ops->chunk_size < PREFERRED_CHUNK_MIN ||
       ops->chunk_size > PREFERRED_CHUNK_MAX))
    return error_set (err, ERROR_FAILED, 0,
                      "plugin must have a .chunk_size that is 0 or a power "
                      "of two of 64 KiB to 16 MiB, not %u", ops->chunk_size);
  return 0;
}

static int
take_struct (struct codec *codec, const char *name, struct error *err)
{
  const struct iopress_codec *(*entry) (void);
  const struct iopress_codec *theirs;
  void *symbol = dlsym (codec->handle, IOPRESS_CODEC_SYMBOL);

  if (symbol == NULL) {
    error_set (err, ERROR_FAILED, 0, "not a codec plugin: it exports no %s",
               IOPRESS_CODEC_SYMBOL);
    return error_hint (err, "IOPRESS_REGISTER_CODEC defines that");
  }
  if (!loaded_is_code (symbol))
    return error_set (err, ERROR_FAILED, 0,
                      "plugin must be registered with "
                      "IOPRESS_REGISTER_CODEC: %s is no function",
                      IOPRESS_CODEC_SYMBOL);
  /* ISO C has no conversion from an object to a function pointer. */
  memcpy (&entry, &symbol, sizeof entry);
  theirs = entry ();
  if (theirs == NULL)
    return error_set (err, ERROR_FAILED, 0,
                      "plugin must be registered with "
                      "IOPRESS_REGISTER_CODEC: its %s returns NULL",
                      IOPRESS_CODEC_SYMBOL);
  if (copy_struct (theirs, &codec->ops, err) < 0 ||
      check_functions (&codec->ops, err) < 0 ||
      check_name (&codec->ops, name, err) < 0)
    return -1;
  if (check_numbers (&codec->ops, err) < 0)
    return -1;
  return codec_parameters_check_described (&codec->ops, err);
}

static int
open_plugin (struct codec *codec, const char *name, struct error *err)
{
  codec->handle = dlopen (codec->path, RTLD_NOW | RTLD_LOCAL);
  if (codec->handle == NULL)
    return error_about (err, ERROR_FAILED, 0, codec->path,
                        "cannot load plugin: %s", dlerror ());
  if (take_struct (codec, name, err) < 0)
    return error_subject (err, codec->path);
  return 0;
}

static void
hint_missing (const char *name, struct error *err)
{
  if (err->errnum == ENOENT)
    error_hint (err, "install the package or file that provides codec "
                "\"%s\", or name its folder with --plugin-dir", name);
}

/* Find the file of NAME and check everything that needs no code of it. */
static int
find_plugin (const char *folder, const char *name, struct codec *codec,
             struct error *err)
{
  char resolved[PATH_MAX];
  int length;

  if (plugin_folder_check (folder, resolved, err) < 0)
    return -1;
  length = snprintf (codec->path, sizeof codec->path, "%s/%s.so", resolved,
                     name);
  if (length < 0 || (size_t) length >= sizeof codec->path)
    return error_set (err, ERROR_FAILED, ENAMETOOLONG,
                      "cannot open the plugin folder");
  return plugin_file_check (codec->path, folder != NULL, err);
}

int
codec_load (const char *folder, const char *name, struct codec **result,
            struct error *err)
{
  struct codec *codec;

  if (!codec_name_valid (name))
    return error_set (err, ERROR_FAILED, 0,
                      "a codec name is 1 to %d of the characters a-z, 0-9 "
                      "and -", IOPRESS_CODEC_NAME_MAX);
  if (codec_name_reserved (name))
    return error_set (err, ERROR_FAILED, 0,
                      "no codec can be called \"%s\": the name is reserved",
                      name);
  codec = calloc (1, sizeof *codec);
  if (codec == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot load plugin");
  if (find_plugin (folder, name, codec, err) < 0) {
    hint_missing (name, err);
    codec_unload (codec);
    return -1;
  }
  if (open_plugin (codec, name, err) < 0) {
    codec_unload (codec);
    return -1;
  }
  *result = codec;
  return 0;
}

void
codec_unload (struct codec *codec)
{
  if (codec == NULL)
    return;
  if (codec->handle != NULL)
    dlclose (codec->handle);
  free (codec);
}
