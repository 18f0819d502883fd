#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# expand and save --replace on ext4, xfs, btrfs and tmpfs, also where there is
# not enough room: the file stays what it was, and the next run does it once
# there is.

set -e
if [ -z "$IOPRESS_PRIVATE_MOUNTS" ] && [ "$(id -u)" = 0 ] &&
   unshare -m true 2>/dev/null; then
  # Mounts of this test are seen by nobody else, and end with it.
  export IOPRESS_PRIVATE_MOUNTS=yes
  exec unshare -m --propagation private bash "$0" "$@"
fi

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires_root
requires mount umount losetup
requires_codec zstd

mountpoint=$work/mount
mkdir "$mountpoint"
file=$mountpoint/guest.save

unmount ()
{
  ! mountpoint -q "$mountpoint" || umount "$mountpoint"
}
cleanup_fn unmount

# mount_new TYPE SIZE: an empty file system.
mount_new ()
{
  unmount
  if [ "$1" = tmpfs ]; then
    mount -t tmpfs -o "size=$2" none "$mountpoint"
    return
  fi
  rm -f "$work/device"
  truncate -s "$2" "$work/device"
  "mkfs.$1" "$work/device" >"$work/mkfs.log" 2>&1 ||
    { cat "$work/mkfs.log" >&2; return 1; }
  mount -o loop "$work/device" "$mountpoint"
}

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

tried=0
# try TYPE SIZE
try ()
{
  if [ "$1" != tmpfs ]; then
    command -v "mkfs.$1" >/dev/null ||
      { echo "not tried: mkfs.$1 is not installed"; return 0; }
    grep -q "[[:space:]]$1\$" /proc/filesystems || modprobe -q "$1" ||
      { echo "not tried: this kernel has no $1"; return 0; }
  fi
  mount_new "$1" "$2" ||
    { [ "$tried" != 0 ] || skip "no loop device can be mounted here"
      fail "$1 cannot be mounted any more"; }
  tried=$((tried + 1))
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
