/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another program, run as if it had been started in place of this one. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/program.h"
#include "cmd/say.h"
#include "cmd/signals.h"
#include "sandbox/core_dumps.h"

/* What this process has to change while the program runs. */
struct signal_state {
  sigset_t awaited;
  sigset_t mask;               /* as it was before */
  struct sigaction on_child;   /* as it was before */
};

/* From now on signals wait until they are asked for.  One that is ignored would
 * be kept, too, when it is blocked: it is left alone.
 */
static void
hold_signals (struct signal_state *state)
{
  static const int passed_on[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
  struct sigaction standard = { .sa_handler = SIG_DFL };
  size_t i;

  sigemptyset (&state->awaited);
  sigaddset (&state->awaited, SIGCHLD);
  for (i = 0; i < sizeof passed_on / sizeof passed_on[0]; i++) {
    struct sigaction action;

    if (sigaction (passed_on[i], NULL, &action) == 0 &&
        action.sa_handler != SIG_IGN)
      sigaddset (&state->awaited, passed_on[i]);
  }
  /* Where SIGCHLD is ignored there is no exit status. */
  sigaction (SIGCHLD, &standard, &state->on_child);
  sigprocmask (SIG_BLOCK, &state->awaited, &state->mask);
}

static void
release_signals (const struct signal_state *state)
{
  sigaction (SIGCHLD, &state->on_child, NULL);
  sigprocmask (SIG_SETMASK, &state->mask, NULL);
}

static int
prepare_descriptors (const struct program *program)
{
  if (program->empty_input) {
    int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);

    if (fd < 0 || dup2 (fd, STDIN_FILENO) < 0)
      return -1;
  }
  return fcntl (program->descriptor, F_SETFD, 0);
}

/* In the child.  Does not return. */
static void
execute (const struct program *program, const struct signal_state *state)
{
  struct error err = { 0 };
  int errnum;

  signals_restore ();
  release_signals (state);
  core_dumps_restore ();
  if (prepare_descriptors (program) == 0)
    execvp (program->arguments[0], program->arguments);
  errnum = errno;
  error_about (&err, ERROR_FAILED, errnum, program->arguments[0],
               "cannot be run");
  say_error (&err);
  _exit (errnum == ENOENT ? PROGRAM_NOT_FOUND : PROGRAM_NOT_EXECUTABLE);
}

/* A key that ends programs, or a terminal that closes, has sent the signal to
 * the whole process group.
 */
static bool
has_got (pid_t child, const siginfo_t *info)
{
  return info->si_code == SI_KERNEL && getpgid (child) == getpgrp ();
}

/* Returns the status as waitpid has it, or -1 with errno. */
static int
await (pid_t child, const sigset_t *awaited)
{
  siginfo_t info;
  int status;
  pid_t ended;

  while ((ended = waitpid (child, &status, WNOHANG)) == 0)
    if (sigwaitinfo (awaited, &info) > 0 && info.si_signo != SIGCHLD &&
        !has_got (child, &info))
      kill (child, info.si_signo);
  return ended < 0 ? -1 : status;
}

static int
start_and_await (const struct program *program,
                 const struct signal_state *state, struct error *err)
{
  int number = *signals_received ();
  int status;
  pid_t child;

  if (number != 0)
    return error_set (err, ERROR_CANCELLED, 0, "cancelled by signal %d",
                      number);
  child = fork ();
  if (child == 0)
    execute (program, state);
  status = child > 0 ? await (child, &state->awaited) : -1;
  if (status >= 0)
    return status;
  return error_about (err, ERROR_FAILED, errno, program->arguments[0],
                      "cannot be %s", child > 0 ? "waited for" : "started");
}

int
program_run (const struct program *program, int *status, struct error *err)
{
  struct signal_state state;
  int result;

  hold_signals (&state);
  result = start_and_await (program, &state, err);
  release_signals (&state);
  if (result < 0)
    return -1;
  *status = WIFSIGNALED (result) ? 128 + WTERMSIG (result)
    : WEXITSTATUS (result);
  return 0;
}
