/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image becomes its source again in its own place (expand).
 *
 * FILE is the image and becomes the source; the aside is a copy of the image
 * under another name.  FILE's states, and what is certain in each:
 *
 *   state     FILE                          aside            next
 *   ------    ---------------------------   --------------   ---------------
 *   PACKED    the image                     none, or whole   put aside, mark
 *   MARKED    the marker stands where the   whole, durable   mark, unpack
 *             file header began; the rest                    again; or roll
 *             may be anything                                back to PACKED
 *   ALMOST    all is there and durable,     whole, durable   the same
 *             or all but the first sector
 *             behind the prefix; a marker
 *             stands behind the end
 *   DONE      all is there and durable      none, or whole   remove the aside
 *
 * Each arrow is one write within one sector, after a flush of all that comes
 * before it and before a flush of its own, so a power cut leaves the state
 * before it or the one after it:
 *
 *   PACKED -> MARKED            the marker is written
 *   MARKED -> DONE              the sector in which QEMU's magic begins, and
 *                               the marker, gets its bytes
 *   MARKED -> ALMOST -> DONE    when the marker stands in the next sector, or
 *                               beyond the source's end: there is a second
 *                               marker behind the end, the first one's sector
 *                               gets its bytes, then the one in which QEMU's
 *                               magic begins, then the end is cut off
 *   MARKED -> PACKED            the marker's sector gets the image's bytes
 *
 * Without the second marker a cut between those two sectors would leave a FILE
 * with neither marker nor magic, which nothing could tell from any other.
 *
 * So QEMU's magic is there only when all else is, a valid file header in PACKED
 * only, and in the two between a marker says that the aside holds everything.
 *
 * Bytes of the prefix are never written: FILE's own count, whatever happens to
 * them meanwhile.  The sectors around its end are written through the page
 * cache, byte by byte, so that a write of virsh into the prefix is not undone.
 */

#ifndef IOPRESS_SAFETY_EXPANDING_H
#define IOPRESS_SAFETY_EXPANDING_H

#include "image/image_view.h"
#include "pipeline/page_sink.h"

enum expanding_state {
  EXPANDING_FOREIGN,           /* FILE has nothing to do with this aside */
  EXPANDING_PACKED,
  EXPANDING_MARKED,            /* or ALMOST */
  EXPANDING_DONE,
};

/* What it takes.  The files and the image stay the caller's. */
struct expanding {
  struct file *file;           /* FILE, for update */
  struct file *head;           /* the same file, through the page cache */
  struct image *aside;         /* its index is loaded */

  uint64_t marker_at;          /* where the marker stands */
  uint64_t sector_end;         /* of the sector of the prefix's end */
  uint64_t marker_end;         /* of the marker's sector */
  uint64_t bytes;              /* size of FILE while it is MARKED */
  uint64_t second_at;          /* where the second marker stands, or 0: DONE
                                * is reached without ALMOST */
  struct kept_pages kept;      /* those around the marker */
  uint8_t pages[2 * PAGE_BYTES];
  bool almost;                 /* it is ALMOST */
  bool intact;                 /* PACKED, but perhaps for the marker */
  bool marked;                 /* the marker is durable */
};

/* Set it up for FILE, also open as HEAD, and the image ASIDE. */
void expanding_init (struct expanding *expanding, struct file *file,
                     struct file *head, struct image *aside);

/* Find out in which state FILE is; VIEW is of the aside.  DONE takes a
 * comparison of everything.  Returns 0, or -1 with ERR when a file cannot be
 * read or the aside is damaged.
 */
int expanding_look (struct expanding *expanding, struct image_view *view,
                    enum expanding_state *state, struct error *err);

/* FILE becomes MARKED, durably.  The aside must be durable, and its name.
 * From here on only expanding_finish or expanding_roll_back makes FILE whole.
 */
int expanding_mark (struct expanding *expanding, struct error *err);

/* MARKED: give back what FILE has of the image, and open the sink for the
 * pages of the aside.
 */
int expanding_open_sink (struct expanding *expanding, struct sink *sink,
                         struct error *err);

/* FILE becomes DONE, durably; all pages have gone through the sink. */
int expanding_finish (struct expanding *expanding, struct error *err);

/* FILE is ALMOST: it becomes DONE, durably, with the few bytes that it may
 * lack out of VIEW, which is of the aside.  Nothing else of that needs to be
 * whole.
 */
int expanding_finish_almost (struct expanding *expanding,
                             struct image_view *view, struct error *err);

/* FILE becomes PACKED, durably.  Returns 0, or -1 with ERR: then it stays what
 * it was, and expanding_mark takes it up again.
 */
int expanding_roll_back (struct expanding *expanding, struct error *err);

#endif /* IOPRESS_SAFETY_EXPANDING_H */
