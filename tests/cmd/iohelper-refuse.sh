#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# iohelper: what it does not do, and the words it says so with.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/iohelper-common.sh"

expect_exit 0 "$helper" --help >"$work/output"
printf 'Usage: %s FILENAME FD' "$helper" | cmp - "$work/output"
expect_exit 0 "$helper" --help too many >"$work/output"
expect_exit 0 iopress iohelper --help >"$work/output"
printf 'Usage: iopress iohelper FILENAME FD' | cmp - "$work/output"
expect_exit 0 iopress --help >"$work/output"
grep -q '^  iohelper ' "$work/output" || fail "iopress --help: no iohelper"

for arguments in '' P 'P 1 2' 'P 1 --help'; do
  # shellcheck disable=SC2086
  expect_exit 1 "$helper" $arguments
  expect_text "$helper: try --help for more details"
done
for fd in x 1x 1.0 0x1 '' '1 ' 99999999999 --help; do
  expect_exit 1 "$helper" P "$fd"
  expect_text "$helper: malformed fd $fd"
done
expect_exit 1 "$helper" P -1
expect_text "$helper: failure with P: no error"
expect_exit 1 "$helper" P 77 77>&-
expect_text "$helper: failure with P: unable to determine access mode of P:\
 Bad file descriptor"

# The path is only for messages, whatever stands in it.
name='/some/%s path'
echo x >"$work/file"
expect_exit 1 "$helper" "$name" 5 5<>"$work/file"
expect_text "$helper: failure with $name: Unable to process file with flags 2:\
 Invalid argument"
expect_exit 1 iopress iohelper "$name" 5 5<>"$work/file"
expect_text "iopress iohelper: failure with $name: Unable to process file with\
 flags 2: Invalid argument"
printf 'x\n' | cmp - "$work/file"

# Closed streams are no empty ones.
expect_exit 1 "$helper" P 5 5>"$work/file" <&-
expect_text "$helper: failure with P: Unable to read stdio: Bad file descriptor"
expect_exit 1 iopress iohelper P 5 5>"$work/file" <&-
expect_exit 1 "$helper" P 5 5<"$abs_top_srcdir/COPYING" >&-
expect_text "$helper: failure with P: Unable to write stdio:\
 Bad file descriptor"
expect_exit 1 "$helper" P 1 >&-
expect_exit 1 iopress iohelper P 1 >&-
expect_exit 1 "$helper" P 0 <&-
expect_exit 1 iopress iohelper P 0 <&-

expect_exit 1 "$helper" P 5 5<"$work"
expect_text "$helper: failure with P: Unable to read P: Is a directory"
expect_exit 1 "$helper" P 5 <"$work" 5>"$work/file"
expect_text "$helper: failure with P: Unable to read stdio: Is a directory"

if direct_works; then
  head -c 8192 /dev/zero >"$work/file"
  expect_exit 1 run_helper write,direct "$work/file" 5 <<<data
  expect_text "$helper: failure with $work/file: O_DIRECT write needs empty\
 seekable file: Invalid argument"
  head -c 8192 /dev/zero | cmp - "$work/file"
  expect_exit 1 run_helper read,direct,offset=4096 "$work/file" 5
  expect_text "$helper: failure with $work/file: O_DIRECT read needs entire\
 seekable file: Invalid argument"
fi
