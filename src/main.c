/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iopress: saves of virtual machines, compressed and in parallel. */

#include <config.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/say.h"
#include "cmd/signals.h"
#include "cmd/verbs.h"

struct verb {
  const char *name;
  int (*run) (int argc, char **argv);
  const char *summary;
};

static const struct verb verbs[] = {
  { "save", cmd_save, "compress a save file into an image" },
  { "restore", cmd_restore, "decompress an image into a sparse file" },
  { "info", cmd_info, "describe an image" },
  { "verify", cmd_verify, "check that an image is whole" },
  { "recover", cmd_recover, "salvage what a damaged image still holds" },
  { "expand", cmd_expand, "make an image its source again, in its place" },
  { "mount", cmd_mount, "show a folder of images as their sources" },
  { "plugins", cmd_plugins, "list the codecs" },
  { "iohelper", cmd_iohelper, "move a stream for libvirt" },
};

#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

static int
help (void)
{
  size_t i;

  printf ("Usage: iopress VERB [OPTION]... [ARGUMENT]...\n"
          "Compress the save files of virtual machines in parallel, and bring\n"
          "them back.\n\n");
  for (i = 0; i < VERB_COUNT; i++)
    printf ("  %-12s %s\n", verbs[i].name, verbs[i].summary);
  printf ("\niopress VERB --help says more; see also iopress(1).\n");
  return say_end_report ();
}

static int
unknown (const char *what)
{
  struct error err = { 0 };

  if (what == NULL)
    error_set (&err, ERROR_USAGE, 0, "no verb given");
  else
    error_set (&err, ERROR_USAGE, 0, "there is no verb \"%s\"", what);
  error_hint (&err, "see iopress --help");
  return say_error (&err);
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

/* Whether PROGRAM, a path, was started as NAME. */
static bool
is_called (const char *program, const char *name)
{
  const char *slash = strrchr (program, '/');

  return strcmp (slash != NULL ? slash + 1 : program, name) == 0;
}

int
main (int argc, char **argv)
{
  size_t i;

  /* In place of libvirt's helper, which finds streams and signals as its caller
   * left them.
   */
  if (argc > 0 && is_called (argv[0], "libvirt_iohelper"))
    return cmd_iohelper (argc, argv);
  if (argc > 1 && strcmp (argv[1], "iohelper") == 0)
    return cmd_iohelper (argc - 1, argv + 1);
  fill_standard_streams ();
  signals_catch ();
  if (argc > 0 && is_called (argv[0], "mount.iopress"))
    return cmd_mount_helper (argc, argv);
  if (argc < 2)
    return unknown (NULL);
  if (strcmp (argv[1], "--help") == 0)
    return help ();
  if (strcmp (argv[1], "--version") == 0) {
    printf ("iopress %s\n", PACKAGE_VERSION);
    return say_end_report ();
  }
  for (i = 0; i < VERB_COUNT; i++)
    if (strcmp (argv[1], verbs[i].name) == 0)
      return verbs[i].run (argc - 1, argv + 1);
  return unknown (argv[1]);
}
