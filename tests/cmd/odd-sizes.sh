#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Sources of 0 bytes, 1 byte, around pages and windows, and of holes only.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

# both_ways: save, verify and restore, to a file and through pipes.
both_ways ()
{
  # What holds nothing takes the place of no image.
  rm -f "$work/image"
  iopress save --chunk-size 64K "$work/source" "$work/image"
  iopress verify "$work/image"
  iopress verify --fast "$work/image"
  iopress info --map "$work/image" >/dev/null
  iopress restore --force "$work/image" "$work/restored"
  expect_same "$work/source" "$work/restored"
  test "$(stat -c %s "$work/restored")" = "$(stat -c %s "$work/source")" ||
    fail "another size"
  iopress save "$work/source" - | iopress restore - - | cmp - "$work/source"
}

for size in 0 1 91 92 511 4095 4096 4097 65535 65536 65537 69632 131071 \
            1048575 1048577; do
  head -c $size /dev/urandom >"$work/source"
  both_ways
  # The last byte alone, behind a hole.
  if test $size -gt 0; then
    rm "$work/source"
    truncate -s $((size - 1)) "$work/source"
    printf x >>"$work/source"
    both_ways
  fi
  rm "$work/source"
  truncate -s $size "$work/source"
  both_ways
done

truncate -s 100M "$work/source"
both_ways
test "$(stat -c %s "$work/image")" -lt 8192 || fail "holes take space"
test "$(allocated "$work/restored")" -eq 0 || fail "holes are allocated"
iopress info "$work/image" | grep -q -x 'records  *0' || fail "has records"

# Zeros that take up space are left out as well.
head -c 3M /dev/zero >"$work/source"
both_ways
test "$(stat -c %s "$work/image")" -lt 8192 || fail "zeros take space"
