/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image becomes its source again in its own place: which aside is FILE's,
 * and what follows from that.
 */

#include <config.h>

#include <string.h>

#include "safety/aside.h"
#include "safety/expand.h"
#include "safety/expanding.h"
#include "safety/in_place.h"

struct expand {
  const struct expand_options *options;
  const char *name;
  struct place place;          /* its name */
  struct file file;            /* FILE, locked */
  struct file head;            /* the same, through the page cache */
  struct image_input aside;
  struct place aside_place;    /* its name, in FILE's folder */
  struct error why;            /* the first aside could not be used, or none */
  bool earlier;                /* the aside is an earlier run's */
  struct expanding expanding;
  enum expanding_state state;
};

static void
tell (const struct expand *expand, const struct error *what, bool failed)
{
  expand->options->tell (expand->options->opaque, what, failed);
}

static int
run_records (struct expand *expand, bool verifies, const struct sink *sink,
             struct error *err)
{
  return expand->options->run (expand->options->opaque, &expand->aside,
                               verifies, sink, err);
}

/* See what FILE is to the aside that is open. */
static int
look (struct expand *expand, struct error *err)
{
  struct image_input *aside = &expand->aside;
  struct image_view *view = NULL;
  int result;

  expanding_init (&expand->expanding, &expand->file, &expand->head,
                  aside->image);
  if (image_view_open (aside->image, &aside->decoding, NULL, &view, err) < 0)
    return -1;
  result = expanding_look (&expand->expanding, view, &expand->state, err);
  image_view_close (view);
  return result;
}

static void
close_aside (struct expand *expand)
{
  image_input_close (&expand->aside);
  expand->state = EXPANDING_FOREIGN;
}

/* Open what has the name expand->aside_place, if it can be an aside at all:
 * what cannot says nothing about FILE.  Returns 0, or -1 with ERR.
 */
static int
open_aside (struct expand *expand, struct error *err)
{
  struct file copy = FILE_CLOSED;
  const struct image_options *options = &expand->options->image;
  enum place_found found = aside_open (&expand->aside_place, &expand->file,
                                       options->how, &copy, err);

  if (found == PLACE_OURS)
    return image_input_take (&copy, options, &expand->aside, err);
  file_close (&copy);
  if (found == PLACE_FOREIGN)
    err->kind = ERROR_BAD_INPUT;
  else if (found == PLACE_NOTHING)
    error_set (err, ERROR_BAD_INPUT, 0, "is not there any more");
  return error_subject (err, expand->aside_place.path);
}

/* Whether the file that has FILE's name with SUFFIX is its aside.  Returns 1
 * and leaves it open, 0, or -1 with ERR.
 */
static int
try_aside (struct expand *expand, const char *suffix, struct error *err)
{
  char expected[ASIDE_SUFFIX_BYTES];
  int result = -1;

  if (place_beside (&expand->place, suffix, &expand->aside_place, err) == 0 &&
      open_aside (expand, err) == 0) {
    aside_suffix (expand->aside.image->header.image_id, expected);
    if (strcmp (expected, suffix) != 0)
      result = 0;
    else if (look (expand, err) == 0)
      result = expand->state != EXPANDING_FOREIGN;
  }
  if (result <= 0)
    close_aside (expand);
  return result;
}

/* What stands beside FILE could not be used, and was not needed. */
static void
tell_stays (const struct expand *expand, const struct error *why)
{
  struct error note = *why;

  if (why->kind == ERROR_NONE)
    return;
  note.errnum = 0;
  error_hint (&note, "it stays");
  tell (expand, &note, false);
}

/* Whether what an earlier run has put aside is that of FILE's name with SUFFIX.
 * What cannot be looked at is no error, unless nothing else explains FILE: WHY.
 */
static bool
take_aside (void *opaque, const char *suffix)
{
  struct expand *expand = opaque;
  struct error unusable = { 0 }, note = { 0 };
  int found = try_aside (expand, suffix, &unusable);

  if (found < 0 && expand->why.kind == ERROR_NONE)
    expand->why = unusable;
  else if (found < 0)
    tell_stays (expand, &unusable);
  if (found == 0) {
    error_about (&note, ERROR_FAILED, 0, expand->aside_place.path,
                 "does not belong to what %s is now, and stays", expand->name);
    tell (expand, &note, false);
  }
  return found > 0;
}

