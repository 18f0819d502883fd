/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests of src/sandbox/landlock.c: each in a process of its own, with every
 * version that the kernel has.
 */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sandbox/landlock.h"

/* The first versions that know of these. */
#define WITH_TRUNCATE 3

static int version;

/* In the test's folder: a file, a folder with a file, and the same outside. */
static int folder, inside, outside, file;

static int
create (int parent, const char *name)
{
  return openat (parent, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

static int
set_up (void **state)
{
  static char path[] = "landlock.XXXXXX";

  *state = path;
  if (mkdtemp (path) == NULL)
    return -1;
  folder = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (mkdirat (folder, "inside", 0700) < 0 ||
      mkdirat (folder, "outside", 0700) < 0)
    return -1;
  inside = openat (folder, "inside", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  outside = openat (folder, "outside", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  file = create (folder, "file");
  return create (inside, "old") < 0 || create (outside, "old") < 0 ||
    file < 0 ? -1 : 0;
}

static int
tear_down (void **state)
{
  unlinkat (inside, "old", 0);
  unlinkat (outside, "old", 0);
  unlinkat (folder, "file", 0);
  unlinkat (folder, "inside", AT_REMOVEDIR);
  unlinkat (folder, "outside", AT_REMOVEDIR);
  return rmdir (*state);
}

/* Run TRY, which returns the line of what did not hold or 0, with versions from
 * FIRST on.
 */
static void
try (int (*attempt) (void), int first)
{
  struct error err = { 0 };
  int newest = landlock_version (&err);
  int status;
  pid_t child;

  if (newest < first) {
    print_message ("%s\n", newest < 0 ? err.what : "Landlock is too old");
    skip ();
  }
  for (version = first; version <= newest; version++) {
    child = fork ();
    if (child == 0)
      _exit (attempt ());
    assert_int_equal (waitpid (child, &status, 0), child);
    if (status != 0)
      print_error ("version %d\n", version);
    assert_true (WIFEXITED (status));
    assert_int_equal (WEXITSTATUS (status), 0);
  }
}

static bool
enter (const struct landlock_rule *rules, size_t count)
{
  struct error err = { 0 };

  return landlock_enter (version, rules, count, &err) == 0;
}

/* What was not open is denied. */
static bool
denied (int result)
{
  return result < 0 && (errno == EACCES || errno == EXDEV);
}

static int
again (int fd, int flags)
{
  char link[64];

  snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
  return open (link, flags | O_CLOEXEC);
}

#define HOLDS(condition) \
  do { if (!(condition)) return __LINE__ & 127; } while (0)

static int
attempt_nothing (void)
{
  int ends[2];

  HOLDS (pipe (ends) == 0);
  HOLDS (enter (NULL, 0));
  HOLDS (denied (openat (inside, "old", O_RDONLY)));
  HOLDS (denied (create (inside, "new")));
  HOLDS (denied (again (file, O_RDONLY)));
  HOLDS (denied (again (file, O_RDWR)));
  HOLDS (denied (unlinkat (inside, "old", 0)));
  HOLDS (denied (execl ("/bin/true", "true", NULL)));
  HOLDS (denied (mkfifoat (inside, "fifo", 0600)));
  /* What is open is as it was, and may be looked at. */
  HOLDS (write (file, "text", 4) == 4);
  HOLDS (ftruncate (file, 0) == 0);
  HOLDS (faccessat (inside, "old", F_OK, 0) == 0);
  HOLDS (openat (inside, "old", O_PATH | O_CLOEXEC) >= 0);
  HOLDS (again (ends[0], O_RDONLY) >= 0);
  return 0;
}

static int
attempt_read (void)
{
  const struct landlock_rule rules[] = {
    { -1, LANDLOCK_UPDATE },
    { inside, LANDLOCK_READ },
    { file, LANDLOCK_READ },
  };

  HOLDS (enter (rules, 3));
  HOLDS (openat (inside, "old", O_RDONLY) >= 0);
  HOLDS (openat (inside, ".", O_RDONLY | O_DIRECTORY) >= 0);
  HOLDS (again (file, O_RDONLY) >= 0);
  HOLDS (denied (openat (inside, "old", O_RDWR)));
  HOLDS (denied (again (file, O_WRONLY)));
  HOLDS (denied (openat (outside, "old", O_RDONLY)));
  HOLDS (denied (create (inside, "new")));
  return 0;
}

static int
attempt_update (void)
{
  const struct landlock_rule rule = { file, LANDLOCK_UPDATE };

  HOLDS (enter (&rule, 1));
  HOLDS (again (file, O_RDWR | O_TRUNC) >= 0);
  HOLDS (denied (openat (inside, "old", O_RDONLY)));
  HOLDS (denied (unlinkat (folder, "file", 0)));
  return 0;
}

/* The steps of a draft. */
static int
attempt_names (void)
{
  const struct landlock_rule rules[] = {
    { inside, LANDLOCK_NAMES },
    { outside, LANDLOCK_READ },
  };
  int fd;

  HOLDS (enter (rules, 2));
  fd = create (inside, "new");
  HOLDS (fd >= 0 && ftruncate (fd, 4096) == 0);
  HOLDS (linkat (inside, "new", inside, "third", 0) == 0);
  HOLDS (unlinkat (inside, "new", 0) == 0);
  HOLDS (renameat2 (inside, "third", inside, "old", RENAME_EXCHANGE) == 0);
  HOLDS (renameat (inside, "third", inside, "old") == 0);
  HOLDS (openat (inside, "old", O_RDWR | O_TRUNC) >= 0);
  HOLDS (denied (symlinkat ("old", inside, "link")));
  HOLDS (denied (mkdirat (inside, "folder", 0700)));
  HOLDS (denied (linkat (inside, "old", outside, "new", 0)));
  HOLDS (denied (linkat (outside, "old", inside, "new", 0)));
  HOLDS (denied (create (outside, "new")));
  HOLDS (denied (unlinkat (outside, "old", 0)));
  return 0;
}

static int
attempt_truncate (void)
{
  HOLDS (enter (NULL, 0));
  HOLDS (fchdir (outside) == 0);
  HOLDS (denied (truncate ("old", 0)));
  return 0;
}

/* It cannot be taken back, only added to. */
static int
attempt_twice (void)
{
  const struct landlock_rule rules[] = {
    { inside, LANDLOCK_NAMES },
    { outside, LANDLOCK_READ },
  };

  HOLDS (enter (rules, 2));
  HOLDS (enter (rules + 1, 1));
  HOLDS (openat (outside, "old", O_RDONLY) >= 0);
  HOLDS (denied (openat (inside, "old", O_RDONLY)));
  HOLDS (enter (rules, 2));
  HOLDS (denied (openat (inside, "old", O_RDONLY)));
  return 0;
}

static void
test_nothing (void **state)
{
  (void) state;
  try (attempt_nothing, 1);
}

static void
test_read (void **state)
{
  (void) state;
  try (attempt_read, 1);
}

static void
test_update (void **state)
{
  (void) state;
  try (attempt_update, 1);
}

static void
test_names (void **state)
{
  (void) state;
  try (attempt_names, 1);
}

static void
test_truncate (void **state)
{
  (void) state;
  try (attempt_truncate, WITH_TRUNCATE);
}

static void
test_twice (void **state)
{
  (void) state;
  try (attempt_twice, 1);
}

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_nothing),
    cmocka_unit_test (test_read),
    cmocka_unit_test (test_update),
    cmocka_unit_test (test_names),
    cmocka_unit_test (test_truncate),
    cmocka_unit_test (test_twice),
  };

  return cmocka_run_group_tests (tests, set_up, tear_down);
}
