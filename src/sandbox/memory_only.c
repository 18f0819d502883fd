/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads that get memory, and nothing else of the kernel. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "sandbox/memory_only.h"

/* Where a signal handler finds the result of the system call, and its second
 * argument.
 */
#if defined __x86_64__
# define RESULT_REGISTER uc_mcontext.gregs[REG_RAX]
# define SECOND_REGISTER uc_mcontext.gregs[REG_RSI]
#elif defined __aarch64__
# define RESULT_REGISTER uc_mcontext.regs[0]
# define SECOND_REGISTER uc_mcontext.regs[1]
#elif defined __riscv
# define RESULT_REGISTER uc_mcontext.__gregs[REG_A0]
# define SECOND_REGISTER uc_mcontext.__gregs[REG_A0 + 1]
#endif

/* Their runtimes have threads and system calls of their own. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
# define SANITIZED 1
#elif defined __has_feature
# if __has_feature (address_sanitizer) || __has_feature (thread_sanitizer)
#  define SANITIZED 1
# endif
#endif

/* The first version of libseccomp's interface that needs seccomp(2). */
#define API_WITH_SECCOMP 2u

#define NONE (-1)

/* Not allowed: while SIGSYS is blocked a denied call would end the process.
 * The C library blocks it before calls that tell more, such as clone(2).
 */
#define SIGNALS_BLOCKED SCMP_SYS (rt_sigprocmask)

static _Thread_local volatile sig_atomic_t denied = NONE;
static pthread_once_t handled = PTHREAD_ONCE_INIT;
static int handling_errno;

#if defined RESULT_REGISTER && !defined SANITIZED

/* What malloc and free of the C library look at, once: they get along without,
 * and no codec can help it.
 */
static bool
is_of_malloc (const siginfo_t *info, const ucontext_t *interrupted)
{
  static const char *const paths[] = {
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu/online",
    "/sys/devices/system/cpu/possible",
    "/proc/stat",
  };
  const char *path = (const char *) interrupted->SECOND_REGISTER;
  size_t i;

  if (info->si_syscall != SCMP_SYS (openat))
    return false;
  for (i = 0; i < sizeof paths / sizeof paths[0]; i++)
    if (strcmp (path, paths[i]) == 0)
      return true;
  return false;
}

static void
deny (int signal, siginfo_t *info, void *context)
{
  ucontext_t *interrupted = context;

  (void) signal;
  if ((denied == NONE || denied == SIGNALS_BLOCKED) &&
      !is_of_malloc (info, interrupted))
    denied = info->si_syscall;
  interrupted->RESULT_REGISTER = -EPERM;
}

int
memory_only_available (struct error *err)
{
  if (seccomp_api_get () < API_WITH_SECCOMP)
    return error_set (err, ERROR_FAILED, 0, "this kernel has no seccomp(2)");
  return 0;
}

#else

static void
deny (int signal, siginfo_t *info, void *context)
{
  (void) signal;
  (void) info;
  (void) context;
}

int
memory_only_available (struct error *err)
{
  return error_set (err, ERROR_FAILED, 0, "this build cannot confine threads");
}

#endif

static void
handle (void)
{
  struct sigaction action = {
    .sa_sigaction = deny,
    .sa_flags = SA_SIGINFO | SA_NODEFER,
  };

  sigemptyset (&action.sa_mask);
  handling_errno = sigaction (SIGSYS, &action, NULL) < 0 ? errno : 0;
}

/* What needs no more than its number. */
static const int always[] = {
  SCMP_SYS (brk),
  SCMP_SYS (clock_gettime),
  SCMP_SYS (clock_nanosleep),
  SCMP_SYS (exit),
  SCMP_SYS (futex),
  SCMP_SYS (getrandom),
  SCMP_SYS (gettimeofday),
  SCMP_SYS (madvise),
  SCMP_SYS (mremap),
  SCMP_SYS (munmap),
  SCMP_SYS (nanosleep),
  SCMP_SYS (restart_syscall),
  SCMP_SYS (rseq),
  SCMP_SYS (rt_sigreturn),
  SCMP_SYS (sched_getaffinity),
  SCMP_SYS (sched_yield),
  SCMP_SYS (set_robust_list),
};

