#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The second decoder, contrib/iopress-extract, makes the same bytes as
# "iopress restore" of images of every codec and kind of source, sparse, and
# refuses what is incomplete or damaged.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"

requires python3 zstd lz4 xz
requires_codec zstd lz4 xz
decoder=$abs_top_srcdir/contrib/iopress-extract

extract ()
{
  rm -f "$work/extracted"
  python3 "$decoder" "$@"
}

# Text, noise that is stored, holes, and an end within a page.
make_raw ()
{
  seq 1 250000 >"$work/raw"
  head -c 700000 /dev/urandom |
    dd of="$work/raw" bs=64K seek=80 conv=notrunc status=none
  truncate -s 40000001 "$work/raw"
  printf 'end' | dd of="$work/raw" bs=1 seek=39999000 conv=notrunc status=none
}

make_sources ()
{
  make_raw
  python3 "$abs_top_srcdir/tests/lib/make_mapped_ram.py" --preset stale \
    "$work/mapped-ram"
  python3 "$abs_top_srcdir/tests/lib/make_mapped_ram.py" \
    --preset everything "$work/libvirt"
}

# allocated FILE: KiB on the disk
allocated ()
{
  du -k "$1" | cut -f 1
}

# check_restored IMAGE [OPTION...]: both decoders make the same file.
check_restored ()
{
  local image=$1

  shift
  rm -f "$work/restored"
  iopress restore "$image" "$work/restored"
  extract "$@" "$image" "$work/extracted"
  expect_same "$work/restored" "$work/extracted"
  test ! -e "$work/extracted.part" || fail "the .part file was left"
  # File systems round up to blocks of their own size, run by run.
  test "$(allocated "$work/extracted")" -le \
    $(( $(allocated "$work/restored") * 5 / 4 + 256 )) ||
    fail "not sparse: $(allocated "$work/extracted") KiB instead of" \
         "$(allocated "$work/restored")"
}

test_codecs ()
{
  local codec source

  for source in raw mapped-ram libvirt; do
    for codec in stored zstd:1 zstd:3,long=27 zstd:19 lz4:1 lz4:12 xz:0 \
                 xz:6,extreme; do
      echo "$source $codec"
      iopress save --force -c "$codec" "$work/$source" "$work/image"
      check_restored "$work/image"
    done
  done
  expect_exit 0 extract "$work/image" "$work/extracted"
  test ! -s "$work/stderr" || fail "it says something"
}

# Chunks of the smallest and largest size; pages that differ from the source.
test_shapes ()
{
  local chunk

  for chunk in 64K 16M; do
    iopress save --force --chunk-size=$chunk "$work/raw" "$work/image"
    check_restored "$work/image" -T 1
    expect_same "$work/raw" "$work/extracted"
  done
  iopress save --force --exact "$work/mapped-ram" "$work/image"
  check_restored "$work/image" -T 3
  expect_same "$work/mapped-ram" "$work/extracted"
  : >"$work/empty"
  rm "$work/image"
  iopress save "$work/empty" "$work/image"
  check_restored "$work/image"
  truncate -s 1G "$work/hole"
  rm "$work/image"
  iopress save "$work/hole" "$work/image"
  check_restored "$work/image"
}

# What virsh edits in the image comes back.
test_edited_prefix ()
{
  local prefix

  iopress save --force "$work/libvirt" "$work/image"
  prefix=$(python3 "$decoder" --list "$work/image" |
    sed -n 's/^prefix  *//p')
  test $(( prefix % 4096 )) -gt 9 || fail "the prefix divides no page"
  # At the very end: the record of that page has zeros there.
  printf '<edited/>' | dd of="$work/image" bs=1 seek=$(( prefix - 9 )) \
    conv=notrunc status=none
  check_restored "$work/image"
  grep -q '<edited/>' "$work/extracted" || fail "the edit is lost"
  # Without the magic the file header has to be looked for.
  printf 'Damaged.' | dd of="$work/image" conv=notrunc status=none
  check_restored "$work/image"
}

# The listing names bytes that the stock tool decodes.
test_list ()
{
  local codec offset length

  iopress save --force -c xz "$work/raw" "$work/image"
  python3 "$decoder" --list "$work/image" >"$work/list"
  grep -q "^source  *40000001$" "$work/list" || fail "no source size"
  # The record of window 0.
  read -r _ _ codec offset length < <(grep '^  *0 ' "$work/list")
  test "$codec" = xz || fail "window 0 is listed as $codec"
  head -c $(( offset + length )) "$work/image" | tail -c "$length" |
    xz -dc >"$work/pages"
  cmp -n 1048576 "$work/pages" "$work/raw" || fail "the listing is wrong"
}

# flip FILE OFFSET: changes one byte.
flip ()
{
  python3 - "$@" <<'END'
import sys
with open(sys.argv[1], "r+b") as file:
    file.seek(int(sys.argv[2]))
    byte = file.read(1)[0]
    file.seek(-1, 1)
    file.write(bytes([byte ^ 1]))
END
}

# expect_refused REGEX: of $work/bad, with nothing left behind.
expect_refused ()
{
  expect_exit 3 extract "$work/bad" "$work/extracted"
  expect_message "^iopress-extract: $work/bad: .*$1"
  test "$(wc -l <"$work/stderr")" = 1 || fail "more than one line"
  test ! -e "$work/extracted" || fail "a damaged image was restored"
  test ! -e "$work/extracted.part" || fail "the .part file was left"
}

