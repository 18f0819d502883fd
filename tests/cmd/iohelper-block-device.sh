#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# iohelper on block devices: no size to set, any position, padding to 64 KiB.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/iohelper-common.sh"

requires_root
requires losetup
mib=1048576
head -c $((8 * mib)) /dev/urandom >"$work/old"
cp "$work/old" "$work/disk"
disk=$(losetup -f --show "$work/disk" 2>/dev/null) ||
  skip "cannot set up a loop device"
cleanup_fn losetup -d "$disk"
head -c $((5 * mib)) /dev/urandom >"$work/data"

# expect_device OFFSET BYTES PADDED: those bytes of the data at the offset, with
# zeros up to PADDED, and around them what was there.
expect_device ()
{
  { head -c "$1" "$work/old"
    head -c "$2" "$work/data"
    head -c $(($3 - $2)) /dev/zero
    tail -c +$(($1 + $3 + 1)) "$work/old"; } >"$work/wanted"
  cat "$disk" | cmp - "$work/wanted" ||
    fail "$2 bytes at $1, padded to $3: other bytes"
}

# save FLAGS OFFSET BYTES
save ()
{
  cat "$work/old" >"$disk"
  sync "$disk"
  head -c "$3" "$work/data" | run_helper "$1,offset=$2" "$disk" 5
}

for offset in 0 4096 $((2 * mib)) $((2 * mib + 512)); do
  for size in 1 65536 $mib $((3 * mib + 70000)); do
    save write,direct $offset $size
    expect_device $offset $size $(((size + 65535) / 65536 * 65536))
  done
  save write $offset $((3 * mib + 70000))
  expect_device $offset $((3 * mib + 70000)) $((3 * mib + 70000))
  run_helper read,direct,offset=$offset "$disk" 5 | cat >"$work/output"
  tail -c +$((offset + 1)) "$disk" | cmp - "$work/output"
  run_helper read,offset=$offset "$disk" 5 | cat >"$work/output"
  tail -c +$((offset + 1)) "$disk" | cmp - "$work/output"
done

# To the last byte, and one more.
save write,direct $((3 * mib)) $((5 * mib))
expect_device $((3 * mib)) $((5 * mib)) $((5 * mib))
for flags in write write,direct; do
  expect_exit 1 save $flags $((3 * mib + 512)) $((5 * mib))
  expect_text "$helper: failure with $disk: Unable to write $disk:\
 No space left on device"
done
