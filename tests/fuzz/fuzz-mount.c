/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzz target: what is asked of a file of a mount, in any order, against a
 * model in memory.  The input is requests of 8 bytes: what, how, place and
 * length in units that HOW says, and what is written.
 */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "guest/libvirt_header.h"
#include "mount/mounted.h"
#include "mount/windows.h"
#include "program.h"
#include "util/bytes.h"

const unsigned int fuzz_message_count = 0;
const unsigned long fuzz_mutation_count = 60;

#define REQUEST_BYTES 8u
#define REQUESTS_MAX 200u
#define SIZE_MAX_MODEL (6u * CHUNK_BYTES_MIN)
#define OPENS_MAX 4u
#define MEMORY_BYTES (16u << 20)

/* A file of the mount, and what it must hold. */
struct subject {
  char path[64];
  int fd;                      /* O_PATH */
  struct mounted *file;
  int flags[OPENS_MAX];        /* of those that have it open */
  unsigned int opens;
  bool unlinked;
  uint8_t *model;              /* SIZE_MAX_MODEL bytes, zeros behind its size */
  uint64_t size;
};

struct request {
  uint8_t what, how;
  uint64_t offset;
  size_t length;
  uint8_t byte;
};

static void
say (enum say_level level, const char *line)
{
  FUZZ_ASSERT (level != SAY_ERROR && line[0] != '\0');
}

static struct mounting *
mounting_of_all (void)
{
  static struct mounting mounting = {
    .header = {
      .major = FORMAT_MAJOR, .minor = FORMAT_MINOR,
      .incompatible = FEATURE_UNORDERED, .chunk_bytes = CHUNK_BYTES_MIN,
      .level = 1,
    },
    .say = say,
  };
  struct error err = { 0 };

  if (mounting.windows != NULL)
    return &mounting;
  strcpy (mounting.header.codec, fuzz_codecs ()[0]->ops.name);
  mounting.codecs = codecs_new (fuzz_plugin_folder ());
  mounting.views = views_new (MEMORY_BYTES, 1);
  FUZZ_ASSERT (mounting.codecs != NULL && mounting.views != NULL);
  FUZZ_ASSERT (codecs_find (mounting.codecs, mounting.header.codec,
                            &mounting.codec, &err) == 0);
  FUZZ_ASSERT (windows_open (&mounting, MEMORY_BYTES, 1, false,
                             &mounting.windows, &err) == 0);
  return &mounting;
}

static void
subject_open (struct subject *subject)
{
  int fd;

  strcpy (subject->path, "/dev/shm/fuzz-mount.XXXXXX");
  fd = mkstemp (subject->path);
  FUZZ_ASSERT (fd >= 0);
  close (fd);
  subject->fd = open (subject->path, O_PATH | O_CLOEXEC);
  subject->file = mounted_new (mounting_of_all (), subject->fd);
  subject->model = calloc (1, SIZE_MAX_MODEL);
  FUZZ_ASSERT (subject->fd >= 0 && subject->file != NULL &&
               subject->model != NULL);
}

static void
subject_close (struct subject *subject)
{
  while (subject->opens > 0)
    mounted_release (subject->file, subject->flags[--subject->opens]);
  mounted_free (subject->file);
  close (subject->fd);
  unlink (subject->path);
  free (subject->model);
}

/* Without a name, and open nowhere: nobody can get at it any more. */
static bool
is_gone (const struct subject *subject)
{
  return subject->unlinked && subject->opens == 0;
}

static bool
is_open (const struct subject *subject, int access)
{
  unsigned int i;

  for (i = 0; i < subject->opens; i++)
    if ((subject->flags[i] & O_ACCMODE) == O_RDWR ||
        (subject->flags[i] & O_ACCMODE) == access)
      return true;
  return false;
}

static void
model_resize (struct subject *subject, uint64_t size)
{
  if (size < subject->size)
    memset (subject->model + size, 0, (size_t) (subject->size - size));
  subject->size = size;
}

static void
request_open (struct subject *subject, const struct request *request)
{
  static const int flags[] = {
    O_RDWR, O_RDONLY, O_WRONLY, O_RDWR | O_TRUNC,
  };
  int flag = flags[request->how % 4];

  if (subject->opens == OPENS_MAX || is_gone (subject))
    return;
  FUZZ_ASSERT (mounted_open (subject->file, flag) == 0);
  subject->flags[subject->opens++] = flag;
  if ((flag & O_TRUNC) != 0)
    model_resize (subject, 0);
}

