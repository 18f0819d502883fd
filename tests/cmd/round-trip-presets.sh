#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every shape of tests/lib/make_mapped_ram.py comes back as it has to.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

refused='unfinished background cut-tail cut-devices cut-pages cut-head appended'
refused+=' plain-sparse-cut'
for preset in $(make_mapped_ram --list-presets); do
  make_mapped_ram --preset "$preset" "$work/source" \
    --expected "$work/expected"
  if [[ " $refused " == *" $preset "* ]]; then
    # Fifty bytes are no stream yet, only a small file.
    test "$preset" != cut-head || continue
    expect_exit 3 iopress save "$work/source" "$work/image.new"
    expect_one_line
    expect_absent "$work/image.new" "$work/image.new.part"
    continue
  fi
  iopress save --force "$work/source" "$work/image"
  iopress verify "$work/image"
  iopress restore --force "$work/image" "$work/restored"
  expect_same "$work/expected" "$work/restored"
  expect_sparse "$work/restored" "$work/source"
  iopress save --force --exact "$work/source" "$work/image"
  iopress restore --force "$work/image" "$work/restored"
  expect_same "$work/source" "$work/restored"
done
