/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress: saves of virtual machines, compressed and in parallel. */

#include <config.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/confine.h"
#include "cmd/say.h"
#include "cmd/signals.h"
#include "cmd/verbs.h"

static const struct verb *const verbs[] = { VERBS };

#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

static void
help (void)
{
  size_t i;

  printf ("Usage: iopress VERB [OPTION]... [ARGUMENT]...\n"
          "Compress the save files of virtual machines in parallel, and bring\n"
          "them back.\n\n");
  for (i = 0; i < VERB_COUNT; i++)
    if (verbs[i]->name != NULL)
      printf ("  %-12s %s\n", verbs[i]->name, verbs[i]->summary);
  printf ("\niopress VERB --help says more; see also iopress(1).\n");
}

/* A closed standard stream would let one of our files get its number, and
 * messages would land in it.  What stands in refuses what the stream is for.
 */
static void
fill_standard_streams (void)
{
  int fd;

  /* open takes the lowest number that is free. */
  for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl (fd, F_GETFD) < 0 &&
        open ("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
      return;
}

/* The verb called NAME, or that a program called so stands for; NULL: none. */
static const struct verb *
find_verb (const char *name, bool is_program)
{
  size_t i;

  for (i = 0; i < VERB_COUNT; i++) {
    const char *own = is_program ? verbs[i]->program : verbs[i]->name;

    if (own != NULL && strcmp (own, name) == 0)
      return verbs[i];
  }
  return NULL;
}

static const struct verb *
verb_of_program (const char *path)
{
  const char *slash = strrchr (path, '/');

  return find_verb (slash != NULL ? slash + 1 : path, true);
}

/* OPTION is what follows, or NULL. */
static int
version (const char *option, struct error *err)
{
  bool verbose = option != NULL &&
    (strcmp (option, "-v") == 0 || strcmp (option, "--verbose") == 0);

  if (option != NULL && !verbose)
    return error_set (err, ERROR_USAGE, 0, "--version takes -v alone, not "
                      "\"%s\"", option);
  printf ("iopress %s\n", PACKAGE_VERSION);
  if (verbose)
    confine_print_report ();
  return 0;
}

/* ARGUMENTS end with a NULL. */
static int
run_without_verb (char *const *arguments)
{
  const char *argument = arguments[0];
  struct error err = { 0 };

  if (argument == NULL)
    error_set (&err, ERROR_USAGE, 0, "no verb given");
  else if (strcmp (argument, "--help") == 0)
    help ();
  else if (strcmp (argument, "--version") == 0)
    version (arguments[1], &err);
  else
    error_set (&err, ERROR_USAGE, 0, "there is no verb \"%s\"", argument);
  if (err.kind == ERROR_USAGE)
    error_hint (&err, "see iopress --help");
  else if (say_end_report (&err) == 0)
    return 0;
  return say_error (&err);
}

int
main (int argc, char **argv)
{
  const struct verb *verb = argc > 0 ? verb_of_program (argv[0]) : NULL;
  const char *argument = argc > 1 ? argv[1] : NULL;

  if (verb == NULL && argument != NULL) {
    verb = find_verb (argument, false);
    argc--;
    argv++;
  }
  if (verb != NULL && verb->take_place != NULL)
    return verb->take_place (argc, argv);
  fill_standard_streams ();
  signals_catch ();
  return verb != NULL ? verb_run (verb, argc, argv)
    : run_without_verb (argument != NULL ? argv : argv + argc);
}
