/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What iopress info says, as text, as JSON and as a map. */

#ifndef IOPRESS_CMD_INFO_REPORT_H
#define IOPRESS_CMD_INFO_REPORT_H

#include "guest/mapped_ram.h"
#include "image/image.h"
#include "util/json.h"

/* What is known of an image. */
struct image_facts {
  const struct image *image;
  char domain_name[256];       /* of the libvirt header, or "" */
  char domain_uuid[40];
  bool plain_sparse;           /* libvirt's header says sparse, but QEMU's
                                * stream behind it is a plain one */
  const struct mapped_ram *ram;        /* NULL when there is none */
};

/* Print FACTS on standard output. */
void info_print_text (const struct image_facts *facts);
void info_print_json (const struct image_facts *facts);

/* Print where in the source its pages lie and how well they compressed. */
void info_print_map (const struct image *image);

/* Say what the file NAME is, whatever it is, on standard output.  Nothing
 * waits.  Returns 0, or -1 with ERR when it cannot be looked at.
 */
int info_state (const char *name, bool json, struct error *err);

/* A line of the text reports, none where TEXT, which may be anybody's, is "".
 */
void info_print_line (const char *what, const char *text);
void info_print_size (const char *what, uint64_t bytes);

/* Add a guest to a JSON report if anything is known of it. */
void info_add_domain (struct json *report, const char *name,
                      const char *uuid);

/* Hexadecimal digits, and the end. */
#define INFO_ID_BYTES (2 * IMAGE_ID_BYTES + 1)
void info_id_text (const uint8_t id[IMAGE_ID_BYTES],
                   char text[INFO_ID_BYTES]);

#endif /* IOPRESS_CMD_INFO_REPORT_H */
