#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# In the background, as mount(8) calls it, over the folder itself; names, owners,
# modes, times and links; what it says of itself.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/mount/common.sh"

requires_codec zstd
requires setpriv

ln -s "$abs_top_builddir/iopress" "$work/mount.iopress"
mount_helper ()
{
  "$work/mount.iopress" "$@" -v --plugin-dir "$plugindir"
}

gone ()
{
  ! pgrep -f "mount.iopress none $mnt" >/dev/null
}

# Below the mount lies what was there before.
echo before >"$mnt/plain"
mount_helper none "$mnt" -f -o nofail
! mountpoint -q "$mnt" || fail "a fake mount stands"
mount_helper none "$mnt" -n -s -o "rw,nofail,x-systemd.automount,threads=2" ||
  skip "cannot mount"
cleanup_fn umount -q -l "$mnt"
test "$(stat -f -c %t "$mnt")" = 65735546 || fail "no FUSE"
test "$(findmnt -n -o FSTYPE "$mnt")" = fuse.iopress || fail "another type"
test "$(cat "$mnt/plain")" = before

# A second mount of the same store would write to the same files.
expect_exit 1 timeout 5 "$IOPRESS" mount --status "$work"
expect_message 'no mount of iopress'

chmod 777 "$mnt"
# In the mount: the folders above may not be for everybody.
as_user ()
{
  cd "$mnt"
  setpriv --reuid 1234 --regid 1235 --clear-groups -- "$@" ||
    { cd - >/dev/null; return 1; }
  cd - >/dev/null
}
as_user bash -c "umask 027; seq 100000 >numbers; mkdir folder"
test "$(stat -c '%u %g %a' "$mnt/numbers")" = "1234 1235 640"
test "$(stat -c '%u %g %a' "$mnt/folder")" = "1234 1235 750"
seq 100000 | cmp - "$mnt/numbers"
expect_exit 1 as_user bash -c "echo >plain"
chown 0:0 "$mnt/numbers"
chmod 600 "$mnt/numbers"
expect_exit 1 as_user cat numbers
touch -d 2001-02-03 "$mnt/numbers"
cp -p "$mnt/numbers" "$mnt/folder/copy"
test "$(stat -c '%Y %a' "$mnt/folder/copy")" = \
     "$(stat -c '%Y %a' "$mnt/numbers")" || fail "cp -p loses times"
mv "$mnt/folder/copy" "$mnt/numbers.2"
ln "$mnt/numbers.2" "$mnt/numbers.3"
ln -s numbers.3 "$mnt/numbers.4"
expect_same "$mnt/numbers" "$mnt/numbers.4"
test "$(stat -c %h "$mnt/numbers.2")" = 2
rm "$mnt/numbers.2" "$mnt/numbers.3"
rmdir "$mnt/folder"
truncate -s 0 "$mnt/numbers"
test "$(stat -c %s "$mnt/numbers")" = 0
seq 10 >>"$mnt/numbers"
seq 11 20 >>"$mnt/numbers"
seq 20 | cmp - "$mnt/numbers"

# A file whose name is gone can still be used.
exec 5<>"$mnt/unnamed"
seq 1000 >&5
rm "$mnt/unnamed"
seq 1000 | cmp - "/proc/$$/fd/5"
"$IOPRESS" mount --status "$mnt" >"$work/status"
grep -q '^windows  *[0-9]' "$work/status" || fail "no windows"
grep -q '^name  .*unnamed' "$work/status" || fail "what is open is not named"
"$IOPRESS" mount --status --json "$mnt" |
  python3 -c 'import json, sys; assert json.load(sys.stdin)["writing"]'
exec 5>&-

umount "$mnt"
eventually gone || fail "the daemon is still there"
iopress restore "$mnt/numbers" - | cmp - <(seq 20)
test "$(cat "$mnt/plain")" = before
