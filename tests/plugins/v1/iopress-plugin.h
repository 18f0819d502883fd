/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a codec plugin of iopress provides; see iopress-plugin(3).
 *
 * A plugin is a shared object NAME.so that exports one symbol, defined with
 * IOPRESS_REGISTER_CODEC.  It compresses one chunk at a time in memory that
 * the host owns: no I/O, no threads, no printing, no calls into the host.
 */

#ifndef IOPRESS_PLUGIN_H
#define IOPRESS_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The ABI described by this header. */
#define IOPRESS_CODEC_ABI 1

/* Longest codec name, longest parameter text, in bytes without the NUL. */
#define IOPRESS_CODEC_NAME_MAX 15
#define IOPRESS_CODEC_PARAMETERS_MAX 63

/* What compress and decompress return beside a size. */
#define IOPRESS_CODEC_ERROR ((size_t) -1)      /* see .error_text */
#define IOPRESS_CODEC_NO_ROOM ((size_t) -2)    /* output does not fit */

/* A per-worker context, private to the plugin. */
struct iopress_codec_context;

struct iopress_codec {
  /* Do not set these yourself: IOPRESS_REGISTER_CODEC does. */
  uint32_t abi;
  uint32_t struct_size;

  /* Required.  The name the image records: [a-z0-9-]{1,15}, equal to the
   * file name without ".so".  A static string.
   */
  const char *name;

  /* Required.  The version of the library underneath, for example "1.5.4".
   * A static string, from any thread.
   */
  const char *(*version) (void);

  /* Required.  Levels accepted, both ends included, and the default. */
  int level_min;
  int level_max;
  int level_default;

  /* Optional.  Preferred chunk size in bytes, a power of two of 64 KiB to
   * 16 MiB, or 0 for the host's default.
   */
  uint32_t chunk_size;

  /* Required.  The largest frame that LENGTH bytes of input can give, in
   * bytes.  From any thread.
   */
  size_t (*bound) (size_t length);

  /* Optional.  Check the text after the comma of "-c NAME:LEVEL,PARAMETERS".
   * LEVEL is already known to be in range.  Returns 0, or -1 after writing
   * one line without newline that says what is wrong into MESSAGE.  A plugin
   * without it accepts no parameters.
   */
  int (*check_parameters) (int level, const char *parameters,
                           char *message, size_t message_size);

  /* Required.  Make a context for one worker.  LEVEL and PARAMETERS ("" for
   * none) passed check_parameters; CHUNK_SIZE is the largest input in bytes.
   * A context that only decompresses gets the same call.  Contexts are used
   * by one thread at a time; several exist at once.  Returns NULL when out
   * of memory.
   */
  struct iopress_codec_context *(*open) (int level, const char *parameters,
                                         size_t chunk_size);

  /* Required.  Free the context. */
  void (*close) (struct iopress_codec_context *context);

  /* Required.  Compress INPUT_LENGTH bytes (1 to CHUNK_SIZE) into one
   * complete standard frame of at most OUTPUT_SIZE bytes.  Returns its
   * length, IOPRESS_CODEC_NO_ROOM when it does not fit, or
   * IOPRESS_CODEC_ERROR.  The same input, level and parameters give the same
   * frame whatever the context did before.
   */
  size_t (*compress) (struct iopress_codec_context *context,
                      const void *input, size_t input_length,
                      void *output, size_t output_size);

  /* Required.  Decompress the frame, which must be exactly INPUT_LENGTH
   * bytes long and give exactly OUTPUT_LENGTH bytes; the input is untrusted.
   * Returns OUTPUT_LENGTH, or IOPRESS_CODEC_ERROR.
   */
  size_t (*decompress) (struct iopress_codec_context *context,
                        const void *input, size_t input_length,
                        void *output, size_t output_length);

  /* Optional.  One line about the last failure of this context, valid until
   * its next call.
   */
  const char *(*error_text) (struct iopress_codec_context *context);
};

/* The exported symbol. */
#define IOPRESS_CODEC_SYMBOL "iopress_codec_entry"

#ifdef __cplusplus
#define IOPRESS_PLUGIN_LINKAGE extern "C"
#else
#define IOPRESS_PLUGIN_LINKAGE extern
#endif

/* Export CODEC, a static struct iopress_codec, as this plugin. */
#define IOPRESS_REGISTER_CODEC(codec)                                        \
  IOPRESS_PLUGIN_LINKAGE __attribute__ ((visibility ("default")))            \
  const struct iopress_codec *iopress_codec_entry (void);                    \
  const struct iopress_codec *                                               \
  iopress_codec_entry (void)                                                 \
  {                                                                          \
    (codec).abi = IOPRESS_CODEC_ABI;                                         \
    (codec).struct_size = sizeof (struct iopress_codec);                     \
    return &(codec);                                                         \
  }

#ifdef __cplusplus
}
#endif

#endif /* IOPRESS_PLUGIN_H */
