#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Buffered runs leave nothing of their files in the page cache.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires fincore
make_raw "$work/small"
make_mapped_ram --preset dense --size 24M "$work/source"
sync "$work/source"

# cached FILE: bytes of it in the page cache.
cached ()
{
  fincore --bytes --noheadings --output RES "$1" | tr -d ' '
}

expect_uncached ()
{
  test "$(cached "$1")" -le 65536 ||
    fail "$2 leaves $(cached "$1") bytes of $1 cached"
}

# Something must be there that could be left.
cat "$work/source" >/dev/null
test "$(cached "$work/source")" -gt 1000000 ||
  skip "this file system has no page cache that fincore sees"
dd if="$work/source" iflag=nocache count=0 status=none

iopress save --direct-io off "$work/source" "$work/image"
expect_uncached "$work/source" save
expect_uncached "$work/image" save
iopress restore --direct-io off "$work/image" "$work/restored"
expect_uncached "$work/image" restore
expect_uncached "$work/restored" restore
iopress verify --direct-io off "$work/image"
expect_uncached "$work/image" verify
iopress info --direct-io off "$work/image" >/dev/null
expect_uncached "$work/image" info
