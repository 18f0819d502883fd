/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a file system makes of a file: its holes, its blocks, its largest size.
 */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "io/file_private.h"
#include "util/bytes.h"

/* linux/magic.h does not have these, or not yet everywhere. */
#define HFS_SUPER_MAGIC 0x4244
#define HFSPLUS_SUPER_MAGIC 0x482b
#ifndef XFS_SUPER_MAGIC
# define XFS_SUPER_MAGIC 0x58465342
#endif
#ifndef EXFAT_SUPER_MAGIC
# define EXFAT_SUPER_MAGIC 0x2011bab0
#endif

/* Some say here what they would rather transfer at once. */
#define BLOCK_BYTES_MAX (16u << 20)

uint64_t
file_next_data (const struct file *file, uint64_t offset)
{
  off_t data;

  if (offset >= file->size)
    return file->size;
  data = lseek (file->fd, (off_t) offset, SEEK_DATA);
  if (data >= 0)
    return minimum_u64 ((uint64_t) data, file->size);
  return errno == ENXIO ? file->size : offset;
}

/* The kind of file system, as statfs has it; 0 when it cannot be had. */
static long
file_system_type (const struct file *file)
{
  struct statfs fs;

  return fstatfs (file->fd, &fs) == 0 ? (long) fs.f_type : 0;
}

/* Whether the file system is one of TYPES, which end with 0. */
static bool
is_one_of (const struct file *file, const long *types)
{
  long type = file_system_type (file);

  while (*types != 0 && *types != type)
    types++;
  return *types != 0;
}

bool
file_keeps_holes (const struct file *file)
{
  static const long dense[] = {
    MSDOS_SUPER_MAGIC, EXFAT_SUPER_MAGIC, HFS_SUPER_MAGIC, HFSPLUS_SUPER_MAGIC,
    0,
  };

  return file->regular && !is_one_of (file, dense);
}

bool
file_knows_holes (const struct file *file)
{
  static const long exact[] = {
    EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC,
    TMPFS_MAGIC, 0,
  };

  return file->regular && is_one_of (file, exact);
}

uint64_t
file_size_limit (const struct file *file)
{
  if (!file->regular)
    return file->size;
  return file_system_type (file) == MSDOS_SUPER_MAGIC ? UINT32_MAX : INT64_MAX;
}

/* Returns 0, or -1 with errno. */
static int
punch (const struct file *file, uint64_t offset, uint64_t length)
{
  int result;

  do
    result = fallocate (file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                        (off_t) offset, (off_t) length);
  while (result < 0 && file_again (file));
  return result;
}

int
file_punch (struct file *file, uint64_t offset, uint64_t length,
            struct error *err)
{
  return punch (file, offset, length) == 0 ? 0
    : file_fail (file, err, "cannot give blocks back");
}

int
file_can_punch (struct file *file, struct error *err)
{
  if (punch (file, align_up (file->size, BLOCK_BYTES_MAX), PAGE_BYTES) == 0)
    return 1;
  return errno == EOPNOTSUPP || errno == ENOSYS ? 0
    : file_fail (file, err, "cannot give blocks back");
}

uint64_t
file_block_bytes (const struct file *file)
{
  uint64_t bytes = PAGE_BYTES;
  struct statvfs system;
  struct stat st;
  int block;

  if (ioctl (file->fd, FIGETBSZ, &block) == 0 && block > 0)
    bytes = maximum_u64 (bytes, (uint64_t) block);
  if (fstatvfs (file->fd, &system) == 0)
    bytes = maximum_u64 (bytes, system.f_bsize);
  if (fstat (file->fd, &st) == 0 && st.st_blksize > 0)
    bytes = maximum_u64 (bytes, (uint64_t) st.st_blksize);
  return is_power_of_two (bytes) ? minimum_u64 (bytes, BLOCK_BYTES_MAX)
    : PAGE_BYTES;
}
