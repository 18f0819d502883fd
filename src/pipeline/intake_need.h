/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which bytes of a source have to be read.
 *
 * A file system can call a hole what holds data: ZFS for what was written a
 * moment ago, and what serves such a file over a network.  So holes are
 * believed only where nothing better is known:
 *
 * - what a bitmap of QEMU calls present is read, hole or not;
 * - what lies outside of the page regions, which are headers, bitmaps and
 *   device states, is read, unless there is more of it than any guest has;
 * - of a raw file holes are left out, unless the source goes afterwards and its
 *   file system is none that is known to tell the truth: then everything is
 *   read, and what is too large for that is refused.
 *
 * A flush of the source beforehand would not help: it costs as much as a copy,
 * and ZFS answers by what it has written out in its own time.
 */

#ifndef IOPRESS_PIPELINE_INTAKE_NEED_H
#define IOPRESS_PIPELINE_INTAKE_NEED_H

#include "guest/mapped_ram.h"
#include "io/file.h"

struct intake_need {
  const struct mapped_ram *ram;        /* of the source, or NULL */
  bool exact;                  /* read what it marks absent, too, where the
                                * file system knows of data */
  bool holes;                  /* read holes, too, outside of page regions */
};

/* What is to be read of FILE, whose bitmaps are RAM (NULL: it is raw); GOES:
 * afterwards there will be nothing but the image.  RAM stays the caller's.
 * Returns 0, or -1 with ERR when the source cannot go because it has more
 * holes than anybody can look at.
 */
int intake_need_find (const struct file *file, const struct mapped_ram *ram,
                      bool exact, bool goes, struct intake_need *need,
                      struct error *err);

/* The first offset >= OFFSET, a multiple of PAGE_BYTES, where a page has to be
 * read, or SIZE of the source when none has.  FILE is the source.
 */
uint64_t intake_need_next (const struct intake_need *need,
                           const struct read_at *file, uint64_t offset);

#endif /* IOPRESS_PIPELINE_INTAKE_NEED_H */
