#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# iohelper with O_DIRECT on ext4, XFS and btrfs: each has its own ways with
# writes in flight when the size of the file changes.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/iohelper-common.sh"

requires_root
requires mount losetup
mib=1048576
head -c $((40 * mib)) /dev/urandom >"$work/data"
tried=0

# saves FOLDER: short files again and again, since it is a matter of timing.
saves ()
{
  local size i

  with_fd write,direct "$1/file" 5 true 2>/dev/null || return 0
  for size in $((mib + 1)) $((2 * mib)) $((3 * mib + 5)) $((40 * mib)); do
    head -c "$size" "$work/data" >"$work/input"
    for i in 1 2 3 4 5 6; do
      rm -f "$1/file"
      cat "$work/input" | run_helper write,direct "$1/file" 1
      cmp "$work/input" "$1/file" || fail "$2: $size bytes saved, run $i"
    done
    run_helper read,direct "$1/file" 0 | cat >"$work/output"
    cmp "$work/input" "$work/output" || fail "$2: $size bytes restored"
  done
  tried=$((tried + 1))
}

mkdir "$work/mounted"
for kind in ext4 xfs btrfs; do
  command -v mkfs.$kind >/dev/null || continue
  rm -f "$work/disk"
  truncate -s 400M "$work/disk"
  mkfs.$kind -q "$work/disk"
  mount -o loop "$work/disk" "$work/mounted" 2>/dev/null || continue
  cleanup_fn umount "$work/mounted"
  saves "$work/mounted" $kind
  umount "$work/mounted"
  unset '_cleanup[-1]'
done
test $tried -gt 0 || skip "no file system could be made and mounted"
