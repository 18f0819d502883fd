#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# When a save is whole, and what is left when the daemon is killed or the disk
# is full.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/mount/common.sh"

requires_codec zstd

# saving FILE PAGES: starts to save as libvirt does.
saving ()
{
  coproc SAVING { exec python3 "$abs_top_srcdir/tests/mount/guest_save.py" \
    "$mnt/$1" "$work/plain" "$2"; }
  # Not SAVING_PID: it is gone with the process.
  saver=$SAVING_PID
}

# expect WHAT STEP: it ends so.
expect ()
{
  local answer

  echo "$2" >&"${SAVING[1]}"
  read -r answer <&"${SAVING[0]}" || fail "$2: no answer"
  test "$answer" = "$1" || fail "$2: $answer instead of $1"
}

saved ()
{
  local input=${SAVING[1]}

  exec {input}>&-
  wait "$saver" 2>/dev/null || :
}

magic ()
{
  head -c 16 "$1"
}

# expect_whole FILE: it is a whole image of what was written.
expect_whole ()
{
  iopress verify "$1" || fail "$1 is not whole"
  iopress restore --force "$1" "$work/restored"
  expect_same "$work/restored" "$work/plain"
}

# expect_unfinished FILE: nobody takes it for a save.
expect_unfinished ()
{
  expect_exit 3 iopress verify "$1"
  test "$(magic "$1")" = LibvirtQemudPart || fail "libvirt takes it for whole"
}

mounted -T 2
saving guest 5000
expect ok begin
test "$(magic "$store/guest")" = LibvirtQemudPart
expect ok pages
expect_unfinished "$store/guest"
expect_same "$mnt/guest" "$work/plain"
# Before QEMU's descriptors are closed, and nobody waits for their release.
expect ok finish
expect_whole "$store/guest"
test "$(magic "$store/guest")" = LibvirtQemudSave
expect ok again
expect_exit 3 iopress verify "$store/guest"
expect ok sync
expect_whole "$store/guest"
# Before it is packed in the background.
cp "$store/guest" "$work/unordered"
expect ok close
saved
expect_whole "$store/guest"

# What is finished survives, what is not is refused, and can go.
saving half 3000
expect ok begin
expect ok pages
died
saved
# The images themselves are seen, and nobody ends a save in one.
mountpoint -q "$mnt" || fail "the folder below the mount has come to light"
expect_same "$mnt/guest" "$store/guest"
expect_unfinished "$mnt/half"
for name in guest half new; do
  ! echo >>"$mnt/$name" || fail "$name can be written to"
done 2>/dev/null
grep -q "$mnt: the process was killed" "$work/log" || fail "nothing is said"
# A link that takes a folder's place is not followed, and nobody but root reads.
mkdir "$store/sub" "$work/elsewhere"
echo inside >"$store/sub/file"
echo secret >"$work/elsewhere/file"
test "$(cat "$mnt/sub/file")" = inside
mv "$store/sub" "$store/moved"
ln -s "$work/elsewhere" "$store/sub"
! cat "$mnt/sub/file" >"$work/said" 2>&1 || fail "$(cat "$work/said")"
rm -r "$store/sub" "$store/moved"
chmod go+rx "$work"
if command -v setpriv >/dev/null; then
  ! setpriv --reuid 65534 --clear-groups ls "$mnt" >"$work/said" 2>&1 ||
    fail "others see it: $(cat "$work/said")"
fi
ls -A "$mnt" | cmp - <(ls -A "$store")
test "$(stat -c '%i %u %g %a %s %b %Y' "$mnt/guest")" = \
     "$(stat -c '%i %u %g %a %s %b %Y' "$store/guest")"
for change in "rm $mnt/guest" "mv $mnt/guest $mnt/other" "mkdir $mnt/folder" \
              "chmod 777 $mnt/guest" "chown 1234 $mnt/guest" \
              "chown 1234 $mnt" "truncate -s 0 $mnt/guest"; do
  ! $change || fail "$change works"
done 2>/dev/null
# libvirtd does so when it begins, and ends when it cannot.
chown "$(stat -c %u:%g "$store")" "$mnt" || fail "libvirtd cannot begin"
umount "$mnt"
expect_unfinished "$store/half"
iopress verify "$store/guest"
mounted
expect_exit 1 cat "$mnt/half" >/dev/null
eventually grep -q 'half: footer: .* incomplete' "$work/log"
test "$(magic "$mnt/guest")" = LibvirtQemudSave
rm "$mnt/half"
test ! -e "$store/half"

