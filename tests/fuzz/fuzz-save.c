/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzz target: any bytes as the source of save, a mapped-ram file for one.
 * What save takes comes back: with --exact every byte, without it all but
 * stale pages, which are zeros.
 */

#include <config.h>

#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "lib/mapped_ram_image.h"
#include "program.h"
#include "util/bytes.h"

const unsigned int fuzz_message_count = 0;
const unsigned long fuzz_mutation_count = 200;

/* The image of SOURCE in a file, to be closed. */
static int
save (int source, const char *how, int *status)
{
  int image = fuzz_file ("", 0);
  char from[FUZZ_NAME_BYTES], to[FUZZ_NAME_BYTES];
  const char *const arguments[] = {
    "save", "-q", "--chunk-size=64K", "-c", "stored", "--image-id",
    "00112233445566778899aabbccddeeff", fuzz_name (source, from),
    fuzz_name (image, to), how, NULL
  };

  *status = fuzz_program (arguments);
  return image;
}

/* The source of IMAGE in a file, to be closed. */
static int
restore (int image)
{
  int source = fuzz_file ("", 0);
  char from[FUZZ_NAME_BYTES], to[FUZZ_NAME_BYTES];
  const char *const arguments[] = {
    "restore", "-q", fuzz_name (image, from), fuzz_name (source, to), NULL
  };

  FUZZ_ASSERT (fuzz_program (arguments) == 0);
  return source;
}

/* RESTORED has the LENGTH bytes of the source, or zeros. */
static void
check_restored (int restored, const uint8_t *bytes, size_t length)
{
  uint8_t *found = malloc (length + 1);
  size_t i;

  FUZZ_ASSERT (found != NULL);
  FUZZ_ASSERT (pread (restored, found, length + 1, 0) == (ssize_t) length);
  for (i = 0; i < length; i++)
    FUZZ_ASSERT (found[i] == bytes[i] || found[i] == 0);
  free (found);
}

/* What was left out is not missed: the same image comes of what came back. */
static void
save_again (int restored, int image)
{
  int status, again = save (restored, NULL, &status);

  FUZZ_ASSERT (status == 0 && fuzz_same (image, again));
  close (again);
}

static void
check_exact (int source)
{
  int status, image = save (source, "--exact", &status), restored;

  FUZZ_ASSERT (status == 0);
  restored = restore (image);
  FUZZ_ASSERT (fuzz_same (source, restored));
  close (restored);
  close (image);
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t length)
{
  int source = fuzz_file (bytes, length), status;
  int image = save (source, NULL, &status), restored;

  fuzz_count (status == 0);
  if (status == 0) {
    restored = restore (image);
    check_restored (restored, bytes, length);
    save_again (restored, image);
    check_exact (source);
    close (restored);
  }
  close (image);
  close (source);
  return 0;
}

/* As libvirt begins a save, up to where QEMU's stream is. */
static void
put_libvirt_header (uint8_t *bytes, uint32_t data_bytes)
{
  static const char xml[] = "<domain type='kvm'><name>g</name></domain>";

  memcpy (bytes, "LibvirtQemudSave", 16);
  put_le32 (bytes + 16, 2);
  put_le32 (bytes + 20, data_bytes);
  put_le32 (bytes + 28, 6);
  memcpy (bytes + 92, xml, sizeof xml);
}

size_t
fuzz_seed (unsigned int number, uint8_t *bytes)
{
  struct image_shape shape = {
    .offset = number % 2 == 0 ? 0 : 92 + 100,
    .commands = number % 3,
    .no_json = (number & 4) != 0,
    .block_count = 2,
    .blocks = {
      { .name = "pc.ram", .pages = number & 2 ? "1s0" : "10" },
      { .name = "vga", .pages = "1z" },
    },
  };
  struct image image;
  size_t length;

  if (number >= 8)
    return 0;
  image_build (&shape, &image);
  length = image.size;
  FUZZ_ASSERT (length <= FUZZ_BYTES_MAX);
  memcpy (bytes, image.bytes, length);
  if (shape.offset != 0) {
    memset (bytes, 0, shape.offset);
    put_libvirt_header (bytes, (uint32_t) shape.offset - 92);
  }
  image_free (&image);
  return length;
}
