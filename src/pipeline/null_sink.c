/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The writer of verify: it keeps nothing. */

#include <config.h>

#include "pipeline/page_sink.h"

static int
begin (void *opaque, struct slot *slot, struct error *err)
{
  struct slot **held = opaque;

  (void) err;
  *held = slot;
  return 0;
}

static void
finish (void *opaque, bool wait, struct slot **slot)
{
  struct slot **held = opaque;

  (void) wait;
  *slot = *held;
  *held = NULL;
}

struct sink
null_sink_face (struct slot **storage)
{
  return (struct sink) { .opaque = storage, .begin = begin, .finish = finish };
}
