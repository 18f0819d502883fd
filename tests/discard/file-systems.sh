#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# save --discard on small file systems that the source fills, on loop devices
# with ext4, xfs and btrfs and on tmpfs: an image compresses where both copies
# would not fit; where even the image does not, the run stops with nothing
# lost, and --resume finishes once there is room.

set -e
if [ -z "$IOPRESS_PRIVATE_MOUNTS" ] && [ "$(id -u)" = 0 ] &&
   unshare -m true 2>/dev/null; then
  # Mounts of this test are seen by nobody else, and end with it.
  export IOPRESS_PRIVATE_MOUNTS=yes
  exec unshare -m --propagation private bash "$0" "$@"
fi

. "${abs_top_srcdir:-../..}/tests/functions.sh"

requires_root
requires python3 mount umount losetup
requires_codec zstd
export PYTHONDONTWRITEBYTECODE=1

mountpoint=$work/mount
mkdir "$mountpoint"

# mount_device TYPE SIZE: a new file system.  The loop device goes with its
# last mount.
mount_device ()
{
  rm -f "$work/device"
  truncate -s "$2" "$work/device"
  "mkfs.$1" "$work/device" >"$work/mkfs.log" 2>&1 ||
    { cat "$work/mkfs.log" >&2; return 1; }
  mount -o loop "$work/device" "$mountpoint"
}

unmount ()
{
  ! mountpoint -q "$mountpoint" || umount "$mountpoint"
}
cleanup_fn unmount

run_scenario ()
{
  if [ "$2" = kill ]; then
    python3 "$abs_top_srcdir/tests/discard/kill.py" 20 1 "$mountpoint"
  else
    python3 "$abs_top_srcdir/tests/discard/full_disk.py" "$1" "$2" \
      "$mountpoint"
  fi
}

# try TYPE SIZE: all cases on a new file system.
tried=0
try ()
{
  local type=$1 size=$2 scenario

  if [ "$type" != tmpfs ]; then
    command -v "mkfs.$type" >/dev/null ||
      { echo "not tried: mkfs.$type is not installed"; return 0; }
    grep -q "[[:space:]]$type\$" /proc/filesystems || modprobe -q "$type" ||
      { echo "not tried: this kernel has no $type"; return 0; }
  fi
  for scenario in shrink shrink-small-extents stuck stuck-at-once kill; do
    if [ "$type" = tmpfs ]; then
      mount -t tmpfs -o "size=$size" none "$mountpoint" ||
        skip "nothing can be mounted here"
    else
      mount_device "$type" "$size" ||
        { [ "$tried" = 0 ] && skip "no loop device can be mounted here"
          fail "$type cannot be mounted any more"; }
    fi
    tried=$((tried + 1))
    run_scenario "$type" "$scenario" || failed=yes
    unmount
  done
}

failed=
try ext4 80M
try xfs 300M
try btrfs 160M
try tmpfs 64M
[ "$tried" -gt 0 ] || skip "none of the file systems can be had here"
[ -z "$failed" ] || fail "see above"