static int
allow (scmp_filter_ctx filter, int read_fd)
{
  const struct scmp_arg_cmp not_executable =
    SCMP_A2 (SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
  const struct scmp_arg_cmp anonymous =
    SCMP_A3 (SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS);
  const struct scmp_arg_cmp read_there = {
    .arg = 0, .op = SCMP_CMP_EQ, .datum_a = (uint32_t) read_fd, .datum_b = 0,
  };
  int result = 0;
  size_t i;

  for (i = 0; i < sizeof always / sizeof always[0] && result == 0; i++)
    result = seccomp_rule_add (filter, SCMP_ACT_ALLOW, always[i], 0);
  if (result == 0)
    result = seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (mprotect), 1,
                               not_executable);
  if (result == 0)
    result = seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (mmap), 2,
                               not_executable, anonymous);
  if (result == 0 && read_fd >= 0)
    result = seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (pread64), 1,
                               read_there);
  return result;
}

/* Compile FILTER and read what came of it.  It fits in a pipe, which needs no
 * right to write files.  Returns 0 or a negative errno.
 */
static int
compile (scmp_filter_ctx filter, struct memory_only *confinement)
{
  int ends[2], result;
  ssize_t bytes;

  if (pipe2 (ends, O_CLOEXEC | O_NONBLOCK) < 0)
    return -errno;
  result = seccomp_export_bpf (filter, ends[1]);
  bytes = read (ends[0], confinement->code, sizeof confinement->code);
  close (ends[0]);
  close (ends[1]);
  if (result < 0)
    return result;
  if (bytes <= 0 || (size_t) bytes == sizeof confinement->code)
    return -EFBIG;
  confinement->program.filter = confinement->code;
  confinement->program.len =
    (unsigned short) ((size_t) bytes / sizeof confinement->code[0]);
  return 0;
}

int
memory_only_prepare (int read_fd, struct memory_only *confinement,
                     struct error *err)
{
  scmp_filter_ctx filter;
  int result;

  if (memory_only_available (err) < 0)
    return -1;
  pthread_once (&handled, handle);
  filter = seccomp_init (SCMP_ACT_TRAP);
  if (filter == NULL)
    result = -ENOMEM;
  else if ((result = allow (filter, read_fd)) == 0)
    result = compile (filter, confinement);
  seccomp_release (filter);
  if (result == 0)
    result = -handling_errno;
  return result == 0 ? 0
    : error_set (err, ERROR_FAILED, -result, "cannot confine threads");
}

/* No code of ours or of a codec needs the slow protection for interpreters that
 * kernels before 5.16 give to confined threads; those before 4.17 do not know.
 */
static int
load (const struct sock_fprog *program)
{
  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return -1;
  return syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                  SECCOMP_FILTER_FLAG_SPEC_ALLOW, program) == 0 ||
    syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program) == 0 ? 0 : -1;
}

int
memory_only_enter (const struct memory_only *confinement, struct error *err)
{
  sigset_t signals;

  sigemptyset (&signals);
  sigaddset (&signals, SIGSYS);
  pthread_sigmask (SIG_UNBLOCK, &signals, NULL);
  if (load (&confinement->program) < 0)
    return error_set (err, ERROR_FAILED, errno, "cannot confine a thread");
  return 0;
}

const char *
memory_only_denied (void)
{
  static _Thread_local char name[64];
  int call = denied;
  char *known;

  if (call == NONE)
    return NULL;
  denied = NONE;
  known = seccomp_syscall_resolve_num_arch (SCMP_ARCH_NATIVE, call);
  if (known != NULL)
    snprintf (name, sizeof name, "%s", known);
  else
    snprintf (name, sizeof name, "system call %d", call);
  free (known);
  return name;
}
