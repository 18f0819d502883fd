#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# repack: another codec, level or order, and the same source.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"

requires python3
requires_codec zstd lz4

# What restore gives is what it was, and the head is libvirt's.
python3 "$abs_top_srcdir/tests/lib/make_mapped_ram.py" --preset libvirt-save \
  --content text "$work/source"
iopress save -c lz4 "$work/source" "$work/image"

# expect_source IMAGE
expect_source ()
{
  iopress verify "$1"
  iopress restore --force "$1" "$work/restored"
  iopress restore --force "$work/image" "$work/wanted"
  expect_same "$work/wanted" "$work/restored"
}

# field NAME IMAGE
field ()
{
  iopress info --json "$2" | python3 -c '
import json, sys
print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}

for codec in zstd:9 lz4:9 stored; do
  iopress repack -c "$codec" "$work/image" "$work/new"
  expect_source "$work/new"
  test "$(field codec "$work/new")" = "${codec%:*}" || fail "another codec"
  test "$(field kind "$work/new")" = "$(field kind "$work/image")"
  test "$(field image_id "$work/new")" != "$(field image_id "$work/image")"
  rm "$work/new"
done

# As it is, but for the id; what was stored is packed.
iopress repack -T serial "$work/image" "$work/new"
expect_source "$work/new"
test "$(stat -c %s "$work/new")" = "$(stat -c %s "$work/image")"
iopress repack -T 3 -c zstd:9 --force "$work/image" "$work/new"
iopress save -c zstd:9 "$work/source" "$work/direct"
test "$(stat -c %s "$work/new")" = "$(stat -c %s "$work/direct")" ||
  fail "not what save makes"

# The prefix as virsh has edited it since.
cp "$work/image" "$work/edited"
printf '<DOMAIN' | dd of="$work/edited" bs=1 seek=92 conv=notrunc status=none
iopress repack -c zstd "$work/edited" - | cat >"$work/piped"
iopress verify - <"$work/piped"
cmp -n 4096 "$work/edited" "$work/piped"

# Any order becomes the usual one.
seq 1 50000 >"$work/plain"
for part in old new; do
  iopress save -c zstd --chunk-size 64K --image-id "$(printf %032d 7)" \
    "$work/plain" "$work/$part.iop"
done
python3 "$abs_top_srcdir/tests/lib/unordered_image.py" "$work/old.iop" \
  "$work/new.iop" "$work/unordered"
expect_exit 3 iopress verify - < <(cat "$work/unordered")
iopress repack "$work/unordered" "$work/ordered"
iopress restore - - <"$work/ordered" | cmp - "$work/plain"

# Refused, and nothing is left.
expect_exit 1 iopress repack "$work/image" "$work/ordered"
expect_exit 2 iopress repack --force "$work/image" "$work/image"
expect_exit 2 iopress repack -c auto "$work/image" "$work/none"
expect_exit 2 iopress repack - "$work/none" < <(cat "$work/image")
expect_exit 3 iopress repack "$work/source" "$work/none"
cp "$work/image" "$work/damaged"
record=$(grep -abo -m 1 IPRC "$work/damaged" | head -n 1 | cut -d : -f 1)
printf damaged |
  dd of="$work/damaged" bs=1 seek=$((record + 200)) conv=notrunc status=none
expect_exit 3 iopress repack "$work/damaged" "$work/none"
cp "$work/image" "$work/damaged"
truncate -s -100 "$work/damaged"
expect_exit 3 iopress repack "$work/damaged" "$work/none"
test ! -e "$work/none" && test ! -e "$work/none.part" || fail "something is left"
