/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzz target: any bytes as an image, through info, verify, restore from a file
 * and from a pipe, and recover, which must agree on it.
 */

#include <config.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "format/format.h"
#include "fuzz.h"
#include "program.h"

const unsigned int fuzz_message_count = 0;
const unsigned long fuzz_mutation_count = 150;

#define IMAGE_ID "00112233445566778899aabbccddeeff"

/* An image, and what verify says of it. */
struct subject {
  int fd;
  char name[FUZZ_NAME_BYTES];
  int verified;
};

static void
describe (const struct subject *subject, const char *how)
{
  const char *const arguments[] = { "info", how, subject->name, NULL };
  int status = fuzz_program (arguments);

  FUZZ_ASSERT (subject->verified != 0 || status == 0);
}

static int
verify (const struct subject *subject, const char *how)
{
  const char *const arguments[] = { "verify", "-q", subject->name, how, NULL };

  return fuzz_program (arguments);
}

/* Restore the image FROM to a file, to be closed. */
static int
restore (const char *from, int *status)
{
  int fd = fuzz_file ("", 0);
  char to[FUZZ_NAME_BYTES];
  const char *const arguments[] = {
    "restore", "-q", from, fuzz_name (fd, to), NULL
  };

  *status = fuzz_program (arguments);
  return fd;
}

static int
recover (const char *from, int *status)
{
  int fd = fuzz_file ("", 0);
  char to[FUZZ_NAME_BYTES];
  const char *const arguments[] = {
    "recover", "-q", from, fuzz_name (fd, to), NULL
  };

  *status = fuzz_program (arguments);
  return fd;
}

/* A pipe with BYTES in it, which it has room for, and nobody who writes. */
static int
open_pipe (const uint8_t *bytes, size_t length)
{
  int ends[2];

  FUZZ_ASSERT (pipe2 (ends, O_CLOEXEC) == 0);
  FUZZ_ASSERT (fcntl (ends[1], F_SETPIPE_SZ, FUZZ_BYTES_MAX) >= (int) length);
  FUZZ_ASSERT (write (ends[1], bytes, length) == (ssize_t) length);
  close (ends[1]);
  return ends[0];
}

/* What comes out of a pipe is what comes out of the file, and no image that
 * verify refuses comes out of one.
 */
static void
restore_stream (const struct subject *subject, const uint8_t *bytes,
                size_t length, int restored)
{
  char name[FUZZ_NAME_BYTES];
  int status, out, in = open_pipe (bytes, length);

  out = restore (fuzz_name (in, name), &status);
  FUZZ_ASSERT (status != 0 ||
               (subject->verified == 0 && fuzz_same (out, restored)));
  close (out);
  close (in);
}

static void
check_image (const struct subject *subject, const uint8_t *bytes,
             size_t length)
{
  int status, restored = restore (subject->name, &status), recovered;

  FUZZ_ASSERT ((status == 0) == (subject->verified == 0));
  restore_stream (subject, bytes, length, restored);
  recovered = recover (subject->name, &status);
  FUZZ_ASSERT (subject->verified != 0 ||
               (status == 0 && fuzz_same (restored, recovered)));
  close (recovered);
  close (restored);
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t length)
{
  struct subject subject = { .fd = fuzz_file (bytes, length) };

  if (length > FUZZ_BYTES_MAX) {
    close (subject.fd);
    return 0;
  }
  fuzz_name (subject.fd, subject.name);
  subject.verified = verify (&subject, NULL);
  fuzz_count (subject.verified == 0);
  FUZZ_ASSERT (subject.verified != 0 || verify (&subject, "--fast") == 0);
  describe (&subject, "--json");
  describe (&subject, "--map");
  check_image (&subject, bytes, length);
  close (subject.fd);
  return 0;
}

/* Pages that are no zeros, some of which can be compressed, and a hole. */
static int
make_source (unsigned int number)
{
  uint8_t page[PAGE_BYTES];
  int fd = fuzz_file ("", 0);
  unsigned int i;

  for (i = 0; i < 5; i++) {
    memset (page, (int) (number + i + 1), sizeof page / (1 + i));
    FUZZ_ASSERT (pwrite (fd, page, sizeof page, (off_t) i * 49152)
                 == (ssize_t) sizeof page);
  }
  FUZZ_ASSERT (ftruncate (fd, 400000 + number * 77) == 0);
  return fd;
}

size_t
fuzz_seed (unsigned int number, uint8_t *bytes)
{
  static const char *const codecs[] = { "stored", "zstd:1", "lz4", "xz:1" };
  char from[FUZZ_NAME_BYTES], to[FUZZ_NAME_BYTES];
  int source, image = fuzz_file ("", 0);
  ssize_t length;

  if (number >= sizeof codecs / sizeof codecs[0])
    return 0;
  source = make_source (number);
  fuzz_name (source, from);
  fuzz_name (image, to);
  FUZZ_ASSERT (fuzz_program ((const char *const[]) {
    "save", "-q", "--chunk-size=64K", "--image-id", IMAGE_ID, "-c",
    codecs[number], from, to, NULL }) == 0);
  length = pread (image, bytes, FUZZ_BYTES_MAX, 0);
  FUZZ_ASSERT (length > 0 && length < FUZZ_BYTES_MAX);
  close (source);
  close (image);
  return (size_t) length;
}
