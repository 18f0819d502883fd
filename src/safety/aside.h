/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The aside: the copy of an image that expand puts beside it, under the name
 * FILE.packed-XXXXXXXX, eight digits of the image's id.
 */

#ifndef IOPRESS_SAFETY_ASIDE_H
#define IOPRESS_SAFETY_ASIDE_H

#include "format/format.h"
#include "names/place.h"

/* Make ASIDE the name of the aside of FILE, an image with IMAGE_ID, in FILE's
 * folder.  Returns 0, or -1 with ERR when it is too long.
 */
int aside_place (const struct place *file,
                 const uint8_t image_id[IMAGE_ID_BYTES], struct place *aside,
                 struct error *err);

/* Whether FILE's name leaves room for that of an aside and of its .part. */
bool aside_name_fits (const char *file);

/* Call TAKE with what follows FILE's name PLACE in each name beside it that is
 * that of an aside, and none of FILE itself, until it returns true.  Returns 0,
 * or -1 with ERR.
 */
typedef bool aside_taker (void *opaque, const char *suffix);
int aside_find (const struct place *place, const struct file *file,
                aside_taker *take, void *opaque, struct error *err);

/* Open for reading what stands under the name ASIDE and could be the aside of
 * FILE: not FILE itself under another name.
 */
enum place_found aside_open (const struct place *aside,
                             const struct file *file, struct file_how how,
                             struct file *copy, struct error *err);

/* Remove the name ASIDE if it is one more of FILE: it keeps nothing that FILE
 * does not have.  Returns 1 with ERR, which says so; 0 when it is not; -1 with
 * ERR.
 */
int aside_free_name (const struct place *aside, const struct file *file,
                     struct error *err);

/* Make a durable copy of the image FILE, whose prefix has PREFIX_BYTES, under
 * the name ASIDE, and leave it open as COPY, which the caller closes.  It is a
 * file that was made here: what an earlier run has left of it goes when it is
 * the same from there on; anything else that has the name is an error.  Returns
 * 0, or -1 with ERR.
 */
int aside_make (const struct place *aside, struct file *file,
                uint64_t prefix_bytes, struct file_how how,
                struct file *copy, struct error *err);

/* Remove it, if the name is still COPY's.  Returns 0, or -1 with ERR, which
 * says that it is not needed any more.
 */
int aside_remove (const struct place *aside, const struct file *copy,
                  struct error *err);

#endif /* IOPRESS_SAFETY_ASIDE_H */
