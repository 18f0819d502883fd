/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening a file that is to be changed under its name. */

#include <config.h>

#include <string.h>
#include <sys/stat.h>

#include "safety/in_place.h"

/* How often it may be replaced while it is being opened. */
#define ATTEMPTS 5

/* A run of save --replace may be about to give the name to its image. */
static int
open_file (const struct place *place, struct file_how how,
           struct file *file, struct error *err)
{
  struct stat st;
  int attempt;

  for (attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (place_open_regular (place, false, how, file, err) < 0 ||
        file_lock (file, true, err) < 0)
      return -1;
    if (place_has (place, file) && fstat (file->fd, &st) == 0) {
      file->size = (uint64_t) st.st_size;
      return 0;
    }
    file_close (file);
  }
  return error_about (err, ERROR_FAILED, 0, place->path,
                      "is being replaced all the time");
}

int
in_place_open (const char *name, struct file_how how, struct place *place,
               struct file *file, struct file *head, struct error *err)
{
  if (file_descriptor_of (name) >= 0 || strcmp (name, "-") == 0)
    return error_about (err, ERROR_USAGE, 0, name,
                        "is not a path, as expand needs");
  if (place_open (name, place, err) < 0 ||
      open_file (place, how, file, err) < 0 ||
      place_open_regular (place, false, FILE_HOW (DIRECT_IO_OFF), head,
                          err) < 0)
    return -1;
  return file_same (file, head) ? 0
    : error_about (err, ERROR_FAILED, 0, name, "was replaced");
}

int
in_place_examine (const struct file *file, enum content_kind *kind,
                  struct error *err)
{
  struct read_at at = read_at_of_file (file);
  struct content content;
  int result = content_look (&at, CONTENT_SEARCH_USUAL, &content, err);

  if (result == 0)
    result = content_check (&content, CONTENT_AS_EXPANDED, err);
  *kind = content.kind;
  content_free (&content);
  return result < 0 ? error_subject (err, file->name)
    : content_is_image (&content);
}
