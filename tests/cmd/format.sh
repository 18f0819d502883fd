#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --format: raw takes every byte, mapped-ram refuses what is none.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires_codec zstd
make_mapped_ram --preset stale "$work/source" --expected "$work/expected"
kind ()
{
  iopress info --json "$work/image" |
    sed -n 's/.*"kind": *"\([^"]*\)".*/\1/p'
}

iopress save --format raw "$work/source" "$work/image"
test "$(kind)" = raw || fail "not raw: $(kind)"
iopress restore "$work/image" "$work/restored"
expect_same "$work/source" "$work/restored"

for format in auto mapped-ram; do
  iopress save --force --format $format "$work/source" "$work/image"
  test "$(kind)" = mapped-ram || fail "not mapped-ram: $(kind)"
  iopress restore --force "$work/image" "$work/restored"
  expect_same "$work/expected" "$work/restored"
done

make_raw "$work/raw"
expect_exit 3 iopress save --format mapped-ram "$work/raw" "$work/new"
expect_one_line
expect_message 'raw: no QEMU mapped-ram stream in this file'
iopress save --force --format auto "$work/raw" "$work/image"
test "$(kind)" = raw || fail "not raw: $(kind)"

# An image is not packed again, whatever it is said to be.
for format in auto mapped-ram raw; do
  expect_exit 3 iopress save --format $format "$work/image" "$work/new"
  expect_one_line
  expect_message 'image: already an iopress image'
done
expect_absent "$work/new" "$work/new.part"
