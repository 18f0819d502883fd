/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The writers of restore and verify: which one it is. */

#include <config.h>

#include "pipeline/page_sink.h"

int
page_sink_open (struct file *output, const struct image *image,
                struct sink *sink, struct error *err)
{
  return file_keeps_holes (output) ? sparse_sink_open (output, image, sink, err)
    : dense_sink_open (output, image, sink, err);
}

static int
begin_nothing (void *opaque, struct slot *slot, struct error *err)
{
  (void) opaque, (void) slot, (void) err;
  return SINK_DONE;
}

struct sink
null_sink (void)
{
  return (struct sink) { .begin = begin_nothing };
}
