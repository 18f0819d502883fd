#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What save --discard and save --resume must refuse, leaving both files as they
# were; and the ends of a run that look odd but are right.

. "${abs_top_srcdir:-../..}/tests/functions.sh"
. "$abs_top_srcdir/tests/discard/common.sh"

requires python3
requires_codec zstd

s=$work/source o=$work/image p=$work/image.part
options=(--chunk-size 64K --discard-batch 128K)
cd "$work"

# Half of a run: so much of $1 goes into the image that a marker stands in
# $1 and a .part is left.  The file size limit stops it.
half_run ()
{
  local status=0

  (ulimit -f 2048; iopress save --discard "${options[@]}" -c stored \
     "$1" "$2" 2>"$work/stderr") || status=$?
  test "$status" = 4 ||
    fail "exit status $status, not 4, of a run that hits a limit:" \
         "$(cat "$work/stderr")"
  test -s "$2.part" || fail "exit status 4, and there is no .part"
}

fresh ()
{
  rm -f "$s" "$o" "$p" "$work/r"
  cp original "$s"
}

finishes ()
{
  expect_exit 0 iopress save --resume "$s" "$o"
  expect_exit 0 iopress restore --force "$o" "$work/r"
  expect_same original "$work/r"
}

python3 -c '
import random
r = random.Random(3)
data = r.randbytes(4000000)
for name, bytes_ in (("original", data),
                     ("other", r.randbytes(4000000)),
                     ("twin", data[:100] + b"\0" + data[101:]),
                     ("longer", data + b"\1")):
    with open(name, "wb") as file:
        file.write(bytes_)
'

# SOURCE is not the one that OUTPUT was begun from.
fresh
half_run "$s" "$o"
cp --sparse=always "$s" half
cp "$p" half.part
for wrong in other twin longer; do
  untouched "$wrong" "$p" -- 3 iopress save --resume "$wrong" "$o"
  expect_message "$wrong: .*$o"
done
expect_message "4000001.*4000000"
finishes

# Another image took the first part of SOURCE.
fresh
half_run "$s" "$o"
cp --sparse=always original third
half_run third "$work/image3"
untouched "$s" "$work/image3.part" third -- \
  3 iopress save --resume "$s" "$work/image3"
expect_message "source: .*another image.*image3"
expect_exit 0 iopress save --resume third "$work/image3"
finishes

# OUTPUT has lost something that SOURCE no longer has.
for damage in cut flip gone; do
  fresh
  cp --sparse=always half "$s"
  cp half.part "$p"
  case $damage in
    cut) truncate -s 300000 "$p" ;;
    flip)
      printf '\252' | dd of="$p" bs=1 seek=200000 conv=notrunc status=none ;;
    gone) rm "$p" ;;
  esac
  untouched "$s" "$p" "$o" -- 3 iopress save --resume "$s" "$o"
  expect_message "source: "
  if [ "$damage" = gone ]; then
    expect_message "partly moved"
  else
    expect_message "its first [0-9]+ bytes .*byte [0-9]+"
  fi
done
# The file header: its records are all there is of the first part.
fresh
cp --sparse=always half "$s"
cp half.part "$p"
printf '\252' | dd of="$p" bs=1 seek=40 conv=notrunc status=none
untouched "$s" "$p" "$o" -- 3 iopress save --resume "$s" "$o"

# The same with descriptors: OUTPUT must not be emptied.
fresh
cp --sparse=always half "$s"
cp half.part "$p"
printf '\252' | dd of="$p" bs=1 seek=40 conv=notrunc status=none
untouched "$s" "$p" -- 3 iopress save --resume fd:3 fd:4 3<>"$s" 4<>"$p"
: >empty
truncate -s 4000000 hole
untouched "$p" hole -- 3 iopress save --resume fd:3 fd:4 3<>hole 4<>"$p"

