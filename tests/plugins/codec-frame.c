/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Standard input as one frame of a codec on standard output, or back:
 *   codec-frame FOLDER NAME[:LEVEL][,PARAMETERS]
 *   codec-frame FOLDER NAME LENGTH
 * The second decompresses a frame to LENGTH bytes.
 */

#include <config.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "plugin/loader.h"

#define INPUT_MAX ((size_t) 32 << 20)
#define CHUNK_MAX ((size_t) 16 << 20)

static void *
allocate (size_t size)
{
  void *memory = malloc (size);

  if (memory == NULL)
    err (EXIT_FAILURE, "malloc");
  return memory;
}

static void __attribute__ ((noreturn))
die (const struct error *error)
{
  char text[1024];

  error_format (error, text, sizeof text);
  errx (EXIT_FAILURE, "%s", text);
}

static struct codec *
load (const char *folder, const char *text, struct codec_choice *choice)
{
  struct error error = { 0 };
  struct codec *codec;

  if (codec_choice_parse (text, choice, &error) == -1 ||
      codec_load (folder, choice->name, &codec, &error) == -1)
    die (&error);
  if (codec_choice_check (codec, choice, &error) == -1)
    die (&error);
  return codec;
}

static int
finish (const struct codec *codec, struct iopress_codec_context *context,
        const void *output, size_t length)
{
  if (length == IOPRESS_CODEC_ERROR || length == IOPRESS_CODEC_NO_ROOM)
    errx (EXIT_FAILURE, "%s", codec->ops.error_text (context));
  if (fwrite (output, 1, length, stdout) != length || fflush (stdout) != 0)
    err (EXIT_FAILURE, "standard output");
  codec->ops.close (context);
  return EXIT_SUCCESS;
}

int
main (int argc, char **argv)
{
  struct codec_choice choice;
  struct codec *codec;
  struct iopress_codec_context *context;
  char *input = allocate (INPUT_MAX), *output;
  size_t size, length, result;
  int status;

  if (argc != 3 && argc != 4)
    errx (EXIT_FAILURE, "usage: codec-frame FOLDER CHOICE [LENGTH]");
  codec = load (argv[1], argv[2], &choice);
  length = fread (input, 1, INPUT_MAX, stdin);
  size = argc == 4 ? strtoul (argv[3], NULL, 10) : codec->ops.bound (length);
  output = allocate (size);
  context = codec->ops.open (choice.level, choice.parameters, CHUNK_MAX);
  if (context == NULL)
    errx (EXIT_FAILURE, "cannot open a context");
  result = argc == 4 ?
    codec->ops.decompress (context, input, length, output, size) :
    codec->ops.compress (context, input, length, output, size);
  status = finish (codec, context, output, result);
  codec_unload (codec);
  free (output);
  free (input);
  return status;
}
