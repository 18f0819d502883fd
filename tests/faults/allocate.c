/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded into iopress: counts its requests for memory, and refuses one.
 *
 *   IOPRESS_FAULT=allocation:N:ENOMEM   the Nth (from 1) is refused
 *   IOPRESS_FAULT=allocation:N:rest     and all that come after it
 *   IOPRESS_FAULT_COUNTS=FILE           at exit, append "allocation COUNT"
 *
 * Those of the libraries and the modules count as well, but not those of libc
 * for a new thread.
 */

#include <config.h>

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What glibc keeps for those who replace the functions below. */
void *__libc_malloc (size_t size);
void *__libc_calloc (size_t count, size_t size);
void *__libc_realloc (void *memory, size_t size);
void *__libc_memalign (size_t alignment, size_t size);

static atomic_ulong count;
static unsigned long nth;
static bool rest;
static atomic_bool counting;

__attribute__ ((constructor)) static void
begin (void)
{
  const char *text = getenv ("IOPRESS_FAULT");
  char how[16] = "";

  if (text != NULL &&
      sscanf (text, "allocation:%lu:%15s", &nth, how) != 2)
    abort ();
  rest = strcmp (how, "rest") == 0;
  atomic_store (&counting, true);
}

__attribute__ ((destructor)) static void
end (void)
{
  const char *path = getenv ("IOPRESS_FAULT_COUNTS");
  FILE *file;

  atomic_store (&counting, false);
  file = path != NULL ? fopen (path, "a") : NULL;
  if (file == NULL)
    return;
  fprintf (file, "allocation %lu\n", atomic_load (&count));
  fclose (file);
}

static bool
is_refused (void)
{
  unsigned long number;

  if (!atomic_load (&counting))
    return false;
  number = atomic_fetch_add (&count, 1) + 1;
  if (nth == 0 || number < nth || (number > nth && !rest))
    return false;
  errno = ENOMEM;
  return true;
}

void *
malloc (size_t size)
{
  return is_refused () ? NULL : __libc_malloc (size);
}

void *
calloc (size_t members, size_t size)
{
  return is_refused () ? NULL : __libc_calloc (members, size);
}

void *
realloc (void *memory, size_t size)
{
  return is_refused () ? NULL : __libc_realloc (memory, size);
}

void *
reallocarray (void *memory, size_t members, size_t size)
{
  size_t bytes;

  if (__builtin_mul_overflow (members, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  return realloc (memory, bytes);
}

void *
memalign (size_t alignment, size_t size)
{
  return is_refused () ? NULL : __libc_memalign (alignment, size);
}

void *
aligned_alloc (size_t alignment, size_t size)
{
  return memalign (alignment, size);
}

int
posix_memalign (void **memory, size_t alignment, size_t size)
{
  void *result = memalign (alignment, size);

  if (result == NULL)
    return ENOMEM;
  *memory = result;
  return 0;
}

void *
mmap (void *address, size_t length, int protection, int flags, int fd,
      off_t offset)
{
  if ((flags & MAP_ANONYMOUS) != 0 && is_refused ())
    return MAP_FAILED;
  return (void *) syscall (SYS_mmap, address, length, protection, flags, fd,
                           offset);
}

/* The same on machines of 64 bits, and what some headers make of the name. */
void *mmap64 (void *address, size_t length, int protection, int flags, int fd,
              off_t offset)
  __attribute__ ((alias ("mmap")));
