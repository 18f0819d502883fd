/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The CONFIG section of a QEMU stream: machine name and capabilities
 * (QEMU migration/savevm.c, vmstate_configuration).
 */

#include <config.h>

#include <inttypes.h>
#include <string.h>

#include "guest/mapped_ram_sections.h"

/* More than QEMU has capabilities and subsections. */
#define MAX_CAPABILITIES 256
#define MAX_SUBSECTIONS 16

static int
read_capabilities (struct stream *stream, struct stream_config *config)
{
  uint64_t start = stream->position;
  uint32_t count, i;

  if (stream_be32 (stream, &count, "the capabilities") < 0)
    return -1;
  if (count > MAX_CAPABILITIES)
    return stream_fail (stream, "%" PRIu32 " capabilities at byte %" PRIu64
                        ", at most %d can be", count, start,
                        MAX_CAPABILITIES);
  for (i = 0; i < count; i++) {
    char name[256];

    if (stream_name (stream, name, "a capability") < 0)
      return -1;
    if (strcmp (name, "mapped-ram") == 0)
      config->mapped_ram = true;
    else if (strcmp (name, "x-ignore-shared") == 0)
      config->ignore_shared = true;
  }
  return 0;
}

static int
skip_page_bits (struct stream *stream, struct stream_config *config)
{
  (void) config;
  return stream_skip (stream, 4, "the target page bits");
}

static int
skip_uuid (struct stream *stream, struct stream_config *config)
{
  (void) config;
  return stream_skip (stream, 16, "the uuid");
}

static const struct {
  const char *name;
  int (*read) (struct stream *stream, struct stream_config *config);
} subsections[] = {
  { "configuration/capabilities", read_capabilities },
  { "configuration/target-page-bits", skip_page_bits },
  { "configuration/uuid", skip_uuid },
};

/* A subsection has no length field: one that is unknown, or known in another
 * version, cannot be passed over.
 */
static int
read_subsection (struct stream *stream, struct stream_config *config)
{
  uint64_t start = stream->position;
  char name[256];
  uint32_t version;
  size_t i;

  if (stream_skip (stream, 1, "a CONFIG subsection") < 0 ||
      stream_name (stream, name, "a CONFIG subsection name") < 0 ||
      stream_be32 (stream, &version, "a CONFIG subsection") < 0)
    return -1;
  for (i = 0; i < sizeof subsections / sizeof subsections[0]; i++) {
    if (strcmp (name, subsections[i].name) != 0)
      continue;
    if (version != 1)
      return stream_fail (stream, "CONFIG subsection '%s' at byte %" PRIu64
                          " has version %" PRIu32 ", only 1 is known", name,
                          start, version);
    return subsections[i].read (stream, config);
  }
  return stream_fail (stream, "unknown CONFIG subsection '%s' at byte %"
                      PRIu64, name, start);
}

static int
read_machine (struct stream *stream, struct stream_config *config)
{
  uint32_t length;

  if (stream_be32 (stream, &length, "the machine name") < 0)
    return -1;
  return stream_text (stream, length, config->machine, "the machine name");
}

int
config_read (struct stream *stream, struct stream_config *config)
{
  int i;

  if (read_machine (stream, config) < 0)
    return -1;
  for (i = 0; i < MAX_SUBSECTIONS; i++) {
    uint8_t type;

    if (stream_peek (stream, &type, "the section after CONFIG") < 0)
      return -1;
    if (type != SECTION_SUBSECTION)
      return 0;
    if (read_subsection (stream, config) < 0)
      return -1;
  }
  return stream_fail (stream, "more than %d CONFIG subsections",
                      MAX_SUBSECTIONS);
}
