/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress info --state: what a file is, whatever it is. */

#include <config.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/info_report.h"
#include "cmd/signals.h"
#include "image/content.h"

/* What is said of a file; "" and 0 of what is not known, or not of this kind.
 */
struct state {
  const char *name;
  struct content content;
  const char *type;            /* of what is no file */
  char domain_name[256], domain_uuid[40];
  const char *libvirt;         /* a save's format in libvirt's header */
  char image_id[INFO_ID_BYTES];
  uint64_t source_bytes;
  char aside[sizeof ((struct file *) NULL)->name + ASIDE_SUFFIX_BYTES];
};

static const char *
type_name (int type)
{
  switch (type) {
  case S_IFREG:
  case S_IFBLK:
    return "";
  case S_IFLNK:
    return "symbolic link";
  case S_IFIFO:
    return "pipe";
  case S_IFDIR:
    return "folder";
  case S_IFSOCK:
    return "socket";
  default:
    return "device";
  }
}

static const char *
format_name (const struct content *content)
{
  static const char *const names[] = {
    [LIBVIRT_FORMAT_RAW] = "raw",
    [LIBVIRT_FORMAT_GZIP] = "gzip",
    [LIBVIRT_FORMAT_BZIP2] = "bzip2",
    [LIBVIRT_FORMAT_XZ] = "xz",
    [LIBVIRT_FORMAT_LZOP] = "lzop",
    [LIBVIRT_FORMAT_ZSTD] = "zstd",
    [LIBVIRT_FORMAT_SPARSE] = "sparse",
  };

  if (!content->has_libvirt)
    return "";
  return content->libvirt.format < sizeof names / sizeof names[0]
    ? names[content->libvirt.format] : "unknown";
}

/* The image that the file is, or that has what is not in it any more. */
static const uint8_t *
image_id (const struct content *content)
{
  if (content_is_image (content))
    return content->header.image_id;
  return content->kind == CONTENT_HALF_EXPANDED ||
    (content->kind == CONTENT_CONSUMED && !content->marker_damaged)
    ? content->marker.image_id : NULL;
}

/* How large the save file is, or was. */
static uint64_t
source_bytes (const struct content *content, uint64_t bytes)
{
  switch (content->kind) {
  case CONTENT_SAVE:
  case CONTENT_PLAIN_SAVE:
  case CONTENT_PART_SAVE:
    return bytes;
  case CONTENT_IMAGE:
  case CONTENT_UNFINISHED_IMAGE:
    return content->header.source_bytes;
  case CONTENT_CONSUMED:
    return content->marker_damaged ? 0 : content->marker.source_bytes;
  default:
    return 0;
  }
}

static int
look (const struct file *file, struct state *state, struct error *err)
{
  struct read_at at = read_at_of_file (file);
  struct content *content = &state->content;
  char suffix[ASIDE_SUFFIX_BYTES];

  if (content_look (&at, CONTENT_SEARCH_USUAL, content, err) < 0 ||
      content_settle (&at, content, err) < 0 ||
      content_domain (&at, content, state->domain_name, state->domain_uuid,
                      err) < 0)
    return error_subject (err, file->name);
  state->libvirt = format_name (content);
  state->source_bytes = source_bytes (content, at.size);
  if (image_id (content) != NULL)
    info_id_text (image_id (content), state->image_id);
  if (content->kind == CONTENT_HALF_EXPANDED) {
    aside_suffix (content->marker.image_id, suffix);
    snprintf (state->aside, sizeof state->aside, "%s%s", state->name, suffix);
  }
  return 0;
}

static const char *
finished_text (const struct content *content)
{
  return content->libvirt.finished ? "" : ", unfinished";
}

static void
print_text (const struct state *state)
{
  const struct content *content = &state->content;
  char libvirt[64];

  info_print_line ("state", content_word (content->kind));
  info_print_line ("type", state->type);
  info_print_line ("domain", state->domain_name);
  info_print_line ("uuid", state->domain_uuid);
  snprintf (libvirt, sizeof libvirt, "%s%s", state->libvirt,
            finished_text (content));
  if (content->has_libvirt) {
    info_print_line ("libvirt", libvirt);
    info_print_size ("prefix", content->prefix_bytes);
  }
  info_print_line ("image id", state->image_id);
  if (state->source_bytes > 0)
    info_print_size ("source", state->source_bytes);
  if (content->kind == CONTENT_CONSUMED && !content->marker_damaged)
    info_print_size ("consumed", content->marker.consumed_bytes);
  info_print_line ("aside", state->aside);
  info_print_line ("expanded",
                   content->ending ? "but for its first bytes" : "");
  info_print_line ("fault", content->why.what);
  info_print_line ("next", content_next (content));
}

/* Add what is known. */
static void
add_text (struct json *report, const char *name, const char *text)
{
  if (text[0] != '\0')
    json_add_string (report, name, text);
}

static void
print_json (const struct state *state)
{
  const struct content *content = &state->content;
  struct json report;

  json_begin (&report, stdout);
  json_add_string (&report, "file", state->name);
  json_add_string (&report, "state", content_word (content->kind));
  add_text (&report, "type", state->type);
  info_add_domain (&report, state->domain_name, state->domain_uuid);
  if (content->has_libvirt) {
    json_add_string (&report, "libvirt_format", state->libvirt);
    json_add_boolean (&report, "libvirt_finished", content->libvirt.finished);
    json_add_number (&report, "prefix_size", content->prefix_bytes);
  }
  add_text (&report, "image_id", state->image_id);
  if (state->source_bytes > 0)
    json_add_number (&report, "source_size", state->source_bytes);
  if (content->kind == CONTENT_CONSUMED && !content->marker_damaged)
    json_add_number (&report, "consumed_size", content->marker.consumed_bytes);
  add_text (&report, "aside", state->aside);
  if (content->kind == CONTENT_HALF_EXPANDED)
    json_add_boolean (&report, "almost_expanded", content->ending);
  add_text (&report, "fault", content->why.what);
  add_text (&report, "next", content_next (content));
  json_end (&report);
}

int
info_state (const char *name, bool json, struct error *err)
{
  struct state state = {
    .name = name,
    .content.kind = CONTENT_OTHER,
    .libvirt = "",
  };
  struct file file = FILE_CLOSED;
  struct file_how how = {
    .direct = DIRECT_IO_OFF,
    .cancelled = signals_received (),
  };
  int type = file_open_if_seekable (name, false, FILE_READ, how, &file, err);
  int result = type < 0 ? -1 : 0;

  if (type == S_IFREG || type == S_IFBLK)
    result = look (&file, &state, err);
  if (result == 0) {
    state.type = type_name (type);
    if (json)
      print_json (&state);
    else
      print_text (&state);
  }
  content_free (&state.content);
  file_close (&file);
  return result;
}
