/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an earlier run left in NAME.part, and whether anybody can want it. */

#include <config.h>

#include <sys/stat.h>

#include "image/content.h"
#include "safety/leftover.h"
#include "salvage/scan.h"

/* See what FILE is, as far as that can be kept when it is closed. */
static int
look (const struct file *file, struct content *content, struct error *err)
{
  struct read_at at = read_at_of_file (file);
  int result = content_look (&at, CONTENT_SEARCH_USUAL, content, err);

  content_free (content);
  return result < 0 ? error_subject (err, file->name) : 0;
}

int
leftover_of_save (const struct file *file, struct error *err)
{
  struct read_at at = read_at_of_file (file);
  struct content content;

  if (look (file, &content, err) < 0 ||
      content_settle (&at, &content, err) < 0)
    return -1;
  /* What was written through a mount has no other source. */
  if (content.kind == CONTENT_UNFINISHED_IMAGE)
    return (content.header.compatible & FEATURE_DISCARD) == 0 &&
      !is_unordered (&content.header);
  return content.kind == CONTENT_EMPTY || content.kind == CONTENT_ZEROS;
}

/* Whether there is an image, a marker or a save in FILE.  Where a plain stream
 * ends is not to be seen: MAYBE says whether one counts.  Returns 1, 0, or -1
 * with ERR.
 */
static int
is_guest (const struct file *file, bool maybe, struct error *err)
{
  struct content content;

  if (look (file, &content, err) < 0)
    return -1;
  switch (content.kind) {
  case CONTENT_EMPTY:
  case CONTENT_ZEROS:
  case CONTENT_OTHER:
  case CONTENT_UNFINISHED_SAVE:
    return 0;
  case CONTENT_PLAIN_SAVE:
    return maybe;
  case CONTENT_PART_SAVE:
    return maybe || (content.libvirt.format == LIBVIRT_FORMAT_SPARSE &&
                     !content.plain_stream);
  default:
    return 1;
  }
}

int
leftover_of_restore (const struct file *file, bool force, struct error *err)
{
  int wanted;

  if (file->size == 0)
    return 1;
  if (!force)
    return 0;
  wanted = is_guest (file, false, err);
  return wanted < 0 ? -1 : !wanted;
}

int
leftover_is_foreign (const struct file *file, struct error *err)
{
  struct salvage_scan scan;
  int found = is_guest (file, true, err);

  if (found != 0)
    return found < 0 ? -1 : 0;
  found = scan_for_records (file, 0, NULL, &scan, err);
  if (found == 0)
    found = scan.record_count == 0 && scan.index_count == 0;
  scan_free (&scan);
  return found;
}

/* Refuse to replace what REPLACED is of, an image called NAME, by one of INPUT
 * when that was a save as long as this, and is none any more.
 */
static int
check_only_copy (const struct content *replaced, const char *name,
                 const struct file *input, struct error *err)
{
  const struct file_header *header = &replaced->header;
  struct content content;

  if (replaced->kind != CONTENT_IMAGE || header->kind != IMAGE_MAPPED_RAM ||
      (header->compatible & FEATURE_DISCARD) == 0 || !input->regular ||
      input->size != header->source_bytes)
    return 0;
  if (look (input, &content, err) < 0)
    return -1;
  if (content.kind != CONTENT_OTHER)
    return 0;
  error_about (err, ERROR_BAD_INPUT, 0, input->name, "is no save, and may be "
               "what was left of the one that %s has", name);
  return error_hint (err, "keep that image, and give OUTPUT another name");
}

static int
check_replaced (const struct file *file, const struct file *input,
                struct error *err)
{
  struct content content;

  if (look (file, &content, err) < 0)
    return -1;
  return content_is_half (&content) ? leftover_refuse (file, err)
    : check_only_copy (&content, file->name, input, err);
}

int
leftover_check_replaced (int fd, const char *name, enum file_access access,
                         const struct file *input, struct error *err)
{
  struct file_how how = FILE_HOW (DIRECT_IO_OFF);
  struct file file = FILE_CLOSED;
  struct stat st;
  int result;

  if (fstat (fd, &st) == 0 && st.st_size == 0)
    return 0;
  result = access == FILE_READ
    ? file_open_node (fd, name, access, how, &file, err)
    : file_take_descriptor (fd, name, access, how, &file, err);
  if (result < 0)
    error_hint (err, "nobody can tell whether it may be replaced: move it "
                "away, or let it be read");
  else
    result = check_replaced (&file, input, err);
  file_close (&file);
  return result;
}

int
leftover_refuse (const struct file *file, struct error *err)
{
  struct content content = { .kind = CONTENT_OTHER };
  struct error ignored = { 0 };

  if (look (file, &content, &ignored) < 0)
    content.kind = CONTENT_OTHER;
  content_check (&content, CONTENT_AS_ROOM, err);
  return error_subject (err, file->name);
}
