/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress save: a source becomes an image. */

#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cmd/progress.h"
#include "cmd/save.h"
#include "cmd/say.h"
#include "cmd/verbs.h"
#include "util/size.h"

/* Most of the source to hold twice with --discard, in bytes. */
#define BATCH_BYTES_DEFAULT (64u << 20)

#define SYNOPSIS "iopress save [OPTION]... SOURCE OUTPUT, " \
  "or save --replace [OPTION]... SOURCE"

static const char help[] =
  "Usage: iopress save [OPTION]... SOURCE OUTPUT\n"
  "   or: iopress save --replace [OPTION]... SOURCE\n"
  "Compress SOURCE, a save file of QEMU (mapped-ram) or any sparse file, into\n"
  "the image OUTPUT.  Each is a path, fd:N for an inherited descriptor, or -\n"
  "for standard input or output.\n\n"
  "  -c, --codec=CODEC[:LEVEL][,PARAMETERS]\n"
  "                          how to compress (default: "
  CODEC_DEFAULT ":" CODEC_DEFAULT_LEVEL "); stored: not\n"
  "                          at all; LEVEL auto: at levels that keep both disk\n"
  "                          and processors busy; auto: " CODEC_DEFAULT
  ":auto; see iopress\n"
  "                          plugins\n"
  "      --chunk-size=SIZE   cut the source into windows of SIZE bytes, 64K to\n"
  "                          16M (default: the codec's, or 1M)\n"
  "      --exact             keep the bytes of pages that QEMU marks absent\n"
  "      --replace           let the image take SOURCE's name and place; there\n"
  "                          is no OUTPUT\n"
  "      --discard           give the source's blocks back while it is packed\n"
  "      --discard-batch=SIZE\n"
  "                          hold at most SIZE bytes of the source twice\n"
  "                          (default: 64M)\n"
  "      --no-verify         with --discard, do not decode each record again\n"
  "                          before its part of the source goes\n"
  "      --estimate          only say how large the image would be, how long it\n"
  "                          would take and whether it fits; OUTPUT may be left\n"
  "                          out\n"
  "      --json              with --estimate, say it as one JSON object\n"
  "      --wait-fd=N         begin when a byte comes on descriptor N; give up\n"
  "                          when it is closed before\n"
  "      --wait-qmp=SOCKET   begin when QEMU, asked at the QMP socket SOCKET (a\n"
  "                          path or fd:N), says that its migration completed\n"
  "      --resume            go on with what an earlier run left unfinished\n"
  "      --format=FORMAT     auto (default), mapped-ram, raw\n"
  "      --force             replace OUTPUT if it exists\n"
  "      --image-id=HEX      use this id, 32 hexadecimal digits, not a random\n"
  "                          one\n";

enum {
  OPTION_CHUNK_SIZE = OPTION_VERB,
  OPTION_FORMAT,
  OPTION_IMAGE_ID,
  OPTION_DISCARD_BATCH,
  OPTION_WAIT_FD,
  OPTION_WAIT_QMP,
};

#define FLAG(member) OPTION_FLAG (struct save_options, member)

static const struct option long_options[] = {
  COMMON_LONG_OPTIONS,
  CODEC_LONG_OPTION,
  { "chunk-size", required_argument, NULL, OPTION_CHUNK_SIZE },
  { "exact", no_argument, NULL, FLAG (exact) },
  { "format", required_argument, NULL, OPTION_FORMAT },
  { "force", no_argument, NULL, FLAG (force) },
  { "image-id", required_argument, NULL, OPTION_IMAGE_ID },
  { "replace", no_argument, NULL, FLAG (replace) },
  { "discard", no_argument, NULL, FLAG (discard) },
  { "discard-batch", required_argument, NULL, OPTION_DISCARD_BATCH },
  { "no-verify", no_argument, NULL, FLAG (no_verify) },
  { "resume", no_argument, NULL, FLAG (resume) },
  { "estimate", no_argument, NULL, FLAG (estimate) },
  { "json", no_argument, NULL, FLAG (json) },
  { "wait-fd", required_argument, NULL, OPTION_WAIT_FD },
  { "wait-qmp", required_argument, NULL, OPTION_WAIT_QMP },
  { NULL, 0, NULL, 0 },
};

