/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a codec plugin of iopress provides.  iopress-plugin(3) is the
 * tutorial, this is the reference.
 *
 * A plugin is a shared object NAME.so that exports one symbol, defined with
 * IOPRESS_REGISTER_CODEC.  It compresses and decompresses one chunk at a
 * time.
 *
 * Guarantee.  A plugin binary works with every later host of the same
 * IOPRESS_CODEC_ABI.  Members are only ever added at the end of a struct;
 * the host takes those that it knows and the plugin was built with, the
 * others are zero.  So a plugin built with this header also works with an
 * older host, which ignores what it does not know.
 *
 * Life cycle.  The host loads the plugin, copies the struct and checks it,
 * asks for .version, holds the user's choice against .parameters and
 * .check_parameters, makes a context for each worker with .open, calls
 * .compress, .decompress and .set_level in it as often as it likes, in any
 * order, frees it with .close, and unloads the plugin when no context is
 * left.
 *
 * Threads.  One thread at a time uses a context, not always the same one.
 * Many contexts are used at the same time.  The functions without a context
 * are called from any thread at any time.  What changes must be in the
 * context.
 *
 * Ownership.  Buffers belong to the host, and nothing outside them may be
 * read or written: the byte behind one may be another chunk, or not be
 * there.  The input may lie in memory that cannot be written.  No pointer to
 * a buffer may be kept beyond the call.  Strings that the plugin gives
 * belong to it.
 *
 * Sizes are in bytes, without the NUL of a text.
 *
 * Errors.  A call that fails says so with its result, and .error_text why;
 * the context can be used on.  A plugin does no I/O, prints nothing, starts
 * no threads or processes, neither exits nor aborts, changes no state of the
 * process (signals, locale, folder, environment), calls nothing in the host,
 * and gets nothing but memory, locks and the time from the kernel
 * (iopress-plugin(3), SANDBOX).
 */

#ifndef IOPRESS_PLUGIN_H
#define IOPRESS_PLUGIN_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The ABI described by this header. */
#define IOPRESS_CODEC_ABI 1

/* Longest name of a codec, text of its parameters, key of one of them. */
#define IOPRESS_CODEC_NAME_MAX 15
#define IOPRESS_CODEC_PARAMETERS_MAX 63
#define IOPRESS_CODEC_KEY_MAX 31

/* What compress and decompress return beside a size. */
#define IOPRESS_CODEC_ERROR ((size_t) -1)      /* see .error_text */
#define IOPRESS_CODEC_NO_ROOM ((size_t) -2)    /* output does not fit */

/* As many bytes as .is_frame gets, where a frame has them. */
#define IOPRESS_CODEC_FRAME_START 16

/* A per-worker context, private to the plugin. */
struct iopress_codec_context;

/* How a parameter is written. */
#define IOPRESS_CODEC_FLAG 1           /* KEY */
#define IOPRESS_CODEC_INTEGER 2        /* KEY=NUMBER */
#define IOPRESS_CODEC_CHOICE 3         /* KEY=WORD */

/* A parameter: an element of .parameters.  All strings are static, and
 * printable ASCII.
 */
struct iopress_codec_parameter {
  /* How users name it: [a-z0-9-]{1,31}.  NULL in the element behind the
   * last.
   */
  const char *key;

  /* IOPRESS_CODEC_FLAG, IOPRESS_CODEC_INTEGER or IOPRESS_CODEC_CHOICE. */
  int type;

  /* Of an INTEGER: the least and the greatest, both included. */
  int64_t minimum;
  int64_t maximum;

  /* Of a CHOICE: the words, with "|" between them, such as "text|binary". */
  const char *choices;

  /* Required.  What it does, in a line without full stop. */
  const char *help;
};

struct iopress_codec {
  /* Do not set these yourself: IOPRESS_REGISTER_CODEC does. */
  uint32_t abi;
  uint32_t struct_size;

  /* Required.  The name the image records: [a-z0-9-]{1,15}, equal to the
   * file name without ".so".  "auto" and "stored" are reserved.  A static
   * string.
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

  /* Required.  The largest frame that LENGTH bytes of input can give at any
   * level, in bytes; it does not fall as LENGTH grows.  The host calls it
   * for up to 16 MiB.  From any thread.
   */
  size_t (*bound) (size_t length);

  /* Optional.  Check the text after the comma of "-c NAME:LEVEL,PARAMETERS".
   * LEVEL is already known to be in range; so is each parameter, where there
   * are .parameters, and then this is for what they cannot say.  Returns 0,
   * or -1 after writing one line without newline that says what is wrong
   * into MESSAGE, NUL-terminated, of MESSAGE_SIZE bytes.  A plugin with
   * neither takes no parameters.  From any thread.
   */
  int (*check_parameters) (int level, const char *parameters,
                           char *message, size_t message_size);

  /* Required.  Make a context for one worker.  LEVEL and PARAMETERS ("" for
   * none, printable ASCII, gone after the call) have been checked;
   * CHUNK_SIZE is the largest input in bytes.  A context that only
   * decompresses gets the same call.  Returns NULL when out of memory.  From
   * any thread.
   */
  struct iopress_codec_context *(*open) (int level, const char *parameters,
                                         size_t chunk_size);

