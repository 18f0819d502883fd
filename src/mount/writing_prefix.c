/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The prefix of a file that is being written, libvirt's header above all. */

#include <config.h>

#include "mount/writing_private.h"

/* libvirt's two magics (libvirt src/qemu/qemu_saveimage.h). */
static const uint8_t magic_finished[LIBVIRT_MAGIC_BYTES + 1] =
  "LibvirtQemudSave";
static const uint8_t magic_unfinished[LIBVIRT_MAGIC_BYTES + 1] =
  "LibvirtQemudPart";

bool
is_finished_magic (const uint8_t *bytes)
{
  return memcmp (bytes, magic_finished, LIBVIRT_MAGIC_BYTES) == 0;
}

/* The magic as it stands on the disk. */
static const uint8_t *
magic_on_disk (const struct writing *writing)
{
  return writing->fresh && !writing->finished &&
    is_finished_magic (writing->magic) ? magic_unfinished : writing->magic;
}

int
writing_write_prefix (struct writing *writing, uint64_t offset,
                      const uint8_t *buffer, size_t length)
{
  pthread_mutex_t *lock = &writing->windows->lock;
  uint8_t magic[LIBVIRT_MAGIC_BYTES];
  size_t head = 0;
  bool finished;
  int result = 0;

  pthread_mutex_lock (lock);
  if (offset < LIBVIRT_MAGIC_BYTES) {
    head = (size_t) minimum_u64 (length, LIBVIRT_MAGIC_BYTES - offset);
    memcpy (writing->magic + offset, buffer, head);
  }
  memcpy (magic, magic_on_disk (writing), sizeof magic);
  finished = writing->finished;
  pthread_mutex_unlock (lock);
  if (head > 0)
    result = write_fully (writing->fd, 0, magic, sizeof magic);
  if (result == 0)
    result = write_fully (writing->fd, offset + head, buffer + head,
                          length - head);
  /* libvirt's last word. */
  return result == 0 && finished && head > 0 ? sync_data (writing->fd)
    : result;
}

int
writing_read_prefix (struct writing *writing, uint64_t offset,
                     uint8_t *buffer, size_t length)
{
  pthread_mutex_t *lock = &writing->windows->lock;
  int result = read_fully (writing->fd, offset, buffer, length);

  if (result != 0 || offset >= LIBVIRT_MAGIC_BYTES)
    return result;
  pthread_mutex_lock (lock);
  memcpy (buffer, writing->magic + offset,
          (size_t) minimum_u64 (length, LIBVIRT_MAGIC_BYTES - offset));
  pthread_mutex_unlock (lock);
  return 0;
}
