/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Visiting every codec plugin of a folder. */

#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/loader.h"
#include "plugin/trust.h"
#include "util/name.h"

/* The plugin name of a file NAME.so.  Returns false for other files. */
static bool
name_of_file (const char *file, char name[IOPRESS_CODEC_NAME_MAX + 1])
{
  size_t length = strcspn (file, ".");

  if (length > IOPRESS_CODEC_NAME_MAX || strcmp (file + length, ".so") != 0)
    return false;
  memcpy (name, file, length);
  name[length] = '\0';
  return codec_name_valid (name);
}

static int
is_plugin (const struct dirent *entry)
{
  char name[IOPRESS_CODEC_NAME_MAX + 1];

  return name_of_file (entry->d_name, name);
}

/* By name, not by file: '-' sorts before '.'. */
static int
compare_names (const struct dirent **a, const struct dirent **b)
{
  char name_a[IOPRESS_CODEC_NAME_MAX + 1] = "";
  char name_b[IOPRESS_CODEC_NAME_MAX + 1] = "";

  name_of_file ((*a)->d_name, name_a);
  name_of_file ((*b)->d_name, name_b);
  return strcmp (name_a, name_b);
}

static int
visit_one (const char *folder, const char *file,
           int (*visit) (void *opaque, const char *name,
                         const struct codec *codec, const struct error *why),
           void *opaque)
{
  struct codec *codec = NULL;
  struct error why = { 0 };
  char name[IOPRESS_CODEC_NAME_MAX + 1] = "";
  int result;

  name_of_file (file, name);
  codec_load (folder, name, &codec, &why);
  result = visit (opaque, name, codec, codec == NULL ? &why : NULL);
  codec_unload (codec);
  return result;
}

int
codec_each (const char *folder,
            int (*visit) (void *opaque, const char *name,
                          const struct codec *codec,
                          const struct error *why),
            void *opaque, struct error *err)
{
  struct dirent **entries;
  char resolved[PATH_MAX];
  int count, i, stopped = 0;

  if (plugin_folder_check (folder, resolved, err) < 0)
    return -1;
  count = scandir (resolved, &entries, is_plugin, compare_names);
  if (count < 0)
    return error_about (err, ERROR_FAILED, errno, resolved,
                        "cannot read the plugin folder");
  for (i = 0; i < count; i++) {
    if (stopped == 0)
      stopped = visit_one (folder, entries[i]->d_name, visit, opaque);
    free (entries[i]);
  }
  free (entries);
  if (stopped != 0)
    return error_set (err, ERROR_FAILED, 0, "stopped listing plugins");
  return 0;
}

/* A frame, and who says that it is his. */
struct frame_search {
  const void *frame;
  size_t length;
  unsigned int found;
  char *name;
};

static int
ask_codec (void *opaque, const char *name, const struct codec *codec,
           const struct error *why)
{
  struct frame_search *search = opaque;

  (void) why;
  if (codec != NULL && codec->ops.is_frame != NULL &&
      codec->ops.is_frame (search->frame, search->length)) {
    search->found++;
    strcpy (search->name, name);
  }
  return 0;
}

int
codec_find_by_frame (const char *folder, const void *frame, size_t length,
                     char name[IOPRESS_CODEC_NAME_MAX + 1],
                     struct error *err)
{
  struct frame_search search = {
    .frame = frame,
    .length = length,
    .name = name,
  };

  name[0] = '\0';
  if (codec_each (folder, ask_codec, &search, err) < 0)
    return -1;
  if (search.found != 1)
    name[0] = '\0';
  return 0;
}