# A half-consumed source is no source, and its .part is no leftover.
fresh
cp --sparse=always half "$s"
cp half.part "$p"
untouched "$s" "$p" -- 3 iopress save "$s" "$work/new"
expect_message "source: .*partly moved"
untouched "$s" "$p" -- 3 iopress save --format raw "$s" "$work/new"
untouched "$s" "$p" -- 3 iopress save --discard "$s" "$work/new"
test ! -e "$work/new" && test ! -e "$work/new.part" || fail "new image is left"
for force in "" --force; do
  # shellcheck disable=SC2086
  untouched "$s" "$p" other -- 1 iopress save $force other "$o"
  expect_message "image.part: .*--resume"
  # shellcheck disable=SC2086
  untouched "$s" "$p" other -- 1 iopress save --discard $force other "$o"
done
untouched "$p" -- 3 iopress restore "$p" "$work/new"
untouched "$p" -- 3 iopress verify "$p"
finishes

# Others who use SOURCE or OUTPUT.
fresh
exec 7<>"$s"
untouched "$s" "$o" "$p" -- 1 iopress save --discard "$s" "$o"
expect_message "source: .*open for writing"
exec 8<>"$work/fdimage"
expect_exit 0 iopress save --discard fd:7 fd:8
exec 7>&- 8>&-
expect_exit 0 iopress restore --force "$work/fdimage" "$work/r"
expect_same original "$work/r"

# Two at once.  The first is stopped when it has begun.
first=
end_first ()
{
  [ -z "$first" ] || kill -KILL "$first"
}
cleanup_fn end_first
fresh
"$IOPRESS" save --discard "${options[@]}" -T 1 "$s" "$o" &
first=$!
while [ ! -e "$p" ] && kill -0 "$first"; do
  sleep 0.005
done
kill -STOP "$first"
if [ -e "$p" ]; then
  untouched "$s" -- 1 iopress save "$s" "$work/second"
  expect_message "source: another iopress is using it"
  untouched "$s" -- 1 iopress save --discard "$s" "$work/second"
  # It cannot look whether some of SOURCE is gone, so it does not say 1.
  untouched "$s" "$p" -- 4 iopress save --resume "$s" "$work/second"
  test ! -e "$work/second.part" || fail "what was refused left a .part"
  untouched "$s" "$p" other -- 1 iopress save --discard other "$o"
  expect_message "image.part: another iopress is using it"
  # Of this one it can see that nothing is gone.
  untouched "$s" "$p" other -- 1 iopress save --resume other "$o"
  untouched "$s" "$p" -- 4 iopress save --resume "$s" "$o"
  untouched "$s" "$p" other -- \
    1 iopress save --discard fd:7 fd:8 7<>other 8<>"$p"
else
  echo "the first run was too fast: two at once not tried"
fi
kill -CONT "$first"
status=0
wait "$first" || status=$?
first=
test "$status" = 0 || fail "exit status $status of the first of two runs"
expect_exit 0 iopress restore --force "$o" "$work/r"
expect_same original "$work/r"

# Pipes cannot be made durable, nor gone on with.
fresh
untouched "$s" -- 2 bash -c '"$IOPRESS" save --discard "$1" - | cat >/dev/null
                             exit "${PIPESTATUS[0]}"' bash "$s"
expect_message "cannot be made durable"
untouched "$s" -- 2 bash -c '"$IOPRESS" save --resume "$1" - | cat >/dev/null
                             exit "${PIPESTATUS[0]}"' bash "$s"
mkfifo fifo
for force in '' --force; do
  # shellcheck disable=SC2086
  untouched "$s" -- 2 timeout -s KILL 20 "$IOPRESS" save --discard $force \
    "$s" fifo
  expect_message "fifo: cannot be made durable, as --discard needs"
done
untouched "$s" -- 2 bash -c 'cat "$1" | "$IOPRESS" save --discard - "$2"' \
  bash "$s" "$o"
