# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# One small file system after another at $mountpoint, for tests that fill them.
# Sourced first, it sources functions.sh: the test begins again with mounts that
# nobody else sees, and that end with it.

set -e
if [ -z "$IOPRESS_PRIVATE_MOUNTS" ] && [ "$(id -u)" = 0 ] &&
   unshare -m true 2>/dev/null; then
  export IOPRESS_PRIVATE_MOUNTS=yes
  exec unshare -m --propagation private bash "$0" "$@"
fi

. "${BASH_SOURCE[0]%/*}/../functions.sh"

requires_root
requires mount umount losetup

mountpoint=$work/mount
mkdir "$mountpoint"

unmount ()
{
  ! mountpoint -q "$mountpoint" || umount "$mountpoint"
}
cleanup_fn unmount

# have_file_system TYPE: whether one can be made here; says so when not.
have_file_system ()
{
  [ "$1" != tmpfs ] || return 0
  command -v "mkfs.$1" >/dev/null ||
    { echo "not tried: mkfs.$1 is not installed"; return 1; }
  grep -q "[[:space:]]$1\$" /proc/filesystems || modprobe -q "$1" ||
    { echo "not tried: this kernel has no $1"; return 1; }
}

# A loop device goes with its last mount.
mount_new ()
{
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

# mount_next TYPE SIZE: an empty file system in place of the one before.
tried=0
mount_next ()
{
  unmount
  mount_new "$1" "$2" ||
    { [ "$tried" != 0 ] || skip "no $1 can be mounted here"
      fail "$1 cannot be mounted any more"; }
  tried=$((tried + 1))
}
