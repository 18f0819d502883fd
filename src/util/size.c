/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers with K, M, G, T suffixes: from text and to text. */

#include <config.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/size.h"

static const char suffixes[] = "KMGT";

/* The power of 1024 that SUFFIX stands for, or -1. */
static int
suffix_power (const char *suffix)
{
  const char *found;

  if (*suffix == '\0')
    return 0;
  found = strchr (suffixes, toupper ((unsigned char) *suffix));
  if (found == NULL)
    return -1;
  suffix++;
  if (*suffix != '\0' && strcasecmp (suffix, "iB") != 0 &&
      strcasecmp (suffix, "B") != 0)
    return -1;
  return (int) (found - suffixes) + 1;
}

bool
size_parse (const char *text, uint64_t *size)
{
  unsigned long long value;
  int power;
  char *end;

  if (text[0] < '0' || text[0] > '9')
    return false;
  errno = 0;
  value = strtoull (text, &end, 10);
  power = suffix_power (end);
  if (errno != 0 || power < 0 || value > (uint64_t) INT64_MAX >> (10 * power))
    return false;
  *size = value << (10 * power);
  return true;
}

const char *
size_format (uint64_t bytes, char text[SIZE_TEXT_BYTES])
{
  double value = (double) bytes;
  int power = 0;

  while (value >= 1024 && power < 4) {
    value /= 1024;
    power++;
  }
  if (power == 0)
    snprintf (text, SIZE_TEXT_BYTES, "%llu B", (unsigned long long) bytes);
  else
    snprintf (text, SIZE_TEXT_BYTES, "%.1f %ciB", value,
              suffixes[power - 1]);
  return text;
}