  /* Required.  Free the context, which is not NULL. */
  void (*close) (struct iopress_codec_context *context);

  /* Required.  Compress INPUT_LENGTH bytes (1 to CHUNK_SIZE) into one
   * complete standard frame of at most OUTPUT_SIZE bytes.  Returns its length,
   * IOPRESS_CODEC_NO_ROOM when it does not fit, or IOPRESS_CODEC_ERROR.  With
   * room for .bound it fits; with less, it may be that it would fit and that
   * the library wants more to work in.  The same input, level, parameters and
   * chunk size give the same frame, whatever the context did before and
   * whichever thread calls.
   */
  size_t (*compress) (struct iopress_codec_context *context,
                      const void *input, size_t input_length,
                      void *output, size_t output_size);

  /* Required.  Decompress the frame, which must be exactly INPUT_LENGTH
   * bytes long and give exactly OUTPUT_LENGTH bytes; the input is untrusted.
   * Any context decompresses frames of every level and all parameters.  Returns
   * OUTPUT_LENGTH, or IOPRESS_CODEC_ERROR.
   */
  size_t (*decompress) (struct iopress_codec_context *context,
                        const void *input, size_t input_length,
                        void *output, size_t output_length);

  /* Optional.  One line of printable ASCII, of up to 200 bytes, about the last
   * failure of this context, valid until its next call; or NULL.  Also called
   * when nothing has failed.
   */
  const char *(*error_text) (struct iopress_codec_context *context);

  /* Optional.  Compress at LEVEL, which is in range, from the next frame on;
   * frames are those of a context that was opened with it.  Returns 0, or -1
   * when out of memory: the level is as it was.  "-c NAME:auto" needs it.
   */
  int (*set_level) (struct iopress_codec_context *context, int level);

  /* Optional.  Whether one of this codec's frames can begin with the
   * INPUT_LENGTH bytes at INPUT, at least the first
   * IOPRESS_CODEC_FRAME_START of it or all of one that is shorter;
   * untrusted.  From any thread.  Returns 1 or 0.  Finds the codec of an
   * image whose header is lost; a plugin without it must be named then.
   */
  int (*is_frame) (const void *input, size_t input_length);

  /* Optional.  The parameters, separated by commas in PARAMETERS, each at most
   * once: a static array that ends with an element whose key is NULL.  The host
   * refuses what is not described here, and shows the description to users.
   */
  const struct iopress_codec_parameter *parameters;

  /* Do not set this yourself: IOPRESS_REGISTER_CODEC does. */
  size_t parameter_size;
};

/* For .is_frame: whether the INPUT_LENGTH bytes at INPUT begin with the
 * MAGIC_LENGTH bytes at MAGIC.  1 or 0.
 */
static inline int
iopress_codec_begins (const void *input, size_t input_length,
                      const void *magic, size_t magic_length)
{
  return input_length >= magic_length &&
    memcmp (input, magic, magic_length) == 0;
}

/* For plugins with .parameters: where the value of KEY stands in the text that
 * .open was given, behind its "=" (for a flag, behind KEY); NULL without KEY.
 */
static inline const char *
iopress_codec_value (const char *parameters, const char *key)
{
  size_t length = strlen (key);

  while (*parameters != '\0') {
    if (strncmp (parameters, key, length) == 0 &&
        strchr ("=,", parameters[length]) != NULL)
      return parameters + length + (parameters[length] == '=');
    parameters += strcspn (parameters, ",");
    parameters += *parameters == ',';
  }
  return NULL;
}

/* The number of the integer KEY, or ABSENT without KEY. */
static inline int64_t
iopress_codec_integer (const char *parameters, const char *key,
                       int64_t absent)
{
  const char *value = iopress_codec_value (parameters, key);

  return value != NULL ? (int64_t) strtoll (value, NULL, 10) : absent;
}

/* Whether WORD is chosen for KEY.  1 or 0. */
static inline int
iopress_codec_chosen (const char *parameters, const char *key,
                      const char *word)
{
  const char *value = iopress_codec_value (parameters, key);
  size_t length = strlen (word);

  return value != NULL && strcspn (value, ",") == length &&
    strncmp (value, word, length) == 0;
}

/* The exported symbol. */
#define IOPRESS_CODEC_SYMBOL "iopress_codec_entry"

#ifdef __cplusplus
#define IOPRESS_PLUGIN_LINKAGE extern "C"
#else
#define IOPRESS_PLUGIN_LINKAGE extern
#endif

/* Export CODEC, a static struct iopress_codec that is not const, as this
 * plugin.
 */
#define IOPRESS_REGISTER_CODEC(codec)                                        \
  IOPRESS_PLUGIN_LINKAGE __attribute__ ((visibility ("default")))            \
  const struct iopress_codec *iopress_codec_entry (void);                    \
  const struct iopress_codec *                                               \
  iopress_codec_entry (void)                                                 \
  {                                                                          \
    (codec).abi = IOPRESS_CODEC_ABI;                                         \
    (codec).struct_size = sizeof (struct iopress_codec);                     \
    (codec).parameter_size = sizeof (struct iopress_codec_parameter);        \
    return &(codec);                                                         \
  }

#ifdef __cplusplus
}
#endif

#endif /* IOPRESS_PLUGIN_H */
