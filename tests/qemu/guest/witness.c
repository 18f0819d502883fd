/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Init process of the test guest.  It fills memory with known pages, looks at
 * every one of them again and again, and says on the second serial port
 * whether they still hold what was put there.
 *
 * Commands, one a line, each answered by one line:
 *   fill MIB         half as a tmpfs file, half as anonymous memory
 *   dirty start MIB  rewrite, zero and free pages until told not to
 *   dirty stop
 *   check            look at everything now
 * Answers: "FILLED pages=N", "DIRTYING pages=N", "QUIET", "CHECK n STATE",
 * "ERROR text".  Unasked for, about every second: "TICK n STATE".  STATE is
 * "OK sum=HEX pages=N dirty=SEQUENCE" or "CORRUPT what page=N".  The sum is
 * over what "fill" made, as it stands in memory at that moment.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "pages.h"

#define PAGES_PER_MIB (1024 * 1024 / PAGE_SIZE)
#define REGIONS_MAX 64
#define DIRTY_BATCH 64
#define DIRTY_FREED_RUN 16

/* Pages that "fill" made and nobody writes afterwards. */
struct region {
  const char *kind;
  uint64_t *words;
  size_t pages;
  uint64_t *hashes;             /* of each page when it was made */
};

/* Pages that the dirtying thread writes.  expected[n] is the sequence number
 * page n was last written with, 0 when it was last zeroed or freed.
 */
struct arena {
  uint64_t *words;
  size_t pages;
  uint64_t *expected;
  uint64_t sequence;
  bool running;
};

static struct region regions[REGIONS_MAX];
static size_t region_count;
static struct arena arena;
static pthread_mutex_t memory_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t port_lock = PTHREAD_MUTEX_INITIALIZER;
static int port = -1;

static void __attribute__ ((format (printf, 1, 2)))
say (const char *format, ...)
{
  char line[256];
  va_list arguments;
  int length;

  va_start (arguments, format);
  length = vsnprintf (line, sizeof line - 1, format, arguments);
  va_end (arguments);
  if (length < 0 || (size_t) length >= sizeof line - 1)
    length = sizeof line - 2;
  line[length++] = '\n';

  pthread_mutex_lock (&port_lock);
  for (ssize_t done = 0, n; done < length; done += n) {
    n = write (port, line + done, (size_t) (length - done));
    if (n <= 0)
      break;
  }
  pthread_mutex_unlock (&port_lock);
}

