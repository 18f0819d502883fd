/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzz target: any words, each up to a NUL, as the command line of a verb.  It
 * runs in an empty folder, can start no program, and no word leads elsewhere.
 */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "program.h"

const unsigned int fuzz_message_count = 0;
const unsigned long fuzz_mutation_count = 2000;

#define WORDS_MAX 24u

/* In the place of libc's: what follows "--" is a command. */
pid_t
fork (void)
{
  errno = EAGAIN;
  return -1;
}

/* No path, no descriptor, no standard stream, nobody to wait for, and no
 * sandbox, which stays; options may be shortened.
 */
static bool
is_harmless (const char *word)
{
  return strchr (word, '/') == NULL && strstr (word, "..") == NULL &&
    strstr (word, "fd") == NULL && strstr (word, "progress-") == NULL &&
    strncmp (word, "--w", 3) != 0 && strncmp (word, "--s", 3) != 0 &&
    strcmp (word, "-") != 0;
}

static const char *
verb_of (uint8_t number)
{
  static const char *const verbs[] = {
    "save", "restore", "info", "verify", "recover", "expand", "plugins",
  };

  return verbs[number % (sizeof verbs / sizeof verbs[0])];
}

/* The words in TEXT, which ends with a NUL, behind the verb and up to a NULL.
 * Returns whether all of them may be used.
 */
static bool
split (const char *text, const char *end, const char **words)
{
  size_t count = 1;

  for (; text < end && count < WORDS_MAX; text += strlen (text) + 1) {
    if (!is_harmless (text))
      return false;
    words[count++] = text;
  }
  words[count] = NULL;
  return true;
}

/* Run in a folder that is empty, and gone afterwards. */
static int
run_apart (const char *const *words)
{
  char folder[] = "/tmp/fuzz-options.XXXXXX";
  int before = open (".", O_PATH | O_CLOEXEC), status;

  FUZZ_ASSERT (before >= 0 && mkdtemp (folder) != NULL);
  FUZZ_ASSERT (chdir (folder) == 0);
  status = fuzz_program (words);
  FUZZ_ASSERT (fchdir (before) == 0);
  FUZZ_ASSERT (rmdir (folder) == 0);
  close (before);
  return status;
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t length)
{
  const char *words[WORDS_MAX + 1];
  char *text = calloc (1, length + 1);

  FUZZ_ASSERT (text != NULL);
  memcpy (text, bytes, length);
  /* While the working folder is what it was. */
  fuzz_plugin_folder ();
  if (length > 0) {
    words[0] = verb_of (bytes[0]);
    if (split (text + 1, text + length, words))
      fuzz_count (run_apart (words) != 2);
  }
  free (text);
  return 0;
}

size_t
fuzz_seed (unsigned int number, uint8_t *bytes)
{
  static const char *const words[] = {
    "\0" "-c\0zstd:3,long=27\0-T\0" "4\0--chunk-size=64K\0a\0b\0",
    "\0--discard\0--discard-batch\0" "1M\0--format=raw\0--exact\0a\0b\0",
    "\0--estimate\0--json\0--image-id\0"
    "00112233445566778899aabbccddeeff\0a\0",
    "\1--force\0--direct-io=off\0-q\0a\0b\0",
    "\1--tmpfile\0.\0a\0--\0true\0{}\0",
    "\2--map\0-q\0a\0",
    "\3--fast\0-v\0a\0",
    "\4--help\0",
    "\6--json\0",
  };
  /* Their words, the last of which ends where two NULs would stand. */
  static const uint8_t counts[] = { 7, 7, 5, 5, 6, 3, 3, 1, 1 };
  size_t length = 1;
  uint8_t i;

  if (number >= sizeof counts)
    return 0;
  for (i = 0; i < counts[number]; i++)
    length += strlen (words[number] + length) + 1;
  memcpy (bytes, words[number], length);
  return length;
}
