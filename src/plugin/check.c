/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Conformance checks of a codec plugin: which there are, and the child in which
 * each runs.
 */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_private.h"
#include "plugin/check.h"

/* Of a check as a whole. */
#define PROCESSOR_SECONDS 300u
#define MEMORY_BYTES ((rlim_t) 4 << 30)

static const struct known_check {
  const char *name;
  const char *meaning;
  void (*run) (struct check_run *run);
} checks[] = {
  { "load", "the plugin loads, and its struct is in order", NULL },
  { "values", "version, levels and bound make sense", check_values },
  { "parameters", "parameters are as described", check_parameters },
  { "round-trips", "every length of every content comes back",
    check_round_trips },
  { "levels", "every level works, and every context reads it",
    check_levels },
  { "large", "the largest chunk works, at every level", check_large },
  { "incompressible", "random bytes fit in what bound says",
    check_incompressible },
  { "exact-room", "no byte is written beyond the room", check_exact_room },
  { "no-room", "too little room is told, and does no harm", check_no_room },
  { "repeats", "the same input gives the same frame", check_repeats },
  { "contexts", "contexts do not disturb each other", check_contexts },
  { "threads", "threads do not disturb each other", check_threads },
  { "confined", "it works where it gets nothing but memory",
    check_confined },
  { "set-level", "a level is the same however it was set", check_levels_set },
  { "is-frame", "frames are known, and only they", check_is_frame },
  { "errors", "what failed is told in a line", check_errors },
  { "truncated", "a frame that ends early is an error", check_truncated },
  { "lengths", "a frame of another length is an error", check_lengths },
  { "damaged", "a damaged frame does no harm", check_damaged },
  { "garbage", "what is no frame does no harm", check_garbage },
  { "leaks", "memory is given back", check_leaks },
  { "process", "the process is left as it was", check_process },
  { "memory", "a context takes no more memory than it should",
    check_memory },
  { "speed", "it is not slower than it should be", check_speed },
};

#define CHECKS (sizeof checks / sizeof checks[0])

unsigned int
plugin_check_count (void)
{
  return CHECKS;
}

/* A codec is given memory and time, nothing else. */
static void
confine (void)
{
  static const struct rlimit nothing = { 0, 0 };
  static const struct rlimit seconds = {
    PROCESSOR_SECONDS, PROCESSOR_SECONDS
  };
  int number;
#ifndef SANITIZED
  static const struct rlimit memory = { MEMORY_BYTES, MEMORY_BYTES };

  setrlimit (RLIMIT_AS, &memory);
#endif

  setpgid (0, 0);
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  prctl (PR_SET_DUMPABLE, 0);
  prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  setrlimit (RLIMIT_CORE, &nothing);
  setrlimit (RLIMIT_FSIZE, &nothing);
  setrlimit (RLIMIT_CPU, &seconds);
  for (number = 1; number < NSIG; number++)
    signal (number, SIG_DFL);
}

/* Its standard streams are this pipe's end, and nothing. */
static void
redirect (int output)
{
  int nothing = open ("/dev/null", O_RDONLY);

  dup2 (nothing, STDIN_FILENO);
  dup2 (output, STDOUT_FILENO);
  dup2 (output, STDERR_FILENO);
  if (nothing > STDERR_FILENO)
    close (nothing);
}

static void __attribute__ ((noreturn))
run_in_child (const struct plugin_check *check,
              const struct known_check *known, struct check_note *note,
              int output)
{
  struct check_run run = {
    .reference_folder = check->reference_folder,
    .note = note,
  };
  struct codec *codec = NULL;
  struct error err = { 0 };
  char text[sizeof note->text];

  confine ();
  redirect (output);
  content_use_pages (check->pages, check->pages_bytes);
  check_process_remember ();
  check_begin (&run, 0, "a constructor or iopress_codec_entry");
  if (codec_load (check->folder, check->name, &codec, &err) < 0) {
    error_format (&err, text, sizeof text);
    check_fail (&run, "%s", text);
  }
  check_end (&run);
  run.codec = codec;
  run.ops = &codec->ops;
  if (known->run != NULL)
    known->run (&run);
  check_begin (&run, 0, "a destructor");
  codec_unload (codec);
  note->finished = true;
  /* What the plugin has printed may wait in a buffer of its C library. */
  fflush (NULL);
  _exit (0);
}

/* The begin of what a plugin has printed. */
static void
read_output (int fd, char *text, size_t size)
{
  ssize_t got = read (fd, text, size - 1);
  size_t used = got > 0 ? (size_t) got : 0;

  text[used] = '\0';
  for (; used > 0; used--)
    if (text[used - 1] < ' ' || text[used - 1] > '~')
      text[used - 1] = '?';
}

