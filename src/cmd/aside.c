/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The aside: the copy of an image that expand puts beside it. */

#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/aside.h"
#include "cmd/say.h"
#include "cmd/signals.h"
#include "format/file_header.h"
#include "format/marker.h"
#include "io/file_copy.h"
#include "util/bytes.h"
#include "util/cleanup.h"

#define COMPARE_BYTES (1u << 20)
#define SECTOR_BYTES 512u

static int
fail (const char *subject, int errnum, const char *what, struct error *err)
{
  error_set (err, ERROR_FAILED, errnum, "%s", what);
  return error_subject (err, subject);
}

int
aside_name (const char *file, const uint8_t image_id[IMAGE_ID_BYTES],
            char path[ASIDE_PATH_BYTES], struct error *err)
{
  char suffix[ASIDE_SUFFIX_BYTES];

  aside_suffix (image_id, suffix);
  if ((size_t) snprintf (path, ASIDE_PATH_BYTES, "%s%s", file, suffix) <
      ASIDE_PATH_BYTES)
    return 0;
  return fail (file, ENAMETOOLONG, "cannot be put aside", err);
}

bool
aside_name_fits (const char *file)
{
  static const uint8_t any_id[IMAGE_ID_BYTES];
  char suffix[ASIDE_SUFFIX_BYTES];
  const char *slash = strrchr (file, '/');
  const char *base = slash != NULL ? slash + 1 : file;
  long most = pathconf (file, _PC_NAME_MAX);

  aside_suffix (any_id, suffix);
  return most < 0 ||
    strlen (base) + strlen (suffix) + strlen (".part") <= (size_t) most;
}

/* Whether NAME is BASE and the suffix of an aside. */
static bool
is_aside_name (const char *name, const char *base)
{
  size_t length = strlen (base);
  const char *digits = name + length + strlen (ASIDE_SUFFIX);

  return strncmp (name, base, length) == 0 &&
    strncmp (name + length, ASIDE_SUFFIX, strlen (ASIDE_SUFFIX)) == 0 &&
    strlen (digits) == 8 && strspn (digits, "0123456789abcdef") == 8;
}

/* Add FOLDER/NAME to the list.  Returns the longer list, or NULL. */
static char **
add_name (char **names, size_t count, const char *file, size_t folder_length,
          const char *name)
{
  char **longer = reallocarray (names, count + 2, sizeof *names);

  if (longer == NULL) {
    aside_names_free (names);
    return NULL;
  }
  longer[count + 1] = NULL;
  if (asprintf (&longer[count], "%.*s%s", (int) folder_length, file,
                name) < 0) {
    longer[count] = NULL;
    aside_names_free (longer);
    return NULL;
  }
  return longer;
}

/* The folder of PATH, open. */
static DIR *
open_folder (const char *path)
{
  CLEANUP_FREE char *copy = strdup (path);
  DIR *folder = NULL;

  if (copy != NULL)
    do
      folder = opendir (dirname (copy));
    while (folder == NULL && errno == EINTR);
  return folder;
}

char **
aside_names (const char *file, struct error *err)
{
  const char *slash = strrchr (file, '/');
  const char *base = slash != NULL ? slash + 1 : file;
  char **names = calloc (1, sizeof *names);
  DIR *folder = open_folder (file);
  struct dirent *entry;
  size_t count = 0;

  if (folder != NULL)
    while (names != NULL && (entry = readdir (folder)) != NULL)
      if (is_aside_name (entry->d_name, base))
        names = add_name (names, count++, file, (size_t) (base - file),
                          entry->d_name);
  if (folder == NULL || names == NULL) {
    fail (file, errno, "its folder cannot be read", err);
    aside_names_free (names);
    names = NULL;
  }
  if (folder != NULL)
    closedir (folder);
  return names;
}

void
aside_names_free (char **names)
{
  size_t i;

  for (i = 0; names != NULL && names[i] != NULL; i++)
    free (names[i]);
  free (names);
}

/* Whether all of PART is what stands in WHOLE, or, sector by sector, zeros that
 * have not been written yet.
 */
static bool
is_begun (const uint8_t *part, const uint8_t *whole, size_t length)
{
  size_t offset;

  for (offset = 0; offset < length; offset += SECTOR_BYTES) {
    size_t count = (size_t) minimum_u64 (SECTOR_BYTES, length - offset);

    if (memcmp (part + offset, whole + offset, count) != 0 &&
        !bytes_are_zero (part + offset, count))
      return false;
  }
  return true;
}

/* Whether COPY, from OFFSET to its end, is FILE, or, if BEGUN, what a run could
 * have left that was making it.  Returns 1, 0, or -1 with ERR.
 */