/* See that FILE is whole as far as that can be seen at once, and that its
 * codec is there; then put it aside, as COPY.
 */
static int
put_aside (struct expand *expand, struct file *copy, struct error *err)
{
  struct image_input packed = IMAGE_INPUT_CLOSED;
  struct file file = expand->file;
  int result;

  file.owned = false;          /* it stays expand's */
  result = image_input_take (&file, &expand->options->image, &packed, err);
  if (result == 0)
    result = aside_place (&expand->place, packed.image->header.image_id,
                          &expand->aside_place, err);
  if (result == 0)
    result = aside_free_name (&expand->aside_place, &expand->file, err);
  if (result > 0) {
    tell (expand, err, false);
    *err = (struct error) { 0 };
  }
  if (result >= 0)
    result = aside_make (&expand->aside_place, &expand->file,
                         packed.image->header.prefix_bytes,
                         expand->options->image.how, copy, err);
  image_input_close (&packed);
  return result;
}

/* It is not needed any more: a failure does not matter. */
static void
remove_aside (const struct expand *expand)
{
  struct error err = { 0 };

  if (aside_remove (&expand->aside_place, &expand->aside.file, &err) < 0)
    tell (expand, &err, true);
}

/* FILE is an image: put it aside and open the aside. */
static int
begin (struct expand *expand, struct error *err)
{
  struct file copy = FILE_CLOSED;

  if (put_aside (expand, &copy, err) < 0) {
    file_close (&copy);
    return -1;
  }
  if (image_input_take (&copy, &expand->options->image, &expand->aside,
                        err) == 0 && look (expand, err) == 0) {
    if (expand->state == EXPANDING_PACKED)
      return 0;
    error_about (err, ERROR_FAILED, 0, expand->name,
                 "was changed while it was put aside");
  }
  remove_aside (expand);
  close_aside (expand);
  return -1;
}

static int
unpack (struct expand *expand, struct error *err)
{
  struct sink sink;
  int result;

  if (expanding_open_sink (&expand->expanding, &sink, err) < 0)
    return -1;
  /* It is FILE's bytes that are right or wrong. */
  if (!expand->earlier)
    expand->aside.decoding.name = expand->name;
  result = run_records (expand, false, &sink, err);
  sink_close (&sink);
  return result < 0 ? -1 : expanding_finish (&expand->expanding, err);
}

/* FILE follows, which the caller adds. */
static void
hint_half_expanded (const char *aside, struct error *err)
{
  const char *slash = strrchr (aside, '/');

  err->kind = ERROR_CONSUMED;
  error_hint (err, "nothing is lost, all is in %s, go on with: "
              "iopress expand", slash != NULL ? slash + 1 : aside);
}

/* The aside of an earlier run is damaged: what it has lost may be in FILE. */
static void
hint_damaged (const struct expand *expand, struct error *err)
{
  error_subject (err, expand->aside_place.path);
  error_hint (err, "%s is half expanded from it, and both stay as they are; "
              "iopress recover of each saves what is whole", expand->name);
}

/* The aside is damaged, WHY, but FILE may need nothing more of it. */
static int
finish_almost (struct expand *expand, const struct error *why)
{
  struct image_input *aside = &expand->aside;
  struct image_view *view = NULL;
  struct error useless = { 0 };
  int result;

  if (!expand->expanding.almost ||
      image_view_open (aside->image, &aside->decoding, NULL, &view,
                       &useless) < 0)
    return -1;
  result = expanding_finish_almost (&expand->expanding, view, &useless);
  image_view_close (view);
  if (result == 0)
    expand->why = *why;
  return result;
}

/* FILE is half expanded: see that the aside is whole, every record, before
 * anything of FILE is written over.  Returns 0; 1 when FILE is finished without
 * it; or -1 with ERR.
 */
