/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress save: a source becomes an image. */

#include <config.h>

#include <errno.h>
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

static const struct option long_options[] = {
  COMMON_LONG_OPTIONS,
  { "codec", required_argument, NULL, 'c' },
  { "chunk-size", required_argument, NULL, OPTION_CHUNK_SIZE },
  { "exact", no_argument, NULL, OPTION_FLAG (struct save, exact) },
  { "format", required_argument, NULL, OPTION_FORMAT },
  { "force", no_argument, NULL, OPTION_FLAG (struct save, force) },
  { "image-id", required_argument, NULL, OPTION_IMAGE_ID },
  { "replace", no_argument, NULL, OPTION_FLAG (struct save, replace) },
  { "discard", no_argument, NULL, OPTION_FLAG (struct save, discard) },
  { "discard-batch", required_argument, NULL, OPTION_DISCARD_BATCH },
  { "no-verify", no_argument, NULL, OPTION_FLAG (struct save, no_verify) },
  { "resume", no_argument, NULL, OPTION_FLAG (struct save, resume) },
  { "estimate", no_argument, NULL, OPTION_FLAG (struct save, estimate) },
  { "json", no_argument, NULL, OPTION_FLAG (struct save, json) },
  { "wait-fd", required_argument, NULL, OPTION_WAIT_FD },
  { "wait-qmp", required_argument, NULL, OPTION_WAIT_QMP },
  { NULL, 0, NULL, 0 },
};

static int
image_id_option (struct save *save, struct error *err)
{
  size_t i;

  if (strlen (optarg) == 2 * IMAGE_ID_BYTES &&
      strspn (optarg, "0123456789abcdefABCDEF") == 2 * IMAGE_ID_BYTES) {
    for (i = 0; i < IMAGE_ID_BYTES; i++)
      sscanf (optarg + 2 * i, "%2hhx", &save->image_id[i]);
    save->has_image_id = true;
    return 0;
  }
  return error_set (err, ERROR_USAGE, 0,
                    "--image-id takes 32 hexadecimal digits, not \"%s\"",
                    optarg);
}

static int
format_option (struct save *save, struct error *err)
{
  static const char *const formats[] = { "auto", "mapped-ram", "raw", NULL };
  int choice = option_choice ("--format", formats, err);

  save->format = (enum source_format) choice;
  return choice < 0 ? -1 : 0;
}

static int
take_option (void *state, int c, struct error *err)
{
  struct save *save = state;

  switch (c) {
  case OPTION_CHUNK_SIZE:
    return option_chunk_size (&save->chunk_bytes, err);
  case OPTION_FORMAT:
    return format_option (save, err);
  case OPTION_IMAGE_ID:
    return image_id_option (save, err);
  case OPTION_DISCARD_BATCH:
    return option_size ("--discard-batch", &save->batch_bytes, err);
  case OPTION_WAIT_FD:
    return option_descriptor ("--wait-fd", O_RDONLY, &save->wait_fd, err);
  case OPTION_WAIT_QMP:
    save->wait_qmp = optarg;
    return descriptor_check_name (optarg, "--wait-qmp", err);
  default:
    save->codec_text = optarg;
    return 0;
  }
}

/* Which levels -c auto picked, and for how many windows each. */
static void
report_levels (const struct save *save)
{
  char text[256] = "";
  size_t i, used = 0;

  for (i = 0; i < save->level.count; i++)
    if (save->level.used[i] > 0 && used < sizeof text)
      used += (size_t) snprintf (text + used, sizeof text - used,
                                 "%s%llu at %s:%d", used > 0 ? ", " : "",
                                 (unsigned long long) save->level.used[i],
                                 save->header.codec, save->level.levels[i]);
  say_note ("%s: windows packed: %s", save->output_name,
            used > 0 ? text : "none");
}

static void
report (const struct save *save)
{
  bool source_stays = save->source_stays && !save->common.quiet;
  char from[SIZE_TEXT_BYTES], to[SIZE_TEXT_BYTES];
  uint64_t kept = save->footer.page_count * PAGE_BYTES;

  if (save->automatic && !save->common.quiet)
    report_levels (save);
  if (save->common.verbose && !save->common.quiet &&
      save->layout.plain_stream)
    say_note ("%s: QEMU's stream in it is a plain one, not mapped-ram: packed "
              "byte for byte", save->source.name);
  if (save->common.verbose && !save->common.quiet)
    say_note ("%s: %s of pages packed into %s", save->source.name,
              size_format (kept, from), size_format (save->image_bytes, to));
  if (source_stays)
    say_note ("%s: is in %s now, but its file system cannot give its blocks "
              "back", save->source.name, save->output_name);
}

