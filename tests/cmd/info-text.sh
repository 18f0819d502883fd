#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What info says for people, of raw and mapped-ram images.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires_codec zstd
make_raw "$work/source"
id=000102030405060708090a0b0c0d0e0f
iopress save --image-id $id -c zstd:3,long=20 "$work/source" "$work/image"
iopress info "$work/image" >"$work/info"
says ()
{
  grep -E -q -x "$1" "$work/info" || fail "no '$1' in: $(cat "$work/info")"
}
says 'kind +raw, format 1\.0'
says "image id +$id"
says 'codec +zstd:3,long=20'
says 'chunk size +1\.0 MiB \(1048576 bytes\)'
says 'source +5\.0 MiB \(5243219 bytes\)'
says "image +[0-9.]+ .iB \($(stat -c %s "$work/image") bytes\)"
says 'ratio +[0-9]+\.[0-9]+'
says 'records +[1-6]'
grep -q 'domain\|RAM blocks' "$work/info" && fail "a raw file has no guest"

make_mapped_ram --preset everything "$work/guest"
iopress save --force "$work/guest" "$work/image"
iopress info "$work/image" >"$work/info"
says 'kind +mapped-ram, format 1\.0'
says 'domain +guest <1> & co'
says 'uuid +[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
says 'machine +pc-i440fx-10\.0'
says '  shared +16\.0 MiB +shared, not in the image'
says '  pc\.bios +256\.0 KiB +64 of 64 pages present, 256\.0 KiB'
says '  vga\.vram +16\.0 MiB +2 of 4096 pages present, 8\.0 KiB'

expect_exit 3 iopress info "$work/guest"
expect_one_line
expect_message 'guest: not an iopress image'
