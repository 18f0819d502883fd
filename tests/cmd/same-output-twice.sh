#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Two runs do not write the same output at a time.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
iopress save "$work/source" "$work/image"
mkfifo "$work/fifo"
iopress restore - "$work/new" <"$work/fifo" &
exec 5>"$work/fifo"
head -c 600000 "$work/image" >&5
for (( i = 0; i < 100; i++ )); do
  test ! -e "$work/new.part" || break
  sleep 0.1
done
expect_exit 1 iopress restore --force "$work/image" "$work/new"
expect_one_line
expect_message 'new\.part: another iopress is using it'
tail -c +600001 "$work/image" >&5
exec 5>&-
wait $!
expect_same "$work/source" "$work/new"