# An edit of the header in place, as virsh save-image-edit makes it.
saving guest2 2000
expect ok begin
expect ok pages
expect ok close
expect ok finish
saved
printf '<DOMAIN/>' | dd of="$mnt/guest2" bs=1 seek=92 conv=notrunc status=none
iopress verify "$store/guest2"
test "$(dd if="$store/guest2" bs=1 skip=92 count=9 status=none)" = "<DOMAIN/>"
# Other writes go to an image that was finished by another mount, too.
cp "$store/guest2" "$store/guest3"
cp "$mnt/guest2" "$work/plain"
for file in "$mnt/guest3" "$work/plain"; do
  printf 'changed' | dd of="$file" bs=1 seek=3000000 conv=notrunc status=none
  truncate -s +1M "$file"
  fallocate -p -o 4M -l 1M "$file"
done
expect_same "$mnt/guest3" "$work/plain"
expect_whole "$store/guest3"
# A kill while a finished image is written to leaves it as it was, and so does an
# error; the next mount takes away what stands behind its end.
unmounted
cp "$store/guest3" "$work/stored"
mounted -o pack=now
cp "$mnt/guest3" "$work/plain"
exec 5<>"$mnt/guest3"
dd if=/dev/urandom of=/proc/self/fd/5 bs=1M seek=1 count=60 conv=notrunc \
  status=none
killed
exec 5>&-
test "$(stat -c %s "$store/guest3")" -gt "$(stat -c %s "$work/stored")" ||
  fail "nothing was written behind the end"
expect_exit 3 iopress verify "$store/guest3"
cp "$store/guest3" "$work/torn"
mounted -o pack=now
eventually grep -q 'guest3: was being written to' "$work/log"
unmounted
expect_same "$work/stored" "$store/guest3"
expect_whole "$store/guest3"
# Not what somebody else put there, nor where a record is damaged.
cp "$work/stored" "$store/foreign"
seq 10000 >>"$store/foreign"
cp "$store/foreign" "$work/foreign"
cp "$work/torn" "$store/torn"
# The last one is not one that was written again.
record=$(grep -abo IPRC "$work/stored" | tail -n 1 | cut -d : -f 1)
printf damaged |
  dd of="$store/torn" bs=1 seek=$((record + 200)) conv=notrunc status=none
cp "$store/torn" "$work/torn"
mounted -o pack=now
eventually grep -q 'foreign: was left unfinished' "$work/log"
eventually grep -q 'torn: was left unfinished' "$work/log"
unmounted
expect_same "$work/foreign" "$store/foreign"
expect_same "$work/torn" "$store/torn"
rm "$store/foreign" "$store/torn"

# In a pipe nobody knows which record counts.
expect_exit 3 iopress verify - < <(cat "$work/unordered")
expect_message 'records are in another order than a pipe'

# What has what another file lacks is not changed; any other file is.
id=00112233445566778899aabbccddeeff
aside=packed-${id:0:8}
cp "$store/guest" "$work/packed"
head -c 2000000 /dev/urandom >"$work/source"
for kind in consumed expanding; do
  cp "$work/source" "$store/$kind"
  python3 "$abs_top_srcdir/tests/lib/make_marker.py" $kind $id 0 "$store/$kind"
done
iopress save -c stored "$work/source" "$work/image"
head -c 1000000 "$work/image" >"$store/other"
iopress save --discard -c stored "$work/source" "$work/discarded"
head -c 1000000 "$work/discarded" >"$store/begun"
# Asides, by their names, of nothing that is half expanded from them.
ln -s expanding "$store/link"
mkfifo "$store/pipe"
mkdir "$store/folder"
for file in link pipe folder begun consumed nothing; do
  cp "$work/image" "$store/$file.$aside"
done
cp "$work/image" "$store/expanding.$aside"
cp "$work/image" "$store/expanding.packed-33221100"
changes=("truncate -s 0" "truncate -s 100" "truncate -s +1M" "cp $work/packed"
  "dd if=$work/packed bs=4k count=1 conv=notrunc of="
  "fallocate -p -o 0 -l 64k")