static void *
map_memory (size_t size, int fd)
{
  int flags = fd == -1 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
  void *memory = mmap (NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

  return memory == MAP_FAILED ? NULL : memory;
}

static void *
map_tmpfs_file (size_t size)
{
  void *memory = NULL;
  char path[64];
  int fd;

  snprintf (path, sizeof path, "/data/file%zu", region_count);
  fd = open (path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (fd == -1)
    return NULL;
  errno = posix_fallocate (fd, 0, (off_t) size);
  if (errno == 0)
    memory = map_memory (size, fd);
  close (fd);
  return memory;
}

static bool
add_region (const char *kind, void *memory, size_t pages)
{
  struct region *region = &regions[region_count];
  uint64_t state = 0x10e55 + region_count;

  region->kind = kind;
  region->words = memory;
  region->pages = pages;
  region->hashes = calloc (pages, sizeof *region->hashes);
  if (memory == NULL || region->hashes == NULL)
    return false;

  for (size_t i = 0; i < pages; i++) {
    uint64_t *page = region->words + i * PAGE_WORDS;

    make_page (page, i, &state);
    region->hashes[i] = hash_words (page, PAGE_WORDS);
  }
  region_count++;
  return true;
}

static void
fill (size_t mib)
{
  size_t pages = mib * PAGES_PER_MIB / 2;
  bool done;

  if (pages == 0 || region_count + 2 > REGIONS_MAX) {
    say ("ERROR fill: bad size or too many regions");
    return;
  }
  pthread_mutex_lock (&memory_lock);
  done = add_region ("file", map_tmpfs_file (pages * PAGE_SIZE), pages)
    && add_region ("anonymous", map_memory (pages * PAGE_SIZE, -1), pages);
  pthread_mutex_unlock (&memory_lock);
  if (done)
    say ("FILLED pages=%zu", 2 * pages);
  else
    say ("ERROR fill: %s", strerror (errno));
}

/* Writes the first page that is not as it was made into WRONG. */
static bool
check_region (const struct region *region, uint64_t *sum, size_t *wrong)
{
  for (size_t i = 0; i < region->pages; i++) {
    uint64_t hash = hash_words (region->words + i * PAGE_WORDS, PAGE_WORDS);

    if (hash != region->hashes[i]) {
      *wrong = i;
      return false;
    }
    *sum = (*sum ^ hash) * 0x9e3779b97f4a7c15;
  }
  return true;
}

static bool
check_arena (size_t *wrong)
{
  for (size_t i = 0; i < arena.pages; i++)
    if (!dirty_page_is_right (arena.words + i * PAGE_WORDS, i,
                              arena.expected[i])) {
      *wrong = i;
      return false;
    }
  return true;
}

static void
check_everything (const char *what, unsigned long number)
{
  const char *corrupt = NULL;
  uint64_t sum = 0;
  size_t pages = 0, wrong = 0;

  pthread_mutex_lock (&memory_lock);
  for (size_t i = 0; i < region_count && corrupt == NULL; i++) {
    if (!check_region (&regions[i], &sum, &wrong))
      corrupt = regions[i].kind;
    pages += regions[i].pages;
  }
  if (corrupt == NULL && !check_arena (&wrong))
    corrupt = "dirty";
  pthread_mutex_unlock (&memory_lock);

  if (corrupt == NULL)
    say ("%s %lu OK sum=%016llx pages=%zu dirty=%llu", what, number,
         (unsigned long long) sum, pages + arena.pages,
         (unsigned long long) arena.sequence);
  else
    say ("%s %lu CORRUPT %s page=%zu", what, number, corrupt, wrong);
}

/* Pages that become zero leave stale bytes behind in a save that has written
 * them once; freed ones do so by way of the guest's own kernel.
 */
static void
dirty_some_pages (uint64_t *state)
{
  for (size_t n = 0; n < DIRTY_BATCH; n++) {
    uint64_t choice = random_next (state);
    size_t i = (choice >> 16) % arena.pages;
    uint64_t *page = arena.words + i * PAGE_WORDS;

    if (choice % 2 == 0) {
      arena.expected[i] = ++arena.sequence;
      write_dirty_page (page, i, arena.sequence);
    }
    else if (choice % 64 != 1 || i + DIRTY_FREED_RUN > arena.pages) {
      arena.expected[i] = 0;
      memset (page, 0, PAGE_SIZE);
    }
    else {
      memset (arena.expected + i, 0, DIRTY_FREED_RUN * sizeof (uint64_t));
      madvise (page, DIRTY_FREED_RUN * PAGE_SIZE, MADV_DONTNEED);
    }
  }
}

static void
pause_milliseconds (long milliseconds)
{
  struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

  nanosleep (&time, NULL);
}

/* The pause leaves the lock, which is not fair, to the others. */
static void *
dirty_thread (void *unused)
{
  uint64_t state = 0xd127;

  (void) unused;
  for (;;) {
    pthread_mutex_lock (&memory_lock);
    if (arena.running)
      dirty_some_pages (&state);
    pthread_mutex_unlock (&memory_lock);
    pause_milliseconds (1);
  }
  return NULL;
}

static void *
tick_thread (void *unused)
{
  (void) unused;
  for (unsigned long tick = 1;; tick++) {
    check_everything ("TICK", tick);
    pause_milliseconds (500);
  }
  return NULL;
}

static bool
make_arena (size_t mib)
{
  pthread_t thread;
  size_t pages = mib * PAGES_PER_MIB;

  if (arena.pages != 0)
    return true;
  arena.words = map_memory (pages * PAGE_SIZE, -1);
  arena.expected = calloc (pages, sizeof *arena.expected);
  if (arena.words == NULL || arena.expected == NULL)
    return false;
  arena.pages = pages;
  for (size_t i = 0; i < pages; i++) {
    arena.expected[i] = ++arena.sequence;
    write_dirty_page (arena.words + i * PAGE_WORDS, i, arena.sequence);
  }
  return pthread_create (&thread, NULL, dirty_thread, NULL) == 0;
}

static void
dirty_start (size_t mib)
{
  bool made;

  pthread_mutex_lock (&memory_lock);
  made = mib > 0 && make_arena (mib);
  arena.running = made;
  pthread_mutex_unlock (&memory_lock);
  if (made)
    say ("DIRTYING pages=%zu", arena.pages);
  else
    say ("ERROR dirty: %s", mib > 0 ? strerror (errno) : "bad size");
}

static void
dirty_stop (void)
{
  pthread_mutex_lock (&memory_lock);
  arena.running = false;
  pthread_mutex_unlock (&memory_lock);
  say ("QUIET");
}

static void
obey (const char *line)
{
  static unsigned long checks;
  size_t mib = 0;

  if (sscanf (line, "fill %zu", &mib) == 1)
    fill (mib);
  else if (sscanf (line, "dirty start %zu", &mib) == 1)
    dirty_start (mib);
  else if (strcmp (line, "dirty stop\n") == 0)
    dirty_stop ();
  else if (strcmp (line, "check\n") == 0)
    check_everything ("CHECK", ++checks);
  else
    say ("ERROR unknown command");
}

static bool
open_port (void)
{
  struct termios settings;

  port = open ("/dev/ttyS1", O_RDWR | O_NOCTTY);
  if (port == -1 || tcgetattr (port, &settings) == -1)
    return false;
  cfmakeraw (&settings);
  cfsetspeed (&settings, B115200);
  return tcsetattr (port, TCSANOW, &settings) == 0;
}

int
main (void)
{
  pthread_t thread;
  char line[128];
  FILE *commands;

  mkdir ("/dev", 0755);
  mkdir ("/data", 0755);
  mount ("devtmpfs", "/dev", "devtmpfs", 0, NULL);
  if (mount ("tmpfs", "/data", "tmpfs", 0, "size=100%") == -1
      || !open_port ()
      || (commands = fdopen (port, "r")) == NULL) {
    perror ("witness");
    return 1;
  }
  say ("READY");
  if (pthread_create (&thread, NULL, tick_thread, NULL) != 0)
    return 1;
  while (fgets (line, sizeof line, commands) != NULL)
    obey (line);
  return 1;
}
