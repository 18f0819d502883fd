#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# info --map: full and empty stretches stand where they are in the source.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

# 64 MiB: one character a MiB.  MiB 0 incompressible, 10 and 11 text, 63 thin.
truncate -s 64M "$work/source"
head -c 1M /dev/urandom | dd of="$work/source" conv=notrunc status=none
head -c 2M < <(yes 'a line of text') |
  dd of="$work/source" bs=1M seek=10 conv=notrunc iflag=fullblock status=none
printf x | dd of="$work/source" oflag=seek_bytes seek=66060288 conv=notrunc \
  status=none
iopress save "$work/source" "$work/image"
iopress info --map "$work/image" >"$work/map"
row=$(sed -n 's/.*|\(.*\)|.*/\1/p' "$work/map")
test "${#row}" -eq 64 || fail "row of ${#row} characters: $row"
blank ()
{
  printf '%*s' "$1" ''
}
wanted="#$(blank 9)..$(blank 51)"
test "${row:0:63}" = "$wanted" || fail "drawn: $row"
test "${row:63:1}" != ' ' || fail "the last page is not drawn: $row"
grep -q '0 B |.*|   5 % ' "$work/map" || fail "share: $(tail -n 1 "$work/map")"
