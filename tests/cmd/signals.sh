#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A signal during save: exit status 5, no .part, the source is whole.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires_codec xz
truncate -s 64M "$work/source"
head -c 40M /dev/urandom | dd of="$work/source" conv=notrunc status=none
cp --sparse=always "$work/source" "$work/copy"

# A slow codec, so that the run lasts; the signal comes once it has begun.
for signal in TERM INT HUP; do
  for threads in serial 2; do
    status=0
    # bash lets its background jobs ignore SIGINT.
    env --default-signal=INT "$abs_top_builddir/iopress" save \
      --plugin-dir "$plugindir" -c xz:6 -T $threads "$work/source" \
      "$work/image" 2>"$work/stderr" &
    pid=$!
    eventually test -s "$work/image.part" || fail "it does not begin"
    kill -s $signal $pid
    wait $pid || status=$?
    test $status -eq 5 || fail "exit status $status after SIG$signal"
    expect_one_line
    expect_message 'source: cancelled by signal [0-9]+ \([A-Za-z]+\); nothing is lost'
    expect_absent "$work/image" "$work/image.part"
  done
done
expect_same "$work/source" "$work/copy"