untouched "$s" -- 2 iopress save --discard fd:7 fd:8 7<>"$s" 8<>"$s"
ln "$s" link
untouched "$s" -- 2 iopress save --discard fd:7 fd:8 7<>"$s" 8<>"$work/link"
rm link

# Somebody has it open for writing, and a lease that has to be asked for first,
# as servers of files do.  To look at it asks for the lease, too.
fresh
before=$(fingerprint "$s")
python3 - "$s" <<'end' &
import fcntl, os, signal, sys, time
fd = os.open(sys.argv[1], os.O_RDWR)
signal.signal(signal.SIGIO, lambda *_: fcntl.fcntl(
    fd, fcntl.F_SETLEASE, fcntl.F_UNLCK))
fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
open("leased", "w").close()
while True:
    time.sleep(1)
end
holder=$!
eventually test -e leased || fail "no lease"
for _ in first second; do
  expect_exit 1 iopress save --discard "$s" "$o"
  expect_message "another process has it open for writing"
done
kill $holder
wait $holder || :
test "$(fingerprint "$s")" = "$before" || fail "a leased source was changed"

# Nothing begun.
fresh
finishes
fresh
expect_exit 0 iopress save --discard --resume "$s" "$o"
test "$(stat -c %b "$s")" = 0 || fail "--discard --resume consumed nothing"
# Done already, twice.
finishes
finishes
# The same command again would pack holes over the only copy.
cp "$o" kept.image
for again in "--discard $s $o" "--discard --force $s $o" "--resume $s $o.2" \
             "--replace $s"; do
  # shellcheck disable=SC2086
  untouched "$s" "$o" -- 3 iopress save $again
  expect_message "holds nothing: an earlier run may have given all of it back"
done
untouched "$s" "$o" -- 3 iopress save --discard fd:7 fd:8 7<>"$s" 8<>"$o"
expect_message "holds nothing"
expect_same kept.image "$o"
rm kept.image

# The first run died when the image had its name and the source was whole, or
# had its marker, or some more was gone, or only the marker was left.
cp --sparse=always original whole
expect_exit 0 iopress save --discard whole whole.image
for state in whole marker punched marker-alone; do
  fresh
  cp whole.image "$o"
  python3 - "$s" "$o" "$state" "$abs_top_srcdir/tests/lib" <<'end' ||
import os, struct, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[4])
from iopress_image import Image
from xxh3 import xxh3_64
source, image, state = sys.argv[1:4]
if state != "whole":
    data = bytearray(open(source, "rb").read())
    marker = b"IOPRGONE" + bytes(Image.read(image).header["image_id"])
    marker += struct.pack("<QQ", len(data), len(data)) + bytes(16)
    marker += struct.pack("<Q", xxh3_64(marker))
    data[:4096] = marker.ljust(4096, b"\0")
    gone = {"marker": 4096, "punched": 2000000, "marker-alone": len(data)}
    data[4096:gone[state]] = bytes(gone[state] - 4096)
    open(source, "wb").write(data)
end
    fail "cannot make a source in state $state"
  finishes
  test "$state" = whole || test "$(stat -c %b "$s")" = 0 ||
    fail "the source is still there ($state)"
done

# QEMU refuses a half-consumed save file.
if command -v qemu-system-x86_64 >/dev/null; then
  python3 "$abs_top_srcdir/tests/lib/make_mapped_ram.py" save \
    --content random --block pc.ram=4M,dense --machine pc-i440fx-7.2
  half_run save "$work/save.image"
  timeout 60 qemu-system-x86_64 -machine none -display none -nodefaults \
    -incoming defer -monitor stdio >qemu.log 2>&1 <<end || :
migrate_set_capability mapped-ram on
migrate_incoming file:$work/save
quit
end
  grep -q -i "not a migration stream" qemu.log ||
    fail "QEMU took a half-consumed source: $(cat qemu.log)"
else
  echo "QEMU is not installed: not tried that it refuses such a source"
fi
