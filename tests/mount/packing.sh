#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What was stored because the codec was behind is packed in the background, and
# whoever wants the file meanwhile gets it.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/mount/common.sh"

# The codec of this test, which is slower than any disk.
slow=$work/plugins
mkdir -m 755 "$slow"
cp "$abs_top_builddir/tests/mount/.libs/slow.so" "$slow"
chmod 755 "$slow/slow.so"

# In place of the function: other options follow the folder.
iopress ()
{
  local verb=$1

  shift
  "$IOPRESS" "$verb" --plugin-dir "$slow" "$@"
}

mounted_slowly ()
{
  : >"$work/log"
  mounted --plugin-dir "$slow" -c slow -T 2 "$@"
}

# status NAME: a number of the status.
status ()
{
  "$IOPRESS" mount --status "$mnt" | sed -n "s/^$1  *//p"
}

# The file that is being packed comes last.
is_being_packed ()
{
  "$IOPRESS" mount --status "$mnt" | tail -n 3 | tr '\n' ' ' |
    grep -q "^name .*/$1 size  *[1-9].*done"
}

# packs NAME COMMAND...: stores it, and runs the command in the middle of packing
# it.
packs ()
{
  cp "$work/plain" "$mnt/$1"
  eventually is_being_packed "$1" || fail "$1 is not packed: $(cat "$work/log")"
  "${@:2}"
}

has_packed ()
{
  grep -q "/$1: .*, packed in the background from" "$work/log"
}

# expect_packed NAME: it becomes so, an ordinary image, and is what was written.
expect_packed ()
{
  eventually has_packed "$1" || fail "$1 is not packed: $(cat "$work/log")"
  expect_same "$work/plain" "$mnt/$1"
  iopress verify - <"$store/$1"
  test "$(stat -c %s "$store/$1")" -lt 16000000 || fail "$1 stays large"
  test "$(stat -c %s "$store/$1")" -le \
       $(($(stat -c %b "$store/$1") * 512)) || fail "$1 has holes"
}

# What compresses to a quarter, behind libvirt's header.
python3 - "$work/plain" <<'END'
import random, struct, sys

numbers = random.Random(5)
with open(sys.argv[1], "wb") as file:
    file.write(b"LibvirtQemudSave" + struct.pack("=5I", 2, 8100, 1, 6, 0) +
               bytes(56) + b"<domain/>" + bytes(8091))
    while file.tell() < 32 << 20:
        file.write(numbers.randbytes(1024) + bytes(3072))
END

# Owner, mode, times and attributes stay, and the file that is open.
mounted_slowly
attribute='import os, sys; os.setxattr(sys.argv[1], "user.test", b"value")'
packs guest python3 -c "$attribute" "$mnt/guest"
chown 1234:1235 "$mnt/guest"
chmod 640 "$mnt/guest"
touch -d 2001-02-03 "$mnt/guest"
expect_packed guest
test "$(stat -c '%u %g %a %y' "$mnt/guest")" = \
     "$(stat -c '%u %g %a %y' "$store/guest")"
test "$(stat -c '%u %g %a' "$mnt/guest")" = "1234 1235 640"
[[ $(stat -c %y "$mnt/guest") == 2001-02-03* ]] || fail "another time"
python3 -c '
import os, sys
assert os.getxattr(sys.argv[1], "user.test") == b"value"' "$store/guest"
test "$(status files_repacked)" = 1
ls -A "$store" | cmp - <(echo guest)

# virsh save-image-edit and -dumpxml, again and again.
edit ()
{
  local i

  for i in 1 2 3 4 5 6 7 8 9; do
    for file in "$mnt/edited" "$work/plain"; do
      printf '<DOMAIN%s/>' "$i" |
        dd of="$file" bs=1 seek=92 conv=notrunc status=none
    done
    head -c 8192 "$mnt/edited" | cmp - <(head -c 8192 "$work/plain")
    sleep 0.05
  done
}
given_up=$(status files_given_up)
packs edited edit
expect_packed edited
test "$(status files_given_up)" = "$given_up" || fail "an edit stops it"

# A restore stops it at once, and it begins again.
packs restored cmp "$mnt/restored" "$work/plain"
expect_packed restored
test "$(status files_given_up)" -gt "$given_up" || fail "it went on"

# What is removed is gone.
is_idle ()
{
  "$IOPRESS" mount --status --json "$mnt" | python3 -c '
import json, sys
status = json.load(sys.stdin)
sys.exit(status["packing"] is not None or status["to_pack"] != [] or
         not status["store_looked_at"])'
}
packs removed rm "$mnt/removed"
eventually is_idle
! has_packed removed || fail "it was packed"
test ! -e "$store/removed"