static int
is_copy (const struct file *copy, const struct file *file, uint64_t offset,
         bool begun, struct error *err)
{
  CLEANUP_FREE uint8_t *found = malloc (2 * COMPARE_BYTES);
  uint8_t *expected;

  if (found == NULL)
    return error_set (err, ERROR_FAILED, errno, "cannot compare");
  expected = found + COMPARE_BYTES;
  if (begun ? copy->size > align_up (file->size, PAGE_BYTES)
      : copy->size != file->size)
    return 0;
  for (; offset < copy->size; offset += COMPARE_BYTES) {
    size_t length = (size_t) minimum_u64 (COMPARE_BYTES, copy->size - offset);
    size_t there = (size_t) minimum_u64 (length, file->size > offset
                                         ? file->size - offset : 0);

    memset (expected + there, 0, length - there);
    if (file_read_at (copy, offset, found, length, err) < 0 ||
        file_read_at (file, offset, expected, there, err) < 0)
      return -1;
    if (begun ? !is_begun (found, expected, length)
        : memcmp (found, expected, length) != 0)
      return 0;
  }
  return 1;
}

static int
refuse_foreign (const char *path, struct error *err)
{
  fail (path, EEXIST, "is not a copy of the image", err);
  return error_hint (err, "look at it, then move it away and try again");
}

/* What is there under the name already.  Returns 1 when it can be used, 0 when
 * there is nothing, -1 with ERR.
 */
static int
use_again (const char *path, const struct file *file, uint64_t prefix_bytes,
           enum direct_io direct, struct error *err)
{
  struct file aside = FILE_CLOSED;
  struct error ignored = { 0 };
  struct stat st;
  int same = -1;

  if (lstat (path, &st) < 0)
    return errno == ENOENT ? 0 : fail (path, errno, "cannot be examined", err);
  if (!S_ISREG (st.st_mode))
    return refuse_foreign (path, err);
  if (file_open (path, FILE_READ, direct, &aside, err) == 0)
    same = is_copy (&aside, file, prefix_bytes, false, err);
  if (same > 0 && (file_sync (&aside, err) < 0 ||
                   file_sync_folder (path, err) < 0))
    same = -1;
  file_close (&aside, &ignored);
  return same == 0 ? refuse_foreign (path, err) : same;
}

/* Whether COPY has FILE's file header: virsh may have edited the prefix since
 * it was made.  Returns 1, 0, or -1 with ERR.
 */
static int
has_header (const struct file *copy, const struct file *file,
            uint64_t prefix_bytes, struct error *err)
{
  uint8_t found[FILE_HEADER_BYTES], expected[FILE_HEADER_BYTES];

  if (copy->size < prefix_bytes + sizeof found)
    return 0;
  if (file_read_at (copy, prefix_bytes, found, sizeof found, err) < 0 ||
      file_read_at (file, prefix_bytes, expected, sizeof expected, err) < 0)
    return -1;
  return memcmp (found, expected, sizeof found) == 0;
}

/* Open PART, which an earlier run may have begun. */
static int
open_part (const char *part, const struct file *file, uint64_t prefix_bytes,
           enum direct_io direct, struct file *copy, struct error *err)
{
  int begun;

  if (file_create (part, file, direct, copy, err) < 0 ||
      file_lock (copy, true, err) < 0)
    return -1;
  begun = is_copy (copy, file, 0, true, err);
  if (begun == 0)
    begun = has_header (copy, file, prefix_bytes, err);
  if (begun == 0)
    refuse_foreign (part, err);
  return begun > 0 ? file_truncate (copy, 0, err) : -1;
}

static int
fill_part (const char *part, const char *path, struct file *file,
           struct file *copy, struct error *err)
{
  if (file_copy (file, copy, 0, file->size, err) < 0 ||
      file_sync (copy, err) < 0 || file_check_close (copy, err) < 0 ||
      file_name_new (part, path, err) < 0) {
    unlink (part);
    return -1;
  }
  if (file_sync_folder (path, err) == 0)
    return 0;
  unlink (path);
  return -1;
}

/* FILE's owner may need it, too; if not, it does not matter. */
static void
give_owner (const struct file *copy, const struct file *file)
{
  struct stat st;

  if (fstat (file->fd, &st) < 0 || fchown (copy->fd, st.st_uid, st.st_gid) < 0)
    return;
}

int
aside_make (const char *path, struct file *file, uint64_t prefix_bytes,
            enum direct_io direct, struct error *err)
{
  char part[ASIDE_PATH_BYTES];
  struct file copy = FILE_CLOSED;
  struct error ignored = { 0 };
  int result;

  if ((size_t) snprintf (part, sizeof part, "%s.part", path) >= sizeof part)
    return fail (path, ENAMETOOLONG, "cannot be created", err);
  if (file_finish_naming (part, path, err) < 0)
    return -1;
  result = use_again (path, file, prefix_bytes, direct, err);
  if (result != 0)
    return result < 0 ? -1 : 0;
  result = open_part (part, file, prefix_bytes, direct, &copy, err);
  copy.cancelled = signals_received ();
  if (result == 0)
    result = fill_part (part, path, file, &copy, err);
  if (result == 0)
    give_owner (&copy, file);
  file_close (&copy, &ignored);
  return result;
}

void
aside_remove (const char *path)
{
  struct error err = { 0 };

  if (unlink (path) < 0 && errno != ENOENT)
    fail (path, errno, "is not needed any more, but cannot be removed", &err);
  else
    file_sync_folder (path, &err);
  if (err.kind != ERROR_NONE)
    say_error (&err);
}
