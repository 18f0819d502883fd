# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the tests of iopress mount share.  Sourced first; all mounts are in a
# namespace of the test's own.

. "${BASH_SOURCE[0]%/*}/../lib/file-systems.sh"

requires findmnt mountpoint python3
test -c /dev/fuse || skip "there is no /dev/fuse"

store=$work/store
mnt=$work/mnt
mkdir "$store" "$mnt"
daemon=

# mounted OPTION...: mounts $store on $mnt; messages go to $work/log.
mounted ()
{
  # Not the function: $! has to be the daemon itself.
  "$IOPRESS" mount -f --store "$store" "$@" "$mnt" 2>>"$work/log" &
  daemon=$!
  eventually mounted_or_ended
  if ! mountpoint -q "$mnt"; then
    ! grep -q "built without libfuse3" "$work/log" ||
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
  daemon=
}

is_no_fuse ()
{
  ! findmnt -n -o FSTYPE "$mnt" | grep -q fuse.iopress
}

# died: ends the daemon in the middle of all, and waits until the store is seen
# in its place.
died ()
{
  kill -KILL "$daemon"
  wait "$daemon" 2>/dev/null || :
  eventually is_no_fuse || fail "the dead mount is still there"
  daemon=
}

# killed: the same, and unmounts.
killed ()
{
  died
  umount "$mnt"
}

end_mount ()
{
  test ! -s "$work/log" || sed 's/^/mount: /' "$work/log" >&2
  test -z "$daemon" || kill -KILL "$daemon" 2>/dev/null
  ! mountpoint -q "$mnt" || umount -l "$mnt"
}
cleanup_fn end_mount