static void
request_release (struct subject *subject, const struct request *request)
{
  unsigned int i;

  if (subject->opens == 0)
    return;
  i = request->how % subject->opens;
  mounted_release (subject->file, subject->flags[i]);
  subject->flags[i] = subject->flags[--subject->opens];
}

/* Zeros, one byte, what cannot be packed, or a header of libvirt's. */
static void
make_data (const struct request *request, uint8_t *data)
{
  uint32_t state = request->byte;
  size_t i;

  memset (data, request->byte, request->length);
  if (request->byte % 3 == 1)
    for (i = 0; i < request->length; i++) {
      state = state * 1664525u + 1013904223u;
      data[i] = (uint8_t) (state >> 24);
    }
  if (request->byte % 16 == 2 && request->length >= 92) {
    memcpy (data, request->byte & 16 ? "LibvirtQemudSave"
            : "LibvirtQemudPart", 16);
    put_le32 (data + 16, 2);
    put_le32 (data + 20, request->byte * 300u);
    put_le32 (data + 28, LIBVIRT_FORMAT_SPARSE);
  }
}

static void
request_write (struct subject *subject, const struct request *request)
{
  uint8_t *data = malloc (request->length + 1);
  uint64_t end = request->offset + request->length;

  FUZZ_ASSERT (data != NULL);
  if (is_open (subject, O_WRONLY) && request->length > 0) {
    make_data (request, data);
    FUZZ_ASSERT (mounted_write (subject->file, request->offset, data,
                                request->length) == 0);
    if (end > subject->size)
      subject->size = end;
    memcpy (subject->model + request->offset, data, request->length);
  }
  free (data);
}

static void
check_read (struct subject *subject, uint64_t offset, size_t length)
{
  uint8_t *found = malloc (length + 1);
  size_t count, expected = offset >= subject->size ? 0
    : (size_t) minimum_u64 (length, subject->size - offset);

  FUZZ_ASSERT (found != NULL);
  FUZZ_ASSERT (mounted_read (subject->file, offset, found, length, &count)
               == 0);
  FUZZ_ASSERT (count == expected);
  FUZZ_ASSERT (memcmp (found, subject->model + offset, count) == 0);
  free (found);
}

static void
request_read (struct subject *subject, const struct request *request)
{
  if (is_open (subject, O_RDONLY))
    check_read (subject, request->offset, request->length);
}

static void
request_truncate (struct subject *subject, const struct request *request)
{
  uint64_t size = request->how & 32 ? 0 : request->offset;

  if (is_gone (subject))
    return;
  FUZZ_ASSERT (mounted_truncate (subject->file, size) == 0);
  model_resize (subject, size);
}

static void
request_allocate (struct subject *subject, const struct request *request)
{
  static const int modes[] = {
    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE,
    FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 0,
  };
  int mode = modes[request->how / 4 % 4], result;
  uint64_t end = request->offset + request->length;

  if (!is_open (subject, O_WRONLY) || request->length == 0)
    return;
  result = mounted_allocate (subject->file, mode, request->offset,
                             request->length);
  FUZZ_ASSERT (result == 0 || result == EOPNOTSUPP);
  if (result != 0)
    return;
  if (mode != 0)
    memset (subject->model + request->offset, 0,
            (size_t) minimum_u64 (request->length,
                                  SIZE_MAX_MODEL - request->offset));
  if ((mode & FALLOC_FL_KEEP_SIZE) == 0 && end > subject->size)
    subject->size = end;
}

static void
request_sync (struct subject *subject, const struct request *request)
{
  if (subject->opens > 0)
    FUZZ_ASSERT (mounted_sync (subject->file, (request->how & 1) != 0) == 0);
}

/* What is said to be a hole are zeros. */
static void
request_seek (struct subject *subject, const struct request *request)
{
  uint64_t found = 0;
  int result;

  if (!is_open (subject, O_RDONLY) || request->offset >= subject->size)
    return;
  result = mounted_seek (subject->file, request->offset, SEEK_DATA, &found);
  FUZZ_ASSERT (result == 0 || result == ENXIO);
  if (result == ENXIO)
    found = subject->size;
  FUZZ_ASSERT (found >= request->offset && found <= subject->size);
  FUZZ_ASSERT (bytes_are_zero (subject->model + request->offset,
                               (size_t) (found - request->offset)));
}

/* The kernel forgets it, and asks anew. */
static void
request_forget (struct subject *subject, const struct request *request)
{
  (void) request;
  if (subject->unlinked)
    return;
  while (subject->opens > 0)
    mounted_release (subject->file, subject->flags[--subject->opens]);
  mounted_free (subject->file);
  subject->file = mounted_new (mounting_of_all (), subject->fd);
  FUZZ_ASSERT (subject->file != NULL);
}

