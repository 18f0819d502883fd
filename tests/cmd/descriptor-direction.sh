#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A descriptor of the wrong direction, for appending, closed, or no number.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
iopress save "$work/source" "$work/image"
echo precious >"$work/precious"

expect_exit 2 iopress save fd:3 "$work/new" 3>>"$work/source"
expect_one_line
expect_message 'fd:3: is not open for reading'
expect_exit 2 iopress save "$work/source" fd:4 4<"$work/precious"
expect_one_line
expect_message 'fd:4: is not open for writing'
expect_exit 2 iopress restore "$work/image" fd:4 4>>"$work/precious"
expect_one_line
expect_message 'fd:4: is open for appending'
test "$(cat "$work/precious")" = precious || fail "it was written to"

# What the caller opened for reading alone is not consumed, nor gone on with,
# whatever we might open again.
cp --sparse=always "$work/source" "$work/copy"
expect_exit 2 iopress save --discard fd:3 "$work/new" 3<"$work/copy"
expect_one_line
expect_message 'fd:3: is not open for reading and writing'
expect_same "$work/source" "$work/copy"
cp "$work/image" "$work/begun"
truncate -s -100 "$work/begun"
cp "$work/begun" "$work/kept"
expect_exit 2 iopress save --resume "$work/source" fd:4 4<"$work/begun"
expect_one_line
expect_message 'fd:4: is not open for reading and writing'
expect_same "$work/begun" "$work/kept"

for fd in fd:33 fd:99999; do
  expect_exit 2 iopress save $fd "$work/new"
  expect_one_line
  expect_message "$fd: .*Bad file descriptor"
  expect_exit 2 iopress restore "$work/image" $fd
  expect_one_line
  expect_message "$fd: .*Bad file descriptor"
done

# What begins like a descriptor and is none is no path, but a mistake: a caller
# would look for its guest where there is nothing.
cd "$work"
for name in fd: fd:x fd:-1 fd:1x fd:4294967296; do
  expect_exit 2 iopress save "$work/source" $name
  expect_message "$name: is no descriptor; a file of that name is \"./$name\""
  expect_exit 2 iopress save --wait-qmp $name "$work/source" "$work/new"
  expect_message "wait-qmp: is no descriptor"
  expect_absent $name $name.part
  iopress save "$work/source" ./$name
  iopress verify ./$name
done

# Nor is a variable that is not set the name of a file.
for operands in '"" "$work/new"' '"$work/source" ""'; do
  eval "expect_exit 2 iopress save --discard $operands"
  expect_message 'the name of a file is empty'
done
expect_exit 2 iopress restore "" "$work/new"
expect_exit 2 iopress verify ""
expect_absent "$work/new" "$work/new.part"
