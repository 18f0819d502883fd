/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all files of a mount share. */

#ifndef IOPRESS_MOUNT_MOUNTING_H
#define IOPRESS_MOUNT_MOUNTING_H

#include "format/file_header.h"
#include "mount/codecs.h"
#include "mount/views.h"

struct windows;
struct packing;
struct replies;

/* What each gets of the memory, in fifths. */
#define WINDOWS_FIFTHS 2u
#define VIEWS_FIFTHS 2u
#define PACKING_FIFTHS 1u

/* As for syslog(3). */
enum say_level {
  SAY_ERROR = 3,
  SAY_WARNING = 4,
  SAY_NOTE = 6,
};

/* Read only, but for what has a lock of its own. */
struct mounting {
  struct file_header header;   /* of new images: codec, level, chunk size */
  const struct codec *codec;   /* of new images, or NULL */
  struct codecs *codecs;
  struct views *views;
  int root_fd;                 /* of the store's folder */
  struct windows *windows;
  struct packing *packing;
  struct replies *replies;
  /* One line, without a newline at its end.  Any thread. */
  void (*say) (enum say_level level, const char *line);
};

/* Say what ERR tells.  Returns the errno that stands for it, its own or EIO. */
int mounting_say_error (const struct mounting *mounting,
                        const struct error *err);

/* The least memory for windows of CHUNK_BYTES: one is read, one written, and
 * one packed.
 */
uint64_t mount_least_memory (uint32_t chunk_bytes);

#endif /* IOPRESS_MOUNT_MOUNTING_H */
