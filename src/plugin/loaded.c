/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lies where in the objects that this process has loaded. */

#include <config.h>

#include <link.h>
#include <stdint.h>

#include "plugin/loaded.h"

/* A stretch of addresses, and the flags of the segment that it lies in. */
struct stretch {
  uintptr_t start;
  size_t length;
  ElfW (Word) flags;
};

static int
look_in_object (struct dl_phdr_info *object, size_t size, void *opaque)
{
  struct stretch *stretch = opaque;
  const ElfW (Phdr) *segment = object->dlpi_phdr;
  unsigned int i;
  uintptr_t start;

  (void) size;
  for (i = 0; i < object->dlpi_phnum; i++, segment++) {
    start = object->dlpi_addr + segment->p_vaddr;
    if (segment->p_type == PT_LOAD && stretch->start >= start &&
        stretch->start - start <= segment->p_memsz &&
        stretch->length <= segment->p_memsz - (stretch->start - start)) {
      stretch->flags = segment->p_flags;
      return 1;
    }
  }
  return 0;
}

static ElfW (Word)
flags_of (const void *start, size_t length)
{
  struct stretch stretch = { .start = (uintptr_t) start, .length = length };

  dl_iterate_phdr (look_in_object, &stretch);
  return stretch.flags;
}

bool
loaded_is_static (const void *start, size_t length)
{
  return (flags_of (start, length) & PF_R) != 0;
}

bool
loaded_is_code (const void *start)
{
  return (flags_of (start, 1) & PF_X) != 0;
}
