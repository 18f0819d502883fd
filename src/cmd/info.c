/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress info: what an image holds. */

#include <config.h>

#include "cmd/confine.h"
#include "cmd/image_run.h"
#include "cmd/info_report.h"
#include "cmd/verbs.h"
#include "image/content.h"
#include "image/image_view.h"

#define SYNOPSIS "iopress info [OPTION]... IMAGE, " \
  "or info --state [OPTION]... FILE"

static const char help[] =
  "Usage: iopress info [OPTION]... IMAGE\n"
  "   or: iopress info --state [OPTION]... FILE\n"
  "Describe IMAGE: sizes, codec, RAM blocks and their present pages, and the\n"
  "domain where libvirt wrote the save.\n"
  "\n"
  "      --json              print one JSON object\n"
  "      --map               draw where memory lies and how well it compressed\n"
  "      --state             say in one word what FILE is, whatever it is, and\n"
  "                          what can be done with it next\n";

struct info {
  struct common_options common;
  bool json, map, state;
  struct image_input input;
  struct mapped_ram *ram;
};

static const struct option long_options[] = {
  COMMON_LONG_OPTIONS,
  { "json", no_argument, NULL, OPTION_FLAG (struct info, json) },
  { "map", no_argument, NULL, OPTION_FLAG (struct info, map) },
  { "state", no_argument, NULL, OPTION_FLAG (struct info, state) },
  { NULL, 0, NULL, 0 },
};

/* Parse QEMU's stream as it stands in the image. */
static int
parse_ram (struct info *info, struct error *err)
{
  struct image *image = info->input.image;
  struct image_view *view = NULL;
  struct read_at at;
  int result;

  if (image_view_open (image, &info->input.decoding, NULL, &view, err) < 0)
    return -1;
  at = read_at_of_view (view);
  result = mapped_ram_parse (&at, image->header.prefix_bytes, &info->ram,
                             err);
  image_view_close (view);
  return result;
}

/* Find the guest in libvirt's part.  An image is of kind raw when QEMU's stream
 * in its source was a plain one, also where libvirt's header speaks of another.
 */
static int
find_domain (const struct image *image, struct image_facts *facts,
             struct error *err)
{
  struct read_at at = read_at_of_file (image->file);
  struct content content;
  int result = content_look (&at, CONTENT_SEARCH_USUAL, &content, err);

  if (result == 0)
    result = content_domain (&at, &content, facts->domain_name,
                             facts->domain_uuid, err);
  facts->plain_sparse = result == 0 && image->header.kind == IMAGE_RAW &&
    content.has_libvirt && content.libvirt.format == LIBVIRT_FORMAT_SPARSE;
  content_free (&content);
  return result;
}

static int
run (void *state, char **operands, struct error *err)
{
  struct info *info = state;
  const char *name = operands[0];
  struct image_options how = image_options_of (&info->common);
  struct image_facts facts = { 0 };
  struct file file = FILE_CLOSED;

  if (info->map && (info->json || info->state))
    return error_set (err, ERROR_USAGE, 0, "--map does not go with %s",
                      info->json ? "--json" : "--state");
  if (confine_privileges (&info->common, PRIVILEGES_READ, err) < 0 ||
      (info->state && confine_to_reading (&info->common, err) < 0))
    return -1;
  if (info->state)
    return info_state (name, info->json, err);
  if (file_open_seekable (name, "IMAGE must be here", FILE_READ,
                          info->common.how, &file, err) < 0 ||
      image_input_take (&file, &how, &info->input, err) < 0) {
    file_close (&file);
    return -1;
  }
  facts.image = info->input.image;
  if (confine_to (&info->common, PRIVILEGES_READ, &info->input.file,
                  LANDLOCK_READ, NULL, err) < 0)
    return -1;
  if (find_domain (facts.image, &facts, err) < 0)
    return error_subject (err, name);
  if (facts.image->header.kind == IMAGE_MAPPED_RAM) {
    if (parse_ram (info, err) < 0)
      return error_subject (err, name);
    facts.ram = info->ram;
  }
  if (info->json)
    info_print_json (&facts);
  else
    info_print_text (&facts);
  if (info->map)
    info_print_map (facts.image);
  return 0;
}

static void
end (void *state, bool succeeded)
{
  struct info *info = state;

  (void) succeeded;
  mapped_ram_free (info->ram);
  image_input_close (&info->input);
}

const struct verb info_verb = {
  .name = "info",
  .summary = "describe an image",
  .synopsis = SYNOPSIS,
  .help = help,
  .letters = COMMON_LETTERS,
  .options = long_options,
  .operand_count = 1,
  VERB_STATE (struct info, .input = IMAGE_INPUT_CLOSED),
  .run = run,
  .end = end,
};
