#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# info --state: a word for every kind of file, with what belongs to it, and
# nothing that it could wait for.

. "${abs_top_srcdir:-$(dirname "$0")/../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/cmd/common.sh"

id=00112233445566778899aabbccddeeff
cd "$work"

# state FILE: what is said, on $work/said; it must be quick.
state ()
{
  iopress_in_time 20 info --state "$1" >"$work/said" 2>"$work/stderr" ||
    fail "$1: $(cat "$work/stderr")"
}

# said KEY: the value on the one line that has this key.
said ()
{
  sed -n "s/^$1  *//p" "$work/said"
}

# expect_state WORD FILE [KEY VALUE]...: also as JSON.
expect_state ()
{
  local word=$1 file=$2

  state "$file"
  test "$(head -n 1 "$work/said")" = "state          $word" ||
    fail "$file is no $word: $(cat "$work/said")"
  iopress info --state --json "$file" | python3 -c '
import json, sys
said = json.load(sys.stdin)
assert said["state"] == sys.argv[1] and said["file"] == sys.argv[2], said' \
    "$word" "$file"
  shift 2
  while (( $# > 0 )); do
    test "$(said "$1")" = "$2" || fail "$file: $1 is not $2: $(cat "$work/said")"
    shift 2
  done
}

# put MAGIC FILE
put ()
{
  printf %s "$1" | dd of="$2" conv=notrunc status=none
}

: >empty
expect_state empty empty next ''
truncate -s 5M zeros
expect_state zeros zeros
echo other >other
expect_state other other next ''
make_raw raw
expect_state other raw

# Saves.
make_mapped_ram --expected expected --libvirt save --xml-padding 5K \
  --block pc.ram=4M,dense --content random libvirt
make_mapped_ram --block pc.ram=4M,dense --content random bare
size=$(stat -c %s bare)
expect_state save libvirt libvirt sparse next 'iopress save packs it'
test -n "$(said domain)" || fail "no name"
test -n "$(said uuid)" || fail "no uuid"
expect_state save bare libvirt '' prefix ''
said source | grep -q "($size bytes)"
cp libvirt part
put LibvirtQemudPart part
expect_state unfinished-save part libvirt 'sparse, unfinished'
make_mapped_ram --preset unfinished unfinished
expect_state unfinished-save unfinished
said fault | grep -q .
head -c $((size / 2)) bare >cut
expect_state unfinished-save cut
make_mapped_ram --preset plain-sparse plain
expect_state plain-save plain libvirt sparse

# Images.
iopress save --image-id $id -c stored --chunk-size 64K libvirt image
expect_state image image 'image id' $id libvirt sparse
said source | grep -q "($(stat -c %s libvirt) bytes)"
prefix=$(said prefix)
prefix=${prefix##*(}
prefix=${prefix% bytes)}
test "$(tail -c +$((prefix + 1)) image | head -c 8)" = IOPRESS1
head -c 1M image >half
expect_state unfinished-image half 'image id' $id
! said next | grep -q -e --resume || fail "nothing to go on from"
cp image damaged
printf '\377' | dd of=damaged bs=1 seek=$((prefix + 40)) conv=notrunc \
  status=none
expect_state damaged-image damaged
iopress save --image-id $id bare bare-image
expect_state image bare-image 'image id' $id domain ''

# Half of an only copy: what is next is never what could lose it.
cp libvirt consumed
python3 "$abs_top_srcdir/tests/lib/make_marker.py" consumed $id 65536 consumed
expect_state consumed consumed 'image id' $id consumed '64.0 KiB (65536 bytes)' \
  next 'iopress save --resume finishes it'
printf '\377' | dd of=consumed bs=1 seek=41 conv=notrunc status=none
expect_state consumed consumed 'image id' '' next \
  'keep it, and look for that image'
cp image expanding
python3 "$abs_top_srcdir/tests/lib/make_marker.py" expanding $id "$prefix" \
  expanding
expect_state half-expanded expanding 'image id' $id \
  aside expanding.packed-00112233 next 'iopress expand finishes it'

# A guest's name feigns no line, and nothing does anything to a terminal.
cat >edit.py <<'PYTHON'
import re, sys
data = open("libvirt", "rb").read()
name = re.search(rb"<name>(.*?)</name>", data)
text = b"<name>x&#10;state image&#27;\"</name>"
end = data.index(b"\0", 92)
xml = data[92:end]
new = xml.replace(name.group(0), text)
out = data[:92] + new + data[end + len(new) - len(xml):]
assert len(out) == len(data)
open("hostile", "wb").write(out)
PYTHON
python3 edit.py
expect_state save hostile
test "$(grep -c '^state' said)" -eq 1
! LC_ALL=C grep -q '[^ -~]' said || fail "$(cat -A said)"

# What is no file.  Nobody is at the other end.
mkfifo pipe
expect_state other pipe type pipe
mkdir folder
expect_state other folder type folder
ln -s image link
expect_state other link type 'symbolic link'
ln -s pipe to-pipe
expect_state other to-pipe type 'symbolic link'
expect_state other /dev/zero type device
iopress info --state - <image >said
grep -q '^state  *image$' said
exec 5<image
iopress info --state fd:5 >said
grep -q '^state  *image$' said
exec 5<&-
iopress info --state - < <(sleep 1) >said
grep -q '^type  *pipe$' said

# Whoever has to have a file refuses what is none, and at once.
expect_exit 2 iopress_in_time 20 info pipe
expect_message 'pipe: is not seekable'
expect_exit 2 iopress_in_time 20 info --state --map image
expect_exit 2 iopress_in_time 20 recover pipe output
expect_message 'pipe: is not seekable'
expect_exit 2 iopress_in_time 20 recover to-pipe output
expect_exit 2 iopress_in_time 20 save pipe output
expect_message 'pipe: is not seekable, as SOURCE must be'
expect_exit 2 iopress_in_time 20 save --resume pipe output
expect_exit 2 iopress_in_time 20 save --estimate pipe
for option in --discard --replace; do
  status=0
  iopress_in_time 20 save $option pipe $(test $option = --replace ||
    echo output) 2>/dev/null || status=$?
  test $status -eq 1 || test $status -eq 2 || fail "$option: $status"
done
expect_exit 1 iopress_in_time 20 info --state none
expect_message 'none: cannot be opened: No such file'
expect_exit 1 iopress_in_time 20 info --state other/none
expect_absent output output.part
# Through a link to a file all goes on.
iopress info link >said

# Bytes that nobody wrote: a word for everything, and no more time.
for seed in 1 2 3 4 5 6 7 8; do
  python3 - $seed <<'PYTHON'
import random, sys
random.seed(int(sys.argv[1]))
data = bytearray(open("image", "rb").read(200000))
for i in range(50):
    data[random.randrange(0, 7000)] = random.randrange(256)
open("noise", "wb").write(data[:random.randrange(1, len(data))])
PYTHON
  state noise
  test -n "$(said state)"
done