# changed CHANGE FILE: makes one of the changes.
changed ()
{
  # They are separate words; that of dd ends with "of=".
  # shellcheck disable=SC2086
  case $1 in
    dd*) timeout 20 $1"$2" ;;
    *) timeout 20 $1 "$2" ;;
  esac 2>"$work/said"
}

mounted
for file in consumed expanding begun expanding.$aside; do
  before=$(cksum <"$store/$file")
  for change in "${changes[@]}"; do
    ! changed "$change" "$mnt/$file" || fail "$file: $change does it"
    grep -q 'Operation not permitted' "$work/said" || fail "$(cat "$work/said")"
    test "$(cksum <"$store/$file")" = "$before" || fail "$file: $change wrote"
  done
  grep -q "$file: has what another file lacks, and is not" "$work/log"
  cat "$mnt/$file" >"$work/read" 2>&1 || test "$file" = begun
done
for change in "${changes[@]}"; do
  for file in {link,pipe,folder,begun,consumed,nothing}.$aside \
    expanding.packed-33221100; do
    changed "$change" "$mnt/$file" || fail "$file: $change: $(cat "$work/said")"
  done
done
for change in "truncate -s 0" "cp $work/packed"; do
  cp "$store/other" "$store/unfinished"
  changed "$change" "$mnt/unfinished"
  rm "$mnt/unfinished"
done
# Verbs say what stops them.
expect_exit 1 iopress expand "$mnt/expanding"
expect_message 'Operation not permitted'
# Names are those of a folder; what is beside it decides.
mv "$mnt/expanding" "$mnt/elsewhere"
changed "truncate -s 0" "$mnt/expanding.$aside"
rm "$mnt/consumed" "$mnt/elsewhere" "$mnt/begun" "$mnt/other" "$mnt"/*.packed-* \
  "$mnt/link" "$mnt/pipe"
rmdir "$mnt/folder"
unmounted

is_gone ()
{
  ! kill -0 "$1" 2>/dev/null
}

# What guards a mount leaves the next one alone, however late it comes.
mounted
guard=$(pgrep -P "$daemon") || fail "nobody guards the mount"
kill -STOP "$guard"
unmounted
mounted
kill -CONT "$guard"
eventually is_gone "$guard" || fail "the guard stays"
! is_no_fuse || fail "the next mount was taken for a dead one"
unmounted

# SIGTERM finishes what is open.
mounted
saving term 2000
expect ok begin
expect ok pages
kill "$daemon"
wait "$daemon" || fail "the daemon ended with $?"
daemon=
! mountpoint -q "$mnt" || fail "still mounted"
expect_whole "$store/term"
saved

# full_disk ERROR TYPE SIZE [COMMAND...]: a full disk fails a write, then all that
# follows, and never close.  COMMAND prepares it.
full_disk ()
{
  local error=$1

  have_file_system "$2" || return 0
  ! mountpoint -q "$mountpoint" || umount "$mountpoint"
  mount_next "$2" "$3"
  shift 3
  "${@:-true}"
  store=$mountpoint
  mounted
  saving guest 30000
  expect ok begin
  expect "$error" pages
  expect "$error" again
  expect "$error" sync
  expect "$error" finish
  expect_exit 3 iopress verify "$store/guest"
  test "$(magic "$store/guest")" = LibvirtQemudPart ||
    fail "libvirt takes it for whole"
  expect ok empty
  expect ok close
  saved
  test "$(cat "$mnt/guest")" = small
  # An image that was whole is what it was.
  head -c 3M /dev/urandom >"$work/plain"
  cp "$work/plain" "$mnt/guest"
  sync "$mnt/guest"
  expect_exit 1 dd if=/dev/urandom of="$mnt/guest" bs=1M seek=2 count=60 \
    conv=notrunc
  unmounted
  expect_whole "$store/guest"
}

have_quota ()
{
  btrfs quota enable "$mountpoint" && btrfs qgroup limit 30M "$mountpoint"
}

full_disk ENOSPC tmpfs 40M
full_disk ENOSPC ext4 40M
full_disk ENOSPC xfs 330M fallocate -l 220M "$mountpoint/other"
full_disk ENOSPC btrfs 120M
full_disk EDQUOT btrfs 400M have_quota
