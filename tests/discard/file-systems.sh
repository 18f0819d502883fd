#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# save --discard on small file systems that the source fills, on loop devices
# with ext4, xfs and btrfs and on tmpfs: an image compresses where both copies
# would not fit; where even the image does not, the run stops with nothing
# lost, and --resume finishes once there is room.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/lib/file-systems.sh"

requires python3
requires_codec zstd
export PYTHONDONTWRITEBYTECODE=1

run_scenario ()
{
  if [ "$2" = kill ]; then
    python3 "$abs_top_srcdir/tests/discard/kill.py" 20 1 "$mountpoint"
  else
    python3 "$abs_top_srcdir/tests/discard/full_disk.py" "$1" "$2" \
      "$mountpoint"
  fi
}

# try TYPE SIZE: all cases, each on a new file system.
try ()
{
  local scenario

  have_file_system "$1" || return 0
  for scenario in shrink shrink-small-extents stuck stuck-at-once kill; do
    mount_next "$1" "$2"
    run_scenario "$1" "$scenario" || failed=yes
  done
}

failed=
try ext4 80M
try xfs 300M
try btrfs 160M
try tmpfs 64M
[ "$tried" -gt 0 ] || skip "none of the file systems can be had here"
[ -z "$failed" ] || fail "see above"
