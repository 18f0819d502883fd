/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program, run in this process. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libaio.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "io/file.h"
#include "plugin/loader.h"
#include "program.h"
#include "util/bytes.h"

#define main iopress_main
#include "../../src/main.c"
#undef main

#define ARGUMENTS_MAX 64
#define CODECS_MAX 8

/* In the place of libaio's: the kernel takes 30 ms to end a context. */
int
io_setup (int count, io_context_t *context)
{
  (void) count;
  (void) context;
  return -ENOSYS;
}

/* In the place of libc's: most buffers are hardly used, and clearing a huge page
 * takes longer than all the rest.
 */
int
madvise (void *memory, size_t length, int advice)
{
  (void) memory;
  (void) length;
  (void) advice;
  return 0;
}

static struct codec *codecs[CODECS_MAX + 1];

static int
keep (void *opaque, const char *name, const struct codec *codec,
      const struct error *why)
{
  struct error err = { 0 };
  size_t count = 0;

  (void) codec;
  while (codecs[count] != NULL)
    count++;
  FUZZ_ASSERT (why == NULL && count < CODECS_MAX);
  FUZZ_ASSERT (codec_load (opaque, name, &codecs[count], &err) == 0);
  return 0;
}

const char *
fuzz_plugin_folder (void)
{
  static char folder[PATH_MAX];
  const char *build = getenv ("abs_top_builddir");
  char relative[PATH_MAX];
  struct error err = { 0 };

  if (codecs[0] != NULL)
    return folder;
  snprintf (relative, sizeof relative, "%s/plugins/.libs",
            build != NULL ? build : ".");
  FUZZ_ASSERT (realpath (relative, folder) != NULL);
  FUZZ_ASSERT (codec_each (folder, keep, folder, &err) == 0);
  return folder;
}

struct codec *const *
fuzz_codecs (void)
{
  fuzz_plugin_folder ();
  return codecs;
}

/* Lines that begin with the program's name and can be shown. */
static void
check_said (const char *said, int status)
{
  FUZZ_ASSERT (status == 0 || said[0] != '\0');
  while (*said != '\0') {
    const char *end = strchr (said, '\n');

    FUZZ_ASSERT (strncmp (said, "iopress: ", 9) == 0 && end != NULL);
    for (; said < end; said++)
      FUZZ_ASSERT ((unsigned char) *said >= 0x20 && *said != 0x7f);
    said++;
  }
}

/* Let FD be standard output; who writes a report closes that. */
static void
take_output (int fd)
{
  FUZZ_ASSERT (fd >= 0 && dup2 (fd, STDOUT_FILENO) == STDOUT_FILENO);
  close (fd);
}

static int
run_said (int argc, char **argv)
{
  FILE *before = stderr;
  char *said = NULL;
  size_t size;
  int status;

  stderr = open_memstream (&said, &size);
  if (stderr == NULL)
    abort ();
  optind = 0;
  status = iopress_main (argc, argv);
  fclose (stderr);
  stderr = before;
  FUZZ_ASSERT (status >= 0 && status <= 5);
  check_said (said, status);
  free (said);
  return status;
}

int
fuzz_program (const char *const *arguments)
{
  const char *argv[ARGUMENTS_MAX + 1] = {
    "iopress", arguments[0], "--plugin-dir", fuzz_plugin_folder (),
    "-T", "serial", "--progress=none", "--sandbox=off",
  };
  int argc = 8, status, output = fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

  while (*++arguments != NULL) {
    FUZZ_ASSERT (argc < ARGUMENTS_MAX);
    argv[argc++] = *arguments;
  }
  take_output (open ("/dev/null", O_WRONLY | O_CLOEXEC));
  status = run_said (argc, (char **) argv);
  take_output (output);
  return status;
}

int
fuzz_file (const void *bytes, size_t length)
{
  int fd = memfd_create ("fuzz", MFD_CLOEXEC);

  FUZZ_ASSERT (fd >= 0);
  FUZZ_ASSERT (write (fd, bytes, length) == (ssize_t) length);
  return fd;
}

const char *
fuzz_name (int fd, char text[FUZZ_NAME_BYTES])
{
  snprintf (text, FUZZ_NAME_BYTES, "fd:%d", fd);
  return text;
}

static void
read_all (int fd, off_t offset, void *buffer, size_t length)
{
  FUZZ_ASSERT (pread (fd, buffer, length, offset) == (ssize_t) length);
}

/* Where one of them goes on to hold data. */
static off_t
next_data (int a, int b, off_t offset, off_t end)
{
  off_t first = lseek (a, offset, SEEK_DATA);
  off_t second = lseek (b, offset, SEEK_DATA);

  first = first < 0 ? end : first;
  second = second < 0 ? end : second;
  return first < second ? first : second;
}

bool
fuzz_same (int a, int b)
{
  off_t end = lseek (a, 0, SEEK_END), at = 0;

  if (lseek (b, 0, SEEK_END) != end)
    return false;
  while ((at = next_data (a, b, at, end)) < end) {
    uint8_t first[PAGE_BYTES], second[PAGE_BYTES];
    size_t length = (size_t) minimum_u64 ((uint64_t) (end - at), PAGE_BYTES);

    read_all (a, at, first, length);
    read_all (b, at, second, length);
    if (memcmp (first, second, length) != 0)
      return false;
    at += (off_t) length;
  }
  return true;
}
