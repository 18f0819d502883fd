/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a fuzz target without libFuzzer: on the files named, or on its valid
 * inputs and a bounded number of mutations of them, the same ones each time.
 */

#include <config.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "util/bytes.h"

#define SEED_DEFAULT 1u
#define SEEDS_MAX 128u

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t random_state = SEED_DEFAULT;

static uint64_t
random_u64 (void)
{
  uint64_t z = random_state += UINT64_C (0x9e3779b97f4a7c15);

  z = (z ^ (z >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static size_t
random_below (size_t limit)
{
  return (size_t) (random_u64 () % limit);
}

/* A place in the input; half of them near the start, where headers are. */
static size_t
random_place (size_t length)
{
  if (random_below (2) == 0)
    return random_below (length);
  return random_below ((size_t) minimum_u64 (length, 128));
}

/* Values at which checks change their mind. */
static uint64_t
interesting_value (void)
{
  uint64_t power = UINT64_C (1) << random_below (64);

  switch (random_below (5)) {
  case 0:
    return random_below (9);
  case 1:
    return power - 1;
  case 2:
    return power + 1;
  case 3:
    return UINT64_MAX - random_below (4);
  default:
    return power;
  }
}

/* Set a field to an interesting value, or move it by a little. */
static void
mutate_field (uint8_t *bytes, size_t length)
{
  size_t width = (size_t) 1 << random_below (4);
  size_t place;
  uint8_t field[8] = { 0 };

  if (length < 8)
    return;
  place = random_place (length - 7) & ~(size_t) 3;
  if (random_below (2) == 0)
    put_le64 (field, interesting_value ());
  else {
    memcpy (field, bytes + place, width);
    put_le64 (field, get_le64 (field) + random_below (9) - 4);
  }
  memcpy (bytes + place, field, width);
}

static void
mutate_copy (uint8_t *bytes, size_t length)
{
  size_t from = random_below (length), to = random_below (length);
  size_t most = (size_t) minimum_u64 (length - from, length - to);

  memmove (bytes + to, bytes + from, random_below (most) + 1);
}

/* Cut the input off, or append bytes. */
static size_t
mutate_length (uint8_t *bytes, size_t length)
{
  size_t end = random_below (2) == 0 ? random_below (length) + 1 :
    length + random_below (64);
  size_t i;

  if (end > FUZZ_BYTES_MAX)
    end = FUZZ_BYTES_MAX;
  for (i = length; i < end; i++)
    bytes[i] = (uint8_t) random_u64 ();
  return end;
}

static size_t
mutate (uint8_t *bytes, size_t length)
{
  size_t place = random_place (length);

  switch (random_below (8)) {
  case 0:
    bytes[place] = (uint8_t) (bytes[place] ^ 1u << random_below (8));
    return length;
  case 1:
    bytes[place] = (uint8_t) random_u64 ();
    return length;
  case 2:
    mutate_copy (bytes, length);
    return length;
  case 3:
    return mutate_length (bytes, length);
  default:
    mutate_field (bytes, length);
    return length;
  }
}

/* The target gets memory of exactly the input's length, so that a sanitizer
 * sees a byte too many.
 */
static void
run (const uint8_t *bytes, size_t length)
{
  uint8_t *copy = malloc (length != 0 ? length : 1);

  if (copy == NULL)
    abort ();
  memcpy (copy, bytes, length);
  LLVMFuzzerTestOneInput (copy, length);
  free (copy);
}

/* The valid inputs. */
static struct seed {
  uint8_t *bytes;
  size_t length;
} seeds[SEEDS_MAX];
static unsigned int seed_count;

static void
run_seeds (void)
{
  static uint8_t bytes[FUZZ_BYTES_MAX];
  size_t length;

  while ((length = fuzz_seed (seed_count, bytes)) != 0) {
    struct seed *seed = &seeds[seed_count++];

    FUZZ_ASSERT (seed_count < SEEDS_MAX);
    seed->bytes = malloc (length);
    seed->length = length;
    if (seed->bytes == NULL)
      abort ();
    memcpy (seed->bytes, bytes, length);
    run (bytes, length);
  }
  FUZZ_ASSERT (seed_count > 0);
  FUZZ_ASSERT (fuzz_accepted () >= seed_count && fuzz_refused () == 0);
}

static void
free_seeds (void)
{
  while (seed_count > 0)
    free (seeds[--seed_count].bytes);
}

/* One mutation in four keeps its wrong checksums. */
static void
run_mutation (void)
{
  static uint8_t bytes[FUZZ_BYTES_MAX];
  const struct seed *seed = &seeds[random_below (seed_count)];
  size_t length = seed->length, times = 1 + random_below (4);

  memcpy (bytes, seed->bytes, length);
  while (times-- > 0)
    length = mutate (bytes, length);
  if (random_below (4) != 0)
    fuzz_reseal (bytes, length);
  run (bytes, length);
}

static int
run_file (const char *path)
{
  static uint8_t bytes[1u << 20];
  FILE *file = fopen (path, "rb");
  size_t length;

  if (file == NULL) {
    fprintf (stderr, "%s: %s\n", path, strerror (errno));
    return -1;
  }
  length = fread (bytes, 1, sizeof bytes, file);
  fclose (file);
  run (bytes, length);
  return 0;
}

/* Returns whether every message of the decoders was seen. */
static bool
run_mutations (unsigned long count)
{
  unsigned long i;

  run_seeds ();
  for (i = 0; i < count; i++)
    run_mutation ();
  printf ("%u valid inputs, %lu mutations: %lu accepted, %lu refused, "
          "%u of %u messages\n", seed_count, count, fuzz_accepted (),
          fuzz_refused (), fuzz_messages (), fuzz_message_count);
  free_seeds ();
  return fuzz_message_count == 0 || fuzz_messages () == fuzz_message_count;
}

/* The default run always does the same, so that it can promise to have got
 * everywhere.
 */
static int
run_default (void)
{
  if (run_mutations (fuzz_mutation_count))
    return EXIT_SUCCESS;
  fprintf (stderr, "the messages seen are not the %u expected:\n",
           fuzz_message_count);
  fuzz_print_messages (stderr);
  return EXIT_FAILURE;
}

static int
run_files (char **paths)
{
  int status = EXIT_SUCCESS;

  for (; *paths != NULL; paths++)
    if (run_file (*paths) < 0)
      status = EXIT_FAILURE;
  return status;
}

int
main (int argc, char **argv)
{
  unsigned long count = fuzz_mutation_count;
  int option;

  if (argc == 1)
    return run_default ();
  while ((option = getopt (argc, argv, "n:s:")) != -1)
    switch (option) {
    case 'n':
      count = strtoul (optarg, NULL, 0);
      break;
    case 's':
      random_state = strtoull (optarg, NULL, 0);
      break;
    default:
      fprintf (stderr, "usage: %s [-n COUNT] [-s SEED] [FILE...]\n",
               argv[0]);
      return 2;
    }
  if (optind < argc)
    return run_files (argv + optind);
  run_mutations (count);
  return EXIT_SUCCESS;
}
