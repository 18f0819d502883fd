#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Names that are derived or found lead to what is not ours: links, pipes, other
# users' files.  Nobody writes there, reads there, or waits there.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

s=$work/source o=$work/output
make_raw "$s"
cp "$s" "$work/original"
iopress save "$s" "$work/image"
head -c 6000 "$work/image" >"$work/begun"
printf 'precious %.0s' {1..2000} >"$work/precious"
cp "$work/precious" "$work/victim"
chmod 644 "$work/victim"

# state FILE: what must not change of it.
state ()
{
  stat -c '%a %u %h %s' "$1"
  cat "$1"
}

# refuses MESSAGE NAME: no verb that writes there takes what has the name.
refuses ()
{
  local options status

  state "$work/victim" >"$work/before"
  for options in 'save' 'save --force' 'save --resume' 'restore' \
                 'restore --force' 'save --replace'; do
    status=0
    case $options in
      *--replace) mv "$2" "$s.part"; set -- "$1" "$s.part" "$s" ;;
      restore*) set -- "$1" "$2" "$work/image" "$o" ;;
      *) set -- "$1" "$2" "$s" "$o" ;;
    esac
    # shellcheck disable=SC2086
    iopress_in_time 20 $options "${@:3}" 2>"$work/stderr" || status=$?
    cat "$work/stderr" >&2
    test $status = 1 || { test "$options" = 'save --resume' &&
      test $status = 3; } || fail "$options: exit status $status"
    expect_message "$1"
    expect_absent "$o"
    state "$work/victim" | cmp - "$work/before" || fail "$options: it changed"
    expect_same "$work/original" "$s"
  done
  rm "$s.part"
}

ln -s victim "$o.part"
refuses 'output\.part: stands there .* not a file of ours: .* symbolic link|source.part: .*link' "$o.part"
ln -s nowhere "$o.part"
refuses 'stands there and is not a file of ours: it is a symbolic link' "$o.part"
mkfifo "$o.part"
refuses 'stands there and is not a file of ours: it is not a regular' "$o.part"
ln "$work/victim" "$o.part"
refuses 'stands there and is not a file of ours: it has another name' "$o.part"
expect_same "$work/precious" "$work/victim"
if test "$(id -u)" = 0; then
  for content in begun precious victim; do
    cp "$work/$content" "$o.part"
    chown nobody "$o.part"
    chmod 666 "$o.part"
    refuses 'stands there and is not a file of ours: it belongs to another' \
      "$o.part"
  done
fi

# Whatever is no image that was begun is not begun anew, nor touched at all.
cp "$work/precious" "$o.part"
chmod 644 "$o.part"
expect_exit 3 iopress save --resume "$s" "$o"
expect_same "$work/precious" "$o.part"
test "$(stat -c %a "$o.part")" = 644 || fail "its mode was changed"
# With the magic of one it is not, either.
printf IOPRESS1 | dd of="$o.part" conv=notrunc status=none
cp "$o.part" "$work/before"
expect_exit 3 iopress save --resume "$s" "$o"
expect_same "$work/before" "$o.part"
# What is, is, unless somebody else may have it open for writing.
cp "$work/begun" "$o.part"
for mode in 666 620 602; do
  chmod $mode "$o.part"
  expect_exit 1 iopress save --resume "$s" "$o"
  expect_one_line
  expect_message 'output\.part: others may write to it, .*; chmod 600 it when'
  expect_same "$work/begun" "$o.part"
  test "$(stat -c %a "$o.part")" = $mode || fail "its mode was changed"
done
# Nobody else can read it then.
chmod 644 "$o.part"
iopress save --resume "$s" "$o"
test "$(stat -c %a "$o")" = 600 || fail "mode $(stat -c %a "$o")"
iopress restore --force "$o" "$work/restored"
expect_same "$s" "$work/restored"
rm "$o"

# Who has a leftover open does not see what comes.
cp "$work/begun" "$o.part"
exec 5<"$o.part"
iopress save "$s" "$o"
cmp - "$work/begun" <&5 || fail "it was written to"
exec 5<&-
rm "$o"

# A finished image is one, whatever it is called.
iopress save -c stored "$work/precious" "$o.part"
cp "$o.part" "$work/finished"
for force in '' --force; do
  # shellcheck disable=SC2086
  expect_exit 1 iopress save $force "$s" "$o"
  expect_message 'output\.part: left over from an earlier run'
  expect_same "$work/finished" "$o.part"
