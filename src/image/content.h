/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a file is: the one look at it, and what is said of a file that is not
 * what was wanted.
 */

#ifndef IOPRESS_IMAGE_CONTENT_H
#define IOPRESS_IMAGE_CONTENT_H

#include "format/file_header.h"
#include "format/marker.h"
#include "guest/libvirt_header.h"
#include "guest/mapped_ram.h"

enum content_kind {
  CONTENT_EMPTY,               /* no byte */
  CONTENT_ZEROS,               /* nothing else, see content_settle: what is left
                                * of a source that was given back is this */
  CONTENT_OTHER,               /* none of the others */
  CONTENT_SAVE,                /* a whole mapped-ram save */
  CONTENT_PLAIN_SAVE,          /* a save of libvirt or QEMU that is not
                                * mapped-ram, whole as far as can be seen */
  CONTENT_PART_SAVE,           /* either, its header not finished by libvirt */
  CONTENT_UNFINISHED_SAVE,     /* incomplete, cut off or not to be restored */
  CONTENT_IMAGE,               /* it has its footer */
  CONTENT_UNFINISHED_IMAGE,
  CONTENT_DAMAGED_IMAGE,       /* the file header is damaged, or of a version
                                * that is not known */
  CONTENT_CONSUMED,            /* a source that was moved into an image, partly
                                * or wholly, and has its marker */
  CONTENT_HALF_EXPANDED,       /* an image, while it is expanded in its place */
};
#define CONTENT_KINDS (CONTENT_HALF_EXPANDED + 1)

struct content {
  enum content_kind kind;

  /* libvirt's header stands at the start, and is none of a future version. */
  bool has_libvirt;
  struct libvirt_header libvirt;

  uint64_t prefix_bytes;       /* where QEMU's stream or the image's file header
                                * stands, or would stand; 0 of CONTENT_OTHER */
  bool plain_stream;           /* what stands there is not mapped-ram */
  struct mapped_ram *ram;      /* of a whole mapped-ram save */
  struct file_header header;   /* of an image whose header can be used */
  struct marker marker;        /* of a consumed or half expanded file */
  bool marker_damaged;         /* it is consumed, and nothing else is known */
  bool ending;                 /* half expanded: but for the first sector behind
                                * the prefix all may be there */
  struct error why;            /* what is wrong with a save or a header, or
                                * none: for messages alone */
};

/* How far to look for a mapped-ram stream where libvirt's header does not say
 * where it is.  QEMU keeps what stands before the offset that it was given, but
 * nobody is known to put more than this there.
 */
#define CONTENT_SEARCH_USUAL (UINT64_C (1) << 20)
#define CONTENT_SEARCH_ALL (UINT64_C (1) + PREFIX_BYTES_MAX)

/* Look at what AT reads, once: libvirt's header, QEMU's stream and its bitmaps,
 * file header and footer, markers; and, where none of them stands where it
 * belongs, all of the first 16 MiB, in which a stream counts up to
 * SEARCH_BYTES.  Returns 0, or -1 with ERR when AT cannot be read or memory is
 * short.  Free with content_free in both cases.
 */
int content_look (const struct read_at *at, uint64_t search_bytes,
                  struct content *content, struct error *err);

/* The first step of that look alone, which tells a source that an earlier run
 * has begun to give back, and an image of which expand has left the last marker
 * behind the end; all else is CONTENT_OTHER, or CONTENT_EMPTY.  Returns 1 when
 * it is one of these, 0, or -1 with ERR.
 */
int content_look_for_marker (const struct read_at *at,
                             struct content *content, struct error *err);

/* Tell CONTENT_ZEROS from CONTENT_OTHER, for which AT is read up to its first
 * byte that is none.  Returns 0, or -1 with ERR.
 */
int content_settle (const struct read_at *at, struct content *content,
                    struct error *err);

void content_free (struct content *content);

/* Whether an image, of which AT reads the file and HEADER is the file header,
 * has its footer.  That is written last of all, when all the rest is on the
 * disk: the image is a finished one, whatever has become of it since.  Returns
 * 1, 0, or -1 with ERR when it cannot be read.
 */
int content_is_finished (const struct read_at *at,
                         const struct file_header *header, struct error *err);

/* The guest's name and uuid that libvirt's XML says, each "" where it does not.
 * Reads up to 16 MiB.  Returns 0, or -1 with ERR.
 */
int content_domain (const struct read_at *at, const struct content *content,
                    char name[256], char uuid[40], struct error *err);

/* Whether another file has what this one lacks, or the other way round: it has
 * a marker, or is an unfinished image whose source was being consumed.
 */
bool content_is_half (const struct content *content);

/* Whether it is an image, whose header can be read, finished or not. */
static inline bool
content_is_image (const struct content *content)
{
  return content->kind == CONTENT_IMAGE ||
    content->kind == CONTENT_UNFINISHED_IMAGE;
}

/* What the caller needs the file for. */
enum content_wanted {
  CONTENT_AS_SOURCE,           /* to be packed */
  CONTENT_AS_BYTES,            /* to be packed whatever the bytes mean */
  CONTENT_AS_IMAGE,            /* to be read */
  CONTENT_AS_EXPANDED,         /* a save file, or an image to become one */
  CONTENT_AS_ROOM,             /* to be written over, when there is nothing */
};
#define CONTENT_WANTED_KINDS (CONTENT_AS_ROOM + 1)

/* Refuse what is not as WANTED, saying what it is and what to do next, which
 * never loses anything.  Returns 0, or -1 with ERR, which names no file.
 */
int content_check (const struct content *content, enum content_wanted wanted,
                   struct error *err);

/* The one word for it that scripts rely on (iopress(1), "--state"). */
const char *content_word (enum content_kind kind);

/* What can be done next with it, or "". */
const char *content_next (const struct content *content);

/* The same of an image with this header that is damaged, or not FINISHED. */
const char *content_next_of_image (const struct file_header *header,
                                   bool finished);

#endif /* IOPRESS_IMAGE_CONTENT_H */
