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

# libvirt says "sparse" of a plain stream, too (snapshot_image_format).
make_mapped_ram --preset plain-sparse "$work/plain"
iopress save -v "$work/plain" "$work/plain.image" 2>"$work/notes"
grep -q "plain: QEMU's stream in it is a plain one" "$work/notes" ||
  fail "not a word of the plain stream: $(cat "$work/notes")"
iopress info "$work/plain.image" | grep -q '^stream  *plain' ||
  fail "info does not say that the stream is plain"
iopress info --json "$work/plain.image" | grep -q '"stream": *"plain"' ||
  fail "info --json does not say that the stream is plain"
iopress restore "$work/plain.image" "$work/restored.plain"
expect_same "$work/plain" "$work/restored.plain"
expect_exit 3 iopress save --format mapped-ram "$work/plain" "$work/new"
expect_one_line
expect_message 'plain: no QEMU mapped-ram stream in this file'

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
  expect_message 'image: already an iopress image; iopress restore writes the save file'
done
expect_absent "$work/new" "$work/new.part"
