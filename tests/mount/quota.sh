#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A quota ends a save as a full disk does: with EDQUOT, and nothing that looks
# finished.  It is one of btrfs, which keeps root to it, too.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/mount/common.sh"

requires btrfs
requires_codec zstd
have_file_system btrfs || skip "no btrfs"

mount_next btrfs 256M
store=$mountpoint/store
btrfs -q subvolume create "$store"
{ btrfs -q quota enable "$mountpoint" &&
  btrfs -q qgroup limit 24M "$store"; } 2>"$work/quota.log" ||
  skip "no quota: $(cat "$work/quota.log")"

mounted -T 2
saving small 1000
expect ok begin
expect ok pages
expect ok close
expect ok finish
saved
cp "$store/small" "$work/small"
saving large 20000
expect ok begin
expect EDQUOT pages
expect EDQUOT sync
expect ok close
expect EDQUOT finish
saved
expect_exit 3 iopress verify "$store/large"
test "$(head -c 16 "$store/large")" = LibvirtQemudPart ||
  fail "libvirt takes it for whole"
expect_same "$store/small" "$work/small"
grep -q 'large: cannot be written and stays unfinished: Disk quota exceeded' \
  "$work/log" || fail "the log does not say why: $(cat "$work/log")"
rm "$mnt/large"
sync -f "$store"

# There is room again.
saving again 1000
expect ok begin
expect ok pages
expect ok close
expect ok finish
saved
iopress verify "$store/again"
unmounted
