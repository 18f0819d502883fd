# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the tests of iopress mount share.  Sourced after functions.sh and
# before anything is made: the test runs again in a mount namespace of its own.

requires_root
requires unshare mountpoint
test -c /dev/fuse || skip "there is no /dev/fuse"
if test -z "$IN_MOUNT_NAMESPACE"; then
  unshare -m true 2>/dev/null || skip "cannot have a mount namespace"
  rm -rf "$work"
  trap - EXIT
  IN_MOUNT_NAMESPACE=1 exec unshare -m --propagation private \
    bash "$(readlink -f "$0")"
fi

store=$work/store
mnt=$work/mnt
mkdir "$store" "$mnt"

# mounted OPTION...: mounts $store on $mnt; messages go to $work/log.
mounted ()
{
  iopress mount -f --store "$store" "$@" "$mnt" 2>>"$work/log" &
  daemon=$!
  eventually mounted_or_ended
  if ! mountpoint -q "$mnt"; then
    grep -q "built without libfuse3" "$work/log" &&
      skip "built without libfuse3"
    fail "cannot mount: $(cat "$work/log")"
  fi
}

mounted_or_ended ()
{
  mountpoint -q "$mnt" || ! kill -0 "$daemon" 2>/dev/null
}

# unmounted: unmounts, and fails the test unless the daemon ends with 0.
unmounted ()
{
  umount "$mnt"
  wait "$daemon" || fail "the daemon ended with $?: $(cat "$work/log")"
}

end_mount ()
{
  mountpoint -q "$mnt" && umount -l "$mnt"
  test -z "$daemon" || kill -KILL "$daemon" 2>/dev/null
  wait
}
cleanup_fn end_mount