static int
verify_aside (struct expand *expand, struct error *err)
{
  struct sink sink = null_sink ();

  if (run_records (expand, true, &sink, err) == 0)
    return 0;
  if (err->kind != ERROR_BAD_INPUT)
    hint_half_expanded (expand->aside_place.path, err);
  else if (finish_almost (expand, err) == 0) {
    *err = (struct error) { 0 };
    return 1;
  }
  else
    hint_damaged (expand, err);
  return -1;
}

/* Make FILE the image again that it was.  No signal ends that. */
static void
roll_back (struct expand *expand, struct error *err)
{
  struct error second = { 0 };

  /* It was whole when it was verified: it is not to be relied on. */
  if (expand->earlier && err->kind == ERROR_BAD_INPUT) {
    hint_damaged (expand, err);
    return;
  }
  expand->file.how.cancelled = NULL;
  expand->aside.file.how.cancelled = NULL;
  if (expanding_roll_back (&expand->expanding, &second) == 0) {
    remove_aside (expand);
    return;
  }
  tell (expand, &second, true);
  hint_half_expanded (expand->aside_place.path, err);
}

/* FILE is PACKED or MARKED, and its aside is open. */
static int
expand_marked (struct expand *expand, struct error *err)
{
  if (expanding_mark (&expand->expanding, err) == 0 &&
      unpack (expand, err) == 0) {
    remove_aside (expand);
    return 0;
  }
  roll_back (expand, err);
  return -1;
}

/* WHY the aside could not be used: that it is damaged, or, for now, not. */
static bool
is_passing (const struct error *why)
{
  return why->kind != ERROR_NONE && why->kind != ERROR_BAD_INPUT;
}

/* FILE is half expanded: say what could not be had for it. */
static void
explain (const struct error *why, struct error *err)
{
  if (is_passing (why)) {
    *err = *why;
    hint_half_expanded (why->subject, err);
  }
  else if (why->kind != ERROR_NONE)
    error_hint (err, "%s: %s%s", why->subject, why->what,
                why->hint[0] == '\0' ? "" : "; both stay as they are, "
                "iopress recover of each saves what is whole");
  else
    error_hint (err, "that file is not there: bring it back and try again");
}

static int
expand_file (struct expand *expand, struct error *err)
{
  const struct expand_options *options = expand->options;
  const struct error *why = &expand->why;
  enum content_kind kind;
  int result;

  if (in_place_open (expand->name, options->image.how, &expand->place,
                     &expand->file, &expand->head, err) < 0 ||
      options->confine (options->opaque, &expand->file, &expand->place,
                        err) < 0 ||
      aside_find (&expand->place, &expand->file, take_aside, expand, err) < 0)
    return -1;
  if (expand->state == EXPANDING_DONE) {
    remove_aside (expand);
    return 0;
  }
  if (expand->state == EXPANDING_MARKED) {
    expand->earlier = true;
    result = verify_aside (expand, err);
    return result < 0 ? -1 : result > 0 ? 0 : expand_marked (expand, err);
  }
  close_aside (expand);
  result = in_place_examine (&expand->file, &kind, err);
  if (result < 0 && kind == CONTENT_HALF_EXPANDED)
    explain (why, err);
  /* It looks whole, but what an earlier run left could not be looked at. */
  if (result == 0 && is_passing (why)) {
    *err = *why;
    result = -1;
  }
  if (result <= 0)
    return result;
  return begin (expand, err) < 0 ? -1 : expand_marked (expand, err);
}

int
expand_image (const char *name, const struct expand_options *options,
              struct error *err)
{
  struct expand expand = {
    .options = options,
    .name = name,
    .place = PLACE_CLOSED,
    .file = FILE_CLOSED,
    .head = FILE_CLOSED,
    .aside = IMAGE_INPUT_CLOSED,
  };
  int result = expand_file (&expand, err);

  if (result == 0)
    tell_stays (&expand, &expand.why);
  image_input_close (&expand.aside);
  file_close (&expand.head);
  file_close (&expand.file);
  place_close (&expand.place);
  return result;
}