# expect_refused_flip OFFSET REGEX
expect_refused_flip ()
{
  cp "$work/image" "$work/bad"
  flip "$work/bad" "$1"
  expect_refused "$2"
}

test_damage ()
{
  local size

  iopress save --force -c zstd "$work/raw" "$work/image"
  size=$(stat -c %s "$work/image")
  expect_refused_flip 3 "not an iopress image"
  expect_refused_flip 50 "not an iopress image"
  expect_refused_flip 4100 "record at 4096: damaged header"
  expect_refused_flip 4180 "record at 4096: page map or payload is damaged"
  expect_refused_flip 5000 "record at 4096: page map or payload is damaged"
  expect_refused_flip $(( size - 100 )) "index"
  expect_refused_flip $(( size - 50 )) "footer"
  for length in 0 100 5000 $(( size - 96 )) $(( size - 1 )); do
    head -c "$length" "$work/image" >"$work/bad"
    expect_refused "(incomplete|not an iopress image)"
  done
  { cat "$work/image"; echo; } >"$work/bad"
  expect_refused "footer"
  cp "$work/raw" "$work/bad"
  expect_refused "not an iopress image"
}

# With good checksums of the stored bytes, the decoder and the checksum of
# the pages have to find it.
test_wrong_payload ()
{
  PYTHONPATH=$abs_top_srcdir/tests/lib PYTHONDONTWRITEBYTECODE=1 \
    python3 - "$1" "$work/image" "$work/bad" <<'END'
import sys
from xxh3 import xxh3_64

def seal(data, start, end):
    data[end:end + 8] = xxh3_64(bytes(data[start:end])).to_bytes(8, "little")

def number(data, offset, length):
    return int.from_bytes(data[offset:offset + length], "little")

# The first record, at 4096 (docs/format.md, 4.1); index and footer follow.
data = bytearray(open(sys.argv[2], "rb").read())
body = 4096 + 80
length = number(data, 48, 4) // 32768 + number(data, 4096 + 52, 4)
if sys.argv[1] == "payload":
    data[body + length - 300] ^= 0x55
    stored = xxh3_64(bytes(data[body:body + length]))
    data[4096 + 64:4096 + 72] = stored.to_bytes(8, "little")
else:
    data[4096 + 56] ^= 1
seal(data, 4096, 4096 + 72)
footer = len(data) - 96
index = number(data, footer + 24, 8)
data[index + 48 + 24:index + 48 + 32] = data[4096 + 72:4096 + 80]
entries = bytes(data[index + 48:footer])
data[index + 32:index + 40] = xxh3_64(entries).to_bytes(8, "little")
seal(data, index, index + 40)
digest = bytes(8)
for entry in range(index + 48, footer, 32):
    digest = xxh3_64(digest + bytes(data[entry + 24:entry + 32])).to_bytes(
        8, "little")
data[footer + 64:footer + 72] = digest
seal(data, footer, footer + 80)
open(sys.argv[3], "wb").write(data)
END
  expect_refused "record at 4096: $2"
}

test_wrong_payloads ()
{
  for codec in zstd lz4 xz; do
    iopress save --force -c "$codec" "$work/raw" "$work/image"
    test_wrong_payload payload ""
    test_wrong_payload pages "decodes to other pages"
  done
  # Without checksums it is restored, and said so.
  expect_exit 0 extract --no-checksums "$work/bad" "$work/extracted"
  expect_message "without verifying"
  expect_same "$work/raw" "$work/extracted"
}

test_refusals ()
{
  echo mine >"$work/there"
  expect_exit 1 python3 "$decoder" "$work/image" "$work/there"
  expect_message "will not be overwritten"
  test "$(cat "$work/there")" = mine || fail "it was overwritten"
  # Also what gets the name while the image is decoded, here by the decoder.
  rm "$work/there"
  mkdir "$work/bin"
  printf '#!/bin/sh\necho mine >"%s"\nexec %s "$@"\n' "$work/there" \
    "$(command -v zstd)" >"$work/bin/zstd"
  chmod 755 "$work/bin/zstd"
  iopress save -c zstd "$work/raw" "$work/packed"
  PATH=$work/bin:$PATH expect_exit 1 python3 "$decoder" "$work/packed" \
    "$work/there"
  expect_message "will not be overwritten"
  test "$(cat "$work/there")" = mine || fail "it was overwritten"
  test ! -e "$work/there.part" || fail "the .part file was left"
  expect_exit 1 python3 "$decoder" "$work/none" "$work/other"
  expect_exit 1 python3 "$decoder" "$work" "$work/other"
  expect_exit 2 python3 "$decoder" "$work/image"
  expect_exit 2 python3 "$decoder" --list "$work/image" "$work/other"
  expect_exit 2 python3 "$decoder" --no-such-option "$work/image" "$work/other"
  expect_exit 0 python3 "$decoder" --help >"$work/help"
  grep -q "no-checksums" "$work/help" || fail "no help"
}

make_sources
test_codecs
test_shapes
test_edited_prefix
test_list
test_damage
test_wrong_payloads
test_refusals
