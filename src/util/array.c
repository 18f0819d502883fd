/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arrays that grow by one element at a time. */

#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/bytes.h"

bool
array_grow (void *array, size_t count, size_t size)
{
  void *elements, *larger;

  /* The room is the next power of two. */
  if (count != 0 && !is_power_of_two (count))
    return true;
  memcpy (&elements, array, sizeof elements);
  larger = reallocarray (elements, count == 0 ? 1 : 2 * count, size);
  if (larger == NULL)
    return false;
  memcpy (array, &larger, sizeof larger);
  return true;
}