static int
image_id_option (struct save_options *options, struct error *err)
{
  size_t i;

  if (strlen (optarg) == 2 * IMAGE_ID_BYTES &&
      strspn (optarg, "0123456789abcdefABCDEF") == 2 * IMAGE_ID_BYTES) {
    for (i = 0; i < IMAGE_ID_BYTES; i++)
      sscanf (optarg + 2 * i, "%2hhx", &options->image_id[i]);
    options->has_image_id = true;
    return 0;
  }
  return error_set (err, ERROR_USAGE, 0,
                    "--image-id takes 32 hexadecimal digits, not \"%s\"",
                    optarg);
}

static int
format_option (struct save_options *options, struct error *err)
{
  static const char *const formats[] = { "auto", "mapped-ram", "raw", NULL };
  int choice = option_choice ("--format", formats, err);

  options->format = (enum source_format) choice;
  return choice < 0 ? -1 : 0;
}

static int
take_option (void *state, int c, struct error *err)
{
  struct save_options *options = state;

  switch (c) {
  case OPTION_CHUNK_SIZE:
    return option_chunk_size (&options->chunk_bytes, err);
  case OPTION_FORMAT:
    return format_option (options, err);
  case OPTION_IMAGE_ID:
    return image_id_option (options, err);
  case OPTION_DISCARD_BATCH:
    return option_size ("--discard-batch", &options->batch_bytes, err);
  case OPTION_WAIT_FD:
    return option_descriptor ("--wait-fd", O_RDONLY, &options->wait_fd, err);
  default:
    options->wait_qmp = optarg;
    return descriptor_check_name (optarg, "--wait-qmp", err);
  }
}

/* What goes together with what. */
static int
check_command (const struct save_options *options, struct error *err)
{
  if (options->replace && (options->discard || options->resume ||
                           options->estimate || options->force))
    return error_set (err, ERROR_USAGE, 0, "--replace does not go with %s",
                      options->discard ? "--discard"
                      : options->resume ? "--resume"
                      : options->estimate ? "--estimate" : "--force");
  if (options->replace && options->output_name != NULL)
    return error_set (err, ERROR_USAGE, 0, "--replace takes no OUTPUT");
  if (options->replace && (file_descriptor_of (options->source_name) >= 0 ||
                           strcmp (options->source_name, "-") == 0))
    return error_set (err, ERROR_USAGE, 0,
                      "with --replace SOURCE must be a path, not \"%s\"",
                      options->source_name);
  if (options->json && !options->estimate)
    return error_set (err, ERROR_USAGE, 0, "--json goes with --estimate");
  if (!options->replace && !options->estimate && options->output_name == NULL)
    return error_set (err, ERROR_USAGE, 0, "OUTPUT is missing, the name of the "
                      "image");
  return 0;
}

static int
run (void *state, char **operands, struct error *err)
{
  struct save_options *options = state;

  options->source_name = operands[0];
  options->output_name = operands[1];
  if (check_command (options, err) < 0 ||
      confine_privileges (&options->common, save_privileges (options), err) < 0)
    return -1;
  if (options->replace)
    options->output_name = options->source_name;
  return options->estimate ? save_estimate (options, err)
    : save_run (options, err);
}

const struct verb save_verb = {
  .name = "save",
  .summary = "compress a save file into an image",
  .synopsis = SYNOPSIS,
  .help = help,
  .letters = COMMON_LETTERS "c:",
  .options = long_options,
  .operand_count = 2,
  .optional_operands = 1,
  VERB_STATE (struct save_options,
              .common.codec_text = CODEC_DEFAULT ":" CODEC_DEFAULT_LEVEL,
              .wait_fd = -1, .batch_bytes = BATCH_BYTES_DEFAULT),
  .take = take_option,
  .run = run,
};