/* Once part of the source is gone every failure is one of a kind: nothing is
 * lost, and --resume goes on.
 */
static void
explain_consumed (const struct save *save, struct error *err)
{
  const char *first = "nothing is lost,";

  if (!output_is_there (&save->output))
    first = "it has a part of SOURCE: bring it back, then";
  else if (err->errnum == EEXIST)
    first = "nothing is lost: move that file away, then";
  err->kind = ERROR_CONSUMED;
  /* SOURCE and OUTPUT follow, see verb_run. */
  error_hint (err, "%s go on with: iopress save --resume%s", first,
              save->force ? " --force" : "");
}

/* After a failure: keep an output that is worth something, or is not this run's.
 */
static void
leave_output (struct save *save, struct error *err)
{
  struct error ignored = { 0 };
  bool whole;

  /* The thread may be about to begin: only when it has ended is it known. */
  if (save->consume != NULL)
    consume_stop (save->consume, &ignored);
  whole = save->earlier.left == SOURCE_WHOLE;
  if (!whole && err->kind != ERROR_USAGE && err->kind != ERROR_BAD_INPUT)
    explain_consumed (save, err);
  if (whole && save->new_output)
    output_abandon (&save->output);
  else
    output_keep (&save->output);
}

/* What goes together with what. */
static int
check_command (const struct save *save, struct error *err)
{
  if (save->replace && (save->discard || save->resume || save->estimate ||
                        save->force))
    return error_set (err, ERROR_USAGE, 0, "--replace does not go with %s",
                      save->discard ? "--discard"
                      : save->resume ? "--resume"
                      : save->estimate ? "--estimate" : "--force");
  if (save->replace && save->output_name != NULL)
    return error_set (err, ERROR_USAGE, 0, "--replace takes no OUTPUT");
  if (save->replace && (file_descriptor_of (save->source_name) >= 0 ||
                        strcmp (save->source_name, "-") == 0))
    return error_set (err, ERROR_USAGE, 0,
                      "with --replace SOURCE must be a path, not \"%s\"",
                      save->source_name);
  if (save->json && !save->estimate)
    return error_set (err, ERROR_USAGE, 0, "--json goes with --estimate");
  if (!save->replace && !save->estimate && save->output_name == NULL)
    return error_set (err, ERROR_USAGE, 0, "OUTPUT is missing");
  return 0;
}

/* With --replace an image is no source, but what is wanted.  Returns 0, or -1
 * with ERR.
 */
static int
accept_image (const struct save *save, struct error *err)
{
  struct error other = { 0 };
  int done;

  if (!save->replace || err->kind != ERROR_BAD_INPUT)
    return -1;
  done = replace_is_done (save->source_name, &save->common, &other);
  if (done < 0)
    *err = other;
  return done > 0 ? 0 : -1;
}

static int
save_source (struct save *save, struct error *err)
{
  if (save_prepare (save, err) == 0 && save_run (save, err) == 0) {
    output_keep (&save->output);
    report (save);
    return 0;
  }
  leave_output (save, err);
  return accept_image (save, err);
}

static int
estimate (struct save *save, struct error *err)
{
  return save_prepare_estimate (save, err) < 0 ? -1 : save_estimate (save, err);
}

static int
run (void *state, char **operands, struct error *err)
{
  struct save *save = state;

  save->source_name = operands[0];
  save->output_name = operands[1];
  save->consumes = save->discard && !save->estimate;
  if (check_command (save, err) < 0)
    return -1;
  if (save->replace)
    save->output_name = save->source_name;
  return save->estimate ? estimate (save, err) : save_source (save, err);
}

static void
end (void *state, bool succeeded)
{
  struct save *save = state;
  struct error ignored = { 0 };

  progress_end (save->progress, succeeded);
  consume_close (save->consume);
  source_layout_free (&save->layout);
  image_close (save->image);
  codec_unload (save->codec);
  file_close (&save->source, &ignored);
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
  VERB_STATE (struct save, .codec_text = CODEC_DEFAULT ":" CODEC_DEFAULT_LEVEL,
              .wait_fd = -1, .batch_bytes = BATCH_BYTES_DEFAULT,
              .source = FILE_CLOSED, .output = OUTPUT_CLOSED),
  .take = take_option,
  .run = run,
  .end = end,
};
