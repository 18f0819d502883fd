/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A folder for the files of one test program. */

#include <config.h>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/scratch.h"
#include "util/bytes.h"

static char folder[PATH_MAX];

int
scratch_setup (void **state)
{
  const char *build = getenv ("abs_top_builddir");

  (void) state;
  snprintf (folder, sizeof folder, "%s/tests", build != NULL ? build : ".");
  mkdir (folder, 0777);
  snprintf (folder, sizeof folder, "%s/tests/tmp.XXXXXX",
            build != NULL ? build : ".");
  return mkdtemp (folder) != NULL ? 0 : -1;
}

int
scratch_teardown (void **state)
{
  struct dirent *entry;
  DIR *files = opendir (folder);

  (void) state;
  while (files != NULL && (entry = readdir (files)) != NULL)
    if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
      unlink (scratch_path (entry->d_name));
  if (files != NULL)
    closedir (files);
  return rmdir (folder);
}

const char *
scratch_path (const char *name)
{
  static char path[PATH_MAX + 256];

  snprintf (path, sizeof path, "%s/%s", folder, name);
  unlink (path);
  return path;
}

uint8_t
pattern_byte (uint64_t offset)
{
  return (uint8_t) ((offset * UINT64_C (2654435761)) >> 13);
}

uint8_t *
pattern_bytes (uint64_t start, size_t length)
{
  uint8_t *bytes = aligned_alloc (PAGE_BYTES,
                                  align_up (length + 1, PAGE_BYTES));
  size_t i;

  assert_non_null (bytes);
  for (i = 0; i < length; i++)
    bytes[i] = pattern_byte (start + i);
  return bytes;
}

const char *
scratch_file (const char *name, size_t length)
{
  const char *path = scratch_path (name);
  uint8_t *bytes = pattern_bytes (0, length);
  FILE *stream = fopen (path, "w");

  assert_non_null (stream);
  assert_int_equal (fwrite (bytes, 1, length, stream), length);
  assert_int_equal (fclose (stream), 0);
  free (bytes);
  return path;
}

/* Up to LENGTH and MORE bytes are read, and LENGTH must come. */
static void
check_pattern (const char *path, size_t length, size_t more)
{
  uint8_t *expected = pattern_bytes (0, length);
  uint8_t *found = malloc (length + 1);
  FILE *stream = fopen (path, "r");

  assert_non_null (found);
  assert_non_null (stream);
  assert_int_equal (fread (found, 1, length + more, stream), length);
  assert_memory_equal (found, expected, length);
  fclose (stream);
  free (found);
  free (expected);
}

void
check_pattern_file (const char *path, size_t length)
{
  check_pattern (path, length, 1);
}

void
check_pattern_start (const char *path, size_t length)
{
  check_pattern (path, length, 0);
}

void
scratch_open (const char *path, enum direct_io direct, struct file *file)
{
  struct error err = { 0 };

  if (file_take_opened (open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), path,
                        FILE_HOW (direct), file, &err) == 0)
    return;
  scratch_close (file);
  if (direct == DIRECT_IO_ON)
    skip ();
  fail_msg ("%s", err.what);
}

void
scratch_close (struct file *file)
{
  file_close (file);
}
