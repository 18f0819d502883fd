#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --direct-io on, off and auto give the same bytes.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

make_raw "$work/source"
id=000102030405060708090a0b0c0d0e0f
for direct in auto off on; do
  # Not every file system can.
  if test $direct = on; then
    dd if="$work/source" of=/dev/null iflag=direct bs=4096 count=1 \
      status=none 2>/dev/null || continue
  fi
  iopress save --force --image-id $id --direct-io $direct "$work/source" \
    "$work/image.$direct"
  expect_same "$work/image.auto" "$work/image.$direct"
  iopress verify --direct-io $direct "$work/image.auto"
  iopress restore --force --direct-io=$direct "$work/image.auto" \
    "$work/restored"
  expect_same "$work/source" "$work/restored"
done