done
cp "$o.part" "$s.part"
expect_exit 1 iopress save --replace "$s"
expect_same "$work/finished" "$s.part"
expect_same "$work/original" "$s"
# Of the very source it has nothing that is not there.
cp "$work/image" "$s.part"
iopress save --replace "$s"
iopress restore --force "$s" "$work/restored"
expect_same "$work/original" "$work/restored"
cp "$work/original" "$s"
rm "$o.part"

# restore --force does not write over what others miss, nor over a whole save.
cp "$s" "$work/consumed"
python3 - "$work/consumed" "$work/image" "$abs_top_srcdir/tests/lib" <<'PYTHON'
import struct, sys
sys.path.insert(0, sys.argv[3])
from xxh3 import xxh3_64
size = len(open(sys.argv[1], "rb").read())
marker = b"IOPRGONE" + bytes(16) + struct.pack("<QQ", 0, size) + bytes(16)
with open(sys.argv[1], "r+b") as file:
    file.write(marker + struct.pack("<Q", xxh3_64(marker)))
PYTHON
make_mapped_ram --preset libvirt-save "$work/whole"
for content in consumed whole; do
  cp "$work/$content" "$o.part"
  expect_exit 1 iopress restore --force "$work/image" "$o"
  expect_message 'output\.part: left over from an earlier run'
  expect_same "$work/$content" "$o.part"
done
rm "$o.part"

# What expand finds, with a whole FILE and with an image.
file=$work/file
make_mapped_ram --libvirt save --block pc.ram=1M,random "$work/ram" \
  --expected "$work/expected"
id=00112233445566778899aabbccddeeff
iopress save --image-id $id "$work/ram" "$work/packed"
aside=$file.packed-00112233
for kind in pipe link folder; do
  rm -rf "$aside"
  case $kind in
    pipe) mkfifo "$aside" ;;
    link) ln -s "$work/victim" "$aside" ;;
    folder) mkdir "$aside" ;;
  esac
  cp "$work/expected" "$file"
  iopress_in_time 20 expand "$file"
  expect_same "$work/expected" "$file"
  cp "$work/packed" "$file"
  status=0
  iopress_in_time 20 expand "$file" 2>"$work/stderr" || status=$?
  test $status -eq 1 || fail "$kind: exit status $status"
  expect_message 'packed-00112233: stands there and is not a file of ours'
  expect_same "$work/packed" "$file"
done
rm -rf "$aside"
mkfifo "$aside.part"
status=0
iopress_in_time 20 expand "$file" 2>"$work/stderr" || status=$?
test $status -eq 1 || fail "exit status $status"
expect_same "$work/packed" "$file"
rm "$aside.part"
# And --replace, when the image has its name already.
mkfifo "$file.part"
iopress_in_time 20 save --replace "$file" 2>"$work/stderr"
expect_message 'file\.part: stands there and is not a file of ours'
rm "$file.part"

# A second copy is another file: by a link FILE would be destroyed with it.  So
# FILE's own second name goes, and the copy is made.
cp "$work/packed" "$file"
ln "$file" "$aside"
ln "$file" "$file.packed-ffffffff"
expect_exit 0 iopress expand "$file"
expect_one_line
expect_message 'packed-00112233: was another name of .*file, and is removed'
expect_same "$work/expected" "$file"
expect_absent "$aside"
# One that is not in the way stays, and is FILE as before.
test "$file.packed-ffffffff" -ef "$file" || fail "its other name is gone"
rm "$file.packed-ffffffff"
cp "$work/packed" "$file"
ln -s file "$aside"
expect_exit 1 iopress expand "$file"
expect_same "$work/packed" "$file"
rm "$aside"
# One that shares blocks is a file of its own.
cp --reflink=auto "$file" "$aside"
iopress expand "$file"
expect_same "$work/expected" "$file"
expect_absent "$aside"

# By a link expand would put the image aside beside that.
cp "$work/packed" "$file"
ln -s file "$work/link"
expect_exit 2 iopress expand "$work/link"
expect_message 'link: is a symbolic link: name the file itself'
expect_same "$work/packed" "$file"
