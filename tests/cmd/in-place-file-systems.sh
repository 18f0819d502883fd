#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# expand and save --replace on ext4, xfs, btrfs and tmpfs, also where there is
# not enough room: the file stays what it was, and the next run does it once
# there is.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/lib/file-systems.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires_codec zstd

file=$mountpoint/guest.save

# leave_free BYTES: fill the file system up to that.
leave_free ()
{
  local free

  free=$(( $(stat -f -c '%a * %S' "$mountpoint") ))
  rm -f "$mountpoint/filler"
  head -c $((free - $1)) /dev/urandom >"$mountpoint/filler" || true
  sync -f "$mountpoint"
}

make_room ()
{
  rm -f "$mountpoint/filler"
  sync -f "$mountpoint"
}

# alone: nothing is left beside the file.
alone ()
{
  local names

  names=$(cd "$mountpoint" && echo guest.save*)
  test "$names" = guest.save || fail "left over: $names"
}

# 40 MiB of pages, of which the image takes a good third.
make_mapped_ram "$work/ram" --expected "$work/expected" --libvirt save \
  --block pc.ram=26M,dense --content text
make_mapped_ram "$work/noise" --libvirt save --block pc.ram=14M,dense \
  --content random
python3 - "$work/ram" "$work/noise" "$work/raw" <<'PYTHON'
import sys
text, noise, raw = sys.argv[1:]
with open(raw, "wb") as out:
    for name in (text, noise):
        with open(name, "rb") as file:
            out.write(file.read()[1 << 20:])
PYTHON
truncate -s +30M "$work/raw"
iopress save "$work/raw" "$work/image"
image_size=$(stat -c %s "$work/image")

# round_trips: with room enough, and sparse.
round_trips ()
{
  cp --sparse=always "$work/ram" "$file"
  iopress save --replace "$file"
  alone
  iopress verify "$file"
  iopress expand "$file"
  alone
  expect_same "$work/expected" "$file"
  rm "$file"
  cp "$work/image" "$file"
  iopress expand "$file"
  alone
  expect_same "$work/raw" "$file"
  test "$(data_bytes "$file")" -le "$(data_bytes "$work/raw")" ||
    fail "the expanded file is not sparse"
  rm "$file"
}

# no_room_to_expand FREE
no_room_to_expand ()
{
  cp "$work/image" "$file"
  sync -f "$mountpoint"
  leave_free "$1"
  expect_exit 1 iopress expand "$file"
  expect_message 'No space left on device'
  alone
  expect_same "$work/image" "$file"
  iopress verify "$file"
  # In vain once more, and nothing gets worse by it.
  expect_exit 1 iopress expand -T serial "$file"
  alone
  expect_same "$work/image" "$file"
  make_room
  iopress expand "$file"
  alone
  expect_same "$work/raw" "$file"
  rm "$file"
}

no_room_to_replace ()
{
  cp "$work/raw" "$file"
  sync -f "$mountpoint"
  leave_free 4000000
  expect_exit 1 iopress save --replace "$file"
  expect_message 'No space left on device'
  alone
  expect_same "$work/raw" "$file"
  make_room
  iopress save --replace "$file"
  alone
  iopress expand "$file"
  expect_same "$work/raw" "$file"
  rm "$file"
}

# try TYPE SIZE
try ()
{
  have_file_system "$1" || return 0
  mount_next "$1" "$2"
  echo "$1"
  round_trips
  no_room_to_expand $((image_size + 6000000))
  no_room_to_expand 3000000
  no_room_to_replace
  python3 "$abs_top_srcdir/tests/cmd/in-place-kill.py" 10 7 "$mountpoint"
}

try ext4 150M
try xfs 320M
try btrfs 300M
try tmpfs 140M
[ "$tried" -gt 0 ] || skip "none of the file systems can be had here"
