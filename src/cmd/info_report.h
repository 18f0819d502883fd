/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What iopress info says, as text, as JSON and as a map. */

#ifndef IOPRESS_CMD_INFO_REPORT_H
#define IOPRESS_CMD_INFO_REPORT_H

#include "guest/mapped_ram.h"
#include "image/image.h"

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

#endif /* IOPRESS_CMD_INFO_REPORT_H */
