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

# Zeros are written where nothing is: the device may have held other bytes.
head -c 16M /dev/urandom >"$disk"
iopress restore "$work/image" "$disk"
head -c 5243392 "$disk" | cmp - "$work/source"

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
expect_exit 1 iopress restore "$work/image" "$tiny"
expect_one_line
expect_message 'No space left on device'
