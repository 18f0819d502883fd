#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The lowest and highest level of each codec, and its parameters.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires_codec zstd lz4 xz
make_raw "$work/source"
for choice in zstd zstd:-7 zstd:0 zstd:19 zstd:1,long=10 zstd:3,long=27 \
              zstd,long=20 lz4 lz4:-9 lz4:0 lz4:3 lz4:12 xz xz:0 xz:9 \
              xz:1,extreme xz,extreme stored; do
  iopress save --force -c $choice "$work/source" "$work/image"
  iopress restore --force "$work/image" "$work/restored"
  expect_same "$work/source" "$work/restored"
done
