#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A file of 1 TiB with little in it is packed, described and restored.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires python3
truncate -s 1T "$work/source" 2>/dev/null ||
  skip "the file system has no files of 1 TiB"
for offset in 0 400000000000 1099511625728; do
  head -c 2048 /dev/urandom |
    dd of="$work/source" oflag=seek_bytes seek=$offset conv=notrunc status=none
done
iopress_in_time 300 save "$work/source" "$work/image"
test "$(stat -c %s "$work/image")" -lt 100000 || fail "a large image"
iopress_in_time 300 info "$work/image" >"$work/info"
grep -q '^source  *1.0 TiB (1099511627776 bytes)$' "$work/info" ||
  fail "wrong source size"
grep -q -x 'records  *3' "$work/info" || fail "wrong number of records"
grep -q '^pages  *12.0 KiB (12288 bytes)$' "$work/info" || fail "wrong pages"
iopress_in_time 300 info --map "$work/image" >"$work/map"
test "$(wc -l <"$work/map")" -lt 100 || fail "the map is too long"
iopress_in_time 300 verify "$work/image"
iopress_in_time 300 restore "$work/image" "$work/restored"
test "$(stat -c %s "$work/restored")" = 1099511627776 || fail "another size"
for offset in 0 400000000000 1099511625728; do
  cmp -n 2048 -i $offset "$work/source" "$work/restored"
done
expect_sparse "$work/restored" "$work/source"