# Other names and other contents.
packs old mv "$mnt/old" "$mnt/new"
expect_packed new
test ! -e "$store/old"
change ()
{
  for file in "$mnt/changed" "$work/plain"; do
    printf 'changed' | dd of="$file" bs=1 seek=3000000 conv=notrunc status=none
  done
}
packs changed change
expect_packed changed
cp "$work/plain" "$work/before"
packs replaced cp "$work/before" "$mnt/replaced"
expect_packed replaced
cut_it ()
{
  truncate -s 20000000 "$mnt/cut" "$work/plain"
}
packs cut cut_it
expect_packed cut
cp "$work/before" "$work/plain"

# A file with two names would be two files.
packs name ln "$mnt/name" "$mnt/name.2"
eventually grep -q 'name: is left as it is: .*another name' "$work/log"
expect_same "$mnt/name.2" "$work/plain"
test "$(stat -c %i "$store/name")" = "$(stat -c %i "$store/name.2")"
rm "$mnt"/*
unmounted

# Who does not want that, waits.
mounted_slowly -o pack=now
cp "$work/plain" "$mnt/now"
unmounted
! has_packed now || fail "packed once more"
test "$(stat -c %s "$store/now")" -lt 16000000
rm "$store/now"

# What an earlier mount did not come to is packed by the next one; of a pair of
# which one was about to take the other's place the first goes.
mounted_slowly
cp "$work/plain" "$mnt/guest"
eventually is_being_packed guest
cp "$store/guest" "$work/stored"
unmounted
expect_same "$work/stored" "$store/guest"
mounted_slowly
expect_packed guest
unmounted
cp "$store/guest" "$work/packed"

# pair IMAGE PART: what a kill between the two steps leaves.
pair ()
{
  cp "$1" "$store/guest"
  cp "$2" "$store/guest.part"
  mounted_slowly
  eventually grep -q 'guest.part: removed' "$work/log"
  test ! -e "$store/guest.part"
  expect_same "$work/plain" "$mnt/guest"
  unmounted
}
pair "$work/packed" "$work/stored"
pair "$work/stored" "$work/packed"

# stays: the part is not what is wanted no more.
stays ()
{
  mounted_slowly
  eventually is_idle
  unmounted
  cmp "$store/guest.part" "$work/stored"
}
cp "$work/stored" "$store/guest.part"
head -c 20000 "$work/packed" >"$store/guest"
stays
cp "$work/packed" "$store/guest"
printf x | dd of="$store/guest" bs=1 seek=2000000 conv=notrunc status=none
stays
iopress save -q -c stored "$0" "$work/other"
cp "$work/other" "$store/guest"
stays
# Nor is it when it has the name and the id of such a part, but other bytes: in
# the head, as virsh edits it, or anywhere.
cp "$work/packed" "$store/guest"
printf '<!-- edited -->' |
  dd of="$store/guest" bs=1 seek=3000 conv=notrunc status=none
stays
id=$(iopress info --json "$work/packed" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["image_id"])')
cp "$work/plain" "$work/changed"
python3 -c 'import sys
with open(sys.argv[1], "r+b") as file:
    file.seek(-70000, 2)
    byte = file.read(1)[0]
    file.seek(-70000, 2)
    file.write(bytes([byte ^ 1]))' "$work/changed"
iopress save -q --force -c stored --format raw --image-id "$id" \
  "$work/changed" "$work/other"
cp "$work/other" "$store/guest"
stays
rm "$store/guest" "$store/guest.part"

# What expand put aside stays what it is: expand knows it by its id.
read -r id prefix < <(iopress info --json "$work/stored" | python3 -c '
import json, sys
image = json.load(sys.stdin)
print(image["image_id"], image["prefix_size"])')
aside=$store/guest.packed-${id:0:8}
cp "$work/stored" "$aside"
cp "$work/plain" "$store/guest"
python3 "$abs_top_srcdir/tests/lib/make_marker.py" expanding "$id" \
  "$prefix" "$store/guest"
mounted_slowly
eventually is_idle
unmounted
expect_same "$work/stored" "$aside"
iopress expand "$store/guest"
expect_same "$work/plain" "$store/guest"
test ! -e "$aside"
rm "$store/guest"

# Killed at any instant, the file is whole, and nothing else is left.
for instant in 0 5 10 15 19; do
  mounted_slowly
  cp "$work/plain" "$mnt/killed"
  eventually is_being_packed killed
  sleep "$(printf '0.%02d' $((instant * 5)))"
  killed
  iopress verify "$store/killed"
  iopress restore --force "$store/killed" "$work/again"
  expect_same "$work/again" "$work/plain"
  rm "$store/killed"
  ls -A "$store" | cmp - /dev/null
done

# Without room for both nothing is done.
mount_next tmpfs 60M
store=$mountpoint
mounted_slowly
cp "$work/plain" "$mnt/guest"
eventually grep -q 'guest: is left as it is: there is no room' "$work/log"
test "$(status files_left)" = 1
expect_same "$work/plain" "$mnt/guest"
unmounted
iopress verify "$store/guest"
