#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A restored file has its holes where its source has them, or more.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires python3
for preset in sparse extents huge-holes ends everything; do
  make_mapped_ram --preset $preset "$work/source"
  iopress save --force "$work/source" "$work/image"
  for direct in auto off; do
    for threads in serial 2; do
      iopress restore --force -T $threads --direct-io $direct "$work/image" \
        "$work/restored"
      expect_sparse "$work/restored" "$work/source"
    done
  done
done