/* Wait until the child has ended, and end what it has started. */
static int
wait_for (const struct plugin_check *check, pid_t child)
{
  int status = 0;

  while (waitpid (child, &status, 0) < 0 && errno == EINTR)
    if (*check->cancelled != 0)
      kill (child, SIGKILL);
  kill (-child, SIGKILL);
  return status;
}

/* How the child ended, where that was not as it should. */
static void
explain_end (int status, struct check_note *note)
{
  int number = WIFSIGNALED (status) ? WTERMSIG (status) : 0;
  const char *where = note->inside ? "in" : "after";

  if (number == SIGPROF || number == SIGALRM || number == SIGXCPU)
    snprintf (note->text, sizeof note->text, "it hangs %s %s", where,
              note->call);
  else if (number != 0)
    snprintf (note->text, sizeof note->text, "it crashed %s %s: %s%s", where,
              note->call, strsignal (number), note->inside ? ""
              : ", as with memory that it has damaged");
  else
    snprintf (note->text, sizeof note->text,
              "it ended the process %s %s, with exit status %d", where,
              note->call, WEXITSTATUS (status));
}

static enum check_outcome
outcome_of (int status, const char *printed, struct check_note *note)
{
  bool ended = WIFEXITED (status);

  if (ended && WEXITSTATUS (status) == CHECK_EXIT_FAILS &&
      note->text[0] != '\0')
    return CHECK_FAILS;
  if (ended && WEXITSTATUS (status) == CHECK_EXIT_SKIPPED &&
      note->text[0] != '\0')
    return CHECK_SKIPPED;
  if (!ended || WEXITSTATUS (status) != 0 || !note->finished) {
    explain_end (status, note);
    return CHECK_FAILS;
  }
  if (printed[0] == '\0')
    return CHECK_HOLDS;
  snprintf (note->text, sizeof note->text, "it prints \"%.100s\"", printed);
  return CHECK_FAILS;
}

/* Returns an enum check_outcome, or -1 with ERR. */
static int
run_check (const struct plugin_check *check, const struct known_check *known,
           struct check_note *note, struct error *err)
{
  char printed[128];
  int pipes[2], status;
  pid_t child;

  memset (note, 0, sizeof *note);
  /* Nobody reads while it runs: what does not fit is of no interest. */
  if (pipe2 (pipes, O_CLOEXEC | O_NONBLOCK) < 0)
    return error_set (err, ERROR_FAILED, errno, "cannot make a pipe");
  fflush (NULL);
  child = fork ();
  if (child == 0)
    run_in_child (check, known, note, pipes[1]);
  close (pipes[1]);
  if (child < 0) {
    error_set (err, ERROR_FAILED, errno, "cannot make a process");
    close (pipes[0]);
    return -1;
  }
  status = wait_for (check, child);
  read_output (pipes[0], printed, sizeof printed);
  close (pipes[0]);
  if (*check->cancelled != 0)
    return error_set (err, ERROR_CANCELLED, 0, "cancelled");
  return (int) outcome_of (status, printed, note);
}

static int
run_all (const struct plugin_check *check, struct check_note *note,
         struct error *err)
{
  struct check_result result;
  int outcome, failed = 0;
  size_t i;

  for (i = 0; i < CHECKS; i++) {
    if (check->only != NULL && strcmp (check->only, checks[i].name) != 0)
      continue;
    outcome = run_check (check, &checks[i], note, err);
    if (outcome < 0)
      return -1;
    result = (struct check_result) {
      .name = checks[i].name,
      .meaning = checks[i].meaning,
      .outcome = (enum check_outcome) outcome,
      .text = note->text,
    };
    check->report (check->opaque, &result);
    failed += outcome == CHECK_FAILS;
    if (failed > 0 && i == 0)
      break;
  }
  return failed;
}

static int
find_only (const char *only, struct error *err)
{
  size_t i;

  for (i = 0; i < CHECKS; i++)
    if (only == NULL || strcmp (only, checks[i].name) == 0)
      return 0;
  return error_set (err, ERROR_USAGE, 0, "there is no check \"%s\"", only);
}

int
plugin_check_run (const struct plugin_check *check, struct error *err)
{
  struct check_note *note;
  int failed;

  if (find_only (check->only, err) < 0)
    return -1;
  note = mmap (NULL, sizeof *note, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (note == MAP_FAILED)
    return error_set (err, ERROR_FAILED, errno, "cannot check a plugin");
  failed = run_all (check, note, err);
  munmap (note, sizeof *note);
  return failed;
}
