/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a source file is: mapped-ram stream or raw, and where it begins. */

#ifndef IOPRESS_IMAGE_SOURCE_LAYOUT_H
#define IOPRESS_IMAGE_SOURCE_LAYOUT_H

#include "format/file_header.h"
#include "guest/mapped_ram.h"
#include "io/file.h"

/* --format. */
enum source_format {
  SOURCE_AUTO,
  SOURCE_MAPPED_RAM,
  SOURCE_RAW,
};

struct source_layout {
  enum image_kind kind;
  uint64_t prefix_bytes;       /* where QEMU's stream begins: after libvirt's
                                * header if there is one */
  struct mapped_ram *ram;      /* NULL for IMAGE_RAW */
  bool plain_stream;           /* IMAGE_RAW, but a stream of QEMU */
  bool is_image;               /* it was refused, being an image already */
};

/* Find out what FILE, a seekable source, is.  A mapped-ram stream must be
 * complete and restorable.  Returns 0; or -1 with ERR (ERROR_BAD_INPUT): an
 * incomplete or unrestorable save, or already an iopress image.  Free with
 * source_layout_free.
 */
int source_layout_detect (const struct file *file, enum source_format format,
                          struct source_layout *layout, struct error *err);

/* The same for a source of a known KIND whose stream begins at PREFIX_BYTES,
 * read through AT.
 */
int source_layout_parse (const struct read_at *at, enum image_kind kind,
                         uint64_t prefix_bytes, struct source_layout *layout,
                         struct error *err);

void source_layout_free (struct source_layout *layout);

#endif /* IOPRESS_IMAGE_SOURCE_LAYOUT_H */
