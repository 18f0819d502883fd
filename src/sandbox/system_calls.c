/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which system calls the process as a whole may still make (seccomp(2)). */

#include <config.h>

#include <errno.h>
#include <linux/fs.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sandbox/memory_only.h"
#include "sandbox/system_calls.h"

/* libseccomp may be older than it. */
#define CACHESTAT 451

/* By name: what a processor, or this libseccomp, does not have is left out.  The
 * C library has several for many things, one for each of its ages.
 */
static const char *const always[] = {
  /* Memory. */
  "brk", "madvise", "membarrier", "mincore", "mlock", "mlock2", "mmap",
  "mprotect", "mremap", "munlock", "munmap",
  /* Threads, and their confinement. */
  "exit", "exit_group", "futex", "get_robust_list", "getcpu", "getpid",
  "getpriority", "gettid", "ioprio_get", "ioprio_set", "prctl", "rseq",
  "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_yield",
  "seccomp", "set_robust_list", "set_tid_address", "setpriority",
  /* Signals. */
  "pause", "restart_syscall", "rt_sigaction", "rt_sigpending",
  "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
  "sigaltstack",
  /* Time, waiting and what the machine is. */
  "clock_getres", "clock_gettime", "clock_nanosleep", "getrandom",
  "getrlimit", "gettimeofday", "nanosleep", "poll", "ppoll", "prlimit64",
  "pselect6", "select", "sysinfo", "time", "uname",
  "getegid", "geteuid", "getgid", "getppid", "getuid",
  /* Looking at files. */
  "access", "close", "close_range", "dup", "dup2", "dup3", "faccessat",
  "faccessat2", "fcntl", "fgetxattr", "flistxattr", "fstat", "fstatfs",
  "getcwd", "getdents64", "getxattr", "lgetxattr", "listxattr", "lseek",
  "lstat", "newfstatat", "open", "openat", "openat2", "pipe", "pipe2",
  "quotactl_fd", "readlink", "readlinkat", "stat", "statfs", "statx", "umask",
  /* Data. */
  "fadvise64", "pread64", "preadv", "preadv2", "read", "readahead", "readv",
  "write", "writev",
  "io_cancel", "io_destroy", "io_getevents", "io_pgetevents", "io_setup",
  "io_submit",
  /* More confinement. */
  "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self",
  NULL
};

static const char *const writing[] = {
  "copy_file_range", "fallocate", "fdatasync", "flock", "fsync", "ftruncate",
  "pwrite64", "pwritev", "pwritev2", "sync_file_range", "syncfs", NULL
};

static const char *const naming[] = {
  "fchmod", "link", "linkat", "rename", "renameat", "renameat2", "unlink",
  "unlinkat", "utimensat", NULL
};

static const char *const replacing[] = {
  "fchown", "fremovexattr", "fsetxattr", NULL
};

/* What each of the enum has of them. */
static const char *const *const lists[][4] = {
  [PRIVILEGES_COPY] = { always, writing },
  [PRIVILEGES_READ] = { always },
  [PRIVILEGES_WRITE] = { always, writing, naming },
  [PRIVILEGES_REPLACE] = { always, writing, naming, replacing },
};

/* Nothing is put into the input of a terminal, for one. */
static const unsigned long requests[] = {
  BLKGETSIZE64, FICLONERANGE, FIGETBSZ, TCGETS, TIOCGWINSZ,
};

static int
allow_names (scmp_filter_ctx filter, const char *const *names)
{
  int result = 0;

  for (; *names != NULL && result == 0; names++) {
    int number = seccomp_syscall_resolve_name (*names);

    if (number >= 0)
      result = seccomp_rule_add (filter, SCMP_ACT_ALLOW, number, 0);
  }
  return result;
}

/* Threads, but no processes or namespaces.  The C library turns to clone when
 * there is no clone3, whose flags a filter does not see.
 */
static int
allow_some (scmp_filter_ctx filter)
{
  const struct scmp_arg_cmp thread =
    SCMP_A0 (SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM,
             CLONE_THREAD | CLONE_VM);
  const struct scmp_arg_cmp own =
    SCMP_A0 (SCMP_CMP_EQ, (uint64_t) getpid (), 0);
  int result = seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (clone), 1,
                                 thread);
  size_t i;

  if (result == 0)
    result = seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (tgkill), 1,
                               own);
  for (i = 0; i < sizeof requests / sizeof requests[0] && result == 0; i++)
    result = seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (ioctl), 1,
                               SCMP_A1 (SCMP_CMP_MASKED_EQ, UINT32_MAX,
                                        requests[i]));
  return result;
}

static int
allow (scmp_filter_ctx filter, enum privileges kept)
{
  int result = seccomp_rule_add (filter, SCMP_ACT_ALLOW, CACHESTAT, 0);
  size_t i;

  if (result == 0)
    result = allow_some (filter);
  for (i = 0; i < 4 && lists[kept][i] != NULL && result == 0; i++)
    result = allow_names (filter, lists[kept][i]);
  return result;
}

/* As in memory_only.c: not slowed down for interpreters' sake, where the kernel
 * can do without.
 */
static int
load (scmp_filter_ctx filter)
{
  seccomp_attr_set (filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
  if (seccomp_attr_set (filter, SCMP_FLTATR_CTL_SSB, 1) == 0 &&
      seccomp_load (filter) == 0)
    return 0;
  seccomp_attr_set (filter, SCMP_FLTATR_CTL_SSB, 0);
  return seccomp_load (filter);
}

int
system_calls_keep (enum privileges kept, struct error *err)
{
  scmp_filter_ctx filter;
  int result = -ENOMEM;

  if (memory_only_available (err) < 0)
    return -1;
  filter = seccomp_init (SCMP_ACT_ERRNO (ENOSYS));
  if (filter != NULL && (result = allow (filter, kept)) == 0)
    result = load (filter);
  seccomp_release (filter);
  return result == 0 ? 0
    : error_set (err, ERROR_FAILED, -result, "cannot limit system calls");
}
