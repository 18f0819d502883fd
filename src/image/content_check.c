/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said of a file that is not what was wanted. */

#include <config.h>

#include <errno.h>

#include "image/content.h"

const char *
content_word (enum content_kind kind)
{
  static const char *const words[CONTENT_KINDS] = {
    [CONTENT_EMPTY] = "empty",
    [CONTENT_ZEROS] = "zeros",
    [CONTENT_OTHER] = "other",
    [CONTENT_SAVE] = "save",
    [CONTENT_PLAIN_SAVE] = "plain-save",
    [CONTENT_PART_SAVE] = "unfinished-save",
    [CONTENT_UNFINISHED_SAVE] = "unfinished-save",
    [CONTENT_IMAGE] = "image",
    [CONTENT_UNFINISHED_IMAGE] = "unfinished-image",
    [CONTENT_DAMAGED_IMAGE] = "damaged-image",
    [CONTENT_CONSUMED] = "consumed",
    [CONTENT_HALF_EXPANDED] = "half-expanded",
  };

  return words[kind];
}

const char *
content_next_of_image (const struct file_header *header, bool finished)
{
  /* What was written through a mount has no other source. */
  return !finished && (header->compatible & FEATURE_DISCARD) != 0 &&
    !is_unordered (header)
    ? "iopress save --resume finishes an unfinished image, iopress recover "
    "saves what is whole"
    : "iopress recover saves what is whole";
}

const char *
content_next (const struct content *content)
{
  static const char *const next[CONTENT_KINDS] = {
    [CONTENT_EMPTY] = "",
    [CONTENT_ZEROS] = ("keep it: it may be a source that was given back, look "
                       "for its image"),
    [CONTENT_OTHER] = "",
    [CONTENT_SAVE] = "iopress save packs it",
    [CONTENT_PLAIN_SAVE] = "iopress save packs it",
    [CONTENT_PART_SAVE] = "wait until libvirt has finished it",
    [CONTENT_UNFINISHED_SAVE] = "see whether it is still being written",
    [CONTENT_IMAGE] = "iopress restore writes the save file that it was",
    [CONTENT_UNFINISHED_IMAGE] = "",
    [CONTENT_DAMAGED_IMAGE] = "iopress recover saves what is whole",
    [CONTENT_CONSUMED] = "iopress save --resume finishes it",
    [CONTENT_HALF_EXPANDED] = "iopress expand finishes it",
  };

  if (content->kind == CONTENT_UNFINISHED_IMAGE)
    return content_next_of_image (&content->header, false);
  if (content->kind == CONTENT_CONSUMED && content->marker_damaged)
    return "keep it, and look for that image";
  return next[content->kind];
}

static int
refuse (const struct content *content, const char *what, struct error *err)
{
  error_set (err, ERROR_BAD_INPUT, 0, "%s", what);
  return error_hint (err, "%s", content_next (content));
}

static int
refuse_image (const struct content *content, struct error *err)
{
  return refuse (content, "already an iopress image", err);
}

/* By what is wrong with it. */
static int
refuse_damage (const struct content *content, struct error *err)
{
  *err = content->why;
  return content->kind == CONTENT_DAMAGED_IMAGE
    ? error_hint (err, "%s", content_next (content)) : -1;
}

/* It may have been one once. */
static int
refuse_other (const struct content *content, struct error *err)
{
  if (content->kind == CONTENT_OTHER && content->why.kind != ERROR_NONE)
    return refuse_damage (content, err);
  refuse (content, "not an iopress image", err);
  return err->hint[0] != '\0' ? -1
    : error_hint (err, "see whether it is the file that was meant");
}

static int
refuse_consumed (const struct content *content, struct error *err)
{
  return refuse (content, content->marker_damaged
                 ? "was partly moved into an image, and the marker that says "
                 "which is damaged"
                 : "was partly moved into an image by a run that did not "
                 "finish", err);
}

static int
refuse_half_expanded (const struct content *content, struct error *err)
{
  char suffix[ASIDE_SUFFIX_BYTES];

  aside_suffix (content->marker.image_id, suffix);
  error_set (err, ERROR_BAD_INPUT, 0,
             "was left half expanded, the file beside it whose name ends in %s "
             "has all of it", suffix);
  return error_hint (err, "%s", content_next (content));
}

/* What an earlier run left under a name that is needed. */
static int
refuse_leftover (struct error *err, const char *hint)
{
  error_set (err, ERROR_FAILED, EEXIST, "left over from an earlier run");
  return error_hint (err, "%s", hint);
}

static int
keep_other (const struct content *content, struct error *err)
{
  (void) content;
  return refuse_leftover (err, "look at it, then move it away and try again");
}

static int
keep_image (const struct content *content, struct error *err)
{
  return is_unordered (&content->header) ? keep_other (content, err)
    : refuse_leftover (err, "iopress save --resume goes on with it if it is of "
                       "the same source");
}

static int
keep_half (const struct content *content, struct error *err)
{
  (void) content;
  return refuse_leftover (err, "keep it: the rest of it is in an image; move "
                          "it away");
}

typedef int refuser (const struct content *content, struct error *err);

/* What to say of what is there to who wanted something else; NULL: it will do.
 * As a source, as bytes, as an image, to be expanded, as room for another.
 */
static refuser *const refusers[CONTENT_KINDS][CONTENT_WANTED_KINDS] = {
  [CONTENT_EMPTY] = { NULL, NULL, refuse_other, refuse_other, NULL },
  [CONTENT_ZEROS] = { NULL, NULL, refuse_other, refuse_other, keep_other },
  [CONTENT_OTHER] = { NULL, NULL, refuse_other, refuse_other, keep_other },
  [CONTENT_SAVE] = { NULL, NULL, refuse_other, NULL, keep_other },
  [CONTENT_PLAIN_SAVE] = { NULL, NULL, refuse_other, NULL, keep_other },
  [CONTENT_PART_SAVE] = { NULL, NULL, refuse_other, NULL, keep_other },
  [CONTENT_UNFINISHED_SAVE] = {
    refuse_damage, NULL, refuse_other, refuse_damage, keep_other
  },
  /* How much there is of an unfinished one only reading tells. */
  [CONTENT_IMAGE] = { refuse_image, refuse_image, NULL, NULL, keep_image },
  [CONTENT_UNFINISHED_IMAGE] = {
    refuse_image, refuse_image, NULL, NULL, keep_image
  },
  [CONTENT_DAMAGED_IMAGE] = {
    refuse_damage, NULL, refuse_damage, refuse_damage, keep_other
  },
  [CONTENT_CONSUMED] = {
    refuse_consumed, refuse_consumed, refuse_consumed, refuse_consumed,
    keep_half
  },
  [CONTENT_HALF_EXPANDED] = {
    refuse_half_expanded, refuse_half_expanded, refuse_half_expanded,
    refuse_half_expanded, keep_half
  },
};

int
content_check (const struct content *content, enum content_wanted wanted,
               struct error *err)
{
  refuser *refuse_it = refusers[content->kind][wanted];

  return refuse_it == NULL ? 0 : refuse_it (content, err);
}
