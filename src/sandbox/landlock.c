/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which files the process may still open, create and rename (landlock(7)). */

#include <config.h>

#include <errno.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/landlock.h"
#include "util/cleanup.h"

/* The headers may be older than the kernel: these are its numbers, the same for
 * all processors but one.
 */
#ifdef __alpha__
# define CREATE_RULESET 554
#else
# define CREATE_RULESET 444
#endif
#define ADD_RULE (CREATE_RULESET + 1)
#define RESTRICT_SELF (CREATE_RULESET + 2)

#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH 1

#define EXECUTE (1ull << 0)
#define WRITE_FILE (1ull << 1)
#define READ_FILE (1ull << 2)
#define READ_DIR (1ull << 3)
#define REMOVE_FILE (1ull << 5)
#define MAKE_REG (1ull << 8)
#define MAKE_SYM (1ull << 12)
#define REFER (1ull << 13)
#define TRUNCATE (1ull << 14)
#define IOCTL_DEV (1ull << 15)

/* What makes sense for something that is no folder. */
#define OF_FILES (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV)

struct ruleset {
  uint64_t files;
  uint64_t network;
  uint64_t scoped;
};

struct path_beneath {
  uint64_t allowed;
  int32_t parent;
} __attribute__ ((packed));

/* What each version brought. */
static const struct {
  int version;
  size_t bytes;                /* of struct ruleset */
  struct ruleset handled;
} versions[] = {
  { 1, 8, { .files = (MAKE_SYM << 1) - 1 } },
  { 2, 8, { .files = REFER } },
  { 3, 8, { .files = TRUNCATE } },
  { 4, 16, { .network = 3 } }, /* to bind and to connect, TCP */
  { 5, 16, { .files = IOCTL_DEV } },
  { 6, 24, { .scoped = 3 } },  /* abstract sockets, signals */
};

/* Returns its size. */
static size_t
fill_ruleset (int version, struct ruleset *ruleset)
{
  size_t bytes = 0, i;

  *ruleset = (struct ruleset) { 0 };
  for (i = 0; i < sizeof versions / sizeof versions[0]; i++)
    if (versions[i].version <= version) {
      ruleset->files |= versions[i].handled.files;
      ruleset->network |= versions[i].handled.network;
      ruleset->scoped |= versions[i].handled.scoped;
      bytes = versions[i].bytes;
    }
  return bytes;
}

static uint64_t
rights_of (enum landlock_access access)
{
  static const uint64_t rights[] = {
    [LANDLOCK_READ] = READ_FILE | READ_DIR | IOCTL_DEV,
    [LANDLOCK_UPDATE] =
      READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | IOCTL_DEV,
    [LANDLOCK_NAMES] =
      READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | REMOVE_FILE | MAKE_REG,
  };

  return rights[access];
}

#ifndef SANITIZED

int
landlock_version (struct error *err)
{
  long version = syscall (CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);

  return version > 0 ? (int) version
    : error_set (err, ERROR_FAILED, 0, "this kernel has no Landlock");
}

#else

/* The runtime of a sanitizer opens files of its own. */
int
landlock_version (struct error *err)
{
  return error_set (err, ERROR_FAILED, 0, "this build cannot use Landlock");
}

#endif

/* What has no path, in no mounted file system, is beyond all rules. */
static int
add_rule (int ruleset, uint64_t handled, const struct landlock_rule *rule)
{
  struct path_beneath beneath = { .parent = rule->fd };
  struct stat st;

  if (rule->fd < 0)
    return 0;
  if (fstat (rule->fd, &st) < 0)
    return -1;
  beneath.allowed = rights_of (rule->access) & handled;
  if (!S_ISDIR (st.st_mode))
    beneath.allowed &= OF_FILES;
  return syscall (ADD_RULE, ruleset, RULE_PATH_BENEATH, &beneath, 0) == 0 ||
    errno == EBADFD ? 0 : -1;
}

static int
enter (int version, const struct landlock_rule *rules, size_t count)
{
  CLEANUP_CLOSE int fd = -1;
  struct ruleset ruleset;
  size_t i, bytes = fill_ruleset (version, &ruleset);

  fd = (int) syscall (CREATE_RULESET, &ruleset, bytes, 0);
  if (fd < 0)
    return -1;
  for (i = 0; i < count; i++)
    if (add_rule (fd, ruleset.files, &rules[i]) < 0)
      return -1;
  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return -1;
  return (int) syscall (RESTRICT_SELF, fd, 0);
}

int
landlock_enter (int version, const struct landlock_rule *rules, size_t count,
                struct error *err)
{
  return enter (version, rules, count) == 0 ? 0
    : error_set (err, ERROR_FAILED, errno, "Landlock cannot be used");
}
