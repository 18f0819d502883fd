#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whether the page cache has all of a source, some of it or nothing, the image
# is the same, and so is what is restored.  A file that is not in the cache does
# not get there.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires fincore
id=00112233445566778899aabbccddeeff

# cached FILE: bytes of it in the page cache.
cached ()
{
  fincore --bytes --noheadings --output RES "$1" | tr -d ' '
}

# cool FILE: nothing of it is in the page cache.
cool ()
{
  sync "$1"
  dd if="$1" iflag=nocache count=0 status=none
}

# warm FILE [SKIP COUNT]: all of it is, or COUNT pages behind SKIP.
warm ()
{
  cool "$1"
  if test $# -gt 1; then
    dd if="$1" of=/dev/null bs=4096 skip="$2" count="$3" status=none
  else
    cat "$1" >/dev/null
  fi
}

# save_as NAME OPTION...
save_as ()
{
  iopress save --image-id=$id "${@:2}" "$work/source" "$work/$1"
}

check_source ()
{
  warm "$work/source"
  test "$(cached "$work/source")" -gt 1000000 ||
    skip "this file system has no page cache that fincore sees"
  cool "$work/source"
  test "$(cached "$work/source")" -eq 0 ||
    skip "the page cache keeps what it was told to forget"
  save_as cold
  test "$(cached "$work/source")" -eq 0 || fail "save brings the source in"
  warm "$work/source"
  save_as hot
  warm "$work/source"
  save_as hot-serial -T serial
  warm "$work/source" 100 333
  save_as partly
  expect_same "$work/cold" "$work/hot"
  expect_same "$work/cold" "$work/hot-serial"
  expect_same "$work/cold" "$work/partly"
  cool "$work/cold"
  iopress restore "$work/cold" "$work/restored-cold"
  test "$(cached "$work/cold")" -eq 0 || fail "restore brings the image in"
  warm "$work/cold"
  iopress restore "$work/cold" "$work/restored-hot"
  iopress restore --direct-io off "$work/cold" "$work/restored"
  expect_same "$work/restored-cold" "$work/restored"
  expect_same "$work/restored-hot" "$work/restored"
  rm "$work"/{cold,hot,hot-serial,partly,restored,restored-cold,restored-hot}
}

make_raw "$work/source"
check_source
for preset in dense libvirt-save extents; do
  make_mapped_ram --preset $preset --size 24M "$work/source"
  check_source
done

rm "$work/source"

# Just written, nothing of it on the disk yet.
make_raw "$work/source"
iopress save "$work/source" "$work/image"
iopress restore "$work/image" "$work/restored"
expect_same "$work/restored" "$work/source"
