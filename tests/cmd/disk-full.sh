#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A full file system: exit status 1, nothing left, the source is whole.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires_root
requires mount umount
mkdir "$work/small"
mount -t tmpfs -o size=1m none "$work/small" || skip "cannot mount a tmpfs"
cleanup_fn umount "$work/small"
make_raw "$work/source"
cp --sparse=always "$work/source" "$work/source.copy"
iopress save "$work/source" "$work/image"

for direct in auto off; do
  for threads in serial 2; do
    options="--direct-io $direct -T $threads"
    # shellcheck disable=SC2086
    expect_exit 1 iopress save $options -c stored "$work/source" \
      "$work/small/image"
    expect_one_line
    expect_message 'image.*: No space left on device; nothing is lost; make room there'
    # shellcheck disable=SC2086
    expect_exit 1 iopress restore $options "$work/image" "$work/small/out"
    expect_one_line
    expect_message 'out.*: No space left on device; nothing is lost; make room there'
    test -z "$(ls -A "$work/small")" || fail "left: $(ls -A "$work/small")"
  done
done
expect_same "$work/source" "$work/source.copy"
