/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a source file is: mapped-ram stream or raw, and where it begins. */

#include <config.h>

#include "image/content.h"
#include "image/source_layout.h"

int
source_layout_parse (const struct read_at *at, enum image_kind kind,
                     uint64_t prefix_bytes, struct source_layout *layout,
                     struct error *err)
{
  *layout = (struct source_layout) {
    .kind = kind,
    .prefix_bytes = prefix_bytes,
  };
  if (kind != IMAGE_MAPPED_RAM ||
      (mapped_ram_parse (at, prefix_bytes, &layout->ram, err) == 0 &&
       mapped_ram_check_complete (at, layout->ram, err) == 0))
    return 0;
  source_layout_free (layout);
  return -1;
}

static int
detect (const struct file *file, enum source_format format,
        struct content *content, struct error *err)
{
  struct read_at at = read_at_of_file (file);

  if (content_look (&at, format == SOURCE_MAPPED_RAM ? CONTENT_SEARCH_ALL
                    : CONTENT_SEARCH_USUAL, content, err) < 0 ||
      content_check (content, format == SOURCE_RAW ? CONTENT_AS_BYTES
                     : CONTENT_AS_SOURCE, err) < 0)
    return -1;
  if (format == SOURCE_MAPPED_RAM && content->ram == NULL)
    return error_set (err, ERROR_BAD_INPUT, 0,
                      "no QEMU mapped-ram stream in this file");
  return 0;
}

int
source_layout_detect (const struct file *file, enum source_format format,
                      struct source_layout *layout, struct error *err)
{
  struct content content;
  int result = detect (file, format, &content, err);

  *layout = (struct source_layout) { .kind = IMAGE_RAW };
  if (result == 0 && format != SOURCE_RAW) {
    layout->kind = content.ram != NULL ? IMAGE_MAPPED_RAM : IMAGE_RAW;
    layout->prefix_bytes = content.prefix_bytes;
    layout->plain_stream = content.plain_stream;
    layout->ram = content.ram;
    content.ram = NULL;
  }
  layout->is_image = result < 0 && content_is_image (&content);
  content_free (&content);
  return result < 0 ? error_subject (err, file->name) : 0;
}

void
source_layout_free (struct source_layout *layout)
{
  mapped_ram_free (layout->ram);
  layout->ram = NULL;
}
