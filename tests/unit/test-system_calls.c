/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests of src/sandbox/system_calls.c, each in a process of its own. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sandbox/memory_only.h"
#include "sandbox/system_calls.h"

static enum privileges kept;

/* Run ATTEMPT, which returns the line of what did not hold or 0, with WHAT kept.
 */
static void
try (int (*attempt) (void), enum privileges what)
{
  struct error err = { 0 };
  int status;
  pid_t child;

  if (memory_only_available (&err) < 0) {
    print_message ("%s\n", err.what);
    skip ();
  }
  kept = what;
  child = fork ();
  if (child == 0)
    _exit (attempt ());
  assert_int_equal (waitpid (child, &status, 0), child);
  assert_true (WIFEXITED (status));
  assert_int_equal (WEXITSTATUS (status), 0);
}

static bool
enter (void)
{
  struct error err = { 0 };

  return system_calls_keep (kept, &err) == 0;
}

static bool
denied (long result)
{
  return result < 0 && errno == ENOSYS;
}

#define HOLDS(condition) \
  do { if (!(condition)) return __LINE__ & 127; } while (0)

static void *
confine (void *opaque)
{
  const struct memory_only *confinement = opaque;
  struct error err = { 0 };

  if (memory_only_enter (confinement, &err) < 0)
    return NULL;
  return getpid () < 0 && memory_only_denied () != NULL ? opaque : NULL;
}

/* Nothing that leads out of the process, whatever is kept. */
static int
attempt_escape (void)
{
  HOLDS (enter ());
  HOLDS (denied (socket (AF_UNIX, SOCK_STREAM, 0)));
  HOLDS (denied (execl ("/bin/true", "true", NULL)));
  HOLDS (denied (syscall (SYS_execveat, AT_FDCWD, "/bin/true", NULL, NULL, 0)));
  HOLDS (denied (fork ()));
  HOLDS (denied (syscall (SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)));
  HOLDS (denied (unshare (CLONE_NEWUSER)));
  HOLDS (denied (ptrace (PTRACE_TRACEME, 0, NULL, NULL)));
  HOLDS (denied (kill (getppid (), 0)));
  HOLDS (denied (mount ("none", "/", NULL, MS_REMOUNT, NULL)));
  HOLDS (denied (mkdir ("folder", 0700)));
  HOLDS (denied (symlink ("a", "b")));
  HOLDS (denied (ioctl (STDIN_FILENO, TIOCSTI, "x")));
  HOLDS (denied (syscall (SYS_setuid, 0)));
  HOLDS (denied (syscall (SYS_io_uring_setup, 1, NULL)));
  return 0;
}

/* Threads can be started then, and confined further. */
static int
attempt_threads (void)
{
  struct memory_only confinement;
  struct error err = { 0 };
  pthread_t thread;
  void *result;

  HOLDS (enter ());
  HOLDS (memory_only_prepare (-1, &confinement, &err) == 0);
  HOLDS (pthread_create (&thread, NULL, confine, &confinement) == 0);
  HOLDS (pthread_join (thread, &result) == 0);
  HOLDS (result == &confinement);
  HOLDS (getpid () > 0);
  return 0;
}

static char path[] = "system_calls.XXXXXX";

/* Whether a file can be changed, named and given away. */
static int
attempt_changes (void)
{
  bool writes = kept != PRIVILEGES_READ;
  bool names = writes && kept != PRIVILEGES_COPY;
  int fd = open (path, O_RDWR | O_CLOEXEC);

  HOLDS (fd >= 0 && enter ());
  HOLDS ((ftruncate (fd, 1) == 0) == writes);
  HOLDS ((fdatasync (fd) == 0) == writes);
  HOLDS ((fchmod (fd, 0600) == 0) == names);
  HOLDS ((rename (path, path) == 0) == names);
  HOLDS ((fchown (fd, geteuid (), getegid ()) == 0) ==
         (kept == PRIVILEGES_REPLACE));
  return 0;
}

static int
set_up (void **state)
{
  int fd = mkstemp (path);

  (void) state;
  return fd < 0 || close (fd) < 0 ? -1 : 0;
}

static int
tear_down (void **state)
{
  (void) state;
  return unlink (path);
}

static void
test_escape (void **state)
{
  (void) state;
  try (attempt_escape, PRIVILEGES_COPY);
  try (attempt_escape, PRIVILEGES_READ);
  try (attempt_escape, PRIVILEGES_WRITE);
  try (attempt_escape, PRIVILEGES_REPLACE);
}

static void
test_threads (void **state)
{
  (void) state;
  try (attempt_threads, PRIVILEGES_READ);
  try (attempt_threads, PRIVILEGES_REPLACE);
}

static void
test_changes (void **state)
{
  (void) state;
  try (attempt_changes, PRIVILEGES_COPY);
  try (attempt_changes, PRIVILEGES_READ);
  try (attempt_changes, PRIVILEGES_WRITE);
  try (attempt_changes, PRIVILEGES_REPLACE);
}

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_escape),
    cmocka_unit_test (test_threads),
    cmocka_unit_test (test_changes),
  };

  return cmocka_run_group_tests (tests, set_up, tear_down);
}
