/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Slots and their buffers. */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "pipeline/slot.h"
#include "util/buffer.h"
#include "util/bytes.h"

/* First RAW of all slots, then PACKED: a save of what the page cache has
 * touches no RAW, and new memory is slow to come by.
 */
static void
share_memory (struct slots *slots, size_t raw, size_t packed)
{
  uint8_t *first_packed = slots->memory + slots->count * raw;
  unsigned int i;

  for (i = 0; i < slots->count; i++) {
    struct slot *slot = &slots->list[i];

    slot->number = i;
    slot->raw = slots->memory + i * raw;
    slot->packed = first_packed + i * packed;
    slot->packed_room = packed;
  }
}

int
slots_create (unsigned int count, size_t raw_bytes, size_t packed_bytes,
              struct slots *slots, struct error *err)
{
  size_t raw = align_up (raw_bytes, PAGE_BYTES);
  size_t packed = align_up (packed_bytes, PAGE_BYTES);

  *slots = (struct slots) { .count = count };
  /* A number that is too large for the machine is one for buffer_allocate. */
  if (__builtin_mul_overflow (raw + packed, count, &slots->memory_bytes))
    slots->memory_bytes = SIZE_MAX;
  slots->list = calloc (count, sizeof *slots->list);
  if (slots->list != NULL)
    slots->memory = buffer_allocate (slots->memory_bytes);
  if (slots->memory == NULL)
    return error_set (err, ERROR_FAILED, ENOMEM,
                      "cannot allocate %zu bytes of buffers",
                      slots->memory_bytes);
  share_memory (slots, raw, packed);
  return 0;
}

void
slots_free (struct slots *slots)
{
  buffer_free (slots->memory, slots->memory_bytes);
  free (slots->list);
}
