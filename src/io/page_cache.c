/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the page cache holds of a file that is read with O_DIRECT. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/file_private.h"
#include "io/page_cache.h"
#include "util/bytes.h"

/* cachestat(2), Linux 6.5: the C library may be older than the kernel.  Most
 * architectures share the number; the structures are those of
 * include/uapi/linux/mman.h.
 */
#if !defined SYS_cachestat && !defined __alpha__ && !defined __mips__
# define SYS_cachestat 451
#endif

struct cachestat_range {
  uint64_t offset;
  uint64_t length;
};

struct cachestat_result {
  uint64_t cached;             /* pages */
  uint64_t others[4];
};

struct page_cache {
  const struct file *file;
  int fd;                      /* of the same file, without O_DIRECT */
  uint8_t *mapping;            /* of the whole file, never touched */
  bool pass_holes;
};

/* Others are told that every page is there. */
static bool
may_ask (const struct file *file, const char *link)
{
  struct stat st;

  return access (link, W_OK) == 0 ||
    (fstat (file->fd, &st) == 0 && st.st_uid == geteuid ());
}

static int
open_cached (struct page_cache *cache)
{
  const struct file *file = cache->file;
  char link[64];
  void *mapping;

  snprintf (link, sizeof link, "/proc/self/fd/%d", file->fd);
  if (!may_ask (file, link))
    return -1;
  cache->fd = open (link, O_RDONLY | O_CLOEXEC);
  if (cache->fd < 0)
    return -1;
  mapping = mmap (NULL, (size_t) file->size, PROT_NONE, MAP_SHARED,
                  cache->fd, 0);
  if (mapping == MAP_FAILED)
    return -1;
  cache->mapping = mapping;
  return 0;
}

struct page_cache *
page_cache_open (const struct file *file, bool pass_holes)
{
  struct page_cache *cache;

  if (!file->direct || !file->regular || file->size == 0 ||
      sysconf (_SC_PAGESIZE) != PAGE_BYTES)
    return NULL;
  cache = calloc (1, sizeof *cache);
  if (cache == NULL)
    return NULL;
  cache->file = file;
  cache->pass_holes = pass_holes;
  cache->fd = -1;
  if (open_cached (cache) < 0) {
    page_cache_close (cache);
    return NULL;
  }
  return cache;
}

int
page_cache_descriptor (const struct page_cache *cache)
{
  return cache != NULL ? cache->fd : -1;
}

void
page_cache_close (struct page_cache *cache)
{
  if (cache == NULL)
    return;
  if (cache->mapping != NULL)
    munmap (cache->mapping, (size_t) cache->file->size);
  if (cache->fd >= 0)
    close (cache->fd);
  free (cache);
}

/* The first page from PAGE on that is wanted and not in the cache, or COUNT. */
static uint32_t
next_missing (const uint8_t *resident, const uint8_t *map, uint32_t page,
              uint32_t count)
{
  while (page < count && ((resident[page] & 1) != 0 ||
                          !bitmap_test (map, page)))
    page++;
  return page;
}

/* The first page from PAGE on that is in no hole. */
static uint32_t
end_of_hole (const struct page_cache *cache, uint64_t offset, uint32_t page,
             uint32_t count)
{
  uint64_t start = offset + (uint64_t) page * PAGE_BYTES;
  uint64_t data = file_next_data (cache->file, start);

  if (data >= cache->file->size)
    return count;
  return (uint32_t) minimum_u64 (count, (data - offset) / PAGE_BYTES);
}

/* Whether all of COUNT pages are there.  That costs a third of what mincore
 * takes, but does not tell which are not.
 */
static bool
holds_all (const struct page_cache *cache, uint64_t offset, uint32_t count)
{
#ifdef SYS_cachestat
  struct cachestat_range range = {
    .offset = offset,
    .length = (uint64_t) count * PAGE_BYTES,
  };
  struct cachestat_result result;

  return syscall (SYS_cachestat, cache->fd, &range, &result, 0) == 0 &&
    result.cached == count;
#else
  (void) cache;
  (void) offset;
  (void) count;
  return false;
#endif
}

bool
page_cache_holds (struct page_cache *cache, uint64_t offset, uint32_t count,
                  uint8_t *map)
{
  unsigned char resident[PAGE_CACHE_PAGES_MAX];
  uint8_t kept[PAGE_CACHE_PAGES_MAX / 8];
  size_t map_bytes = (size_t) divide_up (count, 8);
  uint64_t passed = 0;
  uint32_t page, end;

  if (holds_all (cache, offset, count))
    return true;
  if (count > PAGE_CACHE_PAGES_MAX ||
      mincore (cache->mapping + offset, (size_t) count * PAGE_BYTES,
               resident) < 0)
    return false;
  memcpy (kept, map, map_bytes);
  for (page = next_missing (resident, kept, 0, count); page < count;
       page = next_missing (resident, kept, end, count)) {
    end = end_of_hole (cache, offset, page, count);
    if (end <= page)
      return false;
    passed += bitmap_count (kept, page, end - page);
    /* What the cache has of a hole is zeros as well. */
    for (; page < end && cache->pass_holes; page++)
      bitmap_clear (kept, page);
  }
  if (!cache->pass_holes)
    return passed < bitmap_count (map, 0, count);
  memcpy (map, kept, map_bytes);
  return true;
}

int
page_cache_read (const struct page_cache *cache, uint64_t offset,
                 void *buffer, size_t length, struct error *err)
{
  uint8_t *bytes = buffer;
  uint64_t size = cache->file->size;
  size_t inside = (size_t) minimum_u64 (length,
                                        size - minimum_u64 (offset, size));

  memset (bytes + inside, 0, length - inside);
  while (inside > 0) {
    ssize_t count = pread (cache->fd, bytes, inside, (off_t) offset);

    if (count < 0 && file_again (cache->file))
      continue;
    if (count <= 0) {
      errno = count == 0 ? ENODATA : errno;
      return error_about (err, ERROR_FAILED, errno, cache->file->name,
                          "cannot be read at offset %llu",
                          (unsigned long long) offset);
    }
    bytes += count;
    offset += (uint64_t) count;
    inside -= (size_t) count;
  }
  return 0;
}
