#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A block device as source, image and output.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

requires_root
requires losetup
make_raw "$work/source"
truncate -s 5243392 "$work/source"

# attach FILE: prints the device.
attach ()
{
  losetup -f --show "$1" 2>/dev/null
}

truncate -s 16M "$work/disk"
disk=$(attach "$work/disk") || skip "cannot set up a loop device"
cleanup_fn losetup -d "$disk"
from=$(attach "$work/source") || skip "cannot set up a loop device"
cleanup_fn losetup -d "$from"

iopress save "$from" "$work/image"
iopress restore "$work/image" "$work/restored"
expect_same "$work/source" "$work/restored"

# Zeros are written where nothing is: the device may have held other bytes.  Those
# behind the source stay what they are, also in the page that it ends in.
head -c 16M /dev/urandom >"$work/noise"
for options in '' --direct-io=off --direct-io=on '-T serial'; do
  for output in "$disk" fd:4 -; do
    cat "$work/noise" >"$disk"
    # shellcheck disable=SC2086
    iopress restore $options "$work/image" $output 4<>"$disk" 1<>"$disk"
    head -c 5243392 "$disk" | cmp - "$work/source"
    tail -c +5243393 "$disk" | cmp - <(tail -c +5243393 "$work/noise") ||
      fail "restore $options to $output wrote behind the source"
  done
done

# A device that is as large as the source, and no multiple of a page.
head -c 5243392 "$work/noise" >"$work/exact"
exact=$(attach "$work/exact") || skip "cannot set up a loop device"
cleanup_fn losetup -d "$exact"
for options in '' --direct-io=off --direct-io=on '-T serial'; do
  cat "$work/noise" >"$exact" 2>/dev/null || :
  # shellcheck disable=SC2086
  iopress restore $options "$work/image" "$exact"
  expect_same "$work/source" "$exact"
done
printf xx | dd of="$work/image" bs=1 seek=300000 conv=notrunc status=none
expect_exit 3 iopress recover "$work/image" "$exact"
iopress save --force "$work/source" "$work/image"
iopress recover "$work/image" "$exact"
expect_same "$work/source" "$exact"

# An image there would end before the device does.
expect_exit 2 iopress save "$work/source" "$disk"
expect_one_line
expect_message "$disk: is a device, which has no end where the footer could"
expect_exit 2 iopress save "$work/source" fd:4 4<>"$disk"
expect_one_line
expect_message 'fd:4: is a device'
head -c 5243392 "$disk" | cmp - "$work/source"

truncate -s 1M "$work/tiny"
tiny=$(attach "$work/tiny") || skip "cannot set up a loop device"
cleanup_fn losetup -d "$tiny"
head -c 1M "$work/noise" >"$tiny"
expect_exit 1 iopress restore "$work/image" "$tiny"
expect_one_line
expect_message "$tiny: has room for 1.0 MiB of the 5.0 MiB needed: No space left on device"
head -c 1M "$work/noise" | cmp - "$tiny" || fail "what does not fit was begun"
