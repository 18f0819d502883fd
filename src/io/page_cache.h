/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the page cache holds of a file that is read with O_DIRECT. */

#ifndef IOPRESS_IO_PAGE_CACHE_H
#define IOPRESS_IO_PAGE_CACHE_H

#include "io/file.h"

/* The most pages that one question may be about. */
#define PAGE_CACHE_PAGES_MAX 4096u

struct page_cache;

/* Look at what the page cache holds of FILE, which must outlive the result.
 * What is in no part of the cache is not brought there, but for what the kernel
 * may read ahead behind the last page of a stretch that it has.
 * Returns NULL where that is of no use or not to be had: FILE is not read with
 * O_DIRECT, pages are not of 4 KiB, or the kernel does not tell this process
 * (mincore(2) tells owners and those who may write to the file).  PASS_HOLES:
 * what the file system calls a hole need not be read.
 */
struct page_cache *page_cache_open (const struct file *file, bool pass_holes);

/* The descriptor at which page_cache_read reads; -1 for no CACHE. */
int page_cache_descriptor (const struct page_cache *cache);

/* Free; NULL is ignored. */
void page_cache_close (struct page_cache *cache);

/* MAP has a bit for each of the COUNT pages from file offset OFFSET on, a
 * multiple of 4096.  When each page whose bit is set is in the page cache or in
 * a hole of the file, return true, and clear the bits of those in holes if they
 * are to be passed over; if not, at least one page must be in the cache.
 * Otherwise leave MAP as it is and return false.  One thread at a time.
 */
bool page_cache_holds (struct page_cache *cache, uint64_t offset,
                       uint32_t count, uint8_t *map);

/* Read LENGTH bytes at OFFSET by way of the page cache, zeros after the end of
 * the file.  What has left the cache since is read from the disk.  Any thread.
 * Returns 0, or -1 with ERR.
 */
int page_cache_read (const struct page_cache *cache, uint64_t offset,
                     void *buffer, size_t length, struct error *err);

#endif /* IOPRESS_IO_PAGE_CACHE_H */