/* It has no name any more; whoever has it open goes on. */
static void
request_unlink (struct subject *subject, const struct request *request)
{
  (void) request;
  if (subject->opens == 0)
    return;
  unlink (subject->path);
  subject->unlinked = true;
}

/* Size and time, as stat tells. */
static void
request_attributes (struct subject *subject, const struct request *request)
{
  struct stat now;

  (void) request;
  if (is_gone (subject))
    return;
  FUZZ_ASSERT (mounted_attributes (subject->file, &now) == 0);
  FUZZ_ASSERT ((uint64_t) now.st_size == subject->size);
}

static void
run_request (struct subject *subject, const uint8_t *bytes)
{
  static void (*const requests[]) (struct subject *,
                                   const struct request *) = {
    request_write, request_open, request_release, request_read,
    request_truncate, request_allocate, request_sync, request_seek,
    request_forget, request_unlink, request_attributes, request_write,
  };
  uint64_t unit = bytes[1] & 64 ? 1 : bytes[1] & 128 ? 512 : 4096;
  struct request request = { .what = bytes[0], .how = bytes[1],
                             .byte = bytes[6] };

  request.offset = get_le16 (bytes + 2) * unit % (SIZE_MAX_MODEL / 2);
  request.length = (size_t) (get_le16 (bytes + 4) * unit
                             % (SIZE_MAX_MODEL / 2));
  requests[request.what % (sizeof requests / sizeof requests[0])]
    (subject, &request);
}

/* All of it, as somebody who comes later sees it. */
static void
check_all (struct subject *subject)
{
  if (!subject->unlinked) {
    request_forget (subject, NULL);
    FUZZ_ASSERT (mounted_open (subject->file, O_RDONLY) == 0);
    subject->flags[subject->opens++] = O_RDONLY;
  }
  if (is_open (subject, O_RDONLY))
    check_read (subject, 0, SIZE_MAX_MODEL);
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t length)
{
  struct subject subject = { 0 };
  size_t at;

  if (length > REQUESTS_MAX * REQUEST_BYTES)
    return 0;
  subject_open (&subject);
  for (at = 0; at + REQUEST_BYTES <= length; at += REQUEST_BYTES)
    run_request (&subject, bytes + at);
  check_all (&subject);
  subject_close (&subject);
  fuzz_count (1);
  return 0;
}

/* Requests as libvirt and QEMU make them, and less ordinary ones. */
static const uint8_t ordinary[][REQUEST_BYTES] = {
  { 1, 3 }, { 0, 64, 0, 0, 200, 0, 2 }, { 0, 0, 1, 0, 20, 0, 4 },
  { 0, 0, 17, 0, 16, 0, 5 }, { 6, 1 }, { 3, 0, 0, 0, 40, 0 }, { 2, 0 },
  { 1, 2 }, { 0, 64, 0, 0, 92, 0, 18 }, { 10, 0 }, { 2, 0 }, { 1, 1 },
  { 3, 64, 1, 1, 1, 100 }, { 7, 0, 3 }, { 8, 0 }, { 1, 0 },
  { 4, 64, 1, 130 }, { 5, 0, 2, 0, 9, 0 }, { 5, 4, 0, 0, 1, 0 },
  { 11, 128, 77, 0, 3, 0, 1 }, { 9, 0 }, { 3, 0, 0, 0, 40, 0 }, { 4, 32 },
};

/* libvirt's header is finished in an image, and more is written behind it. */
static const uint8_t finished_first[][REQUEST_BYTES] = {
  { 1, 3 }, { 0, 64, 0, 0, 200, 0, 2 }, { 0, 0, 17, 0, 16, 0, 5 }, { 2, 0 },
  { 1, 0 }, { 0, 64, 0, 0, 92, 0, 18 }, { 0, 0, 43, 0, 5, 0, 3 },
  { 3, 0, 0, 0, 40, 0 },
};

static size_t
put_requests (const uint8_t (*requests)[REQUEST_BYTES], size_t count,
              uint8_t *bytes)
{
  memcpy (bytes, requests, count * REQUEST_BYTES);
  return count * REQUEST_BYTES;
}

size_t
fuzz_seed (unsigned int number, uint8_t *bytes)
{
  size_t count = sizeof ordinary / sizeof ordinary[0];

  if (number < 4)
    return put_requests (ordinary, count - number * 3, bytes);
  if (number == 4)
    return put_requests (finished_first, sizeof finished_first
                         / sizeof finished_first[0], bytes);
  return 0;
}
